import { describe, expect, it } from 'vitest';
import type { ConsumerFacts, KeyFacts } from '../../../src/core/model.ts';
import {
  ACCOUNT,
  account,
  DAY,
  judge,
  KEY,
  key,
  MINUTE,
  NOW,
  policy,
  SUBSCRIPTION,
  said,
  vault,
} from './media-services-edge.ts';

/** A vault without what is told only by Resource Manager. */
const unseen = () => ({ ...vault(), attributes: {} });
const without = <T extends KeyFacts>(facts: T, ...names: string[]): T => ({
  ...facts,
  attributes: Object.fromEntries(Object.entries(facts.attributes).filter(([name]) => !names.includes(name))),
});

it('says nothing of an account whose key is as it should be', () => {
  expect(judge(account())).toEqual({ findings: [] });
});

/** Every sentence of the two documents that states a rule, with what breaks it. */
const SENTENCES: readonly [string, string, ConsumerFacts, readonly KeyFacts[]][] = [
  [
    'A default account key is created for all accounts which is encrypted by a system key owned by Media Services.',
    'system-key info',
    account({ uses: [], attributes: { encryption: 'SystemKey' } }),
    [],
  ],
  [
    'When you use your own key, the account key is encrypted with your key.',
    'key-operations critical',
    account(),
    [key({ attributes: { operations: 'sign,verify' } }), vault()],
  ],
  [
    'Media Services uses the Managed Identity of the Media Services account to read your key from a Key Vault owned by you.',
    'access critical',
    account(),
    [key(), vault({ grants: [] })],
  ],
  [
    'Media Services requires that the Key Vault is in the same region as the account,',
    'region critical',
    account({ location: 'westeurope' }),
    [key(), vault()],
  ],
  [
    'and that it has soft-delete',
    'soft-delete critical',
    account(),
    [
      key({ attributes: { recoveryLevel: 'Purgeable', recoverableDays: 0 } }),
      vault({ attributes: { softDelete: false } }),
    ],
  ],
  [
    'and purge protection enabled.',
    'purge-protection critical',
    account(),
    [
      key({ attributes: { recoveryLevel: 'Recoverable+Purgeable' } }),
      vault({ attributes: { purgeProtection: false } }),
    ],
  ],
  [
    'Your key can be a 2048, 3072, or a 4096 RSA key,',
    'key-size critical',
    account(),
    [key({ attributes: { keySize: 1024 } }), vault()],
  ],
  ['EC keys are not supported.', 'key-type critical', account(), [key({ attributes: { keyType: 'EC' } }), vault()]],
  [
    'You can specify a key name and key version, or just a key name.',
    'pinned-version info',
    account({}, { pinned: true }),
    [key(), vault()],
  ],
  [
    'When you use only a key name, Media Services will use the latest key version. New versions of customer keys are automatically detected, and the account key is re-encrypted.',
    'rotation-lag critical',
    account(),
    [key({ version: { id: 'v2', createdAt: NOW - DAY, enabled: true } }), vault()],
  ],
  [
    'Media Services should detect this key after 5 minutes',
    'rotation-lag warning',
    account(),
    [key({ version: { id: 'v2', createdAt: NOW - 15 * 60_000, enabled: true } }), vault()],
  ],
  [
    'Media Services will transition the account to the Customer Key Inaccessible State',
    'status critical',
    account({ state: 'CustomerKeyInaccessible', attributes: { statusInaccessible: true } }),
    [key(), vault()],
  ],
];

describe('a sentence of the documents of Media Services', () => {
  it.each(SENTENCES)('%s', (_, finding, facts, keys) => {
    expect(said(judge(facts, keys))).toContain(finding);
  });

  it('both HSM and software keys are supported: no rule tells them apart', () => {
    for (const keyType of ['RSA', 'RSA-HSM'])
      for (const keySize of [2048, 3072, 4096])
        expect(judge(account(), [key({ attributes: { keyType, keySize } }), vault()]).findings).toEqual([]);
  });
});

describe('the type and size of the key', () => {
  it.each(['EC', 'EC-HSM', 'oct', 'oct-HSM', 'OKP'])('refuses %s, whatever its size', (keyType) => {
    const keys = [key({ attributes: { keyType, keySize: 256 } }), vault()];
    expect(said(judge(account(), keys))).toEqual(['key-type critical']);
  });

  it.each([1024, 2047, 8192])('refuses %i bits', (keySize) => {
    expect(said(judge(account(), [key({ attributes: { keySize } }), vault()]))).toEqual(['key-size critical']);
  });

  it('says nothing where neither is told', () => {
    expect(judge(account(), [without(key(), 'keyType', 'keySize', 'operations'), vault()]).findings).toEqual([]);
  });
});

describe('the operations of the key', () => {
  it.each([
    ['wrapKey', 'unwrapKey'],
    ['unwrapKey', 'wrapKey'],
    ['', 'wrapKey and unwrapKey'],
  ])('with %j misses %s', (operations, missing) => {
    const { findings } = judge(account(), [key({ attributes: { operations } }), vault()]);
    expect(findings).toMatchObject([{ id: 'media-services.key-operations', severity: 'critical' }]);
    expect(findings[0]?.summary).toContain(`does not permit ${missing}.`);
    expect(findings[0]?.remedy).toMatch(/^az keyvault key set-attributes --id \S+\/keys\/cmk --ops .*wrapKey/);
  });

  it('keeps in its remedy what is permitted already', () => {
    const { findings } = judge(account(), [key({ attributes: { operations: 'sign,wrapKey' } }), vault()]);
    expect(findings[0]?.remedy).toMatch(/--ops sign wrapKey unwrapKey$/);
  });
});

describe('the region', () => {
  it('is that of the key where nothing is known of the vault', () => {
    const away = key({ location: 'westus', dependsOn: [] });
    expect(said(judge(account(), [away]))).toEqual(['region critical']);
  });

  it.each([
    ['is not judged where the vault told none', 'global', 'centralus'],
    ['is not judged where the account told none', 'westus', ''],
    ['is one whatever its spelling', 'Central US', 'centralus'],
  ])('%s', (_, location, home) => {
    expect(judge(account({ location: home }), [key({ location }), vault({ location })]).findings).toEqual([]);
  });
});

describe('soft delete and purge protection', () => {
  it.each<[string, Record<string, string | boolean>, Record<string, boolean>, readonly string[]]>([
    [
      'an old vault without flags, by its key',
      { recoveryLevel: 'Purgeable', recoverableDays: false },
      {},
      ['soft-delete', 'purge-protection'],
    ],
    ['a purgeable key', { recoveryLevel: 'Recoverable+Purgeable' }, {}, ['purge-protection']],
    [
      'a purgeable key with days of its own',
      { recoveryLevel: 'CustomizedRecoverable+Purgeable' },
      {},
      ['purge-protection'],
    ],
    ['a protected key', { recoveryLevel: 'CustomizedRecoverable' }, {}, []],
    ['a protected subscription', { recoveryLevel: 'Recoverable+ProtectedSubscription' }, {}, []],
    ['flags that say no', {}, { softDelete: false, purgeProtection: false }, ['soft-delete', 'purge-protection']],
    ['flags that say yes', {}, { softDelete: true, purgeProtection: true }, []],
    ['a vault that Resource Manager showed without the flag', {}, { softDelete: true }, ['purge-protection']],
  ])('%s', (_, ofKey, ofVault, broken) => {
    const bare = without(key(), 'recoveryLevel', 'recoverableDays');
    const shown = without(vault(), 'softDelete', 'purgeProtection');
    const keys = [
      { ...bare, attributes: { ...bare.attributes, ...ofKey } },
      { ...shown, attributes: { ...shown.attributes, ...ofVault } },
    ];
    expect(said(judge(account(), keys))).toEqual(broken.map((id) => `${id} critical`));
  });

  it('are not judged on a vault that nobody told of', () => {
    expect(judge(account(), [without(key(), 'recoveryLevel', 'recoverableDays'), unseen()]).findings).toEqual([]);
  });

  it('are turned on by a command for the vault, also where its id is not known', () => {
    const purgeable = key({ attributes: { recoveryLevel: 'Purgeable' } });
    const remedies = (keys: readonly KeyFacts[]) => judge(account(), keys).findings.map(({ remedy }) => remedy);
    const { resourceId } = vault().attributes;
    expect(remedies([purgeable, vault()])).toEqual([
      `az resource update --ids ${resourceId} --set properties.enableSoftDelete=true`,
      `az keyvault update --name contoso --subscription ${SUBSCRIPTION} --enable-purge-protection true`,
    ]);
    expect(remedies([purgeable])).toEqual([
      `az resource update --ids "$(az keyvault show --name contoso --subscription ${SUBSCRIPTION} --query id --output tsv)" --set properties.enableSoftDelete=true`,
      `az keyvault update --name contoso --subscription ${SUBSCRIPTION} --enable-purge-protection true`,
    ]);
    expect(remedies([purgeable, vault({ spec: 'hsm', name: 'h' })])[1]).toBe(
      `az keyvault update-hsm --hsm-name h --subscription ${SUBSCRIPTION} --enable-purge-protection true`,
    );
  });
});

describe('the retention of deleted keys', () => {
  it.each([
    [7, ['retention info']],
    [29, ['retention info']],
    [30, []],
    [0, []],
  ])('of %i days', (retentionDays, findings) => {
    expect(said(judge(account(), [key(), vault({ attributes: { retentionDays } })]))).toEqual(findings);
  });

  it('is that of the key where the vault tells none', () => {
    const keys = [key({ attributes: { recoverableDays: 7 } }), without(vault(), 'retentionDays')];
    expect(said(judge(account(), keys))).toEqual(['retention info']);
  });
});

describe('the dates of the key', () => {
  const expiresAt = NOW + 40 * DAY;
  const dated = { id: 'v1', createdAt: NOW - 90 * DAY, enabled: true, expiresAt };
  it.each([
    ['nothing yet', 0, [], 10 * DAY],
    ['a warning', 10 * DAY, ['key-expiring warning'], 37 * DAY],
    ['critical', 37 * DAY, ['key-expiring critical'], 40 * DAY],
    ['expired', 40 * DAY, ['key-expired critical'], undefined],
  ])('expiry: %s', (_, after, findings, until) => {
    const judgement = judge(account(), [key({ version: dated }), vault()], NOW + after);
    expect(said(judgement)).toEqual(findings);
    expect(judgement.until).toBe(until === undefined ? undefined : NOW + until);
    expect(judgement.impairment).toBeUndefined();
  });

  it('expiry is critical in the last days however short the warning period is', () => {
    const at = (days: number) =>
      said(
        judge(account(), [key({ version: dated }), vault()], expiresAt - days * DAY, {
          ...policy,
          expiryWarningMs: DAY,
        }),
      );
    expect(at(4)).toEqual([]);
    expect(at(3)).toEqual(['key-expiring critical']);
  });

  it('are those of the version in use, not of one that it has not moved to', () => {
    const version = { id: 'v2', createdAt: NOW - MINUTE, enabled: true };
    const versions = [version, dated];
    expect(said(judge(account(), [key({ version, versions }), vault()], expiresAt))).toContain('key-expired critical');
    const newer = { ...version, expiresAt: NOW - DAY };
    expect(
      said(judge(account(), [key({ version: newer, versions: [newer, { id: 'v1', enabled: true }] }), vault()])),
    ).toEqual([]);
  });

  it('are those of the current version where the account does not tell what it uses', () => {
    const { versionInUse: _, ...use } = account().uses[0]!;
    expect(said(judge(account({ uses: [use] }), [key({ version: dated }), vault()], expiresAt))).toEqual([
      'key-expired critical',
    ]);
  });

  it('a key that is not valid yet wraps nothing, until it is', () => {
    const version = { id: 'v1', createdAt: NOW - DAY, enabled: true, notBeforeAt: NOW + DAY };
    const before = judge(account(), [key({ version }), vault()]);
    expect(said(before)).toEqual(['key-not-yet-valid critical']);
    expect(before.until).toBe(NOW + DAY);
    expect(judge(account(), [key({ version }), vault()], NOW + DAY)).toEqual({ findings: [] });
  });
});

describe('the network of the vault', () => {
  it.each<[string, Record<string, string | number>, readonly string[]]>([
    ['open', { publicNetworkAccess: 'Enabled', networkDefaultAction: 'Allow' }, []],
    ['closed', { publicNetworkAccess: 'Disabled', networkBypass: 'None' }, ['network warning']],
    ['closed by default', { networkDefaultAction: 'Deny', networkBypass: 'None' }, ['network warning']],
    ['closed, the bypass left at its default', { publicNetworkAccess: 'Disabled' }, []],
    ['closed, with the bypass', { publicNetworkAccess: 'Disabled', networkBypass: 'AzureServices' }, []],
    ['closed by default, with the bypass', { networkDefaultAction: 'deny', networkBypass: 'azureservices' }, []],
    ['closed, with a private endpoint', { publicNetworkAccess: 'Disabled', privateEndpoints: 1 }, []],
    [
      'in a perimeter, which overrides the bypass',
      { publicNetworkAccess: 'SecuredByPerimeter', networkBypass: 'AzureServices' },
      ['network warning'],
    ],
  ])('%s', (_, attributes, findings) => {
    expect(said(judge(account(), [key(), vault({ attributes })]))).toEqual(findings);
  });
});

describe('what Media Services itself says', () => {
  it('of its key is trouble where the pattern matches, and shown where it does not', () => {
    const bad = judge(account({ state: 'Customer key inaccessible', attributes: { statusInaccessible: true } }));
    expect(bad.impairment).toBe('reported_by_service');
    expect(bad.findings).toMatchObject([
      {
        id: 'media-services.status',
        summary: 'Media Services reports trouble with its key: "Customer key inaccessible".',
      },
    ]);
    expect(bad.findings[0]?.remedy).toContain('Do not delete the account');
    const other = judge(account({ state: 'Mapped', attributes: { statusInaccessible: false } }));
    expect(other.impairment).toBeUndefined();
    expect(said(other)).toEqual(['status info']);
    expect(other.findings[0]?.summary).toContain('"Mapped"');
  });

  it('is data, and cut where it does not end', () => {
    const { findings } = judge(
      account({ state: `\u202e${'x'.repeat(999)}`, attributes: { statusInaccessible: false } }),
    );
    expect(findings[0]?.summary).toContain('\\u{202e}xxx');
    expect(findings[0]?.summary.length).toBeLessThan(300);
  });

  it('of a failed change is shown, with the way to look it up', () => {
    const { findings } = judge(account({ attributes: { provisioningState: 'Failed' } }));
    expect(findings).toMatchObject([{ id: 'media-services.provisioning-failed', severity: 'info' }]);
    expect(findings[0]?.remedy).toContain(`--resource-id ${ACCOUNT}`);
  });
});

describe('an account whose key is not known', () => {
  it.each<[string, Record<string, string>, readonly string[]]>([
    ['has a key of Microsoft', { encryption: 'SystemKey' }, ['system-key info']],
    ['did not say what encrypts it', {}, ['key-unknown warning']],
    ['names no key', { encryption: 'CustomerKey' }, ['key-unknown warning']],
    [
      'names something that is no key',
      { encryption: 'CustomerKey', keyIdentifier: 'http://contoso/secrets/x' },
      ['key-unknown warning'],
    ],
  ])('%s', (_, attributes, findings) => {
    expect(said(judge({ ...account({ uses: [] }), attributes }))).toEqual(findings);
  });

  it('is not judged by a key that is not watched', () => {
    expect(judge(account(), [])).toEqual({ findings: [] });
    expect(judge(account({}, { pinned: true }), [])).toMatchObject({
      findings: [{ id: 'media-services.pinned-version' }],
    });
  });

  it('is told to move where it still uses another key than the one that it is set to', () => {
    const other = account({
      attributes: { currentKeyIdentifier: 'https://old.vault.azure.net/keys/cmk/v9' },
      uses: [
        { resource: 'https://old.vault.azure.net/keys/cmk', versionInUse: 'v9', role: 'encrypts' },
        { resource: KEY, pinned: false, role: 'encrypts' },
      ],
    });
    expect(said(judge(other))).toEqual(['key-not-adopted warning']);
    const behind = account({ attributes: { keyIdentifier: `${KEY}/v2` } }, { pinned: true });
    expect(said(judge(behind))).toEqual(['key-not-adopted warning', 'pinned-version info']);
  });
});

it('names the impairment that says most of what to undo', () => {
  const troubled = account({ state: 'inaccessible', attributes: { statusInaccessible: true } });
  expect(judge(troubled, [key(), vault({ grants: [] })]).impairment).toBe('access_revoked');
});
