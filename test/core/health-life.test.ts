import { describe, expect, it } from 'vitest';
import { forgettable } from '../../src/core/forget.ts';
import type { KeyRecord } from '../../src/core/model.ts';
import type { InaccessibleReason } from '../../src/core/reasons.ts';
import { DAY, failed, look, lost, MINUTE, OK, POLICY, RULES, run, SECOND, T0 } from './support/looks.ts';

const WEEK = POLICY.forgetAfterMs;
const gone = (at: number, reason: InaccessibleReason = 'not_found') => failed(at, { status: 'inaccessible', reason });
const vanished = (...at: readonly number[]) => run([look(T0, OK), ...at.map((after) => gone(T0 + after))]).record;
const forget = (record: KeyRecord, now: number, dependents = 0) => forgettable(record, now, POLICY, dependents);

function deleted(before: InaccessibleReason, after: InaccessibleReason): KeyRecord {
  return run([
    look(T0, OK),
    look(T0 + 1, lost(before)),
    look(T0 + 2, lost(before)),
    gone(T0 + 3, after),
    gone(T0 + 4, after),
  ]).record;
}

describe('a key whose announced deletion completed', () => {
  it('may be forgotten at once if nothing depends on it', () => {
    expect(forget(deleted('pending_deletion', 'not_found'), T0 + 5)).toBe('announced_deletion_completed');
    expect(forget(deleted('soft_deleted', 'purged'), T0 + 5)).toBe('announced_deletion_completed');
  });

  it('stays while something depends on it', () => {
    expect(forget(deleted('pending_deletion', 'not_found'), T0 + 4 * WEEK, 1)).toBeUndefined();
  });

  it('stays announced when not_found turns out to be purged', () => {
    const { record } = run(
      [gone(T0 + 5, 'purged'), gone(T0 + 6, 'purged')],
      undefined,
      deleted('soft_deleted', 'not_found'),
    );
    expect(record.gone).toEqual({ since: T0 + 3, announced: true });
  });

  it('is not one that was only disabled before', () => {
    expect(forget(deleted('disabled', 'not_found'), T0 + DAY)).toBeUndefined();
  });
});

describe('a key that vanished without a word', () => {
  it('is kept for as long as policy says, counted from when it vanished', () => {
    expect(forget(vanished(1, 2, WEEK), T0 + WEEK)).toBeUndefined();
    expect(forget(vanished(1, 2, WEEK + 1), T0 + WEEK + 1)).toBe('forget_after');
  });

  it('is counted from when it vanished even if it was disabled long before', () => {
    const looks = [look(T0, lost()), gone(T0 + 2 * WEEK), gone(T0 + 2 * WEEK + 1)];
    const { record } = run(looks);
    expect(record.belief?.since).toBe(T0);
    expect(forget(record, T0 + 2 * WEEK + 2)).toBeUndefined();
  });

  it('stays while something depends on it', () => {
    expect(forget(vanished(1, 2, WEEK + 1), T0 + WEEK + 1, 1)).toBeUndefined();
  });

  it('stays while no look has confirmed for so long that it is gone', () => {
    expect(forget(vanished(1, 2), T0 + 4 * WEEK)).toBeUndefined();
  });

  it('stays while it is blind or may be coming back', () => {
    const record = vanished(1, 2, WEEK + 1);
    const blind = run(
      [1, 2, 3].map((at) => failed(T0 + WEEK + 1 + at)),
      undefined,
      record,
    ).record;
    expect(forget(blind, T0 + 2 * WEEK)).toBeUndefined();
    const returning = run([look(T0 + WEEK + 2, OK)], undefined, record).record;
    expect(forget(returning, T0 + 2 * WEEK)).toBeUndefined();
  });

  it('is no longer gone once it was seen again', () => {
    const { record } = run([look(T0 + 3, OK), look(T0 + 4, OK)], undefined, vanished(1, 2));
    expect(record).not.toHaveProperty('gone');
    expect(forget(record, T0 + 4 * WEEK)).toBeUndefined();
  });

  it('can be gone since first sight', () => {
    expect(run([gone(T0), gone(T0 + 1)]).record.gone).toEqual({ since: T0, announced: false });
  });
});

describe('a key whose cloud may purge', () => {
  const purges = { ...RULES, purgedAfterMs: { alone: 10 * MINUTE, agreed: 2 * MINUTE } };
  const missing = (at: number, agreed = false) => {
    const observation = gone(at);
    return agreed && !observation.facts
      ? { ...observation, failure: { ...observation.failure, agreed: true as const } }
      : observation;
  };
  const reason = (record: KeyRecord) =>
    record.belief?.verdict.status === 'inaccessible' && record.belief.verdict.reason;
  const every = (step: number, until: number, agreed = false) =>
    Array.from({ length: until / step }, (_, at) => missing(T0 + (at + 1) * step, agreed));

  it.each([
    ['ten minutes when nobody else says so', false, 10],
    ['two when a second witness agrees', true, 2],
  ])('is gone at first, and purged after %s', (_, agreed, minutes) => {
    const before = run([look(T0, OK), ...every(30 * SECOND, minutes * MINUTE, agreed)], purges);
    expect(reason(before.record)).toBe('not_found');
    const after = run(
      [1, 2].map((more) => missing(T0 + (minutes + more) * MINUTE, agreed)),
      purges,
      before.record,
    );
    expect(reason(after.record)).toBe('purged');
    expect(after.events).toMatchObject([
      { type: 'transition', from: 'inaccessible', to: 'inaccessible', reason: 'purged' },
    ]);
    expect(after.record.belief?.since).toBe(T0 + 30 * SECOND);
  });

  it('and that was soft-deleted stays so while it is being recovered, without a word', () => {
    const deleted = run([look(T0, lost('soft_deleted'))], purges).record;
    const looks = [...every(5 * SECOND, 60 * SECOND, true), look(T0 + 61 * SECOND, OK), look(T0 + 66 * SECOND, OK)];
    const { events, record } = run(looks, purges, deleted);
    expect(events.map(({ type, to }) => [type, to])).toEqual([['transition', 'accessible']]);
    expect(record.inconclusive).toBe(0);
  });

  it.each([
    [true, 2],
    [false, 10],
  ])('and that was soft-deleted is purged when it never comes back (agreed: %s)', (agreed, minutes) => {
    const deleted = run([look(T0, lost('soft_deleted'))], purges).record;
    const { record, events } = run(every(30 * SECOND, (minutes + 2) * MINUTE, agreed), purges, deleted);
    expect(reason(record)).toBe('purged');
    expect(events).toHaveLength(1);
    expect(record.blindSince).toBeUndefined();
    expect(forget(record, T0 + DAY)).toBe('announced_deletion_completed');
    expect(forget(record, T0 + DAY, 1)).toBeUndefined();
  });
});

it('never forgets a key that is merely disabled', () => {
  expect(forget(run([look(T0, lost()), look(T0 + 4 * WEEK, lost())]).record, T0 + 4 * WEEK)).toBeUndefined();
});
