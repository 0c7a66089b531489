import fc from 'fast-check';
import {
  ALERT_NAMES,
  type Alert,
  DELIVERY_FAILURES,
  type DueReason,
  type NotificationRecord,
} from '../../src/core/alert.ts';
import {
  type Belief,
  CONSUMER_KINDS,
  type ConsumerFacts,
  type ConsumerRecord,
  type ConsumerStub,
  type Dependency,
  EVENT_TYPES,
  type Evidence,
  type Grant,
  KEY_KINDS,
  type KeyEvent,
  type KeyFacts,
  type KeyRecord,
  type KeyStub,
  type KeyUse,
  type OpenFinding,
  PROVIDERS,
  SEVERITIES,
  type Version,
  type Witness,
} from '../../src/core/model.ts';
import { CONSUMER_REASONS, INACCESSIBLE_REASONS, UNKNOWN_REASONS } from '../../src/core/reasons.ts';

const text = fc.string({ unit: 'binary', maxLength: 40 });
const texts = fc.array(text, { maxLength: 5 });
const texted = fc.dictionary(text, text, { noNullPrototype: true });
const instant = fc.integer({ min: -8.64e15, max: 8.64e15 });
const count = fc.nat();
const flag = fc.boolean();
const scalars = fc.dictionary(
  text,
  fc.oneof(
    text,
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => x + 0),
    flag,
  ),
  { noNullPrototype: true },
);
const unknown = fc.constantFrom(...UNKNOWN_REASONS);
const inaccessible = fc.constantFrom(...INACCESSIBLE_REASONS);
const consumerReason = fc.constantFrom(...CONSUMER_REASONS);
const verdict: fc.Arbitrary<Belief['verdict']> = fc.oneof(
  fc.constant({ status: 'accessible' } as const),
  shape<Extract<Belief['verdict'], { status: 'inaccessible' }>>(
    { status: fc.constant('inaccessible'), reason: inaccessible },
    {},
  ),
);

const version = shape<Version>(
  { id: text },
  { createdAt: instant, enabled: flag, notBeforeAt: instant, expiresAt: instant },
);
const grant = shape<Grant>(
  { principal: text, via: fc.constantFrom('policy', 'role'), permissions: texts },
  { type: text, key: text },
);
const dependency = shape<Dependency>({ anyOf: texts, role: text }, { assumed: flag });
const use = shape<KeyUse>(
  { resource: text, role: text },
  { versionInUse: text, pinned: flag, part: text, attributes: scalars },
);
const finding = shape<OpenFinding>(
  { id: text, severity: fc.constantFrom(...SEVERITIES), summary: text, since: instant },
  { remedy: text, impairs: consumerReason },
);
const evidence = shape<Evidence>(
  { operation: text },
  { status: count, code: text, message: text, requestId: text, attempts: count },
);
const witness = shape<Witness>({ target: text, service: text, location: text, at: instant, conclusive: flag }, {});

const identity = { resource: text, name: text, provider: fc.constantFrom(...PROVIDERS), account: text, location: text };
const keyStub = { ...identity, kind: fc.constantFrom(...KEY_KINDS) };
const consumerStub = { ...identity, kind: fc.constantFrom(...CONSUMER_KINDS) };

const keyFacts = shape<KeyFacts>(
  { ...keyStub, state: text, tags: texted, dependsOn: few(dependency), attributes: scalars },
  {
    spec: text,
    aliases: texts,
    version,
    previousVersion: version,
    versions: few(version),
    pendingVersion: version,
    createdAt: instant,
    changedAt: instant,
    expiresAt: instant,
    deletionAt: instant,
    recoverableUntil: instant,
    rotationEnabled: flag,
    lastRotatedAt: instant,
    nextRotationAt: instant,
    grants: few(grant),
    detailKey: text,
    detailedAt: instant,
  },
);

const consumerFacts = shape<ConsumerFacts>(
  { ...consumerStub, tags: texted, uses: few(use), attributes: scalars },
  { state: text, createdAt: instant },
);

/** What both kinds of record always have. */
const looked = {
  resource: text,
  firstSeenAt: instant,
  inconclusive: count,
  findings: few(finding),
  checkedAt: instant,
  evidence,
  witnesses: few(witness),
};

/** Any record of a key: every optional field there or not, any text in every string, NUL and emoji included. */
export const anyRecord = shape<KeyRecord>(
  { ...looked, stub: shape<KeyStub>(keyStub, {}), versionChanges: count, pastVersions: texts },
  {
    facts: keyFacts,
    belief: shape<Belief>({ verdict, since: instant, baseline: flag }, {}),
    pending: shape<Required<KeyRecord>['pending']>({ verdict, seen: count, firstAt: instant }, {}),
    inconclusiveSince: instant,
    inconclusiveReason: unknown,
    blindSince: instant,
    blindReason: unknown,
    transitionalSince: instant,
    versionDetectedAt: instant,
    judgeAt: instant,
    conclusiveAt: instant,
    digest: text,
    gone: shape<Required<KeyRecord>['gone']>({ since: instant, announced: flag }, {}),
  },
);

/** Any record of a consumer, as wild. */
export const anyConsumer = shape<ConsumerRecord>(
  { ...looked, stub: shape<ConsumerStub>(consumerStub, {}) },
  {
    facts: consumerFacts,
    impairment: shape<Required<ConsumerRecord>['impairment']>({ reason: consumerReason, since: instant }, {}),
    pending: shape<Required<ConsumerRecord>['pending']>(
      { reason: fc.constantFrom(...CONSUMER_REASONS, 'none', 'gone'), seen: count, firstAt: instant },
      {},
    ),
    inconclusiveReason: unknown,
    judgeAt: instant,
    conclusiveAt: instant,
    digest: text,
  },
);

const alert = shape<Alert>(
  {
    fingerprint: text,
    labels: fc
      .tuple(texted, fc.constantFrom(...ALERT_NAMES), fc.constantFrom('info', 'warning', 'critical'))
      .map(([labels, alertname, severity]) => ({ ...labels, alertname, severity })),
    annotations: texted,
    startsAt: instant,
  },
  { endsAt: instant },
);

/** Anything that a receiver was told, or must be told. */
export const anyNotification = shape<NotificationRecord>(
  {
    receiver: text,
    fingerprint: text,
    alert,
    status: fc.constantFrom('firing', 'resolved'),
    reason: fc.constantFrom<DueReason>('first', 'changed', 'resolved', 'resend', 'reminder'),
    attempts: count,
  },
  {
    replaces: alert,
    queuedAt: instant,
    sentAt: instant,
    resolvedAt: instant,
    endHeardAt: instant,
    notBefore: instant,
    dead: shape<Required<NotificationRecord>['dead']>(
      { at: instant, reason: fc.constantFrom(...DELIVERY_FAILURES) },
      {},
    ),
  },
);

/** Any event of a key or of a consumer. */
export const anyEvent = shape<KeyEvent>(
  {
    at: instant,
    type: fc.constantFrom(...EVENT_TYPES),
    resource: text,
    kind: fc.constantFrom(...KEY_KINDS, ...CONSUMER_KINDS),
  },
  { from: text, to: text, reason: fc.oneof(unknown, inaccessible, consumerReason), version: text },
);

function few<T>(one: fc.Arbitrary<T>): fc.Arbitrary<T[]> {
  return fc.array(one, { maxLength: 3 });
}

type OptionalKey<T> = { [K in keyof T]-?: Partial<Pick<T, K>> extends Pick<T, K> ? K : never }[keyof T];

/**
 * A T whose optional fields may each be absent, never undefined. Every field has to be named: one that the model gains
 * does not compile until it is here.
 */
function shape<T extends object>(
  always: { [K in Exclude<keyof T, OptionalKey<T>>]: fc.Arbitrary<T[K]> },
  sometimes: { [K in OptionalKey<T>]-?: fc.Arbitrary<Exclude<T[K], undefined>> },
): fc.Arbitrary<T> {
  const fields = { ...always, ...sometimes } as unknown as { [K in keyof T]-?: fc.Arbitrary<T[K]> };
  const requiredKeys = Object.keys(always) as (keyof T)[];
  return fc.record(fields, { requiredKeys, noNullPrototype: true }) as unknown as fc.Arbitrary<T>;
}
