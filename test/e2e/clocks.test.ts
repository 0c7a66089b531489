/** Clocks that are set while the daemon runs: of the machine, not of the cloud. */
import { describe, expect, it, vi } from 'vitest';
import { company } from './company.ts';
import { startSink } from './sink.ts';
import { startWorld, type World } from './world.ts';

const MINUTE = 60_000;
const HOUR = 3_600_000;
const BOUND = 75_000;

/** A daemon whose machine's clock can be set, away from the cloud's. */
async function startClocks() {
  const stack = new AsyncDisposableStack();
  const sink = stack.use(await startSink());
  let off = 0;
  const yaml = `receivers: [{ name: hook, webhook: { url: "${sink.url}" } }]`;
  const world = stack.use(await startWorld(company(6), { yaml, skewMs: () => -off }));
  world.region.kms.disable('alias/key-1');
  await world.until('the alert', BOUND, () => sink.told.length > 0);
  await world.pass(MINUTE);
  return {
    world,
    told: () => sink.told.map(({ labels, status }) => `${labels.alertname} ${labels.name} ${status}`),
    /** Sets the machine's clock; what is being waited for goes on as it was. */
    set(ms: number) {
      off += ms;
      vi.setSystemTime(Date.now() + ms);
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const LOST = 'KeyvigilKeyInaccessible alias/key-1 firing';

/**
 * A sweep a minute; the first after the clock was set is repeated by the SDK, which learns of it, and the budget counts that
 * on a clock that is not simulated.
 */
const GAP_MS = 2 * MINUTE;

/** Lets time pass and holds that both sources are swept all the while. */
async function sweeps(world: World, minutes: number): Promise<void> {
  for (let minute = 0; minute < minutes; minute += GAP_MS / MINUTE) {
    const count = () =>
      ['kms:ListKeys', 'secretsmanager:ListSecrets'].map((name) => world.sandbox.requests.count(name));
    const before = count();
    await world.pass(GAP_MS);
    expect([minute, ...count().map((now, at) => now > (before[at] ?? 0))]).toEqual([minute, true, true]);
  }
}

describe('a clock of the machine that is set', () => {
  it.each([HOUR, -HOUR, 20 * MINUTE, -20 * MINUTE])(
    'by %i ms while all goes on: no alert begins or ends, no sweep is left out, and a loss is found as fast as ever',
    async (ms) => {
      await using clocks = await startClocks();
      const { world, told, set } = clocks;
      const events = await world.events();
      set(ms);
      await sweeps(world, 8);
      expect(told()).toEqual([LOST]);
      expect(await world.events()).toEqual(events);
      expect(world.app.snapshot.keys.filter((key) => key.blindSince !== undefined)).toEqual([]);
      expect(world.app.snapshot.keys.flatMap(({ findings }) => findings)).toEqual([]);

      world.region.kms.disable('alias/key-2');
      await world.until('the loss', BOUND, () => world.key('alias/key-2')?.health === 'inaccessible');
      world.region.kms.enable('alias/key-1');
      await world.until('the end of the other', BOUND, () => world.key('alias/key-1')?.health === 'accessible');
      await world.pass(MINUTE);
      expect(told().toSorted()).toEqual([
        LOST,
        'KeyvigilKeyInaccessible alias/key-1 resolved',
        'KeyvigilKeyInaccessible alias/key-2 firing',
      ]);

      // And back again.
      set(-ms);
      await sweeps(world, 6);
      expect(told()).toHaveLength(3);
    },
    60_000,
  );

  it('again and again, by seconds and minutes, as a bad time server does', async () => {
    await using clocks = await startClocks();
    const { world, told, set } = clocks;
    for (const ms of [2_000, -2_000, 30_000, -30_000, 240_000, -500, 500, -240_000, 59_000, -59_000]) {
      set(ms);
      await sweeps(world, 2);
    }
    expect(told()).toEqual([LOST]);
    expect((await world.events()).filter(({ type }) => type === 'transition')).toHaveLength(1);
  }, 60_000);

  it('before a restart: nothing is told again, and what was known stands', async () => {
    await using clocks = await startClocks();
    const { world, told, set } = clocks;
    for (const ms of [-HOUR, 2 * HOUR, -HOUR]) {
      await world.stop();
      set(ms);
      await world.start();
      expect(world.key('alias/key-1')?.health).toBe('inaccessible');
      await sweeps(world, 3);
    }
    expect(told()).toEqual([LOST]);
    expect((await world.events()).filter(({ type }) => type === 'transition')).toHaveLength(1);
  }, 60_000);
});
