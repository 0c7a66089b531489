/** The one way of a receiver to the wire: a POST, and what its answer, or the lack of one, means. */
import { Agent, type Dispatcher, EnvHttpProxyAgent, errors, request } from 'undici';
import type { DeliveryFailure } from '../core/alert.ts';
import { DeadlineExceeded, withDeadline } from '../engine/deadline.ts';
import type { Delivery, ReceiverOptions } from './receiver.ts';

/** Nobody has that much to say about an alert, bytes. */
const MAX_ANSWER = 64 * 1024;
/** A receiver that asks for more patience than this is asked again all the same, ms. */
const MAX_RETRY_AFTER_MS = 3_600_000;

/** What a receiver answered. */
export interface Answer {
  readonly status: number;
  /** The body, at most 64 KiB of it. */
  readonly text: string;
  /** It would have gone on. */
  readonly cut: boolean;
  /** It is a page for people, as login pages of proxies are. */
  readonly html: boolean;
}

/** Why an answer is none that acknowledges; undefined when it does. */
export type Judge = (answer: Answer) => DeliveryFailure | undefined;

export interface Post {
  /** A user and a password in it become the `Authorization` header. */
  readonly url: string;
  /** JSON. */
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** `byStatus` unless given. */
  readonly judge?: Judge;
  /** More for people about an answer that does not acknowledge. Must hold no secret. */
  readonly explain?: (answer: Answer) => string | undefined;
}

/** Posts. Disposing cuts what is under way. */
export interface Poster extends AsyncDisposable {
  /**
   * One request, within `timeoutMs` from its start to the last byte of the answer; no redirect is followed.
   * @throws only the abort reason of `signal`
   */
  post(post: Post, signal: AbortSignal): Promise<Delivery>;
}

/** What a status means by itself (RFC 9110, section 15; 408 and 425 are asked for again). */
export function byStatus({ status }: Answer): DeliveryFailure | undefined {
  if (status >= 200 && status < 300) return undefined;
  if (status >= 300 && status < 400) return 'redirected';
  if (status === 401 || status === 403 || status === 407) return 'unauthorized';
  if (status === 408) return 'timeout';
  if (status === 425 || status >= 500) return 'server_error';
  if (status === 429) return 'throttled';
  return status >= 400 ? 'refused' : 'bad_response';
}

/** As `byStatus`, for receivers that never answer with a page or at length: what does is something in between. */
export function byStatusAndShape(answer: Answer): DeliveryFailure | undefined {
  const failure = byStatus(answer);
  return failure === undefined && (answer.html || answer.cut) ? 'bad_response' : failure;
}

/** What cannot even be asked, because the configuration is wrong: nothing was refused, so it is kept until that is mended. */
export function misconfigured(detail: string): Delivery {
  return { outcome: 'retry', reason: 'unauthorized', detail };
}

/** @throws Error when a proxy that is to be used has an address that is none */
export function createPoster(options: ReceiverOptions): Poster {
  const { env, timeoutMs, version } = options;
  const tls = options.trust && { secureContext: options.trust };
  const noProxy = env.no_proxy || env.NO_PROXY || '';

  function dispatcher(...variables: readonly string[]): Dispatcher {
    const variable = variables.find((name) => env[name]);
    const settings = {
      allowH2: false,
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: { ...tls, timeout: timeoutMs },
    };
    if (variable === undefined) return new Agent(settings);
    const uri = env[variable] ?? '';
    if (!/^https?:$/.test(URL.parse(uri)?.protocol ?? ''))
      throw new Error(`${variable} is not the URL of an HTTP proxy`);
    const proxied = { ...settings, requestTls: settings.connect, proxyTls: settings.connect };
    // Both, although only one is used: what is not set, undici reads from the process.
    return new EnvHttpProxyAgent({ ...proxied, httpProxy: uri, httpsProxy: uri, noProxy });
  }

  const plain = dispatcher('http_proxy', 'HTTP_PROXY');
  const secure = dispatcher('https_proxy', 'HTTPS_PROXY');

  return {
    async post({ url, body, headers, judge = byStatus, explain }, signal) {
      const to = URL.parse(url);
      if (to?.protocol !== 'https:' && to?.protocol !== 'http:')
        return misconfigured('the address is not an http(s) URL');
      const fields = {
        'content-type': 'application/json',
        'user-agent': `keyvigil/${version}`,
        ...authorization(to),
        ...headers,
      };
      to.username = '';
      to.password = '';
      try {
        const { answer, retryAfterMs } = await withDeadline('the exchange', timeoutMs, signal, (deadline) =>
          exchange(to, { dispatcher: to.protocol === 'https:' ? secure : plain, fields, body }, deadline),
        );
        const reason = judge(answer);
        if (reason === undefined) return { outcome: 'accepted' };
        const more = explain?.(answer);
        const detail = `HTTP ${answer.status}${more === undefined ? '' : ` ${more}`}`;
        if (reason === 'refused' || reason === 'unauthorized') return { outcome: 'refused', reason, detail };
        return { outcome: 'retry', reason, detail, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
      } catch (error) {
        signal.throwIfAborted();
        return { outcome: 'retry', ...failureOf(error) };
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([plain.destroy(), secure.destroy()]);
    },
  };
}

function authorization({ username, password }: URL): Record<string, string> {
  if (username === '' && password === '') return {};
  return { authorization: `Basic ${Buffer.from(`${decoded(username)}:${decoded(password)}`).toString('base64')}` };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

async function exchange(
  url: URL,
  { dispatcher, fields, body }: { dispatcher: Dispatcher; fields: Record<string, string>; body: string },
  signal: AbortSignal,
): Promise<{ readonly answer: Answer; readonly retryAfterMs: number | undefined }> {
  const response = await request(url, { dispatcher, method: 'POST', headers: fields, body, signal });
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response.body as AsyncIterable<Buffer>) {
    length += chunk.length;
    chunks.push(chunk);
    // Leaving the loop closes the connection.
    if (length > MAX_ANSWER) break;
  }
  const answer = {
    status: response.statusCode,
    text: Buffer.concat(chunks).subarray(0, MAX_ANSWER).toString('utf8'),
    cut: length > MAX_ANSWER,
    html: /^\s*(text\/html|application\/xhtml)/i.test(header(response.headers['content-type'])),
  };
  return { answer, retryAfterMs: retryAfter(response.headers) };
}

function header(value: string | string[] | undefined): string {
  return (Array.isArray(value) ? value[0] : value) ?? '';
}

/** Seconds, or a date (RFC 9110, 10.2.3), which is read by the clock that wrote it. Milliseconds, at most an hour. */
function retryAfter(headers: Dispatcher.ResponseData['headers']): number | undefined {
  const text = header(headers['retry-after']).trim();
  if (text === '') return undefined;
  const theirs = Date.parse(header(headers.date));
  const ms = /^\d+$/.test(text)
    ? Number(text) * 1_000
    : Date.parse(text) - (Number.isNaN(theirs) ? Date.now() : theirs);
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS);
}

const TIMEOUTS = /^(ETIMEDOUT|UND_ERR_(CONNECT|HEADERS|BODY)_TIMEOUT)$/;
const LOOKUPS = /^(ENOTFOUND|EAI_[A-Z]+)$/;
/** Its code is all that is told of an error: its text may hold an address, and that may be a secret. */
function failureOf(error: unknown): { readonly reason: DeliveryFailure; readonly detail?: string } {
  if (error instanceof DeadlineExceeded) return { reason: 'timeout' };
  const code = codeOf(error);
  const detail = code === undefined ? {} : { detail: code };
  if (code !== undefined && TIMEOUTS.test(code)) return { reason: 'timeout', ...detail };
  if (code !== undefined && LOOKUPS.test(code)) return { reason: 'dns', ...detail };
  return { reason: nonsense(error) ? 'bad_response' : 'network', ...detail };
}

/** What arrived is no HTTP. An answer that merely ended too early, which undici calls the same, is the network's fault. */
function nonsense(error: unknown): boolean {
  if (error instanceof errors.HeadersOverflowError) return true;
  return error instanceof errors.HTTPParserError && !/\bEOF\b/.test(error.message);
}

function codeOf(error: unknown): string | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 4; at = at.cause, depth += 1) {
    if ('code' in at && typeof at.code === 'string' && /^[A-Z0-9_]{3,60}$/.test(at.code)) return at.code;
  }
  return undefined;
}
