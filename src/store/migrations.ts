import { closeSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';

/** One step of the schema. Steps are only ever appended: a published one never changes. */
export interface Migration {
  readonly name: string;
  readonly sql: string;
}

/** `kvig`: marks a database as ours (https://www.sqlite.org/pragma.html#pragma_application_id). */
export const APPLICATION_ID = 0x6b766967;

/** Step n is at index n - 1. */
export const MIGRATIONS: readonly Migration[] = [
  {
    name: 'records, versions, events, sources',
    sql: `
      PRAGMA application_id = ${APPLICATION_ID};
      CREATE TABLE records (
        id INTEGER PRIMARY KEY,
        resource TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL,
        body TEXT NOT NULL
      );
      CREATE TABLE versions (
        id INTEGER PRIMARY KEY,
        record INTEGER NOT NULL REFERENCES records (id) ON DELETE CASCADE,
        version TEXT NOT NULL,
        created_at INTEGER,
        detected_at INTEGER NOT NULL,
        UNIQUE (record, version)
      );
      CREATE TABLE events (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at INTEGER NOT NULL,
        type TEXT NOT NULL,
        resource TEXT NOT NULL,
        kind TEXT NOT NULL,
        "from" TEXT,
        "to" TEXT,
        reason TEXT,
        version TEXT
      );
      CREATE INDEX events_by_resource ON events (resource);
      CREATE INDEX events_by_kind ON events (kind);
      CREATE INDEX events_by_type ON events (type);
      CREATE TABLE sources (
        source TEXT NOT NULL PRIMARY KEY,
        body TEXT NOT NULL
      );`,
  },
  {
    name: 'consumers',
    sql: `
      CREATE TABLE consumers (
        id INTEGER PRIMARY KEY,
        resource TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL,
        body TEXT NOT NULL
      );`,
  },
  {
    name: 'notifications',
    sql: `
      CREATE TABLE notifications (
        id INTEGER PRIMARY KEY,
        receiver TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        body TEXT NOT NULL,
        UNIQUE (receiver, fingerprint)
      );`,
  },
];

/** The newest step that was applied to this database; 0 for one without any. */
export function schemaVersion(db: DatabaseSync): number {
  const known = db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'migrations'").get();
  if (known === undefined) return 0;
  return Number(db.prepare('SELECT max(version) AS version FROM migrations').get()?.version ?? 0);
}

/**
 * Applies the steps that are missing, each in its own transaction, after a copy of what there was has been kept beside
 * the file. `now` (ms) is noted with each step. Gives the path of the copy, absent when there was nothing to migrate or
 * nothing to keep.
 */
export function migrate(
  db: DatabaseSync,
  migrations: readonly Migration[],
  { file, now }: { readonly file: string; readonly now: number },
): { readonly copy?: string } {
  const from = schemaVersion(db);
  if (from >= migrations.length) return {};
  const copy = from === 0 ? undefined : keepCopy(db, `${file}.before-${migrations.length}`);
  for (const [index, migration] of migrations.entries()) {
    if (index >= from) apply(db, index + 1, migration, now);
  }
  return copy === undefined ? {} : { copy };
}

/** Writes a compact, synced copy of the database to `path`, mode 0600; it is there whole or not at all. */
function keepCopy(db: DatabaseSync, path: string): string {
  const part = `${path}.part`;
  rmSync(part, { force: true });
  // SQLite would create the copy for all to read; an empty file that is there already it takes as it is.
  closeSync(openSync(part, 'wx', 0o600));
  db.prepare('VACUUM INTO ?').run(part);
  const copy = openSync(part, 'r+');
  fsyncSync(copy);
  closeSync(copy);
  renameSync(part, path);
  return path;
}

function apply(db: DatabaseSync, version: number, migration: Migration, now: number): void {
  db.exec('BEGIN IMMEDIATE');
  try {
    db.exec(
      'CREATE TABLE IF NOT EXISTS migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at INTEGER NOT NULL)',
    );
    // The row comes first: whoever lost a race for this step fails here, before it touched anything.
    db.prepare('INSERT INTO migrations (version, name, applied_at) VALUES (?, ?, ?)').run(version, migration.name, now);
    db.exec(migration.sql);
    db.exec('COMMIT');
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}
