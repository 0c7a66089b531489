import { createTask, validateDetailed } from 'node-cron';
import { z } from 'zod';
import { says } from './messages.ts';

/**
 * The next `count` runs of a schedule that `Schedule` let pass, from now on.
 * @throws Error if there is none within the years that node-cron looks ahead
 */
export function nextRuns(schedule: string, timezone: string, count: number): readonly Date[] {
  const task = createTask(schedule, () => undefined, { timezone });
  try {
    return task.getNextRuns(count);
  } finally {
    void task.destroy();
  }
}

function problemOf(text: string): string | undefined {
  // node-cron expands every range that it reads: 1-9999999 takes it eight seconds.
  if (text.length > 200 || /\d{3}/.test(text)) return 'it is too long, or holds a number of more than two digits';
  const checked = validateDetailed(text);
  const [error] = checked.errors;
  if (error)
    return error.field === 'expression' ? 'a schedule has five or six fields' : `the ${error.field} is not valid`;
  try {
    nextRuns(text, 'UTC', 1);
    return undefined;
  } catch {
    return 'it never runs';
  }
}

const EXPECTED = 'expected a cron schedule with seconds first, such as "0 * * * * *" (every minute)';

/** A schedule in node-cron syntax. The seconds come first; five fields stand for second 0. */
export const Schedule = z.string({ error: says(EXPECTED) }).superRefine((text, context) => {
  const problem = problemOf(text);
  if (problem) context.addIssue(`${EXPECTED}: ${problem}`);
});

function isTimezone(text: string): boolean {
  try {
    // An offset such as +01:00 passes Intl too; it is no zone.
    return /^[A-Za-z]/.test(text) && Boolean(new Intl.DateTimeFormat('en', { timeZone: text }));
  } catch {
    return false;
  }
}

/** An IANA time zone. */
export const Timezone = z
  .string()
  .refine(isTimezone, { error: 'expected a time zone of the IANA list, such as UTC or Europe/Berlin' });

/** When something is swept: what every target and every service may set for itself. */
export const Timing = { schedule: Schedule.optional(), timezone: Timezone.optional() };
