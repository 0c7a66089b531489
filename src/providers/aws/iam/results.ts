/** From what SimulatePrincipalPolicy answers to one word for each action. Pure and total. */
import type { EvaluationResult } from '@aws-sdk/client-iam';
import type { Simulated } from './decide.ts';
import type { Denier } from './words.ts';

const DECISIONS: Readonly<Record<string, Simulated['decision']>> = {
  allowed: 'allowed',
  explicitDeny: 'explicitly-denied',
  implicitDeny: 'implicitly-denied',
};

/** What of two results of one action counts: a denial before what cannot be told, that before what is allowed. */
const WORST: readonly Simulated['decision'][] = ['explicitly-denied', 'implicitly-denied', 'unknown', 'allowed'];

/**
 * One resource is asked for at a time, so that what is said of all is said of it. The older form of the answer has one result
 * for each resource, the newer one for each action; a decision that is not known is `unknown`, never allowed.
 */
export function simulatedOf(results: readonly EvaluationResult[]): readonly Simulated[] {
  const byAction = new Map<string, Simulated>();
  for (const result of results) {
    const action = result.EvalActionName ?? '';
    const specific = result.ResourceSpecificResults ?? [];
    for (const { decision, missing } of [
      { decision: result.EvalDecision, missing: result.MissingContextValues },
      ...specific.map((one) => ({ decision: one.EvalResourceDecision, missing: one.MissingContextValues })),
    ]) {
      const known = byAction.get(action);
      const simulated: Simulated = {
        action,
        decision: decisionOf(decision),
        by: denierOf(result),
        missing: (missing?.length ?? 0) > 0 || (known?.missing ?? false),
      };
      const worse = known && WORST.indexOf(known.decision) <= WORST.indexOf(simulated.decision);
      byAction.set(action, worse ? { ...known, missing: simulated.missing } : simulated);
    }
  }
  return [...byAction.values()];
}

function decisionOf(decision: string | undefined): Simulated['decision'] {
  return (decision !== undefined && Object.hasOwn(DECISIONS, decision) && DECISIONS[decision]) || 'unknown';
}

function denierOf({ OrganizationsDecisionDetail, PermissionsBoundaryDecisionDetail }: EvaluationResult): Denier {
  if (OrganizationsDecisionDetail?.AllowedByOrganizations === false) return 'organization';
  return PermissionsBoundaryDecisionDetail?.AllowedByPermissionsBoundary === false ? 'boundary' : 'role';
}
