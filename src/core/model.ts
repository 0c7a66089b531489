/**
 * The words of keyvigil as types. Nothing here does IO or reads a clock; every instant is milliseconds since the epoch
 * (UTC), every duration milliseconds, unless a name says otherwise. An absent value is absent, never 0 or ''.
 */
import type { ConsumerKind } from './consumer-model.ts';
import type { ConsumerReason, InaccessibleReason, KeyReason, UnknownReason } from './reasons.ts';

export const PROVIDERS = ['aws', 'azure'] as const;
export type ProviderName = (typeof PROVIDERS)[number];

export const KEY_KINDS = ['aws-secret', 'aws-kms-key', 'azure-key', 'azure-vault', 'speke-provider'] as const;
export type KeyKind = (typeof KEY_KINDS)[number];

export const SEVERITIES = ['info', 'warning', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** Target × location × service: the unit that is scheduled, that succeeds or fails, and that has a freshness. */
export interface SourceId {
  readonly target: string;
  /** AWS region, or `global` for an Azure subscription. */
  readonly location: string;
  readonly service: string;
}

/** A string that names one source in maps and URLs: `target/location/service`. */
export function sourceKey(id: SourceId): string {
  return `${id.target}/${id.location}/${id.service}`;
}

/** What a look was: enough to repeat and to prove it. Never holds a value of a secret. */
export interface Evidence {
  /** The API operation as the cloud names it: `DescribeKey`. */
  readonly operation: string;
  /** HTTP status, where there was an answer. */
  readonly status?: number;
  /** The cloud's own error code, or the transport's (`ECONNREFUSED`). */
  readonly code?: string;
  /** The cloud's message, at most 500 characters, control characters removed. */
  readonly message?: string;
  readonly requestId?: string;
  /** Requests that the SDK made for this call, retries included. */
  readonly attempts?: number;
}

/** A look that told no facts, named by `classify`. */
export interface Failure {
  /**
   * A closed reason. The inaccessible ones are authoritative: the cloud says so of this very object. Everything about
   * the way there, or about the monitor's own rights, is an unknown one.
   */
  readonly reason: InaccessibleReason | UnknownReason;
  readonly evidence: Evidence;
  /** Resources that the error names (a KMS key inside a DecryptionFailure): they are described before anything is confirmed. */
  readonly names?: readonly string[];
  /** A second, independent witness says the same (Azure's management plane beside a vault's own answer). */
  readonly agreed?: true;
  /**
   * False: however long it lasts, that the object is not found proves no purge. Purge protection holds it back, or whether it
   * can be recovered cannot be seen.
   */
  readonly purgeable?: false;
  /**
   * What another witness told of the object meanwhile (Azure's management plane of a vault that refuses the monitor). It
   * changes nothing of what is believed of it, but rules about others read it.
   */
  readonly told?: KeyFacts;
}

/** One generation of a key's material. */
export interface Version {
  readonly id: string;
  readonly createdAt?: number;
  /** Absent where the cloud has no such switch, or does not tell. */
  readonly enabled?: boolean;
  readonly notBeforeAt?: number;
  readonly expiresAt?: number;
}

/** What one principal may do with the keys of a vault, by its access policies or its roles. */
export interface Grant {
  /** Object id. */
  readonly principal: string;
  /** As the cloud calls it, in lower case: `serviceprincipal`, `group`, `user`; absent where it does not tell. */
  readonly type?: string;
  readonly via: 'policy' | 'role';
  /** Name of the only key that it is for, in lower case; absent: every key of the vault. */
  readonly key?: string;
  /** In lower case: `get`, `wrapkey`, `unwrapkey`, …; `all`. */
  readonly permissions: readonly string[];
}

/**
 * What a key depends on. All groups are needed; within one group any member will do (a secret re-encrypted under a second
 * KMS key can be decrypted with either).
 */
export interface Dependency {
  /** Resources, or names that resolve to one (alias ARNs: see `KeyFacts.aliases`). */
  readonly anyOf: readonly string[];
  /** What the members do for the key: `decrypts`, `holds`. */
  readonly role: string;
  /** True while the edge rests on what is configured rather than on what the current version was really encrypted with. */
  readonly assumed?: boolean;
}

export type Scalar = string | number | boolean;

/** What one conclusive look at a key told. Pure data, kept in the store, so that dates go on counting while blind. */
export interface KeyFacts {
  /** Full ARN, versionless key URL, vault URL, endpoint URL: the identity. */
  readonly resource: string;
  readonly kind: KeyKind;
  /** For people: a secret's name, a KMS key's first alias or its id. Never identity. */
  readonly name: string;
  readonly provider: ProviderName;
  readonly account: string;
  /** AWS region; the vault's region in Azure. */
  readonly location: string;
  /** The provider's own state word, verbatim: `Enabled`, `PendingDeletion`. */
  readonly state: string;
  /** `SYMMETRIC_DEFAULT`, `RSA_2048`. */
  readonly spec?: string;
  readonly tags: Readonly<Record<string, string>>;
  /** Other full names under which dependencies may point here (alias ARNs). */
  readonly aliases?: readonly string[];
  readonly version?: Version;
  /** The generation before, where the cloud tells: a current version equal to it is a rollback. */
  readonly previousVersion?: Version;
  /** Every generation that still exists, newest first, where the service lists them. */
  readonly versions?: readonly Version[];
  /** A generation on its way in (AWSPENDING). */
  readonly pendingVersion?: Version;
  readonly createdAt?: number;
  /** When the cloud last changed anything about it; an observation older than what is known is a stale read. */
  readonly changedAt?: number;
  /** When the material or key stops working by date. */
  readonly expiresAt?: number;
  /** When an announced deletion completes (for a secret: at the earliest). */
  readonly deletionAt?: number;
  /** Until when a deletion can be undone (for a secret: at least). */
  readonly recoverableUntil?: number;
  readonly rotationEnabled?: boolean;
  readonly lastRotatedAt?: number;
  readonly nextRotationAt?: number;
  readonly dependsOn: readonly Dependency[];
  /** Who may use what is in it (a vault); absent where that is not known. */
  readonly grants?: readonly Grant[];
  /** Service-specific facts that its own rules, verdict and the detail page read. Never a secret value. */
  readonly attributes: Readonly<Record<string, Scalar>>;
  /** What the details were fetched for (`Service.detailKey`), and when; absent until they were. */
  readonly detailKey?: string;
  readonly detailedAt?: number;
}

/** What one look proves by itself. */
export type Verdict =
  | { readonly status: 'accessible' }
  | { readonly status: 'inaccessible'; readonly reason: InaccessibleReason }
  | { readonly status: 'unknown'; readonly reason: UnknownReason };
export type ConclusiveVerdict = Exclude<Verdict, { status: 'unknown' }>;

/** One look at one key. */
export type Observation = {
  readonly resource: string;
  /** The source that looked. */
  readonly source: SourceId;
  readonly at: number;
  readonly verdict: Verdict;
  readonly evidence: Evidence;
} & (
  | { readonly facts: KeyFacts }
  /** No facts: what is known of the object from its listing, so that a first look that fails still makes a record. */
  | { readonly facts?: never; readonly stub: KeyStub; readonly failure: Failure }
);

/** The identity of a key that was listed but never described. */
export interface KeyStub {
  readonly resource: string;
  readonly kind: KeyKind;
  readonly name: string;
  readonly provider: ProviderName;
  readonly account: string;
  readonly location: string;
}

/** A rule that a key or consumer breaks, as a service's rules return it. */
export interface Finding {
  /** `service.rule` in kebab case: `secrets-manager.rotation-overdue`. */
  readonly id: string;
  readonly severity: Severity;
  /** One plain sentence. */
  readonly summary: string;
  /** The exact command, or what to do. */
  readonly remedy?: string;
  /**
   * It proves that the consumer is in trouble of its own, for this reason: once that is confirmed, its alert tells the
   * finding, which has none of its own.
   */
  readonly impairs?: ConsumerReason;
}

/** A finding that is open on a record. */
export interface OpenFinding extends Finding {
  readonly since: number;
}

export const HEALTHS = ['accessible', 'degraded', 'inaccessible', 'unknown'] as const;
export type Health = (typeof HEALTHS)[number];

export const CONSUMER_HEALTHS = ['ok', 'at_risk', 'impaired', 'unknown'] as const;
export type ConsumerHealth = (typeof CONSUMER_HEALTHS)[number];

/** The last look of one target at a record. */
export interface Witness {
  readonly target: string;
  readonly service: string;
  /** The source location that saw it. */
  readonly location: string;
  readonly at: number;
  readonly conclusive: boolean;
}

/** A conclusive verdict that is believed, and since when. */
export interface Belief {
  readonly verdict: ConclusiveVerdict;
  /** When this status began (a change of reason within `inaccessible` keeps it). */
  readonly since: number;
  /** True while it is still dead since first sight: shown, but pages only if something depends on it. */
  readonly baseline: boolean;
}

/** A conclusive verdict that differs from what is believed, seen `seen` times, not yet confirmed. */
export interface Pending {
  readonly verdict: ConclusiveVerdict;
  readonly seen: number;
  readonly firstAt: number;
}

/** Everything that is kept of one key. The store persists exactly this. Replaced whole, never mutated. */
export interface KeyRecord {
  readonly resource: string;
  readonly stub: KeyStub;
  /** Absent while only inconclusive looks were ever had. */
  readonly facts?: KeyFacts;
  readonly firstSeenAt: number;
  /** Absent while nothing conclusive was ever known. */
  readonly belief?: Belief;
  readonly pending?: Pending;
  /** Inconclusive looks in a row, when the first of them was, and the reason of the last. */
  readonly inconclusive: number;
  readonly inconclusiveSince?: number;
  readonly inconclusiveReason?: UnknownReason;
  /** Nothing conclusive is coming in any more, and since when (the first of those inconclusive looks). */
  readonly blindSince?: number;
  readonly blindReason?: UnknownReason;
  /** Begin of a passing state (`Creating`): after 15 minutes it counts as `provider_error`. */
  readonly transitionalSince?: number;
  /** New versions and rollbacks since first sight. */
  readonly versionChanges: number;
  /** When the current version was detected; absent until a change after first sight. */
  readonly versionDetectedAt?: number;
  /** Version ids seen before the current one, newest last, at most 100: material that cannot come back makes a look stale. */
  readonly pastVersions: readonly string[];
  readonly findings: readonly OpenFinding[];
  /** When the rules must be judged again because a date passes, without any new look. */
  readonly judgeAt?: number;
  /** Last look, conclusive or not; last conclusive look. */
  readonly checkedAt: number;
  readonly conclusiveAt?: number;
  readonly evidence: Evidence;
  readonly witnesses: readonly Witness[];
  /** Digest of what the listing said when it was last described. */
  readonly digest?: string;
  /** While it is believed gone (`not_found`, `purged`): since when, and whether an announced deletion came before. */
  readonly gone?: { readonly since: number; readonly announced: boolean };
}

export const EVENT_TYPES = [
  'first_seen',
  'transition',
  'new_version',
  'rolled_back',
  'finding_opened',
  'finding_closed',
  'replaced',
  'removed',
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** An entry of the durable log. `id` is given by the store, ascending. */
export interface KeyEvent {
  readonly at: number;
  readonly type: EventType;
  readonly resource: string;
  readonly kind: KeyKind | ConsumerKind;
  /**
   * Status before and after; version ids for version events (of a consumer: the version that it uses); the old resource for
   * `replaced`; a finding id in `to`.
   */
  readonly from?: string;
  readonly to?: string;
  readonly reason?: KeyReason | ConsumerReason;
  readonly version?: string;
}
export interface StoredEvent extends KeyEvent {
  readonly id: number;
}

/** Freshness of one source. Persisted, so that a restart knows how old its data is. */
export interface SourceRecord extends SourceId {
  readonly provider: ProviderName;
  readonly account?: string;
  /** Absent until the first attempt ended. */
  readonly up?: boolean;
  /** Why it is down. */
  readonly reason?: UnknownReason;
  readonly lastAttemptAt?: number;
  readonly lastSuccessAt?: number;
  /** Since when it fails. */
  readonly downSince?: number;
  /** Since when it works; absent: for as long as is known. */
  readonly upSince?: number;
  /** Objects in the last complete listing. */
  readonly objects?: number;
  /** Worst time from a change to its detection, from interval, describe budget and duration; milliseconds. */
  readonly detectionBoundMs?: number;
  readonly sweepDurationMs?: number;
  /** Counters since the state file was made. */
  readonly failures: Readonly<Partial<Record<UnknownReason, number>>>;
  readonly transitions: Readonly<Partial<Record<Verdict['status'], number>>>;
  /** A complete listing suddenly lacked many of its objects, and has not shown them again since. */
  readonly shrank?: { readonly from: number; readonly to: number; readonly at: number };
  /** Share of the API budget that the last sweep used, 0 to 1. */
  readonly budgetUsedRatio?: number;
}

export * from './consumer-model.ts';
