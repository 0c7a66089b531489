/** What every service of every cloud does with the outcome of a call. */
import type { Failure, Scalar, Verdict } from '../core/model.ts';
import { INACCESSIBLE_REASONS, type InaccessibleReason } from '../core/reasons.ts';

/** The verdict of a look that failed: only what the cloud says of this very object is conclusive. */
export function failureVerdict({ reason }: Failure): Verdict {
  return isConclusive(reason) ? { status: 'inaccessible', reason } : { status: 'unknown', reason };
}

/** Whether a reason proves something about the object itself. */
export function isConclusive(reason: Failure['reason']): reason is InaccessibleReason {
  return INACCESSIBLE_REASONS.some((known) => known === reason);
}

type Present<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/**
 * The same object without the members that are undefined: an absent value is absent. Only for objects whose names are ours:
 * a tag may be called `__proto__`. A plain loop, because every look and every listed item goes through here.
 */
export function present<T extends object>(fields: T): Present<T> {
  const kept: Record<string, unknown> = {};
  for (const name in fields) if (fields[name] !== undefined) kept[name] = fields[name];
  return kept as Present<T>;
}

/** Attributes without those that are undefined. */
export function attributes(fields: Readonly<Record<string, Scalar | undefined>>): Record<string, Scalar> {
  return Object.fromEntries(
    Object.entries(fields).filter((field): field is [string, Scalar] => field[1] !== undefined),
  );
}

/** Milliseconds of a date in an answer; an invalid date is absent rather than NaN. */
export function instant(date: Date | undefined): number | undefined {
  const at = date?.getTime();
  return at === undefined || Number.isNaN(at) ? undefined : at;
}
