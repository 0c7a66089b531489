import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { CryptographyClient, KeyClient } from '@azure/keyvault-keys';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { answerKeys, routeOf } from '../../src/sandbox/azure/vault/operations.ts';
import { LOOPBACK_CERTIFICATE, LOOPBACK_KEY } from '../fixtures/tls.ts';
import { DAY, testVault } from './vault.ts';

const CREDENTIAL = { getToken: async () => ({ token: 'token', expiresOnTimestamp: Number.MAX_SAFE_INTEGER }) };

let vault: ReturnType<typeof testVault>;
let server: Server;
let client: KeyClient;
let url: string;
let asked: string[];

const OPTIONS = {
  disableChallengeResourceVerification: true,
  retryOptions: { maxRetries: 0 },
  tlsOptions: { ca: LOOPBACK_CERTIFICATE },
};

/** Nothing but the keys of one vault: a challenge for who has no token, and the operations for everybody else. */
beforeEach(async () => {
  asked = [];
  vault = testVault();
  server = createServer({ key: LOOPBACK_KEY, cert: LOOPBACK_CERTIFICATE }, async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    if (request.headers.authorization === undefined) {
      const challenge =
        'Bearer authorization="https://login.microsoftonline.com/t", resource="https://vault.azure.net"';
      response.writeHead(401, { 'www-authenticate': challenge }).end();
      return;
    }
    asked.push(`${request.method} ${request.url}`);
    const target = new URL(request.url ?? '/', url);
    const route = routeOf(request.method ?? '', target.pathname);
    if (!route) throw new Error(`${request.method} ${target.pathname} leads nowhere`);
    const text = Buffer.concat(chunks).toString();
    const body = text === '' ? undefined : JSON.parse(text);
    const answer = answerKeys(vault.keys, route, { query: target.searchParams, body, base: url });
    response.writeHead(answer.status, { 'content-type': 'application/json; charset=utf-8' });
    response.end(answer.body === undefined ? undefined : JSON.stringify(answer.body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  client = new KeyClient(url, CREDENTIAL, OPTIONS);
});

afterEach(async () => {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
});

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

async function errorOf(promise: Promise<unknown>): Promise<object> {
  const error = await promise.then(
    () => undefined,
    (reason: Error) => reason,
  );
  if (!error) throw new Error('the call was expected to fail');
  const { name, statusCode, code, details } = error as Error & {
    statusCode?: number;
    code?: string;
    details?: { error?: { innerError?: { code?: string } } };
  };
  return { name, statusCode, code, inner: details?.error?.innerError?.code };
}

describe("Azure's own client", () => {
  test('makes, reads, changes, rotates and lists keys', async () => {
    const expiresOn = new Date(vault.clock.now + DAY);
    const made = await client.createRsaKey('cmk', { keySize: 3072, expiresOn, tags: { owner: 'video' } });
    expect(made).toMatchObject({
      name: 'cmk',
      keyType: 'RSA',
      keyOperations: ['encrypt', 'decrypt', 'sign', 'verify', 'wrapKey', 'unwrapKey'],
      key: { n: expect.any(Uint8Array), e: Buffer.from('AQAB', 'base64') },
      properties: {
        enabled: true,
        expiresOn,
        createdOn: new Date(vault.clock.now),
        recoveryLevel: 'Recoverable+Purgeable',
        recoverableDays: 90,
        tags: { owner: 'video' },
        hsmPlatform: '0',
      },
    });
    expect(made.key?.n).toHaveLength(384);
    expect(await client.getKey('cmk')).toEqual(made);
    expect(asked.at(-1)).toMatch(/^GET \/keys\/cmk\/\?api(-|%2D)version=2025-07-01$/);
    await client.updateKeyProperties('cmk', { enabled: false, keyOps: ['unwrapKey'] });
    const rotated = await client.rotateKey('cmk');
    expect(rotated.properties).toMatchObject({ enabled: true, tags: { owner: 'video' } });
    const old = await client.getKey('cmk', { version: made.properties.version! });
    expect(old).toMatchObject({ properties: { enabled: false }, keyOperations: ['unwrapKey'] });
    const versions = await all(client.listPropertiesOfKeyVersions('cmk'));
    expect(versions.map(({ version }) => version).toSorted()).toEqual(
      [made.properties.version, rotated.properties.version].toSorted(),
    );
    expect((await client.createEcKey('ec', { curve: 'P-384' })).key).toMatchObject({ crv: 'P-384' });
  });

  test('follows the pages of a long list', async () => {
    for (let index = 0; index < 60; index += 1) vault.keys.create(`key-${index}`);
    const names = (await all(client.listPropertiesOfKeys())).map(({ name }) => name);
    expect(names.toSorted()).toEqual(vault.keys.names().toSorted());
    const pages = client.listPropertiesOfKeys().byPage({ maxPageSize: 20 });
    expect((await all(pages)).map((page) => page.length)).toEqual([20, 20, 20]);
    expect(await all(client.listPropertiesOfKeyVersions('none'))).toEqual([]);
  });

  test('sees a deleted key nowhere for a minute, then deleted, then recovered', async () => {
    await client.createKey('k', 'RSA');
    const poller = await client.beginDeleteKey('k', { intervalInMs: 1 });
    const missing = { name: 'RestError', statusCode: 404, code: 'KeyNotFound', inner: undefined };
    const reads = () => [client.getKey('k'), client.getDeletedKey('k')] as const;
    for (const read of reads()) expect(await errorOf(read)).toEqual(missing);
    expect(await errorOf(client.purgeDeletedKey('k'))).toEqual({
      name: 'RestError',
      statusCode: 409,
      code: 'Conflict',
      inner: 'ObjectIsBeingDeleted',
    });
    const deletedOn = new Date(vault.clock.now);
    vault.clock.now += 65_000;
    const deleted = await poller.pollUntilDone();
    expect(deleted.properties).toMatchObject({
      deletedOn,
      scheduledPurgeDate: new Date(deletedOn.getTime() + 90 * DAY),
      recoveryId: `${url}/deletedkeys/k`,
    });
    expect((await all(client.listDeletedKeys())).map(({ name }) => name)).toEqual(['k']);
    const recovery = await client.beginRecoverDeletedKey('k', { intervalInMs: 1 });
    for (const read of reads()) expect(await errorOf(read)).toEqual(missing);
    vault.clock.now += 15_000;
    expect((await recovery.pollUntilDone()).name).toBe('k');
    await client.beginDeleteKey('k');
    vault.clock.now += 65_000;
    await client.purgeDeletedKey('k');
    for (const read of reads()) expect(await errorOf(read)).toEqual(missing);
  });

  test('sets a rotation policy and gets it back', async () => {
    await client.createKey('k', 'RSA');
    expect(await client.getKeyRotationPolicy('k')).toEqual({
      lifetimeActions: [{ action: 'Notify', timeBeforeExpiry: 'P30D' }],
    });
    const lifetimeActions = [{ action: 'Rotate', timeAfterCreate: 'P60D' } as const];
    await client.updateKeyRotationPolicy('k', { lifetimeActions, expiresIn: 'P90D' });
    expect(await client.getKeyRotationPolicy('k')).toMatchObject({
      id: `${url}/keys/k/rotationpolicy`,
      expiresIn: 'P90D',
      lifetimeActions: [...lifetimeActions, { action: 'Notify' }],
    });
    vault.clock.now += 60 * DAY;
    const { properties } = await client.getKey('k');
    expect(properties).toMatchObject({
      createdOn: new Date(vault.clock.now),
      expiresOn: new Date(vault.clock.now + 90 * DAY),
    });
  });

  test('wraps and unwraps, and is told why not', async () => {
    const key = await client.createRsaKey('k');
    const cryptography = new CryptographyClient(key.id!, CREDENTIAL, OPTIONS);
    const secret = Uint8Array.from([1, 2, 3, 4]);
    const { result } = await cryptography.wrapKey('RSA-OAEP-256', secret);
    expect(asked.at(-1)).toMatch(/^POST \/keys\/k\/[0-9a-f]{32}\/wrapkey\?/);
    expect(new Uint8Array((await cryptography.unwrapKey('RSA-OAEP-256', result)).result)).toEqual(secret);
    const local = await cryptography.wrapKey('RSA-OAEP', secret);
    expect(new Uint8Array((await cryptography.unwrapKey('RSA-OAEP', local.result)).result)).toEqual(secret);
    await client.updateKeyProperties('k', { enabled: false });
    expect(await errorOf(cryptography.unwrapKey('RSA-OAEP-256', result))).toEqual({
      name: 'RestError',
      statusCode: 403,
      code: 'Forbidden',
      inner: 'KeyDisabled',
    });
    await client.updateKeyProperties('k', { enabled: true });
    expect(await errorOf(cryptography.unwrapKey('RSA-OAEP-256', new Uint8Array(256)))).toMatchObject({
      statusCode: 400,
      code: 'BadParameter',
    });
  });

  test.each([
    ['RS256', 'RSA'],
    ['PS256', 'RSA'],
    ['ES256', 'EC'],
  ] as const)('signs with %s and verifies', async (algorithm, type) => {
    const key = await client.createKey('k', type);
    const cryptography = new CryptographyClient(key.id!, CREDENTIAL, OPTIONS);
    const digest = createHash('sha256').update('message').digest();
    const { result } = await cryptography.sign(algorithm, digest);
    expect((await cryptography.verify(algorithm, digest, result)).result).toBe(true);
    const other = createHash('sha256').update('another').digest();
    expect((await cryptography.verify(algorithm, other, result)).result).toBe(false);
  });

  test('imports a key and restores a backup', async () => {
    await client.createKey('k', 'RSA');
    const backup = await client.backupKey('k');
    vault.settings.softDelete = false;
    vault.keys.delete('k');
    expect((await client.restoreKeyBackup(backup!)).name).toBe('k');
    const { key } = await client.getKey('k');
    const imported = await client.importKey('public', { ...key!, kty: 'RSA', keyOps: ['wrapKey'] });
    expect(imported).toMatchObject({ keyOperations: ['wrapKey'], key: { n: key!.n! } });
  });
});
