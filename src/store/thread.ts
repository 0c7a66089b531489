/**
 * The thread that owns the state file. A transaction may wait for the disk as long as it will: the event loop, and with
 * it every scrape, goes on meanwhile. Started by `sqlite.ts`; calls are answered one by one in their
 * order; the first answer is that of opening.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { toStoreError } from './failure.ts';
import { type Opened, openStateFile } from './statefile.ts';
import type { StoreFailure } from './store.ts';
import { openTables, type Tables } from './tables.ts';

export interface ThreadData {
  readonly file: string;
  /** ms. */
  readonly now: number;
}

export interface Call {
  readonly method: keyof Tables;
  readonly args: readonly unknown[];
}

export type Answer =
  | { readonly value: unknown }
  | { readonly failure: { readonly reason: StoreFailure; readonly message: string; readonly cause: unknown } };

const port = parentPort;
if (port === null) throw new Error('not a thread');
const { file, now } = workerData as ThreadData;

function answer(run: () => unknown): void {
  let message: Answer;
  try {
    message = { value: run() };
  } catch (error) {
    const { reason, message: text, cause } = toStoreError(error, file);
    message = { failure: { reason, message: text, cause } };
  }
  port?.postMessage(message);
}

answer((): Opened => {
  const { db, ...opened } = openStateFile(file, now);
  const tables = openTables(db);
  port.on('message', ({ method, args }: Call) => {
    answer(() => (tables[method] as (...args: readonly unknown[]) => unknown)(...args));
    if (method === 'close') port.close();
  });
  return opened;
});
