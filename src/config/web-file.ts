/** The file of the web server and the certificates that it names: what they come to, or everything that is wrong. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { ConfigError, type ConfigIssue, checkSchema, tidy } from './check.ts';
import { type ConfigDocument, type Path, readDocument } from './document.ts';
import { pathText } from './messages.ts';
import { lookAt, readText } from './read.ts';
import { CIPHER_SUITES, CURVES, TLS13_SUITES, type TlsFields, WebFileSchema, webViolations } from './web-schema.ts';

/** How the server proves who it is, and what it asks of those who connect. */
export interface WebTls {
  /** For `createSecureContext`. Holds the private key. */
  readonly context: SecureContextOptions;
  readonly clients: {
    /** Whether a certificate is asked for, and whether nobody gets in without one. */
    readonly certificate: 'none' | 'optional' | 'required';
    /** Whether a certificate that is given must come from the authority. */
    readonly verified: boolean;
    /** A certificate must carry one of these names. */
    readonly allowedSans?: readonly string[];
  };
}

/** What the file of the web server comes to. */
export interface WebFile {
  /** Plain HTTP without it. */
  readonly tls?: WebTls;
  /** Headers of every answer; one that is empty is left out of it. */
  readonly headers: ReadonlyMap<string, string>;
  /** bcrypt hashes by user name; nobody is asked for a password when it is empty. */
  readonly users: ReadonlyMap<string, string>;
  /** One request every so many ms, so many of them at once. */
  readonly rateLimit?: { readonly intervalMs: number; readonly burst: number };
  /** Whether nobody gets in who cannot prove who they are. */
  readonly authenticates: boolean;
}

/** What a file was read from. */
export interface LoadedWebFile {
  readonly web: WebFile;
  readonly warnings: readonly ConfigIssue[];
  /** Every file that was read, absolute. */
  readonly files: readonly string[];
}

/**
 * Reads the file and everything that it names. A dollar sign is a dollar sign here, as in the toolkit: a hash is full of them.
 * @param file absolute
 * @throws ConfigError with everything that is wrong; no message holds a value
 */
export async function loadWebFile(file: string): Promise<LoadedWebFile> {
  const { error } = await lookAt(file, false);
  if (error) throw new ConfigError([{ file, line: 1, column: 1, message: error }]);
  const document = readDocument(await readText(file));
  if (!('value' in document)) throw new ConfigError(tidy(file, document.problems));
  const { parsed, problems } = checkSchema(document, WebFileSchema);
  const sorry = new Complaints(file, document);
  for (const problem of [...document.problems, ...problems]) sorry.problems.push(problem);
  for (const { path, at, message } of parsed ? webViolations(parsed) : []) sorry.refuse(path, message, at);
  const fields = parsed?.tls_server_config;
  const tls = fields && sorry.problems.length === 0 ? await readTls(fields, resolve(file, '..'), sorry) : undefined;
  if (!parsed || sorry.problems.length > 0) throw new ConfigError(tidy(file, sorry.problems));

  const users = parsed.basic_auth_users ?? new Map<string, string>();
  const { rate_limit: limit } = parsed;
  const web: WebFile = {
    ...(tls ? { tls: tls.settings } : {}),
    headers: new Map(Object.entries(parsed.http_server_config.headers).map(([name, value]) => [name, value ?? ''])),
    users,
    ...(limit && limit.interval > 0 ? { rateLimit: { intervalMs: limit.interval, burst: limit.burst } } : {}),
    // The other types let in whoever signs a certificate of their own, or shows none.
    authenticates: users.size > 0 || fields?.client_auth_type === 'RequireAndVerifyClientCert',
  };
  return { web, warnings: tidy(file, sorry.warnings), files: [file, ...(tls?.files ?? [])] };
}

/**
 * What files are at the moment: another text when one of them was written or replaced since. Total.
 * @param files absolute
 */
export async function signatureOf(files: readonly string[]): Promise<string> {
  const signatures = await Promise.all(
    files.map(async (file) => {
      const found = await stat(file, { bigint: true }).catch(() => undefined);
      return found ? `${found.dev} ${found.ino} ${found.size} ${found.mtimeNs} ${found.ctimeNs}` : 'none';
    }),
  );
  return signatures.join('\n');
}

class Complaints {
  readonly file: string;
  readonly document: ConfigDocument;
  readonly problems: { line: number; column: number; message: string }[] = [];
  readonly warnings: { line: number; column: number; message: string }[] = [];

  constructor(file: string, document: ConfigDocument) {
    this.file = file;
    this.document = document;
  }

  refuse(path: Path, message: string, at: 'key' | 'value' = 'value'): undefined {
    this.problems.push({ ...this.document.place(path, at), message: `${pathText(path)}: ${message}` });
  }

  warn(path: Path, message: string): void {
    this.warnings.push({ ...this.document.place(path, 'value'), message: `${pathText(path)}: ${message}` });
  }
}

/** PEM text, and where it was given. */
interface Material {
  readonly pem: string;
  readonly path: Path;
}

async function readTls(
  fields: TlsFields,
  directory: string,
  sorry: Complaints,
): Promise<{ readonly settings: WebTls; readonly files: readonly string[] } | undefined> {
  const files: string[] = [];

  async function material(way: 'cert' | 'key' | 'client_ca'): Promise<Material | undefined> {
    const named = fields[`${way}_file`];
    const inline = fields[way];
    if (named === undefined)
      return inline === undefined ? undefined : { pem: inline, path: ['tls_server_config', way] };
    const path = ['tls_server_config', `${way}_file`];
    const absolute = resolve(directory, named);
    files.push(absolute);
    const { error, warning } = await lookAt(absolute, way === 'key');
    if (error) return sorry.refuse(path, error);
    if (warning) sorry.warn(path, warning);
    try {
      return { pem: await readText(absolute), path };
    } catch (problem) {
      if (!(problem instanceof ConfigError)) throw problem;
      return sorry.refuse(path, problem.issues[0]?.message ?? 'cannot be read');
    }
  }

  const [cert, key, authority] = [await material('cert'), await material('key'), await material('client_ca')];
  const leaf = cert && certificateOf(cert, sorry);
  if (authority) certificateOf(authority, sorry);
  const secret = key && privateKeyOf(key, sorry);
  if (leaf && secret && key && !leaf.checkPrivateKey(secret)) sorry.refuse(key.path, 'belongs to another certificate');
  if (!cert || !key || sorry.problems.length > 0) return undefined;

  const context = contextOf(fields, cert.pem, key.pem, authority?.pem);
  try {
    createSecureContext(context);
  } catch (error) {
    // OpenSSL's code says what it is about, and nothing of what stands in the files.
    const { code } = error as NodeJS.ErrnoException;
    return sorry.refuse(cert.path, `TLS cannot use this certificate and key (${code ?? 'unknown error'})`);
  }
  return { settings: { context, clients: clientsOf(fields) }, files };
}

function certificateOf({ pem, path }: Material, sorry: Complaints): X509Certificate | undefined {
  const found = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (found.length === 0) return sorry.refuse(path, 'expected certificates in PEM format, and holds none');
  try {
    return found.map((one) => new X509Certificate(one))[0];
  } catch {
    return sorry.refuse(path, 'holds a certificate that cannot be read');
  }
}

function privateKeyOf({ pem, path }: Material, sorry: Complaints) {
  try {
    return createPrivateKey(pem);
  } catch {
    return sorry.refuse(path, 'expected a private key in PEM format without a passphrase');
  }
}

function contextOf(fields: TlsFields, cert: string, key: string, ca: string | undefined): SecureContextOptions {
  const named = fields.cipher_suites.flatMap((name) => CIPHER_SUITES[name] ?? []);
  // As in Go, naming only suites of TLS 1.3 leaves none for TLS 1.2.
  const only13 = fields.min_version === 'TLS13' || (fields.cipher_suites.length > 0 && named.length === 0);
  // Without a list: all that also authenticate what they encrypt.
  const suites = named.length > 0 ? named : Object.values(CIPHER_SUITES).filter((name) => !name.endsWith('-SHA'));
  return {
    cert,
    key,
    ...(ca === undefined ? {} : { ca }),
    minVersion: only13 ? 'TLSv1.3' : 'TLSv1.2',
    maxVersion: fields.max_version === 'TLS12' ? 'TLSv1.2' : 'TLSv1.3',
    ciphers: [...TLS13_SUITES, ...suites].join(':'),
    honorCipherOrder: fields.prefer_server_cipher_suites,
    ...(fields.curve_preferences.length === 0
      ? {}
      : { ecdhCurve: fields.curve_preferences.map((name) => CURVES[name]).join(':') }),
  };
}

function clientsOf({ client_auth_type: type, client_allowed_sans: allowedSans }: TlsFields): WebTls['clients'] {
  // A name that must be found on a certificate asks for one, as in the toolkit.
  const required = type.startsWith('Require') || allowedSans !== undefined;
  return {
    certificate: type === 'NoClientCert' ? 'none' : required ? 'required' : 'optional',
    verified: type === 'RequireAndVerifyClientCert' || type === 'VerifyClientCertIfGiven',
    ...(allowedSans ? { allowedSans } : {}),
  };
}
