import { type Input, records, text, texts, whole } from '../input.ts';
import type { Call, Operations } from '../world.ts';
import { type Decision, type Evaluation, evaluate, type NamedPolicy, type PolicyRequest } from './policy.ts';
import { type IamRole, iamError, need, resolveRole } from './roles.ts';

export const simulateOperations: Operations = { SimulatePrincipalPolicy };

const WORST: readonly Decision[] = ['explicitDeny', 'implicitDeny', 'allowed'];

/**
 * What the policies of a role say, without anything being done. As IAM's API reference has it, policies of resources are not
 * simulated for roles, and one result stands for each action.
 */
function SimulatePrincipalPolicy(call: Call) {
  const { input } = call;
  const role = sourceRole(call, need(input, 'PolicySourceArn'));
  const actions = texts(input, 'ActionNames') ?? [];
  if (actions.length === 0) need({}, 'ActionNames');
  const resources = texts(input, 'ResourceArns') ?? ['*'];
  const malformed = resources.find((arn) => arn !== '*' && !/^arn:[^:]*:[^:]*:[^:]*:[^:]*:./.test(arn));
  if (malformed !== undefined) {
    throw iamError('InvalidInput', `ResourceNames are not in a valid ARN format: ${malformed}.`);
  }
  for (const action of actions) {
    if (!/^[\w-]+:\w+$/.test(action)) throw iamError('InvalidInput', `Invalid Action Name: ${action}.`);
  }
  if (text(input, 'ResourcePolicy') !== undefined) {
    throw iamError('InvalidInput', "Simulation of resource-based policies isn't supported for IAM roles.");
  }
  const start = Number(text(input, 'Marker') ?? 0);
  if (!Number.isInteger(start) || start < 0) throw iamError('InvalidInput', 'Invalid Marker.');
  const end = start + (whole(input, 'MaxItems', 1, 1000) ?? 100);
  const context = contextOf(input);
  const results = actions.slice(start, end).map((action) => resultOf(call, role, { action, resources, context }));
  const truncated = end < actions.length;
  return { EvaluationResults: results, IsTruncated: truncated, Marker: truncated ? String(end) : undefined };
}

function sourceRole(call: Call, arn: string): IamRole {
  const [, , service, , account, resource = ''] = arn.split(':');
  if (service !== 'iam' || !resource.startsWith('role/')) throw iamError('InvalidInput', `Invalid Entity Arn: ${arn}`);
  const name = resource.slice(resource.lastIndexOf('/') + 1);
  const role = account === call.account ? resolveRole(call, name) : undefined;
  if (role?.arn === arn) return role;
  throw iamError('NoSuchEntity', `The role with name ${name} cannot be found.`, 404);
}

function contextOf(input: Input): Map<string, readonly string[]> {
  const entries = records(input, 'ContextEntries') ?? [];
  return new Map(
    entries.map((entry) => [need(entry, 'ContextKeyName').toLowerCase(), texts(entry, 'ContextKeyValues') ?? []]),
  );
}

function resultOf(
  call: Call,
  role: IamRole,
  { action, resources, context }: Omit<PolicyRequest, 'resource'> & { readonly resources: readonly string[] },
) {
  const policies = policiesOf(role);
  const each = resources.map((resource) => ({
    resource,
    ...denied(call, role, action, resource, evaluate(policies, { action, resource, context })),
  }));
  const worst = WORST.find((decision) => each.some((one) => one.decision === decision)) ?? 'implicitDeny';
  return {
    EvalActionName: action,
    EvalResourceName: '*',
    EvalDecision: worst,
    MatchedStatements: statements(each.filter(({ decision }) => decision === worst).flatMap(({ matched }) => matched)),
    MissingContextValues: [...new Set(each.flatMap(({ missing }) => missing))].toSorted(),
    ResourceSpecificResults: resources.includes('*')
      ? undefined
      : each.map(({ resource, decision, matched, missing }) => ({
          EvalResourceName: resource,
          EvalResourceDecision: decision,
          MatchedStatements: statements(matched),
          MissingContextValues: missing,
        })),
  };
}

/** Scripts of the sandbox take rights away beside all policies; a simulation says so as if a policy did. */
function denied(call: Call, role: IamRole, action: string, resource: string, evaluation: Evaluation): Evaluation {
  const denial = call.world.denial({ account: call.account, caller: { arn: role.arn, role: role.arn } }, action, [
    resource,
  ]);
  return denial ? { ...evaluation, decision: 'explicitDeny', matched: [] } : evaluation;
}

function policiesOf({ name, policies }: IamRole): readonly NamedPolicy[] {
  return [...policies].map(([policy, document]) => ({ id: `role_${name}_${policy}`, document }));
}

function statements(ids: readonly string[]) {
  return [...new Set(ids)].map((SourcePolicyId) => ({ SourcePolicyId, SourcePolicyType: 'IAM Policy' }));
}
