/**
 * The JSON contract of `once --output json` and `/api/v1`: names are fixed, objects only ever gain fields. Times are ISO
 * 8601 in UTC; an absent value is an absent field (JSON.stringify drops undefined ones).
 */
import { type Harm, harmsOf } from './harm.ts';
import type { OpenFinding, SourceRecord, StoredEvent } from './model.ts';
import { type Generation, meaningOf, notWatchedOf } from './readers.ts';
import type { ConsumerView, KeyView, Snapshot } from './snapshot.ts';
import { iso } from './text.ts';

/** An object of the contract, ready for JSON.stringify. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** One key as `keys[]` lists it. */
export function keyJson(view: KeyView): JsonObject {
  return {
    ...identityJson(view),
    since: iso(view.since),
    blindSince: iso(view.blindSince),
    blindReason: view.blindReason,
    blindRoots: view.blindRoots,
    version: view.version,
    versionCreatedAt: iso(view.versionCreatedAt),
    expiresAt: iso(view.expiresAt),
    deletionAt: iso(view.deletionAt),
    recoverableUntil: iso(view.recoverableUntil),
    nextRotationAt: iso(view.nextRotationAt),
    rootCauses: view.rootCauses,
    consumers: view.consumers,
    findings: view.findings.map(findingJson),
    checkedAt: iso(view.checkedAt),
  };
}

/** What keys and consumers begin with alike: which one it is, whose, and how it does. */
function identityJson(view: KeyView | ConsumerView): JsonObject {
  return {
    resource: view.resource,
    kind: view.kind,
    name: view.name,
    provider: view.provider,
    account: view.account,
    location: view.location,
    targets: view.targets,
    tags: view.tags,
    health: view.health,
    reason: view.reason,
  };
}

/** What the contract tells of a consumer beyond its own view. */
export type Around = Pick<Snapshot, 'notWatched' | 'byResource'>;

/**
 * One consumer as `consumers[]` lists it. `meaning`, while it is impaired, says what that means for what it serves;
 * `harm`, for each cause that hits it or is about to, when that hurts and until when it can be undone (`recoverableUntil`,
 * at least so long where `atLeast` says so); `notWatched` of a use, why nothing that is watched has its name (`reason`,
 * `hint`), and what to `configure`.
 */
export function consumerJson(view: ConsumerView, around: Around): JsonObject {
  return {
    ...identityJson(view),
    meaning: meaningOf(view)?.text,
    since: iso(view.since),
    rootCauses: view.rootCauses,
    harm: harmJson(harmsOf(view, (resource) => around.byResource.get(resource))),
    state: view.state,
    uses: view.uses.map((use) => ({
      resource: use.resource,
      key: use.key,
      versionInUse: use.versionInUse,
      pinned: use.pinned,
      outdatedSince: iso(use.outdatedSince),
      role: use.role,
      part: use.part,
      notWatched: notWatchedOf(view, use, around),
    })),
    findings: view.findings.map(findingJson),
    checkedAt: iso(view.checkedAt),
    attributes: view.attributes,
  };
}

/**
 * One source as `sources[]` lists it; `up` is absent until its first attempt ended. Up for the reason `provider_retired`:
 * the cloud has retired it, there is nothing to watch.
 */
export function sourceJson(source: SourceRecord): JsonObject {
  return {
    target: source.target,
    location: source.location,
    service: source.service,
    up: source.up,
    reason: source.reason,
    lastSuccessAt: iso(source.lastSuccessAt),
    objects: source.objects,
  };
}

/** One entry of the durable log as `events[]` lists it. */
export function eventJson(event: StoredEvent): JsonObject {
  return {
    id: event.id,
    at: iso(event.at),
    type: event.type,
    resource: event.resource,
    kind: event.kind,
    from: event.from,
    to: event.to,
    reason: event.reason,
    version: event.version,
  };
}

/**
 * Everything about one key, for `GET /api/v1/keys/{resource}` and `explain`: the key as it is listed, the evidence, what it
 * depends on and what depends on it (resources, directly or through others), its versions (oldest first) and its events
 * (newest last).
 */
export function keyDetailJson(
  view: KeyView,
  dependents: { readonly keys: readonly KeyView[]; readonly consumers: readonly ConsumerView[] },
  versions: readonly Generation[],
  events: readonly StoredEvent[],
  around: Around,
): JsonObject {
  return {
    key: keyJson(view),
    state: view.state,
    spec: view.spec,
    critical: view.critical,
    baseline: view.baseline,
    verdict: view.own && { status: view.own.status, reason: view.own.reason, since: iso(view.own.since) },
    undo: view.undo,
    evidence: view.evidence,
    conclusiveAt: iso(view.conclusiveAt),
    lastRotatedAt: iso(view.lastRotatedAt),
    attributes: view.attributes,
    dependsOn: view.dependsOn,
    notWatched: view.unwatched?.map((resource) => ({ resource, ...around.notWatched(view.provider, resource) })),
    dependents: {
      keys: dependents.keys.map(({ resource }) => resource),
      consumers: dependents.consumers.map(({ resource }) => resource),
    },
    versions: versions.map(({ version, createdAt, detectedAt, enabled, notBeforeAt, expiresAt }) => ({
      version,
      createdAt: iso(createdAt),
      detectedAt: iso(detectedAt),
      enabled,
      notBeforeAt: iso(notBeforeAt),
      expiresAt: iso(expiresAt),
    })),
    events: events.map(eventJson),
  };
}

/** Everything about one consumer, for `GET /api/v1/consumers/{resource}`: as it is listed, the evidence, its events (newest last). */
export function consumerDetailJson(view: ConsumerView, events: readonly StoredEvent[], around: Around): JsonObject {
  return {
    consumer: consumerJson(view, around),
    evidence: view.evidence,
    conclusiveAt: iso(view.conclusiveAt),
    events: events.map(eventJson),
  };
}

function harmJson(harms: readonly Harm[]): readonly JsonObject[] | undefined {
  if (harms.length === 0) return undefined;
  return harms.map(({ cause, begins, at, text, noReturn }) => ({
    cause,
    begins,
    at: iso(at),
    text,
    recoverableUntil: iso(noReturn?.at),
    atLeast: noReturn?.atLeast,
    undoing: noReturn?.text,
  }));
}

function findingJson(finding: OpenFinding): JsonObject {
  return { id: finding.id, severity: finding.severity, summary: finding.summary, remedy: finding.remedy };
}
