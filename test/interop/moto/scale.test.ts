/** An account with more than fits on a page, and what it costs to look at it. See cloud.ts for what moto cannot show. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Cloud, many, startCloud } from './cloud.ts';
import { type Daemon, eventually, type Page, startDaemon } from './daemon.ts';

const SECRETS = 300;
const KEYS = 60;
/** Every fifth secret lies under one of the keys, in turn. */
const UNDER_A_KEY = SECRETS / 5;

let cloud: Cloud;
beforeAll(async () => {
  cloud = await startCloud();
});
afterAll(() => cloud?.[Symbol.asyncDispose]());

/** Requests that succeeded, by operation; and that there were no others. */
function calls(page: Page): Record<string, number> {
  const all = page.all('keyvigil_api_requests_total');
  expect(all.filter(({ labels }) => labels.code !== '200')).toEqual([]);
  return Object.fromEntries(all.map(({ labels, value }) => [`${labels.service} ${labels.operation}`, value]));
}

async function callsOnceCounted(daemon: Daemon, expected: Record<string, number>): Promise<void> {
  await eventually(async () => expect(calls(await daemon.metrics())).toMatchObject(expected));
}

test('300 secrets and 60 keys are all found and accessible, at one list call for a hundred secrets', async () => {
  const region = await cloud.region();
  const keys = await many(KEYS, (at) => region.createKey(`alias/app-${at}`));
  const arns = await many(SECRETS, (at) =>
    region.createSecret(`prod/app-${at}`, at % 5 === 0 ? keys[(at / 5) % KEYS]?.arn : undefined),
  );
  // Half a day away: only the sweeps that are asked for, so that every call can be counted. The whole quota: moto has none.
  const schedule = `0 0 ${(new Date().getUTCHours() + 12) % 24} * * *`;
  await using daemon = await startDaemon(cloud, { schedule, yaml: 'budget: 1' });

  const listed = await daemon.keys();
  expect(listed.map(({ resource }) => resource)).toEqual([...arns, ...keys.map(({ arn }) => arn)].sort());
  expect(new Set(listed.map(({ health }) => health))).toEqual(new Set(['accessible']));
  const page = await daemon.metrics();
  expect(page.all('keyvigil_key_accessible').filter(({ value }) => value === 1)).toHaveLength(SECRETS + KEYS);
  expect(page.value('keyvigil_source_objects', { service: 'secrets-manager' })).toBe(SECRETS);
  expect(page.value('keyvigil_source_objects', { service: 'kms' })).toBe(KEYS);
  expect(page.value('keyvigil_keys', { kind: 'aws-secret', health: 'accessible' })).toBe(SECRETS);
  expect(page.value('keyvigil_keys', { kind: 'aws-kms-key', health: 'accessible' })).toBe(KEYS);
  expect(listed.filter(({ consumers }) => consumers === 1)).toHaveLength(UNDER_A_KEY);
  expect((await daemon.events()).map(({ type }) => type)).toEqual(Array(SECRETS + KEYS).fill('first_seen'));

  const first = {
    'secrets-manager ListSecrets': Math.ceil(SECRETS / 100),
    'secrets-manager DescribeSecret': SECRETS,
    'secrets-manager ListSecretVersionIds': SECRETS,
    'kms ListKeys': 1,
    'kms ListAliases': 1,
    'kms DescribeKey': KEYS,
    'kms GetKeyRotationStatus': KEYS,
    'kms ListKeyRotations': KEYS,
    'kms ListResourceTags': KEYS,
  };
  await callsOnceCounted(daemon, first);

  // Nothing changed: a listing of secrets proves that, a listing of ids does not.
  const next = (sweeps: number) => ({
    ...first,
    'secrets-manager ListSecrets': sweeps * Math.ceil(SECRETS / 100),
    'kms ListKeys': sweeps,
    'kms ListAliases': sweeps,
    'kms DescribeKey': sweeps * KEYS,
  });
  await daemon.check();
  await callsOnceCounted(daemon, next(2));

  await region.putValue('prod/app-150');
  await daemon.check();
  await callsOnceCounted(daemon, {
    ...next(3),
    'secrets-manager DescribeSecret': SECRETS + 1,
    'secrets-manager ListSecretVersionIds': SECRETS + 1,
  });
  const news = (await daemon.events()).filter(({ type }) => type !== 'first_seen');
  expect(news).toMatchObject([{ type: 'new_version', resource: (await daemon.key('prod/app-150')).resource }]);
});
