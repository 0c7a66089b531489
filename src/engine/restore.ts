import type { Witness } from '../core/model.ts';
import type { Tracked } from './tracked.ts';

/** Where what differs from the store goes. */
export interface Restoring<T extends Tracked> {
  /** Whether this witness still is a configured source that lets the record in. */
  watched(witness: Witness, record: T): boolean;
  readonly upserts: Map<string, T>;
  readonly deletes: Set<string>;
  keep(record: T): void;
}

/** Keeps the records that a configured source still watches, one in a step; what nobody watches any more ends. */
export function* restore<T extends Tracked>(
  records: readonly T[],
  { watched, upserts, deletes, keep }: Restoring<T>,
): Generator<void, void> {
  for (const one of records) {
    yield;
    const witnesses = one.witnesses.filter((witness) => watched(witness, one));
    if (witnesses.length === 0) {
      deletes.add(one.resource);
      continue;
    }
    const changed = witnesses.length === one.witnesses.length ? one : { ...one, witnesses };
    if (changed !== one) upserts.set(changed.resource, changed);
    keep(changed);
  }
}
