import { describe, expect, it } from 'vitest';
import type { Failure, KeyFacts } from '../../../src/core/model.ts';
import { keyVault } from '../../../src/providers/azure/key-vault/index.ts';
import * as looks from '../../core/support/looks.ts';
import { ARM, VAULT, vaultError } from '../../fixtures/azure-wire.ts';
import {
  ARM_ID,
  AT,
  armDeleted,
  armId,
  armKey,
  armMissing,
  armRefused,
  armVault,
  BASE,
  bench,
  bundle,
  byFirewall,
  byPolicy,
  byRbac,
  deletedBundle,
  deletedNotFound,
  keyNotFound,
  keyStub,
  NOWHERE,
  ofArm,
  ofVault,
  page,
  unresolvable,
  vaultStub,
} from './key-vault-cloud.ts';

/** What is believed of a soft-deleted object when nothing but this failure is seen for so many minutes. */
function believedAfter(failure: Failure, minutes: number): string | undefined {
  const { verdict, purgedAfterMs } = keyVault.keys ?? {};
  if (!verdict || !purgedAfterMs) throw new Error('Key Vault has rules for keys');
  const said = verdict({ failure });
  if (said.status === 'accessible') throw new Error('a failure proves nothing good');
  const seen = Array.from({ length: minutes * 2 + 1 }, (_, at) => {
    const observation = looks.failed(looks.T0 + (at + 1) * 30_000, said);
    return observation.facts ? observation : { ...observation, failure };
  });
  const rules = { ...looks.RULES, purgedAfterMs };
  const { belief } = looks.run([looks.look(looks.T0, looks.lost('soft_deleted')), ...seen], rules).record;
  return belief?.verdict.status === 'inaccessible' ? belief.verdict.reason : belief?.verdict.status;
}

const bed = bench();
const DELETED = `${BASE}/locations/westeurope/deletedVaults/contoso`;

async function factsOf(look: ReturnType<typeof bed.look>): Promise<KeyFacts> {
  const looked = await look;
  if ('failure' in looked) throw new Error(`failed: ${looked.failure.reason}`);
  return looked.facts;
}

describe('a key, by what its vault and Resource Manager say', () => {
  it('200 enabled: healthy', async () => {
    expect(await bed.verdict(keyStub())).toBe('accessible');
  });

  it('200 disabled: disabled', async () => {
    bed.wire.on('GET', VAULT, ofVault('/keys/cmk'), { body: bundle('cmk', { enabled: false }) });
    expect(await bed.verdict(keyStub())).toBe('inaccessible: disabled');
  });

  it('200 expired: accessible, for it still unwraps', async () => {
    bed.wire.on('GET', VAULT, ofVault('/keys/cmk'), { body: bundle('cmk', { exp: 1_600_000_000 }) });
    expect(await bed.verdict(keyStub())).toBe('accessible');
  });

  it('403 KeyDisabled: disabled too', async () => {
    const refused = vaultError(403, 'Forbidden', 'KeyDisabled', 'Operation get is not allowed on a disabled key.');
    bed.wire.on('GET', VAULT, ofVault('/keys/cmk'), refused);
    expect(await bed.verdict(keyStub())).toBe('inaccessible: disabled');
  });

  it('404 and among the deleted keys: soft-deleted, with the day of its purge', async () => {
    bed.wire.on('GET', VAULT, ofVault('/keys/cmk'), keyNotFound());
    bed.wire.on('GET', VAULT, ofVault('/deletedkeys/cmk'), { body: deletedBundle() });
    expect(await bed.verdict(keyStub())).toBe('inaccessible: soft_deleted');
    const purge = AT + 100_000 + 90 * 86_400_000;
    expect(await factsOf(bed.look(keyStub()))).toMatchObject({ deletionAt: purge, recoverableUntil: purge });
  });

  it('404 everywhere a moment after it was deleted: gone, not purged', async () => {
    const known = await known200();
    await bed.list();
    bed.wire.on('GET', VAULT, ofVault('/keys/cmk'), keyNotFound());
    bed.wire.on('GET', VAULT, ofVault('/deletedkeys/cmk'), deletedNotFound());
    bed.wire.on('GET', ARM, ofArm(`${ARM_ID}/keys/cmk`), vaultError(404, 'KeyNotFound', undefined, 'no such key'));
    expect(await bed.failure(keyStub(), known)).toMatchObject({ reason: 'not_found', agreed: true, purgeable: false });
    const free = { ...known, attributes: { ...known.attributes, recoveryLevel: 'Recoverable+Purgeable' } };
    expect(await bed.failure(keyStub(), free)).not.toHaveProperty('purgeable');
  });

  it('404 everywhere after it was soft-deleted: purged, once that lasts for two minutes', async () => {
    const known = await softDeleted({ recoveryLevel: 'Recoverable+Purgeable' });
    const failure = await bed.failure(keyStub(), known);
    expect(failure).toMatchObject({ reason: 'not_found', agreed: true });
    expect(believedAfter(failure, 1)).toBe('soft_deleted');
    expect(believedAfter(failure, 4)).toBe('purged');
  });

  it('404 everywhere, but purge protection holds it until a later day: gone, for nobody can have purged it', async () => {
    const known = await softDeleted({ recoveryLevel: 'Recoverable' });
    const held = { ...known, deletionAt: Date.now() + 86_400_000 };
    expect(await bed.failure(keyStub(), held)).toMatchObject({ reason: 'not_found', purgeable: false });
    expect(believedAfter(await bed.failure(keyStub(), held), 14)).toBe('soft_deleted');
    expect(believedAfter(await bed.failure(keyStub(), known), 4)).toBe('purged');
  });

  it('404 in its vault while Resource Manager still shows it, as in the window of a recovery: gone, nobody agrees', async () => {
    await bed.list();
    bed.wire.on('GET', VAULT, ofVault('/keys/cmk'), keyNotFound());
    bed.wire.on('GET', VAULT, ofVault('/deletedkeys/cmk'), deletedNotFound());
    const failure = await bed.failure(keyStub());
    expect(failure.reason).toBe('not_found');
    expect(failure.agreed).toBeUndefined();
  });

  it('404, and the deleted keys may not be read: gone, and whether it can be recovered is open', async () => {
    await bed.list();
    bed.wire.on('GET', VAULT, ofVault('/keys/cmk'), keyNotFound());
    bed.wire.on('GET', VAULT, ofVault('/deletedkeys/cmk'), byRbac());
    bed.wire.on('GET', ARM, ofArm(`${ARM_ID}/keys/cmk`), vaultError(404, 'KeyNotFound', undefined, 'no such key'));
    const failure = await bed.failure(keyStub());
    expect(failure.reason).toBe('not_found');
    expect(failure.agreed).toBeUndefined();
  });

  it('404, and the deleted keys cannot be had, of a key that is known to be one: nothing is proven', async () => {
    const known = await softDeleted({});
    bed.wire.on('GET', VAULT, ofVault('/deletedkeys/cmk'), vaultError(500, 'InternalServerError', undefined, 'oops'));
    expect(await bed.verdict(keyStub(), known)).toBe('unknown: provider_error');
  });

  it.each([
    ['ForbiddenByRbac', byRbac],
    ['AccessDenied', byPolicy],
  ])('403 %s while Resource Manager shows it enabled: the monitor is blind', async (_name, refusal) => {
    await bed.list();
    bed.wire.on('GET', VAULT, ofVault('/keys/cmk'), refusal());
    expect(await bed.verdict(keyStub())).toBe('unknown: denied');
  });

  it('403 while Resource Manager shows it disabled: disabled', async () => {
    const known = await known200();
    await bed.list();
    bed.wire.on('GET', VAULT, ofVault('/keys/cmk'), byRbac());
    bed.wire.on('GET', ARM, ofArm(`${ARM_ID}/keys/cmk`), armKey('cmk', { enabled: false }));
    expect(await bed.verdict(keyStub())).toBe('inaccessible: disabled');
    expect(await factsOf(bed.look(keyStub(), known))).toMatchObject({
      spec: 'RSA_2048',
      version: { enabled: false },
      attributes: { hsmPlatform: '0', recoverableDays: 90 },
    });
  });

  it('403 while Resource Manager knows no such key in a vault that it shows: gone', async () => {
    await bed.list();
    bed.wire.on('GET', VAULT, ofVault('/keys/cmk'), byRbac());
    bed.wire.on('GET', ARM, ofArm(`${ARM_ID}/keys/cmk`), armMissing());
    expect(await bed.failure(keyStub())).toMatchObject({ reason: 'not_found', agreed: true });
  });

  it('403 while Resource Manager shows neither key nor vault: the vault may have moved, so the monitor is blind', async () => {
    await bed.list();
    bed.wire.on('GET', VAULT, ofVault('/keys/cmk'), byRbac());
    bed.wire.on('GET', ARM, ofArm(`${ARM_ID}/keys/cmk`), armMissing());
    bed.wire.on('GET', ARM, ofArm(ARM_ID), armMissing());
    expect(await bed.verdict(keyStub())).toBe('unknown: denied');
  });

  it('403 by the firewall: the way there', async () => {
    await bed.list();
    bed.wire.on('GET', VAULT, ofVault('/keys/cmk'), byFirewall());
    expect(await bed.verdict(keyStub())).toBe('unknown: network');
  });

  it('its vault does not resolve: nothing is proven of the key, whatever became of the vault', async () => {
    expect(await bed.verdict(keyStub('cmk', NOWHERE))).toBe('unknown: dns');
  });

  it('404 from a vault that is deleted itself: the loss is the vault’s', async () => {
    bed.wire.on('GET', ARM, ofArm(`${BASE}/vaults`), page([]));
    bed.wire.on('GET', ARM, ofArm(`${BASE}/deletedVaults`), page([armDeleted()]));
    await bed.list();
    bed.wire.on('GET', VAULT, ofVault('/keys/cmk'), keyNotFound());
    expect(await bed.verdict(keyStub())).toBe('unknown: transitional');
  });

  it('409 while it is being deleted: passing', async () => {
    const busy = vaultError(409, 'Conflict', 'ObjectIsBeingDeleted', 'Key is currently being deleted.');
    bed.wire.on('GET', VAULT, ofVault('/keys/cmk'), busy);
    expect(await bed.verdict(keyStub())).toBe('unknown: transitional');
  });

  it('403 and Resource Manager refuses too: the vault decides alone', async () => {
    await bed.list();
    bed.wire.on('GET', VAULT, ofVault('/keys/cmk'), byRbac());
    bed.wire.on('GET', ARM, ofArm(`${ARM_ID}/keys/cmk`), armRefused());
    expect(await bed.verdict(keyStub())).toBe('unknown: denied');
  });

  async function known200(): Promise<KeyFacts> {
    return await factsOf(bed.look(keyStub()));
  }

  async function softDeleted(attributes: object): Promise<KeyFacts> {
    await bed.list();
    bed.wire.on('GET', VAULT, ofVault('/keys/cmk'), keyNotFound());
    bed.wire.on(
      'GET',
      VAULT,
      ofVault('/deletedkeys/cmk'),
      { body: deletedBundle('cmk', attributes) },
      deletedNotFound(),
    );
    bed.wire.on('GET', ARM, ofArm(`${ARM_ID}/keys/cmk`), vaultError(404, 'KeyNotFound', undefined, 'no such key'));
    return await factsOf(bed.look(keyStub()));
  }
});

describe('a vault, by what it and Resource Manager say', () => {
  it('both show it: available', async () => {
    await bed.list();
    expect(await bed.verdict(vaultStub())).toBe('accessible');
  });

  it.each([
    ['refuses the monitor', byRbac(), 'unknown: denied'],
    ['keeps the monitor out', byFirewall(), 'unknown: network'],
    ['throttles it', vaultError(429, 'Throttled', undefined, 'slow down'), 'unknown: throttled'],
    ['fails', vaultError(500, 'InternalServerError', undefined, 'oops'), 'unknown: provider_error'],
    ['hangs up', { ending: 'reset' as const }, 'unknown: network'],
  ])('Resource Manager shows it, but it %s: blind, no loss', async (_what, answer, verdict) => {
    await bed.list();
    bed.wire.on('GET', VAULT, ofVault('/keys'), answer);
    expect(await bed.verdict(vaultStub())).toBe(verdict);
  });

  it('Resource Manager shows it, but it refuses the monitor: what is known of its grants and fences is up to date', async () => {
    await bed.list();
    const fenced = armVault('contoso', { accessPolicies: [], publicNetworkAccess: 'Disabled' });
    bed.wire.on('GET', ARM, ofArm(ARM_ID), { body: fenced });
    bed.wire.on('GET', VAULT, ofVault('/keys'), byPolicy());
    expect(await bed.failure(vaultStub())).toMatchObject({
      reason: 'denied',
      told: { grants: [], attributes: { publicNetworkAccess: 'Disabled' } },
    });
  });

  it('Resource Manager shows it, but its name does not resolve: blind, no loss', async () => {
    unresolvable(bed.wire);
    await bed.list();
    expect(await bed.verdict(vaultStub(NOWHERE))).toBe('unknown: dns');
  });

  it('404 and among the deleted vaults: soft-deleted, with the days', async () => {
    const known = await lost();
    bed.wire.on('GET', ARM, ofArm(DELETED), { body: armDeleted() });
    expect(await bed.verdict(vaultStub(), known)).toBe('inaccessible: soft_deleted');
    const purge = Date.UTC(2022, 6, 6, 7, 21, 39);
    expect(await factsOf(bed.look(vaultStub(), known))).toMatchObject({
      deletionAt: purge,
      recoverableUntil: purge,
      tags: {},
      attributes: { resourceId: ARM_ID, purgeProtection: true, deletedAt: Date.UTC(2022, 3, 7, 7, 21, 39) },
    });
  });

  it('404 and among the deleted vaults, while its data plane still answers: soft-deleted all the same', async () => {
    const known = await lost();
    bed.wire.on('GET', ARM, ofArm(DELETED), { body: armDeleted() });
    await bed.look(vaultStub(), known);
    expect(bed.wire.asked('GET', VAULT, ofVault('/keys'))).toHaveLength(2);
  });

  it('404 twice and no such name: gone, and both agree', async () => {
    const stub = vaultStub(NOWHERE);
    unresolvable(bed.wire);
    await bed.list();
    bed.wire.on('GET', ARM, ofArm(armId('nowhere')), armMissing());
    bed.wire.on('GET', ARM, ofArm(DELETED.replace('contoso', 'nowhere')), armMissing());
    expect(await bed.failure(stub)).toMatchObject({ reason: 'not_found', agreed: true });
  });

  it('404 twice and no such name after it was soft-deleted: purged, once that lasts for two minutes', async () => {
    const known = { ...(await lost()), state: 'SoftDeleted', deletionAt: AT };
    const moved = { ...known, attributes: { ...known.attributes, resourceId: armId('nowhere') } };
    bed.wire.on('GET', ARM, ofArm(armId('nowhere')), armMissing());
    bed.wire.on('GET', ARM, ofArm(DELETED.replace('contoso', 'nowhere')), armMissing());
    const failure = await bed.failure(vaultStub(NOWHERE), moved);
    expect(failure).toMatchObject({ reason: 'not_found', agreed: true });
    expect(believedAfter(failure, 4)).toBe('purged');
    const held = { ...moved, deletionAt: Date.now() + 86_400_000 };
    expect(await bed.failure(vaultStub(NOWHERE), held)).toMatchObject({ reason: 'not_found', purgeable: false });
  });

  it('404 twice while it lets the monitor in: it was moved to another subscription', async () => {
    const known = await lost();
    bed.wire.on('GET', ARM, ofArm(DELETED), armMissing());
    expect(await bed.verdict(vaultStub(), known)).toBe('accessible');
  });

  it('404 twice while it answers but refuses the monitor: gone, nobody agrees, and surely not purged', async () => {
    const known = await lost();
    bed.wire.on('GET', ARM, ofArm(DELETED), armMissing());
    bed.wire.on('GET', VAULT, ofVault('/keys'), byRbac());
    const failure = await bed.failure(vaultStub(), known);
    expect(failure).toMatchObject({ reason: 'not_found', purgeable: false });
    expect(failure.agreed).toBeUndefined();
  });

  it('404 and the deleted vaults may not be read: gone', async () => {
    const known = await lost();
    bed.wire.on('GET', ARM, ofArm(DELETED), armRefused());
    expect(await bed.verdict(vaultStub(), known)).toBe('inaccessible: not_found');
  });

  it('404 and the deleted vaults cannot be had, of one that is known to be among them: nothing is proven', async () => {
    const known = { ...(await lost()), state: 'SoftDeleted' };
    bed.wire.on('GET', ARM, ofArm(DELETED), vaultError(500, 'InternalServerError', undefined, 'oops'));
    expect(await bed.verdict(vaultStub(), known)).toBe('unknown: provider_error');
  });

  it('Resource Manager refuses: the vault decides alone, with what was known of its settings', async () => {
    await bed.list();
    bed.wire.on('GET', ARM, ofArm(ARM_ID), armRefused());
    expect(await bed.verdict(vaultStub())).toBe('accessible');
    bed.wire.on('GET', VAULT, ofVault('/keys'), byRbac());
    expect(await bed.verdict(vaultStub())).toBe('unknown: denied');
  });

  it('still registering its name: passing, and it is not asked', async () => {
    const fresh = armVault('contoso', { provisioningState: 'RegisteringDns', vaultUri: `https://${VAULT}` });
    bed.wire.on('GET', ARM, ofArm(`${BASE}/vaults`), page([fresh]));
    bed.wire.on('GET', ARM, ofArm(ARM_ID), { body: fresh });
    const { listed, outcome } = await bed.list();
    expect(listed.map(({ stub }) => stub.resource)).toEqual([vaultStub().resource]);
    expect(outcome.covers?.(keyStub())).toBe(false);
    expect(await bed.verdict(vaultStub())).toBe('unknown: transitional');
    expect(bed.wire.asked('GET', VAULT)).toEqual([]);
  });

  async function lost(): Promise<KeyFacts> {
    await bed.list();
    const facts = await factsOf(bed.look(vaultStub()));
    bed.wire.on('GET', ARM, ofArm(ARM_ID), armMissing());
    return facts;
  }
});
