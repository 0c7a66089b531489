/** When a source is swept: node-cron, a fixed offset per source, no overlap, and an outlived slot starts again at once. */
import { createHash } from 'node:crypto';
import { createTask, type Logger } from 'node-cron';
import { sleep } from './deadline.ts';

/** Share of the interval over which the sources are spread. */
const SPREAD = 0.5;
/** Whoever says nine o'clock does not mean noon; enough to spread any number of sources. */
const SPREAD_AT_MOST_MS = 5 * 60_000;

/** The longest distance between two of the next 25 runs of a schedule, ms: what detection has to wait for at worst. */
export function intervalOf(expression: string, timezone: string, logger: Logger): number {
  const task = createTask(expression, () => undefined, { timezone, logger });
  const runs = task.getNextRuns(25).map((date) => date.getTime());
  void task.destroy();
  let longest = 0;
  for (let at = 1; at < runs.length; at += 1) longest = Math.max(longest, (runs[at] ?? 0) - (runs[at - 1] ?? 0));
  return longest || 60_000;
}

/** A fixed share of the spread for this source, the same in every process, ms: half the interval, at most five minutes. */
export function offsetOf(source: string, intervalMs: number): number {
  const hash = createHash('sha256').update(source).digest().readUInt32BE(0);
  return Math.floor((hash / 2 ** 32) * Math.min(intervalMs * SPREAD, SPREAD_AT_MOST_MS));
}

export interface Schedule extends AsyncDisposable {
  /** Runs now; when a run is under way, another one follows it at once. Resolves when that run ended. */
  trigger(): Promise<void>;
}

/**
 * Runs `run` at once, then by the schedule. Runs never overlap; of the slots that pass during a run one is made up for.
 * @param run must not throw; it is given the signal that ends with the schedule
 */
export function startSchedule(
  options: {
    readonly expression: string;
    readonly timezone: string;
    readonly offsetMs: number;
    readonly intervalMs: number;
    readonly logger: Logger;
  },
  run: (signal: AbortSignal) => Promise<void>,
): Schedule {
  const stop = new AbortController();
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;

  function trigger(): Promise<void> {
    if (stop.signal.aborted) return Promise.resolve();
    if (!running) {
      running = run(stop.signal).finally(() => {
        running = undefined;
      });
      return running;
    }
    next ??= running.then(() => {
      next = undefined;
      return trigger();
    });
    return next;
  }

  async function slot(delayMs = options.offsetMs): Promise<void> {
    try {
      await sleep(delayMs, stop.signal);
    } catch {
      return;
    }
    await trigger();
  }

  const task = createTask(options.expression, () => slot(), {
    timezone: options.timezone,
    logger: options.logger,
    suppressMissedWarning: true,
  });
  // A slot that a busy process slept through is made up for, like one that a long sweep outlived.
  task.on('execution:missed', () => void slot());
  void task.start();
  void trigger();
  // Begun between a slot and its offset: waiting for the next slot would make the first distance the longest of all.
  const passed = (task.getNextRun()?.getTime() ?? 0) - options.intervalMs;
  const left = passed + options.offsetMs - Date.now();
  if (left > 0) void slot(left);

  return {
    trigger,
    async [Symbol.asyncDispose]() {
      stop.abort(new Error('stopped'));
      await task.destroy();
      await running;
      await next;
    },
  };
}
