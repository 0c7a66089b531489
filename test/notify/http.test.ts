import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { trustOf } from '../../src/app-trust.ts';
import { createPoster } from '../../src/notify/http.ts';
import { startLoopback } from '../fixtures/loopback.ts';
import { LOOPBACK_CERTIFICATE } from '../fixtures/tls.ts';
import { options } from './notifications.ts';
import { says, startSink } from './sink.ts';

const never = new AbortController().signal;

/** A proxy that leads every tunnel to `port`, and keeps what it was asked. */
async function startTunnel(port: number) {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((_request, response) => response.writeHead(407).end());
  server.on('connect', (request, client: Socket) => {
    asked.push(`${request.url} ${request.headers['proxy-authorization'] ?? ''}`.trim());
    const server = connect(port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      server.pipe(client).pipe(server);
    });
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on('error', () => [client, server].map((one) => one.destroy()));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://proxyuser:proxypass@127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe('a POST', () => {
  it('goes through the proxy for its scheme, verifies the server behind it, and honours NO_PROXY', async () => {
    await using sink = await startSink(says(204), { tls: true });
    await using tunnel = await startTunnel(sink.port);
    const env = { https_proxy: tunnel.url, HTTP_PROXY: 'http://127.0.0.1:1' };
    const url = 'https://127.0.0.1:444/hook';

    await using trusting = createPoster(options({ env, trust: trustOf(LOOPBACK_CERTIFICATE) }));
    expect(await trusting.post({ url, body: '{}' }, never)).toEqual({ outcome: 'accepted' });
    expect(tunnel.asked).toEqual(['127.0.0.1:444 Basic cHJveHl1c2VyOnByb3h5cGFzcw==']);
    expect(sink.requests.map(({ path, headers }) => [path, headers.host, headers['proxy-authorization']])).toEqual([
      ['/hook', '127.0.0.1:444', undefined],
    ]);

    await using doubting = createPoster(options({ env }));
    const doubted = await doubting.post({ url, body: '{}' }, never);
    expect(doubted).toEqual({ outcome: 'retry', reason: 'network', detail: 'DEPTH_ZERO_SELF_SIGNED_CERT' });

    await using other = createPoster(options({ env, trust: trustOf(LOOPBACK_CERTIFICATE) }));
    const renamed = await other.post({ url: 'https://localhost:444/hook', body: '{}' }, never);
    expect(renamed).toMatchObject({ outcome: 'retry', reason: 'network' });

    await using around = createPoster(
      options({ env: { ...env, NO_PROXY: '127.0.0.1' }, trust: trustOf(LOOPBACK_CERTIFICATE) }),
    );
    expect(await around.post({ url: sink.url, body: '{}' }, never)).toEqual({ outcome: 'accepted' });
    expect(tunnel.asked).toHaveLength(3);
    expect(sink.requests).toHaveLength(2);
  });

  it('asks a proxy of plain HTTP with the whole address', async () => {
    await using proxy = await startSink(says(200));
    await using poster = createPoster(options({ env: { HTTP_PROXY: proxy.url } }));
    expect(await poster.post({ url: 'http://am.example:9093/x', body: '{}' }, never)).toEqual({ outcome: 'accepted' });
    expect(proxy.requests.map(({ path }) => path)).toEqual(['http://am.example:9093/x']);
  });

  it('reaches a receiver, and a proxy, by an address of IPv6', async () => {
    await using machine = await startLoopback(() => ({ status: 204 }), '::1');
    await using direct = createPoster(options());
    expect(await direct.post({ url: `${machine.url}/in`, body: '{}' }, never)).toEqual({ outcome: 'accepted' });
    await using around = createPoster(options({ env: { HTTP_PROXY: machine.url } }));
    const post = { url: 'http://receiver.invalid/in', body: '{}' };
    expect(await around.post(post, never)).toEqual({ outcome: 'accepted' });
    expect(machine.asked.map(({ path }) => path)).toEqual(['/in', 'http://receiver.invalid/in']);
  });

  it('does not take a proxy that wants a password for the receiver', async () => {
    await using proxy = await startSink(says(407));
    await using tunnel = await startTunnel(1);
    for (const [env, url] of [
      [{ HTTP_PROXY: proxy.url }, 'http://am.example/x'],
      [{ HTTPS_PROXY: proxy.url }, 'https://am.example/x'],
      [{ HTTPS_PROXY: tunnel.url }, 'https://am.example/x'],
    ] as const) {
      await using poster = createPoster(options({ env }));
      expect(await poster.post({ url, body: '{}' }, never)).toMatchObject({ outcome: 'retry', reason: 'network' });
    }
  });

  it('uses no proxy that the process knows of and the configuration does not', async () => {
    await using sink = await startSink(says(204));
    const before = process.env.http_proxy;
    process.env.http_proxy = 'http://127.0.0.1:1';
    try {
      await using poster = createPoster(options());
      expect(await poster.post({ url: sink.url, body: '{}' }, never)).toEqual({ outcome: 'accepted' });
    } finally {
      if (before === undefined) delete process.env.http_proxy;
      else process.env.http_proxy = before;
    }
  });

  it.each(['proxy:3128', 'socks5://user:pass@proxy', 'nonsense pass'])(
    'refuses %j for a proxy without quoting it',
    (uri) => {
      expect(() => createPoster(options({ env: { HTTPS_PROXY: uri } }))).toThrow(
        /^HTTPS_PROXY is not the URL of an HTTP proxy$/,
      );
    },
  );

  it.each(['not a url', 'ftp://user:pass@example.com/', ''])('is not made to %j', async (url) => {
    await using poster = createPoster(options());
    expect(await poster.post({ url, body: '{}' }, never)).toEqual({
      outcome: 'retry',
      reason: 'unauthorized',
      detail: 'the address is not an http(s) URL',
    });
  });

  it('trusts a private authority beside the public ones, not instead of them', async () => {
    await using sink = await startSink(says(204), { tls: true });
    await using poster = createPoster(options({ trust: trustOf(LOOPBACK_CERTIFICATE) }));
    expect(await poster.post({ url: sink.url, body: '{}' }, never)).toEqual({ outcome: 'accepted' });
    await using broken = createPoster(options({ trust: trustOf('no certificate') }));
    expect(await broken.post({ url: sink.url, body: '{}' }, never)).toMatchObject({ outcome: 'retry' });
  });

  it('sends user and password of an address as a header, decoded, and nowhere else', async () => {
    await using sink = await startSink(says(204));
    await using poster = createPoster(options());
    await poster.post({ url: sink.url.replace('://', '://mo%40n:p%3As%zz@'), body: '{}' }, never);
    const [request] = sink.requests;
    expect(request?.headers.authorization).toBe(`Basic ${Buffer.from('mo@n:p%3As%zz').toString('base64')}`);
    expect(request?.path).toBe('/');
  });
});
