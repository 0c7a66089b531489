/**
 * The contract between the engine and a cloud. A provider holds no retry loop, timer, log line or metric: it throws what
 * the SDK threw, `classify` names it, and the sweep does the rest, once.
 */
import type { SecureContext } from 'node:tls';
import type { z } from 'zod';
import type {
  ConsumerFacts,
  ConsumerKind,
  Evidence,
  Failure,
  Finding,
  KeyFacts,
  KeyKind,
  ProviderName,
  Stub,
  Verdict,
} from '../core/model.ts';
import type { Narrowing, Place } from '../core/not-watched.ts';
import type { Policy } from '../core/policy.ts';
import type { ConsumerReason, KeyReason } from '../core/reasons.ts';

/**
 * What a listing proves. `state`: as much as a look. `lagging`: the same, but minutes late. `ids`: only that the object
 * exists.
 */
export type Listing = 'state' | 'lagging' | 'ids';

/** One API operation of a service: the published quota per account and location, and its price. */
export interface Api {
  /** Requests per second. */
  readonly quotaPerSecond: number;
  /** True where the quota is one for the whole account: every location and every service that calls it share its budget. */
  readonly accountWide?: true;
  /** US dollars per 10,000 requests; 0 where it is free. */
  readonly usdPer10k: number;
}

/** What one source holds, as far as the number of its calls depends on it. */
export interface Holding {
  /** Watched objects by kind. */
  readonly objects: Readonly<Partial<Record<KeyKind | ConsumerKind, number>>>;
  /** How many of them `policy.critical` names. */
  readonly critical: number;
  /** Consumers that the other services of the target watch. */
  readonly consumers: number;
  /** How often one listing made each call, by operation; absent where nothing was listed. */
  readonly listing?: Readonly<Record<string, number>>;
}

/** How often a source is looked at. */
export interface Pace {
  /** The distance between two sweeps. */
  readonly intervalMs: number;
  readonly describeEveryMs: number;
  /** Parsed options of every service of the target, by its name. */
  readonly services: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** What sweeps cost while nothing changes and nobody fails: what `plan` foretells. Pure. */
export interface Calls {
  /** Calls of one sweep by operation, on average where they are not made in each (1/60: once an hour, by the minute). */
  steady(holding: Holding, pace: Pace): Readonly<Record<string, number>>;
  /** Operations that fetch details: beside the sweeps, which do not wait for them. */
  readonly beside?: readonly string[];
  /** What that takes for granted, for people: whole sentences. */
  readonly assumes: readonly string[];
}

/** Permissions that one feature of a service needs, in the words of the cloud. */
export interface Permission {
  /** `base`, the option that needs it (`access: read`), or another service that needs it when it is on (`iam`). */
  readonly feature: string;
  readonly actions: readonly string[];
  /** `*`, or the resource pattern with ACCOUNT and PARTITION in it. */
  readonly resource: string;
  /** What stays dark without it. */
  readonly without: string;
  /** Azure. `data`: a data action; `local`: granted by the object's own roles. Absent: an action, or another cloud. */
  readonly plane?: 'data' | 'local';
  /** AWS: the condition under which it is granted. */
  readonly condition?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /**
   * Operations of `apis` that are refused without it; absent: those that its actions name (`kms:DescribeKey`). None: no call of
   * ours tells it from another.
   */
  readonly operations?: readonly string[];
}

/** The least that a target must be granted. */
export interface TargetPolicy {
  /** As the cloud's own tools take it. */
  readonly document: object;
  /** What the document cannot say, for people. */
  readonly notes: readonly string[];
}

/** A look as a verdict table reads it. */
export type Look = { readonly facts: KeyFacts } | { readonly failure: Failure };

/** What the rules say of a key at an instant, and when that changes by itself because a date passes (ms; absent: never). */
export interface Judgement {
  readonly findings: readonly Finding[];
  readonly until?: number;
}

/** What the rules say of a consumer. `impairment`: they prove that it is in trouble of its own. */
export interface ConsumerJudgement extends Judgement {
  readonly impairment?: ConsumerReason;
}

/** How the keys of a service are judged. Pure. */
export interface KeyRules {
  /** True where a name belongs to one object at a time: the same name under a new identity then is event `replaced`. */
  readonly uniqueNames: boolean;
  /** False where material never goes back to an earlier version (KMS): an old version id then is a stale read. */
  readonly versionsCanReturn: boolean;
  /** How long fetched details stay good, ms; absent: until `detailKey` changes. */
  readonly detailEveryMs?: number;
  /** Changes when the details of a key must be fetched anew; absent: the service has no details. */
  detailKey?(facts: KeyFacts): string;
  /**
   * How long (ms) a key must be `not_found` until that proves that nothing brings it back: `purged`. `agreed`: when a second
   * witness says the same. Absent: never.
   */
  readonly purgedAfterMs?: { readonly alone: number; readonly agreed: number };
  verdict(look: Look): Verdict;
  /** Every rule of the service at `now`, with its default severity. */
  judge(facts: KeyFacts, now: number, policy: Policy): Judgement;
  /** The exact command that undoes `reason` for this very key, partition, region and resource filled in. */
  remedy(reason: KeyReason, facts: KeyFacts): string | undefined;
}

/** Facts of the watched key that a name means; undefined: it is not watched, or was never seen. */
export type KeyLookup = (ref: string) => KeyFacts | undefined;

/** One rule, for people: `docs/rules.md` is made of these, and `policy.rules` may name their ids. */
export interface RuleInfo {
  /** `service.rule`, as on the finding. */
  readonly id: string;
  /** Its default; the range where it depends: `warning, critical under 3 days`. */
  readonly severity: string;
  /** Where the rule comes from: a document and its words, or a reference of the API. */
  readonly source: string;
  /** What is wrong when it is open, and why that matters. */
  readonly meaning: string;
  /** What undoes it, in general; the finding has the exact command. */
  readonly remedy: string;
  /** As `Finding.impairs`. */
  readonly impairs?: ConsumerReason;
}

/** How the consumers of a service are judged: rules on the edge, from the consumer to the keys that it uses. Pure. */
export interface ConsumerRules {
  /** Every rule of the service at `now`, with its default severity. Asked again when a key that it looked up changes. */
  judge(facts: ConsumerFacts, key: KeyLookup, now: number, policy: Policy): ConsumerJudgement;
}

/** The declaration of a service. Loading it must not load a cloud SDK. */
export interface Service {
  readonly name: string;
  readonly provider: ProviderName;
  /** For people: `AWS Secrets Manager`. */
  readonly title: string;
  /** What it yields; none: it is no source, but helps the other services of a target (`iam`). */
  readonly kinds: readonly (KeyKind | ConsumerKind)[];
  /** True: only a target whose configuration names it has it. Absent: so does every target that names no services at all. */
  readonly optIn?: true;
  readonly listing: Listing;
  /** Strict schema of `targets[].services.<name>`. */
  readonly config: z.ZodType;
  /** Options that narrow what is watched: lists of globs over names, and whether they let in or keep out. */
  readonly narrows?: Readonly<Record<string, Narrowing['mode']>>;
  readonly permissions: readonly Permission[];
  /** By operation name. Every operation that the service calls stands here. */
  readonly apis: Readonly<Record<string, Api>>;
  /** The operation that one look costs, a key of `apis`: bounds how many looks fit into a sweep. */
  readonly describeOperation: string;
  /** How many of its calls a sweep makes. */
  readonly calls: Calls;
  /** Every rule that a key or consumer of the service can break. */
  readonly rules?: readonly RuleInfo[];
  /** Present if `kinds` has a kind of key. */
  readonly keys?: KeyRules;
  /** Present if `kinds` has a kind of consumer. */
  readonly consumers?: ConsumerRules;
}

/** Whether a service is swept: one that yields nothing only helps the others. */
export function isSource({ kinds }: { readonly kinds?: Service['kinds'] | undefined }): boolean {
  return kinds?.length !== 0;
}

/** One object of a listing. */
export interface Listed {
  readonly stub: Stub;
  /** Changes whenever anything changes that the listing tells of the object; '' for a listing of ids. */
  readonly digest: string;
  /** All that a look would tell, where the listing told it: then no look is taken for what is new or changed. */
  readonly told?: DescribedConsumer;
}

/** How the engine lets a service call its cloud: budget, deadline, concurrency, metrics and cancellation are inside. */
export interface CallContext {
  /**
   * Runs one API call. `operation` is a key of `Service.apis`.
   * @throws CallFailed with the SDK's error as its cause; the abort reason at shutdown.
   */
  call<T>(operation: string, run: (signal: AbortSignal) => Promise<T>): Promise<T>;
}

export interface ListContext extends LookContext {
  /** Resources and aliases that watched keys and consumers name as dependencies: what `discover: referenced` follows. */
  referenced(): readonly string[];
  /** Versions of this key that consumers still use, as their services tell; a listing may have to look at those too. */
  versionsInUse(resource: string): readonly string[];
  /** What is known of every watched consumer, of all targets: for a service whose keys only their users name. */
  consumers(): Iterable<ConsumerFacts>;
}

/** How a look at one object calls its cloud, and what it may know of the keys that the object names. */
export interface LookContext extends CallContext {
  readonly key: KeyLookup;
}

export interface ListOutcome {
  /** Only a complete listing can show that something is missing. */
  readonly complete: boolean;
  /** True: what is not listed is no longer watched, rather than missing. */
  readonly exclusive: boolean;
  /** Whether this object would have been listed; absent: all would. A part that could not be read proves nothing missing. */
  covers?(stub: Stub): boolean;
  /** A part failed in a way that is the whole source's, which counts as down; what was listed is looked at all the same. */
  readonly failed?: CallFailed;
}

/** What a successful look at a key yields. */
export interface Described {
  readonly facts: KeyFacts;
  readonly evidence: Evidence;
  /** As `Failure.names`, where the facts themselves tell of a loss (a value that could not be decrypted). */
  readonly names?: readonly string[];
}

/** What a successful look at a consumer yields. */
export interface DescribedConsumer {
  readonly consumer: ConsumerFacts;
  readonly evidence: Evidence;
}

/** A look that several calls had to decide, and whose outcome is no facts. One failed call is thrown instead. */
export interface Undescribed {
  readonly failure: Failure;
}

/**
 * None of ours to watch, so that it gets no record. `cloud_managed`: the cloud manages it itself (`aws/secretsmanager`);
 * `other_name`: what was asked for is another name of something that has a record of its own; `never_was`: nothing has ever
 * shown it, and nothing names it any more.
 */
export interface Foreign {
  readonly foreign: 'cloud_managed' | 'other_name' | 'never_was';
}

/** One service at one location of one target, with its clients. */
export interface ServiceSession {
  /** Pages of what is there. A token that loops, or a page that is not what it should be, throws. */
  list(context: ListContext): AsyncGenerator<readonly Listed[], ListOutcome>;
  /** One authoritative look. `known` is what was known before, so that details that still hold are carried over. */
  describe(
    stub: Stub,
    known: KeyFacts | ConsumerFacts | undefined,
    context: LookContext,
  ): Promise<Described | DescribedConsumer | Undescribed | Foreign>;
  /**
   * Fetches details that a look does not need (versions, rotations, tags) and returns the facts with them, `detailKey`
   * and `detailedAt` set. Runs in the background; its failure proves nothing.
   */
  enrich?(facts: KeyFacts, now: number, context: CallContext): Promise<KeyFacts>;
  /** Whether include and exclude of the configuration let this object in. */
  watches(stub: Stub): boolean;
}

/** One target, connected. Cloud SDKs are loaded by then. */
export interface Connection extends AsyncDisposable {
  /**
   * Who the monitor is. Memoised once it succeeded.
   * @throws what the SDK threw; the caller classifies.
   */
  identify(context: CallContext): Promise<{ readonly account: string; readonly partition: string }>;
  /** `identify` must have succeeded before. */
  open(service: string, location: string): ServiceSession;
  /** Credentials were refused that seemed good: the next call takes new ones, where there are any to be had. */
  renew?(): void;
  /** Names an error of any call made through this connection. Total: whatever it cannot tell is `provider_error`. */
  classify(error: unknown, operation: string): Failure;
}

/** What a connection is given besides its target's configuration. */
export interface ConnectOptions {
  /** Deadline of one call, ms, for clients that can be told. */
  readonly callTimeoutMs: number;
  /** What connections trust; absent: what Node does. */
  readonly trust?: SecureContext;
  /** Environment for default credential chains and proxies. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface Provider {
  readonly name: ProviderName;
  readonly services: readonly Service[];
  /** What the monitor must be granted for a target. @param account where the configuration does not tell it */
  policy(target: unknown, account?: string): TargetPolicy;
  /** Locations of a target: its regions, or `global`. */
  locations(target: unknown): readonly string[];
  /** Where a name that something depends on leads, as far as it tells by itself; undefined: nowhere that can be told. */
  locate(name: string): Place | undefined;
  /** Loads the SDK lazily and builds clients; makes no call. `target` is the target's parsed configuration. */
  connect(target: unknown, options: ConnectOptions): Promise<Connection>;
}

/** An API call that failed: adds the operation, which the SDK's error does not carry. */
export class CallFailed extends Error {
  readonly operation: string;
  constructor(operation: string, cause: unknown) {
    super(`${operation} failed`, { cause });
    this.operation = operation;
  }
}
