import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as connectPlain } from 'node:net';
import { join } from 'node:path';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { basic, FIXTURES, get, HASH, keptAgent, secured, TLS, until } from './secured.ts';

let open = new AsyncDisposableStack();
afterEach(async () => {
  await open.disposeAsync();
  open = new AsyncDisposableStack();
});

const pem = (name: string) => readFileSync(join(FIXTURES, name), 'utf8');
const ca = pem('ca.pem');
const client = { ca, cert: pem('client.pem'), key: pem('client.key') };
const stranger = { ca, cert: pem('stranger.pem'), key: pem('stranger.key') };
const nobody = { ca };

/** The status of an answer, or `refused` when there is none. */
async function outcome(url: string, options: Parameters<typeof get>[1]): Promise<number | 'refused'> {
  return get(url, options).then(
    ({ status }) => status,
    () => 'refused',
  );
}

/** A handshake by hand; undefined when the server ends it. */
async function handshake(url: string, options: ConnectionOptions): Promise<TLSSocket | undefined> {
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port), ca, ...options });
  open.defer(() => void socket.destroy());
  return once(socket, 'secureConnect').then(
    () => socket,
    () => undefined,
  );
}

describe('TLS', () => {
  it('is what the port speaks, and nothing else', async () => {
    const { url } = await secured(open, TLS);
    expect(url).toMatch(/^https:/);
    expect(await get(`${url}/-/healthy`, { ca })).toMatchObject({ status: 200, server: 'server' });
    await expect(get(`${url}/-/healthy`)).rejects.toMatchObject({ code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });
    await expect(get(url.replace('https', 'http'))).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it('takes certificate, key and authority from the file itself', async () => {
    const inline = (text: string) => JSON.stringify(text);
    const { url } = await secured(
      open,
      `tls_server_config:
  cert: ${inline(pem('server.pem'))}
  key: ${inline(pem('server.key'))}
  client_ca: ${inline(ca)}
  client_auth_type: RequireAndVerifyClientCert
`,
    );
    expect(await outcome(url, client)).toBe(200);
    expect(await outcome(url, nobody)).toBe('refused');
  });

  it('speaks HTTP/1.1, whatever http2 says', async () => {
    const { url } = await secured(open, `${TLS}http_server_config: { http2: true }\n`);
    const socket = await handshake(url, { ALPNProtocols: ['h2', 'http/1.1'] });
    expect(socket?.alpnProtocol).toBe('http/1.1');
  });

  it.each<[string, ConnectionOptions, string | undefined]>([
    ['', { maxVersion: 'TLSv1.2' }, 'TLSv1.2 ECDHE-ECDSA-AES128-GCM-SHA256'],
    ['', { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-SHA' }, undefined],
    ['', { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' }, undefined],
    ['min_version: TLS13', { maxVersion: 'TLSv1.2' }, undefined],
    ['max_version: TLS12', {}, 'TLSv1.2 ECDHE-ECDSA-AES128-GCM-SHA256'],
    ['min_version: TLS10', { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' }, undefined],
    [
      'cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA]',
      { maxVersion: 'TLSv1.2' },
      'TLSv1.2 ECDHE-ECDSA-AES256-SHA',
    ],
    ['cipher_suites: [TLS_AES_128_GCM_SHA256]', { maxVersion: 'TLSv1.2' }, undefined],
    ['cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA]', {}, 'TLSv1.3 TLS_AES_128_GCM_SHA256'],
    ['curve_preferences: [CurveP384]', { ecdhCurve: 'P-256' }, undefined],
    ['curve_preferences: [CurveP384]', { ecdhCurve: 'P-256:P-384' }, 'TLSv1.3 TLS_AES_128_GCM_SHA256'],
  ])('with %j and a client of %j comes to %j', async (line, options, expected) => {
    const { url } = await secured(open, `${TLS}${line === '' ? '' : `  ${line}\n`}`);
    const socket = await handshake(url, options);
    expect(socket && `${socket.getProtocol()} ${socket.getCipher().name}`).toBe(expected);
  });

  it.each([
    ['true', 'ECDHE-ECDSA-AES256-GCM-SHA384'],
    ['false', 'ECDHE-ECDSA-AES128-GCM-SHA256'],
  ])('follows its own order of suites: %s', async (prefer, name) => {
    const suites = ['TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384', 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'];
    const { url } = await secured(
      open,
      `${TLS}  cipher_suites: [${suites}]\n  prefer_server_cipher_suites: ${prefer}\n`,
    );
    const ciphers = 'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384';
    expect((await handshake(url, { maxVersion: 'TLSv1.2', ciphers }))?.getCipher().name).toBe(name);
  });

  it('cuts off clients that do not get through their handshake, and at shutdown does not wait for them', async () => {
    const { url } = await secured(open, TLS, { limits: { headersTimeoutMs: 150 } });
    const slow = connectPlain(Number(new URL(url).port), '127.0.0.1').on('error', () => undefined);
    await once(slow, 'close');
    const stack = new AsyncDisposableStack();
    const other = await secured(stack, TLS, { limits: { headersTimeoutMs: 60_000, requestTimeoutMs: 60_000 } });
    const hanging = connectPlain(Number(new URL(other.url).port), '127.0.0.1').on('error', () => undefined);
    await once(hanging, 'connect');
    const closed = once(hanging, 'close');
    await stack.disposeAsync();
    await closed;
  });
});

describe('client certificates', () => {
  const CA = '  client_ca_file: ca.pem\n';
  it.each<[string, string, number | 'refused', number | 'refused', number | 'refused']>([
    ['NoClientCert', '', 200, 200, 200],
    ['RequestClientCert', CA, 200, 200, 200],
    ['RequireAnyClientCert', CA, 200, 200, 'refused'],
    ['RequireClientCert', CA, 200, 200, 'refused'],
    ['VerifyClientCertIfGiven', CA, 200, 'refused', 200],
    ['VerifyClientCertIfGiven', '', 'refused', 'refused', 200],
    ['RequireAndVerifyClientCert', CA, 200, 'refused', 'refused'],
  ])('%s%s: ours %s, a stranger’s %s, none %s', async (type, more, ours, strangers, none) => {
    const { url, errors } = await secured(open, `${TLS}  client_auth_type: ${type}\n${more}`);
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      expect(await outcome(url, { ...client, maxVersion })).toBe(ours);
      expect(await outcome(url, { ...stranger, maxVersion })).toBe(strangers);
      expect(await outcome(url, { ...nobody, maxVersion })).toBe(none);
    }
    expect(errors).toEqual([]);
  });

  it.each<[string, number | 'refused']>([
    ['prometheus.example.com', 200],
    ['2001:db8::1', 200],
    ['spiffe://example.com/prometheus', 200],
    ['prometheus@example.com', 200],
    ['example.com', 'refused'],
    ['*.example.com', 'refused'],
    ['client', 'refused'],
    ['2001:db8::2', 'refused'],
  ])('may have to bear a name: %s', async (name, expected) => {
    const required = `  client_auth_type: RequireAndVerifyClientCert\n${CA}`;
    const { url } = await secured(open, `${TLS}${required}  client_allowed_sans: [other, "${name}"]\n`);
    expect(await outcome(url, client)).toBe(expected);
    expect(await outcome(url, stranger)).toBe('refused');
  });

  it('with a name to bear gets nobody in without one', async () => {
    const optional = `  client_auth_type: VerifyClientCertIfGiven\n${CA}`;
    const { url } = await secured(open, `${TLS}${optional}  client_allowed_sans: [prometheus.example.com]\n`);
    expect([await outcome(url, client), await outcome(url, nobody)]).toEqual([200, 'refused']);
  });

  it('come before passwords, which are asked for as well', async () => {
    const { url } = await secured(
      open,
      `${TLS}  client_auth_type: RequireAndVerifyClientCert\n${CA}basic_auth_users: { a: ${HASH} }\n`,
    );
    expect(await outcome(url, client)).toBe(401);
    expect(await outcome(url, { ...client, headers: basic('a', 'correct horse') })).toBe(200);
    expect(await outcome(url, { ...nobody, headers: basic('a', 'correct horse') })).toBe('refused');
  });
});

describe('a change of the files', () => {
  it('brings the next certificate to the next connection, and leaves those that are open', async () => {
    const { url, folder, reloads } = await secured(open, TLS);
    const agent = keptAgent(open, { ca });
    const over = async () => (await get(url, { agent })).server;
    expect(await over()).toBe('server');
    // A key that does not fit yet is no reason to stop: what was there stays.
    await folder.swap('server.key', 'rotated.key');
    await until(
      () => reloads.length,
      (count) => count > 0,
    );
    expect((await get(url, { ca })).server).toBe('server');
    await folder.swap('server.pem', 'rotated.pem');
    await until(
      () => get(url, { ca }),
      ({ server }) => server === 'rotated',
    );
    expect(await over()).toBe('server');
    expect(reloads).toEqual(['web.yml:3:13: tls_server_config.key_file: belongs to another certificate', 'taken']);
  });

  it.each<[string, string, string]>([
    ['is no YAML', 'a: [', 'web.yml:1:5: this is not valid YAML: '],
    ['is cut off', '', 'web.yml:1:1: this file is empty'],
    ['has an unknown key', `${TLS}users: {}\n`, 'web.yml:4:1: unknown key "users": '],
    ['names a file that is gone', TLS.replace('server.pem', 'gone.pem'), 'web.yml:2:14: tls_server_config.cert_file: '],
    ['gives up TLS', `basic_auth_users: { a: ${HASH} }\n`, 'web.yml:1:1: tls_server_config: TLS begins and ends only '],
    ['opens the server to everybody', TLS, 'web.yml:1:1: this would open the server to everybody'],
  ])('that %s is said once, and what was before stays', async (_, text, says) => {
    const before = `${TLS}basic_auth_users: { a: ${HASH} }\n`;
    const { url, folder, reloads } = await secured(open, before, { mustAuthenticate: true });
    await folder.put('web.yml', text);
    await until(
      () => reloads.length,
      (count) => count > 0,
    );
    for (let look = 0; look < 10; look += 1) {
      expect(await outcome(url, { ca })).toBe(401);
      expect(await outcome(url, { ca, headers: basic('a', 'correct horse') })).toBe(200);
    }
    expect(reloads).toEqual([expect.stringContaining(says)]);
    expect(reloads.join()).not.toContain(HASH);
    await folder.put('web.yml', before);
    await until(
      () => reloads.length,
      (count) => count > 1,
    );
    expect(reloads.at(-1)).toBe('taken');
  });

  it('of who may connect holds at once: for new connections, resumed ones, and those that are open', async () => {
    const required = (authority: string) =>
      `${TLS}  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ${authority}\n`;
    const { url, folder } = await secured(open, required('ca.pem'));
    const agent = keptAgent(open, client);
    expect(await outcome(url, { agent })).toBe(200);
    const first = await handshake(url, client);
    const [session] = await once(first!, 'session');
    await folder.put('web.yml', required('other-ca.pem'));
    await until(
      () => outcome(url, stranger),
      (status) => status === 200,
    );
    expect(await outcome(url, client)).toBe('refused');
    expect(await outcome(url, { agent })).toBe('refused');
    const resumed = await handshake(url, { ...client, session });
    if (resumed) {
      resumed.on('error', () => undefined).write('GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n');
      const chunks: Buffer[] = [];
      resumed.on('data', (chunk: Buffer) => chunks.push(chunk));
      await once(resumed, 'close');
      expect(chunks).toEqual([]);
    }
  });

  it('may begin and end asking for certificates', async () => {
    const { url, folder } = await secured(open, TLS);
    expect(await outcome(url, nobody)).toBe(200);
    await folder.put('web.yml', `${TLS}  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n`);
    await until(
      () => outcome(url, nobody),
      (status) => status === 'refused',
    );
    expect(await outcome(url, client)).toBe(200);
    await folder.put('web.yml', TLS);
    await until(
      () => outcome(url, nobody),
      (status) => status === 200,
    );
  });

  it('that changes nothing says nothing', async () => {
    const { folder, reloads, live } = await secured(open, TLS);
    const before = live.current;
    await folder.put('web.yml', `${TLS}# a remark\n`);
    await folder.swap('server.pem', 'server.pem');
    await folder.put('web.yml', `${TLS}http_server_config: { headers: { X-Frame-Options: deny } }\n`);
    await until(
      () => live.current,
      (current) => current !== before,
    );
    expect(reloads).toEqual(['taken']);
  });
});
