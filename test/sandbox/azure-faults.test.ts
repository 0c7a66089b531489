import { KeyClient } from '@azure/keyvault-keys';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Subscription, Vault } from '../../src/sandbox/azure/handles.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { all, ask, azureClients, azureOptions, failureOf, tokenOf } from './azure-clients.ts';

let sandbox: Sandbox;
let subscription: Subscription;
let vault: Vault;

beforeEach(async () => {
  sandbox = await startSandbox({ seed: 8 });
  subscription = sandbox.azure.subscription();
  vault = subscription.vault('contoso');
  vault.keys.create('cmk');
});
afterEach(() => sandbox[Symbol.asyncDispose]());

/** The vault's answer to a raw request with the monitor's token. */
async function raw(path = '/keys/cmk?api-version=7.6', holder: { url: string } = vault) {
  const resource = holder.url.includes('managedhsm') ? 'https://managedhsm.azure.net' : 'https://vault.azure.net';
  const token = await tokenOf(sandbox, subscription, subscription.monitor, resource);
  return ask(sandbox, `${holder.url}${path}`, { token });
}

describe('who may use a vault’s keys', () => {
  test('without a token it answers the recorded challenge, whatever is asked', async () => {
    const answer = await ask(sandbox, `${vault.url}/keys/anything?api-version=7.3`);
    expect(answer).toMatchObject({
      status: 401,
      headers: {
        'content-type': 'application/json; charset=utf-8',
        'www-authenticate': `Bearer authorization="https://login.microsoftonline.com/${subscription.tenant}", resource="https://vault.azure.net"`,
        'x-ms-keyvault-region': 'westeurope',
        'x-ms-keyvault-service-version': expect.any(String),
        'x-ms-request-id': expect.any(String),
      },
    });
    expect(answer.text).toBe(
      '{"error":{"code":"Unauthorized","message":"AKV10000: Request is missing a Bearer or PoP token."}}',
    );
  });

  test('a role vault names the assignment on every answer, errors too, and says who lacks which action', async () => {
    expect((await raw()).headers['x-ms-keyvault-rbac-assignment-id']).toMatch(/^[0-9a-f]{32}$/);
    const missing = await raw('/keys/none?api-version=7.6');
    expect(missing).toMatchObject({ status: 404, json: { error: { code: 'KeyNotFound' } } });
    expect(missing.headers['x-ms-keyvault-rbac-assignment-id']).toBeDefined();
    vault.denyMonitor();
    const denied = await raw('/keys/none?api-version=7.6');
    expect(denied).toMatchObject({
      status: 403,
      json: {
        error: {
          code: 'Forbidden',
          innererror: { code: 'ForbiddenByRbac' },
          message: expect.stringMatching(
            /^Caller is not authorized to perform action on resource\.\r\n[\s\S]*Action: 'Microsoft\.KeyVault\/vaults\/keys\/read'[\s\S]*Vault: contoso;location=westeurope/,
          ),
        },
      },
    });
    expect(denied.headers['x-ms-keyvault-rbac-assignment-id']).toBeUndefined();
    vault.allowMonitor();
    expect((await raw()).status).toBe(200);
  });

  test('a policy vault goes by its policies and answers in its own words', async () => {
    const old = subscription.vault('policies', { access: 'policy' });
    old.keys.create('cmk');
    const { keys } = azureClients(sandbox, subscription);
    expect((await keys(old.url).getKey('cmk')).name).toBe('cmk');
    expect(await failureOf(keys(old.url).createRsaKey('new'))).toMatchObject({ status: 403, inner: 'AccessDenied' });
    expect((await raw(undefined, old)).headers['x-ms-keyvault-rbac-assignment-id']).toBeUndefined();
    old.denyMonitor();
    expect((await raw(undefined, old)).json).toMatchObject({
      error: {
        message: expect.stringMatching(
          /^The user, group or application 'appid=.*;oid=.*;iss=.*' does not have keys get permission on key vault 'policies;location=westeurope'/,
        ),
      },
    });
    old.allowMonitor();
    old.grant(subscription.group('watchers', [subscription.monitor.principal]), ['create']);
    expect((await keys(old.url).createRsaKey('new')).name).toBe('new');
  });

  test('an HSM has roles of its own: an auditor reads keys and not deleted ones', async () => {
    const hsm = subscription.hsm('contosohsm');
    hsm.keys.create('cmk');
    const { keys } = azureClients(sandbox, subscription);
    expect((await keys(hsm.url).getKey('cmk')).keyType).toBe('RSA-HSM');
    expect(await failureOf(keys(hsm.url).getDeletedKey('cmk'))).toMatchObject({ status: 403, code: 'Forbidden' });
    hsm.grant(subscription.monitor.principal, 'Managed HSM Crypto Officer');
    expect(await failureOf(keys(hsm.url).getDeletedKey('cmk'))).toMatchObject({ status: 404, code: 'KeyNotFound' });
  });

  test('network rules are three different refusals, and the challenge goes through all of them', async () => {
    const inner = async () => {
      const { status, json } = await raw();
      return [status, (json as { error?: { innererror?: { code: string } } }).error?.innererror?.code];
    };
    vault.firewall('deny');
    expect(await inner()).toEqual([403, 'ForbiddenByFirewall']);
    expect((await raw()).text).toContain('caller is not a trusted service');
    vault.firewall('deny-all');
    expect((await raw()).text).toContain('caller was ignored because bypass is set to None');
    vault.firewall('private');
    expect(await inner()).toEqual([403, 'ForbiddenByConnection']);
    expect((await ask(sandbox, `${vault.url}/keys`)).status).toBe(401);
    vault.firewall('open');
    expect(await inner()).toEqual([200, undefined]);
  });

  test('an operation that no vault has, and a request without api-version, are bad parameters', async () => {
    expect((await raw('/nothing?api-version=7.6')).json).toMatchObject({
      error: { code: 'BadParameter', message: "Method GET does not allow operation 'nothing'" },
    });
    expect((await raw('/keys')).json).toMatchObject({ error: { message: 'api-version must be specified' } });
  });
});

describe('faults', () => {
  const planes: [string, (c: ReturnType<typeof azureClients>) => Promise<unknown>][] = [
    ['key-vault', (c) => c.keys(vault.url).getKey('cmk')],
    ['arm', (c) => c.vaults.vaults.get('media', 'contoso')],
    ['authority', (c) => c.credential.getToken('https://vault.azure.net/.default')],
  ];

  test.each(planes)('%s: throttling says when to come back', async (service, call) => {
    using fault = sandbox.faults.add({ kind: 'throttle', retryAfterS: 7 }, { service });
    await failureOf(call(azureClients(sandbox, subscription)));
    expect(fault.hits()).toBeGreaterThan(0);
    expect(sandbox.requests.list().findLast((request) => request.service === service)?.status).toBe(429);
  });

  test('Retry-After stands in the answer of a vault and of ARM', async () => {
    sandbox.faults.add({ kind: 'throttle', retryAfterS: 7 }, { operation: ['GetKey', 'Vaults_Get'] });
    expect((await raw()).headers['retry-after']).toBe('7');
    const token = await tokenOf(sandbox, subscription);
    const answer = await ask(sandbox, `https://management.azure.com${vault.resource}?api-version=2026-02-01`, {
      token,
    });
    expect(answer).toMatchObject({ status: 429, json: { error: { code: 'SubscriptionRequestsThrottled' } } });
    expect(answer.headers['retry-after']).toBe('7');
  });

  test('access can be denied by a fault in the words of each plane', async () => {
    using _fault = sandbox.faults.add({ kind: 'access-denied' });
    const token = await failureOf(azureClients(sandbox, subscription).credential.getToken('https://x/.default'));
    expect(token.message).toContain('AADSTS53003');
    sandbox.faults.clear();
    sandbox.faults.add({ kind: 'access-denied' }, { service: 'arm' });
    sandbox.faults.add({ kind: 'access-denied' }, { service: 'key-vault' });
    const clients = azureClients(sandbox, subscription);
    expect(await failureOf(clients.vaults.vaults.get('media', 'contoso'))).toMatchObject({
      code: 'AuthorizationFailed',
    });
    expect(await failureOf(clients.keys(vault.url).getKey('cmk'))).toMatchObject({ inner: 'ForbiddenByRbac' });
  });

  test('a token can expire, and servers fail, anywhere', async () => {
    const clients = azureClients(sandbox, subscription);
    const both = async () => [
      (await failureOf(clients.vaults.vaults.get('media', 'contoso'))).code,
      (await failureOf(clients.keys(vault.url).getKey('cmk'))).status,
    ];
    sandbox.faults.add({ kind: 'expired-token' }, { operation: ['GetKey', 'Vaults_Get'] });
    expect(await both()).toEqual(['ExpiredAuthenticationToken', 401]);
    sandbox.faults.clear();
    sandbox.faults.add({ kind: 'server-error', status: 503 }, { operation: ['GetKey', 'Vaults_Get'] });
    expect(await both()).toEqual(['InternalServerError', 503]);
    sandbox.faults.clear();
    sandbox.faults.add({ kind: 'error', code: 'Odd', status: 418 }, { operation: ['GetKey', 'Vaults_Get'] });
    expect(await both()).toEqual(['Odd', 418]);
  });

  test('bodies can be empty, a proxy’s page, XML or half of the truth', async () => {
    const seen = async (body: 'empty' | 'html' | 'xml' | 'truncated', status?: number) => {
      using _fault = sandbox.faults.add({ kind: 'body', body, ...(status ? { status } : {}) }, { operation: 'GetKey' });
      const { status: answered, headers, text } = await raw();
      return [answered, headers['content-type'], text.length > 0];
    };
    expect(await seen('empty', 503)).toEqual([503, 'application/json; charset=utf-8', false]);
    expect(await seen('html')).toEqual([502, 'text/html', true]);
    expect(await seen('xml')).toEqual([503, 'text/xml', true]);
    using _fault = sandbox.faults.add({ kind: 'body', body: 'truncated' }, { operation: 'GetKey' });
    const client = new KeyClient(vault.url, azureClients(sandbox, subscription).credential, azureOptions(sandbox));
    expect((await failureOf(client.getKey('cmk'))).code).toBe('PARSE_ERROR');
  });

  test('connections can be reset or cut through the proxy, and answers stall or never come', async () => {
    for (const kind of ['reset', 'cut'] as const) {
      using _fault = sandbox.faults.add({ kind }, { operation: 'GetKey' });
      await expect(raw()).rejects.toMatchObject({ code: 'ECONNRESET' });
    }
    for (const kind of ['stall', 'silence'] as const) {
      const patience = new AbortController();
      const when = () => {
        setImmediate(() => patience.abort());
        return true;
      };
      using _fault = sandbox.faults.add({ kind }, { operation: 'GetKey', when });
      const { keys } = azureClients(sandbox, subscription);
      const call = keys(vault.url).getKey('cmk', { abortSignal: patience.signal });
      expect((await failureOf(call)).name).toBe('AbortError');
    }
    expect((await raw()).status).toBe(200);
  });

  test('links can lead to themselves, pages be empty, and answers be rewritten, on both planes', async () => {
    sandbox.faults.add({ kind: 'token-loop' }, { operation: ['GetKeys', 'Vaults_ListBySubscription'] });
    const keys = (await raw('/keys?api-version=7.6&maxresults=1')).json as { value: object[]; nextLink: string };
    expect([keys.value.length, keys.nextLink]).toEqual([1, `${vault.url}/keys?api-version=7.6&maxresults=1`]);
    sandbox.faults.clear();
    sandbox.faults.add({ kind: 'empty-page' }, { operation: 'Mediaservices_ListBySubscription', times: 1 });
    subscription.mediaAccount('channel');
    const { media } = azureClients(sandbox, subscription);
    expect((await all(media.mediaservices.listBySubscription())).length).toBe(1);
    expect(sandbox.requests.count('arm:Mediaservices_ListBySubscription')).toBe(2);
    const change = (answer: unknown) => ({ ...(answer as object), attributes: { enabled: 'perhaps' } });
    sandbox.faults.add({ kind: 'rewrite', change }, { operation: 'GetKey' });
    expect((await raw()).json).toMatchObject({ attributes: { enabled: 'perhaps' } });
  });

  test('a fault can be narrowed to a subscription, a region or one key', async () => {
    const other = sandbox.azure.subscription('0000000d-0000-0000-0000-000000000000');
    other.vault('fabrikam', { location: 'eastus' }).keys.create('cmk');
    const get = async (of: Subscription, url: string) => {
      const { keys } = azureClients(sandbox, of);
      const client = keys(url);
      return client.getKey('cmk').then(
        () => 200,
        (error) => error.statusCode,
      );
    };
    const both = async () => [await get(subscription, vault.url), await get(other, 'https://fabrikam.vault.azure.net')];
    for (const scope of [
      { account: other.id },
      { region: 'eastus' },
      { resource: 'fabrikam.vault.azure.net/keys/cmk' },
    ]) {
      using _fault = sandbox.faults.add({ kind: 'server-error' }, { ...scope, operation: 'GetKey' });
      expect(await both()).toEqual([200, 500]);
    }
  });
});
