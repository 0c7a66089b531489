/**
 * Commits changes for as long as it lives and says which are durable, one number a line. Killed by `crash.test.ts`, or,
 * given a `fatal` row, by itself. Change n brings each of its records, consumers and notifications to n, logs one event
 * with `to` = n for each of the former, and replaces the consumer and the notification that mark change n - 1 by those
 * that mark n.
 */
import { writeSync } from 'node:fs';
import { openStore } from '../../src/store/sqlite.ts';
import type { Change } from '../../src/store/store.ts';
import { change, consumer, event, notification, record, T0 } from './records.ts';

/** How many records, consumers and notifications, of each, change n touches: every seventh needs several messages to the thread. */
export function touched(n: number): number {
  return n % 7 === 0 ? 400 : 1 + (n % 5);
}

/** Resource of the consumer, and receiver of the notification, that mark change n. */
export function mark(n: number): string {
  return `mark ${n}`;
}

/** Change n of `size` records, consumers and notifications. */
export function numbered(n: number, size = touched(n)): Change {
  const upserts = Array.from({ length: size }, (_, i) => ({ ...record(i), versionChanges: n }));
  const consumers = Array.from({ length: size }, (_, i) => ({ ...consumer(i), inconclusive: n }));
  const notifications = Array.from({ length: size }, (_, i) => ({ ...notification(i), attempts: n }));
  const marked = (m: number) => ({ ...notification(0), receiver: mark(m) });
  return change({
    upserts,
    consumers: { upserts: [...consumers, { ...consumer(0), resource: mark(n) }], deletes: [mark(n - 1)] },
    notifications: { upserts: [...notifications, marked(n)], deletes: [marked(n - 1)] },
    events: [...upserts, ...consumers].map((r) => event(r, { type: 'transition', to: `${n}` })),
  });
}

/** The same change, but whoever writes its row number `row` down (records, consumers, notifications, events) is killed there and then. */
function fatal(whole: Change, row: number): Change {
  const die = () => process.kill(process.pid, 'SIGKILL');
  const deadly = <T extends object>(rows: readonly T[], at: number, bait: object): readonly T[] =>
    rows.map((r, n) => (n === at ? Object.defineProperties({ ...r }, Object.getOwnPropertyDescriptors(bait)) : r));
  const { upserts, consumers, notifications, events } = whole;
  const first = upserts.length;
  const second = first + consumers.upserts.length;
  const third = second + notifications.upserts.length;
  return {
    ...whole,
    upserts: deadly(upserts, row, { toJSON: die }),
    consumers: { ...consumers, upserts: deadly(consumers.upserts, row - first, { toJSON: die }) },
    notifications: { ...notifications, upserts: deadly(notifications.upserts, row - second, { toJSON: die }) },
    events: deadly(events, row - third, {
      get to() {
        return die();
      },
    }),
  };
}

/** Changes `from`, `from` + 1, …; with `size`, only change `from`, and then one that dies at `row`. */
async function commitForEver(file: string, from: number, size?: number, row?: number): Promise<void> {
  const { store } = await openStore(file, { now: T0 });
  for (let n = from; ; n += 1) {
    const next = numbered(n, size);
    await store.commit(row === undefined || n === from ? next : fatal(next, row));
    writeSync(1, `${n}\n`);
  }
}

if (import.meta.main) {
  const [file, ...numbers] = process.argv.slice(2);
  const [from, size, row] = numbers.map(Number);
  await commitForEver(file!, from!, size, row);
}
