/**
 * A small client for AWS services that speak REST with JSON, where the SDK has none that is current: signed, retried and
 * failing as the SDK's own clients do, so that `classify` and the metrics see no difference.
 */
import type { NodeHttpHandler } from '@smithy/node-http-handler';
import { BadAnswer } from './paging.ts';
import { answerOf, errorOf, metadataOf, type RestAnswer, type WireAnswer, withAttempts } from './rest-answer.ts';
import { type Endpoint, endpointOf, type RestService } from './rest-endpoint.ts';
import { createSigner } from './rest-signer.ts';
import type { ServiceEnv } from './service.ts';

/** One request. */
export interface RestRequest {
  readonly method?: 'GET' | 'POST';
  /** Segments of the path, as they are: an ARN is one segment, and is encoded here. */
  readonly path: readonly string[];
  /** Members that are undefined are left out. */
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  /** Sent as JSON. */
  readonly body?: Readonly<Record<string, unknown>>;
}

/** A client of one service at one region. It owns nothing: its sockets are those of the connection. */
export interface RestClient {
  /**
   * @throws an error as the SDK's: `name` is the cloud's code, `$metadata` has status, request id and attempts; transport
   * errors as the handler throws them; `SyntaxError` for an answer that is no JSON; `AbortError` once the signal aborts
   */
  send(request: RestRequest, options: { readonly abortSignal: AbortSignal }): Promise<RestAnswer>;
}

/** Far above any answer that is asked for (a full flow has some 100 KB), far below what hurts. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;
/** What the SDK waits before its first retry, at most: it takes a random part of this. */
const RETRY_MS = 50;
const THROTTLED_RETRY_MS = 1_000;
/** How much longer a `Retry-After` may make that. */
const RETRY_AFTER_MS = 5_000;
/** A clock that is further off than this is taken for wrong: AWS refuses signatures from then on. */
const SKEW_MS = 300_000;

const RETRIED_STATUS: readonly number[] = [429, 500, 502, 503, 504];
const RETRIED_CODES =
  /^(ECONNRESET|ECONNREFUSED|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|TimeoutError)$/;
const THROTTLED = /^(Throttl\w*|TooManyRequestsException|RequestLimitExceeded|RequestThrottled\w*|SlowDown)$/;

/** Makes no call. */
export function createRestClient(env: ServiceEnv, service: RestService): RestClient {
  const { credentials, requestHandler, maxAttempts } = env.client;
  const signer = createSigner(service.name, env.region, credentials);
  let endpoint: Promise<Endpoint> | undefined;
  /** How far (ms) the clock of the service is ahead, where it refused a request for that. */
  let clockOffset = 0;

  /** Sends one signed request and reads the whole answer. @throws transport errors, and what a bad answer means */
  async function exchange(request: RestRequest, signal: AbortSignal): Promise<WireAnswer> {
    endpoint ??= endpointOf(service, env);
    const unsigned = httpRequest(request, await endpoint);
    const signed = await signer.sign(unsigned, { signingDate: new Date(Date.now() + clockOffset) });
    throwIfAborted(signal);
    const { response } = await requestHandler.handle(signed as HandledRequest, { abortSignal: signal });
    const wire = { status: response.statusCode, headers: response.headers, body: await read(response.body, signal) };
    if (wire.status >= 300) throw errorOf(wire);
    return wire;
  }

  return {
    async send(request, { abortSignal }) {
      for (let attempt = 1; ; attempt += 1) {
        throwIfAborted(abortSignal);
        const signedAt = Date.now() + clockOffset;
        try {
          return answerOf(await exchange(request, abortSignal), attempt);
        } catch (error) {
          if (abortSignal.aborted) throw aborted(abortSignal);
          const skew = skewOf(error, signedAt);
          clockOffset += skew ?? 0;
          const pause = skew === undefined ? pauseAfter(error) : 0;
          if (pause === undefined || attempt >= maxAttempts) throw withAttempts(error, attempt);
          await wait(pause, abortSignal);
        }
      }
    },
  };
}

type HandledRequest = Parameters<NodeHttpHandler['handle']>[0];

function httpRequest({ method = 'GET', path, query = {}, body }: RestRequest, endpoint: Endpoint) {
  const given = Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
  return {
    method,
    protocol: endpoint.protocol,
    hostname: endpoint.hostname,
    ...(endpoint.port !== undefined && { port: endpoint.port }),
    path: `${endpoint.prefix}/${path.map(segment).join('/')}`,
    query: Object.fromEntries(given) as Record<string, string>,
    headers: {
      host: endpoint.host,
      accept: 'application/json',
      'user-agent': 'keyvigil',
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  };
}

/**
 * RFC 3986, as signatures demand: `encodeURIComponent` leaves `!'()*` as they are.
 * @throws BadAnswer for an id that would not stay one segment, however it is written; ids come out of answers
 */
function segment(text: string): string {
  if (/^\.?\.?$/.test(text)) throw new BadAnswer('an id is empty or a path');
  return encodeURIComponent(text).replace(/[!'()*]/g, percent);
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}

/** @throws BadAnswer where the body is beyond all measure */
async function read(body: AsyncIterable<Buffer> & { destroy(): void }, signal: AbortSignal): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const cut = () => body.destroy();
  signal.addEventListener('abort', cut, { once: true });
  try {
    for await (const chunk of body) {
      bytes += chunk.length;
      if (bytes > MAX_BODY_BYTES) throw new BadAnswer(`the answer has more than ${MAX_BODY_BYTES} bytes`);
      chunks.push(chunk);
    }
  } finally {
    signal.removeEventListener('abort', cut);
  }
  return Buffer.concat(chunks, bytes);
}

/** How far (ms) the service's clock is ahead of `signedAt`, where that explains that it refused the request. */
function skewOf(error: unknown, signedAt: number): number | undefined {
  const { httpStatusCode: status, date } = metadataOf(error);
  if (date === undefined || (status !== 400 && status !== 401 && status !== 403)) return undefined;
  const skew = date - signedAt;
  return Math.abs(skew) >= SKEW_MS ? skew : undefined;
}

/** Milliseconds until a retry may help; undefined: it will not. */
function pauseAfter(error: unknown): number | undefined {
  const { name = '', code = '' } = error as { name?: string; code?: string };
  const { httpStatusCode: status, retryAfter } = metadataOf(error);
  const throttled = status === 429 || THROTTLED.test(name);
  const transient = status === undefined ? RETRIED_CODES.test(code) || RETRIED_CODES.test(name) : false;
  if (!throttled && !transient && !(status !== undefined && RETRIED_STATUS.includes(status))) return undefined;
  const pause = Math.random() * (throttled ? THROTTLED_RETRY_MS : RETRY_MS);
  return Math.max(pause, Math.min(retryAfter ?? 0, pause + RETRY_AFTER_MS));
}

function wait(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const cut = () => {
    clearTimeout(timer);
    reject(aborted(signal));
  };
  const timer = setTimeout(() => {
    signal.removeEventListener('abort', cut);
    resolve();
  }, ms);
  signal.addEventListener('abort', cut, { once: true });
  return promise;
}

function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw aborted(signal);
}

function aborted(signal: AbortSignal): Error {
  const error = new Error('Request aborted', { cause: signal.reason });
  error.name = 'AbortError';
  return error;
}
