import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rejudge, type StepRules } from '../../src/core/health.ts';
import type { KeyEvent, Observation } from '../../src/core/model.ts';
import { DAY, failed, look, lost, MINUTE, OK, RULES, run, T0, types, unknown } from './support/looks.ts';

const NEVER_BACK: StepRules = { ...RULES, versionsCanReturn: false };

function version(at: number, id: string, previous?: string): Observation {
  return look(at, OK, { version: { id }, ...(previous && { previousVersion: { id: previous } }) });
}

describe('a version', () => {
  it('is no change at first sight', () => {
    const { record, events } = run([version(T0, 'a')]);
    expect(record).toMatchObject({ versionChanges: 0, pastVersions: [] });
    expect(record).not.toHaveProperty('versionDetectedAt');
    expect(types(events)).toEqual(['first_seen']);
  });

  it('is no change either when earlier looks told no version', () => {
    expect(types(run([failed(T0), look(T0 + 1, OK), version(T0 + 2, 'a')]).events)).toEqual(['first_seen']);
  });

  it('that differs is new_version at once, and only once', () => {
    const { record, events } = run([version(T0, 'a'), version(T0 + 1, 'b', 'a'), version(T0 + 2, 'b', 'a')]);
    expect(events.slice(1)).toEqual([
      {
        at: T0 + 1,
        type: 'new_version',
        resource: record.resource,
        kind: 'aws-secret',
        from: 'a',
        to: 'b',
        version: 'b',
      },
    ]);
    expect(record).toMatchObject({ versionChanges: 1, versionDetectedAt: T0 + 1, pastVersions: ['a'] });
  });

  it('equal to the previous one is rolled_back, though it was never current since first sight', () => {
    const { record, events } = run([version(T0, 'b', 'a'), version(T0 + 1, 'a', 'b')]);
    expect(events[1]).toMatchObject({ type: 'rolled_back', from: 'b', to: 'a', version: 'a' });
    expect(record).toMatchObject({ versionChanges: 1, pastVersions: ['b'] });
  });

  it('that was current before is rolled_back, however long ago', () => {
    const { record, events } = run([
      version(T0, 'a'),
      version(T0 + 1, 'b'),
      version(T0 + 2, 'c'),
      version(T0 + 3, 'a'),
    ]);
    expect(types(events)).toEqual(['first_seen', 'new_version', 'new_version', 'rolled_back']);
    expect(record).toMatchObject({ versionChanges: 3, pastVersions: ['b', 'c'] });
  });

  it('that goes away and comes back is no event', () => {
    const { record, events } = run([version(T0, 'a'), look(T0 + 1, lost('pending_import')), version(T0 + 2, 'a')]);
    expect(types(events)).toEqual(['first_seen']);
    expect(record.versionChanges).toBe(0);
  });

  it('is told although the verdict that comes with it waits for confirmation', () => {
    const { record, events } = run([version(T0, 'a'), look(T0 + 1, lost(), { version: { id: 'b' } })]);
    expect(types(events)).toEqual(['first_seen', 'new_version']);
    expect(record.belief?.verdict).toEqual(OK);
  });

  it('is not taken from a look that proved nothing', () => {
    const { record, events } = run([
      version(T0, 'a'),
      look(T0 + 1, unknown('provider_error'), { version: { id: 'b' } }),
    ]);
    expect(types(events)).toEqual(['first_seen']);
    expect(record.facts?.version?.id).toBe('a');
  });

  it('leaves at most a hundred past ones behind', () => {
    const { record } = run(Array.from({ length: 150 }, (_, index) => version(T0 + index, `v${index}`)));
    expect(record.pastVersions).toHaveLength(100);
    expect(record.pastVersions.at(-1)).toBe('v148');
    expect(record.versionChanges).toBe(149);
  });
});

describe('versions that came and went while nobody looked', () => {
  const made = (...ids: [id: string, createdAt?: number][]) =>
    ids.map(([id, createdAt]) => ({ id, ...(createdAt !== undefined && { createdAt }) }));
  const told = (events: readonly KeyEvent[]) => events.slice(1).map(({ type, from, to }) => `${type} ${from} ${to}`);
  const listed = made(['d', T0 + 4], ['c', T0 + 3], ['b', T0 + 2], ['a', T0 + 1], ['old', T0]);
  const start = look(T0 + 1, OK, { version: { id: 'a', createdAt: T0 + 1 } });

  it('are announced once each, in the order in which they were made', () => {
    const now = look(T0 + 3 * DAY, OK, { version: { id: 'd' }, versions: listed });
    const { record, events } = run([start, now, { ...now, at: now.at + 1 }]);
    expect(told(events)).toEqual(['new_version a b', 'new_version b c', 'new_version c d']);
    expect(record).toMatchObject({ versionChanges: 3, pastVersions: ['a', 'b', 'c'] });
    expect(events.map(({ at }) => at)).toEqual([T0 + 1, now.at, now.at, now.at]);
  });

  it('are left out where they have no date, or are on their way in', () => {
    const versions = made(['d', T0 + 4], ['p', T0 + 3], ['undated'], ['a', T0 + 1]);
    const now = look(T0 + DAY, OK, { version: { id: 'd' }, pendingVersion: { id: 'p' }, versions });
    expect(told(run([start, now]).events)).toEqual(['new_version a d']);
  });

  it('are announced where the cloud names only the one before', () => {
    const now = look(T0 + DAY, OK, { version: { id: 'd' }, previousVersion: { id: 'c' } });
    expect(told(run([start, now]).events)).toEqual(['new_version a c', 'new_version c d']);
  });

  it('are none where the date of either end is not known', () => {
    const bare = look(T0 + 1, OK, { version: { id: 'a' } });
    const versions = made(['d', T0 + 4], ['c', T0 + 3], ['a']);
    expect(told(run([bare, look(T0 + DAY, OK, { version: { id: 'd' }, versions })]).events)).toEqual([
      'new_version a d',
    ]);
  });

  it('are none at first sight, whatever the details tell', () => {
    const { record } = run([look(T0, OK, { version: { id: 'd' } })]);
    const details = rejudge(record, RULES, T0 + 1, { ...record.facts!, versions: listed, detailedAt: T0 + 1 });
    expect(details.events).toEqual([]);
    expect(details.record.versionChanges).toBe(0);
  });

  it('are announced once the details tell of them, and only then', () => {
    const { record } = run([start, look(T0 + DAY, OK, { version: { id: 'd' } })]);
    const facts = { ...record.facts!, versions: listed, detailedAt: T0 + DAY };
    const first = rejudge(record, RULES, T0 + DAY + 1, facts);
    expect(first.events).toMatchObject([
      { at: T0 + DAY + 1, type: 'new_version', from: 'a', to: 'b' },
      { at: T0 + DAY + 1, type: 'new_version', from: 'b', to: 'c' },
    ]);
    expect(first.record).toMatchObject({ versionChanges: 3, pastVersions: ['a', 'b', 'c'] });
    expect(rejudge(first.record, RULES, T0 + 2 * DAY, { ...facts, detailedAt: T0 + 2 * DAY }).events).toEqual([]);
  });

  it('are none after a rollback', () => {
    const events = run([
      start,
      look(T0 + 2, OK, { version: { id: 'b', createdAt: T0 + 2 } }),
      look(T0 + 3, OK, { version: { id: 'a', createdAt: T0 + 1 }, previousVersion: { id: 'x' }, versions: listed }),
    ]).events;
    expect(told(events)).toEqual(['new_version a b', 'rolled_back b a']);
  });

  it('are announced once each however often, and in whatever parts, they are listed', () => {
    const all = Array.from({ length: 12 }, (_, at) => ({ id: `v${at}`, createdAt: T0 + at }));
    const arbitraryLook = fc.record({
      ahead: fc.integer({ min: 0, max: 4 }),
      lists: fc.boolean(),
      details: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(arbitraryLook, { maxLength: 10 }), (looks) => {
        let current = 0;
        let { record } = run([look(T0, OK, { version: all[0]! })]);
        const seen: (string | undefined)[] = [];
        for (const [index, { ahead, lists, details }] of looks.entries()) {
          current = Math.min(11, current + ahead);
          const versions = all.slice(0, current + 1).toReversed();
          const facts = { version: all[current]!, ...(lists && { versions }) };
          const stepped = run([look(T0 + DAY + index, OK, facts)], undefined, record);
          seen.push(...stepped.events.map(({ to }) => to));
          record = stepped.record;
          if (!details) continue;
          const told = rejudge(record, RULES, T0 + DAY + index, { ...record.facts!, versions });
          seen.push(...told.events.map(({ to }) => to));
          record = told.record;
        }
        expect(new Set(seen).size).toBe(seen.length);
        if (looks.every(({ lists }) => lists)) expect(seen).toEqual(all.slice(1, current + 1).map(({ id }) => id));
      }),
      { seed: 3, numRuns: 500 },
    );
  });
});

describe('a stale read', () => {
  it('by its date of change is ignored and makes the key a suspect', () => {
    const known = run([look(T0, OK, { changedAt: T0 - 10, version: { id: 'b' } })]);
    const { record, events, last } = run(
      [look(T0 + 1, lost(), { changedAt: T0 - 11, version: { id: 'a' } })],
      undefined,
      known.record,
    );
    expect(last).toMatchObject({ ignored: 'stale_read', suspect: 'stale_read' });
    expect(events).toEqual([]);
    expect({ ...record, checkedAt: 0, witnesses: [] }).toEqual({ ...known.record, checkedAt: 0, witnesses: [] });
    expect(record.witnesses).toMatchObject([{ at: T0 + 1, conclusive: false }]);
  });

  it('by its material is one only where material cannot come back', () => {
    const looks = [version(T0, 'a'), version(T0 + 1, 'b'), version(T0 + 2, 'a')];
    const stale = run(looks, NEVER_BACK);
    expect(stale.last.ignored).toBe('stale_read');
    expect(types(stale.events)).toEqual(['first_seen', 'new_version']);
    expect(types(run(looks).events)).toEqual(['first_seen', 'new_version', 'rolled_back']);
  });

  it('never makes a key blind', () => {
    const looks = [1, 2, 3, 4].map((at) => look(T0 + at, unknown('provider_error'), { changedAt: T0 - 2 }));
    const { record } = run([look(T0, OK, { changedAt: T0 - 1 }), ...looks]);
    expect(record.inconclusive).toBe(0);
  });

  it('is the truth if the cloud insists on it for longer than replicas can lag', () => {
    const restored = [14, 15, 16, 17].map((minutes) => look(T0 + minutes * MINUTE, OK, { changedAt: T0 - 5 }));
    const start = run([look(T0, lost('soft_deleted'), { changedAt: T0 - 1 })]);
    const { record, last } = run(restored, undefined, start.record);
    expect(last.ignored).toBeUndefined();
    expect(record.belief?.verdict).toEqual(OK);
  });
});
