/**
 * Commits one change after the other in a process whose files cannot grow beyond a limit, and prints what became of
 * each. Started by `disk.test.ts`.
 */
import { openStore } from '../../src/store/sqlite.ts';
import { StoreError } from '../../src/store/store.ts';
import { change, consumer, event, notification, record, T0 } from './records.ts';

/** Records, consumers, notifications and events of each change, in order: only the second does not fit. */
export const SIZES = [10, 4_000, 20];

/** What the child prints. */
export interface Outcome {
  readonly outcomes: readonly string[];
  readonly records: number;
  readonly consumers: number;
  readonly notifications: number;
  readonly events: number;
}

async function commitAll(file: string): Promise<Outcome> {
  const { store } = await openStore(file, { now: T0 });
  await using _ = store;
  const outcomes: string[] = [];
  for (const size of SIZES) {
    const upserts = Array.from({ length: size }, (_, n) => record(n));
    const consumers = { upserts: Array.from({ length: size }, (_, n) => consumer(n)) };
    const notifications = { upserts: Array.from({ length: size }, (_, n) => notification(n)) };
    const whole = change({ upserts, consumers, notifications, events: upserts.map((r) => event(r)) });
    const done = store.commit(whole);
    outcomes.push(await done.then(() => 'committed').catch((e) => (e instanceof StoreError ? e.reason : String(e))));
  }
  const { records, consumers, notifications } = await store.load();
  const held = { records: records.length, consumers: consumers.length, notifications: notifications.length };
  return { outcomes, ...held, events: (await store.events({ limit: 10_000 })).length };
}

if (import.meta.main) console.log(JSON.stringify(await commitAll(process.argv[2]!)));
