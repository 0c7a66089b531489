import { describe, expect, it } from 'vitest';
import { unsettled } from '../../src/core/health.ts';
import type { Observation } from '../../src/core/model.ts';
import { facts, failed, look, lost, MINUTE, OK, run, SECOND, T0, types, unknown } from './support/looks.ts';

const denied = { status: 'unknown', reason: 'denied' } as const;

describe('inconclusive looks', () => {
  it('make a suspect at first and a blind key, no suspect, at the third in a row', () => {
    const two = run([look(T0, OK), failed(T0 + 1), failed(T0 + 2)]);
    expect(two.last.suspect).toBe('inconclusive');
    expect(two.record.blindSince).toBeUndefined();
    const three = run([failed(T0 + 3, denied)], undefined, two.record);
    expect(three.record).toMatchObject({ blindSince: T0 + 1, blindReason: 'denied', inconclusive: 3 });
    expect(three.last.suspect).toBeUndefined();
    expect(unsettled(three.record)).toBe(true);
    expect(three.record.belief).toEqual(two.record.belief);
    expect(three.events).toEqual([]);
  });

  it('take over what another witness told, for those who depend on it, and believe nothing by it', () => {
    const told = facts({ grants: [], attributes: { publicNetworkAccess: 'Disabled' } });
    const aside = (at: number): Observation => {
      const observation = failed(at, denied);
      return observation.facts ? observation : { ...observation, failure: { ...observation.failure, told } };
    };
    const { record, events } = run([look(T0, OK, { grants: [] }), aside(T0 + 1), aside(T0 + 2), aside(T0 + 3)]);
    expect(record).toMatchObject({ facts: told, blindReason: 'denied', belief: { verdict: OK }, conclusiveAt: T0 });
    expect(events.map(({ type }) => type)).toEqual(['first_seen']);
    const never = run([aside(T0)]);
    expect(never.record).toMatchObject({ facts: told });
    expect(never.record).not.toHaveProperty('belief');
    const dated = run([look(T0, lost('soft_deleted'), { deletionAt: T0 + MINUTE }), aside(T0 + 1)]);
    expect(dated.record.facts?.deletionAt).toBe(T0 + MINUTE);
  });

  it('bring back what was believed gone, confirmed, when another witness shows it to be there: it is blind then', () => {
    const aside = (at: number): Observation => {
      const observation = failed(at, denied);
      return observation.facts ? observation : { ...observation, failure: { ...observation.failure, told: facts() } };
    };
    const looks = [look(T0, lost('soft_deleted')), ...[1, 2, 3].map((at) => aside(T0 + at))];
    const { record, events } = run(looks);
    expect(events.map(({ type, to }) => [type, to])).toEqual([
      ['first_seen', 'inaccessible'],
      ['transition', 'accessible'],
    ]);
    expect(record).toMatchObject({ belief: { verdict: OK }, blindReason: 'denied' });
    const disabled = run([look(T0, lost()), ...[1, 2, 3].map((at) => aside(T0 + at))]);
    expect(disabled.record.belief?.verdict).toEqual(lost());
  });

  it('go on saying since when and why, while blind', () => {
    const { record } = run([look(T0, OK), ...[1, 2, 3].map((at) => failed(T0 + at)), failed(T0 + 4, denied)]);
    expect(record).toMatchObject({
      blindSince: T0 + 1,
      blindReason: 'denied',
      inconclusive: 4,
      checkedAt: T0 + 4,
      conclusiveAt: T0,
    });
    expect(record.evidence.code).toBe('denied');
  });

  it('start anew after any conclusive look', () => {
    const { record } = run([
      look(T0, OK),
      failed(T0 + 1),
      failed(T0 + 2),
      look(T0 + 3, OK),
      failed(T0 + 4),
      failed(T0 + 5),
    ]);
    expect(record).toMatchObject({ inconclusive: 2, inconclusiveSince: T0 + 4 });
    expect(record.blindSince).toBeUndefined();
  });

  it('do not touch an accessible belief, nor resolve an inaccessible one', () => {
    for (const verdict of [OK, lost('disabled')]) {
      const start = run([look(T0, verdict)]);
      const { record, events } = run(
        Array.from({ length: 50 }, (_, index) => failed(T0 + 1 + index)),
        undefined,
        start.record,
      );
      expect(record.belief).toEqual(start.record.belief);
      expect(events).toEqual([]);
    }
  });

  it('make a key blind even if nothing conclusive was ever known', () => {
    const { record, last } = run([failed(T0), failed(T0 + 1), failed(T0 + 2)]);
    expect(record).toMatchObject({ blindSince: T0, blindReason: 'timeout' });
    expect(record.belief).toBeUndefined();
    expect(last.suspect).toBeUndefined();
  });
});

describe('blindness', () => {
  it('ends with one conclusive look, whatever it says', () => {
    const blind = run([look(T0, OK), failed(T0 + 1), failed(T0 + 2), failed(T0 + 3)]).record;
    for (const verdict of [OK, lost()]) {
      const { record } = run([look(T0 + 4, verdict)], undefined, blind);
      expect(record.inconclusive).toBe(0);
      for (const field of ['blindSince', 'blindReason', 'inconclusiveSince', 'inconclusiveReason']) {
        expect(record).not.toHaveProperty(field);
      }
    }
  });

  it('leaves what was pending as it was, without asking for more looks', () => {
    const { record, last } = run([look(T0, OK), look(T0 + 1, lost()), failed(T0 + 2), failed(T0 + 3), failed(T0 + 4)]);
    expect(record.pending?.seen).toBe(1);
    expect(last.suspect).toBeUndefined();
    expect(run([look(T0 + 5, lost())], undefined, record).record.belief?.verdict).toEqual(lost());
  });
});

describe('a passing state', () => {
  const creating = unknown('transitional');

  it('proves nothing and blinds nobody for a quarter of an hour', () => {
    const looks = Array.from({ length: 14 }, (_, minute) =>
      look(T0 + minute * MINUTE, creating, { state: 'Creating' }),
    );
    const { record, events, last } = run(looks);
    expect(record).toMatchObject({ inconclusive: 0, inconclusiveReason: 'transitional', transitionalSince: T0 });
    expect(record.blindSince).toBeUndefined();
    expect(record.facts).toBeUndefined();
    expect(last.suspect).toBeUndefined();
    expect(unsettled(record)).toBe(true);
    expect(events).toMatchObject([{ type: 'first_seen', to: 'unknown', reason: 'transitional' }]);
  });

  it('counts as trouble of the provider after that', () => {
    const at = [0, 15 * MINUTE - 1, 15 * MINUTE, 16 * MINUTE, 17 * MINUTE];
    const { record } = run(at.map((after) => look(T0 + after, creating)));
    expect(record).toMatchObject({
      inconclusive: 3,
      inconclusiveReason: 'provider_error',
      blindSince: T0 + 15 * MINUTE,
      blindReason: 'provider_error',
    });
  });

  it('is not interrupted by a look that failed, but by a conclusive one', () => {
    const start = run([look(T0, creating), failed(T0 + MINUTE), look(T0 + 2 * MINUTE, creating)]);
    expect(start.record).toMatchObject({ transitionalSince: T0, inconclusive: 1 });
    const done = run([look(T0 + 3 * MINUTE, OK)], undefined, start.record);
    expect(done.record).not.toHaveProperty('transitionalSince');
    const again = run([look(T0 + 30 * MINUTE, creating)], undefined, done.record);
    expect(again.record).toMatchObject({
      transitionalSince: T0 + 30 * MINUTE,
      inconclusive: 0,
      belief: { verdict: OK },
    });
  });

  it('does not end blindness: the key still tells nothing', () => {
    const { record } = run([look(T0, OK), failed(T0 + 1), failed(T0 + 2), failed(T0 + 3), look(T0 + SECOND, creating)]);
    expect(record).toMatchObject({ blindSince: T0 + 1, inconclusive: 3 });
  });
});

it('says nothing in the log about blindness', () => {
  expect(types(run([look(T0, OK), failed(T0 + 1), failed(T0 + 2), failed(T0 + 3), look(T0 + 4, OK)]).events)).toEqual([
    'first_seen',
  ]);
});
