import fc from 'fast-check';
import {
  EVENT_TYPES,
  type Evidence,
  KEY_KINDS,
  type KeyEvent,
  type KeyFacts,
  type KeyRecord,
  PROVIDERS,
  SEVERITIES,
} from '../../src/core/model.ts';
import { INACCESSIBLE_REASONS, UNKNOWN_REASONS } from '../../src/core/reasons.ts';

const text = fc.string({ unit: 'binary', maxLength: 40 });
const instant = fc.integer({ min: -8.64e15, max: 8.64e15 });
const count = fc.nat();
const scalar = fc.oneof(
  text,
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => x + 0),
  fc.boolean(),
);
const version = optional({ id: text }, { createdAt: instant });
const reason = fc.constantFrom(...UNKNOWN_REASONS);
const verdict = fc.oneof(
  fc.constant({ status: 'accessible' } as const),
  plain({ status: fc.constant('inaccessible' as const), reason: fc.constantFrom(...INACCESSIBLE_REASONS) }),
);
const evidence: fc.Arbitrary<Evidence> = optional(
  { operation: text },
  { status: count, code: text, message: text, requestId: text, attempts: count },
);
const stub = {
  resource: text,
  kind: fc.constantFrom(...KEY_KINDS),
  name: text,
  provider: fc.constantFrom(...PROVIDERS),
  account: text,
  location: text,
};
const facts: fc.Arbitrary<KeyFacts> = optional(
  {
    ...stub,
    state: text,
    tags: fc.dictionary(text, text, { noNullPrototype: true }),
    dependsOn: fc.array(optional({ anyOf: fc.array(text), role: text }, { assumed: fc.boolean() }), { maxLength: 3 }),
    attributes: fc.dictionary(text, scalar, { noNullPrototype: true }),
  },
  {
    spec: text,
    aliases: fc.array(text, { maxLength: 3 }),
    version,
    previousVersion: version,
    pendingVersion: version,
    createdAt: instant,
    changedAt: instant,
    expiresAt: instant,
    deletionAt: instant,
    recoverableUntil: instant,
    rotationEnabled: fc.boolean(),
    lastRotatedAt: instant,
    nextRotationAt: instant,
    detailKey: text,
    detailedAt: instant,
  },
);

/** Any record: every optional field there or not, any text in every string, NUL and emoji included. */
export const anyRecord: fc.Arbitrary<KeyRecord> = optional(
  {
    resource: text,
    stub: plain(stub),
    firstSeenAt: instant,
    inconclusive: count,
    versionChanges: count,
    pastVersions: fc.array(text, { maxLength: 5 }),
    findings: fc.array(
      optional({ id: text, severity: fc.constantFrom(...SEVERITIES), summary: text, since: instant }, { remedy: text }),
      { maxLength: 3 },
    ),
    checkedAt: instant,
    evidence,
    witnesses: fc.array(plain({ target: text, service: text, location: text, at: instant, conclusive: fc.boolean() }), {
      maxLength: 3,
    }),
  },
  {
    facts,
    belief: plain({ verdict, since: instant, baseline: fc.boolean() }),
    pending: plain({ verdict, seen: count, firstAt: instant }),
    inconclusiveReason: reason,
    blindSince: instant,
    blindReason: reason,
    transitionalSince: instant,
    versionDetectedAt: instant,
    judgeAt: instant,
    conclusiveAt: instant,
    digest: text,
  },
);

/** Any event of `resource`. */
export const anyEvent: fc.Arbitrary<KeyEvent> = optional(
  { at: instant, type: fc.constantFrom(...EVENT_TYPES), resource: text, kind: fc.constantFrom(...KEY_KINDS) },
  { from: text, to: text, reason, version: text },
);

/** A record whose first fields are always there and whose others may be absent, never undefined. */
function optional<A extends object, B extends object>(
  always: { [K in keyof A]: fc.Arbitrary<A[K]> },
  sometimes: { [K in keyof B]: fc.Arbitrary<B[K]> },
): fc.Arbitrary<A & Partial<B>> {
  return fc
    .tuple(plain(always), plain(sometimes, { requiredKeys: [] }))
    .map(([a, b]) => ({ ...a, ...b }) as A & Partial<B>);
}

function plain<T extends object>(
  fields: { [K in keyof T]: fc.Arbitrary<T[K]> },
  options: { requiredKeys?: [] } = {},
): fc.Arbitrary<T> {
  return fc.record(fields, { ...options, noNullPrototype: true }) as fc.Arbitrary<T>;
}
