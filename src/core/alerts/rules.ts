/** Which alert a finding is, and how loud. Pure. */
import type { AlertName, AlertSeverity } from '../alert.ts';
import type { OpenFinding } from '../model.ts';
import type { Policy } from '../policy.ts';

/** Alerts that tell of a finding. */
type FindingAlert = Extract<
  AlertName,
  | 'KeyvigilKeyExpiring'
  | 'KeyvigilKeyExpired'
  | 'KeyvigilRotationOverdue'
  | 'KeyvigilRotationStuck'
  | 'KeyvigilRotationNotPropagated'
  | 'KeyvigilKeyMisconfigured'
>;

/** By the end of the rule's name, so that a service to come needs no line here. */
const BY_RULE: ReadonlyArray<readonly [RegExp, FindingAlert]> = [
  [/[.-]expiring$/, 'KeyvigilKeyExpiring'],
  [/[.-]expired$/, 'KeyvigilKeyExpired'],
  [/\.rotation-overdue$/, 'KeyvigilRotationOverdue'],
  [/\.rotation-stuck$/, 'KeyvigilRotationStuck'],
  [/\.rotation-lag$/, 'KeyvigilRotationNotPropagated'],
];

/** The alert that tells of a finding; one without an alert of its own is a misconfiguration. */
export function alertNameOf(id: string): FindingAlert {
  return BY_RULE.find(([rule]) => rule.test(id))?.[1] ?? 'KeyvigilKeyMisconfigured';
}

/**
 * How loud a finding that degrades is. A severity that the policy gives a rule is the operator's word; else dates are
 * critical only with dependents, rotations are warnings, and a misconfiguration is what its rule says.
 */
export function severityOf(
  alertname: FindingAlert,
  { id, severity }: OpenFinding,
  used: boolean,
  policy: Policy,
): AlertSeverity {
  if (policy.rules[id] !== undefined || alertname === 'KeyvigilKeyMisconfigured') return severity;
  const byDate = alertname === 'KeyvigilKeyExpiring' || alertname === 'KeyvigilKeyExpired';
  return byDate && used && severity === 'critical' ? 'critical' : 'warning';
}
