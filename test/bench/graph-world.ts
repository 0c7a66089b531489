/** A world of keys and consumers for the graph: 100,000 keys and 300,000 edges, as records and as plain numbers. */
import type { ConsumerRecord, KeyRecord } from '../../src/core/model.ts';
import { consumer, key, lostSince } from '../core/support/graphs.ts';
import { T0 } from '../core/support/looks.ts';

export const KEYS = 100_000;
/** Keys that others need and that need none themselves: the KMS keys of this world. */
export const ROOTS = 20_000;
const CONSUMERS = 20_000;
/** One root in so many is lost. */
const LOST_EVERY = 100;

export interface World {
  readonly keys: readonly KeyRecord[];
  readonly consumers: readonly ConsumerRecord[];
  /** Each edge once: who needs, and who is needed. Consumers count on after the keys. */
  readonly from: Uint32Array;
  readonly to: Uint32Array;
}

/** Every key but the roots needs one root, and one of two others; every consumer needs three keys. */
export function world(): World {
  const random = numbers(20_260_101);
  const from: number[] = [];
  const to: number[] = [];
  const edge = (user: number, used: number) => {
    from.push(user);
    to.push(used);
    return name(used);
  };
  const keys = Array.from({ length: KEYS }, (_, n) => {
    if (n < ROOTS) return rootRecord(n, n % LOST_EVERY === 0);
    const some = () => edge(n, random(ROOTS));
    return key(name(n), { needs: [[some()], [some(), some()]] });
  });
  const consumers = Array.from({ length: CONSUMERS }, (_, n) => {
    const use = () => edge(KEYS + n, ROOTS + random(KEYS - ROOTS));
    return consumer(`arn:aws:mediaconnect:eu-west-1:111122223333:flow:1-${n}:flow-${n}`, [
      ...new Set([use(), use(), use()]),
    ]);
  });
  return { keys, consumers, from: Uint32Array.from(from), to: Uint32Array.from(to) };
}

export function rootRecord(n: number, lost: boolean, since = T0): KeyRecord {
  return key(name(n), { ...(lost && lostSince(since)), facts: { kind: 'aws-kms-key' }, checkedAt: since });
}

export function name(n: number): string {
  return n < ROOTS
    ? `arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-0000-0000-${String(n).padStart(12, '0')}`
    : `arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/service-${n}-AbCdEf`;
}

/** The least that anybody could do: one pass over the edges that marks who needs what is lost. */
export function onePass({ from, to }: World, lost: Uint8Array): void {
  for (let edge = 0; edge < from.length; edge += 1) {
    if (lost[to[edge] ?? 0] === 1) lost[from[edge] ?? 0] = 1;
  }
}

/** Integers below a bound, always the same ones (a linear congruential generator of Numerical Recipes). */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
