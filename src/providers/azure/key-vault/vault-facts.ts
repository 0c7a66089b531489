/** From what Resource Manager answers of a vault or a managed HSM to facts. Pure; types of the SDK only. */
import type { DeletedManagedHsm, DeletedVault, ManagedHsm, Vault } from '@azure/arm-keyvault';
import type { Grant, KeyFacts, KeyStub } from '../../../core/model.ts';
import { attributes, instant, present } from '../../look.ts';
import { BadAnswer } from '../ask.ts';
import { regionOf, vaultResource } from '../names.ts';

export type VaultType = 'vault' | 'hsm';

/** The URL of a vault that Resource Manager does not tell: the one under which it was known, else what its name makes. */
export type UrlOf = (type: VaultType, name: string, armId: string | undefined) => string;

/** Where Resource Manager keeps it. */
export interface ArmId {
  readonly id: string;
  readonly group: string;
  readonly name: string;
}

/** One vault that is there, as far as it is known. */
export interface LivingVault {
  readonly type: VaultType;
  readonly stub: KeyStub;
  /** Absent where only the vault itself tells of it. */
  readonly arm?: ArmId;
  readonly told?: Told;
}

/** One that is soft-deleted. */
export interface DeadVault {
  readonly type: VaultType;
  readonly stub: KeyStub;
  readonly arm?: ArmId;
  readonly deletedAt?: number;
  readonly purgeAt?: number;
  readonly purgeProtection?: true;
  readonly tags: Readonly<Record<string, string>>;
}

/** What Resource Manager tells of a vault. What it leaves out is absent, not false (azure.md 0a.5). */
interface Told {
  readonly state?: string;
  readonly spec: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly createdAt?: number;
  readonly changedAt?: number;
  readonly tenant?: string;
  readonly softDelete?: boolean;
  readonly purgeProtection?: boolean;
  readonly retentionDays?: number;
  /** Absent for a managed HSM, whose roles are its own. */
  readonly access?: 'policy' | 'rbac';
  readonly publicNetworkAccess?: string;
  readonly networkDefaultAction?: string;
  readonly networkBypass?: string;
  readonly privateEndpoints: number;
  /** Of its access policies, where those count. */
  readonly grants?: readonly Grant[];
}

/** A vault of Resource Manager's listing. @throws BadAnswer where it has no id */
export function livingVault(vault: Vault, account: string, urlOf: UrlOf): LivingVault {
  const { properties } = vault;
  // On old vaults it is null, which means access policies.
  const access = properties.enableRbacAuthorization === true ? 'rbac' : 'policy';
  return living('vault', vault, properties.vaultUri, account, urlOf, {
    spec: (properties.sku?.name ?? 'standard').toLowerCase(),
    tags: vault.tags ?? {},
    access,
    privateEndpoints: properties.privateEndpointConnections?.length ?? 0,
    ...protection(vault, properties),
    ...present({ grants: access === 'policy' ? policyGrants(properties) : undefined }),
  });
}

/** A managed HSM of Resource Manager's listing; one that is being made has no URL yet. @throws BadAnswer where it has no id */
export function livingHsm(hsm: ManagedHsm, account: string, urlOf: UrlOf): LivingVault {
  const properties = hsm.properties ?? {};
  return living('hsm', hsm, properties.hsmUri, account, urlOf, {
    spec: 'hsm',
    tags: hsm.tags ?? {},
    privateEndpoints: properties.privateEndpointConnections?.length ?? 0,
    ...protection(hsm, properties),
  });
}

function living(
  type: VaultType,
  { id, location }: { readonly id?: string; readonly location?: string },
  url: string | undefined,
  account: string,
  urlOf: UrlOf,
  told: Told,
): LivingVault {
  const arm = armIdOf(id);
  if (!arm) throw new BadAnswer('a vault has no id');
  const resource = vaultResource(url || urlOf(type, arm.name, arm.id));
  return { type, arm, told, stub: vaultStub(resource, arm.name, account, regionOf(location)) };
}

function protection(
  resource: Pick<Vault, 'systemData'>,
  properties: Partial<Vault['properties']> & Omit<NonNullable<ManagedHsm['properties']>, 'networkAcls'>,
) {
  const { networkAcls } = properties;
  return present({
    state: properties.provisioningState === 'Succeeded' ? 'Available' : properties.provisioningState,
    createdAt: instant(resource.systemData?.createdAt),
    changedAt: instant(resource.systemData?.lastModifiedAt),
    tenant: properties.tenantId,
    softDelete: properties.enableSoftDelete ?? undefined,
    purgeProtection: properties.enablePurgeProtection ?? undefined,
    retentionDays: properties.softDeleteRetentionInDays ?? undefined,
    publicNetworkAccess: properties.publicNetworkAccess ?? undefined,
    networkDefaultAction: networkAcls?.defaultAction,
    networkBypass: networkAcls?.bypass,
  });
}

/** A grant is one principal's, in the vault's own tenant, by whichever application it acts. */
function policyGrants({ accessPolicies, tenantId }: Vault['properties']): readonly Grant[] {
  return (accessPolicies ?? [])
    .filter((entry) => !entry.applicationId && entry.tenantId?.toLowerCase() === tenantId?.toLowerCase())
    .map(({ objectId, permissions }) => ({
      principal: objectId.toLowerCase(),
      via: 'policy' as const,
      permissions: (permissions.keys ?? []).map((permission) => permission.toLowerCase()).sort(),
    }))
    .sort((a, b) => (a.principal < b.principal ? -1 : 1));
}

/** A soft-deleted vault, whose URL is told by nobody any more. @throws BadAnswer where it has no name */
export function deadVault(
  type: VaultType,
  deleted: DeletedVault | DeletedManagedHsm,
  account: string,
  urlOf: UrlOf,
): DeadVault {
  const { name } = deleted;
  if (!name) throw new BadAnswer('a deleted vault has no name');
  const properties = deleted.properties ?? {};
  const id = 'mhsmId' in properties ? properties.mhsmId : 'vaultId' in properties ? properties.vaultId : undefined;
  return {
    type,
    stub: vaultStub(vaultResource(urlOf(type, name, id)), name, account, regionOf(properties.location)),
    tags: properties.tags ?? {},
    ...present({
      arm: armIdOf(id),
      deletedAt: instant(properties.deletionDate),
      purgeAt: instant(properties.scheduledPurgeDate),
      purgeProtection: properties.purgeProtectionEnabled === true ? (true as const) : undefined,
    }),
  };
}

/** Identity of a vault. @param location normalised; `global` where nobody told it yet */
export function vaultStub(resource: string, name: string, account: string, location = 'global'): KeyStub {
  return { resource, kind: 'azure-vault', name, provider: 'azure', account, location };
}

/** Changes whenever anything changes that the listing tells of it, its own answers and its grants included. */
export function vaultDigest(vault: LivingVault, answered: string, grants: string): string {
  return JSON.stringify([vault.stub.location, vault.arm?.id.toLowerCase(), vault.told, answered, grants]);
}

export function deadDigest({ deletedAt, purgeAt }: DeadVault): string {
  return JSON.stringify(['deleted', deletedAt, purgeAt]);
}

/**
 * Facts of a vault that answers.
 * @param grants of its roles, where it goes by those and they are known
 */
export function vaultFacts(
  { stub, arm, told, type }: LivingVault,
  grants: readonly Grant[] | undefined,
  known: KeyFacts | undefined,
): KeyFacts {
  // Without Resource Manager, what it said before stands: the vault itself tells nothing of its settings.
  if (!told) {
    const { deletionAt, recoverableUntil, ...before } = known ?? bare(stub, type);
    return { ...before, location: stub.location, state: 'Available' };
  }
  return {
    ...bare(stub, type),
    state: told.state ?? 'Available',
    spec: told.spec,
    tags: told.tags,
    ...present({ createdAt: told.createdAt, changedAt: told.changedAt, grants: told.grants ?? grants }),
    ...present({ detailKey: known?.detailKey, detailedAt: known?.detailedAt }),
    attributes: attributes({
      resourceId: arm?.id,
      resourceGroup: arm?.group,
      tenant: told.tenant,
      softDelete: told.softDelete,
      purgeProtection: told.purgeProtection,
      retentionDays: told.retentionDays,
      access: told.access,
      publicNetworkAccess: told.publicNetworkAccess,
      networkDefaultAction: told.networkDefaultAction,
      networkBypass: told.networkBypass,
      privateEndpoints: told.privateEndpoints,
      provisioningState: told.state === 'Available' ? 'Succeeded' : told.state,
    }),
  };
}

/** Facts of a soft-deleted vault: what was known of its settings comes back with it. */
export function deadVaultFacts(dead: DeadVault, stub: KeyStub, known: KeyFacts | undefined): KeyFacts {
  const { grants, deletionAt, recoverableUntil, ...before } = known ?? bare(stub, dead.type);
  const { arm } = dead;
  return {
    ...before,
    location: dead.stub.location === 'global' ? stub.location : dead.stub.location,
    state: 'SoftDeleted',
    tags: dead.tags,
    ...present({ deletionAt: dead.purgeAt, recoverableUntil: dead.purgeAt }),
    attributes: attributes({
      ...before.attributes,
      resourceId: arm?.id ?? before.attributes.resourceId,
      resourceGroup: arm?.group ?? before.attributes.resourceGroup,
      softDelete: true,
      purgeProtection: dead.purgeProtection ?? before.attributes.purgeProtection,
      deletedAt: dead.deletedAt,
    }),
  };
}

function bare(stub: KeyStub, type: VaultType): KeyFacts {
  return {
    ...stub,
    state: 'Unknown',
    ...present({ spec: type === 'hsm' ? 'hsm' : undefined }),
    tags: {},
    dependsOn: [],
    attributes: {},
  };
}

/** The parts of `/subscriptions/S/resourceGroups/G/providers/Microsoft.KeyVault/vaults/NAME`. */
export function armIdOf(id: string | undefined): ArmId | undefined {
  const match =
    /^\/subscriptions\/[^/]+\/resourceGroups\/([^/]+)\/providers\/Microsoft\.KeyVault\/[^/]+\/([^/]+)$/i.exec(id ?? '');
  if (!id || !match) return undefined;
  const [, group = '', name = ''] = match;
  return { id, group, name };
}
