/** Which way the probe goes to a key provider. Pure. */
import { BlockList, isIP } from 'node:net';

/** Through a proxy the name is resolved by the proxy, so neither the name nor the addresses behind it can be judged here. */
export type Way =
  | { readonly via: 'direct'; readonly addresses: readonly string[] }
  | { readonly via: 'proxy'; readonly proxy: URL }
  /** Where the configuration says; `addresses` where the name was looked up all the same. */
  | { readonly via: 'endpoint'; readonly endpoint: URL; readonly addresses?: readonly string[] };

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy that the environment has for https to `host`, port 443, by the rules of Node's own `proxyEnv`: lower case before
 * upper case, `NO_PROXY` as a list of names, `.suffixes`, addresses and ranges `FIRST-LAST`, or `*`.
 * @throws TypeError where the variable holds no URL
 */
export function proxyFor(host: string, env: Environment): URL | undefined {
  const proxy = env.https_proxy || env.HTTPS_PROXY;
  if (!proxy || isExempt(host, env.no_proxy || env.NO_PROXY || '')) return undefined;
  const url = URL.parse(proxy);
  if (!url || !/^https?:$/.test(url.protocol)) throw new TypeError('HTTPS_PROXY is not the URL of an HTTP proxy');
  return url;
}

function isExempt(host: string, list: string): boolean {
  return list
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .some((entry) => entry !== '' && matches(host, entry));
}

function matches(host: string, entry: string): boolean {
  if (entry === '*') return true;
  const [, name = '', port] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? [];
  if (port !== undefined && port !== '443') return false;
  if (name.startsWith('*.')) return host.endsWith(name.slice(1));
  if (name.startsWith('.')) return host.endsWith(name);
  return host === name || isInRange(host, name);
}

function isInRange(host: string, range: string): boolean {
  const [first = '', last = ''] = range.split('-');
  if (isIP(host) !== 4 || isIP(first) !== 4 || isIP(last) !== 4) return false;
  const list = new BlockList();
  list.addRange(first, last);
  return list.check(host);
}
