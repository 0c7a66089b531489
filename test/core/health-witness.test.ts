import { describe, expect, it } from 'vitest';
import { step } from '../../src/core/health.ts';
import {
  failed,
  HOUR,
  look,
  lost,
  MINUTE,
  OK,
  OTHER_SOURCE,
  POLICY,
  RULES,
  run,
  SOURCE,
  T0,
  unknown,
} from './support/looks.ts';

const deniedTo = (at: number) => failed(at, { status: 'unknown', reason: 'denied' }, OTHER_SOURCE);

describe('two sources that see the same key', () => {
  it('give one record, with the last look of each', () => {
    const { record } = run([look(T0, OK), look(T0 + 1, OK, {}, OTHER_SOURCE), look(T0 + 2, OK)]);
    expect(record.witnesses).toEqual([
      { ...OTHER_SOURCE, at: T0 + 1, conclusive: true },
      { ...SOURCE, at: T0 + 2, conclusive: true },
    ]);
  });

  it('do not blind the key while one of them sees it well', () => {
    const { record, last } = run([look(T0, OK), ...[1, 2, 3, 4].map((at) => deniedTo(T0 + at))]);
    expect(last).toMatchObject({ ignored: 'better_witness', suspect: undefined });
    expect(record).toMatchObject({ inconclusive: 0, checkedAt: T0 + 4, conclusiveAt: T0 });
    expect(record.evidence.status).toBe(200);
    expect(record.witnesses).toContainEqual({ ...OTHER_SOURCE, at: T0 + 4, conclusive: false });
  });

  it('count the failures of one when the other has not seen the key for too long', () => {
    const tooLong = T0 + POLICY.describeEveryMs + POLICY.staleAfterMs + 1;
    expect(run([look(T0, OK), deniedTo(tooLong - 1)]).last.ignored).toBe('better_witness');
    expect(run([look(T0, OK), deniedTo(tooLong)]).record.inconclusive).toBe(1);
  });

  it('count the failures of one when the other fails too', () => {
    const { record } = run([look(T0, OK), failed(T0 + 1), deniedTo(T0 + 2), failed(T0 + 3)]);
    expect(record).toMatchObject({ inconclusive: 3, blindSince: T0 + 1 });
  });

  it('confirm a loss together', () => {
    const { record } = run([look(T0, OK), look(T0 + 1, lost()), look(T0 + 2, lost(), {}, OTHER_SOURCE)]);
    expect(record.belief?.verdict).toEqual(lost());
  });

  it('are overruled by the newer one when their looks arrive out of order', () => {
    const { record, last } = run([look(T0, OK), look(T0 + 5, OK), look(T0 + 4, lost(), {}, OTHER_SOURCE)]);
    expect(last.ignored).toBe('older_look');
    expect(record.pending).toBeUndefined();
    expect(record.checkedAt).toBe(T0 + 5);
  });
});

describe('a look that is told twice', () => {
  it('changes nothing the second time, not even the record object', () => {
    const looks = [look(T0, OK), look(T0 + 1, lost())];
    const { record } = run(looks);
    for (const observation of looks) {
      expect(step(record, observation, RULES, T0 + 2)).toEqual({
        record,
        events: [],
        suspect: 'pending',
        ignored: 'replayed',
      });
      expect(step(record, observation, RULES, T0 + 2).record).toBe(record);
    }
  });

  it('does not count twice towards blindness', () => {
    const { record } = run([look(T0, OK), failed(T0 + 1), failed(T0 + 1), failed(T0 + 1)]);
    expect(record.inconclusive).toBe(1);
  });
});

describe('a clock that was set back', () => {
  it('does not freeze a key whose last look seems to lie in the future', () => {
    const future = run([look(T0 + HOUR, OK), look(T0 + HOUR, OK, {}, OTHER_SOURCE)]).record;
    const { record, last } = run([look(T0, lost()), look(T0 + 1, lost())], RULES, future);
    expect(last.ignored).toBeUndefined();
    expect(record.belief?.verdict).toEqual(lost());
    expect(record).toMatchObject({ checkedAt: T0 + 1, conclusiveAt: T0 + 1 });
  });

  it('does not keep a key seen well by a witness of the future', () => {
    const future = run([look(T0 + HOUR, OK, {}, OTHER_SOURCE)]).record;
    const { record } = run([failed(T0), failed(T0 + 1), failed(T0 + 2)], RULES, future);
    expect(record.blindSince).toBe(T0);
  });

  it('does not stretch the quarter of an hour of a passing state', () => {
    const creating = unknown('transitional');
    const future = run([look(T0 + HOUR, creating)]).record;
    const { record } = run([look(T0, creating), look(T0 + 16 * MINUTE, creating)], RULES, future);
    expect(record.inconclusiveReason).toBe('provider_error');
  });
});
