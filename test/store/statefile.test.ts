import { chmodSync, copyFileSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { MIGRATIONS } from '../../src/store/migrations.ts';
import { openStore } from '../../src/store/sqlite.ts';
import { StateDir } from './place.ts';
import { change, consumer, event, notification, record, T0 } from './records.ts';

const PAGE = 4_096;

/** A closed state file with 200 records, consumers, notifications and events in it. */
async function filled(dir: StateDir): Promise<void> {
  await using store = await dir.open();
  const upserts = Array.from({ length: 200 }, (_, n) => record(n));
  const consumers = { upserts: Array.from({ length: 200 }, (_, n) => consumer(n)) };
  const notifications = { upserts: Array.from({ length: 200 }, (_, n) => notification(n)) };
  await store.commit(change({ upserts, consumers, notifications, events: upserts.map((r) => event(r)) }));
}

/** Changes the database behind the store's back. */
function tamper(dir: StateDir, sql: string): void {
  using db = new DatabaseSync(dir.file);
  db.exec(sql);
}

describe('permissions:', () => {
  it('the file and its log are for the owner only, whatever the umask', async () => {
    await using dir = new StateDir();
    await using store = await dir.open();
    await store.commit(change({ upserts: [record(1)] }));
    expect(dir.files()).toEqual({ 'keyvigil.db': '600', 'keyvigil.db-wal': '600' });
  });

  it('a file that others could read is closed to them', async () => {
    await using dir = new StateDir();
    await filled(dir);
    chmodSync(dir.file, 0o666);
    await using store = await dir.open();
    await store.commit(change({ upserts: [record(1)] }));
    expect(dir.files()).toEqual({ 'keyvigil.db': '600', 'keyvigil.db-wal': '600' });
  });

  it('closing leaves one file with everything in it', async () => {
    await using dir = new StateDir();
    await filled(dir);
    expect(dir.files()).toEqual({ 'keyvigil.db': '600' });
  });
});

describe('a corrupted file is moved aside and a new one begun:', () => {
  const damages: Record<string, (dir: StateDir) => void> = {
    'garbage for a header': (dir) => overwrite(dir, 0, Buffer.alloc(100, 'garbage ')),
    'not a database at all': (dir) => writeFileSync(dir.file, 'state: ./keyvigil.yaml\n'.repeat(500)),
    'cut off in the middle': (dir) => truncateSync(dir.file, Math.floor(statSync(dir.file).size / 2 / PAGE) * PAGE),
    'garbage in a page': (dir) => overwrite(dir, 40 * PAGE, Buffer.alloc(PAGE, 0xa5)),
    'garbage inside records': (dir) => {
      const content = readFileSync(dir.file).toString('latin1');
      writeFileSync(dir.file, content.replaceAll('"rotationRules"', '"rotation\u0001\u0002les"'), 'latin1');
    },
    'garbage inside consumers': (dir) => {
      const content = readFileSync(dir.file).toString('latin1');
      writeFileSync(dir.file, content.replaceAll('"keyIdentifier"', '"key\u0001\u0002entifier"'), 'latin1');
    },
    'garbage inside notifications': (dir) => {
      const content = readFileSync(dir.file).toString('latin1');
      writeFileSync(dir.file, content.replaceAll('"alertname"', '"alert\u0001\u0002me"'), 'latin1');
    },
  };
  for (const [name, damage] of Object.entries(damages)) {
    it(name, async () => {
      await using dir = new StateDir();
      await filled(dir);
      damage(dir);
      const damaged = readFileSync(dir.file);

      const { store, moved } = await openStore(dir.file, { now: T0 });
      await using _ = store;
      expect(moved).toBe(`${dir.file}.corrupt-2026-11-20T00-00-00.000Z`);
      expect(readFileSync(moved!).equals(damaged)).toBe(true);
      expect(dir.files()['keyvigil.db.corrupt-2026-11-20T00-00-00.000Z']).toBe('600');
      expect(await store.load()).toEqual({ records: [], consumers: [], notifications: [], sources: [] });
      await store.commit(change({ upserts: [record(1)] }));
      expect((await store.load()).records).toStrictEqual([record(1)]);
    });
  }

  it('a second one at the same instant does not replace the first', async () => {
    await using dir = new StateDir();
    for (const expected of ['.000Z', '.000Z.2', '.000Z.3']) {
      writeFileSync(dir.file, 'garbage '.repeat(1_000));
      const { store, moved } = await openStore(dir.file, { now: T0 });
      await store[Symbol.asyncDispose]();
      expect(moved).toBe(`${dir.file}.corrupt-2026-11-20T00-00-00${expected}`);
    }
  });

  it('a log whose end is torn is no corruption: the changes before it are there', async () => {
    await using dir = new StateDir();
    await using crashed = new StateDir();
    {
      await using store = await dir.open();
      await store.commit(change({ upserts: [record(1, 'a')] }));
      await store.commit(change({ upserts: [record(1, 'b')] }));
      copyFileSync(dir.file, crashed.file);
      copyFileSync(`${dir.file}-wal`, `${crashed.file}-wal`);
    }
    truncateSync(`${crashed.file}-wal`, statSync(`${crashed.file}-wal`).size - 100);
    const { store, moved } = await openStore(crashed.file, { now: T0 });
    await using _ = store;
    expect(moved).toBeUndefined();
    expect((await store.load()).records).toStrictEqual([record(1, 'a')]);
  });
});

describe('a file that is not for us is refused and left as it is:', () => {
  it('a schema from a newer keyvigil, with both versions named', async () => {
    await using dir = new StateDir();
    await filled(dir);
    tamper(dir, `INSERT INTO migrations VALUES (7, 'from the future', 0)`);
    const before = readFileSync(dir.file);
    await expect(dir.open()).rejects.toMatchObject({
      name: 'StoreError',
      reason: 'newer_version',
      message: `state file ${dir.file} has schema version 7, written by a newer keyvigil; this one knows versions up to ${MIGRATIONS.length}`,
    });
    expect(readFileSync(dir.file).equals(before)).toBe(true);
    expect(Object.keys(dir.files())).toEqual(['keyvigil.db']);
  });

  it('a database of another program', async () => {
    await using dir = new StateDir();
    tamper(dir, 'CREATE TABLE records (id); INSERT INTO records VALUES (1)');
    const before = readFileSync(dir.file);
    await expect(dir.open()).rejects.toMatchObject({ reason: 'foreign' });
    expect(readFileSync(dir.file).equals(before)).toBe(true);
    expect(Object.keys(dir.files())).toEqual(['keyvigil.db']);
  });

  it('a file that another daemon holds; once that ended it is free', async () => {
    await using dir = new StateDir();
    {
      await using first = await dir.open();
      await expect(dir.open()).rejects.toMatchObject({ reason: 'locked' });
      await first.commit(change({ upserts: [record(1)] }));
    }
    await using second = await dir.open();
    expect((await second.load()).records).toHaveLength(1);
  });

  it('a directory, or a file in a directory that is not there', async () => {
    await using dir = new StateDir();
    mkdirSync(dir.file);
    await expect(dir.open()).rejects.toMatchObject({ reason: 'io', message: expect.stringContaining(dir.file) });
    await expect(openStore(join(dir.dir, 'no', 'x.db'), { now: T0 })).rejects.toMatchObject({ reason: 'io' });
  });
});

function overwrite(dir: StateDir, at: number, bytes: Buffer): void {
  const content = readFileSync(dir.file);
  expect(at).toBeGreaterThanOrEqual(0);
  bytes.copy(content, at);
  writeFileSync(dir.file, content);
}
