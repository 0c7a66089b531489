import { expect, test } from 'vitest';
import type { KeyView } from '../../src/core/snapshot.ts';
import { PROCESS_METRICS } from '../../src/metrics/registry.ts';
import { TABLE } from '../../src/metrics/table.ts';
import { type Family, parseExposition } from './exposition.ts';
import {
  consumerView,
  gunzippedPage,
  keyView,
  metricsOf,
  pageText,
  snapshotOf,
  snapshotPart,
  sourceRecord,
} from './views.ts';

const HOSTILE = [
  'a"b\n} 1',
  'x\\',
  '🔑\u200d🔥',
  'lone \ud83d surrogate',
  '# TYPE keyvigil_keys counter',
  '{}',
  "a'b\r\t\u0000",
];

function series(families: readonly Family[], name: string) {
  return families.find((family) => family.name === name)?.series ?? [];
}

test('every family of the table is there once, HELP and TYPE first, and says if it is polled', async () => {
  const families = parseExposition(await pageText(metricsOf(), snapshotOf([keyView()])));
  for (const { name, type, source } of TABLE) {
    const family = families.find((one) => one.name === name);
    expect(family).toMatchObject({ name, type });
    if (source !== 'daemon') expect(family?.help).toContain('Polled');
  }
  const known = new Set([...TABLE.map(({ name }) => name), ...PROCESS_METRICS]);
  expect(families.filter(({ name }) => !known.has(name))).toEqual([]);
});

test('names of the table are unique and keep to the conventions', () => {
  const names = TABLE.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const { name, type, help } of TABLE) {
    expect(name).toMatch(/^keyvigil_[a-z_]+$/);
    expect(name.endsWith('_total')).toBe(type === 'counter');
    expect(help).toMatch(/^[A-Z].*\.$/);
  }
});

test('hostile names, tags and resources come back as they were and change no series', async () => {
  const plain = HOSTILE.map((_, index) =>
    keyView({ resource: `arn:${index}`, name: `n${index}`, tags: { team: 't' } }),
  );
  const hostile = HOSTILE.map((text, index) =>
    keyView({ resource: `arn:${index}:${text}`, name: text, tags: { team: text.padEnd(500, 'é') }, version: text }),
  );
  const metrics = metricsOf({ tagLabels: ['team'] });
  const before = parseExposition(await pageText(metrics, snapshotOf(plain)));
  const after = parseExposition(await pageText(metrics, snapshotOf(hostile)));
  expect(after.map(({ name, series }) => [name, series.length])).toEqual(
    before.map(({ name, series }) => [name, series.length]),
  );
  const seen = series(after, 'keyvigil_key_info');
  for (const [index, text] of HOSTILE.entries()) {
    const clean = text.replaceAll(/[\r\t\0]/g, '').replace('\ud83d ', '\ufffd ');
    const labels = seen.map((one) => one.labels).find(({ resource }) => resource?.startsWith(`arn:${index}:`));
    expect(labels).toMatchObject({ name: clean, version: clean });
    expect([...(labels?.team ?? '')].length).toBe(256);
    expect(labels?.resource?.replace(/~[0-9a-f]{16}$/, '')).toBe(`arn:${index}:${clean}`);
  }
});

test('a key that is no longer watched leaves no series', async () => {
  const metrics = metricsOf();
  const keys = [keyView({ resource: 'arn:a' }), keyView({ resource: 'arn:b' }), keyView({ resource: 'arn:c' })];
  for (const page of [pageText, gunzippedPage]) {
    expect(await page(metrics, snapshotOf(keys))).toContain('resource="arn:b"');
    expect(await page(metrics, snapshotOf(keys.filter(({ resource }) => resource !== 'arn:b')))).not.toContain('arn:b');
  }
});

test('one bad object costs its own lines and nothing else', async () => {
  const errors: Error[] = [];
  const bad = { ...keyView({ resource: 'arn:b', consumers: 7 }), findings: undefined } as unknown as KeyView;
  const poisoned = Object.defineProperty({ ...keyView({ resource: 'arn:c' }) }, 'rootCauses', {
    get: () => {
      throw new Error('poisoned');
    },
  });
  const snapshot = snapshotOf([keyView({ resource: 'arn:a' }), bad, poisoned, keyView({ resource: 'arn:d' })], {
    consumers: [{ ...consumerView(), uses: undefined } as never, consumerView({ resource: 'arn:flow' })],
    sources: [{ ...sourceRecord(), failures: undefined } as never, sourceRecord({ service: 'secrets-manager' })],
  });
  for (const page of [pageText, gunzippedPage]) {
    errors.length = 0;
    const metrics = metricsOf({ onError: (error) => errors.push(error) });
    const families = parseExposition(await page(metrics, snapshot));
    const resources = (name: string) => series(families, name).map(({ labels }) => labels.resource);
    expect(resources('keyvigil_key_consumers')).toEqual(['arn:a', 'arn:b', 'arn:c', 'arn:d']);
    expect(resources('keyvigil_consumer_ok')).toHaveLength(2);
    expect(series(families, 'keyvigil_source_failures_total')).toHaveLength(11);
    expect(errors.map(({ message }) => message).sort()).toEqual([
      'cannot render keyvigil_consumer_key',
      'cannot render keyvigil_consumer_outdated_since_timestamp_seconds',
      'cannot render keyvigil_key_finding of arn:b',
      'cannot render keyvigil_key_root_cause of arn:c',
      'cannot render keyvigil_source_failures_total',
    ]);
    expect(errors.at(0)?.cause).toBeInstanceOf(Error);
    // What is bad of a key is not said again before it changes.
    errors.length = 0;
    await page(metrics, snapshot);
    expect(errors.filter(({ message }) => message.includes('keyvigil_key'))).toEqual([]);
  }
});

test('a bad key that changes does not stop the next compressed page either', async () => {
  const metrics = metricsOf({ onError: () => {} });
  const bad = (consumers: number) => ({ ...keyView({ consumers }), findings: undefined }) as unknown as KeyView;
  await gunzippedPage(metrics, snapshotOf([bad(1)]));
  expect(await gunzippedPage(metrics, snapshotOf([bad(2)]))).toMatch(/keyvigil_key_consumers\{[^}]*\} 2\n/);
});

test('an empty snapshot is a page with every family and no key', async () => {
  const families = parseExposition(await pageText(metricsOf(), snapshotOf([])));
  expect(series(families, 'keyvigil_key_info')).toEqual([]);
  expect(series(families, 'keyvigil_store_up')).toMatchObject([{ value: 1 }]);
});

test('the same snapshot gives the same page', async () => {
  const metrics = metricsOf();
  const snapshot = snapshotOf([keyView()]);
  expect(snapshotPart(await pageText(metrics, snapshot))).toBe(snapshotPart(await pageText(metrics, snapshot)));
});
