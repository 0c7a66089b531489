import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openStore } from '../../src/store/sqlite.ts';
import type { StoredState } from '../../src/store/store.ts';
import { mark, numbered, touched } from './crash-child.ts';
import { StateDir } from './place.ts';
import { consumer, notification, record, T0 } from './records.ts';

/** Lets a child commit until it is dead, and gives the last change that it saw durable; `onDurable` may kill it. */
async function commitUntilKilled(args: readonly unknown[], onDurable: (n: number) => boolean): Promise<number> {
  const script = new URL('./crash-child.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [script, ...args.map(String)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = once(child, 'exit');
  let last = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    last = Number(line);
    // Lines that were on their way when it died still count: they were acknowledged.
    if (onDurable(last)) child.kill('SIGKILL');
  }
  const [, signal] = await exit;
  expect(signal).toBe('SIGKILL');
  return last;
}

/** Under which name the number of a notification is found. */
const told = (receiver: string, fingerprint: string) => JSON.stringify([receiver, fingerprint]);

/** Everything with the number of the change that last touched it. */
function numbers({ records, consumers, notifications }: StoredState): Map<string, number> {
  return new Map([
    ...records.map((r) => [r.resource, r.versionChanges] as const),
    ...consumers.map((r) => [r.resource, r.inconclusive] as const),
    ...notifications.map((r) => [told(r.receiver, r.fingerprint), r.attempts] as const),
  ]);
}

it('a process that is killed -9 loses nothing that was acknowledged and tears nothing', {
  timeout: 120_000,
}, async () => {
  await using dir = new StateDir();
  const rounds = fc.sample(fc.integer({ min: 1, max: 30 }), { numRuns: 15, seed: 20261122 });
  let done = 0;
  let after = 0;
  const expected = new Map<string, number>();
  for (const acks of rounds) {
    const acknowledged = await commitUntilKilled([dir.file, done + 1], (n) => n >= done + acks);
    const { store, moved } = await openStore(dir.file, { now: T0 });
    await using _ = store;
    expect(moved).toBeUndefined();

    const state = await store.load();
    const events = await store.events({ after, limit: 1_000_000 });
    const last = Math.max(...state.records.map((r) => r.versionChanges));
    // The one that was under way may have become durable before it could be told.
    expect([acknowledged, acknowledged + 1]).toContain(last);

    const logged: string[] = [];
    for (let n = done + 1; n <= last; n += 1) {
      for (const one of [record, consumer]) {
        for (let i = 0; i < touched(n); i += 1) {
          logged.push(`${n} ${one(i).resource}`);
          expected.set(one(i).resource, n);
        }
      }
      for (let i = 0; i < touched(n); i += 1) expected.set(told('oncall', notification(i).fingerprint), n);
    }
    expect(events.map((e) => `${e.to} ${e.resource}`)).toEqual(logged);
    expect(numbers(state)).toEqual(
      new Map(expected).set(mark(last), 0).set(told(mark(last), notification(0).fingerprint), 0),
    );
    done = last;
    after = events.at(-1)?.id ?? after;
  }
});

describe('a process that dies while it writes a change down leaves none of it, and the change can be offered again:', () => {
  // More than SQLite keeps in memory: when it dies late, rows of the torn transaction are in the log already.
  const SIZE = 3_000;
  const rows: [where: string, row: number][] = [
    ['at the first record', 0],
    ['at the first consumer', SIZE],
    ['among the consumers', SIZE + 2_345],
    ['at the first notification', 2 * SIZE + 1],
    ['among the notifications', 2 * SIZE + 2_345],
    ['at the first event', 3 * SIZE + 2],
    ['at the last event', 5 * SIZE + 1],
  ];
  it.each(rows)('%s', { timeout: 60_000 }, async (_where, row) => {
    await using dir = new StateDir();
    expect(await commitUntilKilled([dir.file, 1, SIZE, row], () => false)).toBe(1);
    const { store, moved } = await openStore(dir.file, { now: T0 });
    await using _ = store;
    expect(moved).toBeUndefined();
    for (const n of [1, 2]) {
      const { events, ...wanted } = numbered(n, SIZE);
      if (n === 2) await store.commit({ events, ...wanted });
      const whole = {
        records: wanted.upserts,
        consumers: wanted.consumers.upserts,
        notifications: wanted.notifications.upserts,
        sources: [],
      };
      expect(numbers(await store.load())).toEqual(numbers(whole));
      const stored = await store.events({ after: (n - 1) * events.length, limit: 100_000 });
      expect(stored.map((e) => `${e.to} ${e.resource}`)).toEqual(events.map((e) => `${e.to} ${e.resource}`));
    }
  });
});
