/** The one way of a connection to the wire: two socket pools, the deadline of each request, and answers made readable. */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import {
  createDefaultHttpClient,
  type HttpClient,
  type PipelinePolicy,
  type PipelineRequest,
  type PipelineResponse,
  RestError,
} from '@azure/core-rest-pipeline';
import type { ConnectOptions } from '../provider.ts';
import { type Exchange, exchange } from './ask.ts';
import type { ClientOptions } from './service.ts';

/** Sockets at once per host: two sweeps with sixteen looks each. */
const MAX_SOCKETS = 32;
const PROXY_VARIABLES = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'] as const;
const RETRY_AFTER = ['retry-after-ms', 'x-ms-retry-after-ms', 'retry-after'] as const;

/** Retries happen here and nowhere else: one, soon. */
const RETRIES = { maxRetries: 1, retryDelayInMs: 200, maxRetryDelayInMs: 1_000 } as const;

/** What every client of a connection is made with; disposing closes the sockets. */
export interface Transport extends Disposable {
  /** For clients of services. */
  readonly client: ClientOptions;
  /** For credentials, some of which put policies of their own in the place of those that they are given. */
  readonly credential: { readonly httpClient: HttpClient; readonly retryOptions: ClientOptions['retryOptions'] };
}

/**
 * Half of the call's deadline goes to one request, its body included, so that a lost one leaves time for the single retry.
 * It ends as `ETIMEDOUT`: the SDK's own time-out is told from a shutdown by nothing, is not retried, and does not cover bodies.
 */
export function createTransport(options: ConnectOptions): Transport {
  const pool = { keepAlive: true, maxSockets: MAX_SOCKETS };
  // Plain HTTP is spoken to the machine's own identity service only, which is behind no proxy.
  const http = new HttpAgent(pool);
  const https = new HttpsAgent({
    ...pool,
    ...(options.trust && { secureContext: options.trust }),
    ...(PROXY_VARIABLES.some((name) => options.env[name]) ? { proxyEnv: options.env } : {}),
  });
  const requestMs = Math.ceil(options.callTimeoutMs / 2);
  const patienceMs = Math.floor(options.callTimeoutMs / 4);

  function send(request: PipelineRequest, next: () => Promise<PipelineResponse>): Promise<PipelineResponse> {
    // Also takes the place of an agent that the SDK made of the process's own proxy variables.
    request.agent = request.url.startsWith('https:') ? https : http;
    return within(requestMs, request, next);
  }

  const wire = createDefaultHttpClient();
  const policy: PipelinePolicy = {
    name: 'keyvigilTransport',
    async sendRequest(request, next) {
      const current = exchange();
      if (current) begin(current, request);
      const response = await send(request, () => next(request));
      if (current) note(current, response);
      boundPatience(response, patienceMs);
      readable(response);
      // A good answer was noted as it is.
      if (current && response.status !== 200) note(current, response);
      return response;
    },
  };
  return {
    client: { retryOptions: RETRIES, additionalPolicies: [{ policy, position: 'perRetry' }] },
    credential: {
      httpClient: { sendRequest: (request) => send(request, () => wire.sendRequest(request)) },
      retryOptions: RETRIES,
    },
    [Symbol.dispose]() {
      http.destroy();
      https.destroy();
    },
  };
}

function begin(current: Exchange, request: PipelineRequest): void {
  current.attempts += 1;
  delete current.told;
  request.abortSignal ??= current.signal;
}

function note(current: Exchange, response: PipelineResponse): void {
  current.told = {
    status: response.status,
    headers: response.headers.toJSON(),
    body: response.bodyAsText ?? '',
    host: new URL(response.request.url).hostname,
  };
}

/** Races the request against its time: a compressed body that stalls is ended by no signal. */
async function within(
  ms: number,
  request: PipelineRequest,
  next: () => Promise<PipelineResponse>,
): Promise<PipelineResponse> {
  const lost = Promise.withResolvers<never>();
  const cut = new AbortController();
  const timer = setTimeout(() => {
    lost.reject(new RestError(`no whole answer within ${ms} ms`, { code: 'ETIMEDOUT', request }));
    cut.abort();
  }, ms);
  const { abortSignal } = request;
  // By hand: `AbortSignal.any` takes several times as long, for every request.
  const forward = () => cut.abort((abortSignal as AbortSignal | undefined)?.reason);
  if (abortSignal?.aborted) forward();
  else abortSignal?.addEventListener('abort', forward);
  request.abortSignal = cut.signal;
  try {
    return await Promise.race([next(), lost.promise]);
  } finally {
    clearTimeout(timer);
    abortSignal?.removeEventListener('abort', forward);
    if (abortSignal) request.abortSignal = abortSignal;
    else delete request.abortSignal;
  }
}

/** The SDK waits as long as it is told to: what is longer than the call has time for is not waited for at all. */
function boundPatience({ status, headers }: PipelineResponse, patienceMs: number): void {
  if (status !== 429 && status !== 503) return;
  for (const name of RETRY_AFTER) {
    const text = headers.get(name);
    if (text === undefined) continue;
    const number = Number(text);
    const ms = Number.isNaN(number) ? Date.parse(text) - Date.now() : number * (name === 'retry-after' ? 1_000 : 1);
    if (!(ms <= patienceMs)) headers.delete(name);
  }
}

/**
 * An error without a JSON body makes the SDKs throw a TypeError that knows no status, and a good answer that is none of the
 * API's (a login page of a proxy) reads as an empty list: the first is given a body, the second is refused.
 */
function readable(response: PipelineResponse): void {
  const { status, request } = response;
  if (request.method === 'HEAD') return;
  const text = response.bodyAsText ?? '';
  if (status >= 400 && !isObject(text)) {
    response.bodyAsText = JSON.stringify({ error: { message: 'the answer holds no error that can be read' } });
    response.headers.set('content-type', 'application/json');
  } else if (status === 200) {
    if (!text.trimStart().startsWith('{')) {
      throw new RestError('the answer is no JSON', { code: RestError.PARSE_ERROR, statusCode: status, request });
    }
    response.headers.set('content-type', 'application/json');
  }
}

function isObject(text: string): boolean {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === 'object' && body !== null && !Array.isArray(body);
  } catch {
    return false;
  }
}
