/**
 * Who may change something. Without a login the browser of somebody on the same machine is the way in: a foreign page
 * that posts to us (told by its Origin), or a foreign name that was re-bound to our address (told by its Host).
 */
import { isIP } from 'node:net';

export interface PostHeaders {
  readonly host: string | undefined;
  readonly origin: string | undefined;
}

export interface OwnNames {
  /** The address that the server listens on; a wildcard lets every IP literal through, since those cannot be re-bound. */
  readonly listenHost: string | undefined;
  readonly externalUrl: string | undefined;
}

export type PostRefusal = 'foreign_host' | 'foreign_origin';

/** Why a request that changes something is refused; absent when it may go on. */
export function refusePost(headers: PostHeaders, own: OwnNames): PostRefusal | undefined {
  const host = authority('http:', headers.host);
  if (host === undefined || !isOwnName(host.hostname, own)) return 'foreign_host';
  if (headers.origin === undefined) return undefined;
  const origin = parse(headers.origin);
  if (origin === undefined) return 'foreign_origin';
  if (origin.origin === parse(own.externalUrl)?.origin) return undefined;
  // The scheme is left out: a proxy that ends TLS changes it.
  return authority(origin.protocol, headers.host)?.host === origin.host ? undefined : 'foreign_origin';
}

function isOwnName(hostname: string, own: OwnNames): boolean {
  if (hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname)) return true;
  if (hostname === parse(own.externalUrl)?.hostname) return true;
  if (own.listenHost === undefined) return false;
  const bare = hostname.replace(/^\[|\]$/g, '');
  if (own.listenHost === '0.0.0.0' || own.listenHost === '::') return isIP(bare) !== 0;
  return bare === own.listenHost.toLowerCase();
}

function authority(protocol: string, host: string | undefined): URL | undefined {
  if (host === undefined || !/^[^/\\@?#\s]+$/.test(host)) return undefined;
  return parse(`${protocol}//${host}`);
}

function parse(url: string | undefined): URL | undefined {
  return url === undefined ? undefined : (URL.parse(url) ?? undefined);
}
