import { X509Certificate } from 'node:crypto';
import { Agent, get } from 'node:https';
import { connect, rootCertificates } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { ask, azureClients, failureOf, tokenOf } from './azure-clients.ts';

let sandbox: Sandbox;

beforeEach(async () => {
  sandbox = await startSandbox({ seed: 2 });
});
afterEach(() => sandbox[Symbol.asyncDispose]());

function serverCertificate(): Promise<X509Certificate> {
  const { promise, resolve, reject } = Promise.withResolvers<X509Certificate>();
  const { hostname, port } = new URL(sandbox.azure.url);
  const socket = connect({ host: hostname, port: Number(port), servername: 'localhost', ca: sandbox.azure.ca }, () => {
    const certificate = socket.getPeerX509Certificate();
    socket.destroy();
    if (certificate) resolve(certificate);
  });
  socket.on('error', reject);
  return promise;
}

describe('certificates', () => {
  test('the server certificate is signed by the sandbox’s own authority and good for every imitated host', async () => {
    const authority = new X509Certificate(sandbox.azure.ca);
    const server = await serverCertificate();
    expect(authority.ca && authority.verify(authority.publicKey)).toBe(true);
    expect(server.ca).toBe(false);
    expect(server.verify(authority.publicKey) && server.checkIssued(authority)).toBe(true);
    for (const host of ['contoso.vault.azure.net', 'h.managedhsm.azure.net', 'management.azure.com', 'localhost']) {
      expect(server.checkHost(host)).toBeDefined();
    }
    for (const host of ['login.microsoftonline.com', 'x.vault.azure.cn', 'x.vault.usgovcloudapi.net']) {
      expect(server.checkHost(host)).toBeDefined();
    }
    expect(server.checkIP('127.0.0.1')).toBe('127.0.0.1');
    expect([server.checkHost('a.b.vault.azure.net'), server.checkHost('example.com')]).toEqual([undefined, undefined]);
  });

  test('it is valid for decades around any clock, and fresh in every sandbox', async () => {
    const server = await serverCertificate();
    expect(new Date(server.validFrom).getUTCFullYear()).toBe(2000);
    expect(new Date(server.validTo).getUTCFullYear()).toBe(2099);
    await using other = await startSandbox({ seed: 2 });
    expect(other.azure.ca).not.toBe(sandbox.azure.ca);
  });

  test('a client that trusts only the public authorities refuses it', async () => {
    const agent = new Agent({ proxyEnv: { HTTPS_PROXY: sandbox.azure.proxyUrl }, ca: [...rootCertificates] });
    const { promise, resolve } = Promise.withResolvers<NodeJS.ErrnoException>();
    get('https://management.azure.com/', { agent }).on('error', resolve);
    expect((await promise).code).toMatch(/SELF_SIGNED|UNABLE_TO_/);
  });
});

describe('the proxy', () => {
  test('refuses every host that is no part of the imitation', async () => {
    for (const url of [
      'https://example.com/',
      'https://management.azure.com:8443/',
      'https://vault.azure.net.evil.com/',
    ]) {
      await expect(ask(sandbox, url)).rejects.toMatchObject({ code: 'ERR_PROXY_TUNNEL', statusCode: 403 });
    }
    expect(sandbox.requests.count()).toBe(0);
  });

  test('does not find a vault that does not exist, is still registering, or was made unresolvable', async () => {
    const subscription = sandbox.azure.subscription();
    const vault = subscription.vault('contoso');
    const missing = { code: 'ERR_PROXY_TUNNEL', statusCode: 502 };
    await expect(ask(sandbox, 'https://nobody.vault.azure.net/keys')).rejects.toMatchObject(missing);
    expect((await ask(sandbox, `${vault.url}/keys`)).status).toBe(401);
    vault.unresolvable(true);
    await expect(ask(sandbox, `${vault.url}/keys`)).rejects.toMatchObject(missing);
    const { vaults } = azureClients(sandbox, subscription);
    expect((await vaults.vaults.get('media', 'contoso')).properties.provisioningState).toBe('Succeeded');
    vault.unresolvable(false);
    expect((await ask(sandbox, `${vault.url}/keys`)).status).toBe(401);
  });

  test('can lose any host, open connections included', async () => {
    const subscription = sandbox.azure.subscription();
    const { vaults } = azureClients(sandbox, subscription);
    subscription.vault('contoso');
    await vaults.vaults.get('media', 'contoso');
    sandbox.azure.reach('management.azure.com', 'closed');
    const lost = await failureOf(vaults.vaults.get('media', 'contoso'));
    expect(lost).toMatchObject({ name: 'RestError', status: 0 });
    sandbox.azure.reach('management.azure.com', 'unresolvable');
    await expect(ask(sandbox, 'https://management.azure.com/')).rejects.toMatchObject({ statusCode: 502 });
    sandbox.azure.reach('management.azure.com', 'open');
    expect((await vaults.vaults.get('media', 'contoso')).name).toBe('contoso');
  });

  test('the host of a deleted vault is gone, or answers 404 where a script says so', async () => {
    const vault = sandbox.azure.subscription().vault('contoso');
    vault.delete();
    await expect(ask(sandbox, `${vault.url}/keys`)).rejects.toMatchObject({ statusCode: 502 });
    sandbox.azure.settings.deletedVaultHost = 'not-found';
    expect(await ask(sandbox, `${vault.url}/keys?api-version=7.6`)).toMatchObject({
      status: 404,
      json: { error: { code: 'VaultNotFound' } },
    });
    vault.recover();
    expect((await ask(sandbox, `${vault.url}/keys`)).status).toBe(401);
  });
});

test('asked by its address, the path tells Resource Manager from the authority', async () => {
  const subscription = sandbox.azure.subscription();
  subscription.vault('contoso');
  const token = await tokenOf(sandbox, subscription);
  const list = `/subscriptions/${subscription.id}/providers/Microsoft.KeyVault/vaults?api-version=2026-02-01`;
  const answer = await ask(sandbox, `${sandbox.azure.url}${list}`, { token });
  expect(answer).toMatchObject({ status: 200, json: { value: [{ name: 'contoso' }] } });
  // Links lead back to where the question went.
  expect((answer.json as { nextLink: string }).nextLink).toMatch(new RegExp(`^${sandbox.azure.url}/subscriptions/`));
  const openId = await ask(
    sandbox,
    `${sandbox.azure.url}/${subscription.tenant}/v2.0/.well-known/openid-configuration`,
  );
  expect(openId.json).toMatchObject({
    token_endpoint: `${sandbox.azure.url}/${subscription.tenant}/oauth2/v2.0/token`,
  });
});

test('the log says which plane was asked for what, and the clouds are apart', async () => {
  const china = sandbox.azure.subscription('0000000a-0000-0000-0000-000000000000', { cloud: 'china', tenant: 'AAAA' });
  const vault = china.vault('contoso', { location: 'China East 2' });
  vault.keys.create('cmk');
  expect(vault.url).toBe('https://contoso.vault.azure.cn');
  const answer = await ask(sandbox, `${vault.url}/keys/cmk?api-version=7.6`);
  expect(answer.headers['www-authenticate']).toBe(
    'Bearer authorization="https://login.chinacloudapi.cn/aaaa", resource="https://vault.azure.cn"',
  );
  expect(sandbox.requests.list()).toMatchObject([
    {
      service: 'key-vault',
      operation: 'Challenge',
      target: 'GET /keys/cmk',
      account: china.id,
      region: 'chinaeast2',
      resource: 'https://contoso.vault.azure.cn/keys/cmk',
      status: 401,
      code: 'Unauthorized',
    },
  ]);
});
