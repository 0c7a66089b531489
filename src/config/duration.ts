import { z } from 'zod';

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Parses `30s`, `5m`, `36h`, `30d` to milliseconds; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text);
  const unit = match?.[2] && UNIT_MS[match[2]];
  return match && unit ? Number(match[1]) * unit : undefined;
}

/** A duration in the configuration: text in, milliseconds out. */
export const Duration = z
  .string()
  .refine((text) => parseDuration(text) !== undefined, {
    error: 'expected a duration such as 30s, 5m, 12h or 30d',
  })
  .transform((text) => parseDuration(text) ?? 0)
  .meta({ pattern: '^\\d{1,9}(ms|s|m|h|d)$' });
