import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { KeyView } from '../../src/core/snapshot.ts';
import { compress, GZIP_HEADER, GzipSum } from '../../src/metrics/gzip.ts';
import { gunzippedPage, keyView, metricsOf, pageText, snapshotOf, snapshotPart } from './views.ts';

test('pieces in any number and of any size make one gzip stream with the right checksum', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 5000 }), { maxLength: 20 }), (parts) => {
      const sum = new GzipSum();
      const pieces = parts.map((part) => compress(Buffer.from(part)));
      for (const piece of pieces) sum.add(piece);
      // gunzip checks CRC and length.
      const stream = Buffer.concat([GZIP_HEADER, ...pieces.map(({ bytes }) => bytes), sum.trailer()]);
      expect(gunzipSync(stream).equals(Buffer.concat(parts))).toBe(true);
    }),
    { seed: 2, numRuns: 300 },
  );
});

type Step =
  | { readonly do: 'change'; readonly key: number; readonly to: Partial<KeyView> }
  | { readonly do: 'touch'; readonly every: number }
  | { readonly do: 'add' | 'remove'; readonly key: number; readonly count: number }
  | { readonly do: 'scrape'; readonly gzip: boolean };

const steps = fc.array(
  fc.oneof<fc.Arbitrary<Step>[]>(
    fc.record({
      do: fc.constant('change'),
      key: fc.nat(2999),
      to: fc.constantFrom<Partial<KeyView>[]>(
        { consumers: 5 },
        { name: 'ключ 🔑' },
        { tags: { team: 'a"b\n} 1' } },
        { health: 'inaccessible', reason: 'disabled' },
        { expiresAt: 1_800_000_000_000 },
        { rootCauses: ['arn:root'] },
        { version: 'v2', versionChanges: 1 },
      ),
    }),
    fc.record({ do: fc.constant('touch'), every: fc.integer({ min: 1, max: 700 }) }),
    fc.record({ do: fc.constantFrom('add', 'remove'), key: fc.nat(2999), count: fc.integer({ min: 1, max: 1500 }) }),
    fc.record({ do: fc.constant('scrape'), gzip: fc.boolean() }),
  ),
  { minLength: 5, maxLength: 25 },
);

function apply(step: Exclude<Step, { do: 'scrape' }>, keys: Map<string, KeyView>): void {
  const name = (index: number) => `arn:${String(index).padStart(5, '0')}`;
  const all = [...keys.values()];
  switch (step.do) {
    case 'change': {
      const old = all[step.key % all.length];
      if (old) keys.set(old.resource, { ...old, ...step.to });
      return;
    }
    case 'touch':
      for (const [index, old] of all.entries()) {
        if (index % step.every === 0) keys.set(old.resource, { ...old, checkedAt: old.checkedAt + 1 });
      }
      return;
    case 'add':
      for (let index = step.key; index < step.key + step.count; index += 1) {
        if (!keys.has(name(index))) keys.set(name(index), keyView({ resource: name(index) }));
      }
      return;
    case 'remove':
      for (let index = step.key; index < step.key + step.count; index += 1) keys.delete(name(index));
  }
}

test('after any changes, compressed and plain pages say what a fresh writer says', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 1500 }), steps, async (size, list) => {
      const metrics = metricsOf({ tagLabels: ['team'] });
      const keys = new Map<string, KeyView>();
      apply({ do: 'add', key: 0, count: size }, keys);
      for (const step of [...list, { do: 'scrape', gzip: true } as const]) {
        if (step.do !== 'scrape') {
          apply(step, keys);
          continue;
        }
        const snapshot = snapshotOf([...keys.values()]);
        const page = await (step.gzip ? gunzippedPage : pageText)(metrics, snapshot);
        const fresh = await pageText(metricsOf({ tagLabels: ['team'] }), snapshot);
        expect(snapshotPart(page) === snapshotPart(fresh)).toBe(true);
      }
    }),
    { seed: 3, numRuns: 15 },
  );
});

test('a scrape reads only keys of runs that changed', async () => {
  const metrics = metricsOf();
  let reads = 0;
  const counting = (change: Partial<KeyView>) =>
    Object.defineProperty({ ...keyView(change) }, 'expiresAt', {
      get: () => {
        reads += 1;
        return 1_800_000_000_000;
      },
    });
  const keys = Array.from({ length: 1000 }, (_, index) => counting({ resource: `arn:${index + 1000}` }));
  await gunzippedPage(metrics, snapshotOf(keys));
  expect(reads).toBe(1000);
  await gunzippedPage(metrics, snapshotOf(keys));
  expect(reads).toBe(1000);
  // Runs are of 512 keys and 488: one that comes changes the first, one that changes the second.
  await gunzippedPage(metrics, snapshotOf([...keys, counting({ resource: 'arn:1001a' })]));
  expect(reads).toBe(1513);
  keys[600] = counting({ resource: 'arn:1600', consumers: 1 });
  await gunzippedPage(metrics, snapshotOf(keys));
  expect(reads).toBe(1513 + 512 + 488);
});
