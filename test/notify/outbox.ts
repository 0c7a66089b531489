/** An outbox in memory that keeps the contract of the ledger's, and remembers every commit. */
import type { NotificationRecord } from '../../src/core/alert.ts';
import type { Outbox, Outcome } from '../../src/notify/dispatcher.ts';

/** 2026-11-22T10:00:00Z */
export const T0 = Date.UTC(2026, 10, 22, 10);

/** Something queued, number `n`, at T0 + n. */
export function queued(n: number, fields: Partial<NotificationRecord> = {}): NotificationRecord {
  const fingerprint = `KeyvigilKeyInaccessible key-${n}`;
  return {
    receiver: 'oncall',
    fingerprint,
    alert: {
      fingerprint,
      labels: { alertname: 'KeyvigilKeyInaccessible', severity: 'warning', resource: `key-${n}` },
      annotations: { summary: `key-${n} cannot be used` },
      startsAt: T0,
    },
    status: 'firing',
    reason: 'first',
    queuedAt: T0 + n,
    attempts: 0,
    ...fields,
  };
}

/** @param count how many of `queued`, from number 0 */
export function queue(count: number, fields: Partial<NotificationRecord> = {}): NotificationRecord[] {
  return Array.from({ length: count }, (_, n) => queued(n, fields));
}

export class MemoryOutbox implements Outbox {
  readonly records = new Map<string, NotificationRecord>();
  readonly settled: (Outcome & { readonly receiver: string; readonly at: number })[] = [];
  /** How often it was asked for something to send. */
  asked = 0;
  /** What the next commits fail with. */
  failures: Error[] = [];

  constructor(records: Iterable<NotificationRecord> = []) {
    this.put(...records);
  }

  put(...records: NotificationRecord[]): void {
    for (const record of records) this.records.set(`${record.receiver} ${record.fingerprint}`, record);
  }

  /** What still waits, in no order. */
  waiting(receiver: string): NotificationRecord[] {
    return [...this.records.values()].filter((r) => r.receiver === receiver && r.queuedAt !== undefined);
  }

  pending(receiver: string, limit: number, now: number): NotificationRecord[] {
    this.asked += 1;
    return this.waiting(receiver)
      .filter(({ notBefore = 0 }) => notBefore <= now)
      .sort((a, b) => (a.queuedAt ?? 0) - (b.queuedAt ?? 0))
      .slice(0, limit);
  }

  nextAt(receiver: string): number | undefined {
    const instants = this.waiting(receiver).map(({ notBefore, queuedAt = 0 }) => notBefore ?? queuedAt);
    return instants.length === 0 ? undefined : Math.min(...instants);
  }

  async settle(receiver: string, outcomes: readonly Outcome[], now: number): Promise<void> {
    await Promise.resolve();
    const failure = this.failures.shift();
    if (failure) throw failure;
    for (const outcome of outcomes) {
      this.settled.push({ ...outcome, receiver, at: now });
      const record = this.records.get(`${receiver} ${outcome.fingerprint}`);
      if (record?.queuedAt !== outcome.queuedAt) continue;
      const { queuedAt, notBefore: _, ...rest } = record;
      if (outcome.outcome === 'accepted') this.put({ ...rest, sentAt: now, attempts: 0 });
      else if (outcome.outcome === 'dead')
        this.put({ ...rest, dead: { at: now, reason: outcome.reason ?? 'refused' } });
      else this.put({ ...rest, queuedAt, attempts: rest.attempts + 1, notBefore: outcome.notBefore ?? 0 });
    }
  }

  standing(receiver: string) {
    const waiting = this.waiting(receiver);
    const dead = [...this.records.values()].filter((r) => r.receiver === receiver && r.dead).length;
    const oldestAt = Math.min(...waiting.map(({ queuedAt = 0 }) => queuedAt));
    return { pending: waiting.length, dead, ...(waiting.length === 0 ? {} : { oldestAt }) };
  }
}
