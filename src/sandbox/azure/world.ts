import type { Random } from '../random.ts';
import { CLOUDS, type CloudName } from './clouds.ts';
import { Directory } from './directory.ts';
import type { AzureSettings } from './handles.ts';
import { settleMedia } from './media-state.ts';
import { BUILT_IN_ROLES, type RoleDefinition } from './roles.ts';
import type { MediaState, RoleAssignment, StorageState, SubscriptionState, VaultState } from './state.ts';
import { regionOf, vaultId, within } from './state.ts';
import { VaultKeys } from './vault/state.ts';

/** The result of an operation that ARM answered with 202, by its id. */
type PendingResult = { readonly body: unknown };

/** What a vault is made of; the rest has a usual value. */
type NewVault = Pick<VaultState, 'kind' | 'subscription' | 'group' | 'name' | 'location'> & Partial<VaultState>;

const DAY_MS = 86_400_000;

/** The settings of a new sandbox. */
export function usualSettings(): AzureSettings {
  return {
    pageSize: 100,
    emptyPages: false,
    dnsDelayMs: 30_000,
    tokenLifetimeMs: 3_600_000,
    pickUpDelayMs: 300_000,
    deletedVaultHost: 'unresolvable',
  };
}

/** All state of the imitated Azure. Maps by ARM id or UUID have lower-case keys. */
export class AzureWorld {
  readonly random: Random;
  readonly now: () => number;
  readonly settings = usualSettings();
  readonly directory: Directory;
  readonly subscriptions = new Map<string, SubscriptionState>();
  readonly media = new Map<string, MediaState>();
  readonly storage = new Map<string, StorageState>();
  readonly assignments = new Map<string, RoleAssignment>();
  readonly roles = new Map<string, RoleDefinition>(BUILT_IN_ROLES.map((role) => [role.id, role]));
  readonly results = new Map<string, PendingResult>();
  readonly #vaults = new Map<string, VaultState>();

  constructor(random: Random, now: () => number) {
    this.random = random;
    this.now = now;
    this.directory = new Directory(random);
  }

  /** The subscription; made with these settings when it is new. */
  subscription(id: string, options: { tenant?: string; cloud?: CloudName } = {}): SubscriptionState {
    const known = this.subscriptions.get(id.toLowerCase());
    if (known) return known;
    const tenant = options.tenant?.toLowerCase() ?? this.random.uuid();
    const state: SubscriptionState = {
      id: id.toLowerCase(),
      tenant,
      cloud: options.cloud ?? 'public',
      groups: new Map(),
      monitor: this.directory.add(tenant, 'application'),
      owner: this.directory.add(tenant, 'application'),
      retired: undefined,
      monitorDenied: false,
    };
    this.subscriptions.set(state.id, state);
    this.assign(state.owner.objectId, 'Owner', `/subscriptions/${state.id}`);
    this.assign(state.monitor.objectId, 'Reader', `/subscriptions/${state.id}`);
    return state;
  }

  /** The resource group in its first spelling; it exists from then on. */
  group(subscription: string, name: string): string {
    const groups = this.subscriptions.get(subscription)?.groups;
    const known = groups?.get(name.toLowerCase());
    if (known !== undefined) return known;
    groups?.set(name.toLowerCase(), name);
    return name;
  }

  /** The vault or HSM at a host, soft-deleted ones included. */
  vaultAt(host: string): VaultState | undefined {
    const vault = this.#vaults.get(host);
    if (vault?.deletedAt === undefined) return vault;
    if (vault.deletedAt + vault.retentionDays * DAY_MS > this.now()) return vault;
    this.purge(vault);
    return undefined;
  }

  /** The vaults and HSMs of a subscription by group and name, soft-deleted ones included. */
  vaultsOf(subscription: string, kind: VaultState['kind']): VaultState[] {
    return [...this.#vaults.keys()]
      .map((host) => this.vaultAt(host))
      .filter((vault) => vault !== undefined)
      .filter((vault) => vault.subscription === subscription && vault.kind === kind)
      .toSorted((one, other) => compare(place(one), place(other)));
  }

  /** The host of a vault or HSM with this name in the subscription's cloud. */
  hostOf(subscription: SubscriptionState, kind: VaultState['kind'], name: string): string {
    const { vault, hsm } = CLOUDS[subscription.cloud];
    return `${name.toLowerCase()}.${kind === 'hsm' ? hsm : vault}`;
  }

  /** Makes a vault or HSM; the monitor and the owner get roles for its keys where roles decide. */
  addVault(made: NewVault): VaultState {
    const subscription = this.subscription(made.subscription);
    const now = this.now();
    const host = this.hostOf(subscription, made.kind, made.name);
    const keys = new VaultKeys({
      settings: () => ({
        host,
        hsm: vault.kind === 'hsm',
        softDelete: vault.softDelete,
        purgeProtection: vault.purgeProtection,
        retentionDays: vault.retentionDays,
      }),
      random: this.random,
      now: this.now,
      changed: () => this.settle(host),
    });
    const vault: VaultState = {
      tags: {},
      modifiedAt: now,
      readyAt: now,
      deletedAt: undefined,
      sku: 'standard',
      rbac: undefined,
      policies: [],
      softDelete: true,
      purgeProtection: false,
      retentionDays: 90,
      publicNetworkAccess: 'Enabled',
      networkAcls: undefined,
      flags: { enabledForDeployment: false },
      localRoles: new Map(),
      lostRoles: [],
      unresolvable: false,
      tenant: subscription.tenant,
      createdAt: now,
      ...made,
      group: this.group(subscription.id, made.group),
      location: regionOf(made.location),
      host,
      keys,
    };
    this.#vaults.set(host, vault);
    this.grantDefaults(vault);
    return vault;
  }

  /** Gives the monitor and the owner of the subscription their roles at a vault that goes by roles. */
  grantDefaults(vault: VaultState): void {
    const { monitor, owner } = this.subscription(vault.subscription);
    if (vault.kind === 'hsm') {
      vault.localRoles.set(monitor.objectId, new Set(['Managed HSM Crypto Auditor']));
      vault.localRoles.set(owner.objectId, new Set(['Managed HSM Crypto Officer']));
    } else if (vault.rbac) {
      this.assign(monitor.objectId, 'Key Vault Reader', vaultId(vault));
      this.assign(owner.objectId, 'Key Vault Administrator', vaultId(vault));
    }
  }

  /** Soft-deletes a vault, or removes it where it has no soft delete. */
  remove(vault: VaultState): void {
    if (!vault.softDelete) {
      this.purge(vault);
      return;
    }
    vault.deletedAt = this.now();
    vault.lostRoles = this.#rolesAt(vault);
    this.unassign((one) => vault.lostRoles.includes(one));
  }

  /**
   * Brings a soft-deleted vault back with its keys and access policies. The role assignments at it are gone, as Microsoft
   * documents (soft-delete-overview, "they must be recreated"), unless `roles` asks for them too.
   */
  recover(vault: VaultState, roles: 'lost' | 'restored'): void {
    vault.deletedAt = undefined;
    vault.modifiedAt = this.now();
    if (roles === 'restored') for (const role of vault.lostRoles) this.assignments.set(role.id, role);
    vault.lostRoles = [];
    this.settle(vault.host);
  }

  #rolesAt(vault: VaultState): RoleAssignment[] {
    return [...this.assignments.values()].filter(({ scope }) => within(scope, vaultId(vault)));
  }

  /** Removes a vault for good, with its keys and the roles at it. */
  purge(vault: VaultState): void {
    this.#vaults.delete(vault.host);
    const roles = this.#rolesAt(vault);
    this.unassign((one) => roles.includes(one));
  }

  /** Assigns a role, by name or id, at a scope. Throws for a role that does not exist. */
  assign(principalId: string, role: string, scope: string, id: string = this.random.uuid()): RoleAssignment {
    const definition = this.roles.get(role) ?? [...this.roles.values()].find((known) => known.name === role);
    if (!definition) throw new Error(`no role ${role}`);
    const assignment = { id, scope, roleId: definition.id, principalId, createdAt: this.now() };
    this.assignments.set(id, assignment);
    this.settle();
    return assignment;
  }

  /** Takes role assignments away: those that `which` picks. */
  unassign(which: (assignment: RoleAssignment) => boolean): void {
    for (const assignment of this.assignments.values()) {
      if (which(assignment)) this.assignments.delete(assignment.id);
    }
    this.settle();
  }

  /** Lets the Media Services accounts that use a key at `host` (or any) notice what has changed. */
  settle(host?: string): void {
    for (const account of this.media.values()) {
      if (host === undefined || account.key?.host === host) settleMedia(this, account);
    }
  }
}

/** What lists of ARM are sorted by, and what their skip tokens name. */
export function place(resource: { readonly group: string; readonly name: string }): string {
  return `${resource.group}|${resource.name}`;
}

/** Compares by code units. */
export function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
