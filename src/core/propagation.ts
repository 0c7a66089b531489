/** How loss and ignorance spread over the edges, and how far. Least fixpoints: a cycle by itself causes nothing. */
import type { Cause, ConsumerNode, Group, KeyNode, Ref } from './links.ts';
import type { KeyRecord } from './model.ts';

/** The keys themselves and all that depend on them, directly or through others. */
export function dependentsOf(keys: Iterable<KeyNode>): Set<KeyNode> {
  const reached = new Set(keys);
  for (const node of reached) {
    for (const ref of node.refs) for (const user of ref.users) reached.add(user);
  }
  return reached;
}

/** The keys themselves and all that they depend on, directly or through others. */
export function dependenciesOf(keys: Iterable<KeyNode>): Set<KeyNode> {
  const reached = new Set(keys);
  for (const node of reached) {
    for (const group of node.groups) for (const ref of group.members) if (ref.target) reached.add(ref.target);
  }
  return reached;
}

/** How many distinct consumers and keys depend on what these names mean, directly or through others; `itself` excluded. */
export function countDependents(refs: readonly Ref[], itself?: KeyNode): number {
  if (refs.length === 0) return 0;
  const { keys, consumers } = reach(refs);
  return keys.size + consumers.size - (itself && keys.has(itself) ? 1 : 0);
}

/** The distinct consumers that depend on what these names mean, directly or through keys. */
export function consumersOf(refs: readonly Ref[]): readonly ConsumerNode[] {
  return refs.length === 0 ? [] : [...reach(refs).consumers];
}

function reach(refs: readonly Ref[]): { readonly keys: Set<KeyNode>; readonly consumers: Set<ConsumerNode> } {
  const keys = new Set<KeyNode>();
  const consumers = new Set<ConsumerNode>();
  const pending = [...refs];
  for (let ref = pending.pop(); ref; ref = pending.pop()) {
    for (const consumer of ref.consumers) consumers.add(consumer);
    for (const user of ref.users) {
      if (keys.has(user)) continue;
      keys.add(user);
      pending.push(...user.refs);
    }
  }
  return { keys, consumers };
}

/** The keys that a computation begins with, so that it costs what is lost and not what is there. */
export interface Stirred {
  /** Lost or unknown by themselves. */
  readonly own: ReadonlySet<KeyNode>;
  /** Lost or unknown as it stands, dependencies included. Kept by what computes it. */
  readonly fallen: Set<KeyNode>;
}

/**
 * Computes `lost` and `unknown` of these keys from their own beliefs and from one another. Whatever depends on one of
 * them must be among them; the rest of the graph stands as it is.
 * @returns those of them of which something else holds now
 */
export function settle(keys: ReadonlySet<KeyNode>, stirred: Stirred): readonly KeyNode[] {
  const before = clear([...keys].filter(isFallen), stirred);
  const [losing, unclear]: [KeyNode[], KeyNode[]] = [[], []];
  for (const node of keys) {
    enlist(node, losing, unclear);
    for (const { members } of node.groups) {
      // Only of what is outside of them anything is known yet.
      if (members.some(({ target }) => target?.lost)) losing.push(node);
      if (members.some(({ target }) => target?.unknown)) unclear.push(node);
    }
  }
  return spread(losing, unclear, before, stirred);
}

/** The same for all keys: at a cost that goes by how many are lost or unknown, then or now. */
export function settleAll(stirred: Stirred): readonly KeyNode[] {
  const before = clear([...stirred.fallen], stirred);
  const [losing, unclear]: [KeyNode[], KeyNode[]] = [[], []];
  for (const node of stirred.own) enlist(node, losing, unclear);
  return spread(losing, unclear, before, stirred);
}

interface Standing {
  readonly lost: Cause | undefined;
  readonly unknown: Cause | undefined;
}

function isFallen({ lost, unknown }: KeyNode): boolean {
  return lost !== undefined || unknown !== undefined;
}

/** Forgets what holds of these keys. @returns what held */
function clear(keys: readonly KeyNode[], { fallen }: Stirred): Map<KeyNode, Standing> {
  const before = new Map<KeyNode, Standing>();
  for (const node of keys) {
    before.set(node, { lost: node.lost, unknown: node.unknown });
    node.lost = undefined;
    node.unknown = undefined;
    fallen.delete(node);
  }
  return before;
}

function enlist(node: KeyNode, losing: KeyNode[], unclear: KeyNode[]): void {
  if (node.own === 'lost') losing.push(node);
  else if (node.own === 'unknown') unclear.push(node);
}

function spread(
  losing: readonly KeyNode[],
  unclear: readonly KeyNode[],
  before: ReadonlyMap<KeyNode, Standing>,
  { fallen }: Stirred,
): readonly KeyNode[] {
  const touched = new Set(before.keys());
  solve(losing, 'lost', lostBy, touched);
  solve(unclear, 'unknown', unknownBy, touched);
  const changed: KeyNode[] = [];
  for (const node of touched) {
    if (isFallen(node)) fallen.add(node);
    const was = before.get(node);
    if (!isSameCause(node.lost, was?.lost) || !isSameCause(node.unknown, was?.unknown)) changed.push(node);
  }
  return changed;
}

/**
 * Evaluates from these on until nothing changes any more. It ends: instants only go down, roots only grow, and both are
 * finite.
 */
function solve(
  seeds: readonly KeyNode[],
  field: 'lost' | 'unknown',
  evaluate: (node: KeyNode) => Cause | undefined,
  touched: Set<KeyNode>,
): void {
  const waiting = new Set(seeds);
  for (const node of waiting) {
    waiting.delete(node);
    const cause = evaluate(node);
    if (isSameCause(cause, node[field])) continue;
    node[field] = cause;
    touched.add(node);
    for (const ref of node.refs) for (const user of ref.users) waiting.add(user);
  }
}

/**
 * Lost: by its own belief, or because every member of some group is. An unwatched member is evidence of nothing. A failed
 * decryption is only what a lost KMS key looks like from the outside: where one is known to be lost, that is the root.
 */
function lostBy(node: KeyNode): Cause | undefined {
  const { belief } = node.record;
  const own = node.own === 'lost' && belief ? { since: belief.since, roots: node.self } : undefined;
  if (own && !isSymptom(node.record)) return own;
  return anyGroup(node, (group) => allMembers(group, (member) => member.lost)) ?? own;
}

/** True where the believed loss says no more than that something else is lost. */
export function isSymptom({ belief }: KeyRecord): boolean {
  const verdict = belief?.verdict;
  return verdict?.status === 'inaccessible' && verdict.reason === 'decrypt_failed';
}

/** Unknown: not lost, and never known itself; or some group has nobody left who is known to work, and not all are lost. */
function unknownBy(node: KeyNode): Cause | undefined {
  if (node.lost) return undefined;
  if (node.own === 'unknown') return { since: node.record.firstSeenAt, roots: node.self };
  return anyGroup(node, (group) => {
    // Its roots are the unknown members: were they known to work, the key would be.
    return allMembers(group, (member) => member.unknown ?? (member.lost && { since: member.lost.since, roots: [] }));
  });
}

/** The group that fell first tells since when; all that fell tell why. */
function anyGroup(node: KeyNode, fallen: (group: Group) => Cause | undefined): Cause | undefined {
  let cause: Cause | undefined;
  for (const group of node.groups) {
    const next = fallen(group);
    if (!next || next.roots.length === 0) continue;
    cause = cause ? { since: Math.min(cause.since, next.since), roots: unite(cause.roots, next.roots) } : next;
  }
  return cause;
}

/** A group fell when its last member did. */
function allMembers({ members }: Group, causeOf: (member: KeyNode) => Cause | undefined): Cause | undefined {
  let cause: Cause | undefined;
  for (const { target } of members) {
    const next = target && causeOf(target);
    if (!next) return undefined;
    cause = cause ? { since: Math.max(cause.since, next.since), roots: unite(cause.roots, next.roots) } : next;
  }
  return cause;
}

/** Both, sorted, each once. */
export function unite(left: readonly string[], right: readonly string[]): readonly string[] {
  if (left === right || right.length === 0) return left;
  if (left.length === 0) return right;
  return [...new Set([...left, ...right])].sort();
}

function isSameCause(left: Cause | undefined, right: Cause | undefined): boolean {
  if (left === right) return true;
  if (!left || !right || left.since !== right.since || left.roots.length !== right.roots.length) return false;
  return left.roots.every((root, index) => root === right.roots[index]);
}
