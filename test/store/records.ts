import type { KeyEvent, KeyRecord, SourceRecord } from '../../src/core/model.ts';
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
