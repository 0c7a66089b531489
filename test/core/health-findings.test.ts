import { describe, expect, it } from 'vitest';
import { rejudge, type StepRules } from '../../src/core/health.ts';
import type { Finding } from '../../src/core/model.ts';
import { DAY, facts, failed, look, OK, POLICY, RULES, run, T0, types } from './support/looks.ts';

const OVERDUE: Finding = {
  id: 'secrets-manager.rotation-overdue',
  severity: 'warning',
  summary: 'Rotation is overdue.',
};
const UNUSED: Finding = { id: 'secrets-manager.unused', severity: 'info', summary: 'Nobody reads it.' };

function judging(...findings: readonly Finding[]): StepRules {
  return { ...RULES, judge: () => ({ findings }) };
}
/** A rule that a date breaks: overdue from `T0 + DAY` on. */
const BY_DATE: StepRules = {
  ...RULES,
  judge: (_facts, now) => (now < T0 + DAY ? { findings: [], until: T0 + DAY } : { findings: [OVERDUE] }),
};

describe('findings', () => {
  it('at first sight are open but no event', () => {
    const { record, events } = run([look(T0, OK)], judging(OVERDUE, UNUSED));
    expect(record.findings).toEqual([
      { ...OVERDUE, since: T0 },
      { ...UNUSED, since: T0 },
    ]);
    expect(types(events)).toEqual(['first_seen']);
  });

  it('at the first facts are no event either, if looks failed before', () => {
    expect(types(run([failed(T0), look(T0 + 1, OK)], judging(OVERDUE)).events)).toEqual(['first_seen']);
  });

  it('open and close later with one event each', () => {
    const start = run([look(T0, OK)], judging());
    const opened = run([look(T0 + 1, OK), look(T0 + 2, OK)], judging(OVERDUE), start.record);
    expect(opened.events).toMatchObject([{ at: T0 + 1, type: 'finding_opened', to: OVERDUE.id }]);
    expect(opened.record.findings).toEqual([{ ...OVERDUE, since: T0 + 1 }]);
    const closed = run([look(T0 + 3, OK), look(T0 + 4, OK)], judging(), opened.record);
    expect(closed.events).toMatchObject([{ at: T0 + 3, type: 'finding_closed', to: OVERDUE.id }]);
    expect(closed.record.findings).toEqual([]);
  });

  it('keep `since` when their severity or words change, without an event', () => {
    const start = run([look(T0, OK)], judging(OVERDUE));
    const worse: Finding = { ...OVERDUE, severity: 'critical', summary: 'Rotation is overdue by a week.' };
    const { record, events } = run([look(T0 + 1, OK)], judging(worse), start.record);
    expect(record.findings).toEqual([{ ...worse, since: T0 }]);
    expect(events).toEqual([]);
  });

  it('obey the overrides of policy: off removes, a severity replaces', () => {
    const policy = { ...POLICY, rules: { [OVERDUE.id]: 'off', [UNUSED.id]: 'critical' } } as const;
    const { record } = run([look(T0, OK)], { ...judging(OVERDUE, UNUSED), policy });
    expect(record.findings).toEqual([{ ...UNUSED, severity: 'critical', since: T0 }]);
  });

  it('count once if a service says them twice', () => {
    expect(run([look(T0, OK)], judging(OVERDUE, { ...OVERDUE, severity: 'info' })).record.findings).toHaveLength(1);
  });
});

describe('judging again without a look', () => {
  it('opens a finding when its date passes, also while the key is blind', () => {
    const start = run([look(T0, OK), failed(T0 + 1), failed(T0 + 2), failed(T0 + 3)], BY_DATE);
    expect(start.record).toMatchObject({ judgeAt: T0 + DAY, blindSince: T0 + 1 });
    const { record, events } = rejudge(start.record, BY_DATE, T0 + DAY);
    expect(events).toEqual([
      { at: T0 + DAY, type: 'finding_opened', resource: record.resource, kind: 'aws-secret', to: OVERDUE.id },
    ]);
    expect(record.findings).toEqual([{ ...OVERDUE, since: T0 + DAY }]);
    expect(record).not.toHaveProperty('judgeAt');
    expect(record.blindSince).toBe(T0 + 1);
  });

  it('gives back the same record when nothing changes', () => {
    const { record } = run([look(T0, OK)], BY_DATE);
    expect(rejudge(record, BY_DATE, T0 + 1)).toEqual({ record, events: [] });
    expect(rejudge(record, BY_DATE, T0 + 1).record).toBe(record);
  });

  it('has nothing to judge before there are facts', () => {
    const { record } = run([failed(T0)]);
    expect(rejudge(record, judging(OVERDUE), T0 + 1)).toEqual({ record, events: [] });
  });

  it('is not asked for without pause by a rule that names an instant in the past', () => {
    const rules: StepRules = { ...RULES, judge: () => ({ findings: [], until: T0 - DAY }) };
    expect(run([look(T0, OK)], rules).record.judgeAt).toBeGreaterThan(T0);
  });
});

describe('details that arrive in the background', () => {
  const detailed = facts({ detailKey: 'a', detailedAt: T0 + 1, attributes: { versions: 3 } });

  it('replace the facts; what the first ones show is the baseline', () => {
    const { record } = run([look(T0, OK)]);
    const first = rejudge(record, judging(OVERDUE), T0 + 1, detailed);
    expect(first.record.facts).toEqual(detailed);
    expect(first.record.findings).toEqual([{ ...OVERDUE, since: T0 + 1 }]);
    expect(first.events).toEqual([]);
    const next = rejudge(first.record, judging(UNUSED), T0 + 2, { ...detailed, detailedAt: T0 + 2 });
    expect(types(next.events)).toEqual(['finding_opened', 'finding_closed']);
  });

  it('are dropped when a look has told something newer meanwhile', () => {
    const newer = [{ version: { id: 'b' } }, { state: 'Disabled' }, { changedAt: T0 }];
    const old = facts({ version: { id: 'a' }, changedAt: T0 - 1, detailedAt: T0 });
    for (const change of newer) {
      const { record } = run([look(T0, OK, { version: { id: 'a' }, changedAt: T0 - 1, ...change })]);
      expect(rejudge(record, RULES, T0 + 1, old)).toEqual({ record, events: [] });
    }
  });

  it('tell how old the current version is', () => {
    const { record } = run([look(T0, OK, { version: { id: 'a' } })]);
    const version = { id: 'a', createdAt: T0 - DAY };
    expect(rejudge(record, RULES, T0 + 1, { ...detailed, version }).record.facts?.version).toEqual(version);
  });

  it('do not lose the version that is kept for comparison', () => {
    const { record } = run([look(T0, OK, { version: { id: 'a' } }), look(T0 + 1, OK)]);
    expect(rejudge(record, RULES, T0 + 2, detailed).record.facts?.version).toEqual({ id: 'a' });
  });
});
