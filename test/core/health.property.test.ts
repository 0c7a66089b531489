import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConclusiveVerdict, KeyEvent, Observation, Verdict } from '../../src/core/model.ts';
import { INACCESSIBLE_REASONS, UNKNOWN_REASONS } from '../../src/core/reasons.ts';
import { failed, look, lost, MINUTE, OK, OTHER_SOURCE, run, SOURCE, T0, unknown, withPolicy } from './support/looks.ts';

const SEEDED = { seed: 20260101, numRuns: 300 } as const;

const conclusive = fc.oneof(
  fc.constant(OK),
  // An empty secret is judged by its past, not by the verdict alone: it has its own tests.
  fc.constantFrom(...INACCESSIBLE_REASONS.filter((reason) => reason !== 'no_current_version')).map(lost),
);
const inconclusive = fc.constantFrom(...UNKNOWN_REASONS).map(unknown);
/** Mostly few distinct verdicts, so that they are confirmed now and then. */
const verdict: fc.Arbitrary<Verdict> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom<Verdict>(OK, lost('disabled')) },
  { weight: 1, arbitrary: conclusive },
  { weight: 2, arbitrary: inconclusive },
);
const versionId = fc.option(fc.constantFrom('a', 'b', 'c'), { nil: undefined });

/** Looks of one or two sources, each source's own at ascending instants. */
const looks: fc.Arbitrary<readonly Observation[]> = fc
  .array(
    fc.record({
      verdict,
      id: versionId,
      facts: fc.boolean(),
      other: fc.boolean(),
      after: fc.integer({ min: 1, max: 10 * MINUTE }),
    }),
    {
      minLength: 1,
      maxLength: 40,
    },
  )
  .map((steps) => {
    let at = T0;
    return steps.map(({ verdict, id, facts, other, after }) => {
      at += after;
      const source = other ? OTHER_SOURCE : SOURCE;
      if (!facts && verdict.status !== 'accessible') return failed(at, verdict, source);
      return look(at, verdict, id === undefined ? {} : { version: { id } }, source);
    });
  });

function inconclusiveLooks(after: number): fc.Arbitrary<readonly Observation[]> {
  return fc
    .array(fc.tuple(inconclusive, fc.integer({ min: 1, max: 10 * MINUTE }), fc.boolean()), {
      minLength: 1,
      maxLength: 40,
    })
    .map((steps) => {
      let at = after;
      return steps.map(([verdict, gap, facts]) => {
        at += gap;
        return facts || verdict.status !== 'unknown' ? look(at, verdict) : failed(at, verdict);
      });
    });
}

/** What is believed by the book: the first conclusive verdict, then whatever is seen `needed` times in a row. */
function reference(verdicts: readonly Verdict[], needed: number): { believed?: ConclusiveVerdict; changes: number } {
  let believed: ConclusiveVerdict | undefined;
  let streak: ConclusiveVerdict[] = [];
  let changes = 0;
  for (const seen of verdicts) {
    if (seen.status === 'unknown') continue;
    const isAbsence = seen.status === 'inaccessible' && ['not_found', 'purged'].includes(seen.reason);
    if (!believed && !isAbsence) {
      believed = seen;
      streak = [];
      continue;
    }
    const same = (other: ConclusiveVerdict) => JSON.stringify(other) === JSON.stringify(seen);
    if (believed && same(believed)) {
      streak = [];
      continue;
    }
    streak = streak.every(same) ? [...streak, seen] : [seen];
    if (streak.length < needed) continue;
    if (believed) changes += 1;
    believed = seen;
    streak = [];
  }
  return { ...(believed && { believed }), changes };
}

function transitions(events: readonly KeyEvent[]): readonly KeyEvent[] {
  return events.filter((event) => event.type === 'transition');
}

describe('for every sequence of looks', () => {
  it('inconclusive ones never change what is believed, nor log anything', () => {
    const cases = looks.chain((before) => inconclusiveLooks(before.at(-1)!.at).map((after) => ({ before, after })));
    fc.assert(
      fc.property(cases, ({ before, after }) => {
        const start = run(before);
        const { record, events } = run(after, undefined, start.record);
        expect(record.belief).toEqual(start.record.belief);
        expect(record.facts).toEqual(start.record.facts);
        expect(record.pending).toEqual(start.record.pending);
        expect(events).toEqual([]);
      }),
      SEEDED,
    );
  });

  it('blindness never resolves a loss', () => {
    fc.assert(
      fc.property(inconclusiveLooks(T0), (after) => {
        const { record } = run(after, undefined, run([look(T0, lost('disabled'))]).record);
        expect(record.belief).toEqual({ verdict: lost('disabled'), since: T0, baseline: true });
      }),
      SEEDED,
    );
  });

  it('each confirmed change is exactly one transition, and transitions follow on one another', () => {
    const confirmations = fc.integer({ min: 1, max: 4 });
    fc.assert(
      fc.property(looks, confirmations, (observations, needed) => {
        const rules = withPolicy({ confirmations: { inaccessible: needed, accessible: needed, blind: 3 } });
        const { record, events } = run(observations, rules);
        const expected = reference(
          observations.map((observation) => observation.verdict),
          needed,
        );
        expect(record.belief?.verdict).toEqual(expected.believed);
        expect(transitions(events)).toHaveLength(expected.changes);
        let last: string | undefined;
        for (const event of transitions(events)) {
          if (last) expect(event.from).toBe(last);
          last = event.to;
        }
        if (last) expect(record.belief?.verdict.status).toBe(last);
        expect(events.filter((event) => event.type === 'first_seen')).toHaveLength(1);
      }),
      SEEDED,
    );
  });

  it('telling them again changes nothing', () => {
    fc.assert(
      fc.property(looks, fc.nat(), (observations, cut) => {
        const { record } = run(observations);
        const replayed = run(observations.slice(cut % observations.length), undefined, record, record.checkedAt);
        expect(replayed.record).toEqual(record);
        expect(replayed.events).toEqual([]);
      }),
      SEEDED,
    );
  });

  it('telling each of them twice is telling them once', () => {
    fc.assert(
      fc.property(looks, (observations) => {
        const twice = run(observations.flatMap((observation) => [observation, observation]));
        const once = run(observations);
        expect(twice.record).toEqual(once.record);
        expect(twice.events).toEqual(once.events);
      }),
      SEEDED,
    );
  });

  it('there is one version event for each change of the version', () => {
    fc.assert(
      fc.property(looks, (observations) => {
        const { record, events } = run(observations);
        const told = events.filter((event) => event.type === 'new_version' || event.type === 'rolled_back');
        expect(told).toHaveLength(record.versionChanges);
        for (const [index, event] of told.entries()) {
          expect(event.from).not.toBe(event.to);
          const next = told[index + 1];
          if (next) expect(next.from).toBe(event.to);
        }
        if (told.length > 0) expect(record.facts?.version?.id).toBe(told.at(-1)?.to);
        expect(record.pastVersions).not.toContain(record.facts?.version?.id);
      }),
      SEEDED,
    );
  });

  it('a key is blind exactly while at least three looks in a row proved nothing', () => {
    fc.assert(
      fc.property(looks, (observations) => {
        const { record } = run(observations);
        expect(record.blindSince !== undefined).toBe(record.inconclusive >= 3);
        expect(record.blindSince).toBe(record.inconclusive >= 3 ? record.inconclusiveSince : undefined);
      }),
      SEEDED,
    );
  });
});
