import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { HttpRequest } from '../http.ts';

/** What an `Authorization` header of Signature Version 4 says about who calls what, and where. */
export type Authorization = {
  readonly accessKeyId: string;
  /** yyyymmdd */
  readonly day: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
};

/** Why a signature is not accepted; `skew` carries AWS's text, which names both clocks. */
export type SignatureCheck =
  | { readonly ok: true }
  | { readonly ok: false; readonly because: 'mismatch' }
  | { readonly ok: false; readonly because: 'skew'; readonly message: string };

/** AWS accepts a request whose time is at most this far from its own. */
const MAX_SKEW_MS = 5 * 60_000;

/** Reads the header; undefined when it is missing or is not Signature Version 4. */
export function parseAuthorization(header: string | undefined): Authorization | undefined {
  const match = header?.match(
    /^AWS4-HMAC-SHA256 Credential=([^/,\s]+)\/(\d{8})\/([^/,\s]+)\/([^/,\s]+)\/aws4_request, ?SignedHeaders=([^,\s]+), ?Signature=([0-9a-f]{64})$/,
  );
  if (!match) return undefined;
  const [, accessKeyId = '', day = '', region = '', service = '', signedHeaders = '', signature = ''] = match;
  return { accessKeyId, day, region, service, signedHeaders: signedHeaders.split(';'), signature };
}

/** How many derived keys are kept. */
const DERIVED_KEYS = 256;

/** Checks signatures; keeps the keys it derived, so that a busy client costs one derivation a day. */
export class SignatureChecker {
  readonly #keys = new Map<string, Buffer>();

  /** Checks time and signature of a request against the secret key of its caller, as AWS does. `now` is in ms. */
  check(request: HttpRequest, authorization: Authorization, secretAccessKey: string, now: number): SignatureCheck {
    const stamp = request.headers['x-amz-date'] ?? '';
    const skew = skewMessage(stamp, now);
    if (skew !== undefined) return { ok: false, because: 'skew', message: skew };
    const { day, region, service } = authorization;
    const toSign = [
      'AWS4-HMAC-SHA256',
      stamp,
      `${day}/${region}/${service}/aws4_request`,
      sha256(canonicalRequest(request, authorization.signedHeaders)),
    ].join('\n');
    const expected = createHmac('sha256', this.#key(secretAccessKey, day, region, service))
      .update(toSign)
      .digest();
    const given = Buffer.from(authorization.signature, 'hex');
    return timingSafeEqual(expected, given) ? { ok: true } : { ok: false, because: 'mismatch' };
  }

  #key(secretAccessKey: string, day: string, region: string, service: string): Buffer {
    const name = `${secretAccessKey}/${day}/${region}/${service}`;
    const known = this.#keys.get(name);
    if (known) return known;
    let key: Buffer = Buffer.from(`AWS4${secretAccessKey}`);
    for (const part of [day, region, service, 'aws4_request']) key = createHmac('sha256', key).update(part).digest();
    if (this.#keys.size >= DERIVED_KEYS) this.#keys.clear();
    this.#keys.set(name, key);
    return key;
  }
}

function skewMessage(stamp: string, now: number): string | undefined {
  const match = stamp.match(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/);
  if (!match) return "Date must be in ISO-8601 'basic format'. Got ''. See http://en.wikipedia.org/wiki/ISO_8601";
  const [, year, month, dayOfMonth, hour, minute, second] = match;
  const at = Date.parse(`${year}-${month}-${dayOfMonth}T${hour}:${minute}:${second}Z`);
  const own = basicTime(now);
  if (at < now - MAX_SKEW_MS) {
    return `Signature expired: ${stamp} is now earlier than ${basicTime(now - MAX_SKEW_MS)} (${own} - 5 min.)`;
  }
  if (at > now + MAX_SKEW_MS) {
    return `Signature not yet current: ${stamp} is still later than ${basicTime(now + MAX_SKEW_MS)} (${own} + 5 min.)`;
  }
  return undefined;
}

function basicTime(at: number): string {
  return `${new Date(at).toISOString().replaceAll(/[-:]/g, '').slice(0, 15)}Z`;
}

function canonicalRequest(request: HttpRequest, signedHeaders: readonly string[]): string {
  const [path = '/', query = ''] = request.path.split('?', 2);
  const headers = signedHeaders.map(
    (name) => `${name}:${(request.headers[name] ?? '').trim().replaceAll(/ +/g, ' ')}\n`,
  );
  return [
    request.method,
    canonicalPath(path),
    canonicalQuery(query),
    headers.join(''),
    signedHeaders.join(';'),
    sha256(request.body),
  ].join('\n');
}

/** Every service but S3 signs the path as it is sent, encoded once more. */
function canonicalPath(path: string): string {
  const encoded = (segment: string) =>
    encodeURIComponent(segment).replaceAll(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);
  return path.split('/').map(encoded).join('/');
}

/** Sorted by name, then by value; a parameter without a value is signed with an empty one. */
function canonicalQuery(query: string): string {
  if (query === '') return '';
  const pairs = query.split('&').map((part) => {
    const [name = '', ...value] = part.split('=');
    return { name, value: value.join('=') };
  });
  pairs.sort((one, other) => order(one.name, other.name) || order(one.value, other.value));
  return pairs.map(({ name, value }) => `${name}=${value}`).join('&');
}

function order(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}
