import type { NotificationRecord } from '../../src/core/alert.ts';
import type { ConsumerRecord, KeyEvent, KeyRecord, SourceRecord } from '../../src/core/model.ts';
import type { Change } from '../../src/store/store.ts';

type ChangeParts = Partial<Omit<Change, 'consumers' | 'notifications'>> & {
  readonly consumers?: Partial<Change['consumers']>;
  readonly notifications?: Partial<Change['notifications']>;
};

/** 2026-11-20T00:00:00Z */
export const T0 = Date.UTC(2026, 10, 20);

/** A record of ordinary size (about 1.5 kB of JSON), number `n`, whose current version is `version`. */
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

/** A consumer of ordinary size (about 1.7 kB of JSON), number `n`, that uses a key and two storage accounts. */
export function consumer(n: number, at = T0): ConsumerRecord {
  const name = `media${n}`;
  const group = `/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/video-${n % 97}/providers`;
  const resource = `${group}/Microsoft.Media/mediaservices/${name}`;
  const key = `https://contoso-${n % 13}.vault.azure.net/keys/cmk-${n % 100}`;
  const stub = {
    resource,
    kind: 'media-services-account',
    name,
    provider: 'azure',
    account: '00000000-0000-0000-0000-000000000000',
    location: 'westeurope',
  } as const;
  return {
    resource,
    stub,
    facts: {
      ...stub,
      state: 'Connected',
      tags: { team: `team-${n % 13}` },
      uses: [
        { resource: key, versionInUse: `v1-${n}`, pinned: false, role: 'encrypts' },
        { resource: `${group}/Microsoft.Storage/storageAccounts/first${n}`, role: 'stores' },
        { resource: `${group}/Microsoft.Storage/storageAccounts/second${n}`, role: 'stores' },
      ],
      attributes: { encryption: 'CustomerKey', keyIdentifier: key, currentKeyIdentifier: `${key}/v1-${n}` },
    },
    firstSeenAt: T0,
    inconclusive: 0,
    findings: [],
    checkedAt: at,
    conclusiveAt: at,
    evidence: { operation: 'Mediaservices_ListBySubscription', status: 200, requestId: `0000-${n}`, attempts: 1 },
    witnesses: [{ target: 'contoso', service: 'media-services', location: 'global', at, conclusive: true }],
    digest: `d${at}-${n}`,
  };
}

/** What a receiver must be told of record `n`, of ordinary size (about 1 kB of JSON). */
export function notification(n: number, receiver = 'oncall', at = T0): NotificationRecord {
  const { resource, stub } = record(n);
  const { kind, name, provider, account, location } = stub;
  const alertname = 'KeyvigilKeyInaccessible';
  return {
    receiver,
    fingerprint: `${alertname} ${resource}`,
    alert: {
      fingerprint: `${alertname} ${resource}`,
      labels: { alertname, severity: 'critical', origin: 'push', resource, kind, name, provider, account, location },
      annotations: {
        summary: `${name} cannot be used`,
        reason: 'disabled',
        affected: `service-${n}, service-${n + 1}`,
      },
      startsAt: T0,
    },
    status: 'firing',
    reason: 'first',
    queuedAt: at,
    attempts: 0,
  };
}

export function event(of: KeyRecord | ConsumerRecord, fields: Partial<KeyEvent> = {}): KeyEvent {
  return { at: T0, type: 'first_seen', resource: of.resource, kind: of.stub.kind, ...fields };
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

/** What of a change is not told is empty. */
export function change({ consumers, notifications, ...parts }: ChangeParts): Change {
  return {
    upserts: [],
    deletes: [],
    events: [],
    sources: [],
    deletedSources: [],
    ...parts,
    consumers: { upserts: [], deletes: [], ...consumers },
    notifications: { upserts: [], deletes: [], ...notifications },
  };
}
