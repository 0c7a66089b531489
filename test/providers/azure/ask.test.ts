import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ask, askPages } from '../../../src/providers/azure/ask.ts';
import { type Clients, clientsOf } from '../../fixtures/azure-clients.ts';
import { ARM, type AzureWire, startAzureWire, TENANT, VAULT } from '../../fixtures/azure-wire.ts';
import { contextWith, plainContext } from '../../fixtures/context.ts';

let wire: AzureWire;
let clients: Clients;
beforeEach(async () => {
  wire = await startAzureWire();
  clients = await clientsOf(wire);
});
afterEach(async () => {
  await clients[Symbol.asyncDispose]();
  await wire[Symbol.asyncDispose]();
});

const item = (name: string) => ({ kid: `https://${VAULT}/keys/${name}`, attributes: { enabled: true } });
const vault = (name: string) => ({
  id: `/subscriptions/s/v/${name}`,
  name,
  location: 'westeurope',
  properties: { tenantId: TENANT, sku: { family: 'A', name: 'standard' } },
});
const NEXT = `https://${VAULT}:443/keys?api-version=2025-07-01&$skiptoken=two&maxresults=25`;

async function names(context = plainContext): Promise<string[][]> {
  const keys = clients.keys(VAULT);
  const found: string[][] = [];
  for await (const { value } of askPages(context, 'ListKeys', (options) => keys.listPropertiesOfKeys(options))) {
    found.push(value.map(({ name }) => name));
  }
  return found;
}

describe('one call', () => {
  it('yields what was answered, its headers, and how it was had', async () => {
    wire.on('GET', VAULT, /^\/keys\/cmk/, {
      headers: { 'X-MS-KeyVault-Region': 'westeurope' },
      body: { key: { kid: `https://${VAULT}/keys/cmk/1`, kty: 'RSA' }, attributes: { enabled: true } },
    });
    const keys = clients.keys(VAULT);
    const first = await ask(plainContext, 'GetKey', (options) => keys.getKey('cmk', options));
    expect(first.value.properties.version).toBe('1');
    expect(first.headers['x-ms-keyvault-region']).toBe('westeurope');
    // The first request of a client has no token and is answered with the challenge.
    expect(first.evidence).toEqual({ operation: 'GetKey', status: 200, requestId: 'request-1', attempts: 2 });
    const second = await ask(plainContext, 'GetKey', (options) => keys.getKey('cmk', options));
    expect(second.evidence.attempts).toBe(1);
  });

  it('tells the engine how many requests it took', async () => {
    wire.on(
      'GET',
      VAULT,
      /^\/keys\/cmk/,
      { ending: 'drop' },
      { body: { key: { kid: `https://${VAULT}/keys/cmk/1` } } },
    );
    const answers: unknown[] = [];
    const context = {
      async call<T>(_: string, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
        const answer = await run(new AbortController().signal);
        answers.push(answer);
        return answer;
      },
    };
    const keys = clients.keys(VAULT);
    await ask(context, 'GetKey', (options) => keys.getKey('cmk', options));
    expect(answers).toMatchObject([{ $metadata: { attempts: 3 } }]);
  });

  it('is told from another that runs at the same time', async () => {
    for (const host of [VAULT, 'second.vault.azure.net']) {
      wire.on('GET', host, /^\/keys\/cmk/, {
        headers: { 'x-ms-request-id': host },
        body: { key: { kid: `https://${host}/keys/cmk/1` } },
      });
    }
    const hosts = [VAULT, 'second.vault.azure.net', VAULT, 'second.vault.azure.net'];
    const answers = await Promise.all(
      hosts.map((host) => ask(plainContext, 'GetKey', (options) => clients.keys(host).getKey('cmk', options))),
    );
    expect(answers.map(({ evidence }) => evidence.requestId)).toEqual(hosts);
    expect(answers.map(({ evidence }) => evidence.attempts)).toEqual([2, 2, 2, 2]);
  });
});

describe('pages', () => {
  it('are followed to the one without a link, empty ones too, though the link has a port', async () => {
    wire.on(
      'GET',
      VAULT,
      /^\/keys/,
      { body: { value: [], nextLink: NEXT } },
      { body: { value: [item('a')], nextLink: NEXT.replace('two', 'three') } },
      { body: { value: [], nextLink: null } },
    );
    expect(await names()).toEqual([[], ['a'], []]);
    expect(wire.asked('GET', VAULT).map(({ query }) => query.get('$skiptoken'))).toEqual([null, 'two', 'three']);
  });

  it('of Resource Manager and of Media Services are followed the same way', async () => {
    const link = `https://${ARM}/next?page=2`;
    wire.on('GET', ARM, /vaults/, { body: { value: [vault('a')], nextLink: `${link}&of=vaults` } });
    wire.on('GET', ARM, /mediaservices/i, { body: { value: [{ name: 'tv' }], '@odata.nextLink': `${link}&of=media` } });
    wire.on('GET', ARM, /of=vaults/, { body: { value: [vault('b')] } });
    wire.on('GET', ARM, /of=media/, { body: { value: [{ name: 'radio' }] } });
    const found: Array<string | undefined> = [];
    for await (const { value } of askPages(plainContext, 'A', (options) =>
      clients.arm.vaults.listBySubscription(options),
    ))
      found.push(...value.map(({ name }) => name));
    for await (const { value } of askPages(plainContext, 'B', (options) =>
      clients.media.mediaservices.listBySubscription(options),
    ))
      found.push(...value.map(({ name }) => name));
    expect(found).toEqual(['a', 'b', 'tv', 'radio']);
  });

  it('are one call each, with evidence of its own', async () => {
    wire.on('GET', VAULT, /^\/keys/, { body: { value: [item('a')], nextLink: NEXT } });
    wire.on('GET', VAULT, /skiptoken=two/, { body: { value: [item('b')] }, headers: { 'x-ms-request-id': 'second' } });
    const keys = clients.keys(VAULT);
    const requestIds: Array<string | undefined> = [];
    for await (const { evidence } of askPages(plainContext, 'ListKeys', (options) =>
      keys.listPropertiesOfKeys(options),
    ))
      requestIds.push(evidence.requestId);
    expect(requestIds).toEqual(['request-1', 'second']);
  });

  it.each([
    ['goes in a circle', NEXT, /goes in a circle/],
    ['leads to another host', 'https://evil.vault.azure.net/keys?page=2', /leads to another host/],
    ['leads to no address', '/keys?page=2', /leads to another host/],
  ])('whose link %s throw, after what they held', async (_, nextLink, message) => {
    wire.on('GET', VAULT, /^\/keys/, { body: { value: [item('a')], nextLink } });
    const keys = clients.keys(VAULT);
    let pages = 0;
    const all = async () => {
      for await (const _page of askPages(plainContext, 'ListKeys', (options) => keys.listPropertiesOfKeys(options)))
        pages++;
    };
    await expect(all()).rejects.toThrow(message);
    expect(pages).toBeGreaterThan(0);
    expect(wire.requests.every(({ host }) => host === VAULT)).toBe(true);
  });

  it('that hold no list are no empty ones', async () => {
    wire.on('GET', ARM, /mediaservices/i, { body: {} });
    const pages = askPages(plainContext, 'L', (options) => clients.media.mediaservices.listBySubscription(options));
    await expect(pages.next()).rejects.toThrow('something that is no list');
  });

  it('end with the call that they belong to, the second as well as the first', async () => {
    const control = new AbortController();
    wire.on('GET', VAULT, /^\/keys/, { body: { value: [item('a')], nextLink: NEXT } });
    wire.on('GET', VAULT, /skiptoken=two/, { ending: 'silence' });
    const ended = names(contextWith(control.signal)).catch((error: unknown) => error);
    await wire.stalled;
    control.abort();
    expect(clients.connection.classify(await ended, 'outer')).toMatchObject({ evidence: { code: 'AbortError' } });
  });
});
