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
  type SourceRecord,
} from '../../src/core/model.ts';
import { INACCESSIBLE_REASONS, UNKNOWN_REASONS } from '../../src/core/reasons.ts';
import type { Change } from '../../src/store/store.ts';

/** 2026-11-20T00:00:00Z */
export const T0 = Date.UTC(2026, 10, 20);

/** A record of ordinary size (about 1.3 kB of JSON), number `n`, whose current version is `version`. */
export function record(n: number, version = `v1-${n}`, at = T0): KeyRecord {
  const name = `prod/service-${n % 97}/database-${n}`;
  const resource = `arn:aws:secretsmanager:eu-west-1:111122223333:secret:${name}-AbCdEf`;
  const stub = {
    resource,
    kind: 'aws-secret',
    name,
    provider: 'aws',
    account: '111122223333',
    location: 'eu-west-1',
  } as const;
  return {
    resource,
    stub,
    facts: {
      ...stub,
      state: 'Active',
      tags: { team: `team-${n % 13}`, environment: 'prod', 'cost-center': 'video' },
      version: { id: version, createdAt: at - 86_400_000 },
      previousVersion: { id: `v0-${n}` },
      createdAt: at - 90 * 86_400_000,
      changedAt: at - 86_400_000,
      rotationEnabled: true,
      lastRotatedAt: at - 86_400_000,
      nextRotationAt: at + 29 * 86_400_000,
      dependsOn: [{ anyOf: [`arn:aws:kms:eu-west-1:111122223333:key/${n % 100}`], role: 'decrypts' }],
      attributes: { rotationRules: 'rate(30 days)', replicas: 0, pending: false },
    },
    firstSeenAt: T0,
    belief: { verdict: { status: 'accessible' }, since: T0, baseline: false },
    inconclusive: 0,
    versionChanges: 0,
    pastVersions: [`v0-${n}`],
    findings: [],
    checkedAt: at,
    conclusiveAt: at,
    evidence: { operation: 'DescribeSecret', status: 200, requestId: `0000-${n}`, attempts: 1 },
    witnesses: [{ target: 'video-prod', service: 'secrets-manager', location: 'eu-west-1', at, conclusive: true }],
    digest: `d${at}-${n}`,
  };
}

export function event(key: KeyRecord, fields: Partial<KeyEvent> = {}): KeyEvent {
  return { at: T0, type: 'first_seen', resource: key.resource, kind: key.stub.kind, ...fields };
}

export function source(service: string, fields: Partial<SourceRecord> = {}): SourceRecord {
  return {
    target: 'video-prod',
    location: 'eu-west-1',
    service,
    provider: 'aws',
    up: true,
    lastAttemptAt: T0,
    lastSuccessAt: T0,
    failures: { throttled: 3 },
    transitions: { inaccessible: 1 },
    ...fields,
  };
}

export function change(parts: Partial<Change>): Change {
  return { upserts: [], deletes: [], events: [], sources: [], deletedSources: [], ...parts };
}

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
