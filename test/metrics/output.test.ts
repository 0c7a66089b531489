import { PassThrough, Writable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { parseExposition } from './exposition.ts';
import { keyView, metricsOf, snapshotOf, snapshotPart } from './views.ts';

const many = (count: number, consumers = 0) =>
  snapshotOf(Array.from({ length: count }, (_, index) => keyView({ resource: `arn:${index + 10_000}`, consumers })));

/** A reader that takes a chunk only when told to. */
function slowReader() {
  const chunks: Buffer[] = [];
  let release: (() => void) | undefined;
  let arrived: (() => void) | undefined;
  const out = new Writable({
    highWaterMark: 1,
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      release = done;
      arrived?.();
    },
  });
  out.on('finish', () => arrived?.());
  return {
    out,
    chunks,
    /** Takes the chunk that is waiting, and waits for the next. */
    async take() {
      const next = new Promise<void>((resolve) => {
        arrived = resolve;
      });
      release?.();
      await next;
    },
  };
}

test.each([false, true])('nothing is written ahead of a slow reader (gzip: %s)', async (gzip) => {
  const reader = slowReader();
  let largest = 0;
  const done = metricsOf().write(many(5000), reader.out, { gzip });
  while (!reader.out.writableFinished) {
    await reader.take();
    largest = Math.max(largest, reader.out.writableLength);
  }
  await done;
  const bytes = Buffer.concat(reader.chunks);
  parseExposition((gzip ? gunzipSync(bytes) : bytes).toString());
  expect(largest).toBeLessThan(512 * 1024);
});

test.each([false, true])('a scrape that began with one snapshot ends with it (gzip: %s)', async (gzip) => {
  const metrics = metricsOf();
  const reader = slowReader();
  const slow = metrics.write(many(2000, 1), reader.out, { gzip });
  await reader.take();
  const fast = new PassThrough();
  fast.resume();
  await metrics.write(many(1500, 2), fast, { gzip });
  while (!reader.out.writableFinished) await reader.take();
  await slow;
  const bytes = Buffer.concat(reader.chunks);
  const page = snapshotPart((gzip ? gunzipSync(bytes) : bytes).toString());
  const consumers = parseExposition(page).find(({ name }) => name === 'keyvigil_key_consumers')?.series ?? [];
  expect(consumers).toHaveLength(2000);
  expect(new Set(consumers.map(({ value }) => value))).toEqual(new Set([1]));
});

test('a reader that goes away ends the scrape, and the stream is not ended as if it were whole', async () => {
  const reader = slowReader();
  let ended = false;
  reader.out.on('finish', () => {
    ended = true;
  });
  const done = metricsOf().write(many(5000), reader.out, { gzip: false });
  await reader.take();
  reader.out.destroy();
  await done;
  expect(ended).toBe(false);
});

test('an aborted signal destroys the stream and resolves', async () => {
  const reader = slowReader();
  const abort = new AbortController();
  const done = metricsOf().write(many(5000), reader.out, { gzip: true, signal: abort.signal });
  await reader.take();
  abort.abort();
  await done;
  expect(reader.out.destroyed).toBe(true);
});

test('nothing is written to a reader that was gone before', async () => {
  const reader = slowReader();
  await metricsOf().write(many(10), reader.out, { gzip: false, signal: AbortSignal.abort() });
  expect(reader.out.destroyed).toBe(true);
  expect(reader.chunks).toEqual([]);
});

test('a scrape that was cut off does no harm to the next one', async () => {
  const metrics = metricsOf();
  const snapshot = many(5000);
  const reader = slowReader();
  const cut = metrics.write(snapshot, reader.out, { gzip: true });
  await reader.take();
  reader.out.destroy();
  await cut;
  const whole = new PassThrough();
  const chunks: Buffer[] = [];
  whole.on('data', (chunk: Buffer) => chunks.push(chunk));
  await metrics.write(snapshot, whole, { gzip: true });
  const families = parseExposition(gunzipSync(Buffer.concat(chunks)).toString());
  expect(families.find(({ name }) => name === 'keyvigil_key_info')?.series).toHaveLength(5000);
});

test('a stream that fails is not our error', async () => {
  const out = new Writable({
    write(_chunk, _encoding, done) {
      done(new Error('EPIPE'));
    },
  });
  await metricsOf().write(many(5000), out, { gzip: false });
  expect(out.destroyed).toBe(true);
});
