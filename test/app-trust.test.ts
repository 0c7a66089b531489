import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { createPipelineRequest } from '@azure/core-rest-pipeline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { trustOf } from '../src/app-trust.ts';
import { createPool } from '../src/providers/aws/http.ts';
import { createTransport } from '../src/providers/azure/http.ts';
import { makeTlsIdentity } from '../src/sandbox/tls.ts';

/** Authorities: one that the machine trusts, one that the configuration adds, one that nobody knows. */
const [known, added, unknown] = [0, 1, 2].map(() => makeTlsIdentity(['localhost'], ['127.0.0.1']));
const before = getCACertificates('default');
const servers: Server[] = [];

async function serverOf(identity: typeof known): Promise<number> {
  const server = createServer({ key: identity?.key, cert: identity?.cert }, (_request, response) => response.end('{}'));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

beforeAll(() => setDefaultCACertificates([...before, known?.ca ?? '']));
afterAll(() => {
  setDefaultCACertificates(before);
  for (const server of servers) server.close();
});

/** Made when the machine trusts what it does. */
const options = () => ({ callTimeoutMs: 5_000, trust: trustOf(added?.ca ?? ''), env: {} });

describe('a private authority', () => {
  it('is trusted by the clients of AWS beside those that are trusted anyway', async () => {
    using pool = createPool(options());
    const status = async (port: number) => {
      const to = { protocol: 'https:', hostname: '127.0.0.1', port, path: '/', method: 'GET', query: {}, headers: {} };
      const request = { ...to, clone: () => request } as Parameters<typeof pool.handler.handle>[0];
      return (await pool.handler.handle(request)).response.statusCode;
    };
    expect([await status(await serverOf(known)), await status(await serverOf(added))]).toEqual([200, 200]);
    await expect(status(await serverOf(unknown))).rejects.toThrow(/certificate|signed/);
  });

  it('is trusted by the clients of Azure beside those that are trusted anyway', async () => {
    using transport = createTransport(options());
    const { httpClient } = transport.credential;
    const status = async (port: number) => {
      const request = createPipelineRequest({ url: `https://127.0.0.1:${port}/`, method: 'GET' });
      return (await httpClient.sendRequest(request)).status;
    };
    expect([await status(await serverOf(known)), await status(await serverOf(added))]).toEqual([200, 200]);
    await expect(status(await serverOf(unknown))).rejects.toThrow(/certificate|signed/);
  });
});
