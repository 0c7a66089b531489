import { describe, expect, it } from 'vitest';
import {
  type ConsumerStep,
  type ConsumerStepRules,
  rejudgeConsumer,
  stepConsumer,
  unsettledConsumer,
} from '../../src/core/consumers.ts';
import type { ConsumerFacts, ConsumerObservation, ConsumerRecord, Finding } from '../../src/core/model.ts';
import type { ConsumerReason, UnknownReason } from '../../src/core/reasons.ts';
import { MINUTE, POLICY, SOURCE, T0 } from './support/looks.ts';

const STUB = {
  resource: '/subscriptions/s/accounts/a',
  kind: 'media-services-account',
  name: 'a',
  provider: 'azure',
  account: 's',
  location: 'westeurope',
} as const;
const FACTS: ConsumerFacts = { ...STUB, tags: {}, uses: [{ resource: 'k', role: 'encrypts' }], attributes: {} };

function look(at: number, facts: Partial<ConsumerFacts> = {}): ConsumerObservation {
  const evidence = { operation: 'Get' };
  return { resource: STUB.resource, source: SOURCE, at, evidence, consumer: { ...FACTS, ...facts } };
}

function fails(at: number, reason: UnknownReason | 'not_found' | 'disabled', source = SOURCE): ConsumerObservation {
  const evidence = { operation: 'Get' };
  return { resource: STUB.resource, source, at, evidence, stub: STUB, failure: { reason, evidence } };
}

function rules(
  impairment?: ConsumerReason,
  findings: readonly Finding[] = [],
  until?: number,
  digest?: string,
): ConsumerStepRules {
  return {
    policy: POLICY,
    judge: () => ({ findings, ...(impairment && { impairment }), ...(until !== undefined && { until }) }),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** The steps of one look each second. */
function run(
  ...looks: ReadonlyArray<readonly [(at: number) => ConsumerObservation, ConsumerStepRules]>
): ConsumerStep[] {
  const steps: ConsumerStep[] = [];
  let record: ConsumerRecord | undefined;
  for (const [index, [observe, by]] of looks.entries()) {
    const at = T0 + index * 1_000;
    const step = stepConsumer(record, observe(at), by, at);
    steps.push(step);
    record = step.record;
  }
  return steps;
}

const last = (steps: readonly ConsumerStep[]): ConsumerStep => steps.at(-1)!;
const types = (steps: readonly ConsumerStep[]) => steps.map(({ events }) => events.map(({ type }) => type));

describe('the first look at a consumer', () => {
  it('is its baseline: believed at once, and no finding is news', () => {
    const finding: Finding = { id: 'media-services.key-type', severity: 'critical', summary: 'Broken.' };
    const [step] = run([look, rules('reported_by_service', [finding], undefined, 'd1')]);
    expect(step?.events).toMatchObject([{ type: 'first_seen', kind: STUB.kind, to: 'impaired' }]);
    expect(step?.record).toMatchObject({
      impairment: { reason: 'reported_by_service', since: T0 },
      findings: [{ id: finding.id, since: T0 }],
      digest: 'd1',
      conclusiveAt: T0,
    });
    expect(step?.suspect).toBeUndefined();
  });

  it('believes what only its keys have told when a second look confirms it: they may not have heard of it yet', () => {
    const steps = run([look, rules('access_revoked')], [look, rules('access_revoked')]);
    expect(steps[0]).toMatchObject({ suspect: 'pending', record: { pending: { reason: 'access_revoked', seen: 1 } } });
    expect(steps[0]?.events).toMatchObject([{ type: 'first_seen', to: 'ok' }]);
    expect(last(steps).record.impairment).toEqual({ reason: 'access_revoked', since: T0 });
    const [, calmed] = run([look, rules('access_revoked')], [look, rules()]);
    expect(calmed).toMatchObject({ events: [], suspect: undefined });
  });

  it('that fails leaves a record of what was listed, and wants another', () => {
    const [step] = run([(at) => fails(at, 'throttled'), rules()]);
    expect(step).toMatchObject({
      suspect: 'inconclusive',
      record: { inconclusive: 1, inconclusiveReason: 'throttled' },
    });
    expect(step?.record.facts).toBeUndefined();
    expect(unsettledConsumer(step!.record)).toBe(true);
  });
});

describe('trouble of its own', () => {
  it('is believed when it was seen as often as policy asks, since its first sign, and told once', () => {
    const steps = run(
      [look, rules()],
      [look, rules('access_revoked')],
      [look, rules('access_revoked')],
      [look, rules('access_revoked')],
    );
    expect(types(steps)).toEqual([['first_seen'], [], ['transition'], []]);
    expect(steps[1]).toMatchObject({ suspect: 'pending', record: { pending: { reason: 'access_revoked', seen: 1 } } });
    expect(steps[2]?.events[0]).toMatchObject({ from: 'ok', to: 'impaired', reason: 'access_revoked' });
    expect(last(steps).record.impairment).toEqual({ reason: 'access_revoked', since: T0 + 1_000 });
    expect(last(steps).record.pending).toBeUndefined();
  });

  it('that another look does not confirm never was', () => {
    const steps = run([look, rules()], [look, rules('access_revoked')], [look, rules()]);
    expect(types(steps)).toEqual([['first_seen'], [], []]);
    expect(last(steps).record).not.toHaveProperty('pending');
  });

  it('ends as it began: confirmed', () => {
    const steps = run([look, rules('reported_by_service')], [look, rules()], [look, rules()]);
    expect(types(steps)).toEqual([['first_seen'], [], ['transition']]);
    expect(last(steps).events[0]).toMatchObject({ from: 'impaired', to: 'ok' });
    expect(last(steps).record).not.toHaveProperty('impairment');
  });

  it('keeps its since when only the reason changes', () => {
    const steps = run(
      [look, rules('reported_by_service')],
      [look, rules('access_revoked')],
      [look, rules('access_revoked')],
    );
    expect(last(steps).record.impairment).toEqual({ reason: 'access_revoked', since: T0 });
    expect(last(steps).events).toMatchObject([{ type: 'transition', from: 'impaired', to: 'impaired' }]);
  });
});

describe('looks that prove nothing', () => {
  it('change nothing that is believed, and stop being suspect when it is blind', () => {
    const denied = (at: number) => fails(at, 'denied');
    const steps = run([look, rules('reported_by_service')], [denied, rules()], [denied, rules()], [denied, rules()]);
    expect(steps.map(({ suspect }) => suspect)).toEqual([undefined, 'inconclusive', 'inconclusive', undefined]);
    expect(last(steps).record).toMatchObject({ impairment: { reason: 'reported_by_service' }, inconclusive: 3 });
    expect(last(steps).record.facts).toEqual(FACTS);
    const back = stepConsumer(last(steps).record, look(T0 + MINUTE), rules('reported_by_service'), T0 + MINUTE);
    expect(back.record.inconclusive).toBe(0);
    expect(back.record).not.toHaveProperty('inconclusiveReason');
    expect(back.events).toEqual([]);
  });

  it('include reasons that only a key can have', () => {
    const [step] = run([(at) => fails(at, 'disabled'), rules()]);
    expect(step?.record.inconclusiveReason).toBe('bad_response');
  });

  it('of one target do not count while another sees it well', () => {
    const [first] = run([look, rules()]);
    const other = { ...SOURCE, target: 'other' };
    const step = stepConsumer(first!.record, fails(T0 + 1, 'denied', other), rules(), T0 + 1);
    expect(step.record.inconclusive).toBe(0);
    expect(step.record.witnesses).toHaveLength(2);
  });

  it('are no looks if they come late: what a source told before is replayed', () => {
    const [first] = run([look, rules()]);
    const step = stepConsumer(first!.record, look(T0), rules('access_revoked'), T0 + 5);
    expect(step.record).toBe(first!.record);
  });
});

describe('a consumer that is gone', () => {
  const gone = (at: number) => fails(at, 'not_found');

  it('ends when that is confirmed, with one event', () => {
    const steps = run([look, rules()], [gone, rules()], [gone, rules()]);
    expect(steps.map(({ ended, suspect }) => [ended, suspect])).toEqual([
      [false, undefined],
      [false, 'pending'],
      [true, undefined],
    ]);
    expect(types(steps)).toEqual([['first_seen'], [], ['removed']]);
  });

  it('stays if the next look shows it again', () => {
    const steps = run([look, rules()], [gone, rules()], [look, rules()]);
    expect(last(steps)).toMatchObject({ ended: false, suspect: undefined });
    expect(last(steps).record).not.toHaveProperty('pending');
  });

  it('is not there again because its rules were judged again', () => {
    const steps = run([look, rules()], [gone, rules()]);
    const judged = rejudgeConsumer(last(steps).record, rules(), T0 + 2_000);
    expect(judged.record.pending?.reason).toBe('gone');
    const other = rejudgeConsumer(last(steps).record, rules('access_revoked'), T0 + 2_000);
    expect(other.record.pending?.reason).toBe('gone');
  });
});

describe('judging without a look', () => {
  const finding: Finding = { id: 'media-services.rotation-lag', severity: 'warning', summary: 'Late.' };

  it('opens and closes findings, and notes when to judge again', () => {
    const [first] = run([look, rules(undefined, [], T0 + MINUTE)]);
    expect(first?.record.judgeAt).toBe(T0 + MINUTE);
    const opened = rejudgeConsumer(first!.record, rules(undefined, [finding], T0 + 2 * MINUTE), T0 + MINUTE);
    expect(opened.events).toMatchObject([{ type: 'finding_opened', to: finding.id, kind: STUB.kind }]);
    expect(opened.record.judgeAt).toBe(T0 + 2 * MINUTE);
    const closed = rejudgeConsumer(opened.record, rules(), T0 + 2 * MINUTE);
    expect(closed.events).toMatchObject([{ type: 'finding_closed', to: finding.id }]);
    expect(closed.record).not.toHaveProperty('judgeAt');
    expect(rejudgeConsumer(closed.record, rules(), T0 + 3 * MINUTE).record).toBe(closed.record);
  });

  it('only suspects new trouble: as many looks as ever must confirm it, and judging again adds nothing', () => {
    const [first] = run([look, rules()]);
    const suspected = rejudgeConsumer(first!.record, rules('version_in_use_disabled'), T0 + 10);
    expect(suspected).toMatchObject({ suspect: 'pending', events: [] });
    const again = rejudgeConsumer(suspected.record, rules('version_in_use_disabled'), T0 + 20);
    expect(again.record).toBe(suspected.record);
    const once = stepConsumer(again.record, look(T0 + 30), rules('version_in_use_disabled'), T0 + 30);
    expect(once).toMatchObject({ suspect: 'pending', record: { pending: { seen: 1 } } });
    const looked = stepConsumer(once.record, look(T0 + 40), rules('version_in_use_disabled'), T0 + 40);
    expect(looked.record.impairment).toEqual({ reason: 'version_in_use_disabled', since: T0 + 10 });
    const calmed = rejudgeConsumer(suspected.record, rules(), T0 + 20);
    expect(calmed.record).not.toHaveProperty('pending');
  });

  it('does nothing for a consumer that was never read', () => {
    const [first] = run([(at) => fails(at, 'denied'), rules()]);
    expect(rejudgeConsumer(first!.record, rules('access_revoked', [finding]), T0 + 1).record).toBe(first!.record);
  });

  it('never comes at once again, whatever instant a rule names', () => {
    const [first] = run([look, rules(undefined, [], T0 - MINUTE)]);
    expect(first?.record.judgeAt).toBe(T0 + 1_000);
  });
});

describe('the version in use', () => {
  const using = (versionInUse?: string) => (at: number) =>
    look(at, { uses: [{ resource: 'k', role: 'encrypts', ...(versionInUse && { versionInUse }) }] });

  it('that changes is an event of the consumer, once', () => {
    const steps = run([using('v1'), rules()], [using('v2'), rules()], [using('v2'), rules()]);
    expect(types(steps)).toEqual([['first_seen'], ['new_version'], []]);
    expect(steps[1]?.events[0]).toMatchObject({ from: 'v1', to: 'v2', version: 'v2', kind: STUB.kind });
  });

  it('that is told for the first time, or no more, is none', () => {
    const steps = run([using(), rules()], [using('v1'), rules()], [using(), rules()]);
    expect(types(steps)).toEqual([['first_seen'], [], []]);
  });
});
