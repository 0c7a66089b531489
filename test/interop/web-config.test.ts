/**
 * Prometheus' own opinion of web config files, beside ours. Fields that came to exporter-toolkit after the installed
 * promtool was built are unknown to it: `newer` files may fail there for that reason alone. All verdicts below were also
 * compared with the toolkit of July 2026 (commit 19a7c2d).
 */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/config/load.ts';
import { loadWebFile } from '../../src/config/web-file.ts';
import { COSTLY_HASH, HASH, TLS, webFolder } from '../web/secured.ts';
import { promtool } from './tools.ts';

interface Case {
  readonly name: string;
  readonly yaml: string;
  /** Has a field that old versions of promtool do not know. */
  readonly newer?: true;
}

const one = (name: string, yaml: string, newer?: true): Case => ({ name, yaml, ...(newer ? { newer } : {}) });
const tls = (...lines: string[]) => TLS + lines.map((line) => `  ${line}\n`).join('');
const headers = (text: string) => `http_server_config: { headers: { ${text} } }\n`;
const users = (text: string) => `basic_auth_users: { ${text} }\n`;
const pem = (name: string) => `"-----BEGIN ${name}-----\\nAAAA\\n-----END ${name}-----"`;

const GOOD: readonly Case[] = [
  one('users without TLS', users(`a: ${HASH}, b: ${COSTLY_HASH.replace('$2b$', '$2y$')}`)),
  one('a user of the first version of bcrypt', users(`a: ${HASH.replace('$2b$', '$2a$')}`)),
  one('no users', users('')),
  one('TLS', TLS),
  one('TLS and users', TLS + users(`a: ${HASH}`)),
  ...['NoClientCert', 'RequestClientCert', 'RequireAnyClientCert', 'RequireClientCert', 'VerifyClientCertIfGiven'].map(
    (type) => one(type, tls(`client_auth_type: ${type}`)),
  ),
  one('verified clients', tls('client_auth_type: RequireAndVerifyClientCert', 'client_ca_file: ca.pem')),
  one('verified clients, if any', tls('client_auth_type: VerifyClientCertIfGiven', 'client_ca_file: ca.pem')),
  one('versions', tls('min_version: TLS12', 'max_version: TLS13')),
  one('an old oldest version', tls('min_version: TLS10')),
  one(
    'suites',
    tls(
      'cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256]',
      'prefer_server_cipher_suites: false',
    ),
  ),
  one('suites of TLS 1.3', tls('cipher_suites: [TLS_AES_256_GCM_SHA384]')),
  one('suites without the one that HTTP/2 wants', tls('cipher_suites: [TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384]')),
  one('curves', tls('curve_preferences: [X25519, CurveP256, CurveP384, CurveP521]')),
  one('no HTTP/2', `${TLS}http_server_config: { http2: false }\n`),
  one('HTTP/2 without TLS', 'http_server_config: { http2: true }\n'),
  one('headers', headers('X-Frame-Options: deny, X-Content-Type-Options: nosniff, X-XSS-Protection: 1')),
  one('a policy', headers(`Content-Security-Policy: "default-src 'self'", Strict-Transport-Security: max-age=1`)),
  one('an empty policy', headers('Content-Security-Policy: ""')),
  one('an alias', `${TLS.replace('server.pem', '&cert server.pem')}  client_auth_type: &type NoClientCert\n`),
  one('names of clients', tls('client_auth_type: RequireAnyClientCert', 'client_allowed_sans: [a, b]'), true),
  one('a rate', 'rate_limit: { interval: 100ms, burst: 20 }\n', true),
  one('no rate', 'rate_limit: { interval: 0, burst: 0 }\n', true),
];

const BAD: readonly Case[] = [
  one('an unknown section', 'tls_config: {}\n'),
  one('an unknown field', tls('cert_filse: a')),
  one('no YAML', 'basic_auth_users: {\n'),
  one('text', 'just text\n'),
  one('a list', '- a\n'),
  one('one key twice', `${users(`a: ${HASH}`)}${users(`b: ${HASH}`)}`),
  one('a password that is no hash', users('a: doe')),
  one('an empty password', users('a: ""')),
  one('a hash that is cut off', users(`a: ${HASH.slice(0, 50)}`)),
  one('a hash of a later version', users(`a: ${HASH.replace('$2b$', '$3b$')}`)),
  one('a cost below 4', users(`a: ${HASH.replace('$04$', '$03$')}`)),
  one('a cost above 31', users(`a: ${HASH.replace('$04$', '$32$')}`)),
  one('users in a list', 'basic_auth_users: [a]\n'),
  one('no key', 'tls_server_config: { cert_file: server.pem }\n'),
  one('no certificate', 'tls_server_config: { key_file: server.key }\n'),
  one('an empty name of a file', TLS.replace('server.pem', '""')),
  one('a certificate that is gone', TLS.replace('server.pem', 'gone.pem')),
  one('a key that is gone', TLS.replace('server.key', 'gone.key')),
  one('a key of another certificate', TLS.replace('server.key', 'client.key')),
  one('a certificate for a key', TLS.replace('server.key', 'server.pem')),
  one('a key for a certificate', TLS.replace('server.pem', 'server.key')),
  one('an authority that is gone', tls('client_auth_type: RequireAndVerifyClientCert', 'client_ca_file: gone.pem')),
  one('an authority that nobody is held against', tls('client_ca_file: ca.pem')),
  one('an unknown type of clients', tls('client_auth_type: Require')),
  one('clients without a certificate of our own', 'tls_server_config: { client_auth_type: RequireAnyClientCert }\n'),
  one('an unknown version', tls('min_version: TLS111')),
  one('a version in other words', tls('min_version: "1.2"')),
  one('an unknown suite', tls('cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA2048]')),
  one('a suite by the name of OpenSSL', tls('cipher_suites: [ECDHE-RSA-AES128-GCM-SHA256]')),
  one('a suite that Go holds for insecure', tls('cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]')),
  one('an unknown curve', tls('curve_preferences: [CurveP257]')),
  one('another header', headers('Content-Type: foo')),
  one('a frame option', headers('X-Frame-Options: foo')),
  one('a content type option', headers('X-Content-Type-Options: sniff')),
  one('text for HTTP/2', 'http_server_config: { http2: maybe }\n'),
  one('an inline certificate that is none', `tls_server_config: { cert: ${pem('CERTIFICATE')}, key: a }\n`, true),
  one('a rate in other words', 'rate_limit: { interval: soon, burst: 1 }\n', true),
];

/** Files that promtool takes and we do not, each for a reason. None goes the other way. */
const STRICTER: readonly (Case & { readonly because: string })[] = [
  { ...one('an empty file', ''), because: 'it is what a file looks like while it is written: users would vanish' },
  { ...one('remarks alone', '# later\n'), because: 'as above' },
  { ...one('a section without anything', 'basic_auth_users:\n'), because: 'as above' },
  { ...one('TLS without anything', 'tls_server_config: {}\n'), because: 'it asks for TLS, and would be plain HTTP' },
  {
    ...one('TLS without a certificate', 'tls_server_config: { min_version: TLS13 }\n'),
    because: 'it asks for TLS, and would be plain HTTP',
  },
  {
    ...one('verified clients without an authority', tls('client_auth_type: RequireAndVerifyClientCert')),
    because: 'every certificate of a public authority would do',
  },
  {
    ...one('an authority that is none', tls('client_auth_type: RequestClientCert', 'client_ca_file: server.key')),
    because: 'nobody could ever be verified',
  },
  { ...one('only old versions', tls('max_version: TLS11')), because: 'Node’s OpenSSL speaks none of them' },
  { ...one('versions the wrong way round', tls('min_version: TLS13', 'max_version: TLS12')), because: 'none is left' },
  {
    ...one('no suite', tls('max_version: TLS12', 'cipher_suites: [TLS_AES_128_GCM_SHA256]')),
    because: 'none is left for TLS 1.2',
  },
  {
    ...one('names of clients that nobody asks', tls('client_allowed_sans: [a]'), true),
    because: 'they would change nothing',
  },
  {
    ...one('a certificate in two ways', `${TLS}  cert: ${pem('CERTIFICATE')}\n`, true),
    because: 'one of the two would be ignored',
  },
  { ...one('a rate of nothing', 'rate_limit: { interval: 1s, burst: 0 }\n', true), because: 'no request would pass' },
  {
    ...one('a hash that takes seconds', users(`a: ${HASH.replace('$04$', '$18$')}`)),
    because: 'a scrape would time out before its password is compared',
  },
  {
    ...one('a hash of the broken kind', users(`a: ${HASH.replace('$2b$', '$2x$')}`)),
    because: 'nothing makes them today',
  },
  { ...one('a hash with a tail', users(`a: ${HASH}aa`)), because: 'no password ever fits it' },
  { ...one('a name with a colon', users(`"a:b": ${HASH}`)), because: 'it can never log in' },
  { ...one('a header with a line end', headers('X-XSS-Protection: "1\\nA: b"')), because: 'it is no header' },
  { ...one('yes', 'http_server_config: { http2: yes }\n'), because: 'YAML 1.2, as in the main configuration' },
  { ...one('merge keys', 'http_server_config: { <<: { http2: true } }\n'), because: 'as in the main configuration' },
];

/** Both verdicts on a file: undefined where it is taken, else what is said. */
async function verdicts({ yaml, newer }: Case) {
  await using folder = await webFolder();
  const file = await folder.put('web.yml', yaml);
  const ours = await loadWebFile(file).then(
    () => undefined,
    (error: unknown) => {
      if (error instanceof ConfigError) return error.message;
      throw error;
    },
  );
  const run = spawnSync(await promtool(), ['check', 'web-config', file], { encoding: 'utf8' });
  expect([0, 1]).toContain(run.status);
  const theirs = run.status === 0 ? undefined : `${run.stdout}${run.stderr}`;
  const tooOld = newer && /field \w+ not found in type web\./.test(theirs ?? '');
  return { ours, theirs, tooOld };
}

describe('promtool check web-config', () => {
  it.each(GOOD)('takes $name, and so do we', async (file) => {
    const { ours, theirs, tooOld } = await verdicts(file);
    expect(ours).toBeUndefined();
    if (!tooOld) expect(theirs).toBeUndefined();
  });

  it.each(BAD)('refuses $name, and so do we', async (file) => {
    const { ours, theirs } = await verdicts(file);
    expect(ours).toMatch(/web\.yml:\d+:\d+: /);
    expect(theirs).toBeDefined();
  });

  it.each(STRICTER)('takes $name, which we refuse: $because', async (file) => {
    const { ours, theirs, tooOld } = await verdicts(file);
    expect(ours).toMatch(/web\.yml:\d+:\d+: /);
    if (!tooOld) expect(theirs).toBeUndefined();
  });
});
