import { describe, expect, it } from 'vitest';
import type { KeyFacts } from '../../../src/core/model.ts';
import type { Policy } from '../../../src/core/policy.ts';
import { keyVault } from '../../../src/providers/azure/key-vault/index.ts';
import { ARM_ID, AT, keyStub, V1, vaultStub } from './key-vault-cloud.ts';

const DAY = 86_400_000;
const POLICY = { expiryWarningMs: 30 * DAY } as Policy;
const rules = keyVault.keys ?? expect.fail('Key Vault has keys');

const key = (more: Partial<KeyFacts> = {}): KeyFacts => ({
  ...keyStub(),
  state: 'Enabled',
  spec: 'RSA_2048',
  tags: {},
  version: { id: V1, createdAt: AT, enabled: true },
  dependsOn: [],
  attributes: { recoveryLevel: 'Recoverable' },
  ...more,
});
const vault = (more: Partial<KeyFacts> = {}): KeyFacts => ({
  ...vaultStub(),
  state: 'Available',
  spec: 'standard',
  tags: {},
  dependsOn: [],
  attributes: { resourceId: ARM_ID, softDelete: true, purgeProtection: true, retentionDays: 90 },
  ...more,
});
const RECOVER = `az keyvault recover --name contoso --location westeurope --subscription ${vaultStub().account}`;
const ids = (facts: KeyFacts, now = AT) =>
  rules.judge(facts, now, POLICY).findings.map(({ id, severity }) => `${id} ${severity}`);
const only = (facts: KeyFacts, now = AT) => rules.judge(facts, now, POLICY).findings[0];

describe('the verdict', () => {
  it.each([
    ['Enabled', 'accessible'],
    ['Available', 'accessible'],
    ['Activated', 'accessible'],
    ['Updating', 'accessible'],
    ['Disabled', 'inaccessible: disabled'],
    ['SoftDeleted', 'inaccessible: soft_deleted'],
    ['RegisteringDns', 'unknown: transitional'],
    ['Provisioning', 'unknown: transitional'],
    ['Restoring', 'unknown: transitional'],
    ['SecurityDomainRestore', 'unknown: transitional'],
    ['Deleting', 'unknown: transitional'],
    ['Failed', 'unknown: provider_error'],
    ['Unknown', 'unknown: bad_response'],
    ['SomethingNew', 'unknown: bad_response'],
  ])('of state %s is %s', (state, expected) => {
    const verdict = rules.verdict({ facts: key({ state }) });
    expect(verdict.status === 'accessible' ? verdict.status : `${verdict.status}: ${verdict.reason}`).toBe(expected);
  });

  it('of a failure is what the failure proves', () => {
    const evidence = { operation: 'GetKey' };
    expect(rules.verdict({ failure: { reason: 'not_found', evidence } })).toEqual({
      status: 'inaccessible',
      reason: 'not_found',
    });
    expect(rules.verdict({ failure: { reason: 'dns', evidence } })).toEqual({ status: 'unknown', reason: 'dns' });
  });
});

describe('a key', () => {
  it('that is well breaks no rule', () => {
    expect(rules.judge(key(), AT, POLICY)).toEqual({ findings: [] });
  });

  it('expires: said from the warning on, critical in the last three days, expired from the instant on', () => {
    const expiring = key({ expiresAt: AT + 60 * DAY });
    expect(rules.judge(expiring, AT, POLICY)).toEqual({ findings: [], until: AT + 30 * DAY });
    expect(ids(expiring, AT + 30 * DAY)).toEqual(['key-vault.expiring warning']);
    expect(rules.judge(expiring, AT + 30 * DAY, POLICY).until).toBe(AT + 57 * DAY);
    expect(ids(expiring, AT + 57 * DAY)).toEqual(['key-vault.expiring critical']);
    expect(rules.judge(expiring, AT + 57 * DAY, POLICY).until).toBe(AT + 60 * DAY);
    expect(ids(expiring, AT + 60 * DAY)).toEqual(['key-vault.expired critical']);
    expect(rules.judge(expiring, AT + 60 * DAY, POLICY).until).toBeUndefined();
    expect(only(expiring, AT + 60 * DAY)?.summary).toContain('can still be unwrapped');
  });

  it('expires: a short warning does not silence the last three days', () => {
    const { findings } = rules.judge(key({ expiresAt: AT + DAY }), AT, { ...POLICY, expiryWarningMs: 0 });
    expect(findings.map(({ severity }) => severity)).toEqual(['critical']);
  });

  it('expires: the remedy is a new version, or another date where no policy makes versions', () => {
    const expired = key({ expiresAt: AT });
    const rotate = `az keyvault key rotate --id ${expired.resource}`;
    expect(only({ ...expired, attributes: { rotateBeforeExpiry: 'P30D' } })?.remedy).toBe(rotate);
    expect(only(expired)?.remedy).toMatch(`${rotate}, or az keyvault key set-attributes --id`);
  });

  it('is not valid yet: until it is', () => {
    const early = key({ attributes: { notBefore: AT + DAY } });
    expect(ids(early)).toEqual(['key-vault.not-yet-valid warning']);
    expect(rules.judge(early, AT, POLICY).until).toBe(AT + DAY);
    expect(only(early)?.remedy).toMatch(/--not-before 2023-11-14T22:13:20Z$/);
    expect(ids(early, AT + DAY)).toEqual([]);
  });

  it('was not rotated: from a day after its policy said so', () => {
    const due = key({ rotationEnabled: true, nextRotationAt: AT });
    expect(rules.judge(due, AT, POLICY)).toEqual({ findings: [], until: AT + DAY });
    expect(ids(due, AT + DAY)).toEqual(['key-vault.rotation-overdue warning']);
    expect(ids({ ...due, rotationEnabled: false }, AT + DAY)).toEqual([]);
    expect(ids({ ...due, state: 'Disabled' }, AT + DAY)).toEqual([]);
  });

  it('is deleted: that says it all', () => {
    const deleted = key({ state: 'SoftDeleted', expiresAt: AT, rotationEnabled: true, nextRotationAt: 0 });
    expect(ids(deleted, AT + 2 * DAY)).toEqual([]);
  });

  it('needs its details anew with a new version, a change, or another state', () => {
    const before = rules.detailKey?.(key({ changedAt: 1 }));
    const others = [
      key({ changedAt: 2 }),
      key({ changedAt: 1, version: { id: 'x' } }),
      key({ changedAt: 1, state: 'Disabled' }),
    ];
    for (const other of others) expect(rules.detailKey?.(other)).not.toBe(before);
    expect(rules.detailKey?.(vault({ changedAt: 1 }))).toBe(rules.detailKey?.(vault({ changedAt: 2 })));
  });
});

describe('a vault', () => {
  it('that is well breaks no rule', () => {
    expect(rules.judge(vault(), AT, POLICY)).toEqual({ findings: [] });
  });

  it('without flags has neither soft delete nor purge protection', () => {
    const old = vault({ attributes: { resourceId: ARM_ID } });
    expect(ids(old)).toEqual(['key-vault.no-purge-protection info', 'key-vault.no-soft-delete info']);
    expect(rules.judge(old, AT, POLICY).findings.map(({ remedy }) => remedy)).toEqual([
      `az keyvault update --name contoso --enable-purge-protection true --subscription ${old.account}`,
      `az resource update --ids ${ARM_ID} --set properties.enableSoftDelete=true`,
    ]);
  });

  it('that only tells of itself is judged by its keys', () => {
    expect(ids(vault({ attributes: {} }))).toEqual([]);
  });

  it('that is a managed HSM always has soft delete, and its own commands', () => {
    const hsm = vault({ spec: 'hsm', attributes: { resourceId: ARM_ID, retentionDays: 7 } });
    expect(ids(hsm)).toEqual(['key-vault.no-purge-protection info', 'key-vault.short-retention info']);
    expect(only(hsm)?.remedy).toMatch(/^az keyvault update-hsm --hsm-name contoso --enable-purge-protection true /);
    expect(rules.remedy('soft_deleted', hsm)).toBe(
      `az keyvault recover --hsm-name contoso --location westeurope --subscription ${hsm.account}`,
    );
  });
});

const RESTORE =
  'From a backup of your own, if there is one: az keyvault key restore --vault-name contoso --subscription 00000000-1111-2222-3333-444444444444 --file key.backup';

describe('the remedy', () => {
  it.each([
    ['disabled', key(), 'az keyvault key set-attributes --id https://contoso.vault.azure.net/keys/cmk --enabled true'],
    ['soft_deleted', key(), 'az keyvault key recover --id https://contoso.vault.azure.net/deletedkeys/cmk'],
    ['not_found', key(), 'az keyvault key recover --id https://contoso.vault.azure.net/deletedkeys/cmk'],
    ['not_found', key({ attributes: { recoveryLevel: 'Purgeable' } }), RESTORE],
    ['purged', key(), RESTORE],
    ['dependency', key(), undefined],
    ['soft_deleted', vault({ attributes: { access: 'policy' } }), RECOVER],
    [
      'soft_deleted',
      vault({ attributes: { access: 'rbac' } }),
      `${RECOVER}, then create its role assignments anew: Azure does not bring them back with the vault`,
    ],
    [
      'soft_deleted',
      vault(),
      `${RECOVER}, then create its role assignments anew if it goes by roles: Azure does not bring them back with the vault`,
    ],
    ['not_found', vault({ attributes: {} }), undefined],
    ['disabled', vault(), undefined],
  ] as const)('of %s', (reason, facts, expected) => {
    expect(rules.remedy(reason, facts)).toBe(expected);
  });

  it('keeps the name as it is written, and a hostile one as data', () => {
    const upper = key({ name: 'Cmk' });
    expect(rules.remedy('disabled', upper)).toContain('/keys/Cmk --enabled');
    const name = `x';rm -rf $HOME #`;
    const hostile = key({ name, resource: `https://contoso.vault.azure.net/keys/${name.toLowerCase()}` });
    const quoted = `--id 'https://contoso.vault.azure.net/deletedkeys/x'\\'';rm -rf $HOME #'`;
    expect(rules.remedy('soft_deleted', hostile)).toBe(`az keyvault key recover ${quoted}`);
    const dashed = key({ name: '--yes', resource: 'https://contoso.vault.azure.net/keys/--yes' });
    expect(rules.remedy('disabled', dashed)).toContain('--id https://contoso.vault.azure.net/keys/--yes --enabled');
  });
});

describe('the declaration', () => {
  it('takes vaults by their URLs, in one form', () => {
    const parsed = keyVault.config.parse({ vaults: ['https://CONTOSO.vault.azure.net:443/', 'https://a.b:8443'] });
    expect(parsed).toEqual({ vaults: ['https://contoso.vault.azure.net', 'https://a.b:8443'] });
    for (const vaults of [
      [],
      ['contoso'],
      ['http://contoso.vault.azure.net'],
      ['https://a.b:99999'],
      ['https://1.2.3.400'],
      ['https://a.b/keys/c'],
    ]) {
      expect(keyVault.config.safeParse({ vaults }).success).toBe(false);
    }
    expect(keyVault.config.safeParse({ vault: 'x' }).success).toBe(false);
  });

  it('promotes nothing that is gone to purged within a minute of a delete', () => {
    expect(rules.purgedAfterMs?.agreed).toBeGreaterThan(60_000);
    expect(rules.purgedAfterMs?.alone).toBe(600_000);
  });
});
