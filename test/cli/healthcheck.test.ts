import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { healthcheckCommand } from '../../src/cli/healthcheck.ts';
import { HASH, secured, TLS } from '../web/secured.ts';
import { recordedIo } from './io.ts';

describe('the health check', () => {
  const stack: Array<() => Promise<void>> = [];
  afterEach(async () => {
    vi.useRealTimers();
    for (const close of stack.splice(0)) await close();
  });

  async function served(listener: RequestListener): Promise<string> {
    const server = createServer(listener);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    stack.push(async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  it('is 0 and silent when the daemon says that it is healthy', async () => {
    const asked: string[] = [];
    const url = await served((request, response) => {
      asked.push(request.url ?? '');
      response.end('keyvigil is healthy\n');
    });
    const io = recordedIo();
    expect(await healthcheckCommand(url, io)).toBe(0);
    expect(asked).toEqual(['/-/healthy']);
    expect(io.written).toEqual({ out: '', err: '' });
  });

  it('is 1 with one line when it answers anything else', async () => {
    const url = await served((_, response) => response.writeHead(503).end());
    const io = recordedIo();
    expect(await healthcheckCommand(url, io)).toBe(1);
    expect(io.written).toEqual({ out: '', err: `keyvigil at ${url} answers 503\n` });
  });

  it('follows no redirect: something else stands where the daemon should', async () => {
    const url = await served((request, response) =>
      request.url === '/-/healthy' ? response.writeHead(302, { location: '/login' }).end() : response.end('welcome'),
    );
    expect(await healthcheckCommand(url, recordedIo())).toBe(1);
  });

  it('is 1 with one line when nobody answers, and when the address is none', async () => {
    const url = await served(() => undefined);
    await stack.pop()?.();
    const io = recordedIo();
    expect(await healthcheckCommand(url, io)).toBe(1);
    expect(await healthcheckCommand('nonsense', io)).toBe(1);
    expect(io.written.out).toBe('');
    expect(io.written.err).toMatch(
      /^keyvigil at http:\S+ does not answer: connect ECONNREFUSED \S+\n.* Invalid URL\n$/,
    );
  });

  it.each([
    ['asks for a password', 401, { 'WWW-Authenticate': 'Basic realm="keyvigil", charset="UTF-8"' }, 0],
    ['turns others away', 429, {}, 0],
    ['is another server that asks for a password', 401, { 'WWW-Authenticate': 'Basic realm="proxy"' }, 1],
  ])(
    'takes a daemon for healthy that answers, without a password of its own: one that %s',
    async (_, status, headers, code) => {
      const url = await served((_request, response) => response.writeHead(status, headers).end());
      expect(await healthcheckCommand(url, recordedIo())).toBe(code);
    },
  );

  it.each<[string, string, number]>([
    ['TLS', TLS, 0],
    ['TLS and passwords', `${TLS}basic_auth_users: { a: ${HASH} }\n`, 0],
    ['client certificates', `${TLS}  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n`, 0],
    [
      'client certificates in TLS 1.2',
      `${TLS}  max_version: TLS12\n  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n`,
      0,
    ],
  ])('needs no authority and no certificate on the loopback: %s', async (_, yaml, code) => {
    await using open = new AsyncDisposableStack();
    const { url } = await secured(open, yaml);
    const io = recordedIo();
    expect([await healthcheckCommand(url, io), io.written.err]).toEqual([code, '']);
  });

  it('waits no longer than three seconds for a daemon that hangs', async () => {
    const asked = Promise.withResolvers<void>();
    const url = await served(() => asked.resolve());
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const io = recordedIo();
    const checking = healthcheckCommand(url, io);
    await asked.promise;
    vi.advanceTimersByTime(3_000);
    expect(await checking).toBe(1);
    expect(io.written.err).toBe(`keyvigil at ${url} does not answer: healthcheck did not end within 3000 ms\n`);
  });
});
