import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { createApp } from './app.ts';
import type { WebDeps } from './deps.ts';

/** Bounds that keep one client from holding the server up for the others. */
export interface WebLimits {
  /** Time for the whole header of a request, ms. */
  readonly headersTimeoutMs: number;
  /** Time for the whole request, ms. */
  readonly requestTimeoutMs: number;
  /** Time for the whole answer to be read by the client, ms. */
  readonly responseTimeoutMs: number;
  /** How long an idle connection is kept, ms: longer than the usual scrape interval of a minute. */
  readonly keepAliveTimeoutMs: number;
  readonly maxHeaderBytes: number;
  readonly maxConnections: number;
  /** How long requests in flight may go on at shutdown, ms. */
  readonly drainMs: number;
}

const DEFAULT_LIMITS: WebLimits = {
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 20_000,
  responseTimeoutMs: 60_000,
  keepAliveTimeoutMs: 75_000,
  maxHeaderBytes: 16 * 1024,
  maxConnections: 2_048,
  drainMs: 3_000,
};

/** The HTTP server. Disposing it stops accepting, ends idle connections, and waits a bounded time for the others. */
export interface Web extends AsyncDisposable {
  /**
   * Opens the port (0: any free one).
   * @returns the address as a URL without a trailing slash.
   * @throws what the operating system says (`EADDRINUSE`, `EACCES`).
   */
  listen(host: string, port: number): Promise<{ readonly url: string }>;
}

/** Makes the server of status page, JSON API, health endpoints and `/metrics`; opens nothing yet. */
export function createWeb(deps: WebDeps, limits: Partial<WebLimits> = {}): Web {
  const bounds = { ...DEFAULT_LIMITS, ...limits };
  let listenHost: string | undefined;
  const app = createApp(deps, () => ({ listenHost, externalUrl: deps.externalUrl }));
  const answer = getRequestListener(app.fetch, {
    overrideGlobalObjects: false,
    // Only for what no URL can be made of; everything else is answered by the app.
    errorHandler: () => Response.json({ error: 'Host: not understood' }, { status: 400 }),
  });
  // Node's own list of idle connections leaves out those that never sent a request, as browsers open them in advance.
  const idle = new Set<Socket>();
  let closing = false;
  const server = createServer(
    {
      headersTimeout: bounds.headersTimeoutMs,
      requestTimeout: bounds.requestTimeoutMs,
      keepAliveTimeout: bounds.keepAliveTimeoutMs,
      // Node looks for slow requests only this often; its default of 30 s would make the timeouts meaningless.
      connectionsCheckingInterval: Math.min(1_000, bounds.headersTimeoutMs / 2),
      maxHeaderSize: bounds.maxHeaderBytes,
    },
    (request, response) => {
      const { socket } = request;
      const expiry = setTimeout(() => socket.destroy(), bounds.responseTimeoutMs);
      idle.delete(socket);
      response.once('close', () => {
        clearTimeout(expiry);
        if (closing) socket.destroySoon();
        else if (!socket.destroyed) idle.add(socket);
      });
      const path = request.url?.split('?', 1)[0];
      const answered = path === '/metrics' ? answerMetrics(deps, request, response) : answer(request, response);
      answered.catch((error: unknown) => {
        deps.onError(error, `${request.method} ${path}`);
        socket.destroy();
      });
    },
  );
  server.maxConnections = bounds.maxConnections;
  server.on('connection', (socket) => {
    idle.add(socket);
    socket.once('close', () => idle.delete(socket));
  });

  return {
    async listen(host, port) {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, host, () => {
          server.off('error', reject);
          resolve();
        });
      });
      // An error of the listening socket after that must not end the daemon.
      server.on('error', (error) => deps.onError(error, 'listen'));
      listenHost = host;
      const address = server.address() as AddressInfo;
      return { url: `http://${urlHost(host)}:${address.port}` };
    },

    async [Symbol.asyncDispose]() {
      if (!server.listening) return;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      closing = true;
      for (const socket of idle) socket.destroy();
      const expiry = setTimeout(() => server.closeAllConnections(), bounds.drainMs);
      await closed;
      clearTimeout(expiry);
    },
  };
}

/** An address that can be opened: a wildcard is reached through the loopback. */
function urlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}

/** A scrape, past the app: it streams, and a scraper that leaves stops the writing. */
async function answerMetrics(deps: WebDeps, request: IncomingMessage, response: ServerResponse): Promise<void> {
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Cache-Control', 'no-store');
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { Allow: 'GET, HEAD' }).end();
    return;
  }
  const gzip = acceptsGzip(request.headers['accept-encoding']);
  response.setHeader('Content-Type', deps.metricsContentType);
  response.setHeader('Vary', 'Accept-Encoding');
  if (gzip) response.setHeader('Content-Encoding', 'gzip');
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  try {
    await deps.writeMetrics(response, { gzip, signal: gone.signal });
    if (!response.writableEnded && !response.destroyed) response.end();
  } catch (error) {
    if (gone.signal.aborted) return;
    deps.onError(error, 'GET /metrics');
    if (!response.headersSent && !response.destroyed) {
      response.removeHeader('Content-Encoding');
      response.writeHead(500, { 'Content-Type': 'text/plain; charset=utf-8' }).end('internal error\n');
      return;
    }
    // Half an exposition must not look like a whole one: without its end the scrape fails.
    request.socket.destroy();
  }
}

/** RFC 9110 12.5.3: a coding is acceptable when it, or else `*`, is named with a weight above 0. */
function acceptsGzip(header: string | string[] | undefined): boolean {
  const weights = new Map<string, number>();
  for (const part of String(header ?? '').split(',')) {
    const [coding = '', ...parameters] = part.split(';').map((piece) => piece.trim().toLowerCase());
    const weight = parameters.find((parameter) => parameter.startsWith('q='));
    weights.set(coding, weight === undefined ? 1 : Number(weight.slice(2)));
  }
  return (weights.get('gzip') ?? weights.get('*') ?? 0) > 0;
}
