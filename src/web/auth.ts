/**
 * HTTP Basic (RFC 7617) against bcrypt hashes. What a check costs and how long it takes tells nobody whether a user exists,
 * and somebody who tries passwords keeps nobody else waiting for long.
 */
import { createHmac, randomBytes } from 'node:crypto';
import type { Comparer } from './bcrypt.ts';
import { addressOf, createTurns } from './turns.ts';

/** `busy`: too many wait already; it was not looked at. */
export type Verdict = 'allowed' | 'refused' | 'busy';

/** Decides who gets in. */
export interface Authenticator {
  /**
   * @param authorization the header
   * @param remote address of the client
   * @param users hashes by name, as they are now
   * @throws when passwords cannot be compared
   */
  check(
    authorization: string | undefined,
    remote: string | undefined,
    users: ReadonlyMap<string, string>,
  ): Verdict | Promise<Verdict>;
}

/** Verdicts that are remembered. Those who got in cannot be pushed out by those who did not. */
const MAX_ALLOWED = 1_024;
const MAX_REFUSED = 8_192;
/** A salt and the hash of nothing that anybody knows: what unknown users are compared with. */
const NOBODY = 'yrFa1q0PhmvMOhUQIMf8FeTtJ3H5cWt0bWkV9nPSx2sDqYzLGuEoK';

/** Makes an authenticator that remembers its verdicts, by a keyed hash and for as long as the hash of a user stands. */
export function createAuthenticator(comparer: Comparer): Authenticator {
  const salt = randomBytes(32);
  const allowed = new Recent(MAX_ALLOWED);
  const refused = new Recent(MAX_REFUSED);
  const waiting = new Map<string, Promise<Verdict>>();
  const turns = createTurns<() => Promise<void>>();
  let running = false;

  async function run(): Promise<void> {
    if (running) return;
    running = true;
    for (let next = turns.shift(); next; next = turns.shift()) await next();
    running = false;
  }

  return {
    check(authorization, remote, users) {
      const given = credentials(authorization);
      if (!given) return 'refused';
      const { user, password } = given;
      const hash = users.get(user);
      const hashes = equallyCostly(hash, users);
      const key = createHmac('sha256', salt)
        .update(JSON.stringify([user, hashes[0], password]))
        .digest('base64');
      // Both are looked up, whatever the first one says.
      const [yes, no] = [allowed.has(key), refused.has(key)];
      if (yes) return 'allowed';
      if (no) return 'refused';
      const same = waiting.get(key);
      if (same) return same;

      const verdict = Promise.withResolvers<Verdict>();
      const queued = turns.push(addressOf(remote), user, async () => {
        try {
          const fits = await comparer.compare(password, hashes);
          const known = fits && hash !== undefined;
          (known ? allowed : refused).add(key);
          verdict.resolve(known ? 'allowed' : 'refused');
        } catch (error) {
          verdict.reject(error);
        }
        waiting.delete(key);
      });
      if (!queued) return 'busy';
      waiting.set(key, verdict.promise);
      void run();
      return verdict.promise;
    },
  };
}

/** User and password of a header; undefined when it is none of this scheme. */
function credentials(header: string | undefined): { readonly user: string; readonly password: string } | undefined {
  const encoded = /^basic +([A-Za-z0-9+/]{1,4096}={0,2}) *$/i.exec(header ?? '')?.[1];
  if (encoded === undefined) return undefined;
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(encoded, 'base64'));
    const colon = text.indexOf(':');
    return colon < 0 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) };
  } catch {
    return undefined;
  }
}

/**
 * What a password is compared with: first the hash of its user, then as many that fit nothing as make the whole cost as much
 * as the most costly user does. A check at cost n takes 2^n, and 2^n + 2^n + 2^(n+1) + … + 2^(m-1) is 2^m.
 */
function equallyCostly(hash: string | undefined, users: ReadonlyMap<string, string>): readonly [string, ...string[]] {
  const most = Math.max(...[...users.values()].map(costOf));
  const nobody = (cost: number) => `$2b$${String(cost).padStart(2, '0')}$${NOBODY}`;
  if (hash === undefined) return [nobody(most)];
  const rest = Array.from({ length: most - costOf(hash) }, (_, at) => nobody(costOf(hash) + at));
  return [hash, ...rest];
}

function costOf(hash: string): number {
  return Number(hash.split('$')[2]);
}

/** A bounded set that forgets what was not asked for the longest. */
class Recent {
  readonly #keys = new Set<string>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  has(key: string): boolean {
    if (!this.#keys.delete(key)) return false;
    this.#keys.add(key);
    return true;
  }

  add(key: string): void {
    this.#keys.add(key);
    const [oldest] = this.#keys;
    if (this.#keys.size > this.#limit && oldest !== undefined) this.#keys.delete(oldest);
  }
}
