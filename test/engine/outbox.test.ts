import { expect, it } from 'vitest';
import { alertsFrom } from '../../src/core/alerts/index.ts';
import { emptyDraft } from '../../src/engine/draft.ts';
import { createOutboxBook } from '../../src/engine/outbox.ts';
import { context, snapshotOf } from '../core/support/alerts.ts';
import { key, lostSince } from '../core/support/graphs.ts';
import { MINUTE, POLICY, T0 } from '../core/support/looks.ts';

function bookOf(...receivers: readonly string[]) {
  return createOutboxBook({
    receivers: receivers.map((name) => ({ name })),
    context: () => ({ policy: POLICY, tagLabels: [], statusUrl: 'http://127.0.0.1', runbookUrl: 'http://127.0.0.1' }),
  });
}

const WORLD = snapshotOf({ keys: [key('a', lostSince(T0))] });

it('that a receiver takes nothing is told to the others, not to itself once that is over', () => {
  const book = bookOf('chat', 'pager');
  const draft = emptyDraft();
  const waiting = (receiver: string, now: number) =>
    book.pending(receiver, 10, now).map(({ alert, status }) => `${status} ${alert.labels.alertname}`);
  const plan = (now: number) => {
    book.plan(WORLD, [], draft, now);
    book.committed();
  };
  const settle = (receiver: string, outcome: 'accepted' | 'retry', now: number) => {
    const outcomes = book.pending(receiver, 10, now).map(({ fingerprint, queuedAt = 0 }) => {
      return { fingerprint, queuedAt, outcome } as const;
    });
    book.settle(receiver, outcomes, draft, now);
    book.committed();
  };

  plan(T0);
  settle('pager', 'accepted', T0);
  settle('chat', 'retry', T0);
  plan(T0 + 5 * MINUTE);
  expect(waiting('pager', T0 + 5 * MINUTE)).toEqual(['firing KeyvigilNotificationFailing']);
  expect(waiting('chat', T0 + 5 * MINUTE)).toEqual(['firing KeyvigilKeyInaccessible']);

  settle('pager', 'accepted', T0 + 5 * MINUTE);
  settle('chat', 'accepted', T0 + 6 * MINUTE);
  plan(T0 + 6 * MINUTE);
  expect(waiting('pager', T0 + 6 * MINUTE)).toEqual(['resolved KeyvigilNotificationFailing']);
  expect(waiting('chat', T0 + 6 * MINUTE)).toEqual([]);
});

it('what waits goes out oldest first after a restart, too, wherever the store kept it', () => {
  const book = bookOf('chat');
  const [alert] = alertsFrom(WORLD, context());
  if (!alert) throw new Error('nothing fires');
  const waiting = ['later', 'first', 'second'].map((fingerprint, at) => {
    const queuedAt = T0 + [MINUTE, 0, 1][at]!;
    const record = { receiver: 'chat', fingerprint, alert: { ...alert, fingerprint }, queuedAt, attempts: 0 };
    return { ...record, status: 'firing', reason: 'first' } as const;
  });
  book.load(waiting, emptyDraft());
  book.committed();
  const offered = book.pending('chat', 10, T0 + MINUTE);
  expect(offered.map(({ fingerprint }) => fingerprint)).toEqual(['first', 'second', 'later']);
});
