import { BlockList, isIP, isIPv6 } from 'node:net';
import { z } from 'zod';
import { says } from './messages.ts';

/** Where the web server listens. An IPv6 host stands without its brackets. */
export interface ListenAddress {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** Parses `127.0.0.1:10539`, `localhost:0` or `[::1]:10539`; undefined for anything else. */
export function parseListen(text: string): ListenAddress | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})?)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined || port > 65_535) return undefined;
  if (match?.[1] !== undefined && !isIPv6(host)) return undefined;
  if (/^[\d.]+$/.test(host) && isIP(host) === 0) return undefined;
  return { host, port };
}

/** Whether only this machine can reach the address. A host name other than `localhost` may point anywhere. */
export function isLoopback(host: string): boolean {
  const family = isIP(host);
  if (family === 0) return host.toLowerCase() === 'localhost';
  return LOOPBACK.check(host, family === 6 ? 'ipv6' : 'ipv4');
}

const EXPECTED = 'expected host:port, such as 127.0.0.1:10539 or "[::1]:10539"';

/** `listen` in the configuration: text in, host and port out. */
export const Listen = z.string({ error: says(EXPECTED) }).transform((text, context): ListenAddress => {
  const address = parseListen(text);
  if (address) return address;
  context.addIssue(EXPECTED);
  return z.NEVER;
});
