/**
 * What must be told to whom: what fires now against what was told. Pure, and the records are all that it goes by, so a
 * restart tells nothing twice. Instants are milliseconds since the epoch.
 */
import type { Alert, AlertName, AlertSeverity, NotificationRecord, ReceiverTraits } from './alert.ts';

/** What changes in the book of one receiver. */
export interface Due {
  /** New or changed records; every one of them is queued. */
  readonly upserts: readonly NotificationRecord[];
  /** Fingerprints of records to forget. */
  readonly deletes: readonly string[];
}

export interface DueOptions {
  /** Whether what was told and is not among the alerts any more goes on: nobody has seen its end. Absent: never. */
  readonly goesOn?: (alert: Alert) => boolean;
  /** What is said of an alert that ends now; absent: what was said of it before. */
  readonly asEnded?: (alert: Alert) => Alert;
}

/** How long what ended is told again to receivers that forget, and remembered (as Prometheus does). */
const AFTERLIFE_MS = 15 * 60_000;

/** Annotations that are worth telling anew. The others follow from them, or speak of the time. */
const TELLING = ['reason', 'affected', 'undo', 'recoverable_until'] as const;

/** Why nothing can be seen changes with every look, and changes nothing: nobody is told of it again for that. */
const MURKY: readonly AlertName[] = ['KeyvigilKeyStatusUnknown', 'KeyvigilAccountBlind', 'KeyvigilSourceDown'];

const RANK: Readonly<Record<AlertSeverity, number>> = { info: 0, warning: 1, critical: 2 };

/**
 * What must be told to one receiver.
 * - What ended before it was acknowledged is told as resolved, with the reason `first`: it may have arrived although
 *   nobody could say so, and what happened is not passed over because the receiver was down.
 * - An event (`endsAt`) is told once, however late, and never as resolved.
 * - What the receiver refused for good (`dead`) waits until it says something else; its end is told only if the receiver
 *   ever took it.
 * @param alerts everything that fires now, the events that still run included
 * @param sent what this receiver was told, by fingerprint
 * @param now ms
 */
export function due(
  alerts: readonly Alert[],
  sent: ReadonlyMap<string, NotificationRecord>,
  receiver: ReceiverTraits,
  now: number,
  options: DueOptions = {},
): Due {
  const upserts: NotificationRecord[] = [];
  const deletes: string[] = [];
  const firing = new Set<string>();
  for (const alert of alerts) {
    if (receiver.ignores?.includes(alert.labels.alertname) || firing.has(alert.fingerprint)) continue;
    firing.add(alert.fingerprint);
    const record = sent.get(alert.fingerprint);
    const next = record ? goesOn(record, alert, receiver, now) : begins(alert, receiver, now);
    if (next) upserts.push(next);
  }
  for (const record of sent.values()) {
    if (firing.has(record.fingerprint)) continue;
    const unproven = record.status === 'firing' && record.alert.endsAt === undefined && options.goesOn?.(record.alert);
    const next = unproven ? goesOn(record, record.alert, receiver, now) : isOver(record, receiver, now, options);
    if (next === 'forget') deletes.push(record.fingerprint);
    else if (next) upserts.push(next);
  }
  return { upserts, deletes };
}

function begins(alert: Alert, receiver: ReceiverTraits, now: number): NotificationRecord | undefined {
  if (alert.endsAt !== undefined && alert.endsAt <= now) return undefined;
  const { fingerprint } = alert;
  return { receiver: receiver.name, fingerprint, alert, status: 'firing', reason: 'first', queuedAt: now, attempts: 0 };
}

function goesOn(
  record: NotificationRecord,
  alert: Alert,
  receiver: ReceiverTraits,
  now: number,
): NotificationRecord | undefined {
  if (alert.endsAt !== undefined || record.alert.endsAt !== undefined) return happensAgain(record, alert, now);
  if (record.status === 'resolved') return beginsAgain(record, alert, receiver, now);
  // Labels are frozen while it fires, and it began when it began.
  const same: Alert = { ...alert, labels: record.alert.labels, startsAt: record.alert.startsAt };
  if (RANK[alert.labels.severity] > RANK[record.alert.labels.severity]) {
    const risen = { ...alert, startsAt: record.alert.startsAt };
    return queued({ ...replacing(record, risen, now), alert: risen }, 'changed', now);
  }
  if (saysMore(same, record.alert)) return queued({ ...record, alert: same }, 'changed', now);
  if (record.queuedAt !== undefined || record.dead || record.sentAt === undefined) return undefined;
  const { resendMs, reminderMs } = receiver;
  if (resendMs !== undefined && isPast(record.sentAt, resendMs, now)) {
    return queued(withoutOldReplacement({ ...record, alert: same }, now), 'resend', now);
  }
  if (reminderMs !== undefined && isPast(record.sentAt, reminderMs, now)) {
    return queued(withoutOldReplacement({ ...record, alert: same }, now), 'reminder', now);
  }
  return undefined;
}

/** An event is told once; the same of a later day (a version that came back) is another. */
function happensAgain(record: NotificationRecord, alert: Alert, now: number): NotificationRecord | undefined {
  if (alert.startsAt <= record.alert.startsAt || (alert.endsAt !== undefined && alert.endsAt <= now)) return undefined;
  const { sentAt: _before, ...rest } = record;
  return queued({ ...rest, alert }, 'first', now);
}

/** It ended, and is back. If nobody has heard of the end yet, to the receiver it never ended. */
function beginsAgain(
  record: NotificationRecord,
  alert: Alert,
  receiver: ReceiverTraits,
  now: number,
): NotificationRecord | undefined {
  if (record.queuedAt === undefined) return begins(alert, receiver, now);
  const other = sameLabels(alert, record.alert) ? record : replacing(record, alert, now);
  const { resolvedAt: _ended, endHeardAt: _heard, notBefore, ...fired } = other;
  // What was put off was the end, which is none any more; only a backoff goes on.
  const backoff = record.attempts > 0 && notBefore !== undefined ? { notBefore } : {};
  return queued({ ...fired, ...backoff, alert, status: 'firing' }, 'changed', now);
}

function isOver(
  record: NotificationRecord,
  receiver: ReceiverTraits,
  now: number,
  { asEnded }: DueOptions,
): NotificationRecord | 'forget' | undefined {
  const { alert, status, queuedAt, sentAt, dead } = record;
  if (alert.endsAt !== undefined) {
    return queuedAt === undefined && now - alert.endsAt >= AFTERLIFE_MS ? 'forget' : undefined;
  }
  if (status === 'firing') {
    if (dead && sentAt === undefined) return 'forget';
    const told = asEnded?.(alert) ?? alert;
    const ended = queued({ ...record, alert: told, status: 'resolved', resolvedAt: now }, 'resolved', now);
    const { endAfterMs } = receiver;
    return endAfterMs === undefined ? ended : { ...ended, notBefore: Math.max(ended.notBefore ?? 0, now + endAfterMs) };
  }
  if (queuedAt !== undefined) return undefined;
  const heardAt = record.endHeardAt ?? (dead ? dead.at : sentAt) ?? now;
  if (isPast(heardAt, AFTERLIFE_MS, now)) return 'forget';
  const { resendMs } = receiver;
  if (dead || resendMs === undefined || sentAt === undefined || !isPast(sentAt, resendMs, now)) return undefined;
  return queued(withoutOldReplacement({ ...record, endHeardAt: heardAt }, now), 'resend', now);
}

/** The record with something to tell. What was never acknowledged stays a first telling; a backoff goes on. */
function queued(record: NotificationRecord, reason: NotificationRecord['reason'], now: number): NotificationRecord {
  const { dead, ...rest } = record;
  return {
    ...rest,
    reason: record.sentAt === undefined ? 'first' : reason,
    queuedAt: record.queuedAt === undefined ? now : record.queuedAt + 1,
    attempts: dead ? 0 : record.attempts,
  };
}

/** The record with what the receiver may know of it under other labels, as ended now. */
function replacing(record: NotificationRecord, by: Alert, now: number): NotificationRecord {
  const { replaces, ...rest } = record;
  const unheard = record.queuedAt !== undefined || (record.dead !== undefined && record.sentAt === undefined);
  // While an earlier replacement waits, that is what the receiver knows.
  if (unheard && replaces && !sameLabels(replaces, by)) return record;
  if (record.dead && record.sentAt === undefined) return rest;
  return { ...rest, replaces: { ...record.alert, endsAt: record.resolvedAt ?? now } };
}

function withoutOldReplacement(record: NotificationRecord, now: number): NotificationRecord {
  const { replaces, ...rest } = record;
  return replaces?.endsAt !== undefined && !isPast(replaces.endsAt, AFTERLIFE_MS, now) ? record : rest;
}

/** Whether people who were told `before` must hear `after`. */
function saysMore(after: Alert, before: Alert): boolean {
  if (MURKY.includes(after.labels.alertname)) return false;
  // What is no longer said is mostly about to end: a date that is gone while a recovery is being confirmed.
  return TELLING.some((name) => {
    const said = after.annotations[name];
    return said !== undefined && said !== before.annotations[name];
  });
}

function sameLabels({ labels: left }: Alert, { labels: right }: Alert): boolean {
  const names = Object.keys(left);
  return names.length === Object.keys(right).length && names.every((name) => left[name] === right[name]);
}

/** Also where the clock was set back that far: nobody must wait for it to catch up. */
function isPast(at: number, afterMs: number, now: number): boolean {
  return Math.abs(now - at) >= afterMs;
}
