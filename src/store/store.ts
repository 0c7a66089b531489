import type { NotificationRecord } from '../core/alert.ts';
import type {
  ConsumerKind,
  ConsumerRecord,
  EventType,
  KeyEvent,
  KeyKind,
  KeyRecord,
  SourceRecord,
  StoredEvent,
} from '../core/model.ts';

/** What is committed at once: a state change and the events that tell of it are one transaction, or neither is. */
export interface Change {
  /** Records that are new or differ from what the store holds. */
  readonly upserts: readonly KeyRecord[];
  /** Resources whose records end. */
  readonly deletes: readonly string[];
  readonly consumers: {
    readonly upserts: readonly ConsumerRecord[];
    /** Resources. */
    readonly deletes: readonly string[];
  };
  /** What receivers were told and must be told: in the same transaction as what it is about. */
  readonly notifications: {
    readonly upserts: readonly NotificationRecord[];
    readonly deletes: readonly Pick<NotificationRecord, 'receiver' | 'fingerprint'>[];
  };
  /** In the order in which they happened. */
  readonly events: readonly KeyEvent[];
  readonly sources: readonly SourceRecord[];
  /** Sources (by `sourceKey`) that are no longer configured. */
  readonly deletedSources: readonly string[];
}

/** Everything a start needs. */
export interface StoredState {
  readonly records: readonly KeyRecord[];
  readonly consumers: readonly ConsumerRecord[];
  readonly notifications: readonly NotificationRecord[];
  readonly sources: readonly SourceRecord[];
}

export interface EventQuery {
  /** Only events with a greater id. */
  readonly after?: number;
  /** Only events with a smaller id: the page before one that is known. */
  readonly before?: number;
  readonly limit: number;
  readonly resource?: string;
  readonly kind?: KeyKind | ConsumerKind;
  readonly type?: EventType;
  /** Which end of the matching events `limit` keeps: the oldest (default) or the newest. The answer is ascending either way. */
  readonly order?: 'oldest' | 'newest';
}

/** One generation of one key as it was seen. */
export interface VersionRow {
  readonly version: string;
  readonly createdAt?: number;
  readonly detectedAt: number;
}

/**
 * Why the store could not do what it was asked. `newer_version`: the state was written by a newer keyvigil. `foreign`: a
 * database, but not one of ours. `locked`: another process holds it. `read_only`, `full`: the disk. `corrupt`: it cannot
 * be read any more. `rejected`: the values themselves are refused, so that offering them again is in vain (a bug). `io`:
 * everything else.
 */
export type StoreFailure =
  | 'newer_version'
  | 'foreign'
  | 'locked'
  | 'read_only'
  | 'full'
  | 'corrupt'
  | 'rejected'
  | 'io';

/** What every store throws. The message names the state; the cause is what the database said. */
export class StoreError extends Error {
  readonly reason: StoreFailure;
  constructor(reason: StoreFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StoreError';
    this.reason = reason;
  }
}

/**
 * The durable state. Asynchronous although SQLite is not, so that another database can follow. Calls are served one
 * after the other, in the order in which they were made. A failed `commit` throws and leaves nothing behind; the caller
 * keeps the change and offers it again. What fails, fails with a
 * StoreError.
 */
export interface Store extends AsyncDisposable {
  load(): Promise<StoredState>;
  /**
   * One transaction, whatever its size: durable when the promise resolves. Deletes come before upserts. A key's record
   * whose `facts.version` was not seen before on its resource adds a row to `versions`; a deleted one takes its versions
   * along. Events stay, those of a key and those of a consumer.
   */
  commit(change: Change): Promise<void>;
  /** Ascending by id, at most `limit`. */
  events(query: EventQuery): Promise<readonly StoredEvent[]>;
  /** Versions of one key, in the order in which they were first seen. */
  versions(resource: string): Promise<readonly VersionRow[]>;
  /** Drops events before `before` (ms). Returns how many. */
  prune(before: number): Promise<number>;
}
