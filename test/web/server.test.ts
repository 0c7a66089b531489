import { once } from 'node:events';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import type { WebDeps } from '../../src/web/deps.ts';
import { createWeb, type Web, type WebLimits } from '../../src/web/server.ts';
import { incidentSnapshot, type World, world } from './world.ts';

let open: AsyncDisposableStack = new AsyncDisposableStack();
afterEach(async () => {
  await open.disposeAsync();
  open = new AsyncDisposableStack();
});

async function served(overrides: Partial<WebDeps> = {}, limits: Partial<WebLimits> = {}) {
  const made: World = world(incidentSnapshot(), overrides);
  const web: Web = createWeb(made.deps, { drainMs: 100, ...limits });
  open.use(web);
  const { url } = await web.listen('127.0.0.1', 0);
  const { port } = new URL(url);
  const client = async (): Promise<Socket> => {
    const socket = connect(Number(port), '127.0.0.1');
    open.defer(() => void socket.destroy());
    await once(socket, 'connect');
    return socket;
  };
  return { ...made, web, url, client };
}

interface Sent {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

function send(
  url: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Sent> {
  const { promise, resolve, reject } = Promise.withResolvers<Sent>();
  const { method = 'GET', headers = {} } = options;
  const outgoing = request(url, { method, headers, agent: false }, (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('error', reject);
    response.on('end', () => {
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) });
    });
  });
  outgoing.on('error', reject);
  outgoing.end(options.body);
  return promise;
}

/** Everything that a socket gives until it ends. */
async function received(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => undefined);
  if (!socket.closed) await once(socket, 'close');
  return Buffer.concat(chunks).toString();
}

describe('routes', () => {
  it.each([
    ['/-/healthy', 200, 'text/plain', 'keyvigil is healthy'],
    ['/-/ready', 200, 'text/plain', 'every source was swept'],
    ['/', 200, 'text/html', 'What is wrong'],
    ['/style.css', 200, 'text/css', ':root'],
    ['/metrics', 200, 'text/plain; version=0.0.4', '# HELP keyvigil_build_info'],
    ['/api/v1/keys', 200, 'application/json', '"keys":['],
    ['/api/v1/nothing', 404, 'application/json', 'no such page'],
    ['/nothing', 404, 'application/json', 'no such page'],
  ])('GET and HEAD %s: %i %s', async (path, status, type, content) => {
    const { url } = await served();
    const got = await send(url + path);
    expect(got.status).toBe(status);
    expect(got.headers['content-type']).toContain(type);
    expect(got.body.toString()).toContain(content);
    const head = await send(url + path, { method: 'HEAD' });
    expect(head.status).toBe(status);
    expect(head.headers['content-type']).toBe(got.headers['content-type']);
    expect(head.body).toHaveLength(0);
  });

  it('is not ready until it is, and says why', async () => {
    const { url } = await served({
      ready: () => ({ ready: false, reason: '2 sources have not finished their first attempt' }),
    });
    const { status, body } = await send(`${url}/-/ready`);
    expect([status, body.toString()]).toEqual([503, '2 sources have not finished their first attempt\n']);
    expect((await send(`${url}/-/healthy`)).status).toBe(200);
  });

  it.each([
    ['POST', '/', 'GET, HEAD'],
    ['DELETE', '/api/v1/keys', 'GET, HEAD'],
    ['PUT', '/api/v1/keys/arn%3Aa', 'GET, HEAD'],
    ['GET', '/api/v1/check', 'POST'],
    ['POST', '/metrics', 'GET, HEAD'],
    ['POST', '/-/healthy', 'GET, HEAD'],
  ])('%s %s is not allowed, but %s', async (method, path, allow) => {
    const { url } = await served();
    const { status, headers } = await send(url + path, { method });
    expect([status, headers.allow]).toEqual([405, allow]);
  });

  it.each(['/', '/api/v1/keys', '/nothing', '/metrics', '/-/ready'])(
    'lets no browser sniff or store %s',
    async (path) => {
      const { headers } = await send((await served()).url + path);
      expect(headers['x-content-type-options']).toBe('nosniff');
      expect(headers['cache-control']).toBe('no-store');
    },
  );

  it('forbids scripts, frames and foreign forms', async () => {
    const { headers } = await send((await served()).url);
    expect(headers['content-security-policy']).toBe(
      "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    );
    expect(headers['x-frame-options']).toBe('DENY');
    expect(headers['referrer-policy']).toBe('same-origin');
  });

  it('guards POST by Host and Origin on the wire', async () => {
    const { url, checked } = await served();
    const post = (headers: Record<string, string>) => send(`${url}/api/v1/check`, { method: 'POST', headers });
    expect((await post({ host: 'rebound.example' })).status).toBe(403);
    expect((await post({ origin: 'http://evil.example' })).status).toBe(403);
    expect(checked).toEqual([]);
    expect((await post({ origin: url })).status).toBe(202);
    expect(checked).toEqual([undefined]);
  });

  it('guards a reload as well, and says what became of it', async () => {
    let asked = 0;
    const answers = [{ outcome: 'applied' } as const, { outcome: 'refused', reason: 'line 3: no such field' } as const];
    const { url } = await served({ reload: async () => answers[asked++]! });
    const post = (headers: Record<string, string>) => send(`${url}/-/reload`, { method: 'POST', headers });
    expect((await post({ host: 'rebound.example' })).status).toBe(403);
    expect((await post({ origin: 'http://evil.example' })).status).toBe(403);
    expect(asked).toBe(0);
    const told = async () => {
      const { status, body } = await post({});
      return [status, body.toString()];
    };
    expect(await told()).toEqual([200, 'the new configuration is in force\n']);
    expect(await told()).toEqual([400, 'line 3: no such field\n']);
    expect((await send(`${url}/-/reload`)).status).toBe(405);
  });

  it('reports a bug once and tells the client nothing of it', async () => {
    const { url, errors } = await served({
      events: () => Promise.reject(new Error('SQLITE secret path')),
    });
    const { status, body } = await send(`${url}/api/v1/events`);
    expect([status, body.toString()]).toEqual([500, '{"error":"internal error; the log has more"}']);
    expect(errors).toEqual([{ error: new Error('SQLITE secret path'), where: 'GET /api/v1/events' }]);
  });

  it('says which address is taken', async () => {
    const { url, deps } = await served();
    const second = createWeb(deps);
    await expect(second.listen('127.0.0.1', Number(new URL(url).port))).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await second[Symbol.asyncDispose]();
  });

  it('can be reached on IPv6', async () => {
    await using web = createWeb(world(incidentSnapshot()).deps);
    const { url } = await web.listen('::1', 0);
    expect(url).toMatch(/^http:\/\/\[::1\]:\d+$/);
    expect((await send(`${url}/-/healthy`)).status).toBe(200);
  });
});

describe('metrics', () => {
  const writeMetrics: WebDeps['writeMetrics'] = async (out, { gzip }) => {
    out.write(gzip ? gzipSync('series 1\n') : 'series 1\n');
  };

  it.each([
    ['gzip', true],
    ['deflate, gzip;q=0.5', true],
    ['*', true],
    ['GZIP', true],
    ['gzip;q=0', false],
    ['gzip;q=0, *', false],
    ['identity', false],
    ['', false],
  ])('Accept-Encoding %j: gzip %s', async (accept, gzip) => {
    const { url } = await served({ writeMetrics });
    const { headers, body } = await send(`${url}/metrics?x=1`, { headers: { 'accept-encoding': accept } });
    expect(headers['content-encoding']).toBe(gzip ? 'gzip' : undefined);
    expect(headers.vary).toBe('Accept-Encoding');
    expect((gzip ? gunzipSync(body) : body).toString()).toBe('series 1\n');
  });

  it('answers 500 when it fails before the first byte', async () => {
    const { url, errors } = await served({ writeMetrics: () => Promise.reject(new Error('broken')) });
    const { status, headers } = await send(`${url}/metrics`, { headers: { 'accept-encoding': 'gzip' } });
    expect([status, headers['content-encoding']]).toEqual([500, undefined]);
    expect(errors.map(({ where }) => where)).toEqual(['GET /metrics']);
  });

  it('cuts the connection when it fails in the middle, so that half an exposition is none', async () => {
    const { url, errors } = await served({
      writeMetrics: async (out) => {
        await new Promise<void>((resolve) => out.write('series 1\n', () => resolve()));
        throw new Error('broken');
      },
    });
    await expect(send(`${url}/metrics`)).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(errors).toHaveLength(1);
  });

  it('puts up with a writer that ends or destroys the answer itself', async () => {
    const ended = await served({ writeMetrics: async (out) => void out.end('series 1\n') });
    expect((await send(`${ended.url}/metrics`)).body.toString()).toBe('series 1\n');
    const destroyed = await served({
      writeMetrics: async (out) => {
        out.destroy();
        throw new Error('broken');
      },
    });
    await expect(send(`${destroyed.url}/metrics`)).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(destroyed.errors.map(({ where }) => where)).toEqual(['GET /metrics']);
  });

  it('stops writing when the scraper leaves, and does not call that an error', async () => {
    const started = Promise.withResolvers<void>();
    const stopped = Promise.withResolvers<void>();
    const { client, errors } = await served({
      writeMetrics: async (out, { signal }) => {
        out.write('series 1\n');
        started.resolve();
        await once(signal, 'abort');
        stopped.resolve();
        throw signal.reason;
      },
    });
    const socket = await client();
    socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
    await started.promise;
    socket.destroy();
    await stopped.promise;
    expect(errors).toEqual([]);
  });
});

describe('abuse', () => {
  it('refuses headers that are too large', async () => {
    const { url } = await served();
    expect((await send(url, { headers: { 'x-large': 'x'.repeat(20_000) } })).status).toBe(431);
  });

  it('answers 400 to a request that makes no URL', async () => {
    const { client, url } = await served();
    for (const head of [
      'GET / HTTP/1.1\r\nHost: a b\r\n',
      'GET / HTTP/1.1\r\n',
      'GET \u0000 HTTP/1.1\r\nHost: x\r\n',
    ]) {
      const socket = await client();
      socket.write(`${head}Connection: close\r\n\r\n`);
      expect(await received(socket)).toMatch(/^HTTP\/1\.1 400 /);
    }
    expect((await send(`${url}/-/healthy`)).status).toBe(200);
  });

  it('cuts off clients that send their headers slowly, while a good one is served', async () => {
    const { client, url } = await served({}, { headersTimeoutMs: 150, requestTimeoutMs: 300 });
    const slow = await Promise.all(Array.from({ length: 200 }, client));
    for (const socket of slow) socket.write('GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ');
    const before = performance.now();
    expect((await send(`${url}/metrics`)).status).toBe(200);
    expect(performance.now() - before).toBeLessThan(1_000);
    const answers = await Promise.all(slow.map(received));
    expect(answers.every((answer) => answer.startsWith('HTTP/1.1 408 '))).toBe(true);
  });

  it('cuts off a client that sends its body slowly', async () => {
    const { client, checked } = await served({}, { headersTimeoutMs: 100, requestTimeoutMs: 200 });
    const socket = await client();
    socket.write('POST /api/v1/check HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\n{');
    await received(socket);
    expect(checked).toEqual([]);
  });

  it('cuts off a client that does not read its answer', async () => {
    const stopped = Promise.withResolvers<void>();
    const { client } = await served(
      {
        writeMetrics: async (out, { signal }) => {
          out.write('x'.repeat(16 * 1024 * 1024));
          await once(signal, 'abort');
          stopped.resolve();
          throw signal.reason;
        },
      },
      { responseTimeoutMs: 200 },
    );
    const socket = await client();
    socket.on('error', () => undefined);
    socket.pause();
    socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
    await stopped.promise;
  });

  it('takes no more connections than it can hold', async () => {
    const { client } = await served({}, { maxConnections: 2 });
    const held = [await client(), await client()];
    await received(await client());
    expect(held.every((socket) => !socket.destroyed)).toBe(true);
  });
});

describe('shutdown', () => {
  it('ends idle connections at once and lets a request in flight finish', async () => {
    const started = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const { client, url, web } = await served(
      {
        writeMetrics: async (out) => {
          started.resolve();
          await release.promise;
          out.write('series 1\n');
        },
      },
      { drainMs: 10_000 },
    );
    const idle = await client();
    const answer = send(`${url}/metrics`);
    await started.promise;
    const disposed = web[Symbol.asyncDispose]();
    await received(idle);
    release.resolve();
    expect((await answer).body.toString()).toBe('series 1\n');
    await disposed;
    await expect(send(url)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('does not wait for a request that never ends', async () => {
    const started = Promise.withResolvers<void>();
    const { client, web } = await served({
      writeMetrics: async (_out, { signal }) => {
        started.resolve();
        await once(signal, 'abort');
        throw signal.reason;
      },
    });
    const socket = await client();
    socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
    await started.promise;
    await web[Symbol.asyncDispose]();
    await received(socket);
  });

  it('may be disposed without ever having listened, and twice', async () => {
    const web = createWeb(world(incidentSnapshot()).deps);
    await web[Symbol.asyncDispose]();
    await web[Symbol.asyncDispose]();
  });
});
