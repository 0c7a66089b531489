/** Builders of looks at one imagined secret, and a driver that feeds them to `step`. */
import { type StepResult, type StepRules, step } from '../../../src/core/health.ts';
import type {
  KeyEvent,
  KeyFacts,
  KeyRecord,
  KeyStub,
  Observation,
  SourceId,
  Verdict,
} from '../../../src/core/model.ts';
import type { Policy } from '../../../src/core/policy.ts';
import type { InaccessibleReason, UnknownReason } from '../../../src/core/reasons.ts';

export const T0 = Date.UTC(2026, 0, 1);
export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export const RESOURCE = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-AbCdEf';
export const SOURCE: SourceId = { target: 'prod', location: 'eu-west-1', service: 'secrets-manager' };
export const OTHER_SOURCE: SourceId = { ...SOURCE, target: 'audit' };
export const STUB: KeyStub = {
  resource: RESOURCE,
  kind: 'aws-secret',
  name: 'prod/db',
  provider: 'aws',
  account: '111122223333',
  location: 'eu-west-1',
};

export const POLICY: Policy = {
  confirmations: { inaccessible: 2, accessible: 2, blind: 3 },
  describeEveryMs: 15 * MINUTE,
  expiryWarningMs: 30 * DAY,
  staleAfterMs: 5 * MINUTE,
  forgetAfterMs: 7 * DAY,
  critical: [],
  rules: {},
};
export const RULES: StepRules = { policy: POLICY, versionsCanReturn: true, judge: () => ({ findings: [] }) };

export const OK: Verdict = { status: 'accessible' };
export function lost(reason: InaccessibleReason = 'disabled'): Verdict {
  return { status: 'inaccessible', reason };
}
export function unknown(reason: UnknownReason = 'timeout'): Verdict {
  return { status: 'unknown', reason };
}

export function facts(overrides: Partial<KeyFacts> = {}): KeyFacts {
  return { ...STUB, state: 'Enabled', tags: {}, dependsOn: [], attributes: {}, ...overrides };
}

/** A look that told facts. */
export function look(at: number, verdict: Verdict, overrides: Partial<KeyFacts> = {}, source = SOURCE): Observation {
  return {
    resource: RESOURCE,
    source,
    at,
    verdict,
    evidence: { operation: 'DescribeSecret', status: 200 },
    facts: facts(overrides),
  };
}

/** A look that told none. */
export function failed(
  at: number,
  verdict: Exclude<Verdict, { status: 'accessible' }> = { status: 'unknown', reason: 'timeout' },
  source = SOURCE,
): Observation {
  const evidence = { operation: 'DescribeSecret', code: verdict.reason };
  return {
    resource: RESOURCE,
    source,
    at,
    verdict,
    evidence,
    stub: STUB,
    failure: { reason: verdict.reason, evidence },
  };
}

export interface Run {
  readonly record: KeyRecord;
  readonly events: readonly KeyEvent[];
  readonly last: StepResult;
}

/** Feeds looks one after the other, each at its own `at`, but never before the one before it or `now`; `from` goes on from a record. */
export function run(observations: readonly Observation[], rules: StepRules = RULES, from?: KeyRecord, now = 0): Run {
  let record = from;
  let last: StepResult | undefined;
  const events: KeyEvent[] = [];
  let clock = now;
  for (const observation of observations) {
    clock = Math.max(clock, observation.at);
    last = step(record, observation, rules, clock);
    record = last.record;
    events.push(...last.events);
  }
  if (!record || !last) throw new Error('nothing to run');
  return { record, events, last };
}

export function types(events: readonly KeyEvent[]): readonly string[] {
  return events.map((event) => event.type);
}

export function withPolicy(overrides: Partial<Policy>): StepRules {
  return { ...RULES, policy: { ...POLICY, ...overrides } };
}
