/**
 * Who depends on whom: health, root causes, blast radius and consumer health from records, kept up to date at a cost
 * proportional to what changed and what depends on it.
 */
import { incidentsOf } from './incidents.ts';
import { KeyIndex } from './key-index.ts';
import { lazily } from './lazily.ts';
import { type ConsumerNode, createLinks, type KeyNode } from './links.ts';
import type { ConsumerRecord, KeyFacts, KeyRecord, SourceRecord } from './model.ts';
import { type Coverage, notWatchedBy } from './not-watched.ts';
import { createOrdered, type Placed } from './ordered.ts';
import type { Policy } from './policy.ts';
import {
  consumersOf,
  countDependents,
  dependenciesOf,
  dependentsOf,
  isSymptom,
  settle,
  settleAll,
} from './propagation.ts';
import type { KeyReason } from './reasons.ts';
import { type ConsumerView, type Incident, isTroubled, type KeyView, type Snapshot } from './snapshot.ts';
import { consumerView, type IsManaged, isHeld, keyView } from './views.ts';

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

/** A live index. Mutated by `update` and `load` only; what `snapshot` gives out never changes afterwards. */
export interface Graph {
  update(change: GraphChange): void;
  /**
   * Takes in as much as there is at once, in steps of well under a millisecond; some, that go over all keys, take several.
   * Until its end nothing else may be asked of the graph.
   */
  load(state: Pick<GraphChange, 'upserts' | 'consumers'>): Generator<void, void>;
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

const REWIRED_AT_MOST = 4_096;
/** So many are put in order with each snapshot; of more, whoever asks looks through all keys. */
const TROUBLED_AT_MOST = 1_000;
const NO_INCIDENTS: readonly Incident[] = [];
const NO_COVERAGE: Coverage = { watches: [], locate: () => undefined };

/** An empty graph. */
export function createGraph(options: GraphOptions): Graph {
  const links = createLinks();
  const records = new Map<string, KeyRecord>();
  const viewing = { ...options, record: (resource: string) => records.get(resource) };
  const coverage = options.coverage ?? NO_COVERAGE;
  const isManaged: IsManaged = (provider, name) => coverage.locate(provider, name)?.cloudManaged === true;
  let revision = options.revision ?? 0;
  const keys = createOrdered<KeyView, KeyNode>();
  const consumers = createOrdered<ConsumerView, ConsumerNode>();
  let published: Published = publish([], [], { incidents: () => NO_INCIDENTS, troubled: () => [] });
  // What incidents are made of; folded in by the next snapshot, however many updates come before it.
  const lost = new Set<KeyNode>();
  const hit = new Set<ConsumerNode>();
  const troubled = new Set<KeyNode>();
  let troubledChanged = false;
  let incidentsChanged = false;
  // Whose dependents must be counted anew. Counted when somebody asks: a key with 100,000 users gains them one by one.
  const uncounted = new Set<KeyNode>();

  function update(change: GraphChange): void {
    const seeds = new Set<KeyNode>();
    const dirty = new Set<KeyNode>();
    const ended = new Set(change.deletes);
    for (const record of change.upserts) {
      if (ended.has(record.resource)) continue;
      const before = records.get(record.resource);
      if (before === record) continue;
      const node = enter(record);
      dirty.add(node);
      if (!before) keys.add(node);
      else if (!spreadsAlike(before, record)) seeds.add(node);
    }
    for (const resource of ended) leave(resource);
    for (const record of change.consumers?.upserts ?? []) links.upsertConsumer(record);
    for (const resource of change.consumers?.deletes ?? []) {
      const node = links.removeConsumer(resource);
      if (!node) continue;
      consumers.remove(node);
      incidentsChanged = hit.delete(node) || incidentsChanged;
    }

    const rewired = links.takeRewired();
    const affected = dependentsOf(seeds.union(rewired.keys));
    const settled = settle(affected, links.stirred);
    for (const node of dependenciesOf(rewired.targets)) uncounted.add(node);
    for (const node of settled) dirty.add(node);
    for (const node of rewired.keys) dirty.add(node);
    // What is told of the unknown, and of what lies in a blind vault, is told of others' records too.
    for (const node of affected) if (node.unknown || isHeld(node)) dirty.add(node);
    const users = rewired.consumers;
    for (const node of dirty) {
      if (!renew(node)) continue;
      for (const ref of node.refs) for (const consumer of ref.consumers) users.add(consumer);
    }
    for (const node of users) renewConsumer(node);
  }

  function* load(state: Pick<GraphChange, 'upserts' | 'consumers'>): Generator<void, void> {
    let entered = 0;
    for (const record of state.upserts) {
      yield void enter(record);
      entered += 1;
      // Everything is looked at below; kept account of for all, the rewiring would grow large for nothing.
      if (entered % REWIRED_AT_MOST === 0) links.takeRewired();
    }
    for (const record of state.consumers?.upserts ?? []) yield links.upsertConsumer(record);
    links.takeRewired();
    settleAll(links.stirred);
    for (const node of links.nodes.values()) {
      node.dependents = countDependents(node.refs, node);
      yield void renew(node);
    }
    for (const node of links.consumers.values()) yield renewConsumer(node);
    yield* keys.fill(links.nodes.values());
    yield* consumers.fill(links.consumers.values());
  }

  function enter(record: KeyRecord): KeyNode {
    records.set(record.resource, record);
    return links.upsert(record);
  }

  function leave(resource: string): void {
    records.delete(resource);
    const node = links.remove(resource);
    if (!node) return;
    keys.remove(node);
    uncounted.delete(node);
    incidentsChanged = lost.delete(node) || incidentsChanged;
    troubledChanged = troubled.delete(node) || troubledChanged;
  }

  /** Whether the view of the key had to be replaced. */
  function renew(node: KeyNode): boolean {
    const view = keyView(node, viewing);
    if (view === node.view) return false;
    node.view = view;
    keys.changed(node);
    incidentsChanged = lost.delete(node) || node.lost !== undefined || incidentsChanged;
    if (node.lost) lost.add(node);
    const isIn = isTroubled(view);
    troubledChanged = troubled.delete(node) || isIn || troubledChanged;
    if (isIn) troubled.add(node);
    return true;
  }

  function renewConsumer(node: ConsumerNode): void {
    const view = consumerView(node, isManaged);
    if (view === node.view) return;
    if (node.view === undefined) consumers.add(node);
    node.view = view;
    consumers.changed(node);
    const isHit = view.health === 'impaired' && view.rootCauses.length > 0;
    incidentsChanged = hit.delete(node) || isHit || incidentsChanged;
    if (isHit) hit.add(node);
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
    const [all, users] = [keys.views(), consumers.views()];
    let { incidents, troubled: inTrouble } = published;
    if (incidentsChanged) {
      const [dead, impaired] = [inOrder(lost), inOrder(hit)];
      incidents = lazily(() => incidentsOf(dead, impaired));
    }
    if (troubledChanged) {
      const few = troubled.size <= TROUBLED_AT_MOST ? inOrder(troubled) : undefined;
      inTrouble = lazily(() => few ?? all.filter(isTroubled));
    }
    if (incidentsChanged || troubledChanged || all !== published.keys || users !== published.consumers) {
      published = publish(all, users, { incidents, troubled: inTrouble });
      incidentsChanged = false;
      troubledChanged = false;
    }
  }

  return {
    update,
    load,
    records,
    snapshot({ at, sources, storeUp }) {
      fold();
      revision += 1;
      const { incidents, troubled: inTrouble, ...views } = published;
      return {
        revision,
        at,
        ...views,
        sources,
        storeUp,
        notWatched: notWatchedBy(coverage, sources),
        get incidents() {
          return incidents();
        },
        get troubled() {
          return inTrouble();
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

/** Made when somebody first asks. */
interface Derived {
  readonly incidents: () => readonly Incident[];
  readonly troubled: () => readonly KeyView[];
}

interface Published extends Derived {
  readonly keys: readonly KeyView[];
  readonly byResource: KeyIndex;
  readonly consumers: readonly ConsumerView[];
}

function publish(keys: readonly KeyView[], consumers: readonly ConsumerView[], derived: Derived): Published {
  return { keys, byResource: new KeyIndex(keys), consumers, ...derived };
}

/** The views of nodes that have their places already. */
function inOrder<V>(nodes: ReadonlySet<Placed<V>>): readonly V[] {
  return [...nodes].sort((a, b) => a.index - b.index).flatMap(({ view }) => (view === undefined ? [] : [view]));
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
