import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { pinnedTo } from '../../../../src/providers/aws/speke/knock.ts';
import { nameServers } from '../../../../src/providers/aws/speke/names.ts';
import { verdict } from '../../../../src/providers/aws/speke/verdict.ts';
import { proxyFor } from '../../../../src/providers/aws/speke/way.ts';
import { serveNames } from '../../../../src/sandbox/aws/apigateway/dns.ts';
import { apiHost, Gateways } from '../../../../src/sandbox/aws/apigateway/state.ts';
import { serveProxy } from '../../../../src/sandbox/proxy.ts';
import { REGION } from '../../../fixtures/aws-wire.ts';
import { type Cloud, look, startCloud } from './cloud.ts';

const { signal } = new AbortController();
let open: AsyncDisposable[] = [];

afterEach(async () => {
  for (const one of open.reverse()) await one[Symbol.asyncDispose]();
  open = [];
});

async function serverFor(addresses: readonly string[]) {
  const gateways = new Gateways();
  const host = apiHost('abc123', REGION);
  const place = { account: '1', region: REGION };
  gateways.save({ id: 'abc123', ...place, host, ownNames: [], stages: [], certificate: 'good', unsigned: 403 });
  const server = await serveNames(gateways, '127.0.0.1', addresses);
  open.push(server);
  return { host, server, gateways };
}

describe('a lookup', () => {
  it('tells every address, of both families', async () => {
    const { host, server } = await serverFor(['3.5.140.1', '2600:1f18::1']);
    const names = nameServers([server.address]);
    expect(await names.addressesOf(host, signal)).toEqual(['3.5.140.1', '2600:1f18::1']);
  });

  it('is content with one family', async () => {
    const { host, server } = await serverFor(['2600:1f18::1']);
    expect(await nameServers([server.address]).addressesOf(host, signal)).toEqual(['2600:1f18::1']);
  });

  it('tells a name without addresses from one that is not there', async () => {
    const { host, server } = await serverFor([]);
    const names = nameServers([server.address]);
    await expect(names.addressesOf(host, signal)).rejects.toMatchObject({ code: 'ENODATA' });
    await expect(names.addressesOf('gone.example.com', signal)).rejects.toMatchObject({ code: 'ENOTFOUND' });
  });

  it('tells a name server that nobody listens at', async () => {
    const { host, server } = await serverFor(['3.5.140.1']);
    await server[Symbol.asyncDispose]();
    open = [];
    const asking = nameServers([server.address]).addressesOf(host, signal);
    await expect(asking).rejects.toMatchObject({ name: 'NameUnresolved', code: 'EDNSCONNREFUSED' });
  });

  it('is not begun once it is over', async () => {
    const { host, server } = await serverFor(['3.5.140.1']);
    const over = AbortSignal.abort(new Error('over'));
    await expect(nameServers([server.address]).addressesOf(host, over)).rejects.toThrow('over');
  });
});

describe('a name that leads to a private address', () => {
  it.each([
    [['10.0.0.7']],
    [['169.254.169.254']],
    [['127.0.0.1']],
    [['fd00:ec2::254']],
    [['3.5.140.1', '192.168.1.1']],
    [['3.5.140.1', '::1']],
  ])('is not called: %j', async (addresses) => {
    const { host, server } = await serverFor(addresses);
    const cloud: Cloud = await startCloud();
    open.push(cloud);
    const { port } = new URL(cloud.sandbox.apis.url);
    const plain = () => ({ status: 400, headers: {}, body: '', manner: 'whole' as const, delayMs: 0 });
    await using proxy = await serveProxy({ host: '127.0.0.1', target: Number(port), judge: () => 'open', plain });
    // Who the monitor is has to be asked somewhere; the probe goes past the proxy.
    const env = { HTTPS_PROXY: proxy.url, NO_PROXY: host };
    const opened = await cloud.openReal(env, { nameservers: [server.address] });
    cloud.sandbox.requests.clear();
    const seen = await look(opened, `https://${host}/prod`);
    expect(seen).toMatchObject({
      failure: {
        reason: 'never_checked',
        evidence: { operation: 'Probe', code: 'private_address' },
        told: { state: 'Refused', attributes: { refusal: 'private_address' } },
      },
    });
    expect('failure' in seen && verdict({ failure: seen.failure })).toEqual({
      status: 'unknown',
      reason: 'never_checked',
    });
    expect(cloud.sandbox.requests.count()).toBe(0);
  });
});

describe('a connection', () => {
  it('goes to the address that was checked, whatever its name resolves to by then', async () => {
    await using server = createServer((socket) => socket.end()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    // Nobody could find this name: only the pinned address leads anywhere.
    const socket = connect({ host: 'rebinding.invalid', port, lookup: pinnedTo(['127.0.0.1']) });
    await once(socket, 'connect');
    expect(socket.remoteAddress).toBe('127.0.0.1');
    socket.destroy();
  });

  it('knows every checked address, for whoever asks for one and for whoever asks for all', () => {
    const told: unknown[] = [];
    const lookup = pinnedTo(['3.5.140.1', '2600:1f18::1']);
    lookup('any', { all: true }, (...answer) => told.push(answer));
    lookup('any', {}, (...answer) => told.push(answer));
    expect(told).toEqual([
      [
        null,
        [
          { address: '3.5.140.1', family: 4 },
          { address: '2600:1f18::1', family: 6 },
        ],
      ],
      [null, '3.5.140.1', 4],
    ]);
  });
});

describe('the proxy of the environment', () => {
  const proxy = 'http://proxy.example.com:3128';

  it.each([
    [{}, false],
    [{ HTTPS_PROXY: proxy }, true],
    [{ https_proxy: proxy }, true],
    [{ HTTP_PROXY: proxy }, false],
    [{ HTTPS_PROXY: proxy, NO_PROXY: '*' }, false],
    [{ HTTPS_PROXY: proxy, NO_PROXY: 'keys.example.com' }, false],
    [{ HTTPS_PROXY: proxy, no_proxy: ' a.example.com , KEYS.example.com ' }, false],
    [{ HTTPS_PROXY: proxy, NO_PROXY: '.example.com' }, false],
    [{ HTTPS_PROXY: proxy, NO_PROXY: '*.example.com' }, false],
    [{ HTTPS_PROXY: proxy, NO_PROXY: 'example.com' }, true],
    [{ HTTPS_PROXY: proxy, NO_PROXY: 'keys.example.com:443' }, false],
    [{ HTTPS_PROXY: proxy, NO_PROXY: 'keys.example.com:8443' }, true],
    [{ HTTPS_PROXY: proxy, NO_PROXY: '10.0.0.1-10.0.0.9' }, true],
  ])('%j is used: %j', (env, used) => {
    expect(proxyFor('keys.example.com', env)?.href).toBe(used ? `${proxy}/` : undefined);
  });

  it('is left out for a range of addresses', () => {
    const env = { HTTPS_PROXY: proxy, NO_PROXY: '10.0.0.1-10.0.0.9' };
    expect(proxyFor('10.0.0.5', env)).toBeUndefined();
    expect(proxyFor('10.0.0.50', env)?.href).toBe(`${proxy}/`);
  });

  it.each(['nonsense', 'socks5://127.0.0.1:1080'])('is refused where it is %j', (value) => {
    expect(() => proxyFor('keys.example.com', { HTTPS_PROXY: value })).toThrow('HTTPS_PROXY is not the URL');
  });
});
