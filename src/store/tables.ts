/** All SQL that runs once a state file is open. Synchronous; `thread.ts` runs it away from the event loop. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { ConsumerKind, EventType, KeyKind, StoredEvent } from '../core/model.ts';
import type { EventQuery, VersionRow } from './store.ts';

/** One row to write, as it travels to the thread: flat, because objects are dear to clone. Instants in ms. */
export type Write =
  | readonly ['forget', resource: string]
  | readonly [
      'record',
      resource: string,
      kind: KeyKind,
      body: string,
      version: string | null,
      createdAt: number | null,
      detectedAt: number,
    ]
  | readonly ['forgetConsumer', resource: string]
  | readonly ['consumer', resource: string, kind: ConsumerKind, body: string]
  | readonly ['forgetNotification', receiver: string, fingerprint: string]
  | readonly ['notification', receiver: string, fingerprint: string, body: string]
  | readonly [
      'event',
      at: number,
      type: EventType,
      resource: string,
      kind: KeyKind | ConsumerKind,
      from: string | null,
      to: string | null,
      reason: string | null,
      version: string | null,
    ]
  | readonly ['dropSource', source: string]
  | readonly ['source', source: string, body: string];

/** Where a slice stands in its transaction; it may be both. */
export interface SlicePlace {
  readonly first: boolean;
  readonly last: boolean;
}

/** What is read in pages. */
export type PagedTable = 'records' | 'consumers' | 'notifications';

/** A page of bodies; `next` continues, absent at the end. */
export interface Page {
  readonly bodies: readonly string[];
  readonly next?: number;
}

/** The calls that the thread serves. */
export interface Tables {
  /**
   * One slice of a transaction: the first begins it, the last commits it, and one that fails rolls it back. A slice that
   * comes after one that failed is passed over.
   */
  write(rows: readonly Write[], place: SlicePlace): void;
  /** Ends the running transaction, if there is one, without a trace. */
  rollback(): void;
  /** Bodies with an id after `after`, up to `PAGE_CHARS`, in the order in which what they are about was first kept. */
  page(table: PagedTable, after: number): Page;
  sources(): readonly string[];
  events(query: EventQuery): StoredEvent[];
  versions(resource: string): readonly VersionRow[];
  prune(before: number): number;
  close(): void;
}

/** Characters of bodies in one message: writing or parsing them takes the event loop one or two milliseconds. */
export const PAGE_CHARS = 128 * 1024;

type Column = string | number | null;

export function openTables(db: DatabaseSync): Tables {
  const cached = new Map<string, StatementSync>();
  const sql = (text: string): StatementSync => {
    const known = cached.get(text);
    if (known !== undefined) return known;
    const statement = db.prepare(text);
    cached.set(text, statement);
    return statement;
  };

  const rollback = (): void => {
    // SQLite has rolled back by itself after some errors (disk full, input/output).
    if (db.isTransaction) db.exec('ROLLBACK');
  };

  const writeRow = (row: Write): void => {
    switch (row[0]) {
      case 'forget':
        sql('DELETE FROM records WHERE resource = ?').run(row[1]);
        return;
      case 'record': {
        const [, resource, kind, body, version, createdAt, detectedAt] = row;
        const id = sql(UPSERT_RECORD).get(resource, kind, body)?.id as number;
        if (version !== null) sql(ADD_VERSION).run(id, version, createdAt, detectedAt);
        return;
      }
      case 'forgetConsumer':
        sql('DELETE FROM consumers WHERE resource = ?').run(row[1]);
        return;
      case 'consumer':
        sql(UPSERT_CONSUMER).run(row[1], row[2], row[3]);
        return;
      case 'forgetNotification':
        sql('DELETE FROM notifications WHERE receiver = ? AND fingerprint = ?').run(row[1], row[2]);
        return;
      case 'notification':
        sql(UPSERT_NOTIFICATION).run(row[1], row[2], row[3]);
        return;
      case 'event':
        sql(ADD_EVENT).run(row[1], row[2], row[3], row[4], row[5], row[6], row[7], row[8]);
        return;
      case 'dropSource':
        sql('DELETE FROM sources WHERE source = ?').run(row[1]);
        return;
      case 'source':
        sql(UPSERT_SOURCE).run(row[1], row[2]);
        return;
    }
  };

  return {
    write(rows, { first, last }) {
      try {
        if (first) db.exec('BEGIN IMMEDIATE');
        if (!db.isTransaction) return;
        for (const row of rows) writeRow(row);
        if (last) db.exec('COMMIT');
      } catch (error) {
        rollback();
        throw error;
      }
    },

    rollback,

    page(table, after) {
      const bodies: string[] = [];
      let chars = 0;
      for (const row of sql(`SELECT id, body FROM ${table} WHERE id > ? ORDER BY id`).iterate(after)) {
        const { id, body } = row as { id: number; body: string };
        bodies.push(body);
        chars += body.length;
        if (chars >= PAGE_CHARS) return { bodies, next: id };
      }
      return { bodies };
    },

    sources: () =>
      sql('SELECT body FROM sources ORDER BY source')
        .all()
        .map((row) => row.body as string),

    events(query) {
      const conditions: string[] = [];
      const values: Column[] = [];
      const where = (condition: string, value: Column | undefined): void => {
        if (value === undefined) return;
        conditions.push(condition);
        values.push(value);
      };
      where('id > ?', query.after);
      where('id < ?', query.before);
      where('resource = ?', query.resource);
      where('kind = ?', query.kind);
      where('type = ?', query.type);
      const newest = query.order === 'newest';
      const rows = sql(
        `SELECT * FROM events ${conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`}
         ORDER BY id ${newest ? 'DESC' : 'ASC'} LIMIT ?`,
      )
        .all(...values, Math.max(0, Math.trunc(query.limit)))
        .map(toEvent);
      return newest ? rows.reverse() : rows;
    },

    versions: (resource) => sql(VERSIONS_OF).all(resource).map(toVersion),

    prune: (before) => Number(sql('DELETE FROM events WHERE at < ?').run(before).changes),

    close() {
      rollback();
      // Moves the log into the file and removes it, if it can; the log stays valid if it cannot.
      db.close();
    },
  };
}

const UPSERT_RECORD = `
  INSERT INTO records (resource, kind, body) VALUES (?, ?, ?)
  ON CONFLICT (resource) DO UPDATE SET kind = excluded.kind, body = excluded.body
  RETURNING id`;

// When it was made may be learnt later than that it is there.
const ADD_VERSION = `
  INSERT INTO versions (record, version, created_at, detected_at) VALUES (?, ?, ?, ?)
  ON CONFLICT (record, version) DO UPDATE SET created_at = excluded.created_at
  WHERE created_at IS NULL AND excluded.created_at IS NOT NULL`;

const UPSERT_CONSUMER = `
  INSERT INTO consumers (resource, kind, body) VALUES (?, ?, ?)
  ON CONFLICT (resource) DO UPDATE SET kind = excluded.kind, body = excluded.body`;

const UPSERT_NOTIFICATION = `
  INSERT INTO notifications (receiver, fingerprint, body) VALUES (?, ?, ?)
  ON CONFLICT (receiver, fingerprint) DO UPDATE SET body = excluded.body`;

const ADD_EVENT = `
  INSERT INTO events (at, type, resource, kind, "from", "to", reason, version) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`;

const UPSERT_SOURCE = `
  INSERT INTO sources (source, body) VALUES (?, ?) ON CONFLICT (source) DO UPDATE SET body = excluded.body`;

const VERSIONS_OF = `
  SELECT version, created_at AS createdAt, detected_at AS detectedAt FROM versions
  WHERE record = (SELECT id FROM records WHERE resource = ?) ORDER BY id`;

interface EventRow extends Omit<StoredEvent, 'from' | 'to' | 'reason' | 'version'> {
  readonly from: string | null;
  readonly to: string | null;
  readonly reason: Required<StoredEvent>['reason'] | null;
  readonly version: string | null;
}

function toEvent(row: unknown): StoredEvent {
  const { id, at, type, resource, kind, from, to, reason, version } = row as EventRow;
  return {
    id,
    at,
    type,
    resource,
    kind,
    ...(from === null ? {} : { from }),
    ...(to === null ? {} : { to }),
    ...(reason === null ? {} : { reason }),
    ...(version === null ? {} : { version }),
  };
}

function toVersion(row: unknown): VersionRow {
  const { version, createdAt, detectedAt } = row as VersionRow & { readonly createdAt: number | null };
  return { version, detectedAt, ...(createdAt === null ? {} : { createdAt }) };
}
