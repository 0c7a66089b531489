import { createServer, type IncomingMessage, type ServerOptions, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import { getRequestListener } from '@hono/node-server';
import type { WebTls } from '../config/web-file.ts';
import { createApp } from './app.ts';
import type { WebDeps } from './deps.ts';
import { createDoor, setHeaders } from './door.ts';
import { admits, clientOptions } from './tls.ts';

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
  const door = createDoor();
  const security = deps.security;
  // Connections of those who were let in by other certificates than would be now.
  const outdated = new WeakSet<Socket>();
  const busy = new Set<Socket>();

  async function serve(request: IncomingMessage, response: ServerResponse, path: string | undefined): Promise<void> {
    if (security) {
      const passed = door.pass(request, response, security.current);
      if (!(passed instanceof Promise ? await passed : passed)) return;
    }
    await (path === '/metrics' ? answerMetrics(deps, request, response) : answer(request, response));
  }

  function onRequest(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    if (socket.destroyed) return;
    const expiry = setTimeout(() => socket.destroy(), bounds.responseTimeoutMs);
    idle.delete(socket);
    busy.add(socket);
    response.once('close', () => {
      clearTimeout(expiry);
      busy.delete(socket);
      if (closing || outdated.has(socket)) socket.destroySoon();
      else if (!socket.destroyed) idle.add(socket);
    });
    const path = request.url?.split('?', 1)[0];
    serve(request, response, path).catch((error: unknown) => {
      // Whoever left while a password was compared misses nothing.
      if (!socket.destroyed) deps.onError(error, `${request.method} ${path}`);
      socket.destroy();
    });
  }

  function onOpen(socket: Socket): void {
    idle.add(socket);
    socket.once('close', () => idle.delete(socket));
  }

  const options: ServerOptions = {
    headersTimeout: bounds.headersTimeoutMs,
    requestTimeout: bounds.requestTimeoutMs,
    keepAliveTimeout: bounds.keepAliveTimeoutMs,
    // Node looks for slow requests only this often; its default of 30 s would make the timeouts meaningless.
    connectionsCheckingInterval: Math.min(1_000, bounds.headersTimeoutMs / 2),
    maxHeaderSize: bounds.maxHeaderBytes,
  };
  const server = security?.current.tls ? secured(security.current.tls) : createServer(options, onRequest);
  server.maxConnections = bounds.maxConnections;
  // Those that have not got through their handshake are among these and not among the idle ones.
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on(security?.current.tls ? 'secureConnection' : 'connection', onOpen);

  function secured(tls: WebTls) {
    const made = createSecureServer(
      { ...options, ...tls.context, ...clientOptions(tls), handshakeTimeout: bounds.headersTimeoutMs },
      onRequest,
    );
    // Before the server reads a request from it.
    made.prependListener('secureConnection', (socket: TLSSocket) => {
      if (!admits(socket, security?.current.tls ?? tls)) socket.destroy();
    });
    security?.onChange((before) => {
      const now = security.current.tls;
      if (!now || isDeepStrictEqual(before.tls, now)) return;
      made.setSecureContext(now.context);
      Object.assign(made, clientOptions(now));
      if (isDeepStrictEqual([before.tls?.clients, before.tls?.context.ca], [now.clients, now.context.ca])) return;
      for (const socket of busy) outdated.add(socket);
      for (const socket of idle) socket.destroy();
    });
    return made;
  }

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
      const scheme = security?.current.tls ? 'https' : 'http';
      return { url: `${scheme}://${urlHost(host)}:${address.port}` };
    },

    async [Symbol.asyncDispose]() {
      await using _door = door;
      if (!server.listening) return;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      closing = true;
      for (const socket of idle) socket.destroy();
      const expiry = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, bounds.drainMs);
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
  if (deps.security) setHeaders(response, deps.security.current);
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
