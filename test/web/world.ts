/** Snapshots and a daemon's other parts to show, made by hand: what the web module is given, with nothing behind it. */
import type { KeyEvent, SourceRecord, StoredEvent } from '../../src/core/model.ts';
import type { Records } from '../../src/core/relations.ts';
import { type ConsumerView, isTroubled, type KeyView, type Snapshot } from '../../src/core/snapshot.ts';
import type { EventsQuery, WebDeps } from '../../src/web/deps.ts';
import { key } from '../core/support/graphs.ts';
import { POLICY } from '../core/support/looks.ts';

export const NOW = Date.UTC(2026, 10, 20, 10, 27, 30);
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
const ACCOUNT = '111122223333';

export function arn(service: string, rest: string): string {
  return `arn:aws:${service}:eu-west-1:${ACCOUNT}:${rest}`;
}

export function keyView(fields: Partial<KeyView> & Pick<KeyView, 'resource'>): KeyView {
  return {
    kind: 'aws-secret',
    name: fields.resource.split(/[:/]/).at(-1) ?? fields.resource,
    provider: 'aws',
    account: ACCOUNT,
    location: 'eu-west-1',
    targets: ['video-prod'],
    tags: {},
    health: 'accessible',
    since: NOW - 3 * DAY,
    baseline: false,
    critical: false,
    versionChanges: 0,
    rootCauses: [],
    consumers: 0,
    dependsOn: [],
    findings: [],
    checkedAt: NOW - 20_000,
    conclusiveAt: NOW - 20_000,
    evidence: { operation: 'DescribeSecret', status: 200, requestId: '7f3e', attempts: 1 },
    attributes: {},
    own: { status: 'accessible', since: NOW - 3 * DAY },
    ...fields,
  };
}

export function consumerView(fields: Partial<ConsumerView> & Pick<ConsumerView, 'resource'>): ConsumerView {
  return {
    kind: 'mediaconnect-flow',
    name: fields.resource.split(/[:/]/).at(-1) ?? fields.resource,
    provider: 'aws',
    account: ACCOUNT,
    location: 'eu-west-1',
    targets: ['video-prod'],
    tags: {},
    health: 'ok',
    since: NOW - DAY,
    rootCauses: [],
    uses: [],
    findings: [],
    checkedAt: NOW - 20_000,
    conclusiveAt: NOW - 20_000,
    evidence: { operation: 'DescribeFlow', status: 200, attempts: 1 },
    attributes: {},
    ...fields,
  };
}

export function source(fields: Partial<SourceRecord> = {}): SourceRecord {
  return {
    target: 'video-prod',
    location: 'eu-west-1',
    service: 'secrets-manager',
    provider: 'aws',
    account: ACCOUNT,
    up: true,
    lastAttemptAt: NOW - 20_000,
    lastSuccessAt: NOW - 20_000,
    objects: 4,
    detectionBoundMs: 90_000,
    failures: {},
    transitions: {},
    ...fields,
  };
}

export function snapshotOf(parts: Partial<Omit<Snapshot, 'byResource'>> = {}): Snapshot {
  const keys = (parts.keys ?? []).toSorted((a, b) => (a.resource < b.resource ? -1 : 1));
  return {
    revision: 7,
    at: NOW - 5_000,
    consumers: [],
    sources: [source()],
    incidents: [],
    notWatched: (_provider, name) => ({ reason: 'unclear', hint: `Nobody knows where ${name} leads.` }),
    storeUp: true,
    ...parts,
    keys,
    byResource: new Map(keys.map((key) => [key.resource, key])),
    troubled: keys.filter(isTroubled),
  };
}

/** A disabled KMS key that takes secrets and flows down, a scheduled deletion, findings, blindness, a source that is down. */
export function incidentSnapshot(): Snapshot {
  const cmk = arn('kms', 'key/1234abcd-12ab-34cd-56ef-1234567890ab');
  const doomed = arn('kms', 'key/9999abcd-12ab-34cd-56ef-1234567890ab');
  const names = [
    'speke/gateway',
    'ingest/zixi-password',
    'ingest/srt-passphrase',
    'api/token',
    'playout/db',
    'origin/hmac',
  ];
  const derived = names.map((name) =>
    keyView({
      resource: arn('secretsmanager', `secret:prod/${name}-AbCdEf`),
      name: `prod/${name}`,
      health: 'inaccessible',
      reason: 'dependency',
      since: NOW - 12 * MINUTE,
      rootCauses: [cmk],
      dependsOn: [cmk],
      consumers: name === 'speke/gateway' ? 1 : 0,
      tags: { team: 'playout' },
    }),
  );
  const flows = ['ch1-main', 'ch1-backup'].map((name) =>
    consumerView({
      resource: arn('mediaconnect', `flow:1-abc:${name}`),
      name,
      health: 'impaired',
      reason: 'key_inaccessible',
      since: NOW - 12 * MINUTE,
      rootCauses: [cmk],
      uses: [
        {
          resource: arn('secretsmanager', 'secret:prod/speke/gateway-AbCdEf'),
          key: arn('secretsmanager', 'secret:prod/speke/gateway-AbCdEf'),
          role: 'decrypts',
        },
      ],
    }),
  );
  const healthy = Array.from({ length: 30 }, (_, at) =>
    keyView({ resource: arn('secretsmanager', `secret:shop/service-${at}-XyZ`), name: `shop/service-${at}` }),
  );
  return snapshotOf({
    keys: [
      keyView({
        resource: cmk,
        kind: 'aws-kms-key',
        name: 'alias/video-prod',
        health: 'inaccessible',
        reason: 'disabled',
        state: 'Disabled',
        spec: 'SYMMETRIC_DEFAULT',
        since: NOW - 12 * MINUTE,
        own: { status: 'inaccessible', reason: 'disabled', since: NOW - 12 * MINUTE },
        critical: true,
        consumers: 8,
        undo: 'aws kms enable-key --region eu-west-1 --key-id 1234abcd-12ab-34cd-56ef-1234567890ab',
        evidence: {
          operation: 'DescribeKey',
          status: 200,
          requestId: 'b1a2c3d4-0000-4000-8000-1234567890ab',
          attempts: 1,
        },
        tags: { team: 'playout', service: 'ingest' },
        attributes: { keyManager: 'CUSTOMER', multiRegion: false },
        version: 'e7c3a4',
        versionCreatedAt: NOW - 40 * DAY,
      }),
      keyView({
        resource: doomed,
        kind: 'aws-kms-key',
        name: 'alias/archive-2024',
        health: 'inaccessible',
        reason: 'pending_deletion',
        since: NOW - 2 * DAY,
        own: { status: 'inaccessible', reason: 'pending_deletion', since: NOW - 2 * DAY },
        deletionAt: NOW + 5 * DAY + 3 * HOUR,
        recoverableUntil: NOW + 5 * DAY + 3 * HOUR,
        undo: 'aws kms cancel-key-deletion --region eu-west-1 --key-id 9999abcd-12ab-34cd-56ef-1234567890ab && aws kms enable-key --region eu-west-1 --key-id 9999abcd-12ab-34cd-56ef-1234567890ab',
      }),
      keyView({
        resource: arn('kms', 'key/0000abcd-old'),
        kind: 'aws-kms-key',
        name: 'alias/old-poc',
        health: 'inaccessible',
        reason: 'disabled',
        since: NOW - 3 * DAY,
        baseline: true,
        own: { status: 'inaccessible', reason: 'disabled', since: NOW - 3 * DAY },
      }),
      keyView({
        resource: arn('secretsmanager', 'secret:prod/payments-Qwerty'),
        name: 'prod/payments',
        health: 'degraded',
        reason: 'finding',
        findings: [
          {
            id: 'secrets-manager.rotation-overdue',
            severity: 'warning',
            summary: 'Its rotation is 3 days overdue.',
            remedy: 'aws secretsmanager rotate-secret --region eu-west-1 --secret-id prod/payments',
            since: NOW - 3 * DAY,
          },
        ],
      }),
      keyView({
        resource: arn('secretsmanager', 'secret:prod/blind-Qwerty'),
        name: 'prod/partner-feed',
        blindSince: NOW - 45 * MINUTE,
        blindReason: 'denied',
        checkedAt: NOW - 30_000,
        conclusiveAt: NOW - 46 * MINUTE,
      }),
      ...derived,
      ...healthy,
    ],
    consumers: [
      ...flows,
      consumerView({ resource: arn('mediaconnect', 'flow:1-abc:ch2-main'), name: 'ch2-main' }),
      consumerView({
        resource: arn('codebuild', 'project/release'),
        kind: 'codebuild-project',
        name: 'release',
        health: 'impaired',
        reason: 'access_revoked',
        since: NOW - 3 * HOUR,
      }),
    ],
    sources: [
      source({ objects: 38 }),
      source({ service: 'kms', objects: 3 }),
      source({ location: 'us-east-1', up: false, reason: 'credentials', lastSuccessAt: NOW - 9 * MINUTE }),
      source({ location: 'us-east-1', service: 'kms', lastSuccessAt: NOW - 21 * MINUTE, objects: 2 }),
    ],
    incidents: [
      { root: doomed, reason: 'pending_deletion', since: NOW - 2 * DAY, keys: [], consumers: [] },
      {
        root: cmk,
        reason: 'disabled',
        since: NOW - 12 * MINUTE,
        keys: derived.map((key) => key.resource),
        consumers: flows.map((flow) => flow.resource),
      },
      { root: arn('kms', 'key/0000abcd-old'), reason: 'disabled', since: NOW - 3 * DAY, keys: [], consumers: [] },
    ],
  });
}

/** Nothing wrong. */
export function healthySnapshot(): Snapshot {
  return snapshotOf({
    keys: Array.from({ length: 12 }, (_, at) =>
      keyView({ resource: arn('secretsmanager', `secret:shop/service-${at}-XyZ`), name: `shop/service-${at}` }),
    ),
    sources: [source({ objects: 12 }), source({ service: 'kms', objects: 0 })],
  });
}

export function storedEvents(events: readonly (Partial<KeyEvent> & Pick<KeyEvent, 'resource'>)[]): StoredEvent[] {
  return events.map((event, at) => ({
    id: at + 1,
    at: NOW - (events.length - at) * MINUTE,
    type: 'transition',
    kind: 'aws-secret',
    ...event,
  }));
}

/** The log as the store answers it. */
export function eventLog(log: readonly StoredEvent[]): (query: EventsQuery) => Promise<readonly StoredEvent[]> {
  return async ({ before, limit, resource, kind, type }) =>
    log
      .filter((event) => before === undefined || event.id < before)
      .filter((event) => resource === undefined || event.resource === resource)
      .filter((event) => kind === undefined || event.kind === kind)
      .filter((event) => type === undefined || event.type === type)
      .slice(-limit);
}

/** The records of keys whose views were made by hand: each needs all that its view depends on. */
function recordsBehind(snapshot: () => Snapshot): Records {
  return {
    resolve: (name) => (snapshot().byResource.has(name) ? name : undefined),
    key(resource) {
      const view = snapshot().byResource.get(resource);
      if (!view) return undefined;
      return key(resource, { needs: [...view.dependsOn, ...(view.unwatched ?? [])].map((name) => [name]) });
    },
  };
}

export interface World {
  readonly deps: WebDeps;
  /** What was asked to be checked, and what was reported as an error. */
  readonly checked: (string | undefined)[];
  readonly errors: { error: unknown; where: string }[];
  /** Replace it to change what is shown. */
  snapshot: Snapshot;
}

export function world(snapshot: Snapshot, overrides: Partial<WebDeps> = {}): World {
  const made: World = {
    snapshot,
    checked: [],
    errors: [],
    deps: {
      snapshot: () => made.snapshot,
      records: recordsBehind(() => made.snapshot),
      alertContext: () => ({
        policy: POLICY,
        tagLabels: ['team'],
        statusUrl: 'http://kv',
        runbookUrl: 'http://kv/runbooks',
      }),
      notifications: () => [],
      events: eventLog([]),
      versions: async () => [],
      check: async (resource) => {
        made.checked.push(resource);
        return { started: 2 };
      },
      ready: () => ({ ready: true, reason: 'every source was swept' }),
      writeMetrics: async (out) => {
        out.write('# HELP keyvigil_build_info About this build.\n');
      },
      metricsContentType: 'text/plain; version=0.0.4; charset=utf-8',
      version: '0.1.0',
      startedAt: NOW - 3 * DAY,
      now: () => NOW,
      onError: (error, where) => made.errors.push({ error, where }),
      ...overrides,
    },
  };
  return made;
}
