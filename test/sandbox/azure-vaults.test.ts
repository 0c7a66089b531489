import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Subscription } from '../../src/sandbox/azure/handles.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { all, ask, azureClients, failureOf, tokenOf } from './azure-clients.ts';

let sandbox: Sandbox;
let subscription: Subscription;
let now = Date.UTC(2026, 5, 1);

beforeEach(async () => {
  now = Date.UTC(2026, 5, 1);
  sandbox = await startSandbox({ seed: 5, now: () => now });
  subscription = sandbox.azure.subscription('00000000-0000-0000-0000-000000000001');
});
afterEach(() => sandbox[Symbol.asyncDispose]());

/** One request to ARM as the owner, and its parsed answer. */
async function arm(method: string, path: string, body?: object, version = '2021-06-01-preview') {
  const token = await tokenOf(sandbox, subscription, subscription.owner);
  const url = `https://management.azure.com/subscriptions/${subscription.id}${path}?api-version=${version}`;
  return ask(sandbox, url, { method, token, ...(body ? { body: JSON.stringify(body) } : {}) });
}

const VAULT = '/resourceGroups/media/providers/Microsoft.KeyVault/vaults/contoso';

describe('the life of a vault', () => {
  test('is missing, registers its name for 30 seconds, and is there: as recorded', async () => {
    await arm('PUT', '/resourceGroups/media', { location: 'eastus2' });
    expect(await arm('GET', VAULT)).toMatchObject({
      status: 404,
      headers: { 'x-ms-failure-cause': 'gateway' },
      json: {
        error: {
          code: 'ResourceNotFound',
          message:
            "The Resource 'Microsoft.KeyVault/vaults/contoso' under resource group 'media' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix",
        },
      },
    });
    const properties = { tenantId: subscription.tenant, sku: { family: 'A', name: 'standard' }, accessPolicies: [] };
    const made = await arm('PUT', VAULT, { location: 'East US 2', properties });
    expect(made).toMatchObject({ status: 200 });
    expect(made.json).toEqual({
      id: `/subscriptions/${subscription.id}${VAULT}`,
      name: 'contoso',
      type: 'Microsoft.KeyVault/vaults',
      location: 'eastus2',
      tags: {},
      systemData: {
        createdBy: 'someone@example.com',
        createdByType: 'User',
        createdAt: '2026-06-01T00:00:00.000Z',
        lastModifiedBy: 'someone@example.com',
        lastModifiedByType: 'User',
        lastModifiedAt: '2026-06-01T00:00:00.000Z',
      },
      properties: {
        sku: { family: 'A', name: 'standard' },
        tenantId: subscription.tenant,
        accessPolicies: [],
        enabledForDeployment: false,
        enableSoftDelete: true,
        softDeleteRetentionInDays: 90,
        vaultUri: 'https://contoso.vault.azure.net',
        provisioningState: 'RegisteringDns',
        publicNetworkAccess: 'Enabled',
      },
    });
    await expect(ask(sandbox, 'https://contoso.vault.azure.net/keys')).rejects.toMatchObject({ statusCode: 502 });
    now += 30_000;
    const later = await arm('GET', VAULT);
    expect(later.json).toMatchObject({
      properties: { vaultUri: 'https://contoso.vault.azure.net/', provisioningState: 'Succeeded' },
    });
    expect((await ask(sandbox, 'https://contoso.vault.azure.net/keys')).status).toBe(401);
  });

  test('is deleted, recovered with its keys, deleted again and purged: as recorded', async () => {
    const vault = subscription.vault('contoso', { location: 'eastus2', purgeProtection: false, retentionDays: 7 });
    vault.keys.create('cmk');
    const deleted = '/providers/Microsoft.KeyVault/locations/eastus2/deletedVaults/contoso';
    expect((await arm('GET', deleted)).status).toBe(404);
    expect(await arm('DELETE', VAULT)).toMatchObject({ status: 200, text: '' });
    expect((await arm('GET', VAULT)).status).toBe(404);
    expect((await arm('GET', deleted)).json).toEqual({
      id: `/subscriptions/${subscription.id}${deleted}`,
      name: 'contoso',
      type: 'Microsoft.KeyVault/deletedVaults',
      properties: {
        vaultId: vault.resource,
        location: 'eastus2',
        tags: {},
        deletionDate: '2026-06-01T00:00:00Z',
        scheduledPurgeDate: '2026-06-08T00:00:00Z',
      },
    });
    const again = { location: 'eastus2', properties: { tenantId: subscription.tenant, sku: { name: 'standard' } } };
    expect((await arm('PUT', VAULT, again)).json).toMatchObject({ error: { code: 'ConflictError' } });
    const recover = { ...again, properties: { ...again.properties, createMode: 'recover' } };
    expect((await arm('PUT', VAULT, recover)).status).toBe(200);
    expect(vault.keys.get('cmk')?.name).toBe('cmk');
    await arm('DELETE', VAULT);
    const purged = await arm('POST', `${deleted}/purge`);
    expect(purged).toMatchObject({ status: 202, text: '' });
    const token = await tokenOf(sandbox, subscription, subscription.owner);
    const outcome = await ask(sandbox, purged.headers.location ?? '', { token });
    expect(outcome.json).toEqual({
      createdDateTime: '2026-06-01 00:00:00Z',
      lastActionDateTime: '2026-06-01 00:00:00Z',
      status: 'Succeeded',
    });
    expect((await arm('GET', deleted)).status).toBe(404);
  });

  test('purge protection forbids purging and cannot be taken back; retention ends by itself', async () => {
    const vault = subscription.vault('contoso', { retentionDays: 7 });
    expect((await arm('PATCH', VAULT, { properties: { enablePurgeProtection: false } })).status).toBe(400);
    vault.delete();
    const deleted = '/providers/Microsoft.KeyVault/locations/westeurope/deletedVaults/contoso';
    expect((await arm('GET', deleted)).json).toMatchObject({ properties: { purgeProtectionEnabled: true } });
    expect((await arm('POST', `${deleted}/purge`)).status).toBe(400);
    now += 7 * 86_400_000;
    expect((await arm('GET', deleted)).status).toBe(404);
    expect(subscription.vault('contoso').keys.names()).toEqual([]);
  });

  test('a vault of the old days has no soft delete and is gone at once; older api versions say less', async () => {
    const vault = subscription.vault('contoso', { softDelete: false, purgeProtection: false, access: 'policy' });
    const seen = (await arm('GET', VAULT, undefined, '2019-09-01')).json as { properties: object };
    expect(Object.keys(seen)).not.toContain('systemData');
    expect(Object.keys(seen.properties)).toEqual([
      'sku',
      'tenantId',
      'accessPolicies',
      'enabledForDeployment',
      'vaultUri',
      'provisioningState',
    ]);
    vault.delete();
    const { vaults } = azureClients(sandbox, subscription);
    expect(await all(vaults.vaults.listDeleted())).toEqual([]);
  });
});

test('access policies are added, replaced and removed one by one', async () => {
  subscription.vault('contoso', { access: 'policy' });
  const { vaults } = azureClients(sandbox, subscription, subscription.owner);
  const objectId = '6aa99f7f-69a1-45c6-8a01-41e83c52c447';
  const change = async (kind: 'add' | 'replace' | 'remove', keys: string[]) => {
    await vaults.vaults.updateAccessPolicy('media', 'contoso', kind, {
      properties: { accessPolicies: [{ tenantId: subscription.tenant, objectId, permissions: { keys } }] },
    });
    const policies = (await vaults.vaults.get('media', 'contoso')).properties.accessPolicies ?? [];
    return policies.find((policy) => policy.objectId === objectId)?.permissions.keys;
  };
  expect(await change('add', ['get'])).toEqual(['get']);
  expect(await change('add', ['wrapKey'])).toEqual(['get', 'wrapKey']);
  expect(await change('replace', ['list'])).toEqual(['list']);
  expect(await change('remove', [])).toBeUndefined();
});

describe('lists', () => {
  test('end with a link to an empty page, have pages of any size, and empty ones in between', async () => {
    const names = ['a', 'b', 'c', 'd', 'e'].map((letter) => `vault-${letter}`);
    for (const name of names) subscription.vault(name, { group: name < 'vault-c' ? 'one' : 'two' });
    const { vaults } = azureClients(sandbox, subscription);
    const list = async () => {
      sandbox.requests.clear();
      const found = await all(vaults.vaults.listBySubscription());
      return [found.map(({ name }) => name), sandbox.requests.count('arm:Vaults_ListBySubscription')];
    };
    expect(await list()).toEqual([names, 2]);
    sandbox.azure.settings.pageSize = 2;
    expect(await list()).toEqual([names, 4]);
    sandbox.azure.settings.emptyPages = true;
    expect(await list()).toEqual([names, 8]);
    expect((await all(vaults.vaults.listByResourceGroup('two'))).length).toBe(3);
    expect((await all(vaults.vaults.list())).map(({ name }) => name)).toEqual(names);
  });

  test('the old list of resources tells no more than names', async () => {
    subscription.vault('contoso', { tags: { team: 'video' } });
    const { vaults } = azureClients(sandbox, subscription);
    expect(await all(vaults.vaults.list())).toMatchObject([
      { name: 'contoso', location: 'westeurope', tags: { team: 'video' } },
    ]);
  });
});

test('managed HSMs have hosts, lists and deleted ones of their own', async () => {
  const hsm = subscription.hsm('contosohsm', { location: 'North Europe', retentionDays: 10 });
  const { vaults } = azureClients(sandbox, subscription);
  expect(hsm.url).toBe('https://contosohsm.managedhsm.azure.net');
  expect((await vaults.managedHsms.get('media', 'contosohsm')).properties).toMatchObject({
    hsmUri: 'https://contosohsm.managedhsm.azure.net/',
    provisioningState: 'Succeeded',
    enablePurgeProtection: true,
    softDeleteRetentionInDays: 10,
  });
  expect((await all(vaults.managedHsms.listBySubscription())).length).toBe(1);
  hsm.delete();
  expect((await failureOf(vaults.managedHsms.get('media', 'contosohsm'))).code).toBe('ResourceNotFound');
  expect(await all(vaults.managedHsms.listDeleted())).toMatchObject([{ name: 'contosohsm' }]);
  const { properties } = await vaults.managedHsms.getDeleted('contosohsm', 'northeurope');
  expect(properties).toMatchObject({ mhsmId: hsm.resource, purgeProtectionEnabled: true });
});

test('keys are seen through ARM, with the port in their ids, past the data plane’s rights', async () => {
  const vault = subscription.vault('contoso', { purgeProtection: false });
  const first = vault.keys.create('cmk', { expires: now + 86_400_000 });
  now += 1000;
  const second = vault.keys.rotate('cmk');
  vault.keys.create('signing', { kty: 'EC' });
  vault.denyMonitor();
  const { vaults } = azureClients(sandbox, subscription);
  expect((await all(vaults.keys.list('media', 'contoso'))).map(({ name }) => name)).toEqual(['cmk', 'signing']);
  expect(await vaults.keys.get('media', 'contoso', 'cmk')).toMatchObject({
    id: `${vault.resource}/keys/cmk`,
    type: 'Microsoft.KeyVault/vaults/keys',
    location: 'westeurope',
    attributes: { enabled: true, recoveryLevel: 'Recoverable+Purgeable' },
    kty: 'RSA',
    keySize: 2048,
    keyOps: ['encrypt', 'decrypt', 'sign', 'verify', 'wrapKey', 'unwrapKey'],
    keyUri: 'https://contoso.vault.azure.net:443/keys/cmk',
    keyUriWithVersion: `https://contoso.vault.azure.net:443/keys/cmk/${second.id}`,
  });
  expect(await vaults.keys.get('media', 'contoso', 'signing')).toMatchObject({ kty: 'EC', curveName: 'P-256' });
  const versions = await all(vaults.keys.listVersions('media', 'contoso', 'cmk'));
  expect(versions.map(({ name }) => name)).toEqual([first.id, second.id].toSorted());
  const older = await vaults.keys.getVersion('media', 'contoso', 'cmk', first.id);
  expect(older.attributes?.expires).toBe(Math.floor((now - 1000) / 1000) + 86_400);
  expect(await failureOf(vaults.keys.get('media', 'contoso', 'gone'))).toMatchObject({
    status: 404,
    code: 'KeyNotFound',
  });
});

describe('rights', () => {
  const list = (principal: string, at = '') =>
    arm('GET', `${at}/providers/Microsoft.Authorization/roleAssignments`, undefined, '2022-04-01').then(({ json }) =>
      (json as { value: { properties: { principalId: string; roleDefinitionId: string } }[] }).value
        .filter(({ properties }) => properties.principalId === principal)
        .map(({ properties }) => properties.roleDefinitionId.split('/').at(-1)),
    );

  test('the monitor reads and cannot write; where ARM is closed to it, it learns what it lacks', async () => {
    subscription.vault('contoso');
    const { vaults } = azureClients(sandbox, subscription);
    expect(await failureOf(vaults.vaults.delete('media', 'contoso'))).toMatchObject({ code: 'AuthorizationFailed' });
    subscription.denyMonitor();
    const { clientId, principal } = subscription.monitor;
    expect(await failureOf(vaults.vaults.get('media', 'contoso'))).toMatchObject({
      status: 403,
      code: 'AuthorizationFailed',
      message: `The client '${clientId}' with object id '${principal}' does not have authorization to perform action 'Microsoft.KeyVault/vaults/read' over scope '/subscriptions/${subscription.id}/resourceGroups/media/providers/Microsoft.KeyVault/vaults/contoso' or the scope is invalid. If access was recently granted, please refresh your credentials.`,
    });
    subscription.allowMonitor();
    expect((await vaults.vaults.get('media', 'contoso')).name).toBe('contoso');
  });

  test('grants at a role vault are the smallest role that fits, and are listed at the vault', async () => {
    const vault = subscription.vault('contoso');
    const someone = subscription.application('someone').principal;
    vault.grant(someone);
    expect(await list(someone, vault.resource.replace(`/subscriptions/${subscription.id}`, ''))).toEqual([
      'e147488a-f6f5-4113-8e2d-b22465e65bf6',
    ]);
    vault.revoke(someone);
    expect(await list(someone)).toEqual([]);
  });

  test('filters find what is assigned to somebody, groups included, at a scope and above', async () => {
    const vault = subscription.vault('contoso');
    const member = subscription.application('member').principal;
    const group = subscription.group('team', [member]);
    subscription.assignRole(group, 'Key Vault Crypto User');
    const custom = subscription.customRole('wrappers', { dataActions: ['Microsoft.KeyVault/vaults/keys/wrap/action'] });
    using _assigned = subscription.assignRole(member, custom, vault.resource);
    const token = await tokenOf(sandbox, subscription);
    const filtered = async (scope: string, filter: string) => {
      const query = new URLSearchParams({ 'api-version': '2022-04-01', $filter: filter });
      const url = `https://management.azure.com${scope}/providers/Microsoft.Authorization/roleAssignments?${query}`;
      const { json } = await ask(sandbox, url, { token });
      return (json as { value: { properties: { principalId: string; principalType: string } }[] }).value
        .map(({ properties }) => properties.principalType)
        .toSorted();
    };
    const whole = `/subscriptions/${subscription.id}`;
    expect(await filtered(vault.resource, `assignedTo('${member}')`)).toEqual(['Group', 'ServicePrincipal']);
    expect(await filtered(vault.resource, `principalId eq '${member}'`)).toEqual(['ServicePrincipal']);
    expect(await filtered(whole, `atScope() and assignedTo('${member}')`)).toEqual(['Group']);
    const definition = await arm(
      'GET',
      `/providers/Microsoft.Authorization/roleDefinitions/${custom}`,
      undefined,
      '2022-04-01',
    );
    expect(definition.json).toMatchObject({
      name: custom,
      properties: {
        type: 'CustomRole',
        permissions: [{ dataActions: ['Microsoft.KeyVault/vaults/keys/wrap/action'] }],
      },
    });
  });

  test('what does not exist is told apart: subscription, group, type, version of the API', async () => {
    const token = await tokenOf(sandbox, subscription);
    const code = async (path: string) => {
      const { status, json } = await ask(sandbox, `https://management.azure.com${path}`, { token });
      return [status, (json as { error: { code: string } }).error.code];
    };
    const whole = `/subscriptions/${subscription.id}`;
    const at = '?api-version=2026-02-01';
    expect(await code(`/subscriptions/none/providers/Microsoft.KeyVault/vaults${at}`)).toEqual([
      404,
      'SubscriptionNotFound',
    ]);
    expect(await code(`${whole}/resourceGroups/none/providers/Microsoft.KeyVault/vaults${at}`)).toEqual([
      404,
      'ResourceGroupNotFound',
    ]);
    expect(await code(`${whole}/providers/Microsoft.KeyVault/nothing${at}`)).toEqual([404, 'InvalidResourceType']);
    expect(await code(`${whole}/providers/Microsoft.Nothing/x${at}`)).toEqual([404, 'InvalidResourceNamespace']);
    expect(await code(`${whole}/providers/Microsoft.KeyVault/vaults`)).toEqual([400, 'MissingApiVersionParameter']);
    expect(await code(`${whole}/providers/Microsoft.KeyVault/vaults?api-version=1`)).toEqual([
      400,
      'InvalidApiVersionParameter',
    ]);
  });
});
