/** What the books of keys and of consumers do alike: records in the graph, among what each source saw, and in the draft. */
import { isDeepStrictEqual } from 'node:util';
import type { SourceId } from '../core/model.ts';
import { isFrom } from '../core/witness.ts';
import type { Draft } from './draft.ts';
import type { Seen } from './seen.ts';
import type { Tracked } from './tracked.ts';

export interface ShelfOptions<T extends Tracked> {
  readonly seen: Seen;
  /** Records whose newest look was never written. */
  readonly unwritten: Set<string>;
  /** Puts a record into the graph. */
  upsert(record: T): void;
  /** Takes a record out of the graph. */
  remove(resource: string): void;
  /** Where a draft keeps records of this sort. */
  part(draft: Draft): { readonly upserts: Map<string, T>; readonly deletes: Set<string> };
}

export interface Shelf<T extends Tracked> {
  /** Replaces a record; gives what is kept, in which facts that did not change are the same object as before. */
  put(draft: Draft, before: T | undefined, after: T): T;
  drop(draft: Draft, record: T): void;
}

export function createShelf<T extends Tracked>({ seen, unwritten, upsert, remove, part }: ShelfOptions<T>): Shelf<T> {
  return {
    put(draft, before, after) {
      const same = before?.facts && after.facts && isDeepStrictEqual(before.facts, after.facts);
      const kept = same ? { ...after, facts: before.facts } : after;
      const { resource } = kept;
      upsert(kept);
      seen.replace(before, kept);
      const { upserts, deletes } = part(draft);
      if (before && sameButForLooks(before, kept)) unwritten.add(resource);
      else upserts.set(resource, kept);
      deletes.delete(resource);
      return kept;
    },

    drop(draft, record) {
      const { resource } = record;
      remove(resource);
      seen.replace(record, undefined);
      const { upserts, deletes } = part(draft);
      upserts.delete(resource);
      deletes.add(resource);
      unwritten.delete(resource);
    },
  };
}

/** This source no longer watches it; what nobody watches ends. */
export function dropWitness<T extends Tracked>(
  record: T,
  id: SourceId,
  { put, drop }: { put(left: T): unknown; drop(): void },
): void {
  const witnesses = record.witnesses.filter((witness) => !isFrom(witness, id));
  if (witnesses.length === record.witnesses.length) return;
  if (witnesses.length === 0) drop();
  else put({ ...record, witnesses });
}

/** A look beside the listing that told something new: what the listing said then is no measure of change any more. */
export function withoutStaleDigest<T extends Tracked>(before: T | undefined, after: T): T {
  if (after.digest === undefined || isDeepStrictEqual(before?.facts, after.facts)) return after;
  const { digest: _stale, ...rest } = after;
  return rest as T;
}

/** What every look moves; the times in `witnesses` too. */
const OF_LOOKS: ReadonlySet<string> = new Set(['checkedAt', 'conclusiveAt', 'evidence', 'witnesses']);

/** True when only the times and proofs of looks differ: those are not worth a write of their own. */
function sameButForLooks<T extends Tracked>(a: T, b: T): boolean {
  for (const field of new Set([...Object.keys(a), ...Object.keys(b)]) as Set<keyof T & string>) {
    // Most fields are the very same object from one record to the next; only what is not must be compared in depth.
    if (!OF_LOOKS.has(field) && a[field] !== b[field] && !isDeepStrictEqual(a[field], b[field])) return false;
  }
  return (
    a.witnesses.length === b.witnesses.length && a.witnesses.every((one, at) => isFrom(one, b.witnesses[at] ?? one))
  );
}
