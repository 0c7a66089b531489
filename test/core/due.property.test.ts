import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Alert, AlertSeverity, NotificationRecord, ReceiverTraits } from '../../src/core/alert.ts';
import { due } from '../../src/core/due.ts';
import { MINUTE, T0 } from './support/looks.ts';

const receivers: readonly ReceiverTraits[] = [
  { name: 'am', resendMs: MINUTE },
  { name: 'pager', reminderMs: 20 * MINUTE },
];

/** What the world and the receiver do between two plans. */
const arbitraryStep = fc.record({
  wait: fc.constantFrom(0, 1, 30_000, MINUTE, 16 * MINUTE, -MINUTE),
  firing: fc.array(
    fc.record({
      fingerprint: fc.constantFrom('a', 'b', 'event'),
      severity: fc.constantFrom<AlertSeverity>('warning', 'critical'),
      reason: fc.constantFrom('disabled', 'purged'),
      team: fc.constantFrom('video', 'audio'),
    }),
    { maxLength: 3 },
  ),
  answer: fc.constantFrom('accepted', 'retry', 'dead', 'nothing', 'lost'),
});
type Step = typeof arbitraryStep extends fc.Arbitrary<infer T> ? T : never;

function alertOf({ fingerprint, severity, reason, team }: Step['firing'][number], now: number): Alert {
  return {
    fingerprint,
    labels: { alertname: 'KeyvigilKeyInaccessible', severity, team },
    annotations: { reason },
    startsAt: now,
    ...(fingerprint === 'event' && { endsAt: now + 15 * MINUTE }),
  };
}

/** Plays steps; `told` sees every record that was queued, before it is stored. */
function play(
  steps: readonly Step[],
  receiver: ReceiverTraits,
  told: (record: NotificationRecord, before: NotificationRecord | undefined, now: number) => void,
): Map<string, NotificationRecord> {
  const sent = new Map<string, NotificationRecord>();
  let now = T0;
  for (const { wait, firing, answer } of steps) {
    now += wait;
    const alerts = firing.map((one) => alertOf(one, now));
    const { upserts, deletes } = due(alerts, sent, receiver, now);
    for (const record of upserts) {
      told(record, sent.get(record.fingerprint), now);
      sent.set(record.fingerprint, record);
    }
    for (const fingerprint of deletes) sent.delete(fingerprint);
    const again = due(alerts, sent, receiver, now);
    expect(again).toEqual({ upserts: [], deletes: [] });
    for (const [fingerprint, record] of sent) {
      const { queuedAt, notBefore: _not, dead: _dead, ...rest } = record;
      if (queuedAt === undefined || answer === 'nothing' || answer === 'lost') continue;
      if (answer === 'accepted') sent.set(fingerprint, { ...rest, sentAt: now, attempts: 0 });
      else if (answer === 'dead') sent.set(fingerprint, { ...rest, dead: { at: now, reason: 'refused' } });
      else sent.set(fingerprint, { ...record, attempts: record.attempts + 1 });
    }
  }
  return sent;
}

function check(told: Parameters<typeof play>[2]): void {
  fc.assert(
    fc.property(fc.array(arbitraryStep, { maxLength: 40 }), fc.constantFrom(...receivers), (steps, receiver) => {
      play(steps, receiver, told);
    }),
    { seed: 11, numRuns: 600 },
  );
}

it('what is due is due once: asked again at the same instant, nothing is', () => {
  check(() => undefined);
});

it('nothing is told as resolved, or replaced, that did not fire before', () => {
  check((record, before) => {
    if (record.status === 'resolved') expect(before).toBeDefined();
    if (record.status === 'resolved' && before?.status === 'firing')
      expect(record.alert.labels).toEqual(before.alert.labels);
    if (record.replaces) expect(before).toBeDefined();
    // One request must not say of the same labels both that they fire and that they are over.
    if (record.replaces && record.status === 'firing') expect(record.replaces.labels).not.toEqual(record.alert.labels);
  });
});

it('an event is never told as resolved', () => {
  check((record) => {
    if (record.alert.endsAt !== undefined) expect(record.status).toBe('firing');
  });
});

it('labels and beginning are frozen while it fires, but for a rise in severity', () => {
  check((record, before) => {
    if (record.status !== 'firing' || before?.status !== 'firing' || record.alert.endsAt !== undefined) return;
    expect(record.alert.startsAt).toBe(before.alert.startsAt);
    if (record.alert.labels.severity === before.alert.labels.severity) {
      expect(record.alert.labels).toEqual(before.alert.labels);
    } else {
      expect(record.alert.labels.severity).toBe('critical');
    }
  });
});

it('what waits while it changes is told apart from what it was, and waits no less', () => {
  check((record, before) => {
    expect(record.queuedAt).toBeDefined();
    if (before?.queuedAt !== undefined) expect(record.queuedAt).toBe(before.queuedAt + 1);
  });
});

it('what was acknowledged as firing ends in a resolution that waits until it is taken', () => {
  fc.assert(
    fc.property(fc.array(arbitraryStep, { maxLength: 40 }), fc.constantFrom(...receivers), (steps, receiver) => {
      const sent = play(steps, receiver, () => undefined);
      const now = T0 + 1000 * MINUTE;
      const { upserts } = due([], sent, receiver, now, {});
      for (const record of sent.values()) {
        if (record.alert.endsAt !== undefined || record.status !== 'firing' || record.sentAt === undefined) continue;
        expect(upserts.find(({ fingerprint }) => fingerprint === record.fingerprint)).toMatchObject({
          status: 'resolved',
        });
      }
    }),
    { seed: 12, numRuns: 400 },
  );
});
