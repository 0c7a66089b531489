import type { FirewallMode, Hsm, HsmOptions, Vault, VaultOptions } from './handles.ts';
import { BUILT_IN_ROLES, dataAction, roleAllows } from './roles.ts';
import {
  type AccessPolicy,
  type NetworkRules,
  type SubscriptionState,
  type VaultState,
  vaultId,
  within,
} from './state.ts';
import type { AzureWorld } from './world.ts';

/** What a service needs that encrypts with a key. */
const SERVICE_PERMISSIONS = ['get', 'wrapKey', 'unwrapKey'];
const MONITOR_PERMISSIONS = ['get', 'list'];

type Made<T> = Omit<T, 'grant' | 'revoke' | 'firewall' | 'configure'>;

/** Makes a vault, or finds the one of this subscription that has the name. */
export function vaultHandle(
  world: AzureWorld,
  subscription: SubscriptionState,
  name: string,
  options: VaultOptions = {},
  cut: (host: string) => void = () => {},
): Vault {
  const known = world.vaultAt(world.hostOf(subscription, 'vault', name));
  const rbac = options.access !== 'policy';
  const vault =
    known ??
    world.addVault({
      ...common(subscription, name, options),
      kind: 'vault',
      sku: options.sku ?? 'standard',
      rbac: rbac ? true : undefined,
      softDelete: options.softDelete ?? true,
      policies: rbac
        ? []
        : [
            policy(subscription, subscription.owner.objectId, ['all', 'purge']),
            policy(subscription, subscription.monitor.objectId, MONITOR_PERMISSIONS),
          ],
    });
  const grant = (principal: string, permissions: readonly string[] = SERVICE_PERMISSIONS) => {
    if (vault.rbac) {
      world.assign(principal, smallestRole(permissions), vaultId(vault));
      return;
    }
    const others = vault.policies.filter(({ objectId }) => objectId !== principal);
    const before = vault.policies.find(({ objectId }) => objectId === principal)?.permissions.keys ?? [];
    vault.policies = [...others, policy(subscription, principal, [...new Set([...before, ...permissions])])];
    world.settle(vault.host);
  };
  const revoke = (principal: string) => {
    vault.policies = vault.policies.filter(({ objectId }) => objectId !== principal);
    world.unassign((one) => one.principalId === principal && within(one.scope, vaultId(vault)));
  };
  const monitor = subscription.monitor.objectId;
  return {
    ...holder(world, vault, cut),
    grant,
    revoke,
    denyMonitor: () => revoke(monitor),
    allowMonitor: () => grant(monitor, MONITOR_PERMISSIONS),
    firewall: (mode) => {
      vault.publicNetworkAccess = mode === 'private' ? 'Disabled' : 'Enabled';
      vault.networkAcls = RULES[mode];
      world.settle(vault.host);
    },
    configure: (change) => {
      vault.softDelete = change.softDelete ?? vault.softDelete;
      vault.purgeProtection = change.purgeProtection ?? vault.purgeProtection;
      vault.retentionDays = change.retentionDays ?? vault.retentionDays;
      vault.tags = change.tags ?? vault.tags;
      vault.modifiedAt = world.now();
    },
  };
}

/** Makes a managed HSM, or finds the one of this subscription that has the name. */
export function hsmHandle(
  world: AzureWorld,
  subscription: SubscriptionState,
  name: string,
  options: HsmOptions = {},
  cut: (host: string) => void = () => {},
): Hsm {
  const known = world.vaultAt(world.hostOf(subscription, 'hsm', name));
  const hsm = known ?? world.addVault({ ...common(subscription, name, options), kind: 'hsm', sku: 'Standard_B1' });
  const grant = (principal: string, role: string) => {
    hsm.localRoles.set(principal, new Set([...(hsm.localRoles.get(principal) ?? []), role]));
    world.settle(hsm.host);
  };
  const revoke = (principal: string) => {
    hsm.localRoles.delete(principal);
    world.settle(hsm.host);
  };
  const monitor = subscription.monitor.objectId;
  return {
    ...holder(world, hsm, cut),
    grant,
    revoke,
    denyMonitor: () => revoke(monitor),
    allowMonitor: () => grant(monitor, 'Managed HSM Crypto Auditor'),
  };
}

function common(subscription: SubscriptionState, name: string, options: HsmOptions) {
  return {
    subscription: subscription.id,
    name,
    group: options.group ?? 'media',
    location: options.location ?? 'westeurope',
    purgeProtection: options.purgeProtection ?? true,
    retentionDays: options.retentionDays ?? 90,
    tags: options.tags ?? {},
  };
}

function holder(
  world: AzureWorld,
  vault: VaultState,
  cut: (host: string) => void,
): Omit<Made<Vault>, 'denyMonitor' | 'allowMonitor'> {
  const { host } = vault;
  return {
    name: vault.name,
    url: `https://${host}`,
    host,
    resource: vaultId(vault),
    keys: vault.keys,
    delete: () => {
      world.remove(vault);
      cut(host);
    },
    recover: (roles = 'restored') => world.recover(vault, roles),
    purge: () => {
      world.purge(vault);
      cut(host);
    },
    unresolvable: (on) => {
      vault.unresolvable = on;
      if (on) cut(host);
    },
  };
}

const CLOSED: NetworkRules = { bypass: 'None', defaultAction: 'Deny', ipRules: [], virtualNetworkRules: [] };

const RULES: Readonly<Record<FirewallMode, NetworkRules | undefined>> = {
  open: undefined,
  deny: { ...CLOSED, bypass: 'AzureServices' },
  'deny-all': CLOSED,
  private: CLOSED,
};

function policy(subscription: SubscriptionState, objectId: string, keys: readonly string[]): AccessPolicy {
  return { tenantId: subscription.tenant, objectId, permissions: { keys } };
}

/** Throws when no built-in role has the permissions: a script's mistake. */
function smallestRole(permissions: readonly string[]): string {
  const actions = permissions.map((permission) => dataAction(permission.toLowerCase(), false, false));
  const role = BUILT_IN_ROLES.find((known) => actions.every((action) => roleAllows(known, action, 'data')));
  if (!role) throw new Error(`no role for ${permissions.join(', ')}`);
  return role.name;
}
