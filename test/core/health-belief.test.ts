import { describe, expect, it } from 'vitest';
import { isConclusive, stillSuspect, unsettled } from '../../src/core/health.ts';
import { failed, look, lost, MINUTE, OK, run, SECOND, T0, types, unknown, withPolicy } from './support/looks.ts';

describe('the first look', () => {
  it('is believed at once and logged as first_seen only', () => {
    const { record, events, last } = run([look(T0, OK, { version: { id: 'v1' } })]);
    expect(record.belief).toEqual({ verdict: OK, since: T0, baseline: false });
    expect(events).toEqual([
      { at: T0, type: 'first_seen', resource: record.resource, kind: 'aws-secret', to: 'accessible', version: 'v1' },
    ]);
    expect(last.suspect).toBeUndefined();
    expect(last.ignored).toBeUndefined();
  });

  it('of a dead key is a baseline that ends once the key is accessible again', () => {
    const dead = run([look(T0, lost('disabled'))]);
    expect(dead.record.belief).toEqual({ verdict: lost('disabled'), since: T0, baseline: true });
    expect(dead.events).toMatchObject([{ type: 'first_seen', to: 'inaccessible', reason: 'disabled' }]);

    const back = run([look(T0 + 1, OK), look(T0 + 2, OK)], undefined, dead.record);
    expect(back.record.belief).toEqual({ verdict: OK, since: T0 + 1, baseline: false });
    const again = run([look(T0 + 3, lost()), look(T0 + 4, lost())], undefined, back.record);
    expect(again.record.belief?.baseline).toBe(false);
  });

  it('that finds nothing is no loss before it is confirmed: a new key is not known everywhere at once', () => {
    const absent = (at: number) => failed(at, { status: 'inaccessible', reason: 'not_found' });
    const first = run([absent(T0)]);
    expect(first.record.belief).toBeUndefined();
    expect(first.last.suspect).toBe('pending');

    const there = run([look(T0 + 1, OK)], undefined, first.record);
    expect(there.record.belief).toEqual({ verdict: OK, since: T0 + 1, baseline: false });
    expect(there.record.pending).toBeUndefined();
    const dead = run([absent(T0 + 1)], undefined, first.record);
    expect(dead.record.belief).toEqual({ verdict: lost('not_found'), since: T0, baseline: true });
    expect(types([...first.events, ...there.events, ...dead.events])).toEqual(['first_seen']);
  });

  it('keeps its baseline while only the reason of the loss changes', () => {
    const { record } = run([
      look(T0, lost('disabled')),
      look(T0 + 1, lost('pending_deletion')),
      look(T0 + 2, lost('pending_deletion')),
    ]);
    expect(record.belief).toEqual({ verdict: lost('pending_deletion'), since: T0, baseline: true });
  });

  it('that proves nothing makes a record without a belief', () => {
    const { record, events, last } = run([failed(T0, { status: 'unknown', reason: 'denied' })]);
    expect(record.belief).toBeUndefined();
    expect(record.facts).toBeUndefined();
    expect(record.inconclusiveReason).toBe('denied');
    expect(events).toMatchObject([{ type: 'first_seen', to: 'unknown', reason: 'denied' }]);
    expect(last.suspect).toBe('inconclusive');
    expect(unsettled(record)).toBe(true);
  });

  it('that proves nothing is followed by a baseline without a transition', () => {
    const { record, events } = run([failed(T0), look(T0 + MINUTE, lost())]);
    expect(record.belief).toEqual({ verdict: lost(), since: T0 + MINUTE, baseline: true });
    expect(types(events)).toEqual(['first_seen']);
    expect(record.firstSeenAt).toBe(T0);
  });
});

describe('a verdict that differs from what is believed', () => {
  it('is pending and a suspect until it was seen often enough in a row', () => {
    const { record, events, last } = run([look(T0, OK), look(T0 + 1, lost())]);
    expect(record.belief?.verdict).toEqual(OK);
    expect(record.pending).toEqual({ verdict: lost(), seen: 1, firstAt: T0 + 1 });
    expect(last.suspect).toBe('pending');
    expect(stillSuspect(record)).toBe('pending');
    expect(types(events)).toEqual(['first_seen']);
  });

  it('is believed since its first sight once it is confirmed, with one transition', () => {
    const { record, events, last } = run([
      look(T0, OK),
      look(T0 + 1, lost()),
      look(T0 + 2, lost()),
      look(T0 + 3, lost()),
    ]);
    expect(record.belief).toEqual({ verdict: lost(), since: T0 + 1, baseline: false });
    expect(record.pending).toBeUndefined();
    expect(last.suspect).toBeUndefined();
    expect(unsettled(record)).toBe(false);
    expect(events.slice(1)).toEqual([
      {
        at: T0 + 2,
        type: 'transition',
        resource: record.resource,
        kind: 'aws-secret',
        from: 'accessible',
        to: 'inaccessible',
        reason: 'disabled',
      },
    ]);
  });

  it('is forgotten when a look agrees with what is believed', () => {
    const { record, events } = run([look(T0, OK), look(T0 + 1, lost()), look(T0 + 2, OK), look(T0 + 3, lost())]);
    expect(record.pending).toEqual({ verdict: lost(), seen: 1, firstAt: T0 + 3 });
    expect(types(events)).toEqual(['first_seen']);
  });

  it('is counted anew when another reason comes in between', () => {
    const { record } = run([look(T0, OK), look(T0 + 1, lost('disabled')), look(T0 + 2, lost('pending_deletion'))]);
    expect(record.belief?.verdict).toEqual(OK);
    expect(record.pending).toEqual({ verdict: lost('pending_deletion'), seen: 1, firstAt: T0 + 2 });
  });

  it('is neither counted nor cleared by an inconclusive look', () => {
    const between = run([look(T0, OK), look(T0 + 1, lost()), failed(T0 + 2)]);
    expect(between.record.pending).toEqual({ verdict: lost(), seen: 1, firstAt: T0 + 1 });
    const after = run([look(T0 + 3, lost())], undefined, between.record);
    expect(after.record.belief).toEqual({ verdict: lost(), since: T0 + 1, baseline: false });
  });

  it('keeps `since` and tells one transition when only the reason of a loss changes', () => {
    const start = run([look(T0, OK), look(T0 + 1, lost('disabled')), look(T0 + 2, lost('disabled'))]);
    const { record, events } = run(
      [look(T0 + 3, lost('pending_deletion')), look(T0 + 4, lost('pending_deletion'))],
      undefined,
      start.record,
    );
    expect(record.belief).toEqual({ verdict: lost('pending_deletion'), since: T0 + 1, baseline: false });
    expect(events).toMatchObject([
      { type: 'transition', from: 'inaccessible', to: 'inaccessible', reason: 'pending_deletion' },
    ]);
  });

  it('needs the confirmations that policy asks for, each way its own', () => {
    const rules = withPolicy({ confirmations: { inaccessible: 1, accessible: 3, blind: 3 } });
    const down = run([look(T0, OK), look(T0 + 1, lost())], rules);
    expect(down.record.belief?.verdict).toEqual(lost());
    const nearly = run([look(T0 + 2, OK), look(T0 + 3, OK)], rules, down.record);
    expect(nearly.record.belief?.verdict).toEqual(lost());
    const up = run([look(T0 + 4, OK)], rules, nearly.record);
    expect(up.record.belief).toEqual({ verdict: OK, since: T0 + 2, baseline: false });
    expect(up.events).toMatchObject([{ type: 'transition', from: 'inaccessible', to: 'accessible' }]);
    expect(up.events[0]).not.toHaveProperty('reason');
  });

  it('can be conclusive without facts, and then the known facts stay', () => {
    const { record } = run([
      look(T0, OK, { version: { id: 'v1' } }),
      failed(T0 + SECOND, { status: 'inaccessible', reason: 'not_found' }),
      failed(T0 + 2 * SECOND, { status: 'inaccessible', reason: 'not_found' }),
    ]);
    expect(record.belief?.verdict).toEqual(lost('not_found'));
    expect(record.facts?.version?.id).toBe('v1');
    expect(record.conclusiveAt).toBe(T0 + 2 * SECOND);
    expect(record.evidence.code).toBe('not_found');
  });
});

describe('a secret without a current version', () => {
  it('is accessible if it was never filled', () => {
    const { record, events } = run([look(T0, lost('no_current_version')), look(T0 + 1, lost('no_current_version'))]);
    expect(record.belief).toEqual({ verdict: OK, since: T0, baseline: false });
    expect(events).toMatchObject([{ type: 'first_seen', to: 'accessible' }]);
  });

  it('is lost if it had one before', () => {
    const { record } = run([
      look(T0, OK, { version: { id: 'v1' } }),
      look(T0 + 1, lost('no_current_version')),
      look(T0 + 2, lost('no_current_version')),
    ]);
    expect(record.belief?.verdict).toEqual(lost('no_current_version'));
  });
});

it('tells conclusive verdicts from inconclusive ones', () => {
  expect([OK, lost(), unknown()].map(isConclusive)).toEqual([true, true, false]);
});

it('keeps the digest of the listing only when the look was conclusive', () => {
  const rules = { ...withPolicy({}), digest: 'one' };
  const first = run([look(T0, OK)], rules);
  expect(first.record.digest).toBe('one');
  const after = run([failed(T0 + 1)], { ...rules, digest: 'two' }, first.record);
  expect(after.record.digest).toBe('one');
  expect(run([look(T0 + 2, OK)], withPolicy({}), after.record).record.digest).toBe('one');
});
