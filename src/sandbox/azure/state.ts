import type { CloudName } from './clouds.ts';
import type { Principal } from './directory.ts';
import type { RetiredCode } from './handles.ts';
import type { VaultKeys } from './vault/state.ts';

/** One entry of a vault's access policies, as ARM shows it. */
export type AccessPolicy = {
  readonly tenantId: string;
  readonly objectId: string;
  readonly applicationId?: string;
  /** Permissions by what they are about: `keys`, `secrets`, … */
  readonly permissions: Readonly<Record<string, readonly string[]>>;
};

/** Network rules, as ARM shows them. */
export type NetworkRules = {
  readonly bypass: string;
  readonly defaultAction: string;
  readonly ipRules: readonly { readonly value: string }[];
  readonly virtualNetworkRules: readonly unknown[];
};

/** A vault or a managed HSM. Times are ms. */
export type VaultState = {
  readonly kind: 'vault' | 'hsm';
  readonly subscription: string;
  readonly group: string;
  readonly name: string;
  readonly location: string;
  readonly host: string;
  readonly tenant: string;
  readonly createdAt: number;
  readonly keys: VaultKeys;
  tags: Readonly<Record<string, string>>;
  modifiedAt: number;
  /** From then on it is Succeeded, RegisteringDns before. */
  readyAt: number;
  deletedAt: number | undefined;
  sku: string;
  /** Undefined is never set: access policies. */
  rbac: boolean | undefined;
  policies: readonly AccessPolicy[];
  softDelete: boolean;
  purgeProtection: boolean;
  retentionDays: number;
  publicNetworkAccess: string;
  networkAcls: NetworkRules | undefined;
  /** `enabledForDeployment` and the like, as they were given. */
  flags: Readonly<Record<string, boolean>>;
  /** Local roles of an HSM: object id to names of roles. */
  readonly localRoles: Map<string, Set<string>>;
  /** The role assignments that its deletion took away. */
  lostRoles: readonly RoleAssignment[];
  /** Its name cannot be found through the proxy. */
  unresolvable: boolean;
};

/** What a Media Services account encrypts its account key with. */
export type MediaKey = {
  readonly host: string;
  readonly name: string;
  /** As it was given. */
  readonly identifier: string;
  readonly pinned: boolean;
  /** The version in use. */
  readonly current: string;
  /** ARM id of the user-assigned identity; undefined: the system-assigned one. */
  readonly userIdentity: string | undefined;
};

/** A managed identity of a resource, as ARM shows it. */
export type IdentityBlock = {
  readonly type: string;
  readonly principalId?: string;
  readonly tenantId?: string;
  readonly userAssignedIdentities?: Readonly<
    Record<string, { readonly clientId: string; readonly principalId: string }>
  >;
};

/** A Media Services account. Times are ms. */
export type MediaState = {
  readonly subscription: string;
  readonly group: string;
  readonly name: string;
  readonly location: string;
  readonly mediaServiceId: string;
  readonly createdAt: number;
  modifiedAt: number;
  tags: Readonly<Record<string, string>> | undefined;
  identity: IdentityBlock | undefined;
  storage: readonly unknown[];
  storageAuthentication: string;
  keyDelivery: unknown;
  publicNetworkAccess: string;
  /** Undefined: SystemKey. */
  key: MediaKey | undefined;
  /** Whether the key could be used when it was last looked at. */
  accessible: boolean;
  /** The newer version that will be taken at `at` (ms). */
  pending: { readonly version: string; readonly at: number } | undefined;
};

/** A storage account: what was put, and when. */
export type StorageState = {
  readonly subscription: string;
  readonly group: string;
  readonly name: string;
  readonly location: string;
  readonly createdAt: number;
  body: Readonly<Record<string, unknown>>;
};

/** A role given to a principal at a scope. */
export type RoleAssignment = {
  /** UUID */
  readonly id: string;
  readonly scope: string;
  readonly roleId: string;
  readonly principalId: string;
  readonly createdAt: number;
};

/** A subscription and what is set for all of it. */
export type SubscriptionState = {
  readonly id: string;
  readonly tenant: string;
  readonly cloud: CloudName;
  /** Resource groups, lower case to the spelling they were first given. */
  readonly groups: Map<string, string>;
  /** Who has rights in every vault that is made here. */
  readonly monitor: Principal;
  readonly owner: Principal;
  retired: RetiredCode | undefined;
  /** ARM refuses everything to the monitor. */
  monitorDenied: boolean;
};

/** ARM id of anything in a resource group. */
export function armId(
  at: { readonly subscription: string; readonly group: string; readonly name: string },
  type: string,
): string {
  return `/subscriptions/${at.subscription}/resourceGroups/${at.group}/providers/${type}/${at.name}`;
}

/** ARM id of a vault or HSM. */
export function vaultId(vault: VaultState): string {
  return armId(vault, vault.kind === 'hsm' ? 'Microsoft.KeyVault/managedHSMs' : 'Microsoft.KeyVault/vaults');
}

/** ARM id of a Media Services account. */
export function mediaId(account: MediaState): string {
  return armId(account, 'Microsoft.Media/mediaservices');
}

/** Whether an ARM scope is `of` or lies below it. */
export function within(scope: string, of: string): boolean {
  const [inner, outer] = [scope.toLowerCase(), of.toLowerCase()];
  return inner === outer || inner.startsWith(outer.endsWith('/') ? outer : `${outer}/`);
}

/** Names of regions as they are compared: `West Europe` is `westeurope`. */
export function regionOf(location: string): string {
  return location.toLowerCase().replace(/\s/g, '');
}
