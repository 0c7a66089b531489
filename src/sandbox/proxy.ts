import { connect as connectTo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type HttpAnswer, type HttpRequest, serveHttp } from './http.ts';

/** What becomes of a tunnel to a host: `foreign` is refused with 403, `unresolvable` with 502, `closed` is cut. */
export type TunnelVerdict = 'open' | 'foreign' | 'unresolvable' | 'closed';

/** A running proxy. */
export type Proxy = {
  readonly url: string;
  /** Cuts every tunnel to this host, as lost routes do; new ones are judged anew. */
  readonly cut: (host: string) => void;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
};

/**
 * Starts an HTTP proxy on loopback that leads CONNECT for every host that `judge` calls open to one server on this machine, so
 * that clients can speak to real host names and nothing ever leaves the machine. `plain` answers requests that are made to
 * the proxy itself. Throws what listening throws.
 */
export async function serveProxy(options: {
  readonly host: string;
  /** Port of the server that open tunnels lead to, on `host`. */
  readonly target: number;
  /** The host comes in lower case, without its port. */
  readonly judge: (host: string, port: number) => TunnelVerdict;
  readonly plain: (request: HttpRequest) => HttpAnswer;
}): Promise<Proxy> {
  const tunnels = new Map<Duplex, string>();
  const server = await serveHttp(
    {
      host: options.host,
      port: 0,
      connect: (authority, client, head) => {
        client.on('error', () => client.destroy());
        const host = authority.replace(/:\d+$/, '').toLowerCase();
        const verdict = options.judge(host, Number(/:(\d+)$/.exec(authority)?.[1] ?? 443));
        if (verdict !== 'open') {
          refuse(client, verdict);
          return;
        }
        const upstream = connectTo(options.target, options.host, () => {
          client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
          if (head.length > 0) upstream.write(head);
          upstream.pipe(client);
          client.pipe(upstream);
        });
        tunnels.set(client, host);
        upstream.on('error', () => reset(client));
        upstream.on('close', () => client.destroy());
        client.on('close', () => {
          tunnels.delete(client);
          upstream.destroy();
        });
      },
    },
    (request) => options.plain(request),
  );
  return {
    url: server.url,
    cut: (host) => {
      for (const [client, to] of tunnels) if (to === host) client.destroy();
    },
    [Symbol.asyncDispose]: async () => {
      for (const client of tunnels.keys()) client.destroy();
      await server[Symbol.asyncDispose]();
    },
  };
}

const REFUSALS = {
  foreign: 'HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n',
  // Squid says in this header what it could not do.
  unresolvable:
    'HTTP/1.1 502 Bad Gateway\r\nx-squid-error: ERR_DNS_FAIL 0\r\ncontent-length: 0\r\nconnection: close\r\n\r\n',
};

function refuse(client: Duplex, verdict: Exclude<TunnelVerdict, 'open'>): void {
  if (verdict === 'closed') client.destroy();
  else client.end(REFUSALS[verdict]);
}

function reset(client: Duplex): void {
  // Servers of node:http hand out the raw socket.
  (client as Socket).resetAndDestroy();
}
