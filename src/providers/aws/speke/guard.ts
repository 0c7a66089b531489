/**
 * Which addresses the probe may call. The URL of a key provider comes out of a cloud's answer: whoever may edit a flow would
 * otherwise make keyvigil call whatever it can reach. Nothing is decided by how an address is spelled: the URL is parsed
 * first, names are resolved, and the connection is made to the very addresses that were checked. Pure.
 */
import { BlockList, isIP } from 'node:net';
import { hostOf } from './url.ts';

/** Why the probe does not call. */
export const REFUSALS = ['scheme', 'port', 'userinfo', 'address', 'local_name', 'private_address'] as const;
export type Refusal = (typeof REFUSALS)[number];

/** Special-purpose ranges of IPv4 (IANA registry, RFC 6890 and what came after it). */
const IPV4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  // Link local, and the metadata services of the clouds with it.
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];

/** Ranges within 2000::/3 that lead elsewhere: Teredo and its kind, documentation, 6to4. */
const IPV6: readonly (readonly [string, number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
];

/** Ends of names that mean something only in one network, metadata services among them. */
const LOCAL =
  /(^|\.)(localhost|localdomain|local|internal|intranet|lan|corp|home|private|svc|cluster\.local|home\.arpa|arpa|onion)$/;

const refused = new BlockList();
for (const [address, bits] of IPV4) refused.addSubnet(address, bits, 'ipv4');
for (const [address, bits] of IPV6) refused.addSubnet(address, bits, 'ipv6');
const unicast = new BlockList();
unicast.addSubnet('2000::', 3, 'ipv6');

/**
 * Why this URL is not called, before its name is resolved. An API Gateway has a name, so no address is called at all, however
 * it is spelled: parsing has turned octal, hexadecimal and decimal forms into plain ones.
 */
export function refusalOfUrl(url: URL): Refusal | undefined {
  if (url.protocol !== 'https:') return 'scheme';
  if (url.username !== '' || url.password !== '') return 'userinfo';
  if (url.port !== '') return 'port';
  const host = hostOf(url);
  if (host.startsWith('[') || isIP(host) !== 0) return 'address';
  return !host.includes('.') || LOCAL.test(host) ? 'local_name' : undefined;
}

/**
 * Why an address that a name resolved to is not called. Only public addresses are: of IPv6 that is what lies within 2000::/3,
 * so that loopback, unique local, link local, multicast, NAT64 and every way to write an IPv4 address are out.
 */
export function refusalOfAddress(address: string): Refusal | undefined {
  const family = isIP(address);
  if (family === 4) return refused.check(address, 'ipv4') ? 'private_address' : undefined;
  if (family !== 6 || address.includes('%')) return 'private_address';
  const isPublic = unicast.check(address, 'ipv6') && !refused.check(address, 'ipv6');
  return isPublic ? undefined : 'private_address';
}
