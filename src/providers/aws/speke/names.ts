/**
 * Looking up the name of a key provider. Name servers are asked directly rather than through the machine's own resolver: only
 * so does "there is no such name" differ from "nobody could tell", no search domain turns a name that is gone into another one
 * that exists, and a lookup can be cancelled.
 */
import { Resolver } from 'node:dns/promises';

/** Milliseconds for one question to one name server; asked twice, that fits into the deadline of a call. */
const QUESTION_MS = 2_000;
const TRIES = 2;

/** A name that was not resolved. `ENOTFOUND` is a name server's own word that there is no such name; nothing else is. */
export class NameUnresolved extends Error {
  readonly code: string;
  constructor(host: string, code: string) {
    super(code === 'ENOTFOUND' ? `there is no name ${host}` : `the name ${host} was not resolved`);
    this.name = 'NameUnresolved';
    this.code = code;
  }
}

export interface Names {
  /**
   * Every address of a host, IPv4 first; at least one.
   * @throws NameUnresolved
   */
  addressesOf(host: string, signal: AbortSignal): Promise<readonly string[]>;
}

/** @param servers addresses, with ports where they are not 53; undefined: those of the machine */
export function nameServers(servers: readonly string[] | undefined): Names {
  return {
    async addressesOf(host, signal) {
      signal.throwIfAborted();
      const resolver = new Resolver({ timeout: QUESTION_MS, tries: TRIES });
      if (servers) resolver.setServers(servers);
      const cancel = () => resolver.cancel();
      signal.addEventListener('abort', cancel, { once: true });
      try {
        const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
        const addresses = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
        if (addresses.length > 0) return addresses;
        throw new NameUnresolved(host, codeOf(answers));
      } finally {
        signal.removeEventListener('abort', cancel);
      }
    },
  };
}

/** Only where both questions say so there is no such name; one that could not be asked says more than one that was. */
function codeOf(answers: readonly PromiseSettledResult<readonly string[]>[]): string {
  const codes = answers.map((answer) =>
    answer.status === 'rejected' ? String((answer.reason as { code?: unknown }).code) : 'ENODATA',
  );
  const unasked = codes.find((code) => code !== 'ENOTFOUND' && code !== 'ENODATA');
  // Codes of c-ares are spelled as those of sockets: ECONNREFUSED here is about a name server.
  if (unasked !== undefined) return unasked.replace(/^E?/, 'EDNS');
  return codes.every((code) => code === 'ENOTFOUND') ? 'ENOTFOUND' : 'ENODATA';
}
