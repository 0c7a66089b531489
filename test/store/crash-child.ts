/**
 * Commits numbered changes for as long as it lives and says which are durable, one number a line. Killed by
 * `crash.test.ts`. Change n sets `versionChanges` of its records to n and logs one event with `to` = n for each.
 */
import { writeSync } from 'node:fs';
import { openStore } from '../../src/store/sqlite.ts';
import { change, event, record, T0 } from './records.ts';

/** How many records change n touches: every seventh needs several messages to the thread. */
export function touched(n: number): number {
  return n % 7 === 0 ? 800 : 1 + (n % 5);
}

async function commitForEver(file: string, from: number): Promise<never> {
  const { store } = await openStore(file, { now: T0 });
  for (let n = from; ; n += 1) {
    const upserts = Array.from({ length: touched(n) }, (_, i) => ({ ...record(i), versionChanges: n }));
    const events = upserts.map((r) => event(r, { type: 'transition', to: `${n}` }));
    await store.commit(change({ upserts, events }));
    writeSync(1, `${n}\n`);
  }
}

if (import.meta.main) await commitForEver(process.argv[2]!, Number(process.argv[3]));
