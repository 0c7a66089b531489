import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { ClientAssertionCredential, ClientCertificateCredential, ClientSecretCredential } from '@azure/identity';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Subscription } from '../../src/sandbox/azure/handles.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { ask, azureClients, azureOptions, failureOf, tokenOf } from './azure-clients.ts';

const SCOPE = 'https://vault.azure.net/.default';

let sandbox: Sandbox;
let subscription: Subscription;
let lead = 0;

beforeEach(async () => {
  lead = 0;
  sandbox = await startSandbox({ seed: 4, now: () => Date.now() + lead });
  subscription = sandbox.azure.subscription();
});
afterEach(() => sandbox[Symbol.asyncDispose]());

function claimsOf(token: string) {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
}

function jwt(claims: object, key: KeyObject): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const unsigned = `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode(claims)}`;
  return `${unsigned}.${sign('sha256', Buffer.from(unsigned), key).toString('base64url')}`;
}

describe('proof of who asks', () => {
  test('a secret gives a token for the one resource, with tenant and object id in it', async () => {
    const { credential } = azureClients(sandbox, subscription);
    const token = await credential.getToken(SCOPE);
    expect(claimsOf(token?.token ?? '')).toMatchObject({
      aud: 'https://vault.azure.net',
      tid: subscription.tenant,
      oid: subscription.monitor.principal,
      appid: subscription.monitor.clientId,
      iss: `https://sts.windows.net/${subscription.tenant}/`,
    });
  });

  test('a certificate proves it only where it is registered', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    // The client sends the hash of the certificate, whichever; what counts is the key that signs.
    const certificate = `${privateKey.export({ type: 'pkcs8', format: 'pem' })}${sandbox.azure.ca}`;
    const { clientId, trustCertificate } = subscription.monitor;
    const get = () =>
      new ClientCertificateCredential(subscription.tenant, clientId, { certificate }, azureOptions(sandbox)).getToken(
        SCOPE,
      );
    expect((await failureOf(get())).message).toContain('AADSTS700027');
    trustCertificate(publicKey.export({ type: 'spki', format: 'pem' }).toString());
    expect(claimsOf((await get()).token).oid).toBe(subscription.monitor.principal);
  });

  test('a token of another issuer is taken when issuer, subject, audience and signature fit', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const issuer = 'https://oidc.example.com';
    const subject = 'system:serviceaccount:ops:keyvigil';
    subscription.monitor.trustIssuer({
      issuer,
      subject,
      publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    });
    const get = (claims: object) =>
      new ClientAssertionCredential(
        subscription.tenant,
        subscription.monitor.clientId,
        async () => jwt({ iss: issuer, sub: subject, aud: 'api://AzureADTokenExchange', ...claims }, privateKey),
        azureOptions(sandbox),
      ).getToken(SCOPE);
    expect(claimsOf((await get({})).token).oid).toBe(subscription.monitor.principal);
    expect((await failureOf(get({ sub: 'somebody else' }))).message).toContain('AADSTS700213');
    expect((await failureOf(get({ aud: 'other' }))).message).toContain('AADSTS700213');
    expect((await failureOf(get({ exp: 1 }))).message).toContain('AADSTS700024');
  });

  test('the machine’s identity gets tokens over plain HTTP, with the header only', async () => {
    const url = `${sandbox.azure.identityUrl}/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fmanagement.azure.com`;
    expect((await fetch(url)).status).toBe(400);
    const holder = async () => {
      const answer = await fetch(url, { headers: { metadata: 'true' } });
      return claimsOf(((await answer.json()) as { access_token: string }).access_token).oid;
    };
    expect(await holder()).toBe(subscription.monitor.principal);
    const other = subscription.application('other');
    sandbox.azure.setMachineIdentity(other.clientId);
    expect(await holder()).toBe(other.principal);
    expect((await fetch(`${sandbox.azure.identityUrl}/anything`)).status).toBe(404);
  });
});

describe('refusals', () => {
  const refusal = (tenant: string, clientId: string, secret: string, scope = SCOPE) =>
    failureOf(new ClientSecretCredential(tenant, clientId, secret, azureOptions(sandbox)).getToken(scope));

  test('a wrong secret, an unknown application, tenant and resource are told apart by their numbers', async () => {
    const { clientId, clientSecret } = subscription.monitor;
    const stranger = '9c0d1111-0000-0000-0000-000000000000';
    expect((await refusal(subscription.tenant, clientId, 'wrong')).message).toContain('AADSTS7000215');
    expect((await refusal(subscription.tenant, stranger, 'x')).message).toContain('AADSTS700016');
    expect((await refusal(stranger, clientId, clientSecret)).message).toMatch(/AADSTS90002|endpoints_resolution_error/);
    const unknown = await refusal(subscription.tenant, clientId, clientSecret, 'https://localhost:1/.default');
    expect(unknown.message).toContain('AADSTS500011');
  });

  test('they have the body that Azure gives them', async () => {
    const url = `https://login.microsoftonline.com/${subscription.tenant}/oauth2/v2.0/token`;
    const form = { grant_type: 'client_credentials', client_id: subscription.monitor.clientId, client_secret: 'no' };
    const answer = await ask(sandbox, url, { method: 'POST', body: new URLSearchParams(form).toString() });
    expect(answer).toMatchObject({
      status: 401,
      json: {
        error: 'invalid_client',
        error_description: expect.stringMatching(/^AADSTS7000215: Invalid client secret .* Trace ID: .* Timestamp: /),
        error_codes: [7000215],
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$/),
        trace_id: expect.any(String),
        correlation_id: expect.any(String),
        error_uri: 'https://login.microsoftonline.com/error?code=7000215',
      },
    });
  });

  test('a token ends by time, when a script says so, and is good for its own plane only', async () => {
    subscription.vault('contoso').keys.create('cmk');
    const list = `https://management.azure.com/subscriptions/${subscription.id}/providers/Microsoft.KeyVault/vaults?api-version=2026-02-01`;
    const key = 'https://contoso.vault.azure.net/keys/cmk?api-version=7.6';
    const token = await tokenOf(sandbox, subscription);
    expect((await ask(sandbox, list, { token })).status).toBe(200);
    expect((await ask(sandbox, key, { token })).json).toMatchObject({
      error: { code: 'Unauthorized', message: expect.stringContaining('AKV10022: Invalid audience') },
    });
    lead = 3_601_000;
    expect(await ask(sandbox, list, { token })).toMatchObject({
      status: 401,
      json: { error: { code: 'ExpiredAuthenticationToken' } },
    });
    const vaultToken = await tokenOf(sandbox, subscription, subscription.monitor, 'https://vault.azure.net');
    expect((await ask(sandbox, key, { token: vaultToken })).status).toBe(200);
    expect((await ask(sandbox, list, { token: vaultToken })).json).toMatchObject({
      error: { code: 'InvalidAuthenticationTokenAudience' },
    });
    sandbox.azure.expireTokens();
    expect((await ask(sandbox, key, { token: vaultToken })).json).toMatchObject({
      error: { code: 'Unauthorized', message: expect.stringContaining('[TokenExpired]') },
    });
  });

  test('a token of another tenant is refused by both planes, and no token at all by ARM', async () => {
    subscription.vault('contoso');
    const stranger = sandbox.azure.subscription('0000000b-0000-0000-0000-000000000000');
    const list = `https://management.azure.com/subscriptions/${subscription.id}/providers/Microsoft.KeyVault/vaults?api-version=2026-02-01`;
    const token = await tokenOf(sandbox, stranger);
    expect((await ask(sandbox, list, { token })).json).toMatchObject({
      error: { code: 'InvalidAuthenticationTokenTenant' },
    });
    const vaultToken = await tokenOf(sandbox, stranger, stranger.monitor, 'https://vault.azure.net');
    const keys = await ask(sandbox, 'https://contoso.vault.azure.net/keys?api-version=7.6', { token: vaultToken });
    expect(keys.json).toMatchObject({ error: { message: expect.stringContaining('AKV10032: Invalid issuer') } });
    expect(await ask(sandbox, list)).toMatchObject({ status: 401, json: { error: { code: 'AuthenticationFailed' } } });
    expect((await ask(sandbox, list, { token: 'a.b.c' })).json).toMatchObject({
      error: { code: 'InvalidAuthenticationToken' },
    });
  });
});
