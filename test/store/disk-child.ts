/**
 * Commits one change after the other in a process whose files cannot grow beyond a limit, and prints what became of
 * each. Started by `disk.test.ts`.
 */
import { openStore } from '../../src/store/sqlite.ts';
import { StoreError } from '../../src/store/store.ts';
import { change, event, record, T0 } from './records.ts';

/** Records of each change, in order: only the second does not fit. */
export const SIZES = [10, 4_000, 20];

/** What the child prints. */
export interface Outcome {
  readonly outcomes: readonly string[];
  readonly records: number;
  readonly events: number;
}

async function commitAll(file: string): Promise<Outcome> {
  const { store } = await openStore(file, { now: T0 });
  await using _ = store;
  const outcomes: string[] = [];
  for (const size of SIZES) {
    const upserts = Array.from({ length: size }, (_, n) => record(n));
    const done = store.commit(change({ upserts, events: upserts.map((r) => event(r)) }));
    outcomes.push(await done.then(() => 'committed').catch((e) => (e instanceof StoreError ? e.reason : String(e))));
  }
  const { records } = await store.load();
  return { outcomes, records: records.length, events: (await store.events({ limit: 10_000 })).length };
}

if (import.meta.main) console.log(JSON.stringify(await commitAll(process.argv[2]!)));
