/**
 * One unsigned GET without a body, and of its answer the status line and the headers only. It can mint no key: nobody signed it,
 * and a SPEKE request is a POST that says what key is wanted. Nothing is sent before the certificate was checked, no redirect
 * is followed, and the connection ends before the body is read.
 */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { type LookupFunction, connect as netConnect, type Socket } from 'node:net';
import { type SecureContext, type TLSSocket, connect as tlsConnect } from 'node:tls';
import { present } from '../../look.ts';
import { hostOf } from './url.ts';
import type { Way } from './way.ts';

/** What answered. */
export interface Knocked {
  readonly status: number;
  /** `x-amzn-ErrorType`: what API Gateway calls its refusal. */
  readonly errorType?: string;
  readonly requestId?: string;
  /** When the certificate ends, ms; absent where there was no TLS. */
  readonly expiresAt?: number;
}

/** The certificate is not good for this host, or not any more. */
export class CertificateRefused extends Error {
  /** Of OpenSSL or Node: `CERT_HAS_EXPIRED`, `ERR_TLS_CERT_ALTNAME_INVALID`. */
  readonly code: string;
  readonly expiresAt?: number;
  constructor(host: string, code: string, expiresAt: number | undefined) {
    super(`the certificate that answers for ${host} is refused`);
    this.name = 'CertificateRefused';
    this.code = code;
    if (expiresAt !== undefined) this.expiresAt = expiresAt;
  }
}

interface Exchange {
  /** What certificates are trusted. */
  readonly trust: SecureContext;
  readonly signal: AbortSignal;
}

/** @throws CertificateRefused; errors of sockets, of TLS and of HTTP with their `code`; the reason of the signal */
export async function knock(url: URL, way: Way, exchange: Exchange): Promise<Knocked> {
  await using sockets = new AsyncDisposableStack();
  const keep = <S extends Socket>(socket: S): S => {
    // Whatever happens to it once nobody waits for it any more is no news.
    socket.on('error', () => undefined);
    sockets.defer(() => void socket.destroy());
    return socket;
  };
  if (way.via === 'endpoint' && way.endpoint.protocol === 'http:') {
    const plain = keep(netConnect({ host: bare(way.endpoint), port: portOf(way.endpoint) }));
    await until(plain, 'connect', exchange.signal);
    return await ask(url, plain, exchange.signal);
  }
  const secure = keep(await secured(url, way, exchange, keep));
  await until(secure, 'secureConnect', exchange.signal);
  const expiresAt = secure.getPeerX509Certificate()?.validToDate.getTime();
  if (!secure.authorized) throw new CertificateRefused(url.hostname, codeOf(secure.authorizationError), expiresAt);
  return { ...(await ask(url, secure, exchange.signal)), ...present({ expiresAt }) };
}

/** TLS to the host, not awaited. The check of the certificate is ours, so that its end can be told even when it is refused. */
async function secured(
  url: URL,
  way: Way,
  { trust, signal }: Exchange,
  keep: <S extends Socket>(socket: S) => S,
): Promise<TLSSocket> {
  const servername = hostOf(url);
  const tls = { servername, secureContext: trust, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] };
  switch (way.via) {
    case 'direct':
      return tlsConnect({ ...tls, host: servername, port: 443, lookup: pinnedTo(way.addresses) });
    case 'endpoint':
      return tlsConnect({ ...tls, host: bare(way.endpoint), port: portOf(way.endpoint) });
    case 'proxy':
      return tlsConnect({ ...tls, socket: keep(await tunnel(servername, way.proxy, { trust, signal })) });
  }
}

/** A lookup that knows the addresses that were checked, and no others: what the name resolves to by now changes nothing. */
export function pinnedTo(addresses: readonly string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  return (_host, { all: wantsAll }, done) => {
    const [first] = all;
    if (wantsAll || !first) done(null, all);
    else done(null, first.address, first.family);
  };
}

async function tunnel(host: string, proxy: URL, { trust, signal }: Exchange): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const credentials = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  const request = (proxy.protocol === 'https:' ? httpsRequest : httpRequest)({
    host: bare(proxy),
    port: portOf(proxy),
    method: 'CONNECT',
    path: `${host}:443`,
    agent: false,
    signal,
    ...(proxy.protocol === 'https:' && { secureContext: trust }),
    headers: {
      host: `${host}:443`,
      ...(credentials !== ':' && {
        'proxy-authorization': `Basic ${Buffer.from(credentials).toString('base64')}`,
      }),
    },
  });
  request.on('error', reject);
  request.once('connect', ({ statusCode }, socket) => {
    if (statusCode === 200) resolve(socket as Socket);
    else {
      socket.destroy();
      reject(refusedByProxy(statusCode));
    }
  });
  request.once('response', (response) => {
    response.on('error', () => undefined).destroy();
    reject(refusedByProxy(response.statusCode));
  });
  request.end();
  return await promise;
}

function refusedByProxy(status: number | undefined): Error {
  return Object.assign(new Error(`the proxy answered ${status}`), { code: 'ERR_PROXY_TUNNEL' });
}

async function ask(url: URL, socket: Socket, signal: AbortSignal): Promise<Knocked> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const request = httpRequest({
    createConnection: () => socket,
    method: 'GET',
    path: url.pathname,
    signal,
    headers: { host: url.host, 'user-agent': 'keyvigil', accept: '*/*', connection: 'close' },
  });
  request.once('response', resolve);
  request.on('error', reject);
  request.once('close', () => reject(reset()));
  request.end();
  const response = await promise;
  response.on('error', () => undefined).destroy();
  const { statusCode = 0, headers } = response;
  return {
    status: statusCode,
    ...present({ errorType: textOf(headers['x-amzn-errortype']), requestId: textOf(headers['x-amzn-requestid']) }),
  };
}

/** Resolves at `event`. @throws what ends the socket before that */
async function until(socket: Socket, event: 'connect' | 'secureConnect', signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const abort = () => reject(signal.reason);
  socket.once(event, () => resolve());
  socket.once('error', reject);
  socket.once('close', () => reject(reset()));
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  try {
    await promise;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function reset(): Error {
  return Object.assign(new Error('the connection was closed before an answer'), { code: 'ECONNRESET' });
}

function portOf({ port, protocol }: URL): number {
  return port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
}

/** The host as sockets want it: an IPv6 address without its brackets. */
function bare({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '');
}

/** Node says the code where there is one, else a sentence. */
function codeOf(refusal: unknown): string {
  const text = refusal instanceof Error ? ((refusal as { code?: string }).code ?? refusal.message) : String(refusal);
  return /^[A-Z0-9_]+$/.test(text) ? text : 'CERT_REFUSED';
}

function textOf(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.[0];
}
