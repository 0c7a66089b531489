import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import { MIGRATIONS, type Migration, migrate, schemaVersion } from '../../src/store/migrations.ts';
import { StateDir } from './place.ts';
import { change, record, T0 } from './records.ts';

const NEXT: Migration = { name: 'colours', sql: "ALTER TABLE records ADD COLUMN colour TEXT DEFAULT 'red'" };
const BROKEN: Migration = { name: 'broken', sql: 'DELETE FROM records; ALTER TABLE missing ADD COLUMN x' };

/** A state file of the current schema with one record in it, opened bare. */
async function stateFile(dir: StateDir): Promise<DatabaseSync> {
  {
    await using store = await dir.open();
    await store.commit(change({ upserts: [record(1)] }));
  }
  return new DatabaseSync(dir.file);
}

function count(db: DatabaseSync): unknown {
  return db.prepare('SELECT count(*) AS n FROM records').get()?.n;
}

it('a new database is brought to the current version without a copy', () => {
  using db = new DatabaseSync(':memory:');
  expect(schemaVersion(db)).toBe(0);
  expect(migrate(db, MIGRATIONS, { file: ':memory:', now: T0 })).toEqual({});
  expect(schemaVersion(db)).toBe(MIGRATIONS.length);
  expect(migrate(db, MIGRATIONS, { file: ':memory:', now: T0 })).toEqual({});
  expect(
    db
      .prepare('SELECT * FROM migrations')
      .all()
      .map((row) => ({ ...row })),
  ).toEqual(MIGRATIONS.map(({ name }, n) => ({ version: n + 1, name, applied_at: T0 })));
});

it('before an existing file is migrated a private copy of it is kept', async () => {
  await using dir = new StateDir();
  using db = await stateFile(dir);
  const { copy } = migrate(db, [...MIGRATIONS, NEXT], { file: dir.file, now: T0 });
  expect(copy).toBe(`${dir.file}.before-${MIGRATIONS.length + 1}`);
  expect(dir.files()['keyvigil.db.before-2']).toBe('600');
  expect(db.prepare('SELECT colour FROM records').get()?.colour).toBe('red');

  using old = new DatabaseSync(copy!);
  expect(schemaVersion(old)).toBe(MIGRATIONS.length);
  expect(count(old)).toBe(1);
});

it('a step that fails leaves the version and the data as they were, and can be tried again', async () => {
  await using dir = new StateDir();
  using db = await stateFile(dir);
  const where = { file: dir.file, now: T0 };
  expect(() => migrate(db, [...MIGRATIONS, BROKEN], where)).toThrow('no such table');
  expect(schemaVersion(db)).toBe(MIGRATIONS.length);
  expect(count(db)).toBe(1);

  migrate(db, [...MIGRATIONS, NEXT], where);
  expect(schemaVersion(db)).toBe(MIGRATIONS.length + 1);
  expect(Object.keys(dir.files())).toEqual([
    'keyvigil.db',
    'keyvigil.db-shm',
    'keyvigil.db-wal',
    'keyvigil.db.before-2',
  ]);
});

it('a file that was kept by a migration opens again as a state file', async () => {
  await using dir = new StateDir();
  {
    using db = await stateFile(dir);
    migrate(db, [...MIGRATIONS, NEXT], { file: dir.file, now: T0 });
  }
  await expect(dir.open()).rejects.toMatchObject({ reason: 'newer_version' });
  const { openStore } = await import('../../src/store/sqlite.ts');
  const { store } = await openStore(`${dir.file}.before-2`, { now: T0 });
  await using _ = store;
  expect((await store.load()).records).toStrictEqual([record(1)]);
});
