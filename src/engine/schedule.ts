/**
 * When a source is swept: node-cron says at which times, a fixed offset per source, no overlap, and an outlived slot starts
 * again at once. The waiting is done here: node-cron's own waits an hour when a clock is set back by one, leaves out the
 * hour that autumn has twice, and counts every single slot that a clock jumped over.
 */
import { createHash } from 'node:crypto';
import { createTask, type Logger } from 'node-cron';
import { sleep } from './deadline.ts';

const HOUR_MS = 3_600_000;
/** Share of the interval over which the sources are spread. */
const SPREAD = 0.5;
/** Whoever says nine o'clock does not mean noon; enough to spread any number of sources. */
const SPREAD_AT_MOST_MS = 5 * 60_000;

/** A clock that is set is noticed within this time, ms. */
const CLOCK_CHECK_MS = 60_000;
/** A timer may be this much early by the wall clock, ms. */
const EARLY_MS = 1_000;

/**
 * The longest distance between two of the next 25 runs of a schedule, ms: how often it runs while it does. Rests of more than an
 * hour between shorter distances are left to `rhythmOf`. The hours that a change of summer time takes or gives do not count.
 */
export function intervalOf(expression: string, timezone: string, logger: Logger): number {
  return Math.min(longestDistance(expression, timezone, logger), longestDistance(expression, 'UTC', logger)) || 60_000;
}

function longestDistance(expression: string, timezone: string, logger: Logger): number {
  const task = createTask(expression, () => undefined, { timezone, logger });
  const runs = task.getNextRuns(25).map((date) => date.getTime());
  void task.destroy();
  const distances = runs.slice(1).map((run, at) => run - (runs[at] ?? run));
  // The night among them says nothing of how often it runs by day.
  const within = distances.filter((ms) => ms <= HOUR_MS);
  return Math.max(0, ...(within.length > 0 ? within : distances));
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
    /** The longest that the schedule itself ever rests. */
    readonly pauseMs: number;
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

  const task = createTask(options.expression, () => undefined, { timezone: options.timezone, logger: options.logger });

  /** The first time of the schedule after `after`, ms, by the wall clock. */
  function nextAfter(after: number): number {
    const [first, second] = task.getNextRuns(2).map((date) => date.getTime());
    return (first !== undefined && first > after ? first : second) ?? Number.POSITIVE_INFINITY;
  }

  async function keepTime(): Promise<void> {
    let last = 0;
    let waited = 0;
    while (!stop.signal.aborted) {
      const now = Date.now();
      const due = nextAfter(last - now <= EARLY_MS ? last : 0);
      // Whatever a clock says that is set, or an hour that is there twice: nobody waits longer than the schedule ever lets them.
      const left = Math.min(due - now, options.pauseMs - waited);
      const part = Math.min(left, CLOCK_CHECK_MS);
      await sleep(part, stop.signal);
      waited += part;
      if (part < left && Date.now() < due) continue;
      last = due;
      waited = 0;
      void slot();
    }
  }

  void trigger();
  // Begun between a slot and its offset: waiting for the next slot would make the first distance the longest of all.
  const passed = nextAfter(0) - options.intervalMs;
  const left = passed + options.offsetMs - Date.now();
  if (left > 0 && passed <= Date.now()) void slot(left);
  const keeping = keepTime().catch((error: unknown) => {
    if (!stop.signal.aborted) throw error;
  });

  return {
    trigger,
    async [Symbol.asyncDispose]() {
      stop.abort(new Error('stopped'));
      await keeping;
      await task.destroy();
      await running;
      await next;
    },
  };
}
