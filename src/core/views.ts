/** What readers see of one node of the graph. */
import { degrades } from './findings.ts';
import { matchesAny } from './glob.ts';
import type { Cause, ConsumerNode, KeyNode, Ref } from './links.ts';
import type {
  ConsumerFacts,
  ConsumerHealth,
  ConsumerRecord,
  Health,
  KeyFacts,
  KeyRecord,
  KeyUse,
  OpenFinding,
  ProviderName,
} from './model.ts';
import type { Policy } from './policy.ts';
import { unite } from './propagation.ts';
import type { ConsumerReason, KeyReason, UnknownReason } from './reasons.ts';
import type { ConsumerView, KeyView, UseView } from './snapshot.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** Edges of this role carry blindness: whoever cannot see into a vault cannot see the keys in it. */
const HOLDS = 'holds';

export interface ViewOptions {
  readonly policy: Policy;
  remedy(reason: KeyReason, facts: KeyFacts): string | undefined;
  /** The record of a watched key. */
  record(resource: string): KeyRecord | undefined;
}

/** The key as it stands, or the view that it has already if nothing differs. `lost`, `unknown` and `dependents` must be settled. */
export function keyView(node: KeyNode, options: ViewOptions): KeyView {
  const { record } = node;
  const { facts, belief } = record;
  const { resource, kind, name, provider, account, location } = facts ?? record.stub;
  const status = statusOf(node, options);
  const view: Writable<KeyView> = {
    resource,
    kind,
    name,
    provider,
    account,
    location,
    targets: targetsOf(record),
    tags: facts?.tags ?? {},
    health: status.health,
    since: status.since,
    firstSeenAt: record.firstSeenAt,
    witnesses: record.witnesses,
    baseline: belief?.baseline ?? false,
    critical: matchesAny(options.policy.critical, name, resource),
    versionChanges: record.versionChanges,
    rootCauses: status.rootCauses,
    consumers: node.dependents,
    dependsOn: dependsOn(node),
    findings: record.findings,
    checkedAt: record.checkedAt,
    evidence: record.evidence,
    attributes: facts?.attributes ?? {},
  };
  if (status.reason) view.reason = status.reason;
  const unwatched = unwatchedOf(node);
  if (unwatched.length > 0) view.unwatched = unwatched;
  if (belief) {
    const { verdict, since } = belief;
    view.own = { ...verdict, since };
    if (verdict.status === 'inaccessible' && facts) {
      const undo = options.remedy(verdict.reason, facts);
      if (undo !== undefined) view.undo = undo;
    }
  }
  if (record.pending) view.pending = { status: record.pending.verdict.status, since: record.pending.firstAt };
  const blind = blindness(node);
  if (blind) Object.assign(view, blind);
  if (record.versionDetectedAt !== undefined) view.versionDetectedAt = record.versionDetectedAt;
  if (record.conclusiveAt !== undefined) view.conclusiveAt = record.conclusiveAt;
  if (facts) addFacts(view, facts);
  return node.view && isSameLook(view, node.view) && isSame(view, node.view) ? node.view : view;
}

function addFacts(view: Writable<KeyView>, facts: KeyFacts): void {
  view.state = facts.state;
  if (facts.spec !== undefined) view.spec = facts.spec;
  if (facts.version) view.version = facts.version.id;
  if (facts.version?.createdAt !== undefined) view.versionCreatedAt = facts.version.createdAt;
  if (facts.versions) view.versions = facts.versions;
  if (facts.expiresAt !== undefined) view.expiresAt = facts.expiresAt;
  if (facts.deletionAt !== undefined) view.deletionAt = facts.deletionAt;
  if (facts.recoverableUntil !== undefined) view.recoverableUntil = facts.recoverableUntil;
  if (facts.lastRotatedAt !== undefined) view.lastRotatedAt = facts.lastRotatedAt;
  if (facts.nextRotationAt !== undefined) view.nextRotationAt = facts.nextRotationAt;
}

interface KeyStatus extends Pick<KeyView, 'since' | 'rootCauses'> {
  readonly health: Health;
  readonly reason?: KeyReason;
}

/** Inaccessible before unknown before degraded before accessible. */
function statusOf(node: KeyNode, options: ViewOptions): KeyStatus {
  const { record, lost, unknown } = node;
  const verdict = record.belief?.verdict;
  if (lost) {
    const { since } = lost;
    const isRoot = lost.roots.length === 1 && lost.roots[0] === record.resource;
    if (verdict?.status === 'inaccessible' && isRoot) {
      return { health: 'inaccessible', reason: verdict.reason, since, rootCauses: [] };
    }
    return { health: 'inaccessible', reason: 'dependency', since, rootCauses: lost.roots };
  }
  if (unknown) {
    const rootCauses = record.belief ? unknown.roots : [];
    const root = record.belief ? options.record(unknown.roots[0] ?? '') : record;
    return { health: 'unknown', reason: root?.inconclusiveReason ?? 'never_checked', since: unknown.since, rootCauses };
  }
  const since = earliest(record.findings);
  if (since !== undefined) return { health: 'degraded', reason: 'finding', since, rootCauses: [] };
  return { health: 'accessible', since: record.belief?.since ?? record.firstSeenAt, rootCauses: [] };
}

/** Whether something holds it that may be blind for it. */
export function isHeld({ groups }: KeyNode): boolean {
  return groups.some(({ role }) => role === HOLDS);
}

interface Blindness {
  readonly blindSince: number;
  readonly blindReason: UnknownReason;
  readonly blindRoots?: readonly string[];
}

/** Its own, or that of what holds it, unless the key was looked at conclusively since. */
function blindness({ record, groups }: KeyNode): Blindness | undefined {
  const own = ofRecord(record);
  for (const { role, members } of groups) {
    if (role !== HOLDS) continue;
    const holders = members.map((ref) => ref.target?.record);
    const [first, ...others] = holders.map((holder) => holder && ofRecord(holder));
    if (!first || others.includes(undefined)) continue;
    const since = Math.max(first.blindSince, ...others.map((other) => other?.blindSince ?? 0));
    if (!own && record.conclusiveAt !== undefined && record.conclusiveAt >= since) continue;
    const blindRoots = holders.flatMap((holder) => (holder ? [holder.resource] : []));
    return { ...(own ?? { blindSince: since, blindReason: first.blindReason }), blindRoots };
  }
  return own;
}

function ofRecord({ blindSince, blindReason }: KeyRecord): Blindness | undefined {
  return blindSince === undefined || blindReason === undefined ? undefined : { blindSince, blindReason };
}

function dependsOn(node: KeyNode): readonly string[] {
  if (node.groups.length === 0) return [];
  const resources = new Set<string>();
  for (const { members } of node.groups) {
    for (const { target } of members) if (target && target !== node) resources.add(target.resource);
  }
  return [...resources];
}

function unwatchedOf({ groups }: KeyNode): readonly string[] {
  if (groups.length === 0) return [];
  const refs = groups.flatMap(({ members }) => members.filter(({ target }) => !target));
  return refs.length === 0 ? [] : [...new Set(refs.map(({ name }) => name))];
}

/** Whether the cloud manages what a name leads to, so that nobody can lose it. */
export type IsManaged = (provider: ProviderName, name: string) => boolean;

/** The consumer as it stands, or the view that it has already. The views of the keys that it uses must be up to date. */
export function consumerView(node: ConsumerNode, isManaged: IsManaged): ConsumerView {
  const { record } = node;
  const { facts } = record;
  const { resource, kind, name, provider, account, location } = facts ?? record.stub;
  const view: Writable<ConsumerView> = {
    resource,
    kind,
    name,
    provider,
    account,
    location,
    targets: targetsOf(record),
    tags: facts?.tags ?? {},
    ...consumerStatus(node, isManaged),
    uses: usesOf(node),
    findings: record.findings,
    checkedAt: record.checkedAt,
    evidence: record.evidence,
    attributes: facts?.attributes ?? {},
  };
  if (facts?.state !== undefined) view.state = facts.state;
  if (record.conclusiveAt !== undefined) view.conclusiveAt = record.conclusiveAt;
  return node.view && node.view.checkedAt === view.checkedAt && isSame(view, node.view) ? node.view : view;
}

function targetsOf({ witnesses }: KeyRecord | ConsumerRecord): readonly string[] {
  return [...new Set(witnesses.map((witness) => witness.target))].sort();
}

function usesOf({ record, uses }: ConsumerNode): readonly UseView[] {
  return (record.facts?.uses ?? []).map((use) => {
    const target = uses.find((ref) => ref.name === use.resource)?.target;
    if (!target) return use;
    const since = outdatedSince(use, target.record);
    return { ...use, key: target.resource, ...(since !== undefined && { outdatedSince: since }) };
  });
}

/** Since when the key has another version than the one in use; undefined: it has not, or nobody tells. */
function outdatedSince({ versionInUse }: KeyUse, { facts, versionDetectedAt }: KeyRecord): number | undefined {
  const current = facts?.version;
  if (versionInUse === undefined || current === undefined || current.id === versionInUse) return undefined;
  return current.createdAt ?? versionDetectedAt;
}

interface ConsumerStatus extends Pick<ConsumerView, 'since' | 'rootCauses'> {
  readonly health: ConsumerHealth;
  readonly reason?: ConsumerReason;
}

/** Impaired before at risk before unknown before ok. A loss that is watched explains what the service itself reports. */
function consumerStatus({ record, uses }: ConsumerNode, isManaged: IsManaged): ConsumerStatus {
  const { facts, impairment } = record;
  if (!facts || record.pending?.reason === 'gone') {
    return { health: 'unknown', since: record.pending?.firstAt ?? record.firstSeenAt, rootCauses: [] };
  }
  const keys = uses.flatMap((ref) =>
    ref.target?.view ? [{ node: ref.target, view: ref.target.view, spared: isSpared(ref, facts) }] : [],
  );
  const lost = keys.flatMap(({ node, spared }) => (node.lost && !spared ? [node.lost] : []));
  if (lost.length > 0) {
    const since = Math.min(...lost.map((cause: Cause) => cause.since), impairment?.since ?? Number.POSITIVE_INFINITY);
    const rootCauses = lost.reduce<readonly string[]>((roots, cause) => unite(roots, cause.roots), []);
    return { health: 'impaired', reason: 'key_inaccessible', since, rootCauses };
  }
  if (impairment) return { health: 'impaired', ...impairment, rootCauses: [] };

  const atRisk = keys.filter(
    ({ view, spared }) => spared || view.health === 'degraded' || view.deletionAt !== undefined,
  );
  const finding = earliest(record.findings);
  if (atRisk.length > 0 || finding !== undefined) {
    const since = Math.min(finding ?? Number.POSITIVE_INFINITY, ...atRisk.map(({ view }) => view.since));
    return { health: 'at_risk', since, rootCauses: [] };
  }
  const since = keys.length > 0 ? Math.max(...keys.map(({ view }) => view.since)) : record.firstSeenAt;
  if (keys.some(({ view }) => view.health !== 'unknown')) return { health: 'ok', since, rootCauses: [] };
  if (keys.length === 0) {
    const safe = uses.every(({ name }) => isManaged(facts.provider, name));
    return safe
      ? { health: 'ok', since, rootCauses: [] }
      : { health: 'unknown', reason: 'not_watched', since, rootCauses: [] };
  }
  const rootCauses = keys.reduce<readonly string[]>((roots, { node }) => unite(roots, node.unknown?.roots ?? []), []);
  return { health: 'unknown', since, rootCauses };
}

/** Whether only newer versions of the key are disabled: what the consumer uses still works. */
function isSpared({ name, target }: Ref, { uses }: ConsumerFacts): boolean {
  const record = target?.record;
  if (record?.belief?.verdict.status !== 'inaccessible' || record.belief.verdict.reason !== 'disabled') return false;
  // Lost through what holds it as well: disabled or not does not matter then.
  if (target?.groups.some(({ members }) => members.every((member) => member.target?.lost))) return false;
  const inUse = uses.filter(({ resource }) => resource === name).map(({ versionInUse }) => versionInUse);
  // Of the current version the look itself has spoken; what the list of versions said of it is older.
  const older = record.facts?.versions?.filter(({ id }) => id !== record.facts?.version?.id) ?? [];
  return (
    inUse.length > 0 && inUse.every((id) => older.some((version) => version.id === id && version.enabled === true))
  );
}

/** Since when a finding that degrades is open; undefined: none is. */
function earliest(findings: readonly OpenFinding[]): number | undefined {
  let since: number | undefined;
  for (const finding of findings) {
    if (degrades(finding)) since = Math.min(since ?? finding.since, finding.since);
  }
  return since;
}

/** What nearly every look changes, asked first because it is cheap. */
function isSameLook(left: KeyView, right: KeyView): boolean {
  return left.checkedAt === right.checkedAt && left.health === right.health && left.consumers === right.consumers;
}

/** Whether two plain values hold the same. */
function isSame(left: unknown, right: unknown): boolean {
  if (Object.is(left, right)) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false;
  const entries = Object.entries(left);
  const others = new Map(Object.entries(right));
  return (
    entries.length === others.size && entries.every(([key, value]) => others.has(key) && isSame(value, others.get(key)))
  );
}
