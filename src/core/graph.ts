/**
 * Who depends on whom: health, root causes, blast radius and consumer health from records, kept up to date at a cost
 * proportional to what changed and what depends on it.
 */
import { incidentsOf } from './incidents.ts';
import { KeyIndex } from './key-index.ts';
import { createLinks, type KeyNode } from './links.ts';
import type { ConsumerRecord, KeyFacts, KeyRecord, SourceRecord } from './model.ts';
import { type Coverage, notWatchedBy } from './not-watched.ts';
import type { Policy } from './policy.ts';
import { consumersOf, countDependents, dependenciesOf, dependentsOf, isSymptom, settle } from './propagation.ts';
import type { KeyReason } from './reasons.ts';
import type { ConsumerView, Incident, KeyView, Snapshot } from './snapshot.ts';
import { consumerView, type IsManaged, keyView } from './views.ts';

export interface GraphOptions {
  readonly policy: Policy;
  /** The exact command that undoes the loss; called only for keys whose own belief is inaccessible. */
  remedy(reason: KeyReason, facts: KeyFacts): string | undefined;
  /** What is configured, to say why a name means nothing that is watched. Default: nothing. */
  readonly coverage?: Coverage;
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
  /** Distinct consumers and keys that depend on the resource (watched or not), directly or through others, itself excluded. */
  dependents(resource: string): number;
  /** Records of consumers by resource; live. */
  readonly consumers: { get(resource: string): ConsumerRecord | undefined; values(): Iterable<ConsumerRecord> };
  /** Consumers that use the key, directly or through keys that depend on it. */
  consumersOf(resource: string): readonly ConsumerRecord[];
  /** Versions of the key that consumers use, as their services tell, each once. */
  versionsInUse(resource: string): readonly string[];
  /** Every resource and alias that a watched key or consumer names as something it depends on, as it was named. */
  referenced(): readonly string[];
}

const NO_COVERAGE: Coverage = { watches: [], locate: () => undefined };

/** An empty graph. */
export function createGraph(options: GraphOptions): Graph {
  const links = createLinks();
  const records = new Map<string, KeyRecord>();
  const viewing = { ...options, record: (resource: string) => records.get(resource) };
  const coverage = options.coverage ?? NO_COVERAGE;
  const isManaged: IsManaged = (provider, name) => coverage.locate(provider, name)?.cloudManaged === true;
  let revision = options.revision ?? 0;
  let sorted: readonly KeyNode[] = [];
  let published: Published = publish([]);
  // What differs from what was published last; folded in by the next snapshot, however many updates come before it.
  const changed = new Set<KeyNode>();
  const lost = new Set<KeyNode>();
  // Whose dependents must be counted anew. Counted when somebody asks: a key with 100,000 users gains them one by one.
  const uncounted = new Set<KeyNode>();
  const added = new Set<KeyNode>();
  const removed = new Set<KeyNode>();
  let lostChanged = false;
  let consumersChanged = false;

  function update(change: GraphChange): void {
    const seeds = new Set<KeyNode>();
    const dirty = new Set<KeyNode>();
    const ended = new Set(change.deletes);
    for (const record of change.upserts) {
      if (ended.has(record.resource)) continue;
      const before = records.get(record.resource);
      if (before === record) continue;
      records.set(record.resource, record);
      const node = links.upsert(record);
      dirty.add(node);
      if (!before) added.add(node);
      else if (!spreadsAlike(before, record)) seeds.add(node);
    }
    for (const resource of ended) {
      records.delete(resource);
      const node = links.remove(resource);
      if (!node) continue;
      if (!added.delete(node)) removed.add(node);
      uncounted.delete(node);
      changed.delete(node);
      lostChanged = lost.delete(node) || lostChanged;
    }
    for (const record of change.consumers?.upserts ?? []) links.upsertConsumer(record);
    for (const resource of change.consumers?.deletes ?? []) {
      consumersChanged = links.removeConsumer(resource) !== undefined || consumersChanged;
    }

    const rewired = links.takeRewired();
    const affected = dependentsOf(seeds.union(rewired.keys));
    settle(affected);
    for (const node of dependenciesOf(rewired.targets)) uncounted.add(node);
    const consumers = rewired.consumers;
    for (const node of dirty.union(affected)) {
      if (!renew(node)) continue;
      for (const ref of node.refs) for (const consumer of ref.consumers) consumers.add(consumer);
    }
    for (const node of consumers) {
      const view = consumerView(node, isManaged);
      consumersChanged ||= view !== node.view;
      node.view = view;
    }
  }

  /** Whether the view of the key had to be replaced. */
  function renew(node: KeyNode): boolean {
    const view = keyView(node, viewing);
    if (view === node.view) return false;
    node.view = view;
    changed.add(node);
    lostChanged = lost.delete(node) || node.lost !== undefined || lostChanged;
    if (node.lost) lost.add(node);
    return true;
  }

  function counted(node: KeyNode): number {
    if (!uncounted.delete(node)) return node.dependents;
    const before = node.dependents;
    node.dependents = countDependents(node.refs, node);
    if (node.dependents !== before) renew(node);
    return node.dependents;
  }

  function fold(): void {
    for (const node of uncounted) counted(node);
    let { keys, consumers } = published;
    if (added.size + removed.size > 0) {
      sorted = merge(sorted, added, removed);
      keys = place(sorted);
    } else if (changed.size > 0) {
      const patched = keys.slice();
      for (const { index, view } of changed) if (view) patched[index] = view;
      keys = patched;
    }
    if (consumersChanged) {
      consumers = [...links.consumers.values()].flatMap((node) => node.view ?? []).sort(compareResources);
    }
    if (lostChanged || consumersChanged) {
      const views = [...lost].flatMap((node) => node.view ?? []).sort(compareResources);
      published = publish(
        keys,
        consumers,
        lazily(() => incidentsOf(views, consumers, viewOf(keys))),
      );
    } else if (keys !== published.keys) {
      published = publish(keys, consumers, published.incidents);
    }
    changed.clear();
    added.clear();
    removed.clear();
    lostChanged = false;
    consumersChanged = false;
  }

  return {
    update,
    records,
    snapshot({ at, sources, storeUp }) {
      fold();
      revision += 1;
      const { keys, byResource, consumers, incidents } = published;
      return {
        revision,
        at,
        keys,
        byResource,
        consumers,
        sources,
        storeUp,
        notWatched: notWatchedBy(coverage, sources),
        get incidents() {
          return incidents();
        },
      };
    },
    resolve: (ref) => links.find(ref)?.resource,
    dependents(resource) {
      const node = links.nodes.get(resource);
      if (node) return counted(node);
      const ref = links.refs.get(resource);
      return ref ? countDependents([ref]) : 0;
    },
    consumers: {
      get: (resource) => links.consumers.get(resource)?.record,
      *values() {
        for (const { record } of links.consumers.values()) yield record;
      },
    },
    consumersOf(resource) {
      const node = links.nodes.get(resource);
      return node ? consumersOf(node.refs).map(({ record }) => record) : [];
    },
    versionsInUse(resource) {
      const refs = links.nodes.get(resource)?.refs;
      if (!refs || refs.length === 0) return [];
      const versions = new Set<string>();
      for (const ref of refs) {
        for (const { record } of ref.consumers) {
          for (const use of record.facts?.uses ?? []) {
            if (use.resource === ref.name && use.versionInUse !== undefined) versions.add(use.versionInUse);
          }
        }
      }
      return [...versions];
    },
    referenced: () => [...links.refs.keys()],
  };
}

interface Published {
  readonly keys: readonly KeyView[];
  readonly byResource: KeyIndex;
  readonly consumers: readonly ConsumerView[];
  incidents(): readonly Incident[];
}

function publish(
  keys: readonly KeyView[],
  consumers: readonly ConsumerView[] = [],
  incidents: () => readonly Incident[] = lazily(() => []),
): Published {
  return { keys, byResource: new KeyIndex(keys), consumers, incidents };
}

function viewOf(keys: readonly KeyView[]): (resource: string) => KeyView | undefined {
  const index = new KeyIndex(keys);
  return (resource) => index.get(resource);
}

/** Computed when it is first asked for: most snapshots are replaced before anybody does. */
function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** The nodes sorted by resource. What was sorted before is copied in runs: one key more among 100,000 is quickly in place. */
function merge(
  before: readonly KeyNode[],
  added: ReadonlySet<KeyNode>,
  removed: ReadonlySet<KeyNode>,
): readonly KeyNode[] {
  const kept = removed.size === 0 ? before : before.filter((node) => !removed.has(node));
  const runs: KeyNode[][] = [];
  let from = 0;
  for (const node of [...added].sort(compareResources)) {
    const to = firstAfter(kept, node.resource, from);
    if (to > from) runs.push(kept.slice(from, to));
    runs.push([node]);
    from = to;
  }
  if (runs.length === 0) return kept;
  return runs.concat([kept.slice(from)]).flat();
}

/** Where, from `low` on, the first node stands that comes after `resource`. */
function firstAfter(nodes: readonly KeyNode[], resource: string, low: number): number {
  let high = nodes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((nodes[middle]?.resource ?? '') < resource) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The views in the order of their nodes; each node learns its place. */
function place(sorted: readonly KeyNode[]): readonly KeyView[] {
  const views: KeyView[] = [];
  let index = 0;
  for (const node of sorted) {
    node.index = index;
    index += 1;
    if (node.view) views.push(node.view);
  }
  return views;
}

function compareResources(left: { readonly resource: string }, right: { readonly resource: string }): number {
  if (left.resource === right.resource) return 0;
  return left.resource < right.resource ? -1 : 1;
}

/** Whether two records of one key mean the same to what depends on it, edges aside. */
function spreadsAlike(left: KeyRecord, right: KeyRecord): boolean {
  return (
    left.belief?.verdict.status === right.belief?.verdict.status &&
    isSymptom(left) === isSymptom(right) &&
    left.belief?.since === right.belief?.since &&
    left.firstSeenAt === right.firstSeenAt &&
    (left.belief !== undefined || left.inconclusiveReason === right.inconclusiveReason) &&
    left.blindSince === right.blindSince &&
    left.blindReason === right.blindReason
  );
}
