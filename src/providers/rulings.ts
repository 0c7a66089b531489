/** From what the rules of a service say of a consumer, one by one, to one judgement. Pure. */
import type { Finding } from '../core/model.ts';
import type { Policy } from '../core/policy.ts';
import type { ConsumerReason } from '../core/reasons.ts';
import type { ConsumerJudgement } from './provider.ts';

/** What one rule says. */
export interface Ruling {
  readonly finding?: Finding;
  /** When this rule may say something else because a date passes, ms. */
  readonly until?: number;
}

/** The one that says most of what to undo first. */
const IMPAIRMENTS: readonly ConsumerReason[] = ['version_in_use_disabled', 'access_revoked', 'reported_by_service'];

/** Whoever switches a rule off, or makes it a remark, does not want to hear that it proves trouble. */
export function judgementOf(rulings: readonly Ruling[], { rules }: Policy): ConsumerJudgement {
  const findings = rulings.flatMap(({ finding }) =>
    finding ? [isSilenced(finding, rules) ? remark(finding) : finding] : [],
  );
  const until = Math.min(...rulings.map((ruling) => ruling.until ?? Number.POSITIVE_INFINITY));
  const impairment = IMPAIRMENTS.find((reason) => findings.some(({ impairs }) => impairs === reason));
  return { findings, ...(Number.isFinite(until) && { until }), ...(impairment && { impairment }) };
}

function isSilenced({ id }: Finding, rules: Policy['rules']): boolean {
  return rules[id] === 'off' || rules[id] === 'info';
}

function remark({ impairs: _ignored, ...finding }: Finding): Finding {
  return finding;
}
