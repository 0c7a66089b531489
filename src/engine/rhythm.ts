/** How often a schedule runs in a month, and how long it ever rests. */
import { createTask, type Logger } from 'node-cron';
import { intervalOf } from './schedule.ts';

/** The month of every figure: 30 days, ms. */
export const MONTH_MS = 30 * 86_400_000;
const HOUR_MS = 3_600_000;

export interface Rhythm {
  /** In the 30 days from now. */
  readonly sweepsPerMonth: number;
  /** The longest distance between two runs that follow on one another, in these 30 days or longer. */
  readonly pauseMs: number;
}

/**
 * Hours are counted one by one, what happens within an hour is multiplied: a schedule of every second has two and a half
 * million runs a month.
 */
export function rhythmOf(expression: string, timezone: string, logger: Logger): Rhythm {
  const fields = expression.trim().split(/\s+/);
  const [seconds = '0', minutes = '*', ...rest] = fields.length === 5 ? ['0', ...fields] : fields;
  const perHour = valuesOf(seconds).size * valuesOf(minutes).size;
  const pauseOf = (betweenHours: number) =>
    Math.max(
      intervalOf(expression, timezone, logger),
      betweenHours - spanOf(minutes) * 60_000 - spanOf(seconds) * 1_000,
    );
  if (rest.every((field) => field === '*')) {
    return { sweepsPerMonth: perHour * (MONTH_MS / HOUR_MS), pauseMs: pauseOf(HOUR_MS) };
  }
  const hours = activeHours(rest, timezone, logger);
  // The hour that summer time takes or gives is no pause of the schedule's.
  const pauseMs = pauseOf(Math.min(longestStep(hours), longestStep(activeHours(rest, 'UTC', logger))));
  return { sweepsPerMonth: perHour * hours.length, pauseMs };
}

function longestStep(times: readonly number[]): number {
  return times.reduce((longest, at, index) => Math.max(longest, at - (times[index - 1] ?? at)), 0);
}

/** From the first to the last value of a field of seconds or minutes. */
function spanOf(field: string): number {
  const values = [...valuesOf(field)];
  return Math.max(...values) - Math.min(...values);
}

/** When the hours begin of the next 30 days in which these fields (hours, days, months, weekdays) let it run. */
function activeHours(fields: readonly string[], timezone: string, logger: Logger): readonly number[] {
  const task = createTask(`0 0 ${fields.join(' ')}`, () => undefined, { timezone, logger });
  try {
    const until = Date.now() + MONTH_MS;
    const first = (most: number) => task.getNextRuns(most).map((run) => run.getTime());
    // Few first: 700 runs of what runs once a year are looked for in seven centuries.
    const few = first(40);
    const all = few.every((at) => at <= until) ? first(MONTH_MS / HOUR_MS + 1) : few;
    return all.filter((at) => at <= until);
  } finally {
    void task.destroy();
  }
}

/** The values of 0 to 59 that a field of seconds or minutes lets through. */
function valuesOf(field: string): ReadonlySet<number> {
  const values = new Set<number>();
  for (const part of field.split(',')) {
    const [, range = '*', step = '1'] = /^([^/]+)(?:\/(\d+))?$/.exec(part) ?? [];
    const [from = 0, to = from] = range === '*' ? [0, 59] : range.split('-').map(Number);
    for (let at = from; at <= to; at += Number(step)) values.add(at);
  }
  return values;
}
