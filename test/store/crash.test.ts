import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { openStore } from '../../src/store/sqlite.ts';
import { touched } from './crash-child.ts';
import { StateDir } from './place.ts';
import { record, T0 } from './records.ts';

/** Lets a child commit from number `from` on, kills it -9 after `acks` changes, and gives the last one that it saw durable. */
async function commitUntilKilled(file: string, from: number, acks: number): Promise<number> {
  const script = new URL('./crash-child.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [script, file, `${from}`], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = once(child, 'exit');
  let last = from - 1;
  for await (const line of createInterface({ input: child.stdout })) {
    last = Number(line);
    // Lines that were on their way when it died still count: they were acknowledged.
    if (last >= from + acks - 1) child.kill('SIGKILL');
  }
  const [, signal] = await exit;
  expect(signal).toBe('SIGKILL');
  return last;
}

it('a process that is killed -9 loses nothing that was acknowledged and tears nothing', {
  timeout: 120_000,
}, async () => {
  await using dir = new StateDir();
  const rounds = fc.sample(fc.integer({ min: 1, max: 30 }), { numRuns: 15, seed: 20261122 });
  let done = 0;
  let after = 0;
  for (const acks of rounds) {
    const acknowledged = await commitUntilKilled(dir.file, done + 1, acks);
    const { store, moved } = await openStore(dir.file, { now: T0 });
    await using _ = store;
    expect(moved).toBeUndefined();

    const { records } = await store.load();
    const events = await store.events({ after, limit: 1_000_000 });
    const last = Math.max(...records.map((r) => r.versionChanges));
    // The one that was under way may have become durable before it could be told.
    expect([acknowledged, acknowledged + 1]).toContain(last);

    const expected = new Map<string, number>();
    const told: string[] = [];
    for (let n = done + 1; n <= last; n += 1) {
      for (let i = 0; i < touched(n); i += 1) {
        told.push(`${n} ${record(i).resource}`);
        expected.set(record(i).resource, n);
      }
    }
    expect(events.map((e) => `${e.to} ${e.resource}`)).toEqual(told);
    const held = new Map(records.map((r) => [r.resource, r.versionChanges]));
    for (const [resource, n] of expected) expect(held.get(resource)).toBe(n);
    done = last;
    after = events.at(-1)?.id ?? after;
  }
});
