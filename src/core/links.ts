/**
 * The wiring of the graph: which name means which key, and who names it. It keeps account of what it rewired, so that
 * only that is computed anew.
 */
import { type ConsumerRecord, type Dependency, type KeyRecord, STORES } from './model.ts';
import type { Placed } from './ordered.ts';
import type { Stirred } from './propagation.ts';
import type { ConsumerView, KeyView } from './snapshot.ts';

/** Why and since when (ms) a key is lost or unknown, dependencies included. `roots`: resources, sorted. */
export interface Cause {
  readonly since: number;
  readonly roots: readonly string[];
}

/** A name that something depends on, as it was named. */
export interface Ref {
  readonly name: string;
  /** Undefined: nothing that is watched has this name. */
  target: KeyNode | undefined;
  users: ReadonlySet<KeyNode>;
  consumers: ReadonlySet<ConsumerNode>;
}

export interface Group {
  readonly role: string;
  readonly members: readonly Ref[];
}

export interface KeyNode extends Placed<KeyView> {
  /** The resource alone: what a key that is its own root has for roots. */
  readonly self: readonly string[];
  record: KeyRecord;
  /** What is believed of it by itself: of its record, kept at hand for walks over the whole graph. */
  own: 'lost' | 'unknown' | 'fine';
  groups: readonly Group[];
  /** Names in use that mean this key. */
  refs: readonly Ref[];
  lost: Cause | undefined;
  unknown: Cause | undefined;
  dependents: number;
}

export interface ConsumerNode extends Placed<ConsumerView> {
  record: ConsumerRecord;
  uses: readonly Ref[];
}

/** What was rewired since it was last asked. */
export interface Rewired {
  /** Keys whose dependencies now are others, or mean others. New keys too. */
  readonly keys: Set<KeyNode>;
  /** Keys that something began or ceased to depend on. */
  readonly targets: Set<KeyNode>;
  readonly consumers: Set<ConsumerNode>;
}

export interface Links {
  readonly nodes: ReadonlyMap<string, KeyNode>;
  readonly consumers: ReadonlyMap<string, ConsumerNode>;
  readonly refs: ReadonlyMap<string, Ref>;
  readonly stirred: Stirred;
  upsert(record: KeyRecord): KeyNode;
  remove(resource: string): KeyNode | undefined;
  upsertConsumer(record: ConsumerRecord): void;
  removeConsumer(resource: string): ConsumerNode | undefined;
  /** The key that has this name: a full resource before an alias. */
  find(name: string): KeyNode | undefined;
  takeRewired(): Rewired;
}

const NO_REFS: readonly Ref[] = [];
const NO_GROUPS: readonly Group[] = [];
/** Most names are used by keys alone or by consumers alone, and a set of its own for nobody would cost more than the name. */
const NO_KEYS: ReadonlySet<KeyNode> = new Set();
const NO_CONSUMERS: ReadonlySet<ConsumerNode> = new Set();

export function createLinks(): Links {
  const nodes = new Map<string, KeyNode>();
  const consumers = new Map<string, ConsumerNode>();
  const refs = new Map<string, Ref>();
  /** Who claims an alias: nearly always one key alone, and then no set is made for it. */
  const claims = new Map<string, KeyNode | Set<KeyNode>>();
  const own = new Set<KeyNode>();
  const fallen = new Set<KeyNode>();
  let rewired = nothingRewired();
  // Only then what was rewired may be gone by now.
  let hasRemoved = false;

  function find(name: string): KeyNode | undefined {
    const node = nodes.get(name);
    if (node) return node;
    const claimants = claims.get(name);
    return claimants instanceof Set ? likeliest(claimants) : claimants;
  }

  function retarget(name: string): void {
    const ref = refs.get(name);
    if (!ref) return;
    const target = find(name);
    if (target === ref.target) return;
    detach(ref);
    attach(ref, target);
    for (const user of ref.users) rewired.keys.add(user);
    for (const consumer of ref.consumers) rewired.consumers.add(consumer);
  }

  function attach(ref: Ref, target: KeyNode | undefined): void {
    ref.target = target;
    if (!target) return;
    target.refs = target.refs.length === 0 ? [ref] : [...target.refs, ref];
    rewired.targets.add(target);
  }

  function detach(ref: Ref): void {
    const { target } = ref;
    if (!target) return;
    target.refs = target.refs.filter((other) => other !== ref);
    rewired.targets.add(target);
  }

  function use(name: string): Ref {
    const known = refs.get(name);
    if (known) return known;
    const ref: Ref = { name, target: undefined, users: NO_KEYS, consumers: NO_CONSUMERS };
    refs.set(name, ref);
    attach(ref, find(name));
    return ref;
  }

  function dropIfUnused(ref: Ref): void {
    if (ref.users.size > 0 || ref.consumers.size > 0) return;
    detach(ref);
    refs.delete(ref.name);
  }

  function touch(ref: Ref): void {
    if (ref.target) rewired.targets.add(ref.target);
  }

  function setGroups(node: KeyNode, dependsOn: readonly Dependency[]): void {
    const before = node.groups;
    // Users are entered before the old ones are dropped, so that a ref that stays in use is not made anew.
    node.groups = dependsOn.length === 0 ? NO_GROUPS : dependsOn.map(groupOf);
    for (const { members } of node.groups) {
      for (const ref of members) {
        if (ref.users.has(node)) continue;
        ref.users = including(ref.users, node);
        touch(ref);
      }
    }
    for (const { members } of before) {
      for (const ref of members) {
        if (!ref.users.has(node) || node.groups.some((group) => group.members.includes(ref))) continue;
        ref.users = without(ref.users, node, NO_KEYS);
        touch(ref);
        dropIfUnused(ref);
      }
    }
    rewired.keys.add(node);
  }

  function groupOf({ role, anyOf }: Dependency): Group {
    return { role, members: anyOf.map(use) };
  }

  function setAliases(node: KeyNode, before: readonly string[], after: readonly string[]): void {
    for (const alias of before) {
      if (after.includes(alias)) continue;
      const claimants = claims.get(alias);
      if (claimants instanceof Set && claimants.size > 1) claimants.delete(node);
      else claims.delete(alias);
      retarget(alias);
    }
    for (const alias of after) {
      const claimants = claims.get(alias);
      if (claimants instanceof Set) claimants.add(node);
      else claims.set(alias, claimants && claimants !== node ? new Set([claimants, node]) : node);
      retarget(alias);
    }
  }

  function setUses(node: ConsumerNode, names: readonly string[]): void {
    const before = node.uses;
    node.uses = names.map(use);
    for (const ref of node.uses) {
      ref.consumers = including(ref.consumers, node);
      touch(ref);
    }
    for (const ref of before) {
      if (node.uses.includes(ref)) continue;
      ref.consumers = without(ref.consumers, node, NO_CONSUMERS);
      touch(ref);
      dropIfUnused(ref);
    }
    rewired.consumers.add(node);
  }

  return {
    nodes,
    consumers,
    refs,
    stirred: { own, fallen },
    find,
    upsert(record) {
      const known = nodes.get(record.resource);
      const node = known ?? newNode(record);
      const before = known?.record.facts;
      const after = record.facts;
      node.record = record;
      node.own = ownOf(record);
      if (node.own === 'fine') own.delete(node);
      else own.add(node);
      if (!known) {
        nodes.set(record.resource, node);
        rewired.keys.add(node);
        retarget(record.resource);
      }
      setAliases(node, before?.aliases ?? [], after?.aliases ?? []);
      if (!sameDependencies(before?.dependsOn ?? [], after?.dependsOn ?? [])) setGroups(node, after?.dependsOn ?? []);
      return node;
    },
    remove(resource) {
      const node = nodes.get(resource);
      if (!node) return undefined;
      hasRemoved = true;
      own.delete(node);
      fallen.delete(node);
      setGroups(node, []);
      nodes.delete(resource);
      retarget(resource);
      setAliases(node, node.record.facts?.aliases ?? [], []);
      return node;
    },
    upsertConsumer(record) {
      const known = consumers.get(record.resource);
      const node = known ?? { resource: record.resource, record, uses: [], view: undefined, index: -1 };
      node.record = record;
      consumers.set(record.resource, node);
      const names = keyNames(record);
      const wired = node.uses.length === names.length && node.uses.every((ref, at) => ref.name === names[at]);
      if (!wired) setUses(node, names);
      rewired.consumers.add(node);
    },
    removeConsumer(resource) {
      const node = consumers.get(resource);
      if (!node) return undefined;
      hasRemoved = true;
      setUses(node, []);
      consumers.delete(resource);
      return node;
    },
    takeRewired() {
      const taken = rewired;
      rewired = nothingRewired();
      if (!hasRemoved) return taken;
      hasRemoved = false;
      for (const set of [taken.keys, taken.targets]) {
        for (const node of set) if (nodes.get(node.resource) !== node) set.delete(node);
      }
      for (const node of taken.consumers) {
        if (consumers.get(node.record.resource) !== node) taken.consumers.delete(node);
      }
      return taken;
    },
  };
}

/** The names of keys that a consumer needs. One of which the last look said that it is gone needs nothing any more. */
function keyNames({ facts, pending }: ConsumerRecord): readonly string[] {
  if (!facts || pending?.reason === 'gone') return [];
  return [...new Set(facts.uses.filter(({ role }) => role !== STORES).map(({ resource }) => resource))];
}

/** The set with one more, or a new one where it was the shared empty one. Sets of refs change in place. */
function including<T>(set: ReadonlySet<T>, member: T): ReadonlySet<T> {
  return set.size === 0 ? new Set([member]) : (set as Set<T>).add(member);
}

function without<T>(set: ReadonlySet<T>, member: T, none: ReadonlySet<T>): ReadonlySet<T> {
  if (set.size === 1 && set.has(member)) return none;
  (set as Set<T>).delete(member);
  return set;
}

function nothingRewired(): Rewired {
  return { keys: new Set(), targets: new Set(), consumers: new Set() };
}

function newNode(record: KeyRecord): KeyNode {
  return {
    // What a walk over all nodes reads stands together.
    own: ownOf(record),
    lost: undefined,
    unknown: undefined,
    resource: record.resource,
    self: [record.resource],
    record,
    groups: NO_GROUPS,
    refs: NO_REFS,
    dependents: 0,
    view: undefined,
    index: -1,
  };
}

function ownOf({ belief }: KeyRecord): KeyNode['own'] {
  if (!belief) return 'unknown';
  return belief.verdict.status === 'inaccessible' ? 'lost' : 'fine';
}

/**
 * Two keys claim an alias: one of them was not looked at since it moved, or is gone and was made anew under the same name.
 * What still exists is meant, and of that the newer look is right.
 */
function likeliest(claimants: ReadonlySet<KeyNode>): KeyNode | undefined {
  let best: KeyNode | undefined;
  for (const node of claimants) if (!best || isLikelier(node.record, best.record)) best = node;
  return best;
}

function isLikelier(one: KeyRecord, other: KeyRecord): boolean {
  if (isGone(one) !== isGone(other)) return !isGone(one);
  const newer = (one.conclusiveAt ?? 0) - (other.conclusiveAt ?? 0);
  return newer === 0 ? one.resource < other.resource : newer > 0;
}

/** A deletion that can still be undone keeps the name; only what is gone gives it away. */
function isGone({ gone }: KeyRecord): boolean {
  return gone !== undefined;
}

function sameDependencies(left: readonly Dependency[], right: readonly Dependency[]): boolean {
  if (left === right) return true;
  return (
    left.length === right.length &&
    left.every((dependency, at) => {
      const other = right[at];
      return (
        other !== undefined &&
        dependency.role === other.role &&
        dependency.anyOf.length === other.anyOf.length &&
        dependency.anyOf.every((name, member) => name === other.anyOf[member])
      );
    })
  );
}
