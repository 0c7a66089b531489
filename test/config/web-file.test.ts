import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigError, loadConfig } from '../../src/config/load.ts';
import { loadWebFile } from '../../src/config/web-file.ts';
import { SERVICES } from '../../src/providers/index.ts';
import { COSTLY_HASH, HASH, TLS, webFolder } from '../web/secured.ts';
import { TARGETS } from './files.ts';

/** What is said of a file, each as `line:column: message`. */
async function said(yaml: string): Promise<readonly string[]> {
  await using folder = await webFolder();
  const file = await folder.put('web.yml', yaml);
  try {
    await loadWebFile(file);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    expect(error.message).not.toMatch(/canary|Xk\/yl|PRIVATE/);
    return error.issues.map(({ line, column, message }) => `${line}:${column}: ${message}`);
  }
}

const CLIENTS = `${TLS}  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n`;
const EXPECTED_HASH =
  'expected the bcrypt hash of a password, as htpasswd -nBC 10 prints it after the colon ($2a$, $2b$ or $2y$)';
const ASK = 'nobody is asked for a certificate: add client_auth_type: RequireAndVerifyClientCert';

describe('the file of the web server', () => {
  it.each<[string, readonly string[]]>([
    ['', ['1:1: this file is empty']],
    ['# nothing\n', ['1:1: this file is empty']],
    [
      'basic_auth_users: [',
      ['1:20: this is not valid YAML: the indentation does not fit the lines around it, or a bracket is not closed'],
    ],
    [
      'tls: {}\n',
      [
        '1:1: unknown key "tls": expected "basic_auth_users", "http_server_config", "rate_limit" or "tls_server_config"',
      ],
    ],
    [
      'tls_server_config: { certfile: a }\n',
      ['1:22: unknown key "certfile" in tls_server_config: did you mean "cert_file"?'],
    ],
    [
      `${TLS}  min_version: TLS1.2\n`,
      ['4:16: tls_server_config.min_version: expected "TLS10", "TLS11", "TLS12" or "TLS13"; did you mean "TLS12"?'],
    ],
    [`${TLS}  max_version: TLS11\n`, ['4:16: tls_server_config.max_version: only TLS 1.2 and 1.3 are spoken']],
    [
      `${TLS}  min_version: TLS13\n  max_version: TLS12\n`,
      ['4:16: tls_server_config.min_version: is newer than max_version'],
    ],
    [
      `${TLS}  cipher_suites: [TLS_RSA_WITH_AES_128_GCM_SHA256]\n`,
      [
        '4:19: tls_server_config.cipher_suites[0]: expected a cipher suite with forward secrecy by its name in Go, such as TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
      ],
    ],
    [
      `${TLS}  max_version: TLS12\n  cipher_suites: [TLS_AES_128_GCM_SHA256]\n`,
      ['5:3: tls_server_config.cipher_suites: names none for TLS 1.2, and max_version allows nothing newer'],
    ],
    [
      `${TLS}  curve_preferences: [CurveP257]\n`,
      [
        '4:23: tls_server_config.curve_preferences[0]: expected "CurveP256", "CurveP384", "CurveP521" or "X25519"; did you mean "CurveP256"?',
      ],
    ],
    [
      `${TLS}  client_auth_type: Require\n`,
      [
        '4:21: tls_server_config.client_auth_type: expected "NoClientCert", "RequestClientCert", "RequireAnyClientCert", "RequireClientCert", "VerifyClientCertIfGiven" or "RequireAndVerifyClientCert"',
      ],
    ],
    [
      `${TLS}  client_auth_type: RequireAndVerifyClientCert\n`,
      [
        '4:21: tls_server_config.client_auth_type: needs to know whom to trust: add client_ca_file; any certificate of a public authority would do otherwise',
      ],
    ],
    [`${TLS}  client_ca_file: ca.pem\n`, [`4:3: tls_server_config.client_ca_file: ${ASK}`]],
    [`${TLS}  client_allowed_sans: [a]\n`, [`4:3: tls_server_config.client_allowed_sans: ${ASK}`]],
    [
      `${CLIENTS}  client_ca: canary\n`,
      ['6:3: tls_server_config.client_ca: give only one of "client_ca" or "client_ca_file"'],
    ],
    [
      'tls_server_config: {}\n',
      [
        '1:1: tls_server_config: missing: expected "cert_file" or "cert"',
        '1:1: tls_server_config: missing: expected "key_file" or "key"',
      ],
    ],
    [
      TLS.replace('server.pem', 'gone.pem'),
      [
        '2:14: tls_server_config.cert_file: cannot read the file: there is no such file (a relative path starts beside this configuration)',
      ],
    ],
    [
      TLS.replace('server.pem', 'server.key'),
      ['2:14: tls_server_config.cert_file: expected certificates in PEM format, and holds none'],
    ],
    [
      TLS.replace('server.key', 'server.pem'),
      ['3:13: tls_server_config.key_file: expected a private key in PEM format without a passphrase'],
    ],
    [TLS.replace('server.key', 'client.key'), ['3:13: tls_server_config.key_file: belongs to another certificate']],
    [
      CLIENTS.replace('ca.pem', 'server.key'),
      ['5:19: tls_server_config.client_ca_file: expected certificates in PEM format, and holds none'],
    ],
    [
      'tls_server_config:\n  cert: "-----BEGIN CERTIFICATE-----canary-----END CERTIFICATE-----"\n  key: canary\n',
      [
        '2:9: tls_server_config.cert: holds a certificate that cannot be read',
        '3:8: tls_server_config.key: expected a private key in PEM format without a passphrase',
      ],
    ],
    [
      'tls_server_config:\n  cert: "-----BEGIN CERTIFICATE-----\\ncanary\\n-----END CERTIFICATE-----"\n  key_file: server.key\n',
      ['2:9: tls_server_config.cert: holds a certificate that cannot be read'],
    ],
    ['basic_auth_users:\n', ['1:1: basic_auth_users: has no value: give it one, or remove the line']],
    ['basic_auth_users: [a]\n', ['1:1: basic_auth_users: expected settings (name: bcrypt hash)']],
    ['basic_auth_users: { a: canary }\n', [`1:24: basic_auth_users.a: ${EXPECTED_HASH}`]],
    ['basic_auth_users: { __proto__: canary }\n', [`1:32: basic_auth_users.…: ${EXPECTED_HASH}`]],
    [
      'basic_auth_users: { a: }\n',
      ['1:21: basic_auth_users.a: has no value: give it a bcrypt hash, or remove the line'],
    ],
    [`basic_auth_users: { a: ${HASH.replace('$2b$', '$2x$')} }\n`, [`1:24: basic_auth_users.a: ${EXPECTED_HASH}`]],
    [`basic_auth_users: { a: ${HASH.replace('$04$', '$03$')} }\n`, [`1:24: basic_auth_users.a: ${EXPECTED_HASH}`]],
    [`basic_auth_users: { a: ${HASH.slice(0, -1)} }\n`, [`1:24: basic_auth_users.a: ${EXPECTED_HASH}`]],
    [
      `basic_auth_users: { a: ${HASH.replace('$04$', '$15$')} }\n`,
      ['1:24: basic_auth_users.a: a cost above 14 makes every first login wait for seconds: hash it anew with 10'],
    ],
    [
      `basic_auth_users: { "a:b": ${HASH} }\n`,
      ['1:28: basic_auth_users.…: a name with a colon in it can never log in'],
    ],
    [
      `basic_auth_users: { a: ${HASH}, a: ${HASH} }\n`,
      ['1:86: this key was given before, on line 1: remove one of the two'],
    ],
    [
      'http_server_config: { headers: { Content-Type: canary } }\n',
      [
        '1:34: unknown key "Content-Type" in http_server_config.headers: expected "Content-Security-Policy", "Strict-Transport-Security", "X-Content-Type-Options", "X-Frame-Options" or "X-XSS-Protection"',
      ],
    ],
    [
      'http_server_config: { headers: { X-Frame-Options: DENY } }\n',
      ['1:51: http_server_config.headers.X-Frame-Options: expected "deny" or "sameorigin"; did you mean "deny"?'],
    ],
    [
      'http_server_config: { headers: { X-XSS-Protection: "1\\r\\nSet-Cookie: canary" } }\n',
      ['1:52: http_server_config.headers.X-XSS-Protection: expected text that a header can hold'],
    ],
    ['http_server_config: { http2: yes }\n', ['1:30: http_server_config.http2: expected true or false']],
    [
      'rate_limit: { interval: 1d, burst: 1 }\n',
      ['1:25: rate_limit.interval: expected a duration such as 100ms or 1s, or 0'],
    ],
    [
      'rate_limit: { interval: 1s, burst: 0 }\n',
      ['1:36: rate_limit.burst: a burst below 1 lets no request through at all'],
    ],
  ])('%j is told what is wrong, and where', async (yaml, expected) => {
    expect(await said(yaml)).toEqual(expected);
  });

  it('has the defaults of the toolkit, and takes a dollar sign for one', async () => {
    await using folder = await webFolder();
    const file = await folder.put(
      'web.yml',
      `${TLS}http_server_config: { headers: { X-XSS-Protection: "\${HOME}" } }\n`,
    );
    const { web, files, warnings } = await loadWebFile(file);
    expect(web.tls?.clients).toEqual({ certificate: 'none', verified: false });
    expect(web.tls?.context).toMatchObject({ minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3', honorCipherOrder: true });
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is meant
    expect([...web.headers, web.users.size, web.rateLimit]).toEqual([['X-XSS-Protection', '${HOME}'], 0, undefined]);
    expect(files).toEqual(['web.yml', 'server.pem', 'server.key'].map((name) => join(folder.path, name)));
    expect(warnings).toEqual([]);
  });

  it.each([
    ['1s', 1_000],
    ['1m30s', 90_000],
    ['250ms', 250],
    ['1.5s', 1_500],
    ['100us', 0.1],
  ])('takes durations as Go writes them: %s is %d ms', async (interval, intervalMs) => {
    await using folder = await webFolder();
    const file = await folder.put('web.yml', `rate_limit: { interval: ${interval}, burst: 2 }\n`);
    expect((await loadWebFile(file)).web.rateLimit).toEqual({ intervalMs, burst: 2 });
  });
});

describe('a listen that other machines reach', () => {
  const OPEN = `listen: 0.0.0.0:0\n${TARGETS}web: { configFile: web.yml }\n`;

  async function load(web: string, main = OPEN) {
    await using folder = await webFolder();
    await folder.put('web.yml', web);
    const file = await folder.put('keyvigil.yml', main);
    return await loadConfig(file, { env: {}, services: SERVICES }).then(
      ({ warnings }) => warnings.map((text) => text.replaceAll(`${folder.path}/`, '')),
      (error: ConfigError) => error.message.replaceAll(`${folder.path}/`, '').split('\n'),
    );
  }

  it.each([
    ['users', `basic_auth_users: { a: ${COSTLY_HASH} }\n`],
    ['required certificates', CLIENTS],
  ])('may be one where web.configFile asks for %s', async (_, web) => {
    expect(await load(web)).toEqual([]);
  });

  it.each([
    ['nothing', 'http_server_config: { http2: false }\n'],
    ['no users', 'basic_auth_users: {}\n'],
    ['nothing but TLS', TLS],
    ['any certificate', `${TLS}  client_auth_type: RequireAnyClientCert\n`],
    ['certificates that need not be given', CLIENTS.replace('RequireAndVerifyClientCert', 'VerifyClientCertIfGiven')],
  ])('is refused where it asks for %s, unless that is wanted', async (_, web) => {
    expect(await load(web)).toEqual([
      'keyvigil.yml:1:9: listen: every machine that reaches this address could read everything: listen on 127.0.0.1, let web.configFile ask for passwords or client certificates, or say web.allowUnauthenticated: true',
    ]);
    expect(await load(web, OPEN.replace('{ conf', '{ allowUnauthenticated: true, conf'))).toEqual([]);
  });

  it('is told what is wrong with that file beside what is wrong with its own', async () => {
    expect(await load('basic_auth_users: { a: canary }\n', `${OPEN}colour: red\n`)).toEqual([
      expect.stringMatching(/^keyvigil\.yml:4:1: unknown key "colour"/),
      `web.yml:1:24: basic_auth_users.a: ${EXPECTED_HASH}`,
    ]);
  });

  it('is warned of a key that others can read', async () => {
    await using folder = await webFolder();
    const file = await folder.put('web.yml', CLIENTS);
    await chmod(join(folder.path, 'server.key'), 0o644);
    expect((await loadWebFile(file)).warnings).toEqual([
      expect.objectContaining({
        line: 3,
        message: 'tls_server_config.key_file: other users can read this secret: chmod 600 the file',
      }),
    ]);
    await mkdir(join(folder.path, 'directory'));
    await expect(loadWebFile(join(folder.path, 'directory'))).rejects.toThrow('expected a file');
  });
});
