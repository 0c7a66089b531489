/**
 * The file that `web.configFile` names, in the format of Prometheus' exporter-toolkit
 * (https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md). What a field may hold, and what
 * fields demand of each other. Stricter than the toolkit where that would go on with less protection than the file asks
 * for; `test/interop/web-config.test.ts` lists every difference.
 */
import { z } from 'zod';
import type { Path } from './document.ts';
import { says } from './messages.ts';

/** TLS 1.2 cipher suites by their names in Go, with forward secrecy, and what OpenSSL calls them. */
export const CIPHER_SUITES: Readonly<Record<string, string>> = {
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: 'ECDHE-ECDSA-AES128-GCM-SHA256',
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: 'ECDHE-RSA-AES128-GCM-SHA256',
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: 'ECDHE-ECDSA-AES256-GCM-SHA384',
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: 'ECDHE-RSA-AES256-GCM-SHA384',
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-ECDSA-CHACHA20-POLY1305',
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-RSA-CHACHA20-POLY1305',
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA: 'ECDHE-ECDSA-AES128-SHA',
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA: 'ECDHE-RSA-AES128-SHA',
  TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA: 'ECDHE-ECDSA-AES256-SHA',
  TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA: 'ECDHE-RSA-AES256-SHA',
};

/** Those of TLS 1.3. Naming them changes nothing, there as here: TLS 1.3 always has all three. */
export const TLS13_SUITES = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'];

/** Curves by their names in Go, and what OpenSSL calls them. */
export const CURVES: Readonly<Record<string, string>> = {
  CurveP256: 'P-256',
  CurveP384: 'P-384',
  CurveP521: 'P-521',
  X25519: 'X25519',
};

const CLIENT_AUTH_TYPES = [
  'NoClientCert',
  'RequestClientCert',
  'RequireAnyClientCert',
  'RequireClientCert',
  'VerifyClientCertIfGiven',
  'RequireAndVerifyClientCert',
] as const;

const VERSIONS = ['TLS10', 'TLS11', 'TLS12', 'TLS13'] as const;
type Version = (typeof VERSIONS)[number];

/** A check of a password at cost 14 takes over a second, at 15 over three: a scrape would time out before its answer. */
const MAX_COST = 14;
const HASH = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;

const Text = z.string().min(1);

function hashProblem(hash: unknown): string | undefined {
  if (hash === null || hash === undefined) return 'has no value: give it a bcrypt hash, or remove the line';
  const cost = Number(typeof hash === 'string' ? HASH.exec(hash)?.[1] : undefined);
  if (!(cost >= 4 && cost <= 31)) {
    return 'expected the bcrypt hash of a password, as htpasswd -nBC 10 prints it after the colon ($2a$, $2b$ or $2y$)';
  }
  return cost > MAX_COST
    ? `a cost above ${MAX_COST} makes every first login wait for seconds: hash it anew with 10`
    : undefined;
}

/** By hand: zod's records leave out what is called `__proto__`, and a user that is left out is one who need not log in. */
const Users = z.unknown().transform((value, context): ReadonlyMap<string, string> => {
  const users = new Map<string, string>();
  const fail = (message: string, path: string[]) =>
    context.issues.push({ code: 'custom', message, input: value, path });
  if (value === null) fail('has no value: give it one, or remove the line', []);
  else if (typeof value !== 'object' || Array.isArray(value)) fail('expected settings (name: bcrypt hash)', []);
  else {
    for (const [name, hash] of Object.entries(value)) {
      const problem = name.includes(':') ? 'a name with a colon in it can never log in' : hashProblem(hash);
      if (problem === undefined) users.set(name, hash);
      else fail(problem, [name]);
    }
  }
  return users;
});

/** What may stand in a header of HTTP: no line end above all (RFC 9110 5.5). */
const HeaderValue = z
  .union([z.string(), z.number()], { error: says('expected text') })
  .transform(String)
  .refine((text) => /^[\t\x20-\x7e\x80-\xff]*$/.test(text), { error: 'expected text that a header can hold' });

const DURATION = 'expected a duration such as 100ms or 1s, or 0';
const GO_DURATION = /^(0|(\d{1,9}(\.\d{1,9})?(ns|us|µs|ms|s|m|h)){1,6})$/;
const UNITS = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;

/** A duration as Go writes it: `1s`, `1m30s`, `0`. Gives ms. */
const GoDuration = z
  .union([z.literal(0), z.string()], { error: says(DURATION) })
  .refine((value) => GO_DURATION.test(String(value)), { error: DURATION, abort: true })
  .transform((value) => {
    let ms = 0;
    for (const [, count, unit] of String(value).matchAll(/([\d.]+)([a-zµ]+)/g)) {
      ms += Number(count) * UNITS[unit as keyof typeof UNITS];
    }
    return ms;
  });

const Tls = z.strictObject({
  cert: Text.optional(),
  cert_file: Text.optional(),
  key: Text.optional(),
  key_file: Text.optional(),
  client_auth_type: z.enum(CLIENT_AUTH_TYPES).default('NoClientCert'),
  client_ca: Text.optional(),
  client_ca_file: Text.optional(),
  client_allowed_sans: z.array(Text).min(1).optional(),
  min_version: z.enum(VERSIONS).default('TLS12'),
  max_version: z.enum(VERSIONS).default('TLS13'),
  cipher_suites: z
    .array(
      z.enum([...Object.keys(CIPHER_SUITES), ...TLS13_SUITES], {
        error: says(
          'expected a cipher suite with forward secrecy by its name in Go, such as TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
        ),
      }),
    )
    .default([]),
  curve_preferences: z.array(z.enum(Object.keys(CURVES))).default([]),
  prefer_server_cipher_suites: z.boolean().default(true),
});

/** The schema of the file. */
export const WebFileSchema = z.strictObject({
  tls_server_config: Tls.optional(),
  http_server_config: z
    .strictObject({
      // Both are taken: HTTP/1.1 is what is spoken, and every client of HTTP/2 speaks that too.
      http2: z.boolean().default(true),
      headers: z
        .strictObject({
          'Content-Security-Policy': HeaderValue.optional(),
          'Strict-Transport-Security': HeaderValue.optional(),
          'X-Content-Type-Options': z.literal('nosniff').optional(),
          'X-Frame-Options': z.enum(['deny', 'sameorigin']).optional(),
          'X-XSS-Protection': HeaderValue.optional(),
        })
        .prefault({}),
    })
    .prefault({}),
  basic_auth_users: Users.optional(),
  rate_limit: z.strictObject({ interval: GoDuration.prefault(0), burst: z.int().min(0).default(0) }).optional(),
});

/** What the schema makes of a file. */
export type WebFileSchema = z.output<typeof WebFileSchema>;
export type TlsFields = NonNullable<WebFileSchema['tls_server_config']>;

/** A rule that is broken. */
export interface WebViolation {
  readonly path: Path;
  readonly at: 'key' | 'value';
  readonly message: string;
}

/** What fields demand of each other. */
export function webViolations({ tls_server_config: tls, rate_limit: limit }: WebFileSchema): readonly WebViolation[] {
  const found = tls ? tlsViolations(tls) : [];
  if (limit && limit.interval > 0 && limit.burst < 1) {
    found.push({
      path: ['rate_limit', 'burst'],
      at: 'value',
      message: 'a burst below 1 lets no request through at all',
    });
  }
  return found;
}

function tlsViolations(tls: TlsFields): WebViolation[] {
  const found: WebViolation[] = [];
  const refuse = (name: keyof TlsFields | undefined, message: string, at: 'key' | 'value' = 'key') =>
    found.push({ path: ['tls_server_config', ...(name === undefined ? [] : [name])], at, message });
  for (const way of ['cert', 'key', 'client_ca'] as const) {
    const file = `${way}_file` as const;
    if (tls[way] !== undefined && tls[file] !== undefined) refuse(way, `give only one of "${way}" or "${file}"`);
    // Without it the toolkit goes on in plain HTTP, whatever else stands here.
    else if (way !== 'client_ca' && tls[way] === undefined && tls[file] === undefined) {
      refuse(undefined, `missing: expected "${file}" or "${way}"`);
    }
  }
  const authority = tls.client_ca_file === undefined && tls.client_ca === undefined ? undefined : ('given' as const);
  const type = tls.client_auth_type;
  if (authority && type === 'NoClientCert') {
    const name = tls.client_ca_file === undefined ? 'client_ca' : 'client_ca_file';
    refuse(name, 'nobody is asked for a certificate: add client_auth_type: RequireAndVerifyClientCert');
  }
  if (tls.client_allowed_sans && type === 'NoClientCert') {
    refuse(
      'client_allowed_sans',
      'nobody is asked for a certificate: add client_auth_type: RequireAndVerifyClientCert',
    );
  }
  if (!authority && type === 'RequireAndVerifyClientCert') {
    const message =
      'needs to know whom to trust: add client_ca_file; any certificate of a public authority would do otherwise';
    refuse('client_auth_type', message, 'value');
  }
  const rank = (version: Version) => VERSIONS.indexOf(version);
  if (rank(tls.max_version) < rank('TLS12')) refuse('max_version', 'only TLS 1.2 and 1.3 are spoken', 'value');
  else if (rank(tls.min_version) > rank(tls.max_version)) refuse('min_version', 'is newer than max_version', 'value');
  const named = tls.cipher_suites;
  if (tls.max_version === 'TLS12' && named.length > 0 && !named.some((name) => Object.hasOwn(CIPHER_SUITES, name))) {
    refuse('cipher_suites', 'names none for TLS 1.2, and max_version allows nothing newer');
  }
  return found;
}
