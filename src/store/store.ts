import type { EventType, KeyEvent, KeyKind, KeyRecord, SourceRecord, StoredEvent } from '../core/model.ts';

/** What is committed at once: a state change and the events that tell of it are one transaction, or neither is. */
export interface Change {
  /** Records that are new or differ from what the store holds. */
  readonly upserts: readonly KeyRecord[];
  /** Resources whose records end. */
  readonly deletes: readonly string[];
  /** In the order in which they happened. */
  readonly events: readonly KeyEvent[];
  readonly sources: readonly SourceRecord[];
  /** Sources (by `sourceKey`) that are no longer configured. */
  readonly deletedSources: readonly string[];
}

/** Everything a start needs. */
export interface StoredState {
  readonly records: readonly KeyRecord[];
  readonly sources: readonly SourceRecord[];
}

export interface EventQuery {
  /** Only events with a greater id. */
  readonly after?: number;
  readonly limit: number;
  readonly resource?: string;
  readonly kind?: KeyKind;
  readonly type?: EventType;
}

/** One generation of one key as it was seen. */
export interface VersionRow {
  readonly version: string;
  readonly createdAt?: number;
  readonly detectedAt: number;
}

/**
 * The durable state. Asynchronous although SQLite is not, so that another database can follow. A failed `commit` throws
 * and leaves nothing behind; the caller keeps the change and offers it again.
 */
export interface Store extends AsyncDisposable {
  load(): Promise<StoredState>;
  commit(change: Change): Promise<void>;
  /** Oldest first, at most `limit`. */
  events(query: EventQuery): Promise<readonly StoredEvent[]>;
  /** Versions of one key, oldest first. */
  versions(resource: string): Promise<readonly VersionRow[]>;
  /** Drops events before `before` (ms). Returns how many. */
  prune(before: number): Promise<number>;
}
