import { describe, expect, it } from 'vitest';
import type { KeyFacts } from '../../../src/core/model.ts';
import { shifted } from '../../../src/providers/azure/key-vault/periods.ts';
import { ARM, VAULT, vaultError } from '../../fixtures/azure-wire.ts';
import { plainContext } from '../../fixtures/context.ts';
import {
  ARM_ID,
  AT,
  armHsm,
  armId,
  armVault,
  BASE,
  bench,
  bundle,
  byPolicy,
  byRbac,
  CMK,
  deletedBundle,
  deletedNotFound,
  item,
  keyNotFound,
  keyStub,
  ofArm,
  ofVault,
  page,
  V1,
  V2,
  vaultStub,
} from './key-vault-cloud.ts';

const DAY = 86_400_000;
const bed = bench();

async function facts(stub = keyStub(), known?: KeyFacts): Promise<KeyFacts> {
  const looked = await bed.look(stub, known);
  if ('failure' in looked) throw new Error(`failed: ${looked.failure.reason}`);
  return looked.facts;
}

async function enriched(known: KeyFacts, now = AT + DAY): Promise<KeyFacts> {
  const details = bed.session.enrich?.(known, now, plainContext);
  if (!details) throw new Error('no details');
  return await details;
}

const policyPath = ofVault('/keys/cmk/rotationpolicy');
const versionsPath = ofVault('/keys/cmk/versions');
const policy = (lifetimeActions: readonly object[], expiryTime?: string) => ({
  body: { id: `${CMK}/rotationpolicy`, lifetimeActions, attributes: { expiryTime, created: 1, updated: 1 } },
});
const never = {
  body: { lifetimeActions: [{ trigger: { timeBeforeExpiry: 'P30D' }, action: { type: 'Notify' } }], attributes: null },
};
const versions = (...items: readonly (readonly [string, object])[]) =>
  page(items.map(([id, attributes]) => item('cmk', attributes, { kid: `${CMK}/${id}` })));

describe('facts of a key', () => {
  it('are what its vault tells of the current version', async () => {
    bed.wire.on('GET', VAULT, ofVault('/keys/cmk'), {
      body: bundle('cmk', { nbf: 1_700_000_100, exp: 1_800_000_000, updated: 1_700_000_050 }),
    });
    expect(await facts()).toEqual({
      resource: CMK,
      kind: 'azure-key',
      name: 'cmk',
      provider: 'azure',
      account: keyStub().account,
      location: 'westeurope',
      state: 'Enabled',
      spec: 'RSA_2048',
      tags: { owner: 'drm' },
      version: {
        id: V1,
        createdAt: AT,
        enabled: true,
        notBeforeAt: 1_700_000_100_000,
        expiresAt: 1_800_000_000_000,
      },
      changedAt: 1_700_000_050_000,
      expiresAt: 1_800_000_000_000,
      dependsOn: [{ anyOf: [`https://${VAULT}`], role: 'holds' }],
      attributes: {
        keyType: 'RSA',
        keySize: 2048,
        operations: 'encrypt,decrypt,sign,verify,wrapKey,unwrapKey',
        recoveryLevel: 'Recoverable',
        recoverableDays: 90,
        hsmPlatform: '0',
        notBefore: 1_700_000_100_000,
      },
    });
  });

  it.each([
    ['RSA of 3072 bits', { n: Buffer.alloc(384, 0xff).toString('base64url') }, 'RSA_3072', 3072],
    [
      'RSA of 4096 bits with a zero byte before the modulus',
      { n: Buffer.concat([Buffer.of(0), Buffer.alloc(512, 0x80)]).toString('base64url') },
      'RSA_4096',
      4096,
    ],
    ['RSA in an HSM', { kty: 'RSA-HSM' }, 'RSA-HSM_2048', 2048],
    [
      'an elliptic curve',
      { kty: 'EC', crv: 'P-256', n: undefined, key_ops: ['sign', 'verify'] },
      'EC_P-256',
      undefined,
    ],
    ['a symmetric key', { kty: 'oct-HSM', n: undefined }, 'oct-HSM', undefined],
  ])('tell %s', async (_what, key, spec, bits) => {
    bed.wire.on('GET', VAULT, ofVault('/keys/cmk'), { body: bundle('cmk', {}, key) });
    const told = await facts();
    expect(told.spec).toBe(spec);
    expect(told.attributes.keySize).toBe(bits);
  });

  it('tell a key behind a certificate, and the recovery level of a vault without soft delete', async () => {
    const old = { recoveryLevel: 'Purgeable', recoverableDays: 0 };
    bed.wire.on('GET', VAULT, ofVault('/keys/cmk'), { body: { ...bundle('cmk', old), managed: true } });
    expect((await facts()).attributes).toMatchObject({ managed: true, ...old });
  });

  it('tell an unknown state where the vault does not say whether it is enabled', async () => {
    bed.wire.on('GET', VAULT, ofVault('/keys/cmk'), { body: bundle('cmk', { enabled: undefined }) });
    expect(await bed.verdict(keyStub())).toBe('unknown: bad_response');
  });

  it('are refused where the answer is about another key', async () => {
    bed.wire.on('GET', VAULT, ofVault('/keys/cmk'), { body: bundle('other') });
    expect((await bed.failure(keyStub())).reason).toBe('bad_response');
  });

  it('go with the key through deletion, recovery and purge as they were recorded', async () => {
    const before = await facts();
    bed.wire.on('GET', VAULT, ofVault('/keys/cmk'), keyNotFound());
    bed.wire.on('GET', VAULT, ofVault('/deletedkeys/cmk'), deletedNotFound(), { body: deletedBundle() });
    expect((await bed.failure(keyStub(), before)).reason).toBe('not_found');
    const deleted = await facts(keyStub(), before);
    expect(deleted).toMatchObject({
      state: 'SoftDeleted',
      version: { id: V1 },
      recoverableUntil: AT + 100_000 + 90 * DAY,
    });
    bed.wire.on('GET', VAULT, ofVault('/keys/cmk'), keyNotFound(), { body: bundle() });
    bed.wire.on('GET', VAULT, ofVault('/deletedkeys/cmk'), deletedNotFound());
    expect((await bed.failure(keyStub(), deleted)).reason).toBe('not_found');
    const back = await facts(keyStub(), deleted);
    expect(back.state).toBe('Enabled');
    expect(back.deletionAt).toBeUndefined();
    expect(back.recoverableUntil).toBeUndefined();
  });
});

describe('details of a key', () => {
  it('are its versions, newest first in whatever order they come, and when it will be rotated', async () => {
    const oldest = AT / 1000 - 100 * 86_400;
    bed.wire.on('GET', VAULT, versionsPath, versions([V2, { created: oldest, enabled: false }], [V1, {}]));
    bed.wire.on(
      'GET',
      VAULT,
      policyPath,
      policy([{ trigger: { timeAfterCreate: 'P90D' }, action: { type: 'rotate' } }], 'P1Y'),
    );
    const known = await facts();
    const whole = await enriched(known);
    expect(whole).toMatchObject({
      createdAt: oldest * 1000,
      lastRotatedAt: AT,
      nextRotationAt: AT + 90 * DAY,
      rotationEnabled: true,
      versions: [
        { id: V1, createdAt: AT, enabled: true },
        { id: V2, createdAt: oldest * 1000, enabled: false },
      ],
      attributes: { rotateAfterCreate: 'P90D' },
      detailedAt: AT + DAY,
    });
    expect(await facts(keyStub(), whole)).toEqual(whole);
  });

  it('count a rotation before expiry from the expiry of the current version', async () => {
    bed.wire.on('GET', VAULT, ofVault('/keys/cmk'), { body: bundle('cmk', { exp: AT / 1000 + 90 * 86_400 }) });
    bed.wire.on('GET', VAULT, versionsPath, versions([V1, {}]));
    const rotate = { trigger: { timeBeforeExpiry: 'P30D' }, action: { type: 'Rotate' } };
    bed.wire.on('GET', VAULT, policyPath, policy([rotate], 'P90D'));
    const whole = await enriched(await facts());
    expect(whole.nextRotationAt).toBe(AT + 60 * DAY);
    expect(whole.lastRotatedAt).toBeUndefined();
  });

  it('know no rotation where a policy was never set', async () => {
    bed.wire.on('GET', VAULT, versionsPath, versions([V1, {}]));
    bed.wire.on('GET', VAULT, policyPath, never);
    const whole = await enriched(await facts());
    expect(whole.rotationEnabled).toBe(false);
    expect(whole.nextRotationAt).toBeUndefined();
  });

  it('leave the policy open where the monitor may not read it, and what was known of it stands', async () => {
    bed.wire.on('GET', VAULT, versionsPath, versions([V1, {}]));
    bed.wire.on('GET', VAULT, policyPath, byPolicy());
    const first = await enriched(await facts());
    expect(first.rotationEnabled).toBeUndefined();
    expect(first.attributes.policyDenied).toBe(true);
    const rotating = {
      ...first,
      rotationEnabled: true,
      attributes: { ...first.attributes, rotateAfterCreate: 'P90D' },
    };
    expect(await enriched(rotating)).toMatchObject({ rotationEnabled: true, nextRotationAt: AT + 90 * DAY });
    bed.wire.on('GET', VAULT, policyPath, keyNotFound());
    const none = await enriched(rotating);
    expect(none.rotationEnabled).toBe(false);
    expect(none.attributes.policyDenied).toBeUndefined();
    bed.wire.on('GET', VAULT, policyPath, vaultError(500, 'InternalServerError', undefined, 'oops'));
    await expect(enriched(await facts())).rejects.toMatchObject({ operation: 'GetKeyRotationPolicy' });
  });

  it('are none where a key that is there has no versions, which a missing one has too', async () => {
    bed.wire.on('GET', VAULT, versionsPath, page([]));
    bed.wire.on('GET', VAULT, policyPath, never);
    await expect(enriched(await facts())).rejects.toThrow('has no versions');
  });

  it('are not asked for where a key is deleted, nor for a vault', async () => {
    await bed.list();
    const vault = await facts(vaultStub());
    bed.wire.on('GET', VAULT, ofVault('/keys/cmk'), keyNotFound());
    bed.wire.on('GET', VAULT, ofVault('/deletedkeys/cmk'), { body: deletedBundle() });
    const deleted = await facts();
    const asked = bed.wire.requests.length;
    for (const known of [vault, deleted]) expect((await enriched(known)).detailedAt).toBe(AT + DAY);
    expect(bed.wire.requests).toHaveLength(asked);
  });

  it('forget the rotation of a version that is not current any more', async () => {
    bed.wire.on('GET', VAULT, versionsPath, versions([V1, {}], [V2, { created: 1 }]));
    const rotate = { trigger: { timeAfterCreate: 'P90D' }, action: { type: 'Rotate' } };
    bed.wire.on('GET', VAULT, policyPath, policy([rotate]));
    const whole = await enriched(await facts());
    const created = AT / 1000 + 90 * 86_400;
    bed.wire.on('GET', VAULT, ofVault('/keys/cmk'), { body: bundle('cmk', { created }, {}, VAULT, V2) });
    const next = await facts(keyStub(), whole);
    expect(next.nextRotationAt).toBe(AT + 180 * DAY);
    expect(next.lastRotatedAt).toBeUndefined();
    expect(next.detailKey).toBe(whole.detailKey);
  });
});

describe('facts of a vault', () => {
  it('are what Resource Manager tells of it', async () => {
    const vault = armVault('contoso', {
      networkAcls: { bypass: 'AzureServices', defaultAction: 'Deny' },
      privateEndpointConnections: [{ id: 'a', properties: {} }],
    });
    bed.wire.on('GET', ARM, ofArm(`${BASE}/vaults`), page([vault]));
    bed.wire.on('GET', ARM, ofArm(ARM_ID), { body: vault });
    await bed.list();
    expect(await facts(vaultStub())).toEqual({
      ...vaultStub(),
      state: 'Available',
      spec: 'premium',
      tags: { team: 'video' },
      createdAt: Date.UTC(2023, 10, 7, 2, 20, 40, 394),
      changedAt: Date.UTC(2023, 10, 7, 2, 20, 40, 394),
      dependsOn: [],
      grants: [],
      attributes: {
        resourceId: ARM_ID,
        resourceGroup: 'media',
        tenant: '99999999-8888-7777-6666-555555555555',
        softDelete: true,
        purgeProtection: true,
        retentionDays: 90,
        access: 'policy',
        publicNetworkAccess: 'Enabled',
        networkDefaultAction: 'Deny',
        networkBypass: 'AzureServices',
        privateEndpoints: 1,
        provisioningState: 'Succeeded',
      },
    });
  });

  it('leave out what Resource Manager does not say: an old vault has no flags', async () => {
    const flags = { enableSoftDelete: undefined, enablePurgeProtection: undefined, enableRbacAuthorization: null };
    const old = armVault('contoso', { ...flags, softDeleteRetentionInDays: undefined });
    bed.wire.on('GET', ARM, ofArm(`${BASE}/vaults`), page([old]));
    bed.wire.on('GET', ARM, ofArm(ARM_ID), { body: old });
    await bed.list();
    const { attributes } = await facts(vaultStub());
    expect(attributes).toMatchObject({ access: 'policy' });
    for (const name of ['softDelete', 'purgeProtection', 'retentionDays']) expect(attributes).not.toHaveProperty(name);
  });

  it('of a managed HSM are its own: no access model of Azure, no policies', async () => {
    const host = 'pool.managedhsm.azure.net';
    bed.wire.on('GET', ARM, ofArm(`${BASE}/managedHSMs`), page([armHsm('pool')]));
    bed.wire.on('GET', ARM, ofArm(armId('pool', 'managedHSMs')), { body: armHsm('pool') });
    bed.wire.on('GET', host, ofVault('/keys'), page([]));
    bed.wire.on('GET', host, ofVault('/deletedkeys'), byRbac());
    await bed.list();
    const told = await facts(vaultStub(host, 'westus'));
    expect(told).toMatchObject({
      state: 'Available',
      spec: 'hsm',
      attributes: { purgeProtection: false, retentionDays: 7 },
    });
    expect(told.attributes).not.toHaveProperty('access');
    expect(told.grants).toBeUndefined();
  });
});

describe('a period', () => {
  it.each([
    ['P90D', 1, Date.UTC(2024, 3, 30)],
    ['P1Y6M', 1, Date.UTC(2025, 6, 31)],
    ['P1M', 1, Date.UTC(2024, 2, 2)],
    ['p2w', -1, Date.UTC(2024, 0, 17)],
    ['P30D', -1, Date.UTC(2024, 0, 1)],
    ['P', 1, undefined],
    ['PT5H', 1, undefined],
    ['P1.5Y', 1, undefined],
    ['90 days', 1, undefined],
    ['P999999D', 1, Date.UTC(2024, 0, 31) + 999_999 * DAY],
  ] as const)('%s, %i', (text, direction, expected) => {
    expect(shifted(Date.UTC(2024, 0, 31), text, direction)).toBe(expected);
  });
});
