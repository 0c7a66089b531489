import { z } from 'zod';
import { says } from './messages.ts';

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Ten years: longer is a slip of the pen, and stays far from where milliseconds lose precision. */
const LONGEST_MS = 3650 * 86_400_000;

/** Parses `30s`, `5m`, `36h`, `30d` to milliseconds; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text);
  const unit = match?.[2] && UNIT_MS[match[2]];
  return match && unit ? Number(match[1]) * unit : undefined;
}

const EXPECTED = 'expected a duration such as 30s, 5m, 12h or 30d';

/** A duration in the configuration, between `least` and `most` (ms): text in, milliseconds out. */
function duration(least: number, most: number, range: string) {
  return z
    .string({ error: says(EXPECTED) })
    .superRefine((text, context) => {
      const ms = parseDuration(text);
      if (ms === undefined) context.addIssue(EXPECTED);
      else if (ms < least || ms > most) context.addIssue(`expected a duration ${range}`);
    })
    .transform((text) => parseDuration(text) ?? 0)
    .meta({ pattern: '^\\d{1,9}(ms|s|m|h|d)$' });
}

/** Any duration, 0 included. */
export const Duration = duration(0, LONGEST_MS, 'of at most 3650d');

/** A duration that something waits for or counts down from. */
export const PositiveDuration = duration(1000, LONGEST_MS, 'between 1s and 3650d');

/** How long an alert holds that is told to an Alertmanager once a minute: one that is lost on the way must not end it. */
export const Hold = duration(120_000, LONGEST_MS, 'of at least 2m: what fires is told again only once a minute');

/** How often people are reminded of what they know. */
export const Reminder = duration(600_000, LONGEST_MS, 'of at least 10m');

/** The pause of something that repeats: a timer cannot hold more than about 24 days. */
export const Interval = duration(1000, 86_400_000, 'between 1s and 1d');
