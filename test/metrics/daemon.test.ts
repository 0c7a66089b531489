import { expect, test } from 'vitest';
import { parseExposition, type Series } from './exposition.ts';
import { metricsOf, pageText, snapshotOf } from './views.ts';

async function page(metrics: ReturnType<typeof metricsOf>): Promise<(name: string) => readonly Series[]> {
  const families = parseExposition(await pageText(metrics, snapshotOf([])));
  return (name) => families.flatMap(({ series }) => series).filter((series) => series.name === name);
}

test('the page says what it is', () => {
  expect(metricsOf().contentType).toBe('text/plain; version=0.0.4; charset=utf-8');
});

test('calls are counted by target, service, operation and code, and timed by service', async () => {
  const metrics = metricsOf();
  const call = { target: 'video-prod', service: 'kms', operation: 'DescribeKey', code: '200', seconds: 0.04 };
  metrics.observeCall(call);
  metrics.observeCall(call);
  metrics.observeCall({ ...call, code: 'ThrottlingException', seconds: 3 });
  const series = await page(metrics);
  const labels = { target: 'video-prod', service: 'kms', operation: 'DescribeKey' };
  expect(series('keyvigil_api_requests_total')).toEqual([
    { name: 'keyvigil_api_requests_total', labels: { ...labels, code: '200' }, value: 2 },
    { name: 'keyvigil_api_requests_total', labels: { ...labels, code: 'ThrottlingException' }, value: 1 },
  ]);
  expect(series('keyvigil_api_request_duration_seconds_count')).toMatchObject([
    { labels: { service: 'kms' }, value: 3 },
  ]);
  const buckets = series('keyvigil_api_request_duration_seconds_bucket');
  expect(buckets.find(({ labels }) => labels.le === '0.05')?.value).toBe(2);
  expect(buckets.find(({ labels }) => labels.le === '+Inf')?.value).toBe(3);
});

test('a code that is free text counts as other', async () => {
  const metrics = metricsOf();
  for (const code of ['', 'no such "key"\n', 'x'.repeat(65)]) {
    metrics.observeCall({ target: 't', service: 's', operation: 'o', code, seconds: 1 });
  }
  expect((await page(metrics))('keyvigil_api_requests_total')).toMatchObject([{ labels: { code: 'other' }, value: 3 }]);
});

test('a reload is taken for accepted until one was refused', async () => {
  const metrics = metricsOf();
  const value = async () => (await page(metrics))('keyvigil_config_last_reload_successful')[0]?.value;
  expect(await value()).toBe(1);
  metrics.reload(false);
  expect(await value()).toBe(0);
  metrics.reload(true);
  expect(await value()).toBe(1);
});

test('the build is named, with its revision where that is known', async () => {
  expect((await page(metricsOf()))('keyvigil_build_info')).toMatchObject([{ labels: { version: '1.2.3' }, value: 1 }]);
  const revised = await page(metricsOf({ revision: 'abc' }));
  expect(revised('keyvigil_build_info')).toMatchObject([{ labels: { version: '1.2.3', revision: 'abc' } }]);
});

test('two sets of metrics share nothing', async () => {
  const one = metricsOf();
  const other = metricsOf();
  one.reload(false);
  expect((await page(other))('keyvigil_config_last_reload_successful')[0]?.value).toBe(1);
});
