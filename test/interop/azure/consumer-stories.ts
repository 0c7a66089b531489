/** What keyvigil makes of what was recorded of services that use keys. */
import { expect } from 'vitest';
import type { ConsumerStub, KeyFacts } from '../../../src/core/model.ts';
import { type Account, accountFacts, stubOf } from '../../../src/providers/azure/media-services/facts.ts';
import { parseKeyUrl } from '../../../src/providers/azure/names.ts';
import { exchangesOf } from './recordings.ts';
import { factsOfVault, judgeAccount, type Replay, type Story, SUBSCRIPTION, told } from './replay.ts';

const NOW = Date.UTC(2023, 10, 7, 3);

function accountStub(group: string, name: string, location: string): ConsumerStub {
  const resource = `/subscriptions/${SUBSCRIPTION}/resourceGroups/${group}/providers/Microsoft.Media/mediaservices/${name}`;
  return { resource, kind: 'media-services-account', name, provider: 'azure', account: SUBSCRIPTION, location };
}

async function customerKey(replay: Replay): Promise<void> {
  const stub = accountStub('clitest.rg000001', 'ams000004', 'centralus');
  const storage = `/subscriptions/${SUBSCRIPTION}/resourceGroups/clitest.rg000001/providers/Microsoft.Storage/storageAccounts/clitest000002`;
  const common = {
    ...stub,
    uses: [{ resource: storage, role: 'stores' }],
    attributes: { publicNetworkAccess: 'Enabled', mediaServiceId: '0ab7515c-a95a-4c31-bfdd-38f01cd7d1ed' },
  };
  const before = await replay.account(stub);
  expect(before).toMatchObject({ ...common, attributes: { ...common.attributes, encryption: 'SystemKey' } });
  expect(told(judgeAccount(before, [], NOW).findings)).toEqual(['media-services.system-key info']);

  const { media } = replay.clients;
  const key = 'https://clitest000003.vault.azure.net/keys/ams000005';
  const version = '1a4894f3471543e28e26581a3205fb10';
  const keyVaultProperties = { keyIdentifier: `${key}/${version}` };
  const put = await replay.call('mediaservices.createOrUpdate', (options) =>
    media.mediaservices.beginCreateOrUpdateAndWait(
      'clitest.rg000001',
      'ams000004',
      { location: 'Central US', encryption: { type: 'CustomerKey', keyVaultProperties } },
      options,
    ),
  );
  expect(put.encryption?.keyVaultProperties?.currentKeyIdentifier).toBe(`${key}/${version}`);

  const after = await replay.account(stub);
  expect(after).toMatchObject({
    ...common,
    uses: [{ resource: key, versionInUse: version, pinned: true, role: 'encrypts' }, ...common.uses],
    createdAt: Date.parse('2023-11-07T02:21:19.285Z'),
    attributes: {
      ...common.attributes,
      encryption: 'CustomerKey',
      keyIdentifier: `${key}/${version}`,
      currentKeyIdentifier: `${key}/${version}`,
      identity: 'system',
      principal: '6aa99f7f-69a1-45c6-8a01-41e83c52c447',
    },
  });
  // Healthy accounts have neither (azure.md 0a.3).
  expect(after).not.toHaveProperty('state');
  expect(after.attributes).not.toHaveProperty('provisioningState');
  const pinned = 'media-services.pinned-version info';
  expect(told(judgeAccount(after, [], NOW).findings)).toEqual([pinned]);

  // With its vault: the same region in two spellings, and the grant that it needs.
  const [group, name] = ['clitest.rg000001', 'clitest000003'];
  const { vaults } = replay.clients.arm;
  const properties = { tenantId: '', sku: { family: 'A', name: 'standard' } } as const;
  const alone = await replay.call('Vaults.Get', (options) => vaults.get(group, name, options));
  const shared = await replay.call('Vaults.CreateOrUpdate', (options) =>
    vaults.createOrUpdate(group, name, { location: 'centralus', properties }, options).pollUntilDone(),
  );
  const held = (vault: KeyFacts): KeyFacts[] => [vault, keyIn(vault, key, version)];
  const revoked = judgeAccount(after, held(factsOfVault(alone)), NOW);
  const retention = 'media-services.retention info';
  expect(told(revoked.findings)).toEqual(['media-services.access critical', pinned, retention]);
  expect(revoked.impairment).toBe('access_revoked');
  const granted = judgeAccount(after, held(factsOfVault(shared)), NOW);
  expect(told(granted.findings)).toEqual([pinned, retention]);
  expect(granted).not.toHaveProperty('impairment');
}

function keyIn(vault: KeyFacts, resource: string, version: string): KeyFacts {
  return {
    ...vault,
    resource,
    kind: 'azure-key',
    name: 'ams000005',
    state: 'Enabled',
    version: { id: version, enabled: true, createdAt: NOW - 3_600_000 },
    dependsOn: [{ anyOf: [vault.resource], role: 'holds' }],
    attributes: {
      keyType: 'RSA',
      keySize: 2048,
      operations: 'wrapKey,unwrapKey',
      recoveryLevel: 'CustomizedRecoverable',
    },
  };
}

async function userIdentity(replay: Replay): Promise<void> {
  const account = await replay.account(accountStub('contoso', 'contosotv', 'southcentralus'));
  expect(account).toMatchObject({
    name: 'contosotv',
    location: 'southcentralus',
    tags: { key1: 'value1', key2: 'value2' },
    attributes: {
      encryption: 'CustomerKey',
      identity: `/subscriptions/${SUBSCRIPTION}/resourceGroups/contoso/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id1`,
    },
  });
  const key = { resource: 'https://keyvault.vault.azure.net/keys/key1', versionInUse: 'ver1', pinned: false };
  expect(account.uses[0]).toEqual({ ...key, role: 'encrypts' });
  // The identity is none of those that the account has: whose object id it is cannot be told.
  expect(account.attributes).not.toHaveProperty('principal');
  expect(told(judgeAccount(account, [], NOW).findings)).toEqual(['media-services.identity-unknown info']);
}

export const consumerStories: Readonly<Record<string, Story>> = {
  'media-account-customer-key': {
    says: 'an account becomes CustomerKey with the edge to its key; without the grant it is in trouble',
    with: ['vault-purge-protected-access-policy'],
    run: customerKey,
  },
  'media-account-published-user-identity': {
    says: 'an account that follows its key, with an identity that it does not have',
    run: userIdentity,
  },
};

interface Unread {
  /** Why no part of keyvigil reads it yet. */
  readonly why: string;
  /** Identifiers of keys in it, and what keyvigil's way of reading one makes of them: resource and version. */
  readonly keys: readonly string[];
}

const NO_COLLECTOR =
  'there is no collector of this service yet: an account of Media Services tells of its own key only';

/** Recordings of services that keyvigil has no collector for. */
export const UNREAD: Readonly<Record<string, Unread>> = {
  'cosmos-account-customer-key': { why: NO_COLLECTOR, keys: ['https://cli000002.vault.azure.net/keys/cli000003'] },
  'disk-encryption-set-rotation-error': {
    why: NO_COLLECTOR,
    keys: ['https://myvmvault.vault-int.azure-int.net/keys/%7bkey%7d'],
  },
  'event-hubs-published': { why: `${NO_COLLECTOR}; its key is spelled in parts, not as an identifier`, keys: [] },
  'kusto-null-key-properties': { why: `${NO_COLLECTOR}; and this cluster has no key of its owner`, keys: [] },
  'postgresql-flexible-published': {
    why: NO_COLLECTOR,
    keys: [
      `https://examplegeoredundantkeyvault.vault.azure.net/keys/examplekey ${'y'.repeat(32)}`,
      `https://exampleprimarykeyvault.vault.azure.net/keys/examplekey ${'x'.repeat(32)}`,
    ],
  },
  'sql-server-keys': {
    why: NO_COLLECTOR,
    keys: ['https://sqltdebyok000004.vault.azure.net/keys/sqltdebyok000005 f9144bfec5da4cc584e4761c1a18f2c7'],
  },
  'sql-server-protector': {
    why: NO_COLLECTOR,
    keys: [
      'https://cfb-guhvauzm-test-vault.vault.azure.net/keys/cfb-guhvauzm-test-key bb93676bb67d48078c894f352e1907e3',
    ],
  },
  'storage-account-customer-key': {
    why: `${NO_COLLECTOR}; storage accounts are edges of the accounts of Media Services that keep data in them`,
    keys: ['https://clitest000003.vault.azure.net/keys/testkey b3e48550231c491593af645229b42071'],
  },
};

/**
 * Such a recording through the pipeline and the one reader that goes by shape. What is no account must not become one with a
 * key of Microsoft, or of anybody's.
 */
export async function runUnread(replay: Replay, name: string): Promise<void> {
  const found = new Set<string>();
  for (const exchange of exchangesOf(name)) {
    const answer = await replay.send(exchange);
    expect(answer).toEqual(exchange.response.body);
    for (const url of keyUrls(answer)) found.add([url.resource, url.version].filter(Boolean).join(' '));
    for (const resource of resources(answer)) expectNoAccount(resource);
  }
  expect([...found].sort()).toEqual(UNREAD[name]?.keys);
}

type Fields = Readonly<Record<string, unknown>>;

function resources(answer: unknown): readonly Fields[] {
  const { value } = answer as { value?: readonly Fields[] };
  return value ?? [answer as Fields];
}

/** The SDK hands out `properties` as fields of the account. */
function expectNoAccount({ properties, systemData, ...rest }: Fields): void {
  const account: Account = { ...rest, ...(properties as object) };
  const { id = '' } = account;
  if (!/\/resourceGroups\/[^/]+\/providers\/[^/]+\/[^/]+\/[^/]+$/i.test(id)) {
    expect(() => stubOf(account)).toThrow('an account has no resource id');
    return;
  }
  const facts = accountFacts(account, stubOf(account), /./);
  expect(facts.attributes).not.toHaveProperty('encryption');
  expect(facts.uses).toEqual([]);
  expect(told(judgeAccount(facts, [], NOW).findings)).toContain('media-services.key-unknown warning');
}

/** Every text in an answer that keyvigil reads as the identifier of a key. */
function keyUrls(value: unknown): readonly NonNullable<ReturnType<typeof parseKeyUrl>>[] {
  if (typeof value === 'string') return [parseKeyUrl(value)].filter((url) => url !== undefined);
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(keyUrls);
}
