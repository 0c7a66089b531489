/** Simulated weeks with churn: what is kept must follow what there is, and no more. `SOAK_DAYS` changes how many days. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startSink } from '../e2e/sink.ts';
import { startWorld, type World } from '../e2e/world.ts';
import { seeded } from './seeded.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const DAYS = Number(process.env.SOAK_DAYS ?? 14);
const KEYS = 30;
/** Keys that are lost now and then, each under a secret of its own. */
const FRAGILE = 10;
const SECRETS = 50;
/** Of the secrets, each hour. */
const CHURN = 0.1;
const MIB = 1024 * 1024;

interface Reading {
  readonly day: number;
  readonly heapMib: number;
  readonly series: number;
  readonly alive: number;
  readonly databaseMib: number;
  readonly handles: number;
}

async function read(world: World, day: number): Promise<Reading> {
  globalThis.gc?.();
  const page = await world.metrics();
  const database = ['state.db', 'state.db-wal'].map((name) => {
    return statSync(join(world.directory, name), { throwIfNoEntry: false })?.size ?? 0;
  });
  return {
    day,
    heapMib: process.memoryUsage().heapUsed / MIB,
    series: page.match(/^keyvigil_key_info\{/gm)?.length ?? 0,
    alive: world.app.snapshot.keys.length,
    databaseMib: database.reduce((sum, size) => sum + size, 0) / MIB,
    handles: process.getActiveResourcesInfo().filter((one) => !/Timeout|Immediate|TCP/.test(one)).length,
  };
}

it(`${DAYS} days in which a tenth of the secrets changes hands every hour`, async () => {
  await using sink = await startSink();
  const random = seeded(20_261_122);
  let made = 0;
  const living: string[] = [];
  const create = ({ secrets }: World['region'], keys: readonly string[]) => {
    const name = `prod/${made}`;
    made += 1;
    secrets.create({ Name: name, SecretString: 'x', KmsKeyId: keys[made % keys.length] ?? '' });
    living.push(name);
  };
  const keys: string[] = [];
  const fragile: string[] = [];
  const yaml = `
schedule: "0 */10 * * * *"
policy: { forgetAfter: 12h, describeEvery: 1h, staleAfter: 30m }
retention: { events: 3d }
receivers: [{ name: hook, webhook: { url: "${sink.url}" } }]`;
  await using world = await startWorld(
    (region) => {
      for (let at = 0; at < KEYS; at += 1) keys.push(region.kms.createKey().arn);
      for (let at = 0; at < FRAGILE; at += 1) {
        fragile.push(region.kms.createKey().arn);
        region.secrets.create({ Name: `fragile/${at}`, SecretString: 'x', KmsKeyId: fragile[at] ?? '' });
      }
      for (let at = 0; at < SECRETS; at += 1) create(region, keys);
    },
    { yaml },
  );
  const readings: Reading[] = [];
  const lost = new Set<string>();
  for (let day = 0; day < DAYS; day += 1) {
    for (let hour = 0; hour < 24; hour += 1) {
      const { kms, secrets } = world.region;
      for (let at = 0; at < SECRETS * CHURN; at += 1) {
        const [gone] = living.splice(Math.floor(random() * living.length), 1);
        if (gone !== undefined)
          secrets.delete(gone, random() < 0.5 ? { ForceDeleteWithoutRecovery: true } : { RecoveryWindowInDays: 7 });
        create(world.region, keys);
      }
      const name = living[Math.floor(random() * living.length)];
      if (name !== undefined) secrets.putValue(name, `value ${day} ${hour}`);
      const key = fragile[Math.floor(random() * fragile.length)] ?? '';
      if (lost.has(key)) {
        kms.enable(key);
        lost.delete(key);
      } else if (lost.size < 3) {
        kms.disable(key);
        lost.add(key);
      }
      await world.pass(HOUR);
    }
    sink.told.length = 0;
    readings.push(await read(world, day + 1));
  }
  for (const key of lost) world.region.kms.enable(key);
  // What was deleted with a window of seven days is still there to be recovered: it goes with its own time.
  await world.pass(2 * DAY);
  const end = await read(world, DAYS + 2);
  console.table([...readings.filter(({ day }) => day % 3 === 0 || day === 1), end]);

  expect(end.series).toBe(end.alive);
  const well = world.app.snapshot.keys.filter(({ health }) => health === 'accessible').length;
  expect(well).toBe(living.length + KEYS + 2 * FRAGILE);
  // By then as many secrets reach the end of their window as enter one.
  const settled = readings.slice(DAYS > 8 ? 8 : Math.floor(DAYS / 3));
  const first = settled[0];
  const last = settled.at(-1);
  if (!first || !last) throw new Error('too few days to say anything');
  const grown = last.alive / first.alive;
  // Nothing but what is still there grows, and that only with the secrets that wait for their end.
  expect(last.databaseMib).toBeLessThan(first.databaseMib * grown * 1.5 + 2);
  expect(last.heapMib).toBeLessThan(first.heapMib * grown * 1.25 + 10);
  expect(last.handles).toBeLessThanOrEqual(first.handles + 2);
});
