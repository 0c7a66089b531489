import { armError, badRequest } from '../errors.ts';
import { record, text } from '../json.ts';
import type { RoleDefinition } from '../roles.ts';
import type { RoleAssignment } from '../state.ts';
import { type ArmAnswer, type ArmCall, type ArmRoute, ok, page, param } from './call.ts';

const AUTHORIZATION = '{scope}/providers/Microsoft.Authorization';

/** Role assignments and definitions, at any scope. */
export const roleRoutes: readonly ArmRoute[] = [
  route('GET', 'roleAssignments', 'ListForScope', 'read', list),
  route('GET', 'roleAssignments/{id}', 'Get', 'read', (call) => ok(view(call, existing(call)))),
  route('PUT', 'roleAssignments/{id}', 'Create', 'write', put),
  route('DELETE', 'roleAssignments/{id}', 'Delete', 'delete', remove),
  {
    method: 'GET',
    path: `${AUTHORIZATION}/roleDefinitions`,
    operation: 'RoleDefinitions_List',
    action: 'Microsoft.Authorization/roleDefinitions/read',
    run: listDefinitions,
  },
  {
    method: 'GET',
    path: `${AUTHORIZATION}/roleDefinitions/{id}`,
    operation: 'RoleDefinitions_Get',
    action: 'Microsoft.Authorization/roleDefinitions/read',
    run: getDefinition,
  },
];

function route(method: string, path: string, name: string, right: string, run: ArmRoute['run']): ArmRoute {
  const action = `Microsoft.Authorization/roleAssignments/${right}`;
  return { method, path: `${AUTHORIZATION}/${path}`, operation: `RoleAssignments_${name}`, action, run };
}

function list(call: ArmCall): ArmAnswer {
  const scope = (call.params.scope ?? '').toLowerCase();
  const picked = filterOf(call, call.query.get('$filter') ?? '');
  const items = [...call.world.assignments.values()]
    .filter((assignment) => {
      const at = assignment.scope.toLowerCase();
      const above = scope === at || scope.startsWith(`${at}/`);
      return (above || (!picked.onlyAbove && at.startsWith(`${scope}/`))) && picked.fits(assignment);
    })
    .toSorted((one, other) => (one.id < other.id ? -1 : 1))
    .map((assignment) => ({ place: assignment.id, item: view(call, assignment) }));
  return page(call, items);
}

/** The filters that Azure documents: `atScope()`, `assignedTo('id')` (groups included) and `principalId eq 'id'`. */
function filterOf(call: ArmCall, filter: string): { onlyAbove: boolean; fits: (one: RoleAssignment) => boolean } {
  const parts = filter.split(/\s+and\s+/i).filter((part) => part !== '');
  let ids: readonly string[] | undefined;
  let onlyAbove = false;
  for (const part of parts) {
    const assigned = /^assignedTo\('([^']*)'\)$/i.exec(part)?.[1];
    const principal = /^principalId eq '([^']*)'$/i.exec(part)?.[1];
    if (/^atScope\(\)$/i.test(part)) onlyAbove = true;
    else if (assigned !== undefined) ids = call.world.directory.identities(assigned);
    else if (principal !== undefined) ids = [principal];
    else throw armError(400, 'UnsupportedQuery', 'The filter is not supported.');
  }
  const wanted = ids;
  return { onlyAbove, fits: (one) => wanted === undefined || wanted.includes(one.principalId) };
}

function existing(call: ArmCall): RoleAssignment {
  const found = call.world.assignments.get(param(call, 'id').toLowerCase());
  if (!found) {
    const message = `The role assignment '${param(call, 'id')}' is not found.`;
    throw armError(404, 'RoleAssignmentNotFound', message);
  }
  return found;
}

function put(call: ArmCall): ArmAnswer {
  const id = param(call, 'id').toLowerCase();
  const scope = call.params.scope ?? '';
  const properties = record(call.body.properties);
  const role = text(properties.roleDefinitionId)?.split('/').at(-1)?.toLowerCase();
  const principal = text(properties.principalId);
  if (role === undefined || principal === undefined) throw badRequest('roleDefinitionId and principalId are needed.');
  if (!call.world.roles.has(role)) {
    throw armError(
      404,
      'RoleDefinitionDoesNotExist',
      `The specified role definition with ID '${role}' does not exist.`,
    );
  }
  const same = [...call.world.assignments.values()].some(
    (one) => one.principalId === principal && one.roleId === role && one.scope.toLowerCase() === scope.toLowerCase(),
  );
  if (same) throw armError(409, 'RoleAssignmentExists', 'The role assignment already exists.');
  return { status: 201, body: view(call, call.world.assign(principal, role, scope, id)) };
}

function remove(call: ArmCall): ArmAnswer {
  const id = param(call, 'id').toLowerCase();
  const found = call.world.assignments.get(id);
  if (!found) return { status: 204 };
  call.world.unassign((one) => one.id === id);
  return ok(view(call, found));
}

/** Fields as in Azure's published example (GetRoleAssignments, 2022-04-01). */
function view(call: ArmCall, assignment: RoleAssignment): object {
  const at = new Date(assignment.createdAt).toISOString().replace('Z', '0000Z');
  return {
    properties: {
      roleDefinitionId: `/subscriptions/${call.subscription.id}/providers/Microsoft.Authorization/roleDefinitions/${assignment.roleId}`,
      principalId: assignment.principalId,
      principalType: call.world.directory.typeOf(assignment.principalId),
      scope: assignment.scope,
      createdOn: at,
      updatedOn: at,
    },
    id: `${assignment.scope}/providers/Microsoft.Authorization/roleAssignments/${assignment.id}`,
    type: 'Microsoft.Authorization/roleAssignments',
    name: assignment.id,
  };
}

function listDefinitions(call: ArmCall): ArmAnswer {
  const filter = call.query.get('$filter');
  const name = /^roleName eq '([^']*)'$/i.exec(filter ?? '')?.[1];
  const roles = [...call.world.roles.values()].filter((role) => name === undefined || role.name === name);
  return ok({ value: roles.map((role) => definitionView(call, role)) });
}

function getDefinition(call: ArmCall): ArmAnswer {
  const id = param(call, 'id').toLowerCase();
  const role = call.world.roles.get(id);
  if (role) return ok(definitionView(call, role));
  throw armError(404, 'RoleDefinitionDoesNotExist', `The specified role definition with ID '${id}' does not exist.`);
}

function definitionView(call: ArmCall, role: RoleDefinition): object {
  const start = call.params.scope ? `/subscriptions/${call.subscription.id}` : '';
  return {
    properties: {
      roleName: role.name,
      type: role.custom ? 'CustomRole' : 'BuiltInRole',
      description: role.name,
      assignableScopes: [role.custom ? `/subscriptions/${call.subscription.id}` : '/'],
      permissions: [
        { actions: role.actions, notActions: role.notActions, dataActions: role.dataActions, notDataActions: [] },
      ],
    },
    id: `${start}/providers/Microsoft.Authorization/roleDefinitions/${role.id}`,
    type: 'Microsoft.Authorization/roleDefinitions',
    name: role.id,
  };
}
