import { PassThrough } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import type { SourceRecord } from '../../src/core/model.ts';
import { type ConsumerView, emptySnapshot, type KeyView, type Snapshot } from '../../src/core/snapshot.ts';
import { createMetrics, type Metrics } from '../../src/metrics/registry.ts';

/** An accessible secret; `change` says what is different. */
export function keyView(change: Partial<KeyView> = {}): KeyView {
  return {
    resource: 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-AbCdEf',
    kind: 'aws-secret',
    name: 'prod/db',
    provider: 'aws',
    account: '111122223333',
    location: 'eu-west-1',
    targets: ['video-prod'],
    tags: {},
    health: 'accessible',
    since: 1_700_000_000_000,
    own: { status: 'accessible', since: 1_700_000_000_000 },
    baseline: false,
    critical: false,
    versionChanges: 0,
    rootCauses: [],
    consumers: 0,
    dependsOn: [],
    findings: [],
    checkedAt: 1_700_000_100_000,
    evidence: { operation: 'DescribeSecret' },
    attributes: {},
    ...change,
  };
}

export function consumerView(change: Partial<ConsumerView> = {}): ConsumerView {
  return {
    resource: 'arn:aws:mediaconnect:eu-west-1:111122223333:flow:1:news',
    kind: 'mediaconnect-flow',
    name: 'news',
    provider: 'aws',
    account: '111122223333',
    location: 'eu-west-1',
    targets: ['video-prod'],
    tags: {},
    health: 'ok',
    since: 1_700_000_000_000,
    rootCauses: [],
    uses: [],
    findings: [],
    checkedAt: 1_700_000_100_000,
    evidence: { operation: 'DescribeFlow' },
    attributes: {},
    ...change,
  };
}

export function sourceRecord(change: Partial<SourceRecord> = {}): SourceRecord {
  return {
    target: 'video-prod',
    location: 'eu-west-1',
    service: 'kms',
    provider: 'aws',
    failures: {},
    transitions: {},
    ...change,
  };
}

/** A snapshot of these keys, sorted as the contract has it. */
export function snapshotOf(keys: readonly KeyView[], change: Partial<Snapshot> = {}): Snapshot {
  const sorted = [...keys].sort((a, b) => (a.resource < b.resource ? -1 : 1));
  const byResource = new Map(sorted.map((key) => [key.resource, key]));
  return { ...emptySnapshot(1_700_000_200_000), keys: sorted, byResource, ...change };
}

export function metricsOf(change: Partial<Parameters<typeof createMetrics>[0]> = {}): Metrics {
  return createMetrics({
    version: '1.2.3',
    tagLabels: [],
    onError: (error) => {
      throw error;
    },
    ...change,
  });
}

/** The bytes of one page, as they were sent. */
export async function pageBytes(metrics: Metrics, snapshot: Snapshot, gzip = false): Promise<Buffer> {
  const out = new PassThrough();
  const chunks: Buffer[] = [];
  out.on('data', (chunk: Buffer) => chunks.push(chunk));
  await metrics.write(snapshot, out, { gzip });
  return Buffer.concat(chunks);
}

/** The part of a page that comes from the snapshot: prom-client's part differs from scrape to scrape. */
export function snapshotPart(page: string): string {
  return page.slice(page.indexOf('# HELP keyvigil_keys '));
}

export async function pageText(metrics: Metrics, snapshot: Snapshot): Promise<string> {
  return (await pageBytes(metrics, snapshot)).toString();
}

export async function gunzippedPage(metrics: Metrics, snapshot: Snapshot): Promise<string> {
  return gunzipSync(await pageBytes(metrics, snapshot, true)).toString();
}

/** The series lines of one family. */
export async function linesOf(
  family: string,
  snapshot: Snapshot,
  tagLabels: readonly string[] = [],
): Promise<string[]> {
  const page = await pageText(metricsOf({ tagLabels }), snapshot);
  return page.split('\n').filter((line) => line.startsWith(`${family}{`) || line.startsWith(`${family} `));
}
