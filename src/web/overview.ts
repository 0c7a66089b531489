/**
 * What readers of a snapshot need besides it: orders, counts, who depends on what. Each made once per snapshot, when a page first
 * needs it, in time linear in the number of keys, because an incident is exactly when everybody opens the page.
 */

import { lazily } from '../core/lazily.ts';
import { type ConsumerHealth, type Health, type SourceRecord, sourceKey } from '../core/model.ts';
import { keyUses, resourceOf } from '../core/readers.ts';
import { type Records, type Relations, relationsOf } from '../core/relations.ts';
import type { ConsumerView, Incident, KeyView, Snapshot } from '../core/snapshot.ts';

export interface Overview {
  readonly snapshot: Snapshot;
  /** Who needs whom, with what would do instead. */
  readonly relations: Relations;
  /** Worst first; equals by resource. */
  readonly keys: readonly KeyView[];
  readonly consumers: readonly ConsumerView[];
  readonly consumersByResource: ReadonlyMap<string, ConsumerView>;
  /** Sorted by resource, as the API pages them. */
  readonly consumersInOrder: readonly ConsumerView[];
  readonly sourcesInOrder: readonly SourceRecord[];
  readonly keyCounts: Readonly<Record<Health, number>>;
  readonly consumerCounts: Readonly<Record<ConsumerHealth, number>>;
  /** Keys of which nothing conclusive comes in any more, by themselves; and those that are blind through what holds them. */
  readonly blind: number;
  readonly blindThrough: number;
  /** Incidents that matter now, most affected first. */
  readonly incidents: readonly Incident[];
  /** Roots that were dead at first sight and that nothing needs. */
  readonly longDead: readonly Incident[];
  /** Consumers in trouble that no watched key explains. */
  readonly unexplained: readonly ConsumerView[];
  /** Everything that stops working without a resource, directly or through others. */
  dependents(resource: string): Dependents;
}

export interface Dependents {
  readonly keys: readonly KeyView[];
  /** Worst first. */
  readonly consumers: readonly ConsumerView[];
}

/** Gives the overview of a snapshot, kept until another snapshot is asked for. */
export function createOverviews(records: Records): (snapshot: Snapshot) => Overview {
  let latest: Overview | undefined;
  return (snapshot) => {
    if (latest?.snapshot !== snapshot) latest = overviewOf(snapshot, records);
    return latest;
  };
}

const CONSUMER_RANK: Readonly<Record<ConsumerHealth, number>> = { impaired: 0, unknown: 1, at_risk: 2, ok: 3 };

function overviewOf(snapshot: Snapshot, records: Records): Overview {
  const affected = (incident: Incident) => incident.consumers.length + incident.keys.length;
  const isLongDead = (incident: Incident) => {
    const root = snapshot.byResource.get(incident.root);
    return root?.baseline === true && !root.critical && root.consumers === 0 && affected(incident) === 0;
  };
  const incidents = lazily(() => {
    const all = snapshot.incidents.toSorted((a, b) => affected(b) - affected(a) || b.since - a.since);
    return { current: all.filter((incident) => !isLongDead(incident)), longDead: all.filter(isLongDead) };
  });
  const keys = lazily(() => bucketed(snapshot.keys, keyRank));
  const counts = lazily(() => countsOf(snapshot));
  const consumersInOrder = lazily(() => snapshot.consumers.toSorted((a, b) => (a.resource < b.resource ? -1 : 1)));
  const consumers = lazily(() => bucketed(consumersInOrder(), (consumer) => CONSUMER_RANK[consumer.health]));
  const consumersByResource = lazily(() => {
    return new Map(snapshot.consumers.map((consumer) => [consumer.resource, consumer]));
  });
  const unexplained = lazily(() => {
    return snapshot.consumers.filter(({ health, rootCauses }) => health === 'impaired' && rootCauses.length === 0);
  });
  const reverse = lazily(() => reverseOf(snapshot));
  return {
    snapshot,
    relations: relationsOf(snapshot, records),
    get keys() {
      return keys();
    },
    get consumers() {
      return consumers();
    },
    get consumersByResource() {
      return consumersByResource();
    },
    get consumersInOrder() {
      return consumersInOrder();
    },
    sourcesInOrder: snapshot.sources.toSorted((a, b) => (sourceKey(a) < sourceKey(b) ? -1 : 1)),
    get keyCounts() {
      return counts().keyCounts;
    },
    get consumerCounts() {
      return counts().consumerCounts;
    },
    get blind() {
      return counts().blind;
    },
    get blindThrough() {
      return counts().blindThrough;
    },
    get incidents() {
      return incidents().current;
    },
    get longDead() {
      return incidents().longDead;
    },
    get unexplained() {
      return unexplained();
    },
    dependents: (resource) => dependentsOf(resource, reverse()),
  };
}

function countsOf(snapshot: Snapshot): Pick<Overview, 'keyCounts' | 'consumerCounts' | 'blind' | 'blindThrough'> {
  const keyCounts = { accessible: 0, degraded: 0, inaccessible: 0, unknown: 0 };
  const consumerCounts = { ok: 0, at_risk: 0, impaired: 0, unknown: 0 };
  let blind = 0;
  let blindThrough = 0;
  for (const key of snapshot.keys) {
    keyCounts[key.health] += 1;
    if (key.blindSince === undefined) continue;
    if (key.blindRoots === undefined) blind += 1;
    else blindThrough += 1;
  }
  for (const consumer of snapshot.consumers) consumerCounts[consumer.health] += 1;
  return { keyCounts, consumerCounts, blind, blindThrough };
}

const LATER: Readonly<Record<Exclude<Health, 'inaccessible'>, number>> = { unknown: 4, degraded: 6, accessible: 7 };

/** Lost and needed, lost, lost with another, dead since first sight; then unknown, blind, degraded, the rest. */
function keyRank(key: KeyView): number {
  if (key.health === 'inaccessible') {
    if (key.rootCauses.length > 0) return 2;
    if (key.critical || key.consumers > 0) return 0;
    return key.baseline ? 3 : 1;
  }
  return key.blindSince !== undefined && key.health !== 'unknown' ? 5 : LATER[key.health];
}

/** Stable sort by a small rank in linear time. */
function bucketed<T>(items: readonly T[], rank: (item: T) => number): readonly T[] {
  const buckets: T[][] = [];
  for (const item of items) {
    const at = rank(item);
    buckets[at] ??= [];
    buckets[at].push(item);
  }
  return buckets.flat();
}

interface Reverse {
  readonly keys: ReadonlyMap<string, readonly KeyView[]>;
  readonly consumers: ReadonlyMap<string, readonly ConsumerView[]>;
}

function reverseOf(snapshot: Snapshot): Reverse {
  const keys = new Map<string, KeyView[]>();
  const consumers = new Map<string, ConsumerView[]>();
  for (const key of snapshot.keys) for (const needed of key.dependsOn) append(keys, needed, key);
  for (const consumer of snapshot.consumers)
    for (const use of keyUses(consumer)) append(consumers, resourceOf(use), consumer);
  return { keys, consumers };
}

function append<T>(lists: Map<string, T[]>, name: string, item: T): void {
  const list = lists.get(name);
  if (list === undefined) lists.set(name, [item]);
  else list.push(item);
}

function dependentsOf(resource: string, reverse: Reverse): Dependents {
  const keys = new Set<KeyView>();
  const consumers = new Set<ConsumerView>();
  const pending = [resource];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    for (const consumer of reverse.consumers.get(name) ?? []) consumers.add(consumer);
    for (const key of reverse.keys.get(name) ?? []) {
      // A cycle ends here, and the key itself is not its own dependent.
      if (keys.has(key) || key.resource === resource) continue;
      keys.add(key);
      pending.push(key.resource);
    }
  }
  return { keys: [...keys], consumers: bucketed([...consumers], ({ health }) => CONSUMER_RANK[health]) };
}
