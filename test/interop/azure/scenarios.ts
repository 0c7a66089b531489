/** How the sandbox is arranged for each recording that it has an API for. */

import { bodyOf, exchangeOf } from './recordings.ts';
import { ARM, SUBSCRIPTION } from './replay.ts';
import { type Scenario, type Setting, vaultAt } from './setting.ts';

const VAULT = 'keyvault_name.vault.azure.net';
const CERTIFICATES = 'cckeyvault1yghq6zt4ewg2e.vault.azure.net';
const API_VERSION = '?api-version=2023-02-01';
const YEAR_MS = 365 * 86_400_000;

type Properties = Readonly<Record<string, unknown>>;
interface ArmVault {
  readonly id: string;
  readonly name: string;
  readonly location: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly properties: Properties;
}

interface ArmAccount {
  readonly id: string;
  readonly location: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly identity: { readonly userAssignedIdentities: Readonly<Record<string, { readonly principalId: string }>> };
  readonly properties: Properties & { readonly encryption: object };
}

/** Makes a vault as Resource Manager was recorded to show it; it is ready at once. */
async function likeRecorded(setting: Setting, vault: ArmVault): Promise<void> {
  const { id, name, location, tags, properties } = vault;
  const [, group = ''] = /resourceGroups\/([^/]+)/.exec(id) ?? [];
  const { enableSoftDelete, enablePurgeProtection, softDeleteRetentionInDays, vaultUri, provisioningState, ...rest } =
    properties;
  const access = properties.enableRbacAuthorization === true ? 'rbac' : 'policy';
  setting.subscription.vault(name, {
    location,
    group,
    access,
    softDelete: enableSoftDelete === true,
    purgeProtection: enablePurgeProtection === true,
    ...(typeof softDeleteRetentionInDays === 'number' ? { retentionDays: softDeleteRetentionInDays } : {}),
  });
  const { status, body } = await setting.send('PUT', ARM, `${id}${API_VERSION}`, { location, tags, properties: rest });
  if (status !== 200) throw new Error(`${name} was not made: ${JSON.stringify(body)}`);
}

const keysIn =
  (host: string, names: readonly string[], options: Parameters<typeof vaultAt>[2] = {}) =>
  (setting: Setting) => {
    const { keys } = vaultAt(setting, host, options);
    for (const name of names) keys.create(name);
  };

function certificates(setting: Setting): void {
  const { keys } = vaultAt(setting, CERTIFICATES, { softDelete: false, location: 'southcentralus' });
  for (const name of ['cctest1', 'cctest2']) {
    keys.create(name, { managed: true, notBefore: keys.now, expires: keys.now + YEAR_MS });
  }
  keys.create('cctestec', { kty: 'EC' });
  keys.create('cctestrsa');
}

function rotating(setting: Setting): void {
  const options = { retentionDays: 7, location: 'centralus' };
  const [mine, other] = ['cfb-qmbknzbm', 'cfb-vpbanzbk'].map((prefix) => {
    const { keys } = vaultAt(setting, `${prefix}-keyvault`, options);
    keys.create(`${prefix}-generated-certificate`, { tags: {} });
    return keys;
  });
  if (!mine || !other) throw new Error('two vaults were expected');
  mine.setRotationPolicy('cfb-qmbknzbm-generated-certificate', {
    actions: [
      { type: 'Rotate', trigger: { timeBeforeExpiry: 'P30D' } },
      { type: 'Notify', trigger: { timeBeforeExpiry: 'P29D' } },
    ],
    expiryTime: 'P90D',
  });
}

/** The recorded account, its vault with the grant, and its key. */
function mediaWorld(setting: Setting) {
  const { subscription } = setting;
  const group = 'clitest.rg000001';
  const vault = subscription.vault('clitest000003', {
    group,
    location: 'centralus',
    access: 'policy',
    retentionDays: 7,
  });
  const storage = [subscription.storageAccount('clitest000002', { group, location: 'centralus' })];
  const account = subscription.mediaAccount('ams000004', { group, location: 'Central US', storage });
  vault.grant(account.principal);
  vault.keys.create('ams000005');
}

function encrypted(setting: Setting): unknown {
  const { body } = exchangeOf('media-account-customer-key', 1).request as { body: { properties: Properties } };
  const { keys } = setting.subscription.vault('clitest000003');
  const version = keys.get('ams000005')?.versions[0]?.id;
  const keyIdentifier = `https://clitest000003.vault.azure.net/keys/ams000005/${version}`;
  const encryption = { type: 'CustomerKey', keyVaultProperties: { keyIdentifier } };
  return { ...body, properties: { ...body.properties, encryption } };
}

/** The example contradicts itself: its encryption names an identity that it does not have. Here it has it. */
async function publishedAccount({ subscription, send }: Setting): Promise<void> {
  const published = bodyOf<ArmAccount>('media-account-published-user-identity', 0);
  const { id, location, tags, properties } = published;
  const { encryption, ...rest } = properties;
  const userAssignedIdentities = Object.fromEntries(
    Object.keys(published.identity.userAssignedIdentities).map((one) => [one, {}]),
  );
  const [first = ''] = Object.keys(userAssignedIdentities);
  const vault = subscription.vault('keyvault', { location, group: 'contoso' });
  vault.keys.create('key1');
  const identity = { type: 'UserAssigned', userAssignedIdentities };
  const path = `${id}?api-version=2021-11-01`;
  const made = await send('PUT', ARM, path, { location, tags, identity, properties: rest });
  const { identity: has } = made.body as ArmAccount;
  vault.grant(has.userAssignedIdentities[first]?.principalId ?? '');
  const encrypted = { ...encryption, identity: { userAssignedIdentity: first, useSystemAssignedIdentity: false } };
  await send('PUT', ARM, path, { location, tags, identity, properties: { ...rest, encryption: encrypted } });
}

async function storageAccount(setting: Setting): Promise<void> {
  vaultAt(setting, 'clitest000003').keys.create('testkey');
  const group = `/subscriptions/${SUBSCRIPTION}/resourceGroups/clitest.rg000001`;
  await setting.send('PUT', ARM, `${group}?api-version=2021-04-01`, { location: 'southcentralus' });
  const path = `${group}/providers/Microsoft.Storage/storageAccounts/clitest000002?api-version=2019-06-01`;
  const account = { location: 'southcentralus', kind: 'Storage', sku: { name: 'Standard_LRS' } };
  await setting.send('PUT', ARM, path, { ...account, identity: { type: 'SystemAssigned' } });
}

function storageVersion({ subscription }: Setting): unknown {
  const version = subscription.vault('clitest000003').keys.get('testkey')?.versions[0]?.id;
  const keyvaulturi = 'https://clitest000003.vault.azure.net/';
  const keyvaultproperties = { keyname: 'testkey', keyversion: version, keyvaulturi };
  return { properties: { encryption: { keySource: 'Microsoft.Keyvault', keyvaultproperties } } };
}

function newVault(): unknown {
  const { location, properties } = bodyOf<ArmVault>('vault-missing-then-created', 1);
  const { sku, tenantId, enabledForDeployment } = properties;
  return { location, properties: { sku, tenantId, enabledForDeployment, accessPolicies: [] } };
}

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'arm-key-published': {
    given(setting) {
      const options = { group: 'sample-group', location: 'westus', softDelete: false } as const;
      vaultAt(setting, 'sample-vault-name', options).keys.create('sample-key-name');
    },
  },
  'key-being-deleted-conflict': {
    given(setting) {
      const { keys } = vaultAt(setting, VAULT, { location: 'westus2' });
      keys.create('recoverKeyName-canrecoveradeletedkey-');
      keys.delete('recoverKeyName-canrecoveradeletedkey-');
    },
  },
  'key-decrypt-bad-ciphertext-400': { given: keysIn('go-cdk', ['test1'], { location: 'centralus' }) },
  'key-deleted-then-visible': {
    given: keysIn(VAULT, ['recoverKeyName-cangetadeletedkey-'], { location: 'westus' }),
    steps: { 2: { wait: 64_900 }, 3: { wait: 2_000 } },
  },
  'key-get-rsa-and-ec': { given: certificates },
  'key-list-page': { given: certificates },
  'key-not-found': { given: keysIn(VAULT, [], { location: 'northcentralus' }) },
  'key-rotation-policy': { given: rotating },
  'key-versions-list': {
    given: keysIn(VAULT, ['recoverKeyName-cangettheversionsofakeypaged-'], { location: 'westus' }),
  },
  'key-versions-of-missing-key': { given: keysIn(VAULT, [], { location: 'westus' }) },
  'key-versions-published-page': {
    given(setting) {
      const { keys } = vaultAt(setting, 'myvault');
      keys.create('listkeyversionstest');
      keys.rotate('listkeyversionstest');
    },
    // The token in the recorded path is one of another vault.
    steps: { 0: { path: '/keys/listkeyversionstest/versions?maxresults=1&api-version=7.4' } },
  },
  'media-account-customer-key': { given: mediaWorld, steps: { 1: { body: encrypted } } },
  'media-account-published-user-identity': { given: publishedAccount },
  'storage-account-customer-key': { given: storageAccount, steps: { 1: { body: storageVersion } } },
  'vault-deleted-recovered-purged': {
    given: (setting) => likeRecorded(setting, bodyOf<ArmVault>('vault-deleted-recovered-purged', 2)),
  },
  'vault-list-arm': {
    given: (setting) => likeRecorded(setting, vaultsIn('vault-list-arm', 0)[0]!),
  },
  'vault-list-empty-pages': {
    async given(setting) {
      setting.sandbox.azure.settings.emptyPages = true;
      for (const vault of vaultsIn('vault-list-empty-pages', 1)) await likeRecorded(setting, vault);
    },
  },
  'vault-missing-then-created': {
    given: ({ send }) =>
      send('PUT', ARM, `/subscriptions/${SUBSCRIPTION}/resourceGroups/cli_test_keyvault_pna000001${API_VERSION}`, {
        location: 'eastus2euap',
      }),
    steps: { 1: { body: newVault }, 2: { wait: 30_000 } },
  },
  'vault-purge-protected-access-policy': {
    given: (setting) => likeRecorded(setting, bodyOf<ArmVault>('vault-purge-protected-access-policy', 0)),
    steps: { 1: { body: () => bodyOf<ArmVault>('vault-purge-protected-access-policy', 1) } },
  },
  'vault-rbac-and-disabled-key-in-list': {
    async given(setting) {
      const [vault] = vaultsIn('vault-rbac-and-disabled-key-in-list', 0);
      await likeRecorded(setting, vault!);
      const operations = ['sign', 'verify', 'wrapKey', 'unwrapKey', 'encrypt', 'decrypt'];
      setting.subscription.vault('c7ntestvault').keys.create('test', { enabled: false, operations, tags: {} });
    },
    steps: { 2: { body: () => ({ attributes: { enabled: true } }) } },
  },
};

function vaultsIn(name: string, index: number): readonly ArmVault[] {
  return bodyOf<{ value: readonly ArmVault[] }>(name, index).value;
}
