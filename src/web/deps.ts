import type { Writable } from 'node:stream';
import type { NotificationRecord } from '../core/alert.ts';
import type { AlertContext } from '../core/alerts/index.ts';
import type { EventType, KeyEvent, StoredEvent } from '../core/model.ts';
import type { Records } from '../core/relations.ts';
import type { Snapshot } from '../core/snapshot.ts';
import type { LiveWebFile } from './web-config.ts';

/** Which part of the durable log is asked for. */
export interface EventsQuery {
  /** Only events with a smaller id. */
  readonly before?: number;
  /** Which end of what matches `limit` keeps. */
  readonly order: 'newest';
  readonly limit: number;
  readonly resource?: string;
  readonly kind?: KeyEvent['kind'];
  readonly type?: EventType;
}

/** One generation of a key as it was seen; instants in ms. */
export interface SeenVersion {
  readonly version: string;
  readonly createdAt?: number;
  readonly detectedAt: number;
}

/** Everything that the HTTP server asks of the daemon around it. */
export interface WebDeps {
  snapshot(): Snapshot;
  /** What the snapshot was made of; asked only in the same turn of the event loop as the snapshot. */
  readonly records: Records;
  /** What alerts are made of besides the snapshot, and what receivers were told. */
  alertContext(): Omit<AlertContext, 'now' | 'failingReceivers'>;
  notifications(): Iterable<NotificationRecord>;
  /** Oldest first. */
  events(query: EventsQuery): Promise<readonly StoredEvent[]>;
  /** Oldest first. */
  versions(resource: string): Promise<readonly SeenVersion[]>;
  /** Starts sweeps at once: of everything, or of what sees one key or consumer. Gives the number of sources. */
  check(resource?: string): Promise<{ readonly started: number }>;
  /** Ends the record of a key that is gone. Absent: never. */
  forget?(resource: string): Promise<'forgotten' | 'not_gone' | 'unknown'>;
  /** Reads the configuration again. Absent where there is none to read. */
  reload?(): Promise<
    { readonly outcome: 'applied' | 'unchanged' } | { readonly outcome: 'refused'; readonly reason: string }
  >;
  ready(): { readonly ready: boolean; readonly reason: string };
  /**
   * Writes one exposition into `out` and may end it. When the reader leaves or `signal` aborts it stops, either way; a
   * rejection before that is a bug.
   */
  writeMetrics(out: Writable, options: { readonly gzip: boolean; readonly signal: AbortSignal }): Promise<void>;
  /** The runbook of an alert, as Markdown; undefined: there is none of that name. */
  runbook?(alertname: string): Promise<string | undefined>;
  readonly metricsContentType: string;
  readonly version: string;
  /** ms since the epoch. */
  readonly startedAt: number;
  now(): number;
  /** TLS, users and headers of `web.configFile`; plain HTTP for everybody without it. */
  readonly security?: LiveWebFile;
  /** Where people reach this server through a proxy. */
  readonly externalUrl?: string;
  /** What must be logged: a bug, or a dependency that failed. `where` is the route. */
  onError(error: unknown, where: string): void;
}
