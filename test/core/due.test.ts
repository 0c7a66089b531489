import { describe, expect, it } from 'vitest';
import type { Alert, AlertSeverity, NotificationRecord, ReceiverTraits } from '../../src/core/alert.ts';
import { type DueOptions, due } from '../../src/core/due.ts';
import { DAY, MINUTE, SECOND, T0 } from './support/looks.ts';

const FORGETS: ReceiverTraits = { name: 'am', resendMs: MINUTE };
const REMEMBERS: ReceiverTraits = { name: 'pager' };

function alert(parts: Partial<Omit<Alert, 'labels'>> & { severity?: AlertSeverity; team?: string } = {}): Alert {
  const { severity = 'warning', team, ...rest } = parts;
  const labels = { alertname: 'KeyvigilKeyInaccessible', severity, resource: 'a', ...(team && { team }) } as const;
  return { fingerprint: 'a', labels, annotations: { reason: 'disabled', summary: 'Gone.' }, startsAt: T0, ...rest };
}

/** One receiver over time: what is due is put into its book, and acknowledged unless it is down. */
function book(receiver = FORGETS, options: DueOptions = {}) {
  const sent = new Map<string, NotificationRecord>();
  return {
    sent,
    /** What is due for these alerts: records that were queued. */
    plan(now: number, ...alerts: Alert[]): readonly NotificationRecord[] {
      const { upserts, deletes } = due(alerts, sent, receiver, now, options);
      for (const record of upserts) sent.set(record.fingerprint, record);
      for (const fingerprint of deletes) sent.delete(fingerprint);
      return upserts;
    },
    accept(now: number): void {
      for (const [fingerprint, { queuedAt, notBefore: _not, dead: _dead, ...rest }] of sent) {
        if (queuedAt !== undefined) sent.set(fingerprint, { ...rest, sentAt: now, attempts: 0 });
      }
    },
    refuse(at: number): void {
      for (const [fingerprint, { queuedAt, ...rest }] of sent) {
        if (queuedAt !== undefined) sent.set(fingerprint, { ...rest, dead: { at, reason: 'refused' } });
      }
    },
    fail(notBefore: number): void {
      for (const [fingerprint, record] of sent) {
        sent.set(fingerprint, { ...record, attempts: record.attempts + 1, notBefore });
      }
    },
  };
}

const said = (records: readonly NotificationRecord[]) => records.map(({ status, reason }) => `${status} ${reason}`);

describe('a receiver that silences others by what it is told', () => {
  const SILENCES: ReceiverTraits = { name: 'am', resendMs: MINUTE, endAfterMs: 90 * SECOND };

  it('hears of an end when the others have seen it too', () => {
    const am = book(SILENCES);
    am.plan(T0, alert());
    am.accept(T0 + 1);
    const [ended] = am.plan(T0 + 10);
    expect(ended).toMatchObject({ status: 'resolved', resolvedAt: T0 + 10, notBefore: T0 + 10 + 90 * SECOND });
    expect(am.plan(T0 + 80 * SECOND)).toEqual([]);
  });

  it('hears at once that it did not end after all', () => {
    const am = book(SILENCES);
    am.plan(T0, alert());
    am.accept(T0 + 1);
    am.plan(T0 + 10);
    const [again] = am.plan(T0 + 20, alert());
    expect(again).toMatchObject({ status: 'firing', queuedAt: expect.any(Number) });
    expect(again?.notBefore).toBeUndefined();
  });

  it('keeps a backoff that is longer, also when it begins again', () => {
    const am = book(SILENCES);
    am.plan(T0, alert());
    am.fail(T0 + 10 * MINUTE);
    expect(am.plan(T0 + 10)[0]?.notBefore).toBe(T0 + 10 * MINUTE);
    expect(am.plan(T0 + 20, alert())[0]?.notBefore).toBe(T0 + 10 * MINUTE);
  });
});

describe('what fires', () => {
  it('is not told again for what is no longer said of it', () => {
    const pager = book(REMEMBERS);
    const dated = alert({ annotations: { reason: 'pending_deletion', recoverable_until: '2026-02-01T00:00:00Z' } });
    pager.plan(T0, dated);
    pager.accept(T0 + 1);
    expect(pager.plan(T0 + 2, alert({ annotations: { reason: 'pending_deletion' } }))).toEqual([]);
  });

  it('is told first, once', () => {
    const am = book();
    expect(am.plan(T0, alert())).toEqual([
      {
        receiver: 'am',
        fingerprint: 'a',
        alert: alert(),
        status: 'firing',
        reason: 'first',
        queuedAt: T0,
        attempts: 0,
      },
    ]);
    expect(am.plan(T0 + DAY, alert())).toEqual([]);
  });

  it('is told again to a receiver that forgets, to the millisecond, and never to one that remembers', () => {
    for (const [receiver, expected] of [
      [FORGETS, ['firing resend']],
      [REMEMBERS, []],
    ] as const) {
      const told = book(receiver);
      told.plan(T0, alert());
      told.accept(T0 + SECOND);
      expect(told.plan(T0 + SECOND + MINUTE - 1, alert())).toEqual([]);
      expect(said(told.plan(T0 + SECOND + MINUTE, alert()))).toEqual(expected);
    }
  });

  it('is told again with what it says by then, its labels and its beginning as they were', () => {
    const am = book();
    am.plan(T0, alert({ team: 'video' }));
    am.accept(T0);
    const later = alert({ team: 'audio', startsAt: T0 + 5, annotations: { reason: 'disabled', description: 'new' } });
    const [record] = am.plan(T0 + MINUTE, later);
    expect(record?.alert).toEqual({ ...later, labels: alert({ team: 'video' }).labels, startsAt: T0 });
  });

  it('is told again at once when what matters changes, and not for the rest', () => {
    const pager = book(REMEMBERS);
    pager.plan(T0, alert());
    pager.accept(T0);
    expect(pager.plan(T0 + 1, alert({ annotations: { reason: 'disabled', description: 'less time' } }))).toEqual([]);
    for (const name of ['reason', 'affected', 'undo', 'recoverable_until']) {
      const changed = alert({ annotations: { reason: 'disabled', [name]: `${name} changed` } });
      expect(said(pager.plan(T0 + 2, changed))).toEqual(['firing changed']);
      pager.accept(T0 + 2);
    }
  });

  it('about blindness is not told again because its reason is another', () => {
    const pager = book(REMEMBERS);
    const blind = (reason: string): Alert => ({
      ...alert({ annotations: { reason } }),
      labels: { alertname: 'KeyvigilAccountBlind', severity: 'warning' },
    });
    pager.plan(T0, blind('timeout'));
    pager.accept(T0);
    expect(pager.plan(T0 + 1, blind('throttled'))).toEqual([]);
  });

  it('is told as a reminder only if that is asked for', () => {
    const pager = book({ ...REMEMBERS, reminderMs: DAY });
    pager.plan(T0, alert());
    pager.accept(T0);
    expect(pager.plan(T0 + DAY - 1, alert())).toEqual([]);
    expect(said(pager.plan(T0 + DAY, alert()))).toEqual(['firing reminder']);
  });

  it('goes on being told when the clock was set back', () => {
    const am = book();
    am.plan(T0, alert());
    am.accept(T0);
    expect(said(am.plan(T0 - DAY, alert()))).toEqual(['firing resend']);
  });

  it('is not told to a receiver that ignores it', () => {
    const deaf = book({ ...FORGETS, ignores: ['KeyvigilKeyInaccessible'] });
    expect(deaf.plan(T0, alert())).toEqual([]);
  });

  it('that a receiver refused for good is offered again only once it says something else', () => {
    const am = book();
    am.plan(T0, alert());
    am.refuse(T0);
    expect(am.plan(T0 + DAY, alert())).toEqual([]);
    const [again] = am.plan(T0 + DAY, alert({ annotations: { reason: 'purged' } }));
    expect(again).toMatchObject({ reason: 'first', queuedAt: T0 + DAY, attempts: 0 });
    expect(again).not.toHaveProperty('dead');
  });

  it('keeps its place in the queue and its backoff when it changes while it waits', () => {
    const am = book();
    am.plan(T0, alert());
    am.fail(T0 + DAY);
    expect(am.plan(T0 + MINUTE, alert({ annotations: { reason: 'purged' } }))).toMatchObject([
      { reason: 'first', queuedAt: T0 + 1, attempts: 1, notBefore: T0 + DAY },
    ]);
  });
});

describe('a rise in severity', () => {
  it('fires the new and resolves the old in one request, and a fall changes nothing', () => {
    const am = book();
    am.plan(T0, alert());
    am.accept(T0);
    const critical = alert({ severity: 'critical', startsAt: T0 + 9 });
    expect(am.plan(T0 + 10, critical)).toMatchObject([
      { reason: 'changed', alert: { ...critical, startsAt: T0 }, replaces: { ...alert(), endsAt: T0 + 10 } },
    ]);
    am.accept(T0 + 10);
    expect(am.plan(T0 + 20, alert())).toEqual([]);
  });

  it('is told again as a replacement for 15 minutes', () => {
    const am = book();
    am.plan(T0, alert());
    am.accept(T0);
    const critical = alert({ severity: 'critical' });
    am.plan(T0, critical);
    am.accept(T0);
    expect(am.plan(T0 + 14 * MINUTE, critical)[0]).toHaveProperty('replaces');
    am.accept(T0 + 14 * MINUTE);
    expect(am.plan(T0 + 15 * MINUTE, critical)[0]).not.toHaveProperty('replaces');
  });
});

describe('what ended', () => {
  it('is told with what its end means, where that is not that all is well', () => {
    const asEnded = (one: Alert): Alert => ({
      ...one,
      annotations: { ...one.annotations, reason: 'no longer watched' },
    });
    const am = book(FORGETS, { asEnded });
    am.plan(T0, alert());
    am.accept(T0);
    const [ended] = am.plan(T0 + MINUTE);
    expect(ended).toMatchObject({ status: 'resolved', reason: 'resolved' });
    expect(ended?.alert).toEqual(asEnded(alert()));
    am.accept(T0 + MINUTE);
    const [again] = am.plan(T0 + 2 * MINUTE);
    expect(again).toMatchObject({ reason: 'resend', alert: { annotations: { reason: 'no longer watched' } } });
  });

  it('is told as resolved, again for 15 minutes where the receiver forgets, and then forgotten', () => {
    const am = book();
    am.plan(T0, alert());
    am.accept(T0);
    expect(am.plan(T0 + SECOND)).toMatchObject([{ status: 'resolved', reason: 'resolved', resolvedAt: T0 + SECOND }]);
    let told = 0;
    for (let now = T0 + 2 * SECOND; am.sent.size > 0; now += SECOND) {
      told += am.plan(now).length;
      am.accept(now);
      expect(now).toBeLessThanOrEqual(T0 + 15 * MINUTE + 2 * SECOND);
    }
    expect(told).toBe(14);
  });

  it('is told half an hour later, and 15 minutes longer, to a receiver that was down', () => {
    const am = book();
    am.plan(T0, alert());
    am.accept(T0);
    am.plan(T0 + 1);
    const up = T0 + 30 * MINUTE;
    expect(am.plan(up)).toEqual([]);
    expect(am.sent.get('a')).toMatchObject({ status: 'resolved', queuedAt: T0 + 1, resolvedAt: T0 + 1 });
    am.accept(up);
    expect(said(am.plan(up + MINUTE))).toEqual(['resolved resend']);
    am.accept(up + MINUTE);
    am.plan(up + 15 * MINUTE);
    expect(am.sent.size).toBe(0);
  });

  it('before anybody could be told is told as resolved, for the first time', () => {
    const am = book();
    am.plan(T0, alert());
    expect(am.plan(T0 + SECOND)).toMatchObject([
      { status: 'resolved', reason: 'first', queuedAt: T0 + 1, attempts: 0 },
    ]);
  });

  it('and was refused is forgotten, unless the receiver had taken it before', () => {
    const am = book();
    am.plan(T0, alert());
    am.refuse(T0);
    expect(am.plan(T0 + 1)).toEqual([]);
    expect(am.sent.size).toBe(0);

    am.plan(T0, alert());
    am.accept(T0);
    am.plan(T0 + 1, alert({ annotations: { reason: 'purged' } }));
    am.refuse(T0 + 1);
    expect(said(am.plan(T0 + 2))).toEqual(['resolved resolved']);
  });

  it('and began again before its end was told never ended, for the receiver', () => {
    const am = book();
    am.plan(T0, alert());
    am.accept(T0);
    am.plan(T0 + 1);
    const again = am.plan(T0 + 2, alert({ startsAt: T0 + 2 }));
    expect(again).toMatchObject([
      { status: 'firing', reason: 'changed', queuedAt: T0 + 2, alert: { startsAt: T0 + 2 } },
    ]);
    expect(again[0]).not.toHaveProperty('resolvedAt');
    expect(again[0]).not.toHaveProperty('replaces');
  });

  it('and began again with other labels replaces what the receiver knows', () => {
    const am = book();
    am.plan(T0, alert({ severity: 'critical' }));
    am.accept(T0);
    am.plan(T0 + 1);
    expect(am.plan(T0 + 2, alert())).toMatchObject([
      { alert: alert(), replaces: { labels: { severity: 'critical' }, endsAt: T0 + 1 } },
    ]);
  });

  it('and began again after its end was told is told first', () => {
    const am = book();
    am.plan(T0, alert());
    am.accept(T0);
    am.plan(T0 + 1);
    am.accept(T0 + 1);
    expect(am.plan(T0 + 2, alert({ startsAt: T0 + 2 }))).toMatchObject([{ status: 'firing', reason: 'first' }]);
  });
});

describe('an event', () => {
  const event = alert({ endsAt: T0 + 15 * MINUTE });

  it('is told once, never again, never as resolved, and forgotten 15 minutes after it ended', () => {
    const am = book();
    expect(said(am.plan(T0, event))).toEqual(['firing first']);
    am.accept(T0);
    expect(am.plan(T0 + 10 * MINUTE, event)).toEqual([]);
    expect(am.plan(T0 + 11 * MINUTE)).toEqual([]);
    am.plan(T0 + 30 * MINUTE - 1);
    expect(am.sent.size).toBe(1);
    am.plan(T0 + 30 * MINUTE);
    expect(am.sent.size).toBe(0);
  });

  it('waits for a receiver that is down, however long', () => {
    const am = book();
    am.plan(T0, event);
    expect(am.plan(T0 + DAY)).toEqual([]);
    expect(am.sent.get('a')).toMatchObject({ status: 'firing', queuedAt: T0 });
  });

  it('that is over already is not begun', () => {
    expect(book().plan(T0 + 15 * MINUTE, event)).toEqual([]);
  });

  it('that happens once more is told once more', () => {
    const am = book();
    am.plan(T0, event);
    am.accept(T0);
    const again = alert({ startsAt: T0 + MINUTE, endsAt: T0 + 16 * MINUTE });
    expect(said(am.plan(T0 + MINUTE, again))).toEqual(['firing first']);
    am.accept(T0 + MINUTE);
    expect(am.plan(T0 + MINUTE, again)).toEqual([]);
  });
});

it('twenty restarts with thirty alerts tell nothing before its time', () => {
  const am = book({ name: 'am', resendMs: DAY });
  const alerts = Array.from({ length: 30 }, (_, at) => alert({ fingerprint: `a${at}` }));
  expect(am.plan(T0, ...alerts)).toHaveLength(30);
  am.accept(T0);
  for (let restart = 1; restart <= 20; restart += 1) {
    expect(
      due(
        alerts,
        new Map(am.sent),
        FORGETS.resendMs ? { name: 'am', resendMs: DAY } : FORGETS,
        T0 + restart * MINUTE,
        {},
      ),
    ).toEqual({
      upserts: [],
      deletes: [],
    });
  }
});
