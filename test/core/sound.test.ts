import { describe, expect, it } from 'vitest';
import { assertSound, unsoundField } from '../../src/core/sound.ts';

const VERSION = { id: 'v1', createdAt: 1, enabled: true };
const FACTS = {
  resource: 'arn:aws:kms:eu-west-1:111122223333:key/1',
  kind: 'aws-kms-key',
  name: 'alias/app',
  state: 'Enabled',
  tags: { team: 'video' },
  aliases: ['a'],
  version: VERSION,
  versions: [VERSION],
  expiresAt: 1,
  recoverableUntil: 2,
  rotationEnabled: false,
  dependsOn: [{ anyOf: ['x'], role: 'decrypts', assumed: true }],
  grants: [{ principal: 'p', via: 'role', permissions: ['get'] }],
  uses: [{ resource: 'r', role: 'encrypts', pinned: false, attributes: { algorithm: 'aes128', bits: 128, on: true } }],
  attributes: { usage: 'ENCRYPT_DECRYPT', count: 3, multiRegion: false, none: undefined },
  spec: undefined,
};

describe('facts', () => {
  it('of the types that they say are sound', () => {
    expect(unsoundField(FACTS)).toBeUndefined();
  });

  it.each<[string, object]>([
    ['name', { name: ['alias/app'] }],
    ['name', { name: null }],
    ['state', { state: 1 }],
    ['spec', { spec: { a: 1 } }],
    ['tags', { tags: { team: 7 } }],
    ['tags', { tags: [] }],
    ['tags', { tags: null }],
    ['aliases', { aliases: 'alias/app' }],
    ['aliases', { aliases: [null] }],
    ['expiresAt', { expiresAt: '2026-11-22' }],
    ['expiresAt', { expiresAt: Number.NaN }],
    ['expiresAt', { expiresAt: new Date(0) }],
    ['recoverableUntil', { recoverableUntil: Number.POSITIVE_INFINITY }],
    ['rotationEnabled', { rotationEnabled: 'false' }],
    ['version', { version: { id: 1 } }],
    ['version', { version: 'v1' }],
    ['versions', { versions: [VERSION, { ...VERSION, createdAt: 'x' }] }],
    ['versions', { versions: {} }],
    ['dependsOn', { dependsOn: [{ anyOf: [1], role: 'decrypts' }] }],
    ['grants', { grants: [{ principal: 'p', via: 'role', permissions: 'get' }] }],
    ['uses', { uses: [{ resource: 'r', role: 'encrypts', attributes: { algorithm: [] } }] }],
    ['attributes', { attributes: { usage: {} } }],
  ])('with another %s are not, and nothing of it is told', (field, change) => {
    expect(unsoundField({ ...FACTS, ...change })).toBe(field);
    expect(() => assertSound({ ...FACTS, ...change })).toThrow(new RegExp(`should: ${field}$`));
  });
});
