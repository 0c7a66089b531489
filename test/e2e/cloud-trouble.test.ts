/** A cloud that throttles, refuses, lets credentials run out or is slow: what a thousand keys make of it. */
import { describe, expect, it } from 'vitest';
import { company } from './company.ts';
import { startSink } from './sink.ts';
import { series, startWorld, type World } from './world.ts';

const MINUTE = 60_000;
const ACCOUNT = '111122223333';
const ROLE = `arn:aws:iam::${ACCOUNT}:role/keyvigil`;

async function watched(keys: number, change: Parameters<typeof startWorld>[1] = {}) {
  const stack = new AsyncDisposableStack();
  const sink = stack.use(await startSink());
  const yaml = `receivers: [{ name: hook, webhook: { url: "${sink.url}" } }]\n${change.yaml ?? ''}`;
  const world = stack.use(
    await startWorld(
      (region, sandbox) => {
        company(keys)(region);
        sandbox.aws.account(ACCOUNT).role('keyvigil');
      },
      { ...change, yaml },
    ),
  );
  return {
    world,
    told: () => sink.told.map(({ labels, status }) => `${labels.alertname} ${labels.name ?? labels.target} ${status}`),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

function slowestSweep(world: World): number {
  return Math.max(...world.app.snapshot.sources.map(({ sweepDurationMs = 0 }) => sweepDurationMs));
}

describe('half of all calls throttled for five minutes, over 1,000 keys', () => {
  it('loses no key and tells nobody, asks for less than in good times, and is over when it is over', async () => {
    await using all = await watched(500);
    const { world, told } = all;
    await world.pass(2 * MINUTE);
    expect(world.app.snapshot.keys).toHaveLength(1_000);
    const asked = (minutes: number) => world.sandbox.requests.count() / minutes;
    world.sandbox.requests.clear();
    await world.pass(5 * MINUTE);
    const before = asked(5);
    const events = await world.events();

    const fault = world.sandbox.faults.add({ kind: 'throttle' }, { probability: 0.5 });
    world.sandbox.requests.clear();
    await world.pass(5 * MINUTE);
    const during = asked(5);
    expect(fault.hits()).toBeGreaterThan(50);
    expect(world.app.snapshot.keys.filter(({ health }) => health !== 'accessible')).toEqual([]);
    fault.remove();
    world.sandbox.requests.clear();
    await world.pass(3 * MINUTE);
    const after = asked(3);
    console.info(
      `1,000 keys: ${Math.round(before)} requests a minute, ${Math.round(during)} while half are throttled, ${Math.round(after)} after; ` +
        `${fault.hits()} refused, 0 keys lost, slowest sweep ${Math.round(slowestSweep(world))} ms`,
    );
    // Each call is repeated once, no more, and a sweep whose listing is refused twice is left until the next.
    expect(during).toBeLessThanOrEqual(before);
    expect(after).toBeLessThanOrEqual(1.2 * before);
    expect(world.app.snapshot.sources.map(({ up }) => up)).toEqual([true, true]);
    expect(world.app.snapshot.keys.filter((key) => key.blindSince !== undefined)).toEqual([]);
    expect(await world.events()).toEqual(events);
    expect(told()).toEqual([]);
  }, 180_000);
});

describe('a right that is taken away', () => {
  it('from one key of 200 makes that one unknown after half an hour, and nothing else', async () => {
    await using all = await watched(100, { services: '{ kms: {}, secrets-manager: {} }' });
    const { world, told } = all;
    const { resource } = world.key('alias/key-3')!;
    world.sandbox.aws.deny({ account: ACCOUNT, action: 'kms:DescribeKey', resource });
    await world.pass(45 * MINUTE);
    expect(told()).toEqual(['KeyvigilKeyStatusUnknown alias/key-3 firing']);
    expect(world.key(resource)).toMatchObject({ health: 'accessible', blindReason: 'denied' });
    expect(world.app.snapshot.keys.filter((key) => key.blindSince !== undefined)).toHaveLength(1);
  }, 180_000);

  it('from all of them, as when a role is revoked, is one alert of the account', async () => {
    await using all = await watched(250);
    const { world, told } = all;
    const denial = world.sandbox.aws.deny({ account: ACCOUNT, action: '*' });
    await world.pass(25 * MINUTE);
    expect(told()).toEqual(['KeyvigilAccountBlind prod firing']);
    expect(world.app.snapshot.keys.filter(({ health }) => health === 'inaccessible')).toEqual([]);
    denial.remove();
    await world.pass(20 * MINUTE);
    expect(told()).toEqual(['KeyvigilAccountBlind prod firing', 'KeyvigilAccountBlind prod resolved']);
  }, 180_000);
});

describe('credentials that run out', () => {
  it('are renewed where they can be, without a sweep that fails', async () => {
    await using all = await watched(5, { role: ROLE });
    const { world, told } = all;
    const sessions = world.sandbox.requests.count('sts:AssumeRole');
    expect(sessions).toBeGreaterThan(0);
    await world.pass(150 * MINUTE);
    expect(world.sandbox.requests.count('sts:AssumeRole')).toBeGreaterThan(sessions + 1);
    const page = await world.metrics();
    expect(series(page, 'keyvigil_source_up', 'service="kms"')).toBe(1);
    expect(page).not.toMatch(/^keyvigil_source_failures_total\{.*credentials.*\} [1-9]/m);
    expect(told()).toEqual([]);
  }, 180_000);

  it('and are taken back before their time are renewed at the next sweep; gone for good they are one alert, and no key', async () => {
    await using all = await watched(5, { role: ROLE });
    const { world, told } = all;
    world.sandbox.aws.expireSessions();
    await world.pass(6 * MINUTE);
    expect(told()).toEqual([]);
    expect(world.app.snapshot.sources.map(({ up }) => up)).toEqual([true, true]);

    const gone = world.sandbox.faults.add({ kind: 'expired-token' });
    await world.pass(10 * MINUTE);
    expect(world.app.snapshot.sources.map(({ reason }) => reason)).toEqual(['credentials', 'credentials']);
    expect(told()).toEqual(['KeyvigilAccountBlind prod firing']);
    expect(world.app.snapshot.keys.every(({ health }) => health === 'accessible')).toBe(true);
    gone.remove();
    await world.pass(15 * MINUTE);
    expect(told()).toEqual(['KeyvigilAccountBlind prod firing', 'KeyvigilAccountBlind prod resolved']);
  }, 180_000);
});

describe('sweeps that outlive their slot', () => {
  it('follow on one another at once, never two at a time, and miss nothing', async () => {
    await using all = await watched(260, { services: '{ kms: {} }' });
    const { world, told } = all;
    using slow = world.sandbox.faults.add({ kind: 'slow', ms: 4_000 }, { operation: 'DescribeKey' });
    world.sandbox.requests.clear();
    await world.pass(8 * MINUTE);
    const requests = world.sandbox.requests.list().filter(({ service }) => service === 'kms');
    const starts = requests.filter(({ operation }) => operation === 'ListKeys').map(({ at }) => at);
    const ends = starts.slice(1).map((next) => Math.max(...requests.flatMap(({ at }) => (at < next ? at : []))));
    const lasted = ends.map((end, index) => end - (starts[index] ?? end));
    const idle = ends.map((end, index) => (starts[index + 1] ?? end) - end);
    console.info(
      `${starts.length} sweeps of 260 keys in 8 minutes at 4 s a call: each ${Math.round(Math.max(...lasted) / 1_000)} s at most, ` +
        `the next one at most ${Math.round(Math.max(...idle) / 1_000)} s later`,
    );
    expect(slow.hits()).toBeGreaterThan(500);
    expect(Math.min(...lasted.slice(1))).toBeGreaterThan(MINUTE);
    // The last answer is 4 s away when its request is noted; then the next sweep begins.
    expect(Math.max(...idle)).toBeLessThanOrEqual(10_000);
    world.region.kms.disable('alias/key-1');
    await world.until('a loss', 5 * MINUTE, () => world.key('alias/key-1')?.health === 'inaccessible');
    expect(told().filter((line) => !line.includes('key-1'))).toEqual([]);
    expect(world.app.snapshot.sources.map(({ up }) => up)).toEqual([true]);
  }, 180_000);
});
