/**
 * The state file itself: opened safely, checked, locked, migrated. Synchronous, because SQLite is; `thread.ts` runs it
 * away from the event loop.
 */
import { closeSync, existsSync, fchmodSync, fstatSync, openSync, realpathSync, renameSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { toStoreError } from './failure.ts';
import { APPLICATION_ID, MIGRATIONS, migrate, schemaVersion } from './migrations.ts';
import { StoreError } from './store.ts';

/** How long to wait for another process to let go of the file, ms: a predecessor that is just ending. */
const LOCK_TIMEOUT_MS = 2_000;

/** What opening found and did. */
export interface Opened {
  /** Where a corrupted file was moved to. */
  readonly moved?: string;
  /** Where the file from before a migration was kept. */
  readonly copy?: string;
}

/**
 * Opens the state file, makes it where there is none, and holds it alone until it is closed. A corrupted file is moved
 * aside and a new one begun. `now` (ms) dates what is moved and migrated.
 * @throws StoreError
 */
export function openStateFile(file: string, now: number): Opened & { readonly db: DatabaseSync } {
  try {
    const path = prepare(file);
    try {
      return open(path, now);
    } catch (error) {
      if (toStoreError(error, file).reason !== 'corrupt') throw error;
      const moved = moveAside(path, now);
      return { ...open(prepare(file), now), moved };
    }
  } catch (error) {
    throw toStoreError(error, file);
  }
}

/** Sees to it that the file exists and is private before SQLite opens it: `-wal` takes its mode. Gives its real path. */
function prepare(file: string): string {
  const handle = openSync(file, 'a', 0o600);
  try {
    if ((fstatSync(handle).mode & 0o777) !== 0o600) fchmodSync(handle, 0o600);
  } finally {
    closeSync(handle);
  }
  return realpathSync(file);
}

function open(path: string, now: number): Opened & { readonly db: DatabaseSync } {
  const db = new DatabaseSync(path, { timeout: LOCK_TIMEOUT_MS, enableForeignKeyConstraints: true });
  try {
    // Exclusive before the first read, so that the lock is held for good and no shared memory file is needed.
    db.exec('PRAGMA locking_mode = EXCLUSIVE');
    refuseStrangers(db, path);
    const mode = db.prepare('PRAGMA journal_mode = WAL').get()?.journal_mode;
    if (mode !== 'wal') throw new StoreError('io', `state file ${path}: no write-ahead log here (${String(mode)})`);
    db.exec('PRAGMA synchronous = FULL');
    // A first sight of many keys may blow the log up; it shrinks again at the next checkpoint.
    db.exec('PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -8000');
    if (schemaVersion(db) > 0) check(db, path);
    return { db, ...migrate(db, MIGRATIONS, { file: path, now }) };
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Reads only: nothing of a database that is not ours, or is too new for us, is changed. */
function refuseStrangers(db: DatabaseSync, path: string): void {
  const version = schemaVersion(db);
  const id = db.prepare('PRAGMA application_id').get()?.application_id;
  const empty = db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined;
  if (id !== APPLICATION_ID && !empty) {
    throw new StoreError('foreign', `state file ${path} is a database of another program`);
  }
  if (version > MIGRATIONS.length) {
    throw new StoreError(
      'newer_version',
      `state file ${path} has schema version ${version}, written by a newer keyvigil; this one knows versions up to ${MIGRATIONS.length}`,
    );
  }
}

/** Tables whose bodies a start parses, in whichever schema has them. */
const BODIES = ['records', 'consumers', 'notifications', 'sources'];

/** Structure of every page, and that every body still is JSON: what a start relies on. */
function check(db: DatabaseSync, path: string): void {
  const found = db.prepare('PRAGMA quick_check(1)').get()?.quick_check;
  if (found !== 'ok') throw new StoreError('corrupt', `state file ${path} is corrupted: ${String(found)}`);
  // An older schema is checked before it is migrated, and does not have all of them yet.
  const here = db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?");
  for (const table of BODIES) {
    if (here.get(table) === undefined) continue;
    if (db.prepare(`SELECT 1 FROM ${table} WHERE NOT json_valid(body) LIMIT 1`).get() !== undefined) {
      throw new StoreError('corrupt', `state file ${path} is corrupted: unreadable row in ${table}`);
    }
  }
}

/** Renames the file and its log. Gives where the file is now. */
function moveAside(path: string, now: number): string {
  const base = `${path}.corrupt-${new Date(now).toISOString().replaceAll(':', '-')}`;
  let target = base;
  for (let n = 2; existsSync(target); n += 1) target = `${base}.${n}`;
  // The log first: after a crash in between, a new log beside the old file would be worse than none.
  for (const suffix of ['-wal', '-shm', '']) {
    if (existsSync(path + suffix)) renameSync(path + suffix, target + suffix);
  }
  return target;
}
