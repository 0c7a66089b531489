/**
 * What receivers were told, and what they must be told: a book beside those of keys and consumers, so that a change and
 * what must be sent about it are committed together. It sends nothing itself.
 */
import type { Alert, NotificationRecord, ReceiverTraits } from '../core/alert.ts';
import {
  type AlertContext,
  alertsFrom,
  alertsOfEvents,
  asEnded,
  isUnproven,
  nextAlertChange,
} from '../core/alerts/index.ts';
import { due } from '../core/due.ts';
import type { KeyEvent } from '../core/model.ts';
import type { Snapshot } from '../core/snapshot.ts';
import type { Outcome, Standing } from '../notify/dispatcher.ts';
import type { Draft } from './draft.ts';

export interface OutboxBookOptions {
  readonly receivers: readonly ReceiverTraits[];
  /** Everything that alerts are made of besides the snapshot. */
  context(now: number): Omit<AlertContext, 'now' | 'failingReceivers'>;
}

export interface OutboxBook {
  /** Takes over what the store held; what belongs to no configured receiver ends. */
  load(records: readonly NotificationRecord[], draft: Draft): void;
  /** What was told or waits, of every receiver: what another book goes on from. */
  records(): readonly NotificationRecord[];
  /**
   * Queues what must be told now, given the state and what just happened.
   * @returns whether anything was queued
   */
  plan(snapshot: Snapshot, events: readonly KeyEvent[], draft: Draft, now: number): boolean;
  /** Whether time alone may have changed what must be told. */
  isDue(now: number): boolean;
  /** What changed so far was committed, or that was tried: from now on `pending` and the others tell of it. */
  committed(): void;
  pending(receiver: string, limit: number, now: number): readonly NotificationRecord[];
  nextAt(receiver: string): number | undefined;
  settle(receiver: string, outcomes: readonly Outcome[], draft: Draft, now: number): void;
  /** Everything that receivers were told and must be told. */
  all(): Iterable<NotificationRecord>;
  standing(receiver: string): Standing;
}

/** What is sent again without any change of state is looked for this often, ms. */
const RESEND_TICK_MS = 10_000;

export function createOutboxBook(options: OutboxBookOptions): OutboxBook {
  const sent = new Map<string, Map<string, NotificationRecord>>(
    options.receivers.map(({ name }) => [name, new Map<string, NotificationRecord>()]),
  );
  /** What is queued and committed, in the order in which it was queued. */
  const queues = new Map<string, Map<string, NotificationRecord>>(
    options.receivers.map(({ name }) => [name, new Map<string, NotificationRecord>()]),
  );
  const uncommitted = new Map<string, Pick<NotificationRecord, 'receiver' | 'fingerprint'>>();
  /** Events that are still being told: their alerts end by themselves. */
  let told: Alert[] = [];
  let dueAt = 0;

  function put(record: NotificationRecord, draft: Draft): void {
    sent.get(record.receiver)?.set(record.fingerprint, record);
    uncommitted.set(keyOf(record), record);
    draft.notifications.set(keyOf(record), record);
    draft.endedNotifications.delete(keyOf(record));
  }

  function end(record: Pick<NotificationRecord, 'receiver' | 'fingerprint'>, draft: Draft): void {
    sent.get(record.receiver)?.delete(record.fingerprint);
    uncommitted.set(keyOf(record), record);
    draft.notifications.delete(keyOf(record));
    draft.endedNotifications.set(keyOf(record), { receiver: record.receiver, fingerprint: record.fingerprint });
  }

  function failing(): { receiver: string; since: number }[] {
    return options.receivers.flatMap(({ name }) => {
      const { failingSince } = standing(name);
      return failingSince === undefined ? [] : [{ receiver: name, since: failingSince }];
    });
  }

  function standing(receiver: string): Standing {
    let pending = 0;
    let dead = 0;
    let oldestAt: number | undefined;
    let failingSince: number | undefined;
    for (const { queuedAt, attempts, dead: refused } of sent.get(receiver)?.values() ?? []) {
      if (refused) dead += 1;
      if (queuedAt === undefined) continue;
      pending += 1;
      oldestAt = Math.min(oldestAt ?? queuedAt, queuedAt);
      if (attempts > 0) failingSince = Math.min(failingSince ?? queuedAt, queuedAt);
    }
    return {
      pending,
      dead,
      ...(oldestAt === undefined ? {} : { oldestAt }),
      ...(failingSince === undefined ? {} : { failingSince }),
    };
  }

  return {
    load(records, draft) {
      // The store has them in the order in which they were first told; what waits goes out in that in which it was queued.
      for (const record of records.toSorted((a, b) => (a.queuedAt ?? 0) - (b.queuedAt ?? 0))) {
        const known = sent.get(record.receiver);
        if (known) {
          known.set(record.fingerprint, record);
          uncommitted.set(keyOf(record), record);
        } else end(record, draft);
        if (known && record.alert.endsAt !== undefined) told.push(record.alert);
      }
    },

    records: () => [...sent.values()].flatMap((records) => [...records.values()]),

    plan(snapshot, events, draft, now) {
      const context: AlertContext = { ...options.context(now), failingReceivers: failing(), now };
      const fresh = alertsOfEvents(events, snapshot, context);
      const running = new Map([...told, ...fresh].map((alert) => [alert.fingerprint, alert]));
      told = [...running.values()].filter(({ endsAt }) => endsAt === undefined || endsAt > now);
      const alerts = [...alertsFrom(snapshot, context), ...told];
      const goesOn = (alert: Alert) => isUnproven(alert, snapshot, context);
      const removed = new Set(events.flatMap(({ type, resource }) => (type === 'removed' ? resource : [])));
      const ended = (alert: Alert) => asEnded(alert, snapshot, removed);
      let queued = false;
      for (const receiver of options.receivers) {
        const records = sent.get(receiver.name) ?? new Map<string, NotificationRecord>();
        const telling = alerts.filter((alert) => !isAboutItself(alert, receiver));
        const todo = due(telling, records, receiver, now, { goesOn, asEnded: ended });
        for (const record of todo.upserts) put(record, draft);
        for (const fingerprint of todo.deletes) end({ receiver: receiver.name, fingerprint }, draft);
        queued ||= todo.upserts.length > 0;
      }
      dueAt = Math.min(nextAlertChange(snapshot, context) ?? Number.POSITIVE_INFINITY, now + RESEND_TICK_MS);
      return queued;
    },

    isDue: (now) => now >= dueAt,

    committed() {
      for (const { receiver, fingerprint } of uncommitted.values()) {
        const queue = queues.get(receiver);
        const record = sent.get(receiver)?.get(fingerprint);
        const before = queue?.get(fingerprint);
        // What is tried again keeps its place; what says something new goes to the end.
        if (before && before.queuedAt !== record?.queuedAt) queue?.delete(fingerprint);
        if (record?.queuedAt !== undefined) queue?.set(fingerprint, record);
      }
      uncommitted.clear();
    },

    pending(receiver, limit, now) {
      const waiting: NotificationRecord[] = [];
      for (const record of queues.get(receiver)?.values() ?? []) {
        if (waiting.length >= limit) break;
        if ((record.notBefore ?? 0) <= now) waiting.push(record);
      }
      return waiting;
    },

    nextAt(receiver) {
      let next: number | undefined;
      for (const { queuedAt, notBefore } of queues.get(receiver)?.values() ?? []) {
        next = Math.min(next ?? Number.POSITIVE_INFINITY, notBefore ?? queuedAt ?? 0);
      }
      return next;
    },

    settle(receiver, outcomes, draft, now) {
      for (const { fingerprint, queuedAt, outcome, reason, notBefore } of outcomes) {
        const record = sent.get(receiver)?.get(fingerprint);
        if (!record) continue;
        // What changed while it was under way stays queued: the receiver was told of something older.
        const same = record.queuedAt === queuedAt;
        if (outcome === 'accepted') {
          if (!same) {
            put({ ...record, sentAt: now, attempts: 0 }, draft);
            continue;
          }
          const { queuedAt: _queued, notBefore: _not, dead: _dead, ...rest } = record;
          put({ ...rest, sentAt: now, attempts: 0 }, draft);
        } else if (same && outcome === 'dead') {
          const { queuedAt: _queued, notBefore: _not, ...rest } = record;
          put({ ...rest, attempts: record.attempts + 1, dead: { at: now, reason: reason ?? 'refused' } }, draft);
        } else if (same) {
          put({ ...record, attempts: record.attempts + 1, ...(notBefore === undefined ? {} : { notBefore }) }, draft);
        }
      }
    },

    *all() {
      for (const records of sent.values()) yield* records.values();
    },

    standing,
  };
}

/**
 * That a receiver takes nothing is for the others: it would hear of it once that is over, and page for nothing.
 */
function isAboutItself({ labels }: Alert, { name }: ReceiverTraits): boolean {
  return labels.alertname === 'KeyvigilNotificationFailing' && labels.name === name;
}

function keyOf({ receiver, fingerprint }: Pick<NotificationRecord, 'receiver' | 'fingerprint'>): string {
  return JSON.stringify([receiver, fingerprint]);
}
