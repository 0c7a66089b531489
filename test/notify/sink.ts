import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { LOOPBACK_CERTIFICATE, LOOPBACK_KEY } from '../fixtures/tls.ts';

/** What a receiver was asked. */
export interface SinkRequest {
  readonly method: string;
  /** Path and query; a whole URL where the sink is taken for a proxy. */
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** Answers one request, with whatever a server can do. */
export type Behaviour = (response: ServerResponse, request: SinkRequest) => void;

/** A server on loopback that does as it is told, and keeps what it was asked. */
export interface Sink extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly requests: readonly SinkRequest[];
  /** From now on. */
  answer(behaviour: Behaviour): void;
  /** Ends when `count` requests have arrived since the sink was started. */
  arrived(count: number): Promise<void>;
}

export function says(status: number, text = '', headers: Readonly<Record<string, string>> = {}): Behaviour {
  return (response) => response.writeHead(status, headers).end(text);
}

/** Never answers. */
export const hangs: Behaviour = () => undefined;

/** Answers 200, and cuts the connection within the body. */
export const breaksOff: Behaviour = (response) => {
  response.writeHead(200, { 'content-length': '100' });
  response.write('ok', () => response.destroy());
};

export async function startSink(behaviour: Behaviour, options: { readonly tls?: boolean } = {}): Promise<Sink> {
  const requests: SinkRequest[] = [];
  const waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  let current = behaviour;
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const { method = '', url: path = '', headers } = request;
    const arrived = { method, path, headers, body: Buffer.concat(chunks).toString('utf8') };
    requests.push(arrived);
    response.on('error', () => undefined);
    current(response, arrived);
    for (const one of waiting) if (requests.length >= one.count) one.resolve();
  };
  const listener = (request: IncomingMessage, response: ServerResponse) =>
    void serve(request, response).catch(() => {});
  const server = options.tls
    ? createTlsServer({ key: LOOPBACK_KEY, cert: LOOPBACK_CERTIFICATE }, listener)
    : createServer(listener);
  // A busy machine may take longer between two requests than Node keeps a connection, and closes it as the next one comes.
  server.keepAliveTimeout = 0;
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    port,
    requests,
    answer(next) {
      current = next;
    },
    arrived(count) {
      const { promise, resolve } = Promise.withResolvers<void>();
      if (requests.length >= count) resolve();
      else waiting.push({ count, resolve });
      return promise;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
