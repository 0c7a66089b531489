/** What happens to a KMS key and to the secrets under it, on moto. See cloud.ts for what moto cannot show. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Cloud, startCloud } from './cloud.ts';
import { type Daemon, eventually, startDaemon } from './daemon.ts';

const DAY_MS = 86_400_000;
/** One for each form in which a secret can name its key. */
const DEPENDENT = ['prod/by-arn', 'prod/by-id', 'prod/by-alias'];
const DEPENDENTS = 3;

let cloud: Cloud;
beforeAll(async () => {
  cloud = await startCloud();
});
afterAll(() => cloud?.[Symbol.asyncDispose]());

async function expectLost(daemon: Daemon, arn: string, reason: string): Promise<void> {
  await eventually(async () => expect(await daemon.key(arn)).toMatchObject({ health: 'inaccessible', reason }));
  for (const name of DEPENDENT) {
    expect(await daemon.key(name)).toMatchObject({
      health: 'inaccessible',
      reason: 'dependency',
      rootCauses: [arn],
    });
  }
  const page = await daemon.metrics();
  const lost = page.all('keyvigil_key_accessible').filter(({ value }) => value === 0);
  expect(lost.map(({ labels }) => labels.name).sort()).toEqual(['alias/app', ...DEPENDENT].sort());
  expect(page.all('keyvigil_key_root_cause').map(({ labels }) => labels.root)).toEqual(Array(DEPENDENTS).fill(arn));
  expect(page.value('keyvigil_key_consumers', { resource: arn })).toBe(DEPENDENTS);
}

async function expectRecovered(daemon: Daemon, arn: string): Promise<void> {
  await eventually(async () => expect((await daemon.key(arn)).health).toBe('accessible'));
  const page = await daemon.metrics();
  expect(page.all('keyvigil_key_accessible').filter(({ value }) => value !== 1)).toEqual([]);
  expect(page.all('keyvigil_key_root_cause')).toEqual([]);
}

async function transitions(daemon: Daemon, to: string): Promise<number | undefined> {
  return (await daemon.metrics()).value('keyvigil_source_transitions_total', { service: 'kms', to });
}

test('a key that is disabled, enabled, scheduled for deletion, cancelled and enabled again takes its secrets along', async () => {
  const region = await cloud.region();
  const key = await region.createKey('alias/app');
  await region.createKey('alias/other');
  await region.createSecret('prod/by-arn', key.arn);
  await region.createSecret('prod/by-id', key.id);
  await region.createSecret('prod/by-alias', 'alias/app');
  await region.createSecret('prod/by-default');
  await region.createSecret('prod/under-other', 'alias/other');
  await using daemon = await startDaemon(cloud);
  // Not before the details are there: moto's list of versions names no keys, so the edge must stay the assumed one.
  await eventually(async () =>
    expect((await daemon.metrics()).value('keyvigil_api_requests_total', { operation: 'ListSecretVersionIds' })).toBe(
      5,
    ),
  );

  await region.disable(key);
  await expectLost(daemon, key.arn, 'disabled');
  expect((await daemon.detail(key.arn)).undo).toContain('aws kms enable-key');
  await region.enable(key);
  await expectRecovered(daemon, key.arn);

  await region.scheduleDeletion(key);
  await expectLost(daemon, key.arn, 'pending_deletion');
  const series = 'keyvigil_key_deletion_timestamp_seconds';
  const deadline = (await daemon.metrics()).value(series, { resource: key.arn }) ?? 0;
  expect(Math.abs(deadline * 1000 - Date.now() - 7 * DAY_MS)).toBeLessThan(5 * 60_000);
  expect((await daemon.detail(key.arn)).undo).toMatch(/aws kms cancel-key-deletion .* && aws kms enable-key/);

  await region.cancelDeletion(key);
  await expectLost(daemon, key.arn, 'disabled');
  expect((await daemon.metrics()).value(series, { resource: key.arn })).toBe(undefined);
  const cancelled = await daemon.key(key.arn);
  expect(cancelled.findings.map(({ id }) => id)).toEqual(['kms.deletion-cancelled-still-disabled']);
  expect(cancelled).not.toHaveProperty('deletionAt');

  await region.enable(key);
  await expectRecovered(daemon, key.arn);
  expect((await daemon.key(key.arn)).findings).toEqual([]);

  await daemon.sweeps(2);
  const told = (await daemon.events()).filter(({ type }) => type === 'transition');
  expect(told.map(({ resource }) => resource)).toEqual(Array(5).fill(key.arn));
  expect(told.map(({ from, to, reason }) => [from, to, reason])).toEqual([
    ['accessible', 'inaccessible', 'disabled'],
    ['inaccessible', 'accessible', undefined],
    ['accessible', 'inaccessible', 'pending_deletion'],
    ['inaccessible', 'inaccessible', 'disabled'],
    ['inaccessible', 'accessible', undefined],
  ]);
  expect(await transitions(daemon, 'inaccessible')).toBe(3);
  expect(await transitions(daemon, 'accessible')).toBe(2);
});
