import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Subscription, Vault } from '../../src/sandbox/azure/handles.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { all, ask, azureClients, failureOf, tokenOf } from './azure-clients.ts';

const MINUTE = 60_000;

let sandbox: Sandbox;
let subscription: Subscription;
let now = 0;

beforeEach(async () => {
  now = Date.UTC(2026, 5, 1);
  sandbox = await startSandbox({ seed: 6, now: () => now });
  subscription = sandbox.azure.subscription();
});
afterEach(() => sandbox[Symbol.asyncDispose]());

/** A vault with a key, and an account that uses it and may. */
function encrypted(access: 'policy' | 'rbac' = 'policy', options: { pinned?: boolean; identity?: 'user' } = {}) {
  const vault = subscription.vault('contoso', { access });
  const version = vault.keys.create('cmk').id;
  const account = subscription.mediaAccount('channel', { key: `${vault.url}/keys/cmk`, ...options });
  vault.grant(account.principal);
  return { vault, version, account };
}

describe('the account loses its key and gets it back', () => {
  const causes: [
    string,
    (vault: Vault, principal: string, version: string) => void,
    (vault: Vault, p: string, v: string) => void,
  ][] = [
    [
      'the key is deleted',
      (vault) => vault.keys.delete('cmk'),
      (vault) => {
        now += 5 * MINUTE;
        vault.keys.recover('cmk');
        now += 5 * MINUTE;
      },
    ],
    ['the vault is deleted', (vault) => vault.delete(), (vault) => vault.recover()],
    [
      'the version in use is disabled',
      (vault, _, version) => vault.keys.update('cmk', version, { enabled: false }),
      (vault, _, version) => vault.keys.update('cmk', version, { enabled: true }),
    ],
    [
      'the grant is removed',
      (vault, principal) => vault.revoke(principal),
      (vault, principal) => vault.grant(principal),
    ],
    [
      'a part of the grant is missing',
      (vault, principal) => {
        vault.revoke(principal);
        vault.grant(principal, ['get']);
      },
      (vault, principal) => vault.grant(principal),
    ],
    ['the network shuts services out', (vault) => vault.firewall('deny-all'), (vault) => vault.firewall('deny')],
  ];

  test.each(causes)('when %s', (_, breaks, mends) => {
    for (const access of ['policy', 'rbac'] as const) {
      subscription = sandbox.azure.subscription(
        access === 'policy' ? undefined : '0000000c-0000-0000-0000-000000000000',
      );
      const name = `contoso-${access}`;
      const vault = subscription.vault(name, { access });
      const version = vault.keys.create('cmk').id;
      const account = subscription.mediaAccount('channel', { key: `${vault.url}/keys/cmk` });
      vault.grant(account.principal);
      expect(account.status()).toBeUndefined();
      breaks(vault, account.principal, version);
      expect(account.status()).toBe('The customer key is inaccessible. Restore the access of the account to its key.');
      mends(vault, account.principal, version);
      expect(account.status()).toBeUndefined();
    }
  });

  test('a recovered vault has its policies, but not its roles until somebody assigns them again', () => {
    for (const access of ['policy', 'rbac'] as const) {
      const vault = subscription.vault(`contoso-${access}`, { access });
      vault.keys.create('cmk');
      const account = subscription.mediaAccount(`media-${access}`, { key: `${vault.url}/keys/cmk` });
      vault.grant(account.principal);
      vault.delete();
      vault.recover('lost');
      expect(account.status() === undefined).toBe(access === 'policy');
      vault.grant(account.principal);
      expect(account.status()).toBeUndefined();
    }
  });

  test('a purged key or vault never comes back', () => {
    const { vault, account } = encrypted();
    vault.delete();
    vault.purge();
    expect(account.status()).toBeDefined();
    expect(subscription.vault('contoso').keys.names()).toEqual([]);
  });

  test('only GET, LIST and DELETE work in between; SystemKey accounts notice nothing', async () => {
    const { vault } = encrypted();
    const system = subscription.mediaAccount('plain');
    vault.keys.delete('cmk');
    const { media } = azureClients(sandbox, subscription, subscription.owner);
    const encryption = (await media.mediaservices.get('media', 'channel')).encryption;
    expect(encryption?.status).toMatch(/inaccessible/);
    const statuses = (await all(media.mediaservices.listBySubscription())).map((one) => [
      one.name,
      one.encryption?.status,
    ]);
    expect(statuses).toEqual([
      ['channel', encryption?.status],
      ['plain', undefined],
    ]);
    const refused = { status: 403, code: 'CustomerKeyInaccessible' };
    expect(await failureOf(media.mediaservices.syncStorageKeys('media', 'channel', { id: 'x' }))).toMatchObject(
      refused,
    );
    expect(await failureOf(media.mediaservices.beginUpdate('media', 'channel', { tags: {} }))).toMatchObject(refused);
    expect(await failureOf(all(media.assets.list('media', 'channel')))).toMatchObject(refused);
    expect(await failureOf(all(media.streamingEndpoints.list('media', 'channel')))).toMatchObject(refused);
    expect(await all(media.assets.list('media', 'plain'))).toEqual([]);
    expect(system.version()).toBeUndefined();
    await media.mediaservices.delete('media', 'channel');
    expect(await failureOf(media.mediaservices.get('media', 'channel'))).toMatchObject({ code: 'ResourceNotFound' });
  });
});

describe('a new version', () => {
  test('is taken five minutes after it was made by an account that follows, never by one that is pinned', () => {
    const { vault, version, account } = encrypted();
    const pinned = subscription.mediaAccount('pinned', { key: `${vault.url}/keys/cmk`, pinned: true });
    vault.grant(pinned.principal);
    now += MINUTE;
    const next = vault.keys.rotate('cmk').id;
    now += 5 * MINUTE - 1;
    expect(account.version()).toBe(version);
    now += 1;
    expect([account.version(), pinned.version()]).toEqual([next, version]);
    vault.keys.update('cmk', version, { enabled: false });
    expect([account.status() === undefined, pinned.status() === undefined]).toEqual([true, false]);
  });

  test('is not taken while the version in use cannot be unwrapped: the account needs that one back', () => {
    const { vault, version, account } = encrypted();
    const next = vault.keys.rotate('cmk').id;
    now += MINUTE;
    vault.keys.update('cmk', version, { enabled: false });
    now += 10 * MINUTE;
    expect([account.version(), account.status() === undefined]).toEqual([version, false]);
    vault.keys.update('cmk', version, { enabled: true });
    expect([account.version(), account.status()]).toEqual([next, undefined]);
  });

  test('was taken in time even if nobody looked before the old one was disabled', () => {
    const { vault, version, account } = encrypted();
    const next = vault.keys.rotate('cmk').id;
    now += 6 * MINUTE;
    vault.keys.update('cmk', version, { enabled: false });
    expect([account.version(), account.status()]).toEqual([next, undefined]);
  });

  test('is taken after whatever delay the script sets', () => {
    sandbox.azure.settings.pickUpDelayMs = 60 * MINUTE;
    const { vault, version, account } = encrypted();
    vault.keys.rotate('cmk');
    now += 59 * MINUTE;
    expect(account.version()).toBe(version);
  });
});

describe('an account that is made through ARM', () => {
  const PATH = '/resourceGroups/media/providers/Microsoft.Media/mediaservices/channel';

  async function arm(method: string, path: string, body?: object) {
    const token = await tokenOf(sandbox, subscription, subscription.owner);
    const url = `https://management.azure.com/subscriptions/${subscription.id}${path}?api-version=2021-06-01`;
    return ask(sandbox, url, { method, token, ...(body ? { body: JSON.stringify(body) } : {}) });
  }

  const body = (keyIdentifier?: string) => ({
    location: 'Central US',
    identity: { type: 'SystemAssigned' },
    properties: {
      storageAccounts: [{ id: '/subscriptions/s/x', type: 'Primary' }],
      storageAuthentication: 'System',
      ...(keyIdentifier ? { encryption: { type: 'CustomerKey', keyVaultProperties: { keyIdentifier } } } : {}),
    },
  });

  test('is made with a system key and moved to a customer key, with the recorded fields', async () => {
    const vault = subscription.vault('contoso', { location: 'centralus', access: 'policy' });
    const version = vault.keys.create('cmk').id;
    const made = await arm('PUT', PATH, body());
    expect(made).toMatchObject({
      status: 201,
      headers: { 'content-type': 'application/json; odata.metadata=minimal' },
    });
    const json = made.json as { identity: { principalId: string }; properties: object };
    expect(Object.keys(json)).toEqual(['name', 'id', 'type', 'location', 'properties', 'systemData', 'identity']);
    expect(json.properties).toEqual({
      mediaServiceId: expect.any(String),
      storageAccounts: [{ id: '/subscriptions/s/x', type: 'Primary' }],
      storageAuthentication: 'System',
      encryption: { type: 'SystemKey' },
      keyDelivery: { accessControl: { defaultAction: 'Allow', ipAllowList: [] } },
      publicNetworkAccess: 'Enabled',
    });
    vault.grant(json.identity.principalId);
    const moved = await arm('PUT', PATH, body(`${vault.url}/keys/cmk`));
    expect(moved).toMatchObject({
      status: 200,
      json: {
        location: 'Central US',
        identity: json.identity,
        systemData: { createdAt: '2026-06-01T00:00:00.0000000Z' },
      },
    });
    expect((moved.json as { properties: { encryption: object } }).properties.encryption).toEqual({
      type: 'CustomerKey',
      keyVaultProperties: {
        keyIdentifier: `${vault.url}/keys/cmk`,
        currentKeyIdentifier: `${vault.url}/keys/cmk/${version}`,
      },
      identity: { useSystemAssignedIdentity: true },
    });
    expect((await arm('GET', PATH)).json).toEqual(moved.json);
  });

  test('is refused a key that breaks a rule of the document', async () => {
    const make = async (name: string, options: Parameters<Subscription['vault']>[1], key: object) => {
      const vault = subscription.vault(name, { location: 'centralus', access: 'policy', ...options });
      vault.keys.create('cmk', key);
      const account = await arm('PUT', PATH, body());
      vault.grant((account.json as { identity: { principalId: string } }).identity.principalId);
      const { status, json } = await arm('PUT', PATH, body(`${vault.url}/keys/cmk`));
      return [status, (json as { error?: { message: string } }).error?.message];
    };
    expect(await make('good', {}, { kty: 'RSA-HSM', size: 3072 })).toEqual([200, undefined]);
    expect(await make('curves', {}, { kty: 'EC' })).toEqual([
      400,
      expect.stringContaining('EC keys are not supported'),
    ]);
    expect(await make('elsewhere', { location: 'westus' }, {})).toEqual([400, expect.stringContaining('same region')]);
    const unsafe = expect.stringContaining('purge protection');
    expect(await make('unsafe', { purgeProtection: false }, {})).toEqual([400, unsafe]);
    expect(await make('ancient', { softDelete: false, purgeProtection: false }, {})).toEqual([400, unsafe]);
    const vault = subscription.vault('closed', { location: 'centralus' });
    vault.keys.create('cmk');
    const missing = await arm('PUT', PATH, body(`${vault.url}/keys/none`));
    expect(missing.json).toMatchObject({ error: { message: expect.stringContaining('was not found') } });
    const denied = await arm('PUT', PATH, body(`${vault.url}/keys/cmk`));
    expect(denied.json).toMatchObject({ error: { message: expect.stringContaining('cannot get, wrap and unwrap') } });
  });

  test('can read its key with a user-assigned identity', async () => {
    const { account } = encrypted('rbac', { identity: 'user' });
    expect(account.status()).toBeUndefined();
    const { media } = azureClients(sandbox, subscription);
    const seen = await media.mediaservices.get('media', 'channel');
    const id = seen.encryption?.identity?.userAssignedIdentity ?? '';
    expect(seen.encryption?.identity?.useSystemAssignedIdentity).toBe(false);
    expect(seen.identity?.userAssignedIdentities?.[id]?.principalId).toBe(account.principal);
  });

  test('the steps of Microsoft’s how-to can be walked: storage account first', async () => {
    await arm('PUT', '/resourceGroups/media', { location: 'centralus' });
    const path = '/resourceGroups/media/providers/Microsoft.Storage/storageAccounts/store';
    const made = await arm('PUT', path, { location: 'Central US', kind: 'StorageV2', sku: { name: 'Standard_LRS' } });
    expect(made.status).toBe(202);
    const token = await tokenOf(sandbox, subscription, subscription.owner);
    expect(await ask(sandbox, made.headers.location ?? '', { token })).toMatchObject({
      status: 200,
      json: {
        name: 'store',
        properties: { provisioningState: 'Succeeded', encryption: { keySource: 'Microsoft.Storage' } },
      },
    });
    const vault = subscription.vault('contoso', { location: 'centralus' });
    const version = vault.keys.create('cmk').id;
    const keyvaultproperties = { keyvaulturi: `${vault.url}/`, keyname: 'cmk' };
    const encryption = { keySource: 'Microsoft.Keyvault', keyvaultproperties };
    expect((await arm('PATCH', path, { properties: { encryption } })).json).toMatchObject({
      properties: {
        encryption: {
          keySource: 'Microsoft.Keyvault',
          keyvaultproperties: {
            ...keyvaultproperties,
            currentVersionedKeyIdentifier: `${vault.url}/keys/cmk/${version}`,
          },
        },
      },
    });
    expect((await arm('DELETE', path)).status).toBe(200);
    expect((await arm('GET', path)).status).toBe(404);
  });
});

test('the retired provider answers in each of the ways that are known of it', async () => {
  encrypted();
  const { media, vaults } = azureClients(sandbox, subscription);
  const list = () => failureOf(all(media.mediaservices.listBySubscription()));
  subscription.retireMedia('InvalidResourceNamespace');
  expect(await list()).toMatchObject({ status: 404, code: 'InvalidResourceNamespace' });
  subscription.retireMedia('DisallowedProvider');
  expect(await list()).toMatchObject({ status: 403, code: 'DisallowedProvider' });
  subscription.retireMedia('MissingSubscriptionRegistration');
  expect(await list()).toMatchObject({ status: 409, code: 'MissingSubscriptionRegistration' });
  expect((await all(vaults.vaults.listBySubscription())).length).toBe(1);
  subscription.retireMedia(undefined);
  expect((await all(media.mediaservices.listBySubscription())).length).toBe(1);
});
