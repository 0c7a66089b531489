/** A new version of a key, from the moment it is made until the account uses it. */
import { describe, expect, it } from 'vitest';
import { type MediaWorld, mediaWorld } from './azure.ts';
import { series, startWorld, type World } from './world.ts';

const MINUTE = 60_000;
const BOUND = 75_000;

/** What happened since the first sight, as `type of whom`. */
async function story({ world, account }: MediaWorld): Promise<string[]> {
  return (await world.events())
    .filter(({ type }) => type !== 'first_seen')
    .map(({ type, resource, to }) => {
      const whom = resource === account.resource ? 'account' : resource.split('/').at(-1);
      return type.startsWith('finding') ? `${type} ${to}` : `${type} of ${whom}`;
    });
}

/** What is told when the account moves to a new version, but later than it should. */
const LATE_PICK_UP = [
  'new_version of cmk',
  'finding_opened media-services.rotation-lag',
  'new_version of account',
  'finding_closed media-services.rotation-lag',
];

describe('a new version of a key that an account follows', () => {
  it('is detected, lags, warns, alerts, is picked up and is over: each told once', async () => {
    await using at = await mediaWorld({});
    const { world, vault, account } = at;
    const old = account.version();
    world.sandbox.azure.settings.pickUpDelayMs = 90 * MINUTE;
    await world.pass(10_000);
    const madeAt = Date.now();
    vault.keys.rotate('cmk');
    await world.until('the new version', BOUND, () => world.key('cmk')?.versionChanges === 1);
    const version = world.key('cmk')?.version;
    expect(version).not.toBe(old);
    expect(world.consumer('contoso')).toMatchObject({
      health: 'ok',
      uses: [{ versionInUse: old }, { role: 'stores' }],
    });
    const outdated = series(
      await world.metrics(),
      'keyvigil_consumer_outdated_since_timestamp_seconds',
      account.resource,
    );
    expect(Math.abs(outdated! * 1000 - madeAt)).toBeLessThanOrEqual(1_000);

    const lag = () => world.consumer('contoso')?.findings.find(({ id }) => id === 'media-services.rotation-lag');
    await world.pass(14 * MINUTE - (Date.now() - madeAt));
    expect(lag()).toBeUndefined();
    await world.until('a warning', 2 * MINUTE, () => lag()?.severity === 'warning');
    expect(Date.now() - madeAt).toBeGreaterThanOrEqual(15 * MINUTE);
    expect(Date.now() - madeAt).toBeLessThanOrEqual(15 * MINUTE + 15_000);
    expect(world.consumer('contoso')?.health).toBe('at_risk');
    await world.until('an alert', 46 * MINUTE, () => lag()?.severity === 'critical');
    expect(Date.now() - madeAt).toBeGreaterThanOrEqual(60 * MINUTE);
    expect(Date.now() - madeAt).toBeLessThanOrEqual(60 * MINUTE + 15_000);

    await world.until('the pick-up', 35 * MINUTE, () => world.consumer('contoso')?.uses[0]?.versionInUse === version);
    await world.pass(MINUTE);
    expect(world.consumer('contoso')).toMatchObject({ health: 'ok', findings: [] });
    expect(
      series(await world.metrics(), 'keyvigil_consumer_outdated_since_timestamp_seconds', account.resource),
    ).toBeUndefined();
    expect(await story(at)).toEqual(LATE_PICK_UP);
  }, 60_000);

  it('is told once also across restarts in the middle', async () => {
    await using at = await mediaWorld({});
    const { world, vault } = at;
    world.sandbox.azure.settings.pickUpDelayMs = 30 * MINUTE;
    vault.keys.rotate('cmk');
    await world.until('the new version', BOUND, () => world.key('cmk')?.versionChanges === 1);
    for (const minutes of [5, 8, 8, 12]) {
      await world.stop();
      await world.start();
      await world.pass(minutes * MINUTE);
    }
    await world.stop();
    await world.start();
    await world.until('the pick-up', 5 * MINUTE, () => world.consumer('contoso')?.findings.length === 0);
    await world.pass(2 * MINUTE);
    expect(await story(at)).toEqual(LATE_PICK_UP);
  }, 60_000);

  it('that is picked up in the nominal five minutes leaves no finding', async () => {
    await using at = await mediaWorld({});
    at.vault.keys.rotate('cmk');
    await at.world.pass(20 * MINUTE);
    expect(await story(at)).toEqual(['new_version of cmk', 'new_version of account']);
    expect(at.world.consumer('contoso')?.health).toBe('ok');
  });

  it('and that is disabled puts an account that is still on the old one at risk only', async () => {
    await using at = await mediaWorld({ account: { pinned: true } });
    at.vault.keys.rotate('cmk');
    await at.world.until('the new version', BOUND, () => at.world.key('cmk')?.versionChanges === 1);
    await at.world.pass(2 * MINUTE);
    at.vault.keys.update('cmk', undefined, { enabled: false });
    await at.world.until('the loss', BOUND, () => at.world.key('cmk')?.health === 'inaccessible');
    expect(at.world.consumer('contoso')?.health).toBe('at_risk');
  });
});

describe('an expired key', () => {
  it('is degraded, not lost: it still unwraps', async () => {
    await using at = await mediaWorld({ create: { expires: Date.UTC(2026, 10, 22, 12) } });
    const { world } = at;
    expect(world.key('cmk')?.findings.map(({ id }) => id)).toContain('key-vault.expiring');
    await world.pass(3 * 60 * MINUTE);
    expect(world.key('cmk')).toMatchObject({ health: 'degraded', own: { status: 'accessible' } });
    expect(world.key('cmk')?.findings.map(({ id }) => id)).toContain('key-vault.expired');
    expect(series(await world.metrics(), 'keyvigil_key_accessible', '"cmk"')).toBe(1);
  }, 60_000);
});

describe('a managed HSM', () => {
  it('is watched like a vault', async () => {
    await using world: World = await startWorld(
      (_region, _sandbox, subscription) => {
        const hsm = subscription.hsm('contosohsm');
        hsm.keys.create('master', { kty: 'RSA-HSM', size: 3072 });
      },
      { clouds: ['azure'] },
    );
    expect(world.key('contosohsm')).toMatchObject({ kind: 'azure-vault', health: 'accessible', spec: 'hsm' });
    expect(world.key('master')).toMatchObject({
      spec: 'RSA-HSM_3072',
      dependsOn: ['https://contosohsm.managedhsm.azure.net'],
    });
    world.subscription.hsm('contosohsm').keys.update('master', undefined, { enabled: false });
    await world.until('the loss', BOUND, () => world.key('master')?.health === 'inaccessible');
    expect(world.key('master')?.undo).toContain('--id https://contosohsm.managedhsm.azure.net/keys/master');
  });
});
