import { dataAction, HSM_ROLES, roleAllows } from './roles.ts';
import { type AccessPolicy, type VaultState, vaultId, within } from './state.ts';
import type { AzureWorld } from './world.ts';

/** The id of an assignment that lets a principal do this at a scope; undefined when there is none. */
export function allowedBy(
  world: AzureWorld,
  principalId: string,
  action: string,
  scope: string,
  kind: 'control' | 'data',
): string | undefined {
  const identities = world.directory.identities(principalId);
  for (const assignment of world.assignments.values()) {
    if (!identities.includes(assignment.principalId) || !within(scope, assignment.scope)) continue;
    const role = world.roles.get(assignment.roleId);
    if (role && roleAllows(role, action, kind)) return assignment.id;
  }
  return undefined;
}

/** What lets somebody use the keys of a vault: an assignment (with its id), a policy, or nothing. */
export type KeyAccess = { readonly by: 'role'; readonly assignment: string } | { readonly by: 'policy' } | undefined;

/**
 * Whether a principal has a key permission (`get`, `wrapkey`, …) at a vault, by the vault's own way. `key` narrows roles to
 * those at one key; `deleted` is about a deleted key, for which HSMs have rights of their own.
 */
export function keyAccess(
  world: AzureWorld,
  vault: VaultState,
  principalId: string,
  permission: string,
  about: { readonly key?: string | undefined; readonly deleted?: boolean } = {},
): KeyAccess {
  const wanted = permission.toLowerCase();
  const action = dataAction(wanted, vault.kind === 'hsm', about.deleted ?? false);
  const identities = world.directory.identities(principalId);
  if (vault.kind === 'hsm') {
    const held = identities.flatMap((id) => [...(vault.localRoles.get(id) ?? [])]);
    const role = HSM_ROLES.find((known) => held.includes(known.name) && roleAllows(known, action, 'data'));
    return role && { by: 'role', assignment: role.id };
  }
  if (vault.rbac) {
    const scope = about.key === undefined ? vaultId(vault) : `${vaultId(vault)}/keys/${about.key}`;
    const assignment = allowedBy(world, principalId, action, scope, 'data');
    return assignment === undefined ? undefined : { by: 'role', assignment };
  }
  const granted = vault.policies.some((policy) => identities.includes(policy.objectId) && policyAllows(policy, wanted));
  return granted ? { by: 'policy' } : undefined;
}

/** `all` leaves out purge, as in Azure. */
function policyAllows(policy: AccessPolicy, permission: string): boolean {
  if (policy.applicationId !== undefined) return false;
  const keys = (policy.permissions.keys ?? []).map((word) => word.toLowerCase());
  return keys.includes(permission) || (keys.includes('all') && permission !== 'purge');
}
