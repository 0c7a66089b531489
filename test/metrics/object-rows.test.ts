import { expect, test } from 'vitest';
import { consumerView, keyView, linesOf, snapshotOf, sourceRecord } from './views.ts';

const FLOW = 'resource="arn:aws:mediaconnect:eu-west-1:111122223333:flow:1:news"';
const FULL = `provider="aws",account="111122223333",location="eu-west-1",kind="mediaconnect-flow",${FLOW},name="news"`;
const SOURCE = 'target="video-prod",location="eu-west-1",service="kms"';
const AT = 1_700_000_000_500;

test.each([
  ['ok', ['keyvigil_consumer_ok{F} 1']],
  ['at_risk', ['keyvigil_consumer_ok{F} 1']],
  ['impaired', ['keyvigil_consumer_ok{F} 0']],
  ['unknown', []],
] as const)('keyvigil_consumer_ok of a consumer that is %s', async (health, lines) => {
  const snapshot = snapshotOf([], { consumers: [consumerView({ health })] });
  expect(await linesOf('keyvigil_consumer_ok', snapshot)).toEqual(lines.map((line) => line.replace('F', FULL)));
});

test('keyvigil_consumer_reason tells why a consumer is not ok', async () => {
  const impaired = consumerView({ health: 'impaired', reason: 'key_inaccessible' });
  expect(await linesOf('keyvigil_consumer_reason', snapshotOf([], { consumers: [impaired] }))).toEqual([
    `keyvigil_consumer_reason{${FLOW},reason="key_inaccessible"} 1`,
  ]);
  expect(await linesOf('keyvigil_consumer_reason', snapshotOf([], { consumers: [consumerView()] }))).toEqual([]);
});

test('keyvigil_consumer_finding has one series per open finding', async () => {
  const findings = [{ id: 'mediaconnect.default-key', severity: 'info', summary: 'Default.', since: AT }] as const;
  expect(
    await linesOf('keyvigil_consumer_finding', snapshotOf([], { consumers: [consumerView({ findings })] })),
  ).toEqual([`keyvigil_consumer_finding{${FULL},finding="mediaconnect.default-key",severity="info"} 1`]);
});

test('a key that a consumer uses twice in one role is one series', async () => {
  const uses = [
    { resource: 'arn:k1', role: 'decryption' },
    { resource: 'arn:k1', role: 'decryption' },
    { resource: 'arn:k1', role: 'encryption' },
  ];
  expect(await linesOf('keyvigil_consumer_key', snapshotOf([], { consumers: [consumerView({ uses })] }))).toEqual([
    `keyvigil_consumer_key{${FLOW},key="arn:k1",role="decryption"} 1`,
    `keyvigil_consumer_key{${FLOW},key="arn:k1",role="encryption"} 1`,
  ]);
});

test('a consumer is outdated since there is a newer version of its key, the oldest of its uses', async () => {
  const uses = [
    { resource: 'alias/k', key: 'arn:k', role: 'decryption', versionInUse: 'v1', outdatedSince: AT + 1000 },
    { resource: 'arn:k', key: 'arn:k', role: 'encryption', versionInUse: 'v0', outdatedSince: AT },
    { resource: 'arn:current', key: 'arn:current', role: 'encryption', versionInUse: 'v1' },
    { resource: 'arn:unset', role: 'encryption', versionInUse: 'v1', outdatedSince: 0 },
  ];
  const keys = [keyView({ resource: 'arn:current', version: 'v2', versionDetectedAt: AT })];
  const snapshot = snapshotOf(keys, { consumers: [consumerView({ uses })] });
  expect(await linesOf('keyvigil_consumer_outdated_since_timestamp_seconds', snapshot)).toEqual([
    `keyvigil_consumer_outdated_since_timestamp_seconds{${FLOW},key="arn:k"} 1700000000.5`,
  ]);
});

test('a key that a consumer names by an alias stands under its own resource; what keeps its data is no key', async () => {
  const uses = [
    { resource: 'alias/k', key: 'arn:k', role: 'encrypts' },
    { resource: 'alias/elsewhere', role: 'encrypts' },
    { resource: '/subscriptions/s/storage', role: 'stores' },
  ];
  expect(await linesOf('keyvigil_consumer_key', snapshotOf([], { consumers: [consumerView({ uses })] }))).toEqual([
    `keyvigil_consumer_key{${FLOW},key="arn:k",role="encrypts"} 1`,
    `keyvigil_consumer_key{${FLOW},key="alias/elsewhere",role="encrypts"} 1`,
  ]);
});

test('the configured tags stand behind the identity of a consumer too, and only there', async () => {
  const consumer = consumerView({ tags: { Team: 'media"\n} 1' }, health: 'impaired', reason: 'access_revoked' });
  const snapshot = snapshotOf([], { consumers: [consumer] });
  expect(await linesOf('keyvigil_consumer_ok', snapshot, ['Team', 'service'])).toEqual([
    `keyvigil_consumer_ok{${FULL},team="media\\"\\n} 1"} 0`,
  ]);
  expect(await linesOf('keyvigil_consumer_reason', snapshot, ['Team'])).toEqual([
    `keyvigil_consumer_reason{${FLOW},reason="access_revoked"} 1`,
  ]);
});

test('a source whose service the cloud has retired is up', async () => {
  const retired = sourceRecord({ service: 'media-services', up: true, reason: 'provider_retired' });
  expect(await linesOf('keyvigil_source_up', snapshotOf([], { sources: [retired] }))).toEqual([
    'keyvigil_source_up{target="video-prod",location="eu-west-1",service="media-services"} 1',
  ]);
});

test('a source that was never tried has counters and nothing else', async () => {
  const snapshot = snapshotOf([], { sources: [sourceRecord()] });
  for (const name of ['up', 'last_success_timestamp_seconds', 'objects', 'detection_bound_seconds']) {
    expect(await linesOf(`keyvigil_source_${name}`, snapshot)).toEqual([]);
  }
  const reasons =
    'denied credentials throttled timeout network dns provider_error bad_response provider_retired never_checked transitional';
  expect(await linesOf('keyvigil_source_failures_total', snapshot)).toEqual(
    reasons.split(' ').map((reason) => `keyvigil_source_failures_total{${SOURCE},reason="${reason}"} 0`),
  );
  expect(await linesOf('keyvigil_source_transitions_total', snapshot)).toEqual(
    ['accessible', 'inaccessible', 'unknown'].map((to) => `keyvigil_source_transitions_total{${SOURCE},to="${to}"} 0`),
  );
});

test('a source tells its state, freshness, size, cost and counts', async () => {
  const failing = sourceRecord({
    up: false,
    reason: 'throttled',
    lastSuccessAt: AT,
    objects: 300,
    detectionBoundMs: 75_250,
    sweepDurationMs: 1500,
    budgetUsedRatio: 0.25,
    failures: { throttled: 4 },
    transitions: { inaccessible: 2 },
  });
  const snapshot = snapshotOf([], { sources: [failing] });
  const expected = {
    up: 0,
    last_success_timestamp_seconds: 1_700_000_000.5,
    objects: 300,
    detection_bound_seconds: 75.25,
    sweep_duration_seconds: 1.5,
    api_budget_used_ratio: 0.25,
  };
  for (const [name, value] of Object.entries(expected)) {
    expect(await linesOf(`keyvigil_source_${name}`, snapshot)).toEqual([`keyvigil_source_${name}{${SOURCE}} ${value}`]);
  }
  expect(await linesOf('keyvigil_source_failures_total', snapshot)).toContain(
    `keyvigil_source_failures_total{${SOURCE},reason="throttled"} 4`,
  );
  expect(await linesOf('keyvigil_source_transitions_total', snapshot)).toContain(
    `keyvigil_source_transitions_total{${SOURCE},to="inaccessible"} 2`,
  );
  expect(await linesOf('keyvigil_source_up', snapshotOf([], { sources: [sourceRecord({ up: true })] }))).toEqual([
    `keyvigil_source_up{${SOURCE}} 1`,
  ]);
});

test('keyvigil_keys counts by place, kind and health, and says 0 where a health has none', async () => {
  const keys = [
    keyView({ resource: 'a' }),
    keyView({ resource: 'b', location: 'us-east-1' }),
    keyView({ resource: 'c', health: 'inaccessible' }),
    keyView({ resource: 'd' }),
  ];
  const place = (location: string) => `provider="aws",account="111122223333",location="${location}",kind="aws-secret"`;
  expect(await linesOf('keyvigil_keys', snapshotOf(keys))).toEqual([
    `keyvigil_keys{${place('eu-west-1')},health="accessible"} 2`,
    `keyvigil_keys{${place('eu-west-1')},health="degraded"} 0`,
    `keyvigil_keys{${place('eu-west-1')},health="inaccessible"} 1`,
    `keyvigil_keys{${place('eu-west-1')},health="unknown"} 0`,
    `keyvigil_keys{${place('us-east-1')},health="accessible"} 1`,
    `keyvigil_keys{${place('us-east-1')},health="degraded"} 0`,
    `keyvigil_keys{${place('us-east-1')},health="inaccessible"} 0`,
    `keyvigil_keys{${place('us-east-1')},health="unknown"} 0`,
  ]);
});

test('keyvigil_consumers counts by health', async () => {
  const consumers = [consumerView(), consumerView({ resource: 'b', health: 'impaired' })];
  const place = 'provider="aws",account="111122223333",location="eu-west-1",kind="mediaconnect-flow"';
  expect(await linesOf('keyvigil_consumers', snapshotOf([], { consumers }))).toEqual([
    `keyvigil_consumers{${place},health="ok"} 1`,
    `keyvigil_consumers{${place},health="at_risk"} 0`,
    `keyvigil_consumers{${place},health="impaired"} 1`,
    `keyvigil_consumers{${place},health="unknown"} 0`,
  ]);
});

test('keyvigil_store_up follows the store', async () => {
  expect(await linesOf('keyvigil_store_up', snapshotOf([]))).toEqual(['keyvigil_store_up 1']);
  expect(await linesOf('keyvigil_store_up', snapshotOf([], { storeUp: false }))).toEqual(['keyvigil_store_up 0']);
});
