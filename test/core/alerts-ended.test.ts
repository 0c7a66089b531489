import { expect, it } from 'vitest';
import type { AlertName } from '../../src/core/alert.ts';
import { asEnded } from '../../src/core/alerts/index.ts';
import { down, firing, KMS, one, snapshotOf, source, type World } from './support/alerts.ts';
import { consumer, key, lostSince } from './support/graphs.ts';
import { HOUR, T0 } from './support/looks.ts';

const LOST: World = { keys: [key('a', lostSince(T0))], consumers: [consumer('flow', ['a'])] };

/** What is told of this alert of `before` when it ends in a world that is `after` by then. */
function ended(before: World, alertname: AlertName, after: World, ...removed: string[]) {
  const alert = one(firing(before), alertname);
  return { alert, end: asEnded(alert, snapshotOf(after), new Set(removed)) };
}

it('is told as it was where its key is still watched: nothing is wrong with it any more', () => {
  const { alert, end } = ended(LOST, 'KeyvigilKeyInaccessible', { keys: [key('a')] });
  expect(end).toBe(alert);
});

it('says that its key is no longer watched, and stays the same alert', () => {
  const { alert, end } = ended(LOST, 'KeyvigilKeyInaccessible', { keys: [key('b')] });
  expect(end.annotations).toMatchObject({
    reason: 'no longer watched',
    summary: `No longer watched: ${alert.annotations.summary}`,
    affected: alert.annotations.affected,
  });
  expect(end.annotations.description).toContain('not because all is well');
  expect([end.fingerprint, end.labels, end.startsAt]).toEqual([alert.fingerprint, alert.labels, alert.startsAt]);
});

it('says that its key is gone where that is what ended it', () => {
  const { end } = ended(LOST, 'KeyvigilKeyInaccessible', {}, 'a');
  expect(end.annotations.reason).toBe('gone');
  expect(end.annotations.summary).toMatch(/^Gone: /);
});

it('says so of a source that is configured no more, and not of one that is', () => {
  const before: World = { sources: [down(T0), source(KMS)] };
  const { alert, end } = ended(before, 'KeyvigilSourceDown', { sources: [source(KMS)] });
  expect(end.annotations.reason).toBe('no longer watched');
  expect(asEnded(alert, snapshotOf({ sources: [source(), source(KMS)] }), new Set())).toBe(alert);
});

it('says so of a target of which nothing is left', () => {
  const before: World = { sources: [down(T0), down(T0, KMS)] };
  const alert = one(firing(before, T0 + HOUR), 'KeyvigilAccountBlind');
  expect(asEnded(alert, snapshotOf({ sources: [source(KMS)] }), new Set())).toBe(alert);
  const other = source({ target: 'other' });
  expect(asEnded(alert, snapshotOf({ sources: [other] }), new Set()).annotations.reason).toBe('no longer watched');
});

it('keeps a long summary within bounds', () => {
  const alert = one(firing(LOST), 'KeyvigilKeyInaccessible');
  const long = { ...alert, annotations: { ...alert.annotations, summary: 'x'.repeat(300) } };
  expect(asEnded(long, snapshotOf({}), new Set()).annotations.summary).toHaveLength(300);
});
