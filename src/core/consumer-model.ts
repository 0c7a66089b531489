/** What is known of consumers: the other half of the model. The same rules of units and absence hold. */
import type {
  Evidence,
  Failure,
  KeyKind,
  KeyStub,
  OpenFinding,
  ProviderName,
  Scalar,
  SourceId,
  Witness,
} from './model.ts';
import type { ConsumerReason, UnknownReason } from './reasons.ts';

export const CONSUMER_KINDS = [
  'mediaconnect-flow',
  'codebuild-project',
  'media-services-account',
  'storage-account',
] as const;
export type ConsumerKind = (typeof CONSUMER_KINDS)[number];

/** The identity of a consumer that was listed but never described. */
export interface ConsumerStub {
  readonly resource: string;
  readonly kind: ConsumerKind;
  readonly name: string;
  readonly provider: ProviderName;
  readonly account: string;
  readonly location: string;
}

/** What a listing yields and a sweep looks at. */
export type Stub = KeyStub | ConsumerStub;

/** Whether this is a consumer; else it is a key. */
export function isConsumerKind(kind: KeyKind | ConsumerKind): kind is ConsumerKind {
  return CONSUMER_KINDS.some((known) => known === kind);
}
export function isConsumerStub(stub: Stub): stub is ConsumerStub {
  return isConsumerKind(stub.kind);
}

/** One look at one consumer. */
export type ConsumerObservation = {
  readonly resource: string;
  readonly source: SourceId;
  readonly at: number;
  readonly evidence: Evidence;
} & (
  | { readonly consumer: ConsumerFacts }
  | { readonly consumer?: never; readonly stub: ConsumerStub; readonly failure: Failure }
);

/** Uses of this role are no keys: what the consumer keeps its data in. */
export const STORES = 'stores';

/** One use of a key by a consumer. */
export interface KeyUse {
  /** The key, or a name that resolves to one. */
  readonly resource: string;
  /** The generation that it uses now, where its service tells. */
  readonly versionInUse?: string;
  /** True: it stays with this version whatever becomes of the key; false: it follows the newest by itself. */
  readonly pinned?: boolean;
  /** What the key does for it: `encrypts`. A label of `keyvigil_consumer_key`, so one of a few. */
  readonly role: string;
  /** The part of the consumer that needs it, for people: `output Test`. */
  readonly part?: string;
  /** Facts of this very use that the rules of its service read: an algorithm, a role. Never a secret value. */
  readonly attributes?: Readonly<Record<string, Scalar>>;
}

/** What one look at a consumer told. */
export interface ConsumerFacts {
  readonly resource: string;
  readonly kind: ConsumerKind;
  readonly name: string;
  readonly provider: ProviderName;
  readonly account: string;
  readonly location: string;
  /** Its service's own word on it, verbatim. */
  readonly state?: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly uses: readonly KeyUse[];
  readonly createdAt?: number;
  /** Service-specific facts that its own rules and the pages read. Never a secret value. */
  readonly attributes: Readonly<Record<string, Scalar>>;
}

/** Why a consumer is in trouble of its own, whatever its keys say, and since when. */
export interface Impairment {
  readonly reason: ConsumerReason;
  readonly since: number;
}

/** Everything that is kept of one consumer. Replaced whole, never mutated. */
export interface ConsumerRecord {
  readonly resource: string;
  readonly stub: ConsumerStub;
  /** Absent while only inconclusive looks were ever had. */
  readonly facts?: ConsumerFacts;
  readonly firstSeenAt: number;
  /** Trouble that its own service reports, or that its rules prove; confirmed. */
  readonly impairment?: Impairment;
  /** What the last looks said instead, not yet confirmed. `gone`: that there is no such consumer. */
  readonly pending?: {
    readonly reason: ConsumerReason | 'none' | 'gone';
    readonly seen: number;
    readonly firstAt: number;
  };
  /** Inconclusive looks in a row, and the reason of the last. */
  readonly inconclusive: number;
  readonly inconclusiveReason?: UnknownReason;
  readonly findings: readonly OpenFinding[];
  readonly judgeAt?: number;
  readonly checkedAt: number;
  readonly conclusiveAt?: number;
  readonly evidence: Evidence;
  readonly witnesses: readonly Witness[];
  readonly digest?: string;
}
