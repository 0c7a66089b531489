/** The daemon over a state file that fails: it goes on looking, telling and exporting, and keeps what it could not write. */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { startSandbox } from '../../src/sandbox/sandbox.ts';
import { type Child, createPlace, listening, logLines, runCli, startCli } from '../cli/child.ts';
import { startSink } from './sink.ts';
import { hasSmallDisks, mountSmallDisk } from './small-disk.ts';
import { series } from './world.ts';

const ACCOUNT = '111122223333';
/** What the store lacks is offered again every ten seconds. */
const OFFERED_AGAIN_MS = 25_000;

/** A cloud, a receiver, and a daemon's place; it looks every second. */
async function setStage() {
  const stack = new AsyncDisposableStack();
  const sandbox = stack.use(await startSandbox({ seed: 14 }));
  const sink = stack.use(await startSink());
  const account = sandbox.aws.account(ACCOUNT);
  const region = account.region('eu-west-1');
  for (let at = 0; at < 12; at += 1) {
    const { arn, keyId } = region.kms.createKey();
    region.kms.alias(`alias/key-${at}`, keyId);
    region.secrets.create({ Name: `prod/secret-${at}`, SecretString: 'x', KmsKeyId: arn });
  }
  const place = stack.use(createPlace(account.credentials));
  mkdirSync(join(place.directory, 'state'));
  const config = place.file(
    'keyvigil.yml',
    `listen: 127.0.0.1:0
state: state/keyvigil.db
schedule: "*/1 * * * * *"
targets: [{ name: prod, provider: aws, regions: [eu-west-1], endpoint: "${sandbox.url}", services: { kms: {}, secrets-manager: {} } }]
receivers: [{ name: hook, webhook: { url: "${sink.url}" } }]
`,
  );
  return {
    region,
    sink,
    place,
    config,
    file: join(place.directory, 'state', 'keyvigil.db'),
    told: () => sink.told.map(({ labels, status }) => `${labels.name} ${status}`),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

async function page(url: string): Promise<string> {
  return (await fetch(`${url}/metrics`)).text();
}

/** Waits until a series has a value. */
function reads(child: Child, url: string, name: string, value: number, label = '', limitMs?: number): Promise<true> {
  const read = async () => {
    const text = await page(url);
    const bare = new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1];
    return (bare === undefined ? series(text, name, label) : Number(bare)) === value ? true : undefined;
  };
  return child.until(`${name} ${label} to be ${value}`, read, limitMs);
}

const storeUp = (child: Child, url: string, value: 0 | 1) =>
  reads(child, url, 'keyvigil_store_up', value, '', OFFERED_AGAIN_MS);

async function transitions(url: string): Promise<string[]> {
  const { events } = (await (await fetch(`${url}/api/v1/events?limit=1000`)).json()) as {
    events: { type: string; resource: string; to?: string }[];
  };
  return events.flatMap(({ type, resource, to }) => (type === 'transition' ? `${resource} ${to}` : []));
}

async function watching(child: Child): Promise<string> {
  const url = await listening(child);
  await reads(child, url, 'keyvigil_source_up', 1, 'service="kms"');
  await reads(child, url, 'keyvigil_source_up', 1, 'service="secrets-manager"');
  return url;
}

/** Lets a daemon see everything once and stop in order. */
async function filled({ place }: { readonly place: Parameters<typeof startCli>[1] }): Promise<void> {
  await using child = startCli(['serve'], place);
  await watching(child);
  child.signal('SIGTERM');
  expect(await child.ended).toBe(0);
}

function integrity(file: string): unknown {
  using db = new DatabaseSync(file);
  return db.prepare('PRAGMA integrity_check').get()?.integrity_check;
}

describe.skipIf(!hasSmallDisks())('a disk that is full', () => {
  it('while it runs: losses are seen, told and exported; what was not written is, once there is room', async () => {
    await using stage = await setStage();
    const { region, place, config, sink, told } = stage;
    await using disk = await mountSmallDisk(join(place.directory, 'state'), 2_048);
    let resource: string;
    {
      await using child = startCli(['serve', '--config.file', config], place, {}, disk.through);
      const url = await watching(child);
      await storeUp(child, url, 1);
      disk.fill();
      region.kms.disable('alias/key-1');
      await reads(child, url, 'keyvigil_key_accessible', 0, '"alias/key-1"', 30_000);
      await child.until('the alert', () => (sink.told.length > 0 ? true : undefined));
      await storeUp(child, url, 0);
      expect((await fetch(`${url}/-/ready`)).status).toBe(200);
      // And it goes on: another one, and the first one well again.
      region.kms.disable('alias/key-2');
      region.kms.enable('alias/key-1');
      await reads(child, url, 'keyvigil_key_accessible', 0, '"alias/key-2"', 30_000);
      await reads(child, url, 'keyvigil_key_accessible', 1, '"alias/key-1"', 30_000);
      await child.until('the other alerts', () => (sink.told.length > 2 ? true : undefined));
      resource = region.kms.createKey().arn;
      await reads(child, url, 'keyvigil_key_accessible', 1, resource, 30_000);
      await reads(child, url, 'keyvigil_store_up', 0);
      expect(told().toSorted()).toEqual(['alias/key-1 firing', 'alias/key-1 resolved', 'alias/key-2 firing']);

      disk.free();
      await storeUp(child, url, 1);
      const written = (await transitions(url)).map((line) => line.split(' ')[1]);
      expect(written.toSorted()).toEqual(['accessible', 'inaccessible', 'inaccessible']);
      const said = logLines(child).filter(({ level }) => level === 50);
      expect(said.length).toBeLessThanOrEqual(2);
      child.signal('SIGKILL');
      await child.ended;
    }
    const copy = join(place.directory, 'copy.db');
    for (const end of ['', '-wal']) copyFileSync(disk.path(`keyvigil.db${end}`), `${copy}${end}`);
    expect(integrity(copy)).toBe('ok');

    await using child = startCli(['serve', '--config.file', config], place, {}, disk.through);
    const url = await listening(child);
    const first = await page(url);
    expect(series(first, 'keyvigil_key_accessible', '"alias/key-2"')).toBe(0);
    expect(series(first, 'keyvigil_key_accessible', '"alias/key-1"')).toBe(1);
    expect(series(first, 'keyvigil_key_accessible', resource)).toBe(1);
    await watching(child);
    expect(sink.told).toHaveLength(3);
  }, 180_000);

  it('when it starts: what was known is shown, losses are found and told, and it takes down what it can later', async () => {
    await using stage = await setStage();
    const { region, place, config, told } = stage;
    await using disk = await mountSmallDisk(join(place.directory, 'state'), 2_048);
    {
      await using child = startCli(['serve', '--config.file', config], place, {}, disk.through);
      const url = await watching(child);
      region.kms.disable('alias/key-1');
      await child.until('the alert', () => (told().length > 0 ? true : undefined), 30_000);
      await storeUp(child, url, 1);
      child.signal('SIGKILL');
      await child.ended;
    }
    disk.fill();
    region.kms.disable('alias/key-2');
    await using child = startCli(['serve', '--config.file', config], place, {}, disk.through);
    const url = await listening(child);
    expect(series(await page(url), 'keyvigil_key_accessible', '"alias/key-1"')).toBe(0);
    await reads(child, url, 'keyvigil_key_accessible', 0, '"alias/key-2"', 30_000);
    await child.until('its alert', () => (told().length > 1 ? true : undefined));
    await storeUp(child, url, 0);
    expect((await fetch(`${url}/-/ready`)).status).toBe(200);
    disk.free();
    await storeUp(child, url, 1);
    expect(told()).toEqual(['alias/key-1 firing', 'alias/key-2 firing']);
  }, 180_000);
});

it('a state file that cannot be written: everything else goes on, and it says so', async () => {
  await using stage = await setStage();
  const { region, place, told, file } = stage;
  await filled(stage);
  // A format that SQLite may read but not write (https://www.sqlite.org/fileformat.html, offset 18): root is refused too.
  const content = readFileSync(file);
  const before = Buffer.from(content);
  content[18] = 3;
  writeFileSync(file, content);
  {
    await using child = startCli(['serve'], place);
    const url = await watching(child);
    await storeUp(child, url, 0);
    expect((await fetch(`${url}/-/ready`)).status).toBe(200);
    region.kms.disable('alias/key-3');
    await reads(child, url, 'keyvigil_key_accessible', 0, '"alias/key-3"', 30_000);
    await child.until('the alert', () => (told().length > 0 ? true : undefined));
    child.signal('SIGTERM');
    expect(await child.ended).toBe(0);
  }
  expect(readFileSync(file).equals(content)).toBe(true);
  writeFileSync(file, before);
  await using child = startCli(['serve'], place);
  const url = await watching(child);
  await reads(child, url, 'keyvigil_key_accessible', 0, '"alias/key-3"', 30_000);
  await storeUp(child, url, 1);
}, 180_000);

it('a damaged state file is moved aside, and watching begins anew', async () => {
  await using stage = await setStage();
  const { place, file } = stage;
  await filled(stage);
  const content = readFileSync(file);
  content.fill(0xa5, 4_096, 12_288);
  writeFileSync(file, content);
  await using child = startCli(['serve'], place);
  const url = await watching(child);
  const moved = logLines(child).find((line) => line.moved !== undefined);
  expect(moved).toMatchObject({ level: 50, moved: expect.stringContaining('keyvigil.db.corrupt-') });
  expect(readFileSync(String(moved?.moved)).equals(content)).toBe(true);
  await storeUp(child, url, 1);
  expect(series(await page(url), 'keyvigil_key_accessible', '"alias/key-1"')).toBe(1);
}, 60_000);

it('a state file of a newer keyvigil is refused and left as it is', async () => {
  await using stage = await setStage();
  const { place, file } = stage;
  await filled(stage);
  {
    using db = new DatabaseSync(file);
    db.exec("INSERT INTO migrations VALUES (99, 'from the future', 0)");
  }
  const before = readFileSync(file);
  const { code, err } = await runCli(['serve'], place);
  expect([code, /schema version 99, written by a newer keyvigil/.test(err)]).toEqual([1, true]);
  expect(readFileSync(file).equals(before)).toBe(true);
  expect(readdirSync(join(place.directory, 'state'))).toEqual(['keyvigil.db']);
}, 60_000);

it('a state file that another holds is waited for in vain, and is free once that ended; nobody disturbs the holder', async () => {
  await using stage = await setStage();
  const { region, place, file } = stage;
  {
    await using child = startCli(['serve'], place);
    const url = await watching(child);
    const second = await runCli(['serve'], place);
    expect([second.code, /in use by another process/.test(second.err)]).toEqual([1, true]);
    using stranger = new DatabaseSync(file, { timeout: 100 });
    expect(() => stranger.prepare('SELECT count(*) FROM records').get()).toThrow(/locked/);
    region.kms.disable('alias/key-5');
    await reads(child, url, 'keyvigil_key_accessible', 0, '"alias/key-5"', 30_000);
    await storeUp(child, url, 1);
    child.signal('SIGKILL');
    await child.ended;
  }
  {
    using holder = new DatabaseSync(file);
    holder.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    const { code, err } = await runCli(['serve'], place);
    expect([code, /in use by another process/.test(err)]).toEqual([1, true]);
  }
  await using child = startCli(['serve'], place);
  const url = await listening(child);
  expect(series(await page(url), 'keyvigil_key_accessible', '"alias/key-5"')).toBe(0);
}, 120_000);
