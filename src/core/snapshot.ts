/**
 * The immutable view that every reader (metrics, page, API, CLI, alerts) is given. Made by `graph` from the records;
 * unchanged keys keep their object identity from one snapshot to the next, so that readers can cache by reference.
 */
import type { HarmGroup, NoReturn } from './harm.ts';
import type {
  ConsumerHealth,
  ConsumerKind,
  Evidence,
  Health,
  KeyKind,
  KeyUse,
  OpenFinding,
  ProviderName,
  SourceRecord,
  Version,
  Witness,
} from './model.ts';
import type { Explain } from './not-watched.ts';
import type { ConsumerReason, KeyReason, UnknownReason } from './reasons.ts';

/** One key as readers see it: own verdict, dependencies and findings folded into `health`. */
export interface KeyView {
  readonly resource: string;
  readonly kind: KeyKind;
  readonly name: string;
  readonly provider: ProviderName;
  readonly account: string;
  readonly location: string;
  readonly targets: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
  readonly health: Health;
  /** Why it is not accessible; for `degraded` it is `finding`. */
  readonly reason?: KeyReason;
  /** Since when it has this health. */
  readonly since: number;
  readonly blindSince?: number;
  readonly blindReason?: UnknownReason;
  /** What holds it (its vault) and is blind itself: alerts belong there. Absent unless it is blind through others. */
  readonly blindRoots?: readonly string[];
  /** The verdict that is believed of the key by itself, dependencies aside. Absent: nothing conclusive was ever known. */
  readonly own?: {
    readonly status: 'accessible' | 'inaccessible';
    readonly reason?: KeyReason;
    readonly since: number;
  };
  /** A conclusive verdict that differs from `own` and is being confirmed, and since when it was seen. */
  readonly pending?: { readonly status: 'accessible' | 'inaccessible'; readonly since: number };
  readonly firstSeenAt?: number;
  /** The last look of each source that saw it; to know whose silence explains its own. */
  readonly witnesses?: readonly Witness[];
  /** Still dead since first sight. */
  readonly baseline: boolean;
  /** Named by policy. */
  readonly critical: boolean;
  readonly state?: string;
  readonly spec?: string;
  readonly version?: string;
  readonly versionCreatedAt?: number;
  readonly versionDetectedAt?: number;
  readonly versionChanges: number;
  /** Every generation that still exists, newest first, where its service lists them. */
  readonly versions?: readonly Version[];
  readonly expiresAt?: number;
  readonly deletionAt?: number;
  readonly recoverableUntil?: number;
  readonly lastRotatedAt?: number;
  readonly nextRotationAt?: number;
  /** Resources of the roots that are to blame, itself excluded; empty unless `reason` is derived. */
  readonly rootCauses: readonly string[];
  /** How many consumers and keys depend on it, directly or through others. */
  readonly consumers: number;
  /** Resources that it depends on and that are watched, resolved. */
  readonly dependsOn: readonly string[];
  /** Names that it depends on and that mean nothing that is watched: `Snapshot.notWatched` says why. Absent: none. */
  readonly unwatched?: readonly string[];
  readonly findings: readonly OpenFinding[];
  /** The exact command that undoes its own loss. */
  readonly undo?: string;
  readonly checkedAt: number;
  readonly conclusiveAt?: number;
  readonly evidence: Evidence;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
}

/** One use of a key by a consumer, as readers see it. */
export interface UseView extends KeyUse {
  /** The watched key that `resource` means; absent: it is not watched. */
  readonly key?: string;
  /** Since when (ms) there is a newer version of the key than the one in use. */
  readonly outdatedSince?: number;
}

export interface ConsumerView {
  readonly resource: string;
  readonly kind: ConsumerKind;
  readonly name: string;
  readonly provider: ProviderName;
  readonly account: string;
  readonly location: string;
  readonly targets: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
  readonly health: ConsumerHealth;
  readonly reason?: ConsumerReason;
  readonly since: number;
  readonly rootCauses: readonly string[];
  /** Its service's own word on it, verbatim. */
  readonly state?: string;
  readonly uses: readonly UseView[];
  readonly findings: readonly OpenFinding[];
  readonly checkedAt: number;
  readonly conclusiveAt?: number;
  readonly evidence: Evidence;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
}

/** One root cause with everything that it affects. */
export interface Incident {
  readonly root: string;
  readonly reason: KeyReason;
  readonly since: number;
  /** Keys that are lost only because of the root, and consumers that it impairs. */
  readonly keys: readonly string[];
  readonly consumers: readonly string[];
  /** When it begins to hurt the consumers, worst first. */
  readonly harm?: readonly HarmGroup[];
  /** When the root is past undoing. */
  readonly noReturn?: NoReturn;
}

export interface Snapshot {
  /** Ascending by one with each new snapshot. */
  readonly revision: number;
  readonly at: number;
  /** Sorted by resource. */
  readonly keys: readonly KeyView[];
  readonly byResource: ReadonlyMap<string, KeyView>;
  /** The keys of which `isTroubled` holds, in the same order. */
  readonly troubled: readonly KeyView[];
  readonly consumers: readonly ConsumerView[];
  /** Sorted by `sourceKey`. */
  readonly sources: readonly SourceRecord[];
  readonly incidents: readonly Incident[];
  /** Why nothing that is watched has the name of a use or a dependency. */
  readonly notWatched: Explain;
  /** False while the state file cannot be written. */
  readonly storeUp: boolean;
}

/** Whether a key is not simply well: whatever alerts is among those. */
export function isTroubled({ health, findings, blindSince }: KeyView): boolean {
  return health !== 'accessible' || findings.length > 0 || blindSince !== undefined;
}

/** A snapshot of nothing, for the time before the store was read. */
export function emptySnapshot(at: number): Snapshot {
  return {
    revision: 0,
    at,
    keys: [],
    byResource: new Map(),
    troubled: [],
    consumers: [],
    sources: [],
    incidents: [],
    notWatched: () => ({ reason: 'not_read', hint: 'Nothing has been read yet.' }),
    storeUp: true,
  };
}
