/** Views of nodes in the order of their resources, kept so at a cost that is proportional to what changed. */

/** What has a place in the order. */
export interface Placed<V> {
  readonly resource: string;
  /** Absent: it is not shown, and has no place. */
  view: V | undefined;
  /** Place in the sorted list; -1 while it has none yet. */
  index: number;
}

export interface Ordered<N> {
  add(node: N): void;
  remove(node: N): void;
  /** Its view was replaced. */
  changed(node: N): void;
}

export interface OrderedViews<V, N extends Placed<V>> extends Ordered<N> {
  /** The views as they stand; the very same list as before if nothing changed. What was given out never changes. */
  views(): readonly V[];
  /** Takes these for all that there are, in short steps, so that the next `views` has nothing left to do. */
  fill(nodes: Iterable<N>): Generator<void, void>;
}

/** Nodes that are compared or moved between two steps; some milliseconds of work. */
const STEP = 2_048;

export function createOrdered<V, N extends Placed<V>>(): OrderedViews<V, N> {
  let sorted: readonly N[] = [];
  let published: readonly V[] = [];
  const added = new Set<N>();
  const removed = new Set<N>();
  const changes = new Set<N>();

  function take(news: readonly N[]): void {
    sorted = merge(sorted, news, removed);
    published = place(sorted);
    added.clear();
    removed.clear();
    changes.clear();
  }

  return {
    add: (node) => void added.add(node),
    remove(node) {
      changes.delete(node);
      if (!added.delete(node)) removed.add(node);
    },
    // What has no place yet is shown as it stands once it has one.
    changed(node) {
      if (node.index !== -1) changes.add(node);
    },
    views() {
      if (added.size + removed.size > 0) take([...added].sort(byResource));
      else if (changes.size > 0) {
        const patched = published.slice();
        for (const { index, view } of changes) if (view !== undefined) patched[index] = view;
        published = patched;
        changes.clear();
      }
      return published;
    },
    *fill(nodes) {
      const all = yield* sortedInSteps([...nodes]);
      sorted = [];
      take(all);
    },
  };
}

/** By code units, as `<` has it. */
export function byResource(left: { readonly resource: string }, right: { readonly resource: string }): number {
  if (left.resource === right.resource) return 0;
  return left.resource < right.resource ? -1 : 1;
}

/** Sorts runs, then merges neighbours until one is left. */
function* sortedInSteps<N extends { readonly resource: string }>(nodes: readonly N[]): Generator<void, readonly N[]> {
  let runs: (readonly N[])[] = [];
  for (let from = 0; from < nodes.length; from += STEP) {
    runs.push(nodes.slice(from, from + STEP).sort(byResource));
    yield;
  }
  while (runs.length > 1) {
    const merged: (readonly N[])[] = [];
    for (let at = 0; at < runs.length; at += 2) {
      const [left = [], right] = [runs[at], runs[at + 1]];
      merged.push(right ? yield* joined(left, right) : left);
    }
    runs = merged;
  }
  return runs[0] ?? [];
}

function* joined<N extends { readonly resource: string }>(
  left: readonly N[],
  right: readonly N[],
): Generator<void, readonly N[]> {
  const [last, next] = [left.at(-1), right[0]];
  // What comes from the store is in order already.
  if (last && next && last.resource <= next.resource) return left.concat(right);
  const result: N[] = [];
  let at = 0;
  for (const node of left) {
    for (let other = right[at]; other && other.resource < node.resource; other = right[at]) {
      result.push(other);
      at += 1;
    }
    result.push(node);
    if (result.length % STEP === 0) yield;
  }
  return result.concat(right.slice(at));
}

/** What was sorted before is copied in runs: one more among 100,000 is quickly in place. @param added sorted */
function merge<N extends { readonly resource: string }>(
  before: readonly N[],
  added: readonly N[],
  removed: ReadonlySet<N>,
): readonly N[] {
  const kept = removed.size === 0 ? before : before.filter((node) => !removed.has(node));
  if (kept.length === 0) return added;
  const runs: N[][] = [];
  let from = 0;
  for (const node of added) {
    const to = firstAfter(kept, node.resource, from);
    if (to > from) runs.push(kept.slice(from, to));
    runs.push([node]);
    from = to;
  }
  if (runs.length === 0) return kept;
  return runs.concat([kept.slice(from)]).flat();
}

/** Where, from `low` on, the first node stands that comes after `resource`. */
function firstAfter(nodes: readonly { readonly resource: string }[], resource: string, low: number): number {
  let high = nodes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((nodes[middle]?.resource ?? '') < resource) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The views in the order of their nodes; each node learns its place. */
function place<V, N extends Placed<V>>(sorted: readonly N[]): readonly V[] {
  const views: V[] = [];
  for (const node of sorted) {
    node.index = views.length;
    if (node.view !== undefined) views.push(node.view);
  }
  return views;
}
