/** Sweeps while somebody sets the clock: what is waited for is time that passes, not what a clock says. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { startSchedule } from '../../src/engine/schedule.ts';

const logger = { info: () => undefined, warn: () => undefined, error: () => undefined, debug: () => undefined };
const SECOND = 1_000;
const MINUTE = 60_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

afterEach(() => {
  vi.useRealTimers();
});

/** Starts a schedule at an instant; its runs are noted by time that passed, which no jump changes. */
function running(at: string, expression: string, timezone: string, intervalMs: number) {
  vi.useFakeTimers({ now: Date.parse(at) });
  let passed = 0;
  const runs: number[] = [];
  const schedule = startSchedule(
    { expression, timezone, offsetMs: 0, intervalMs, pauseMs: intervalMs, logger },
    async () => {
      runs.push(passed);
    },
  );
  return {
    runs,
    async pass(ms: number, stepMs = SECOND) {
      for (const until = passed + ms; passed < until; passed += stepMs) await vi.advanceTimersByTimeAsync(stepMs);
    },
    jump: (ms: number) => vi.setSystemTime(Date.now() + ms),
    /** The longest time without a run since `from`, ms. */
    longestGap(from: number) {
      const since = [...runs.filter((one) => one >= from), passed];
      return Math.max(...since.map((one, index) => one - (since[index - 1] ?? from)));
    },
    now: () => passed,
    async [Symbol.asyncDispose]() {
      const done = schedule[Symbol.asyncDispose]();
      await vi.advanceTimersByTimeAsync(SECOND);
      await done;
    },
  };
}

describe('a schedule of every minute', () => {
  it.each([HOUR, -HOUR, 90 * SECOND, -90 * SECOND, 30 * SECOND, -30 * SECOND, DAY, -DAY, 365 * DAY])(
    'whose clock jumps by %i ms leaves out no sweep',
    async (ms) => {
      await using schedule = running('2026-11-22T10:00:00.500Z', '0 * * * * *', 'UTC', MINUTE);
      await schedule.pass(5 * MINUTE);
      const from = schedule.now();
      schedule.jump(ms);
      await schedule.pass(10 * MINUTE);
      expect(schedule.longestGap(from)).toBeLessThanOrEqual(MINUTE + 2 * SECOND);
      const count = schedule.runs.filter((one) => one > from).length;
      expect(count).toBeGreaterThanOrEqual(9);
      expect(count).toBeLessThanOrEqual(13);
    },
  );

  it('whose clock is stepped again and again leaves out none either', async () => {
    await using schedule = running('2026-11-22T10:00:00.500Z', '0 * * * * *', 'UTC', MINUTE);
    for (let at = 0; at < 30; at += 1) {
      await schedule.pass(37 * SECOND);
      schedule.jump([4_000, -4_000, 900, -900, 25_000, -25_000][at % 6] ?? 0);
    }
    expect(schedule.longestGap(0)).toBeLessThanOrEqual(2 * MINUTE);
  });
});

describe('a change of summer time', () => {
  it.each([
    ['autumn', '2026-10-24T22:00:00Z'],
    ['spring', '2027-03-27T22:00:00Z'],
  ])('in %s leaves out no sweep of every five minutes', async (_, at) => {
    await using schedule = running(at, '0 */5 * * * *', 'Europe/Berlin', 5 * MINUTE);
    await schedule.pass(8 * HOUR);
    expect(schedule.longestGap(0)).toBe(5 * MINUTE);
    expect(schedule.runs.length).toBeGreaterThanOrEqual(96);
    expect(schedule.runs.length).toBeLessThanOrEqual(98);
  });

  it.each([
    ['autumn', '2026-10-23T12:00:00Z', 25 * HOUR],
    ['spring', '2027-03-26T12:00:00Z', 25 * HOUR],
  ])('in %s leaves no day without its sweep at an hour that is not there or there twice', async (_, at, most) => {
    await using schedule = running(at, '0 30 2 * * *', 'Europe/Berlin', DAY);
    await schedule.pass(4 * DAY, MINUTE);
    expect(schedule.longestGap(0)).toBeLessThanOrEqual(most);
    expect(schedule.runs.length).toBeGreaterThanOrEqual(5);
    expect(schedule.runs.length).toBeLessThanOrEqual(6);
  });
});
