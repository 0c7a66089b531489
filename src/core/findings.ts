/** From what a service's rules say to the findings that are open on a record. */
import type { Finding, OpenFinding } from './model.ts';
import type { Policy } from './policy.ts';

interface Settled {
  /** The very same array as before when nothing differs. */
  readonly findings: readonly OpenFinding[];
  /** Ids. */
  readonly opened: readonly string[];
  readonly closed: readonly string[];
}

/**
 * Merges what the rules say now into what is open: `policy.rules` is applied (off removes, a severity replaces), and what
 * stays open keeps its `since`. A finding that is said twice counts once, as it was said first.
 * @param now ms; `since` of what opens
 */
export function settleFindings(
  open: readonly OpenFinding[],
  judged: readonly Finding[],
  rules: Policy['rules'],
  now: number,
): Settled {
  const known = new Map(open.map((finding) => [finding.id, finding]));
  const findings = new Map<string, OpenFinding>();
  for (const finding of judged) {
    const override = rules[finding.id];
    if (override === 'off' || findings.has(finding.id)) continue;
    const since = known.get(finding.id)?.since ?? now;
    findings.set(finding.id, { ...finding, severity: override ?? finding.severity, since });
  }
  const settled = [...findings.values()];
  return {
    findings: same(settled, open) ? open : settled,
    opened: settled.filter((finding) => !known.has(finding.id)).map((finding) => finding.id),
    closed: open.filter((finding) => !findings.has(finding.id)).map((finding) => finding.id),
  };
}

/** Whether a finding degrades the key, or puts the consumer at risk, that it is open on. */
export function degrades(finding: Finding): boolean {
  return finding.severity !== 'info';
}

function same(left: readonly OpenFinding[], right: readonly OpenFinding[]): boolean {
  return (
    left.length === right.length &&
    left.every((finding, index) => {
      const other = right[index];
      return (
        other !== undefined &&
        finding.id === other.id &&
        finding.severity === other.severity &&
        finding.summary === other.summary &&
        finding.remedy === other.remedy &&
        finding.impairs === other.impairs
      );
    })
  );
}
