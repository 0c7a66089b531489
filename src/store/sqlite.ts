import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { NotificationRecord } from '../core/alert.ts';
import {
  type ConsumerRecord,
  type KeyEvent,
  type KeyRecord,
  type SourceRecord,
  type StoredEvent,
  sourceKey,
} from '../core/model.ts';
import type { Opened } from './statefile.ts';
import { type Change, type EventQuery, type Store, type StoredState, StoreError, type VersionRow } from './store.ts';
import { PAGE_CHARS, type Page, type PagedTable, type SlicePlace, type Tables, type Write } from './tables.ts';
import type { Answer, Call, ThreadData } from './thread.ts';

/** Events in one message. */
const EVENT_PAGE = 1_000;

/** What a row weighs beside its body, in characters. */
const ROW_CHARS = 256;

/**
 * Opens the state file and holds it alone until the store is disposed of; makes it (mode 0600) where there is none.
 * `now` (ms) dates what is moved aside or migrated. `moved` says where a corrupted file went, `copy` where the file from
 * before a migration was kept.
 * @throws StoreError, nothing changed: `newer_version`, `foreign`, `locked`, `read_only`, `full`, `io`.
 */
export async function openStore(
  file: string,
  { now }: { readonly now: number },
): Promise<Opened & { readonly store: Store }> {
  const thread = new Thread(file, now);
  const opened = await thread.opened;
  return { ...opened, store: new SqliteStore(thread) };
}

class SqliteStore implements Store {
  readonly #thread: Thread;
  /** Ends when everything that was asked before has ended. */
  #tail: Promise<unknown> = Promise.resolve();
  #disposed: Promise<void> | undefined;

  constructor(thread: Thread) {
    this.#thread = thread;
  }

  load(): Promise<StoredState> {
    return this.#alone(async () => {
      const records = await this.#read<KeyRecord>('records');
      const consumers = await this.#read<ConsumerRecord>('consumers');
      const notifications = await this.#read<NotificationRecord>('notifications');
      const bodies = await this.#thread.call('sources');
      const sources = bodies.map((body) => this.#thread.parse<SourceRecord>(body));
      return { records, consumers, notifications, sources };
    });
  }

  commit(change: Change): Promise<void> {
    return this.#alone(async () => {
      const answers: Promise<void>[] = [];
      try {
        for (const { rows, place } of slices(writes(change))) {
          // One slice is written while the next is made; never more, or a large change would be held twice.
          if (answers.length > 1) await answers[answers.length - 2];
          // An answer that comes while another is handled is handled in the same turn of the event loop: a quick thread
          // would keep the loop for as long as a large change lasts.
          if (answers.length > 0) await nextTurn();
          answers.push(this.#thread.call('write', rows, place));
        }
        await Promise.all(answers);
      } catch (error) {
        await Promise.allSettled(answers);
        // Whatever went wrong here rather than there: the thread must not keep half a transaction open.
        if (!(error instanceof StoreError)) await this.#thread.call('rollback');
        throw error;
      }
    });
  }

  events(query: EventQuery): Promise<readonly StoredEvent[]> {
    return this.#alone(async () => {
      const pages: StoredEvent[][] = [];
      let left = query.limit;
      let rest: EventQuery = query;
      while (left > 0) {
        const limit = Math.min(left, EVENT_PAGE);
        const page = await this.#thread.call('events', { ...rest, limit });
        if (query.order === 'newest') {
          pages.unshift(page);
          rest = { ...rest, before: page[0]?.id ?? 0 };
        } else {
          pages.push(page);
          rest = { ...rest, after: page.at(-1)?.id ?? 0 };
        }
        if (page.length < limit) break;
        left -= limit;
        await nextTurn();
      }
      return pages.flat();
    });
  }

  versions(resource: string): Promise<readonly VersionRow[]> {
    return this.#alone(() => this.#thread.call('versions', resource));
  }

  prune(before: number): Promise<number> {
    return this.#alone(() => this.#thread.call('prune', before));
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposed ??= this.#alone(() => this.#thread.close());
    return this.#disposed;
  }

  async #read<T>(table: PagedTable): Promise<T[]> {
    const read: T[] = [];
    for (let after: number | undefined = 0; after !== undefined; ) {
      const page: Page = await this.#thread.call('page', table, after);
      for (const body of page.bodies) read.push(this.#thread.parse<T>(body));
      after = page.next;
      await nextTurn();
    }
    return read;
  }

  /** Runs one call after all earlier ones: nothing else falls into a transaction that comes in slices. */
  #alone<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(run);
    this.#tail = result.catch(() => undefined);
    return result;
  }
}

/** A change as rows, in the order in which they are written. */
function* writes(change: Change): Generator<Write> {
  for (const resource of change.deletes) yield ['forget', resource];
  for (const resource of change.consumers.deletes) yield ['forgetConsumer', resource];
  for (const { receiver, fingerprint } of change.notifications.deletes) {
    yield ['forgetNotification', receiver, fingerprint];
  }
  for (const record of change.upserts) yield recordRow(record);
  for (const record of change.consumers.upserts) {
    yield ['consumer', record.resource, record.stub.kind, JSON.stringify(record)];
  }
  for (const record of change.notifications.upserts) {
    yield ['notification', record.receiver, record.fingerprint, JSON.stringify(record)];
  }
  for (const event of change.events) yield eventRow(event);
  for (const source of change.deletedSources) yield ['dropSource', source];
  for (const source of change.sources) yield ['source', sourceKey(source), JSON.stringify(source)];
}

function recordRow(record: KeyRecord): Write {
  const version = record.facts?.version;
  return [
    'record',
    record.resource,
    record.stub.kind,
    JSON.stringify(record),
    version?.id ?? null,
    version?.createdAt ?? null,
    record.versionDetectedAt ?? record.firstSeenAt,
  ];
}

function eventRow({ at, type, resource, kind, from, to, reason, version }: KeyEvent): Write {
  return ['event', at, type, resource, kind, from ?? null, to ?? null, reason ?? null, version ?? null];
}

/** Cuts rows into messages that keep the event loop busy for a millisecond or two each. No rows, no message. */
function* slices(rows: Iterable<Write>): Generator<{ readonly rows: readonly Write[]; readonly place: SlicePlace }> {
  let first = true;
  let slice: Write[] = [];
  let chars = 0;
  for (const row of rows) {
    if (chars >= PAGE_CHARS) {
      yield { rows: slice, place: { first, last: false } };
      first = false;
      slice = [];
      chars = 0;
    }
    slice.push(row);
    chars += ROW_CHARS + bodyLength(row);
  }
  if (slice.length > 0) yield { rows: slice, place: { first, last: true } };
}

/** Characters of what makes some rows weigh more than others. */
function bodyLength(row: Write): number {
  return row[0] === 'record' || row[0] === 'consumer' || row[0] === 'notification' ? row[3].length : 0;
}

/** The other end of `thread.ts`. */
class Thread {
  readonly #file: string;
  readonly #worker: Worker;
  /** Callers in the order of their calls, which is that of the answers. */
  readonly #waiting: PromiseWithResolvers<unknown>[] = [];
  /** Why there is no thread any more. */
  #ended: StoreError | undefined;
  readonly #exit: Promise<void>;
  /** Settles when the file is open, or cannot be. */
  readonly opened: Promise<Opened>;

  constructor(file: string, now: number) {
    this.#file = file;
    const data: ThreadData = { file, now };
    // Compiled, the thread lies beside this module as JavaScript.
    const entry = new URL(import.meta.url.endsWith('.ts') ? './thread.ts' : './thread.js', import.meta.url);
    this.#worker = new Worker(entry, {
      name: 'keyvigil-store',
      workerData: data,
      env: {},
      // What passes through lives for one message: a large nursery would only be resident memory.
      resourceLimits: { maxYoungGenerationSizeMb: 4 },
    });
    this.#worker.on('message', (answer: Answer) => this.#settle(answer));
    this.#worker.on('error', (cause) => this.#end(cause));
    this.#exit = new Promise((resolve) => {
      this.#worker.on('exit', () => {
        this.#end();
        resolve();
      });
    });
    this.opened = this.#wait() as Promise<Opened>;
  }

  /** @throws StoreError */
  call<M extends keyof Tables>(method: M, ...args: Parameters<Tables[M]>): Promise<ReturnType<Tables[M]>> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    const call: Call = { method, args };
    this.#worker.postMessage(call);
    return this.#wait() as Promise<ReturnType<Tables[M]>>;
  }

  /** @throws StoreError `corrupt` */
  parse<T>(body: string): T {
    try {
      return JSON.parse(body) as T;
    } catch (cause) {
      throw new StoreError('corrupt', `state file ${this.#file}: a row is not JSON`, { cause });
    }
  }

  /** Closes the file and ends the thread. */
  async close(): Promise<void> {
    try {
      if (this.#ended === undefined) await this.call('close');
    } finally {
      await this.#exit;
    }
  }

  #wait(): Promise<unknown> {
    const waiting = Promise.withResolvers<unknown>();
    this.#waiting.push(waiting);
    // Whoever asked may look later, or only at the first of several failures.
    waiting.promise.catch(() => undefined);
    return waiting.promise;
  }

  #settle(answer: Answer): void {
    const waiting = this.#waiting.shift();
    if ('value' in answer) {
      waiting?.resolve(answer.value);
    } else {
      const { reason, message, cause } = answer.failure;
      waiting?.reject(new StoreError(reason, message, { cause }));
    }
  }

  #end(cause?: unknown): void {
    this.#ended ??= new StoreError('io', `state file ${this.#file}: the store has ended`, { cause });
    for (const waiting of this.#waiting.splice(0)) waiting.reject(this.#ended);
  }
}
