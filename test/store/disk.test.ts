import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { toStoreError } from '../../src/store/failure.ts';
import { StoreError } from '../../src/store/store.ts';
import { type Outcome, SIZES } from './disk-child.ts';
import { StateDir } from './place.ts';
import { change, event, record } from './records.ts';

it('a change for which there is no room leaves nothing; what fits afterwards is committed', async () => {
  await using dir = new StateDir();
  const script = new URL('./disk-child.ts', import.meta.url).pathname;
  // A limit on the size of files (512-byte blocks: 1 MB) refuses writes as a full disk does, without root.
  const limited = ['-c', 'ulimit -f 2048 && exec "$@"', 'sh', process.execPath, script, dir.file];
  const { stdout } = await promisify(execFile)('sh', limited);
  const { outcomes, ...held } = JSON.parse(stdout) as Outcome;
  expect(outcomes).toEqual(['committed', 'io', 'committed']);
  expect(held).toEqual({ records: 20, consumers: 20, notifications: 20, events: 30 });

  // And in a process without the limit the change that did not fit is taken.
  await using store = await dir.open();
  expect((await store.load()).records).toHaveLength(20);
  const upserts = Array.from({ length: SIZES[1]! }, (_, n) => record(n));
  await store.commit(change({ upserts }));
  expect((await store.load()).records).toHaveLength(SIZES[1]!);
});

it('a database that is full says so, loses nothing, and goes on when there is room', async () => {
  await using dir = new StateDir();
  const first = change({ upserts: [record(1)], events: [event(record(1))] });
  const second = change({ upserts: [record(2)], events: [event(record(2))] });
  {
    await using store = await dir.open();
    await store.commit(first);
  }
  // The one way to SQLITE_FULL without a real full disk: no event id is left.
  const lastId = (id: bigint) => {
    using db = new DatabaseSync(dir.file);
    db.prepare("UPDATE sqlite_sequence SET seq = ? WHERE name = 'events'").run(id);
  };
  lastId(2n ** 63n - 1n);
  {
    await using store = await dir.open();
    await expect(store.commit(second)).rejects.toMatchObject({ reason: 'full' });
    expect((await store.load()).records).toStrictEqual([record(1)]);
    expect(await store.events({ limit: 10 })).toHaveLength(1);
    await store.commit(change({ upserts: [record(3)] }));
  }
  lastId(1n);
  await using store = await dir.open();
  await store.commit(second);
  expect((await store.load()).records).toStrictEqual([record(1), record(3), record(2)]);
  expect((await store.events({ limit: 10 })).map((e) => e.id)).toEqual([1, 2]);
});

it('a read-only file can be read, and refuses changes', async () => {
  await using dir = new StateDir();
  {
    await using store = await dir.open();
    await store.commit(change({ upserts: [record(1)] }));
  }
  // A format that SQLite may read but not write (https://www.sqlite.org/fileformat.html, offset 18): root is refused too.
  const content = readFileSync(dir.file);
  content[18] = 3;
  writeFileSync(dir.file, content);
  await using store = await dir.open();
  expect((await store.load()).records).toStrictEqual([record(1)]);
  await expect(store.commit(change({ upserts: [record(2)] }))).rejects.toMatchObject({ reason: 'read_only' });
  expect((await store.load()).records).toStrictEqual([record(1)]);
});

describe('every error has a reason:', () => {
  const errors: [unknown, string][] = [
    [{ errcode: 5 }, 'locked'],
    [{ errcode: 261 }, 'locked'], // SQLITE_BUSY_RECOVERY
    [{ errcode: 8 }, 'read_only'],
    [{ errcode: 1032 }, 'read_only'], // SQLITE_READONLY_DBMOVED
    [{ errcode: 11 }, 'corrupt'],
    [{ errcode: 779 }, 'corrupt'], // SQLITE_CORRUPT_INDEX
    [{ errcode: 26 }, 'corrupt'],
    [{ errcode: 13 }, 'full'],
    [{ errcode: 1 }, 'rejected'],
    [{ errcode: 1299 }, 'rejected'], // SQLITE_CONSTRAINT_NOTNULL
    [{ errcode: 10 }, 'io'],
    [{ errcode: 778 }, 'io'], // SQLITE_IOERR_WRITE
    [{ errcode: 14 }, 'io'], // SQLITE_CANTOPEN
    [{ code: 'ENOSPC' }, 'full'],
    [{ code: 'EDQUOT' }, 'full'],
    [{ code: 'EROFS' }, 'read_only'],
    [{ code: 'EACCES' }, 'read_only'],
    [{ code: 'EPERM' }, 'read_only'],
    [{ code: 'EISDIR' }, 'io'],
    [{ code: 'ERR_INVALID_ARG_TYPE' }, 'rejected'],
    [new Error('something else'), 'io'],
    ['not an error', 'io'],
    [new StoreError('foreign', 'x'), 'foreign'],
  ];
  it.each(errors)('%o is %s', (error, reason) => {
    expect(toStoreError(error, 'keyvigil.db').reason).toBe(reason);
  });

  it('the error names the file and keeps its cause', () => {
    const cause = Object.assign(new Error('database or disk is full'), { errcode: 13 });
    const error = toStoreError(cause, '/var/lib/keyvigil.db');
    expect(error.message).toBe('state file /var/lib/keyvigil.db: database or disk is full');
    expect(error.cause).toBe(cause);
  });
});
