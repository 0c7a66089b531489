import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TlsOptions } from 'node:tls';

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
export type HttpServer = {
  readonly url: string;
  readonly port: number;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
};

/** Where and how a server listens. */
export type ListenOptions = {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  /** PEM, and what answers for other names than the certificate is for; plain HTTP without it. */
  readonly tls?: Pick<TlsOptions, 'SNICallback'> & { readonly cert: string; readonly key: string };
  /** Takes over the socket of a CONNECT request; such requests are cut without it. */
  readonly connect?: (authority: string, socket: Duplex, head: Buffer) => void;
};

/** Larger than any request of these clouds (a secret value has at most 64 KiB). */
const MAX_BODY_BYTES = 1_048_576;
/** Longer than clients keep idle connections, so that a close never races a request. */
const KEEP_ALIVE_MS = 120_000;

/**
 * Listens and answers each request with what `answer` returns. Disposing closes every connection, the stalled ones and those
 * that `connect` took over too. Throws what listening throws (EADDRINUSE).
 */
export async function serveHttp(
  options: ListenOptions,
  answer: (request: HttpRequest) => HttpAnswer,
): Promise<HttpServer> {
  const timers = new Set<NodeJS.Timeout>();
  const sockets = new Map<string, Socket>();
  const handle = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const reset = () => sockets.get(peer(incoming.socket))?.resetAndDestroy();
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
        send(incoming, outgoing, result, reset);
        return;
      }
      const timer = setTimeout(() => {
        timers.delete(timer);
        send(incoming, outgoing, result, reset);
      }, result.delayMs);
      timers.add(timer);
    });
  };
  const server = options.tls
    ? createTlsServer({ ...options.tls, keepAliveTimeout: KEEP_ALIVE_MS }, handle)
    : createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, handle);
  // Only the raw socket below TLS can be reset, and only the server knows it.
  server.on('connection', (socket: Socket) => {
    const name = peer(socket);
    sockets.set(name, socket);
    socket.once('close', () => sockets.delete(name));
  });
  const { connect } = options;
  if (connect) server.on('connect', (incoming, socket, head) => connect(incoming.url ?? '', socket, head));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return {
    url: `${options.tls ? 'https' : 'http'}://${host}:${port}`,
    port,
    [Symbol.asyncDispose]: async () => {
      for (const timer of timers) clearTimeout(timer);
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets.values()) socket.destroy();
      await closed;
    },
  };
}

function peer(socket: Socket): string {
  return `${socket.remoteAddress}/${socket.remotePort}`;
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

function send(incoming: IncomingMessage, outgoing: ServerResponse, answer: HttpAnswer, reset: () => void): void {
  if (answer.manner === 'silence' || outgoing.destroyed) return;
  if (answer.manner === 'reset') {
    reset();
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
