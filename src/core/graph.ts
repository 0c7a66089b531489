/**
 * Who depends on whom: health, root causes, blast radius and consumer health from records, kept up to date at a cost
 * proportional to what changed and what depends on it.
 */
import type { ConsumerRecord, KeyFacts, KeyRecord, SourceRecord } from './model.ts';
import type { Policy } from './policy.ts';
import type { KeyReason } from './reasons.ts';
import type { Snapshot } from './snapshot.ts';

export interface GraphOptions {
  readonly policy: Policy;
  /** The exact command that undoes the loss; called only for keys whose own belief is inaccessible. */
  remedy(reason: KeyReason, facts: KeyFacts): string | undefined;
  /** Revision of the last snapshot that readers were given (a graph made anew after a reload goes on from it). Default 0. */
  readonly revision?: number;
}

export interface GraphChange {
  readonly upserts: readonly KeyRecord[];
  /** Resources of keys whose records end; wins over an upsert of the same resource. */
  readonly deletes: readonly string[];
  readonly consumers?: { readonly upserts: readonly ConsumerRecord[]; readonly deletes: readonly string[] };
}

/** A live index. Mutated by `update` only; what `snapshot` gives out never changes afterwards. */
export interface Graph {
  update(change: GraphChange): void;
  /** The next revision. Views of keys about which nothing changed are the same objects as before. */
  snapshot(meta: {
    readonly at: number;
    readonly sources: readonly SourceRecord[];
    readonly storeUp: boolean;
  }): Snapshot;
  /** Records by resource; live. */
  readonly records: ReadonlyMap<string, KeyRecord>;
  /** The watched resource that a full resource or an alias means; undefined: not watched. */
  resolve(ref: string): string | undefined;
  /** Distinct consumers and keys that depend on the resource, directly or through others, itself excluded. */
  dependents(resource: string): number;
  /** Every resource and alias that a watched key or consumer names as something it depends on, as it was named. */
  referenced(): readonly string[];
}

/** An empty graph. */
export function createGraph(options: GraphOptions): Graph {
  throw new Error(`${options.revision}`);
}
