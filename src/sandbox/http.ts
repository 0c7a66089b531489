import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request, read to its end. */
export type HttpRequest = {
  readonly method: string;
  /** Path and query as they were sent. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
};

/** What goes back, and how: `stall` and `cut` send half of the body, `silence` and `reset` send nothing. */
export type HttpAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly manner: 'whole' | 'stall' | 'cut' | 'silence' | 'reset';
  readonly delayMs: number;
};

/** A server that listens. */
export type HttpServer = { readonly url: string; readonly [Symbol.asyncDispose]: () => Promise<void> };

/** Larger than any request of these clouds (a secret value has at most 64 KiB). */
const MAX_BODY_BYTES = 1_048_576;
/** Longer than clients keep idle connections, so that a close never races a request. */
const KEEP_ALIVE_MS = 120_000;

/**
 * Listens on `host` and `port` (0: a free one) and answers each request with what `answer` returns. Disposing closes every
 * connection, the stalled ones too. Throws what listening throws (EADDRINUSE).
 */
export async function serveHttp(
  options: { readonly host: string; readonly port: number },
  answer: (request: HttpRequest) => HttpAnswer,
): Promise<HttpServer> {
  const timers = new Set<NodeJS.Timeout>();
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (incoming, outgoing) => {
    read(incoming, (body) => {
      if (!body) {
        outgoing.writeHead(413).end();
        return;
      }
      const result = answer({
        method: incoming.method ?? 'GET',
        path: incoming.url ?? '/',
        headers: flat(incoming),
        body,
      });
      if (result.delayMs <= 0) {
        send(incoming, outgoing, result);
        return;
      }
      const timer = setTimeout(() => {
        timers.delete(timer);
        send(incoming, outgoing, result);
      }, result.delayMs);
      timers.add(timer);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return {
    url: `http://${host}:${port}`,
    [Symbol.asyncDispose]: async () => {
      for (const timer of timers) clearTimeout(timer);
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function read(incoming: IncomingMessage, done: (body: Buffer | undefined) => void): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  incoming.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
  });
  incoming.on('end', () => done(bytes <= MAX_BODY_BYTES ? Buffer.concat(chunks) : undefined));
  // A client that goes away in the middle of its request gets no answer.
  incoming.on('error', () => {});
}

function flat(incoming: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(',') : value;
  }
  return headers;
}

function send(incoming: IncomingMessage, outgoing: ServerResponse, answer: HttpAnswer): void {
  if (answer.manner === 'silence' || outgoing.destroyed) return;
  if (answer.manner === 'reset') {
    incoming.socket.resetAndDestroy();
    return;
  }
  const body = Buffer.from(answer.body);
  outgoing.sendDate = false;
  outgoing.writeHead(answer.status, { ...answer.headers, 'content-length': body.length });
  if (answer.manner === 'whole') {
    outgoing.end(body);
    return;
  }
  outgoing.write(body.subarray(0, Math.floor(body.length / 2)), () => {
    if (answer.manner === 'cut') incoming.socket.destroy();
  });
}
