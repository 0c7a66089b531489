import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ask } from '../../../src/providers/azure/ask.ts';
import { clientsOf, connectionTo } from '../../fixtures/azure-clients.ts';
import { AZURE_CERTIFICATE } from '../../fixtures/azure-tls.ts';
import {
  ARM,
  AUTHORITY,
  type AzureWire,
  CLIENT,
  SUBSCRIPTION,
  startAzureWire,
  TENANT,
  VAULT,
  type WireRequest,
} from '../../fixtures/azure-wire.ts';
import { plainContext } from '../../fixtures/context.ts';

let wire: AzureWire;
let directory: string;
beforeEach(async () => {
  wire = await startAzureWire();
  directory = await mkdtemp(join(tmpdir(), 'keyvigil-'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await wire[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

const form = (request: WireRequest | undefined) => Object.fromEntries(new URLSearchParams(request?.body));
const posted = () => wire.tokens.filter(({ method }) => method === 'POST');
const secret = (...values: string[]) => ({
  read: () => Promise.resolve(values.length > 1 ? (values.shift() ?? '') : (values[0] ?? '')),
});

async function pemFile(): Promise<string> {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const file = join(directory, 'client.pem');
  await writeFile(file, `${privateKey.export({ type: 'pkcs8', format: 'pem' })}\n${AZURE_CERTIFICATE}\n`);
  return file;
}

/** An environment with the proxy and nothing of a credential. */
function bareEnv(more: Record<string, string> = {}): Record<string, string> {
  return { HTTPS_PROXY: wire.proxy, ...more };
}

describe('a connection', () => {
  it('asks for a token once, however many ask who it is, and names subscription and cloud', async () => {
    await using connection = connectionTo(wire, { subscription: SUBSCRIPTION.toUpperCase() });
    const answers = await Promise.all([connection.identify(plainContext), connection.identify(plainContext)]);
    expect(answers).toEqual(Array(2).fill({ account: SUBSCRIPTION, partition: 'public' }));
    await connection.identify(plainContext);
    expect(posted()).toHaveLength(1);
  });

  it('asks again after a failure', async () => {
    const refused = { status: 401, body: { error: 'invalid_client', error_description: 'AADSTS7000215: Invalid.' } };
    wire.on('POST', AUTHORITY, /token$/, refused, {
      body: { token_type: 'Bearer', access_token: 't', expires_in: 3599 },
    });
    await using connection = connectionTo(wire);
    const failed = await connection.identify(plainContext).catch((error: unknown) => error);
    expect(connection.classify(failed, 'outer')).toMatchObject({
      reason: 'credentials',
      evidence: { operation: 'GetToken', code: 'AADSTS7000215', status: 401 },
    });
    expect(await connection.identify(plainContext)).toMatchObject({ account: SUBSCRIPTION });
  });

  it('has one token per audience for all clients together, and verifies the challenge of each vault', async () => {
    wire.on('GET', VAULT, /^\/keys/, { body: { value: [] } });
    wire.on('GET', 'second.vault.azure.net', /^\/keys/, { body: { value: [] } });
    wire.on('GET', ARM, /./, { body: { value: [] } });
    await using clients = await clientsOf(wire);
    await Promise.all([
      ...[VAULT, 'second.vault.azure.net', VAULT].map((host) =>
        ask(plainContext, 'ListKeys', (options) => clients.keys(host).listPropertiesOfKeys(options).byPage().next()),
      ),
      ask(plainContext, 'L', (options) => clients.arm.vaults.listBySubscription(options).byPage().next()),
      ask(plainContext, 'L', (options) => clients.media.mediaservices.listBySubscription(options).byPage().next()),
    ]);
    expect(posted().map((request) => form(request).scope)).toEqual([
      'https://management.azure.com/.default',
      'https://vault.azure.net/.default',
    ]);
    const bearer = (host: string) => wire.asked('GET', host)[0]?.headers.authorization;
    expect(bearer(VAULT)).toBe('Bearer token-for-https://vault.azure.net/.default');
    expect(bearer(ARM)).toBe('Bearer token-for-https://management.azure.com/.default');
    expect(wire.challenged.map(({ host }) => host).sort()).toEqual([VAULT, VAULT, 'second.vault.azure.net']);
  });

  it('sends every client through the one proxy, and trusts the one authority', async () => {
    // What the process itself is told must not come into it: the SDK reads these by itself.
    vi.stubEnv('HTTPS_PROXY', 'http://127.0.0.1:1');
    wire.on('GET', VAULT, /^\/keys/, { body: { value: [] } });
    wire.on('GET', ARM, /./, { body: { value: [] } });
    await using clients = await clientsOf(wire);
    await ask(plainContext, 'L', (options) => clients.keys(VAULT).listPropertiesOfKeys(options).byPage().next());
    await ask(plainContext, 'L', (options) => clients.arm.vaults.listBySubscription(options).byPage().next());
    await ask(plainContext, 'L', (options) => clients.media.mediaservices.listBySubscription(options).byPage().next());
    expect([...new Set(wire.tunnels)]).toEqual([`${AUTHORITY}:443`, `${VAULT}:443`, `${ARM}:443`]);
    // Kept alive: one tunnel for each host.
    expect(wire.tunnels).toHaveLength(3);
  });

  it('refuses to open what it has not got', async () => {
    await using connection = connectionTo(wire);
    expect(() => connection.open('probe', 'global')).toThrow('open before identify');
    await connection.identify(plainContext);
    expect(() => connection.open('key-vault', 'global')).toThrow('no service of this target');
    expect(connection.open('probe', 'global')).toBe(connection.open('probe', 'global'));
  });
});

describe('a cloud', () => {
  it.each([
    ['public', 'management.azure.com', AUTHORITY, 'vault.azure.net', 'managedhsm.azure.net'],
    // The library behind the SDK knows that this authority answers under its newer name.
    [
      'china',
      'management.chinacloudapi.cn',
      'login.partner.microsoftonline.cn',
      'vault.azure.cn',
      'managedhsm.azure.cn',
    ],
    [
      'government',
      'management.usgovcloudapi.net',
      'login.microsoftonline.us',
      'vault.usgovcloudapi.net',
      'managedhsm.usgovcloudapi.net',
    ],
  ])('%s has its own hosts and audiences', async (cloud, arm, authority, vaults, hsms) => {
    const [vault, hsm] = [`contoso.${vaults}`, `contoso.${hsms}`];
    for (const host of [vault, hsm]) wire.on('GET', host, /^\/keys/, { body: { value: [] } });
    wire.on('GET', arm, /./, { body: { value: [] } });
    await using clients = await clientsOf(wire, { cloud });
    expect(clients.env.cloud).toMatchObject({ name: cloud, vaultSuffix: vaults, hsmSuffix: hsms });
    expect(await clients.connection.identify(plainContext)).toEqual({ account: SUBSCRIPTION, partition: cloud });
    for (const host of [vault, hsm]) {
      await ask(plainContext, 'L', (options) => clients.keys(host).listPropertiesOfKeys(options).byPage().next());
    }
    await ask(plainContext, 'L', (options) => clients.arm.vaults.listBySubscription(options).byPage().next());
    await ask(plainContext, 'L', (options) => clients.media.mediaservices.listBySubscription(options).byPage().next());
    expect(posted().map((request) => [request.host, form(request).scope])).toEqual([
      [authority, `https://${arm}/.default`],
      [authority, `https://${vaults}/.default`],
      [authority, `https://${hsms}/.default`],
    ]);
    expect(new Set(wire.requests.map(({ host }) => host))).toEqual(new Set([vault, hsm, arm]));
  });

  it('with endpoints of its own keeps the audiences of the one it stands for', async () => {
    const endpoints = {
      arm: 'https://arm.azure.test/',
      authority: 'https://login.azure.test',
      vaultSuffix: 'Vault.azure.test',
    };
    wire.on('GET', 'arm.azure.test', /./, { body: { value: [] } });
    await using clients = await clientsOf(wire, { endpoints });
    await ask(plainContext, 'L', (options) => clients.arm.vaults.listBySubscription(options).byPage().next());
    expect(clients.env.cloud).toMatchObject({ arm: 'https://arm.azure.test', vaultSuffix: 'vault.azure.test' });
    expect(posted().map((request) => [request.host, form(request).scope])).toEqual([
      ['login.azure.test', 'https://management.azure.com/.default'],
    ]);
    // An authority that is none of Microsoft's is not asked for at Microsoft.
    expect(wire.tokens.every(({ host }) => host === 'login.azure.test')).toBe(true);
  });
});

describe('a credential', () => {
  it('of the target is a client secret, read again after it was refused', async () => {
    const credential = { clientId: CLIENT, clientSecret: secret('old', 'new') };
    const refused = { status: 401, body: { error: 'invalid_client', error_description: 'AADSTS7000222: Expired.' } };
    wire.on('POST', AUTHORITY, /token$/, refused, {
      body: { token_type: 'Bearer', access_token: 't', expires_in: 3599 },
    });
    await using connection = connectionTo(wire, { tenant: TENANT, credential }, { env: bareEnv() });
    await connection.identify(plainContext).catch(() => undefined);
    await connection.identify(plainContext);
    expect(posted().map((request) => form(request).client_secret)).toEqual(['old', 'new']);
    expect(posted()[0]?.path).toBe(`/${TENANT}/oauth2/v2.0/token`);
  });

  it('of the target whose file is not there says so, and is trouble with credentials', async () => {
    const clientSecret = { read: () => Promise.reject(new Error('cannot read the secret file /run/secrets/azure')) };
    await using connection = connectionTo(wire, { tenant: TENANT, credential: { clientId: CLIENT, clientSecret } });
    const failed = await connection.identify(plainContext).catch((error: unknown) => error);
    expect(connection.classify(failed, 'outer')).toMatchObject({
      reason: 'credentials',
      evidence: { message: 'cannot read the secret file /run/secrets/azure' },
    });
    expect(wire.tokens).toHaveLength(0);
  });

  it('of the target may be a certificate, which signs and is not sent', async () => {
    const credential = { clientId: CLIENT, clientCertificateFile: await pemFile() };
    await using connection = connectionTo(wire, { tenant: 'contoso.com', credential }, { env: bareEnv() });
    await connection.identify(plainContext);
    const sent = form(posted()[0]);
    expect(sent.client_assertion_type).toBe('urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
    const [head, claims] = (sent.client_assertion ?? '')
      .split('.')
      .map((part) => Buffer.from(part, 'base64url').toString());
    expect(JSON.parse(head ?? '')).toMatchObject({ typ: 'JWT' });
    expect(JSON.parse(claims ?? '')).toMatchObject({ iss: CLIENT, sub: CLIENT });
    expect(posted()[0]?.body).not.toContain('PRIVATE');
  });

  it('of a tenant that is named by its domain is good for a vault that names it by its id', async () => {
    wire.on('GET', VAULT, /^\/keys/, { body: { value: [] } });
    const credential = { clientId: CLIENT, clientSecret: secret('the-secret') };
    await using clients = await clientsOf(wire, { tenant: 'contoso.com', credential });
    await ask(plainContext, 'L', (options) => clients.keys(VAULT).listPropertiesOfKeys(options).byPage().next());
    expect(posted().map(({ path }) => path.split('/')[1])).toEqual(['contoso.com', TENANT]);
  });

  it('of the environment is a client secret or a certificate, unless the target has its own', async () => {
    await using first = connectionTo(wire);
    await first.identify(plainContext);
    expect(form(posted()[0])).toMatchObject({ client_id: CLIENT, client_secret: 'the-client-secret' });
    const env = bareEnv({
      AZURE_TENANT_ID: TENANT,
      AZURE_CLIENT_ID: CLIENT,
      AZURE_CLIENT_CERTIFICATE_PATH: await pemFile(),
    });
    await using second = connectionTo(wire, {}, { env });
    await second.identify(plainContext);
    expect(form(posted()[1])).toHaveProperty('client_assertion');
    const credential = { clientId: 'dddddddd-0000-0000-0000-000000000002', clientSecret: secret('own') };
    await using third = connectionTo(wire, { tenant: TENANT, credential });
    await third.identify(plainContext);
    expect(form(posted()[2])).toMatchObject({ client_id: credential.clientId, client_secret: 'own' });
  });

  it('of a workload is the token that it was federated with', async () => {
    const file = join(directory, 'token');
    await writeFile(file, 'the-federated-token');
    const authority = { AZURE_AUTHORITY_HOST: `https://${AUTHORITY}/` };
    const env = bareEnv({
      ...authority,
      AZURE_TENANT_ID: TENANT,
      AZURE_CLIENT_ID: CLIENT,
      AZURE_FEDERATED_TOKEN_FILE: file,
    });
    await using connection = connectionTo(wire, {}, { env });
    await connection.identify(plainContext);
    expect(form(posted()[0])).toMatchObject({ client_id: CLIENT, client_assertion: 'the-federated-token' });
  });

  it('of a machine is its managed identity, asked over plain HTTP and past the proxy', async () => {
    vi.stubEnv('AZURE_POD_IDENTITY_AUTHORITY_HOST', wire.proxy);
    const env = bareEnv({ HTTP_PROXY: 'http://127.0.0.1:1', AZURE_CLIENT_ID: CLIENT });
    await using connection = connectionTo(wire, {}, { env });
    await connection.identify(plainContext);
    const [asked] = wire.tokens;
    expect(asked).toMatchObject({ method: 'GET', path: expect.stringMatching(/^\/metadata\/identity\/oauth2\/token/) });
    expect(asked?.headers.metadata).toBe('true');
    expect(Object.fromEntries(asked?.query ?? [])).toMatchObject({
      resource: 'https://management.azure.com',
      client_id: CLIENT,
    });
  });

  it('that is none is trouble with credentials', async () => {
    vi.stubEnv('AZURE_POD_IDENTITY_AUTHORITY_HOST', 'http://127.0.0.1:1');
    await using connection = connectionTo(wire, {}, { env: bareEnv({ AZURE_TOKEN_CREDENTIALS: 'prod' }) });
    const failed = await connection.identify(plainContext).catch((error: unknown) => error);
    expect(connection.classify(failed, 'outer').reason).toBe('credentials');
  });
});
