/** What is told of queued records, in the order in which it is told. Pure; instants are milliseconds since the epoch. */
import type { Alert, NotificationRecord } from '../core/alert.ts';
import type { Notification } from './receiver.ts';

/**
 * Everything that one record tells; never torn apart while a request has room for it. What was told with other labels ends
 * first: after that nobody takes the end of the one for the end of the other.
 * @param holdMs how long what fires holds without being told again, ms
 */
export function notificationsOf(record: NotificationRecord, now: number, holdMs: number): readonly Notification[] {
  const { alert, status, reason, replaces, queuedAt = now } = record;
  const endedAt = record.resolvedAt ?? record.queuedAt ?? now;
  const current: Notification = {
    alert,
    status,
    reason,
    queuedAt,
    endsAt: status === 'resolved' ? Math.max(alert.startsAt, endedAt) : holdsUntil(alert, now, holdMs),
  };
  if (replaces === undefined) return [current];
  const replacedAt = Math.max(replaces.startsAt, replaces.endsAt ?? endedAt);
  return [{ alert: replaces, status: 'resolved', reason, queuedAt, endsAt: replacedAt }, current];
}

/** An event that is told late lasts as long as it would have: it must not be over before anybody saw it. */
function holdsUntil({ startsAt, endsAt }: Alert, now: number, holdMs: number): number {
  if (endsAt === undefined) return now + holdMs;
  return endsAt > now ? endsAt : now + Math.max(0, endsAt - startsAt);
}

/** The first records that one request has room for, and at least one. @param room notifications */
export function fitting(records: readonly NotificationRecord[], room: number): readonly NotificationRecord[] {
  let taken = 0;
  let count = 0;
  for (const { replaces } of records) {
    count += replaces === undefined ? 1 : 2;
    if (count > room && taken > 0) break;
    taken += 1;
  }
  return records.slice(0, taken);
}

/** Cuts a list into pieces of at most `size`. */
export function chunks<T>(all: readonly T[], size: number): readonly (readonly T[])[] {
  const pieces: T[][] = [];
  for (let at = 0; at < all.length; at += size) pieces.push(all.slice(at, at + size));
  return pieces;
}
