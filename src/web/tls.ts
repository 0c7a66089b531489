/** TLS in front of the server: what Node is told, and whose certificate gets in. */
import type { X509Certificate } from 'node:crypto';
import { BlockList, isIP } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { WebTls } from '../config/web-file.ts';

/** What a `tls.Server` is told about those who connect; it reads both anew for each connection. */
export function clientOptions({ clients }: WebTls): {
  readonly requestCert: boolean;
  readonly rejectUnauthorized: boolean;
} {
  return {
    requestCert: clients.certificate !== 'none',
    // Ends the handshake itself. Where it does not say all, `admits` does the rest.
    rejectUnauthorized: clients.certificate === 'required' && clients.verified,
  };
}

/** Whether a connection may go on, its handshake done. */
export function admits(socket: TLSSocket, { clients }: WebTls): boolean {
  if (clients.certificate === 'none') return true;
  const certificate = socket.getPeerX509Certificate();
  if (!certificate) return clients.certificate === 'optional';
  if (clients.verified && !socket.authorized) return false;
  return clients.allowedSans === undefined || hasName(certificate, clients.allowedSans);
}

/** Names as Node prints them (`DNS:a, IP Address:::1, URI:"b, c"`): in quotes wherever a comma could deceive. */
const NAME = /(?:^|, )(DNS|IP Address|URI|email):("(?:[^"\\]|\\.)*"|[^,]*)/g;

function hasName({ subjectAltName }: X509Certificate, allowed: readonly string[]): boolean {
  for (const [, type, raw = ''] of (subjectAltName ?? '').matchAll(NAME)) {
    const name: string = raw.startsWith('"') ? JSON.parse(raw) : raw;
    if (type === 'IP Address' ? allowed.some((one) => sameAddress(one, name)) : allowed.includes(name)) return true;
  }
  return false;
}

function sameAddress(a: string, b: string): boolean {
  const family = isIP(a);
  if (family === 0 || family !== isIP(b)) return false;
  const list = new BlockList();
  const name = family === 6 ? 'ipv6' : 'ipv4';
  list.addAddress(a, name);
  return list.check(b, name);
}
