/** The one way of a connection to the wire: a socket pool, its deadlines, and the handler that wipes what it reads. */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { Readable } from 'node:stream';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { ConnectOptions } from '../provider.ts';

/** Sockets at once per host: two sweeps with sixteen looks each. */
const MAX_SOCKETS = 32;
const CONNECT_MS = 3_000;
const PROXY_VARIABLES = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'] as const;

/** A socket pool that all clients of one connection share; disposing closes its sockets. */
export interface Pool extends Disposable {
  readonly handler: NodeHttpHandler;
}

/**
 * Half of the call's deadline goes to one request, so that a lost one leaves time for the SDK's single retry. A socket that
 * falls silent within a body is cut after the whole deadline: that also frees credential providers, whose requests know
 * nothing of the call's abort signal.
 */
export function createPool(options: ConnectOptions): Pool {
  const agentOptions = {
    keepAlive: true,
    maxSockets: MAX_SOCKETS,
    ...(PROXY_VARIABLES.some((name) => options.env[name]) ? { proxyEnv: options.env } : {}),
  };
  const httpAgent = new HttpAgent(agentOptions);
  const httpsAgent = new HttpsAgent({ ...agentOptions, ...(options.trust && { secureContext: options.trust }) });
  const requestTimeout = Math.ceil(options.callTimeoutMs / 2);
  const handler = new NodeHttpHandler({
    httpAgent,
    httpsAgent,
    connectionTimeout: Math.min(CONNECT_MS, requestTimeout),
    requestTimeout,
    throwOnRequestTimeout: true,
    socketTimeout: options.callTimeoutMs,
    // Only warns of a full pool, on the console; the engine's own gate keeps it from being full.
    logger: { trace() {}, debug() {}, info() {}, warn() {}, error() {} },
  });
  return {
    handler,
    [Symbol.dispose]() {
      // The agents rather than the handler: a handler whose settings a client touched forgets its agents.
      httpAgent.destroy();
      httpsAgent.destroy();
    },
  };
}

type Handle = NodeHttpHandler['handle'];

/** What a draining request may be told beside the usual: the judge of the bytes, which must keep nothing of them. */
export interface DrainingOptions {
  /** Given the whole body of a good answer, which is wiped as soon as this returns; not asked about one that is too large. */
  judge?(body: Buffer): void;
}

/** Far above any value (64 KiB, six bytes for each at most); what is larger is drained without a judgement. */
const MAX_JUDGED_BYTES = 1_048_576;

/**
 * Handler for the one client that reads values: the body of a good answer is drained as bytes, which are wiped, and the
 * SDK is given `{}` instead, so that no value ever becomes a string. Bodies of errors pass: they hold no value.
 */
export class DrainingHandler {
  readonly metadata: NodeHttpHandler['metadata'];
  readonly #inner: NodeHttpHandler;

  constructor(inner: NodeHttpHandler) {
    this.#inner = inner;
    this.metadata = inner.metadata;
  }

  async handle(
    request: Parameters<Handle>[0],
    options: Parameters<Handle>[1] & DrainingOptions = {},
  ): ReturnType<Handle> {
    const outcome = await this.#inner.handle(request, options);
    const { response } = outcome;
    if (response.statusCode < 300) {
      await drain(response.body as AsyncIterable<Buffer>, options.judge);
      response.body = Readable.from([Buffer.from('{}')]);
    }
    return outcome;
  }

  updateHttpClientConfig(...change: Parameters<NodeHttpHandler['updateHttpClientConfig']>): void {
    this.#inner.updateHttpClientConfig(...change);
  }

  httpHandlerConfigs(): ReturnType<NodeHttpHandler['httpHandlerConfigs']> {
    return this.#inner.httpHandlerConfigs();
  }

  /** Nothing: the pool belongs to the connection. */
  destroy(): void {}
}

/** Reads a body to its end and leaves nothing of it in memory, however it ends. */
async function drain(body: AsyncIterable<Buffer>, judge: DrainingOptions['judge']): Promise<void> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body) {
      bytes += chunk.length;
      if (judge && bytes <= MAX_JUDGED_BYTES) chunks.push(chunk);
      else chunk.fill(0);
    }
    if (!judge || bytes > MAX_JUDGED_BYTES) return;
    const whole = Buffer.concat(chunks, bytes);
    try {
      judge(whole);
    } finally {
      whole.fill(0);
    }
  } finally {
    for (const chunk of chunks) chunk.fill(0);
  }
}
