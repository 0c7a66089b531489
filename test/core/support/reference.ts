/** What the graph must come to, by the book: every rule applied to everything until nothing changes any more. */
import type { ConsumerRecord, KeyRecord } from '../../../src/core/model.ts';
import type { ConsumerReason } from '../../../src/core/reasons.ts';

type Resolve = (ref: string) => string | undefined;

export interface ExpectedKey {
  readonly state: 'lost' | 'unknown' | 'fine';
  /** Without itself, sorted. */
  readonly roots: readonly string[];
}

export interface ExpectedConsumer {
  readonly health: 'impaired' | 'at_risk' | 'unknown' | 'ok';
  readonly reason: ConsumerReason | undefined;
  readonly roots: readonly string[];
}

export interface ExpectedIncident {
  readonly root: string;
  readonly keys: readonly string[];
  readonly consumers: readonly string[];
}

export interface Expected {
  readonly keys: ReadonlyMap<string, ExpectedKey>;
  readonly consumers: ReadonlyMap<string, ExpectedConsumer>;
  readonly incidents: readonly ExpectedIncident[];
}

export function reference(
  records: readonly KeyRecord[],
  consumers: readonly ConsumerRecord[],
  resolve: Resolve,
): Expected {
  const keys = keysByTheBook(records, resolve);
  const users = new Map(consumers.map((one) => [one.resource, consumerByTheBook(one, records, keys, resolve)]));
  return { keys, consumers: users, incidents: incidentsByTheBook(keys, users) };
}

function keysByTheBook(records: readonly KeyRecord[], resolve: Resolve): Map<string, ExpectedKey> {
  const own = (key: KeyRecord) => key.belief?.verdict.status;
  const groupsOf = (key: KeyRecord) =>
    (key.facts?.dependsOn ?? []).map(({ anyOf }) => anyOf.map(resolve)).filter((members) => members.length > 0);
  const lost = new Set(records.filter((key) => own(key) === 'inaccessible').map((key) => key.resource));
  const unknown = new Set<string>();
  const has = (set: ReadonlySet<string>, member: string | undefined) => member !== undefined && set.has(member);
  const isLost = (group: readonly (string | undefined)[]) => group.every((member) => has(lost, member));
  const isUnknown = (group: readonly (string | undefined)[]) =>
    group.some((member) => has(unknown, member)) && group.every((member) => has(lost, member) || has(unknown, member));
  grow(lost, records, (key) => groupsOf(key).some(isLost));
  grow(unknown, records, (key) => !lost.has(key.resource) && (!key.belief || groupsOf(key).some(isUnknown)));
  // What it fails with is only what the loss of another looks like from outside, where that other one is lost.
  const explains = (key: KeyRecord) =>
    own(key) === 'inaccessible' && !(isDecryptFailed(key) && groupsOf(key).some(isLost));

  const roots = new Map(records.map((key) => [key.resource, new Set<string>()]));
  for (let size = -1; size !== total(roots); ) {
    size = total(roots);
    for (const key of records) {
      const mine = roots.get(key.resource);
      if (explains(key) || (unknown.has(key.resource) && !key.belief)) mine?.add(key.resource);
      else {
        const fallen = groupsOf(key).filter(lost.has(key.resource) ? isLost : isUnknown);
        for (const member of fallen.flat()) {
          if (!lost.has(key.resource) && !has(unknown, member)) continue;
          for (const root of roots.get(member ?? '') ?? []) mine?.add(root);
        }
      }
    }
  }
  return new Map(
    records.map(({ resource }) => {
      const state = lost.has(resource) ? 'lost' : unknown.has(resource) ? 'unknown' : 'fine';
      const others = [...(roots.get(resource) ?? [])].filter((root) => root !== resource).sort();
      return [resource, { state, roots: state === 'fine' ? [] : others }];
    }),
  );
}

function consumerByTheBook(
  { facts, impairment, findings }: ConsumerRecord,
  records: readonly KeyRecord[],
  keys: ReadonlyMap<string, ExpectedKey>,
  resolve: Resolve,
): ExpectedConsumer {
  const used = new Set((facts?.uses ?? []).flatMap(({ resource }) => resolve(resource) ?? []));
  const inState = (state: ExpectedKey['state']) => [...used].filter((key) => keys.get(key)?.state === state);
  const rootsOf = (some: readonly string[]) =>
    [...new Set(some.flatMap((key) => (keys.get(key)?.roots.length ? (keys.get(key)?.roots ?? []) : [key])))].sort();
  const lost = inState('lost');
  if (lost.length > 0) return { health: 'impaired', reason: 'key_inaccessible', roots: rootsOf(lost) };
  if (impairment) return { health: 'impaired', reason: impairment.reason, roots: [] };
  const degraded = records.some(
    (key) => used.has(key.resource) && keys.get(key.resource)?.state === 'fine' && key.findings.length > 0,
  );
  if (degraded || findings.length > 0) return { health: 'at_risk', reason: undefined, roots: [] };
  if (used.size > 0 && inState('unknown').length === used.size) {
    return { health: 'unknown', reason: undefined, roots: rootsOf(inState('unknown')) };
  }
  if (used.size === 0 && (facts?.uses ?? []).length > 0) {
    return { health: 'unknown', reason: 'not_watched', roots: [] };
  }
  return { health: 'ok', reason: undefined, roots: [] };
}

function incidentsByTheBook(
  keys: ReadonlyMap<string, ExpectedKey>,
  consumers: ReadonlyMap<string, ExpectedConsumer>,
): readonly ExpectedIncident[] {
  const causes = [...keys].filter(([, { state, roots }]) => state === 'lost' && roots.length === 0);
  return causes
    .map(([root]) => ({
      root,
      keys: [...keys]
        .filter(([, { state, roots }]) => state === 'lost' && roots.includes(root))
        .map(first)
        .sort(),
      consumers: [...consumers]
        .filter(([, { health, roots }]) => health === 'impaired' && roots.includes(root))
        .map(first)
        .sort(),
    }))
    .sort((a, b) => (a.root < b.root ? -1 : 1));
}

function first([name]: readonly [string, unknown]): string {
  return name;
}

export function isDecryptFailed({ belief }: KeyRecord): boolean {
  return belief?.verdict.status === 'inaccessible' && belief.verdict.reason === 'decrypt_failed';
}

function grow(set: Set<string>, records: readonly KeyRecord[], belongs: (key: KeyRecord) => boolean): void {
  for (let size = -1; size !== set.size; ) {
    size = set.size;
    for (const key of records) if (belongs(key)) set.add(key.resource);
  }
}

function total(sets: ReadonlyMap<string, ReadonlySet<string>>): number {
  return [...sets.values()].reduce((sum, set) => sum + set.size, 0);
}
