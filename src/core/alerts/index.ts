/** What fires now: the alert table of the design, from a snapshot. Pure; instants are milliseconds since the epoch. */
import type { Alert } from '../alert.ts';
import type { KeyEvent } from '../model.ts';
import type { Policy } from '../policy.ts';
import type { Snapshot } from '../snapshot.ts';

/** What alerts are made of besides the snapshot. */
export interface AlertContext {
  readonly policy: Policy;
  /** Tag keys that become labels, as configured. */
  readonly tagLabels: readonly string[];
  /** Base of the status page, without a slash at its end. */
  readonly statusUrl: string;
  /** Base of the runbooks, without a slash at its end. */
  readonly runbookUrl: string;
  readonly now: number;
  /** Receivers that took nothing although something waits, since when (ms). */
  readonly failingReceivers: readonly { readonly receiver: string; readonly since: number }[];
  /** Since when (ms) the configuration in force is not the one on disk; absent: the last reload was taken. */
  readonly reloadFailedSince?: number;
}

/** Everything that fires now, sorted by fingerprint. */
export function alertsFrom(_snapshot: Snapshot, _context: AlertContext): readonly Alert[] {
  return [];
}

/**
 * The alert of a new version or a rollback: an event, told once, ends 15 minutes after it was detected. Undefined for
 * events that tell nobody anything (consumers' versions, other types).
 */
export function alertOfEvent(_event: KeyEvent, _snapshot: Snapshot, _context: AlertContext): Alert | undefined {
  return undefined;
}

/**
 * The next instant (ms, after `context.now`) at which `alertsFrom` may say something else without any change of state: a
 * date, a deadline, `staleAfter`, 30 minutes of blindness. Undefined: never.
 */
export function nextAlertChange(_snapshot: Snapshot, _context: AlertContext): number | undefined {
  return undefined;
}
