import { describe, expect, test } from 'vitest';
import { DAY, refusal, START, testVault } from './vault.ts';

const DELETING = 65_000;
const RECOVERING = 15_000;

describe('versions', () => {
  test('a key is made, gets a new version by create and by rotate, and is found without regard to case', () => {
    const { keys, changes, clock } = testVault();
    const first = keys.create('CMK', { size: 3072, tags: { a: 'b' } });
    clock.now += 1000;
    const second = keys.rotate('cmk');
    const third = keys.create('cmk');
    expect(keys.get('Cmk')).toMatchObject({ name: 'CMK', versions: [first, second, third] });
    expect(second).toMatchObject({ kty: 'RSA', size: 3072, tags: { a: 'b' }, enabled: true, createdAt: START + 1000 });
    expect(third).toMatchObject({ kty: 'RSA', size: 2048, tags: undefined });
    for (const { id } of [first, second, third]) expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect(new Set([first, second, third].map(({ material }) => material.jwk().n)).size).toBe(3);
    expect(changes).toEqual(['CMK', 'CMK', 'CMK']);
    expect(keys.names()).toEqual(['CMK']);
  });

  test('the same seed gives the same ids and the same public keys', () => {
    const [one, other] = [testVault().keys.create('k'), testVault().keys.create('k')];
    expect(one.id).toBe(other.id);
    expect(one.material.jwk()).toEqual(other.material.jwk());
  });

  test('a change touches one version, the newest unless one is named, and null takes a date away', () => {
    const { keys, clock } = testVault();
    const first = keys.create('k');
    keys.rotate('k');
    clock.now += 5000;
    keys.update('k', first.id, { enabled: false });
    keys.update('k', undefined, { expires: START + DAY, tags: { t: '1' }, operations: ['wrapKey'] });
    expect(keys.get('k')?.versions).toMatchObject([
      { enabled: false, updatedAt: START + 5000, createdAt: START, tags: undefined },
      { enabled: true, expires: START + DAY, tags: { t: '1' }, operations: ['wrapKey'] },
    ]);
    expect(keys.update('k', undefined, { expires: null }).expires).toBeUndefined();
    expect(refusal(() => keys.update('k', 'f'.repeat(32), {}))).toMatchObject({ status: 404, code: 'KeyNotFound' });
    expect(refusal(() => keys.update('none', undefined, {}))).toMatchObject({ status: 404, code: 'KeyNotFound' });
  });

  test.each([
    ['a size that is no size', 'k', { size: 1024 }],
    ['a curve that is no curve', 'k', { kty: 'EC', curve: 'P-192' }],
    ['an operation that the type does not have', 'k', { kty: 'EC', operations: ['wrapKey'] }],
    ['a symmetric key outside a managed HSM', 'k', { kty: 'oct-HSM' }],
    ['an end before the beginning', 'k', { notBefore: START + DAY, expires: START }],
    ['a name with an underscore', 'my_key', {}],
    ['a name that is too long', 'k'.repeat(128), {}],
  ] as const)('%s is refused', (_what, name, options) => {
    const { keys } = testVault();
    expect(refusal(() => keys.create(name, options))).toMatchObject({ status: 400, code: 'BadParameter' });
  });

  test('a managed HSM makes HSM keys only, and a hundred versions of one', () => {
    const { keys, settings } = testVault({ hsm: true, softDelete: false });
    expect(keys.create('k').kty).toBe('RSA-HSM');
    expect(keys.create('o', { kty: 'oct-HSM' })).toMatchObject({ size: 256, curve: undefined });
    expect(keys.create('e', { kty: 'EC-HSM' })).toMatchObject({ size: undefined, curve: 'P-256' });
    expect(refusal(() => keys.create('k', { kty: 'RSA' }))).toMatchObject({ status: 400, code: 'BadParameter' });
    for (let version = 1; version < 100; version += 1) keys.rotate('k');
    expect(refusal(() => keys.rotate('k'))).toMatchObject({ status: 400, code: 'BadParameter' });
    settings.hsm = false;
    expect(keys.rotate('k').kty).toBe('RSA-HSM');
  });
});

describe('deleting, recovering, purging', () => {
  test('a deleted key is nowhere for 65 seconds, then among the deleted, then back after a while', () => {
    const { keys, clock } = testVault();
    const version = keys.create('k');
    expect(keys.delete('k')).toMatchObject({ deletedAt: START, scheduledPurgeAt: START + 90 * DAY });
    const seen = () => [keys.names(), keys.deletedNames(), keys.usable('k'), keys.usable('k', version.id)];
    clock.now = START + DELETING - 1;
    expect(seen()).toEqual([[], [], 'missing', 'missing']);
    for (const call of [() => keys.purge('k'), () => keys.recover('k'), () => keys.create('k')]) {
      expect(refusal(call)).toEqual({
        status: 409,
        code: 'Conflict',
        inner: 'ObjectIsBeingDeleted',
        message: 'Key is currently being deleted.',
      });
    }
    expect(refusal(() => keys.delete('k'))).toMatchObject({ status: 404, code: 'KeyNotFound' });
    clock.now = START + DELETING;
    expect(seen()).toEqual([[], ['k'], 'missing', 'missing']);
    expect(refusal(() => keys.create('K'))).toMatchObject({
      status: 409,
      code: 'Conflict',
      inner: 'ObjectIsDeletedButRecoverable',
    });
    keys.recover('K');
    clock.now += RECOVERING - 1;
    expect(seen()).toEqual([[], [], 'missing', 'missing']);
    expect(refusal(() => keys.create('k'))).toMatchObject({
      status: 409,
      code: 'Conflict',
      inner: 'ObjectIsBeingRecovered',
    });
    expect(refusal(() => keys.purge('k'))).toMatchObject({ status: 404, code: 'KeyNotFound' });
    clock.now += 1;
    expect(seen()).toEqual([['k'], [], 'ok', 'ok']);
    expect(keys.get('k')?.versions).toEqual([version]);
  });

  test('the windows can be set', () => {
    const { keys } = testVault({}, { deletingMs: 0, recoveringMs: 0 });
    keys.create('k');
    keys.delete('k');
    expect(keys.deletedNames()).toEqual(['k']);
    keys.recover('k');
    expect(keys.names()).toEqual(['k']);
    keys.delete('k');
    keys.purge('k');
    expect([keys.names(), keys.deletedNames()]).toEqual([[], []]);
    expect(refusal(() => keys.recover('k'))).toEqual({
      status: 404,
      code: 'KeyNotFound',
      message: 'Deleted Key not found: k',
    });
    expect(keys.create('k').id).toMatch(/^[0-9a-f]{32}$/);
  });

  test('purge protection refuses the purge but not the date', () => {
    const { keys, clock, changes } = testVault({ purgeProtection: true, retentionDays: 7 }, { deletingMs: 0 });
    keys.create('k');
    keys.delete('k');
    expect(refusal(() => keys.purge('k'))).toMatchObject({ status: 403, code: 'Forbidden' });
    clock.now = START + 7 * DAY - 1;
    expect(keys.deleted('k')).toBeDefined();
    changes.length = 0;
    clock.now += 1;
    expect(keys.deleted('k')).toBeUndefined();
    expect(changes).toEqual(['k']);
  });

  test('a vault without soft delete deletes for good', () => {
    const { keys } = testVault({ softDelete: false });
    keys.create('k');
    keys.delete('k');
    expect(keys.usable('k')).toBe('missing');
    expect(refusal(() => keys.purge('k'))).toMatchObject({ status: 404, code: 'KeyNotFound' });
    keys.create('k');
    expect(keys.usable('k')).toBe('ok');
  });

  test('a managed HSM always has soft delete', () => {
    const { keys } = testVault({ hsm: true, softDelete: false }, { deletingMs: 0 });
    keys.create('k');
    keys.delete('k');
    expect(keys.deletedNames()).toEqual(['k']);
  });

  test('an envelope opens with its own version, whatever became of the others', () => {
    const { keys } = testVault();
    const old = keys.create('k');
    const young = keys.rotate('k');
    keys.update('k', old.id, { enabled: false });
    expect([keys.usable('k', old.id), keys.usable('k', young.id), keys.usable('k')]).toEqual(['disabled', 'ok', 'ok']);
    expect(keys.usable('k', 'f'.repeat(32))).toBe('missing');
    keys.update('k', young.id, { expires: START - DAY });
    expect(keys.usable('k', young.id)).toBe('ok');
  });
});

describe('rotation by policy', () => {
  const rotate = (trigger: { timeAfterCreate: string } | { timeBeforeExpiry: string }) =>
    ({ type: 'Rotate', trigger }) as const;

  test('a version is made when it is due after the creation of the newest, and expires as the policy says', () => {
    const { keys, clock, changes } = testVault();
    keys.create('k');
    keys.setRotationPolicy('k', { actions: [rotate({ timeAfterCreate: 'P1M' })], expiryTime: 'P90D' });
    changes.length = 0;
    clock.now = Date.UTC(2026, 1, 15) - 1;
    expect(keys.get('k')?.versions).toHaveLength(1);
    clock.now = Date.UTC(2026, 3, 1);
    expect(keys.get('k')?.versions.map(({ createdAt, expires }) => [createdAt, expires])).toEqual([
      [START, undefined],
      [Date.UTC(2026, 1, 15), Date.UTC(2026, 1, 15) + 90 * DAY],
      [Date.UTC(2026, 2, 15), Date.UTC(2026, 2, 15) + 90 * DAY],
    ]);
    expect(changes).toEqual(['k']);
  });

  test('a version is made before the newest expires, and never without an expiry', () => {
    const { keys, clock } = testVault();
    keys.create('dated', { expires: START + 60 * DAY });
    keys.create('undated');
    for (const name of ['dated', 'undated']) {
      keys.setRotationPolicy(name, { actions: [rotate({ timeBeforeExpiry: 'P30D' })], expiryTime: 'P2Y' });
    }
    clock.now = START + 30 * DAY;
    expect(keys.get('undated')?.versions).toHaveLength(1);
    const [, second] = keys.get('dated')?.versions ?? [];
    expect(second).toMatchObject({ createdAt: START + 30 * DAY, expires: Date.UTC(2028, 1, 14) });
  });

  test('a policy that comes late rotates from when it was set, and what is deleted waits until it is back', () => {
    const { keys, clock } = testVault({}, { deletingMs: 0 });
    keys.create('k');
    clock.now = START + 100 * DAY;
    keys.setRotationPolicy('k', { actions: [rotate({ timeAfterCreate: 'P30D' })] });
    expect(keys.get('k')?.versions.at(-1)?.createdAt).toBe(START + 100 * DAY);
    keys.delete('k');
    clock.now += 50 * DAY;
    keys.recover('k');
    clock.now += RECOVERING;
    expect(keys.get('k')?.versions.map(({ createdAt }) => createdAt)).toEqual([
      START,
      START + 100 * DAY,
      START + 150 * DAY + RECOVERING,
    ]);
  });

  test('a policy taken away rotates no more', () => {
    const { keys, clock } = testVault();
    keys.create('k');
    keys.setRotationPolicy('k', { actions: [rotate({ timeAfterCreate: 'P30D' })] });
    keys.setRotationPolicy('k', undefined);
    clock.now += 100 * DAY;
    expect(keys.get('k')).toMatchObject({ policy: undefined, versions: [{}] });
  });

  test.each([
    ['less than seven days', { actions: [rotate({ timeAfterCreate: 'P6D' })] }],
    ['hours', { actions: [rotate({ timeAfterCreate: 'PT200H' })] }],
    ['versions that are valid for less than 28 days', { actions: [], expiryTime: 'P27D' }],
    ['a rotation before an expiry that there is not', { actions: [rotate({ timeBeforeExpiry: 'P30D' })] }],
    [
      'a rotation as early as the version itself',
      { actions: [rotate({ timeBeforeExpiry: 'P90D' })], expiryTime: 'P90D' },
    ],
    ['two rotations', { actions: [rotate({ timeAfterCreate: 'P30D' }), rotate({ timeAfterCreate: 'P60D' })] }],
    ['a notice after the creation', { actions: [{ type: 'Notify', trigger: { timeAfterCreate: 'P30D' } }] }],
  ] as const)('a policy of %s is refused', (_what, policy) => {
    const { keys } = testVault();
    keys.create('k');
    expect(refusal(() => keys.setRotationPolicy('k', policy))).toMatchObject({ status: 400, code: 'BadParameter' });
  });
});
