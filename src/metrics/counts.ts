import type { Sample } from './row.ts';

/** A key or a consumer, as far as it is counted. */
interface Countable {
  readonly provider: string;
  readonly account: string;
  readonly location: string;
  readonly kind: string;
  readonly health: string;
}

/**
 * Counts objects by `provider, account, location, kind, health`. A place has a count for each of `healths`, 0 included.
 * Neighbours mostly share the place, so the last one is kept at hand.
 */
export function countByPlace(objects: readonly Countable[], healths: readonly string[]): Sample[] {
  const groups = new Map<string, { readonly of: Countable; readonly counts: Map<string, number> }>();
  let last: { readonly of: Countable; readonly counts: Map<string, number> } | undefined;
  for (const object of objects) {
    if (!last || !samePlace(last.of, object)) {
      const id = JSON.stringify([object.provider, object.account, object.location, object.kind]);
      last = groups.get(id) ?? { of: object, counts: new Map(healths.map((health) => [health, 0])) };
      groups.set(id, last);
    }
    last.counts.set(object.health, (last.counts.get(object.health) ?? 0) + 1);
  }
  return [...groups.values()].flatMap(({ of, counts }) =>
    [...counts].map(([health, value]) => ({ labels: [of.provider, of.account, of.location, of.kind, health], value })),
  );
}

/** Adds up the values of samples with equal labels. */
export function sumSamples(samples: readonly Sample[]): Sample[] {
  const sums = new Map<string, Sample>();
  for (const { labels, value } of samples) {
    const id = JSON.stringify(labels);
    sums.set(id, { labels, value: value + (sums.get(id)?.value ?? 0) });
  }
  return [...sums.values()];
}

function samePlace(a: Countable, b: Countable): boolean {
  return a.location === b.location && a.account === b.account && a.kind === b.kind && a.provider === b.provider;
}
