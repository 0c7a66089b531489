import { describe, expect, it } from 'vitest';
import { consumerJson, eventJson, keyJson, sourceJson } from '../../src/core/json.ts';
import { CONSUMER_KINDS, type ConsumerHealth } from '../../src/core/model.ts';
import { CONSUMER_WORDS } from '../../src/core/words.ts';
import { consumerView, keyView, NOW, snapshotOf, source } from '../web/world.ts';

/** The lists of the contract ("Command line" of the design), in its order. */
const KEY_FIELDS =
  'resource kind name provider account location targets tags health reason since blindSince blindReason blindRoots version versionCreatedAt expiresAt deletionAt recoverableUntil nextRotationAt rootCauses consumers findings checkedAt';
const CONSUMER_FIELDS =
  'resource kind name provider account location targets tags health reason meaning since rootCauses harm state uses findings checkedAt attributes';
const SOURCE_FIELDS = 'target location service up reason lastSuccessAt objects';
const EVENT_FIELDS = 'id at type resource kind from to reason version';
const FINDING = { id: 'kms.x', severity: 'warning', summary: 'S.', remedy: 'do it', since: NOW } as const;

function fieldsOf(value: unknown): string {
  return Object.keys(JSON.parse(JSON.stringify(value))).join(' ');
}

describe('the JSON contract', () => {
  const key = keyView({
    resource: 'arn:aws:kms:eu-west-1:111122223333:key/k',
    reason: 'disabled',
    health: 'inaccessible',
    blindSince: NOW,
    blindReason: 'timeout',
    blindRoots: ['https://contoso.vault.azure.net'],
    version: 'v1',
    versionCreatedAt: NOW,
    expiresAt: NOW,
    deletionAt: NOW,
    recoverableUntil: NOW,
    nextRotationAt: NOW,
    findings: [FINDING],
  });

  it('names the fields of a key exactly', () => {
    expect(fieldsOf(keyJson(key))).toBe(KEY_FIELDS);
    expect(fieldsOf((keyJson(key).findings as object[])[0])).toBe('id severity summary remedy');
  });

  it('names the fields of a consumer exactly', () => {
    const consumer = consumerView({
      resource: 'arn:flow',
      health: 'impaired',
      reason: 'key_inaccessible',
      state: 'ACTIVE',
      uses: [
        {
          resource: 'k',
          key: 'arn:k',
          versionInUse: 'v',
          pinned: false,
          outdatedSince: NOW,
          role: 'decrypts',
          part: 'p',
        },
        { resource: 's', role: 'stores' },
        { resource: 'elsewhere', role: 'decrypts' },
      ],
      findings: [FINDING],
    });
    const json = consumerJson(consumer, snapshotOf());
    expect(fieldsOf(json)).toBe(CONSUMER_FIELDS);
    const [use, store, elsewhere] = json.uses as object[];
    expect(fieldsOf(use)).toBe('resource key versionInUse pinned outdatedSince role part');
    expect(fieldsOf(store)).toBe('resource role');
    expect(json.harm).toMatchObject([{ begins: 'next_use', text: expect.any(String) }]);
    expect(elsewhere).toMatchObject({ notWatched: snapshotOf().notWatched('aws', 'elsewhere') });
  });

  it('says what it means while a consumer is impaired, and only then', () => {
    for (const kind of CONSUMER_KINDS) {
      const of = (health: ConsumerHealth) =>
        consumerJson(consumerView({ resource: 'c', kind, health }), snapshotOf()).meaning;
      expect(of('impaired')).toBe(CONSUMER_WORDS[kind].impaired.text);
      expect([of('ok'), of('at_risk'), of('unknown')]).toEqual([undefined, undefined, undefined]);
    }
  });

  it('names the fields of a source exactly', () => {
    expect(fieldsOf(sourceJson(source({ up: false, reason: 'denied' })))).toBe(SOURCE_FIELDS);
    expect(sourceJson(source({ reason: 'provider_retired' }))).toMatchObject({ up: true, reason: 'provider_retired' });
  });

  it('names the fields of an event exactly', () => {
    const event = {
      id: 1,
      at: NOW,
      type: 'transition',
      resource: 'r',
      kind: 'aws-secret',
      from: 'a',
      to: 'b',
    } as const;
    expect(fieldsOf(eventJson({ ...event, reason: 'disabled', version: 'v' }))).toBe(EVENT_FIELDS);
    expect(fieldsOf(eventJson(event))).toBe('id at type resource kind from to');
  });

  it('writes times as ISO 8601 and leaves absent ones out', () => {
    expect(keyJson(key)).toMatchObject({ since: '2026-11-17T10:27:30.000Z', expiresAt: '2026-11-20T10:27:30.000Z' });
    const bare = JSON.parse(JSON.stringify(keyJson(keyView({ resource: 'r' }))));
    for (const field of ['reason', 'blindSince', 'version', 'expiresAt', 'deletionAt'])
      expect(bare).not.toHaveProperty(field);
  });

  it('leaves a date out that no calendar has, rather than failing on the object', () => {
    expect(keyJson(keyView({ resource: 'r', expiresAt: 1e18 })).expiresAt).toBeUndefined();
  });
});
