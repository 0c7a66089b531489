import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { intervalOf, offsetOf, startSchedule } from '../../src/engine/schedule.ts';

const logger = { info: () => undefined, warn: () => undefined, error: () => undefined, debug: () => undefined };

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse('2026-11-22T10:00:00.500Z') });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('intervalOf', () => {
  it.each([
    ['0 * * * * *', 60_000],
    ['*/5 * * * * *', 5_000],
    ['0 */15 * * * *', 900_000],
    ['0,10 * * * * *', 50_000],
    ['0 */5 9-10 * * *', 300_000],
    ['0 0 9-16 * * *', 3_600_000],
    ['0 0 9,12 * * *', 21 * 3_600_000],
  ])('%s is at worst %i ms', (expression, ms) => {
    expect(intervalOf(expression, 'UTC', logger)).toBe(ms);
  });
});

describe('offsetOf', () => {
  it('is the same every time, differs by source and stays within half an interval', () => {
    const offsets = Array.from({ length: 200 }, (_, at) => offsetOf(`target/eu-west-1/service-${at}`, 60_000));
    expect(offsets).toEqual(Array.from({ length: 200 }, (_, at) => offsetOf(`target/eu-west-1/service-${at}`, 60_000)));
    expect(new Set(offsets).size).toBeGreaterThan(190);
    expect(Math.max(...offsets)).toBeLessThan(30_000);
    expect(Math.max(...offsets) - Math.min(...offsets)).toBeGreaterThan(25_000);
  });

  it('stays within minutes of what a rare schedule says', () => {
    const day = 24 * 3_600_000;
    const offsets = Array.from({ length: 200 }, (_, at) => offsetOf(`target/eu-west-1/service-${at}`, 365 * day));
    expect(Math.max(...offsets)).toBeLessThan(300_000);
  });
});

describe('startSchedule', () => {
  function recorder(lasting: number) {
    const runs: Array<{ from: string; to?: string }> = [];
    let running = 0;
    let most = 0;
    const clock = () => new Date().toISOString().slice(14, 19);
    return {
      runs,
      most: () => most,
      async run() {
        const run: { from: string; to?: string } = { from: clock() };
        runs.push(run);
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setTimeout(resolve, lasting));
        running -= 1;
        run.to = clock();
      },
    };
  }
  const everyMinute = {
    expression: '0 * * * * *',
    timezone: 'UTC',
    offsetMs: 7_000,
    intervalMs: 60_000,
    pauseMs: 60_000,
    logger,
  };

  it('runs at once and then at its offset after every slot', async () => {
    const { runs, run } = recorder(10);
    const schedule = startSchedule(everyMinute, run);
    await vi.advanceTimersByTimeAsync(180_000);
    expect(runs.map(({ from }) => from)).toEqual(['00:00', '00:07', '01:07', '02:07']);
    await disposed(schedule);
  });

  it('that begins after the offset of the slot before waits for the next one', async () => {
    vi.setSystemTime(Date.parse('2026-11-22T10:00:20Z'));
    const { runs, run } = recorder(10);
    const schedule = startSchedule(everyMinute, run);
    await vi.advanceTimersByTimeAsync(120_000);
    expect(runs.map(({ from }) => from)).toEqual(['00:20', '01:07', '02:07']);
    await disposed(schedule);
  });

  it('rests when the schedule does, and begins again with its first slot', async () => {
    vi.setSystemTime(Date.parse('2026-11-22T16:58:30Z'));
    const from: string[] = [];
    const office = { expression: '0 * 9-16 * * *', pauseMs: 16 * 3_600_000 + 60_000 };
    const schedule = startSchedule({ ...everyMinute, ...office }, async () => {
      from.push(new Date().toISOString().slice(8, 19));
    });
    await vi.advanceTimersByTimeAsync(16 * 3_600_000 + 3 * 60_000);
    expect(from).toEqual(['22T16:58:30', '22T16:59:07', '23T09:00:07', '23T09:01:07']);
    await disposed(schedule);
  });

  it('that begins at night looks once, and then not before the morning', async () => {
    vi.setSystemTime(Date.parse('2026-11-22T23:00:00Z'));
    const from: string[] = [];
    const office = { expression: '0 * 9-16 * * *', pauseMs: 16 * 3_600_000 + 60_000 };
    const schedule = startSchedule({ ...everyMinute, ...office }, async () => {
      from.push(new Date().toISOString().slice(8, 19));
    });
    await vi.advanceTimersByTimeAsync(10 * 3_600_000 + 60_000);
    expect(from).toEqual(['22T23:00:00', '23T09:00:07']);
    await disposed(schedule);
  });

  it('never runs twice at a time, and starts again at once after a run that outlived its slot', async () => {
    const { runs, most, run } = recorder(90_000);
    const schedule = startSchedule(everyMinute, run);
    await vi.advanceTimersByTimeAsync(200_000);
    expect(most()).toBe(1);
    expect(runs.map(({ from }) => from)).toEqual(['00:00', '01:30', '03:00']);
    await disposed(schedule);
  });

  it('makes up for several slots with one run', async () => {
    const { runs, run } = recorder(250_000);
    const schedule = startSchedule(everyMinute, run);
    await vi.advanceTimersByTimeAsync(255_000);
    expect(runs).toHaveLength(2);
    await disposed(schedule);
  });

  it('runs when it is asked to, and once more when it is asked during a run', async () => {
    const { runs, run } = recorder(1_000);
    const schedule = startSchedule(everyMinute, run);
    const second = schedule.trigger();
    const third = schedule.trigger();
    await vi.advanceTimersByTimeAsync(3_000);
    await Promise.all([second, third]);
    expect(runs).toHaveLength(2);
    await disposed(schedule);
  });

  it('waits for the run under way when it is disposed, and starts no other', async () => {
    const { runs, run } = recorder(5_000);
    const schedule = startSchedule(everyMinute, run);
    void schedule.trigger();
    await vi.advanceTimersByTimeAsync(1_000);
    await disposed(schedule);
    expect(runs).toHaveLength(1);
    expect(runs[0]?.to).toBeDefined();
    await vi.advanceTimersByTimeAsync(300_000);
    expect(runs).toHaveLength(1);
  });

  async function disposed(schedule: AsyncDisposable): Promise<void> {
    const done = schedule[Symbol.asyncDispose]();
    await vi.advanceTimersByTimeAsync(600_000);
    await done;
  }
});
