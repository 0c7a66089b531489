import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { MIGRATIONS, type Migration, migrate, schemaVersion } from '../../src/store/migrations.ts';
import { openStore } from '../../src/store/sqlite.ts';
import { StateDir } from './place.ts';
import { change, consumer, event, notification, record, source, T0 } from './records.ts';

const NEXT: Migration = { name: 'colours', sql: "ALTER TABLE records ADD COLUMN colour TEXT DEFAULT 'red'" };
const BROKEN: Migration = { name: 'broken', sql: 'DELETE FROM records; ALTER TABLE missing ADD COLUMN x' };
const NEXT_COPY = `keyvigil.db.before-${MIGRATIONS.length + 1}`;

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

it('a published step never changes', () => {
  const digest = ({ sql }: Migration) => createHash('sha256').update(sql).digest('hex').slice(0, 16);
  expect(MIGRATIONS.map(digest)).toEqual(['b092284a898cffe2', '8ef84627aad263c4', 'a1da4804c8687763']);
});

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
  expect(dir.files()[NEXT_COPY]).toBe('600');
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
  expect(Object.keys(dir.files())).toEqual(['keyvigil.db', 'keyvigil.db-shm', 'keyvigil.db-wal', NEXT_COPY]);
});

it('a file that was kept by a migration opens again as a state file', async () => {
  await using dir = new StateDir();
  {
    using db = await stateFile(dir);
    migrate(db, [...MIGRATIONS, NEXT], { file: dir.file, now: T0 });
  }
  await expect(dir.open()).rejects.toMatchObject({ reason: 'newer_version' });
  const { store } = await openStore(`${dir.dir}/${NEXT_COPY}`, { now: T0 });
  await using _ = store;
  expect((await store.load()).records).toStrictEqual([record(1)]);
});

describe.each([
  { schema: 1, lacked: 'consumers' },
  { schema: 2, lacked: 'notifications' },
])('a state file of schema $schema, which knew no $lacked:', ({ schema }) => {
  const OLD = T0 - 86_400_000;
  /** What a file of this schema can hold of consumers. */
  const HELD = schema < 2 ? [] : [consumer(2)];
  const COPY = `keyvigil.db.before-${MIGRATIONS.length}`;

  /** Makes one with two records, their versions and events, a source, and what else it knew; gives it still open. */
  function oldFile(file: string): DatabaseSync {
    const db = new DatabaseSync(file);
    db.exec('PRAGMA journal_mode = WAL');
    migrate(db, MIGRATIONS.slice(0, schema), { file, now: OLD });
    for (const kept of [record(1), record(2)]) {
      const { resource, stub, facts } = kept;
      db.prepare('INSERT INTO records (resource, kind, body) VALUES (?, ?, ?)').run(
        resource,
        stub.kind,
        JSON.stringify(kept),
      );
      db.prepare(
        `INSERT INTO versions (record, version, created_at, detected_at)
         SELECT id, ?, ?, ? FROM records WHERE resource = ?`,
      ).run(facts!.version!.id, facts!.version!.createdAt!, OLD, resource);
      db.prepare('INSERT INTO events (at, type, resource, kind) VALUES (?, ?, ?, ?)').run(
        OLD,
        'first_seen',
        resource,
        stub.kind,
      );
    }
    db.prepare('INSERT INTO sources (source, body) VALUES (?, ?)').run(
      'video-prod/eu-west-1/kms',
      JSON.stringify(source('kms')),
    );
    for (const held of HELD) {
      const row = [held.resource, held.stub.kind, JSON.stringify(held)];
      db.prepare('INSERT INTO consumers (resource, kind, body) VALUES (?, ?, ?)').run(...row);
    }
    return db;
  }

  /** Opens it, and expects all that was there, room for what it lacked, and the copy. */
  async function expectMigrated(dir: StateDir): Promise<void> {
    {
      const { store, moved, copy } = await openStore(dir.file, { now: T0 });
      await using _ = store;
      expect({ moved, copy }).toEqual({ moved: undefined, copy: `${dir.file}.before-${MIGRATIONS.length}` });
      const kept = { records: [record(1), record(2)], sources: [source('kms')] };
      expect(await store.load()).toStrictEqual({ ...kept, consumers: HELD, notifications: [] });
      const seen = [event(record(1), { at: OLD }), event(record(2), { at: OLD })];
      expect(await store.events({ limit: 10 })).toStrictEqual(seen.map((e, n) => ({ id: n + 1, ...e })));
      const { id: version, createdAt } = record(1).facts!.version!;
      expect(await store.versions(record(1).resource)).toStrictEqual([{ version, createdAt, detectedAt: OLD }]);

      const added = { consumers: [consumer(1)], notifications: [notification(1)] };
      await store.commit(
        change({
          consumers: { upserts: added.consumers },
          notifications: { upserts: added.notifications },
          events: [event(consumer(1))],
        }),
      );
      expect(await store.load()).toStrictEqual({ ...kept, ...added, consumers: [...HELD, ...added.consumers] });
      expect(await store.events({ after: 2, limit: 10 })).toStrictEqual([{ id: 3, ...event(consumer(1)) }]);
    }
    expect(dir.files()).toEqual({ 'keyvigil.db': '600', [COPY]: '600' });
    using old = new DatabaseSync(`${dir.dir}/${COPY}`);
    expect(schemaVersion(old)).toBe(schema);
    expect(count(old)).toBe(2);
    const again = await openStore(dir.file, { now: T0 });
    await again.store[Symbol.asyncDispose]();
    expect(again.copy).toBeUndefined();
  }

  it('it keeps everything and lacks nothing any more', async () => {
    await using dir = new StateDir();
    oldFile(dir.file).close();
    await expectMigrated(dir);
  });

  it('so does one whose daemon was killed, with everything still in the log', async () => {
    await using dead = new StateDir();
    await using dir = new StateDir();
    using db = oldFile(dead.file);
    for (const suffix of ['', '-wal']) copyFileSync(dead.file + suffix, dir.file + suffix);
    expect(count(db)).toBe(2);
    await expectMigrated(dir);
  });

  it('a migration that was interrupted after its copy is done again, copy included', async () => {
    await using dir = new StateDir();
    oldFile(dir.file).close();
    writeFileSync(`${dir.dir}/${COPY}`, 'an older copy');
    writeFileSync(`${dir.dir}/${COPY}.part`, 'half a copy');
    await expectMigrated(dir);
  });

  it('without room for the copy it is refused and left as it is', async () => {
    await using dir = new StateDir();
    oldFile(dir.file).close();
    const before = readFileSync(dir.file);
    mkdirSync(`${dir.dir}/${COPY}.part`);
    await expect(dir.open()).rejects.toMatchObject({ name: 'StoreError', reason: 'io' });
    expect(readFileSync(dir.file).equals(before)).toBe(true);
    rmdirSync(`${dir.dir}/${COPY}.part`);
    await expectMigrated(dir);
  });

  it('a corrupted one is moved aside, not migrated', async () => {
    await using dir = new StateDir();
    using db = oldFile(dir.file);
    db.exec(`UPDATE records SET body = '{"resource":' WHERE id = 2`);
    db.close();
    const { store, moved, copy } = await openStore(dir.file, { now: T0 });
    await using _ = store;
    expect(copy).toBeUndefined();
    using aside = new DatabaseSync(moved!);
    expect(schemaVersion(aside)).toBe(schema);
    expect(await store.load()).toEqual({ records: [], consumers: [], notifications: [], sources: [] });
    await store.commit(change({ consumers: { upserts: [consumer(1)] } }));
    expect((await store.load()).consumers).toStrictEqual([consumer(1)]);
  });
});
