import { armError, badRequest } from '../errors.ts';
import { array, record, tagsOf, text } from '../json.ts';
import { type AccessPolicy, type NetworkRules, type VaultState, vaultId } from '../state.ts';
import { place } from '../world.ts';
import { type ArmAnswer, type ArmCall, type ArmRoute, existingGroup, locationOf, ok, page, param } from './call.ts';
import { existingHolder, holderNamed, livingHolders } from './holders.ts';

const GROUP = '/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.KeyVault/vaults';
const ONE = `${GROUP}/{name}`;

/** Vaults that exist. */
export const vaultRoutes: readonly ArmRoute[] = [
  route('GET', '/subscriptions/{subscription}/providers/Microsoft.KeyVault/vaults', 'ListBySubscription', 'read', list),
  route('GET', GROUP, 'ListByResourceGroup', 'read', list),
  route('GET', ONE, 'Get', 'read', (call) => ok(vaultView(existingHolder(call, 'vault'), call))),
  route('PUT', ONE, 'CreateOrUpdate', 'write', put),
  route('PATCH', ONE, 'Update', 'write', patch),
  route('DELETE', ONE, 'Delete', 'delete', remove),
  route('PUT', `${ONE}/accessPolicies/{kind}`, 'UpdateAccessPolicy', 'accessPolicies/write', changePolicies),
  {
    method: 'GET',
    path: '/subscriptions/{subscription}/resources',
    operation: 'Vaults_List',
    action: 'Microsoft.Resources/subscriptions/resources/read',
    run: listResources,
  },
  {
    method: 'POST',
    path: '/subscriptions/{subscription}/providers/Microsoft.KeyVault/checkNameAvailability',
    operation: 'Vaults_CheckNameAvailability',
    action: 'Microsoft.KeyVault/checkNameAvailability/read',
    run: checkName,
  },
];

function route(method: string, path: string, name: string, right: string, run: ArmRoute['run']): ArmRoute {
  return { method, path, operation: `Vaults_${name}`, action: `Microsoft.KeyVault/vaults/${right}`, run };
}

function list(call: ArmCall): ArmAnswer {
  const vaults = livingHolders(call, 'vault');
  const items = vaults.map((vault) => ({ place: place(vault), item: vaultView(vault, call) }));
  return page(call, items, { emptyEnd: true });
}

function listResources(call: ArmCall): ArmAnswer {
  const wanted = /^resourceType eq '([^']+)'$/i.exec(call.query.get('$filter') ?? '')?.[1]?.toLowerCase();
  if (wanted !== 'microsoft.keyvault/vaults') return ok({ value: [] });
  const vaults = call.world.vaultsOf(call.subscription.id, 'vault').filter((vault) => vault.deletedAt === undefined);
  const items = vaults.map((vault) => ({
    place: place(vault),
    item: {
      id: vaultId(vault),
      name: vault.name,
      type: 'Microsoft.KeyVault/vaults',
      location: vault.location,
      tags: vault.tags,
    },
  }));
  return page(call, items);
}

function checkName(call: ArmCall): ArmAnswer {
  const name = text(call.body.name) ?? '';
  if (!NAME.test(name)) return ok({ nameAvailable: false, reason: 'AccountNameInvalid', message: invalidName(name) });
  if (!holderNamed(call, 'vault', name)) return ok({ nameAvailable: true });
  const message = `The vault name '${name}' is already in use. Vault names are globally unique so it is possible that the name is already taken.`;
  return ok({ nameAvailable: false, reason: 'AlreadyExists', message });
}

const NAME = /^(?=.{3,24}$)[a-z](?:-?[a-z0-9])*$/i;

function invalidName(name: string): string {
  return `The vault name '${name}' is invalid. A vault's name must be between 3-24 alphanumeric characters. The name must begin with a letter, end with a letter or digit, and not contain consecutive hyphens.`;
}

function put(call: ArmCall): ArmAnswer {
  const group = existingGroup(call);
  const name = param(call, 'name');
  const location = locationOf(call);
  const properties = record(call.body.properties);
  const known = holderNamed(call, 'vault', name);
  if (properties.createMode === 'recover') return recover(call, known, name);
  if (!NAME.test(name)) throw armError(400, 'VaultNameNotValid', invalidName(name));
  if (known?.deletedAt !== undefined) {
    throw armError(
      409,
      'ConflictError',
      `A vault with the same name already exists in deleted state. You need to either recover or purge existing key vault. Follow this link https://go.microsoft.com/fwlink/?linkid=2149745 for more information on soft delete.`,
    );
  }
  if (known && (known.subscription !== call.subscription.id || known.group !== group)) {
    throw armError(409, 'VaultAlreadyExists', `The vault name '${name}' is already in use.`);
  }
  const vault =
    known ??
    call.world.addVault({
      kind: 'vault',
      subscription: call.subscription.id,
      group,
      name,
      location,
      readyAt: call.now + call.world.settings.dnsDelayMs,
    });
  change(call, vault, properties, 'put');
  vault.tags = tagsOf(call.body.tags) ?? {};
  return ok(vaultView(vault, call));
}

function recover(call: ArmCall, vault: VaultState | undefined, name: string): ArmAnswer {
  if (vault?.deletedAt === undefined || vault.subscription !== call.subscription.id) {
    throw armError(404, 'DeletedVaultNotFound', `There is no deleted vault with the name '${name}'.`);
  }
  call.world.recover(vault, 'lost');
  return ok(vaultView(vault, call));
}

function patch(call: ArmCall): ArmAnswer {
  const vault = existingHolder(call, 'vault');
  change(call, vault, record(call.body.properties), 'patch');
  vault.tags = tagsOf(call.body.tags) ?? vault.tags;
  return ok(vaultView(vault, call));
}

const FLAGS = ['enabledForDeployment', 'enabledForDiskEncryption', 'enabledForTemplateDeployment'];

function change(
  call: ArmCall,
  vault: VaultState,
  properties: Readonly<Record<string, unknown>>,
  manner: 'put' | 'patch',
): void {
  if (properties.enablePurgeProtection === false && vault.purgeProtection) {
    throw badRequest(
      'The property "enablePurgeProtection" cannot be set to false. Enabling the purge protection for a vault is an irreversible action.',
    );
  }
  const days = properties.softDeleteRetentionInDays;
  if (typeof days === 'number' && (days < 7 || days > 90)) {
    throw badRequest('The property "softDeleteRetentionInDays" must be between 7 and 90.');
  }
  vault.purgeProtection ||= properties.enablePurgeProtection === true;
  if (typeof days === 'number') vault.retentionDays = days;
  vault.sku = text(record(properties.sku).name) ?? vault.sku;
  if (properties.accessPolicies !== undefined) vault.policies = policiesOf(properties.accessPolicies);
  if (properties.networkAcls !== undefined) vault.networkAcls = rulesOf(properties.networkAcls);
  vault.publicNetworkAccess = text(properties.publicNetworkAccess) ?? vault.publicNetworkAccess;
  const flags = FLAGS.filter((flag) => typeof properties[flag] === 'boolean');
  vault.flags = { ...vault.flags, ...Object.fromEntries(flags.map((flag) => [flag, properties[flag] === true])) };
  const rbac = properties.enableRbacAuthorization;
  if (typeof rbac === 'boolean' || (rbac === null && manner === 'put')) {
    const before = vault.rbac;
    vault.rbac = rbac ?? undefined;
    if (!before && vault.rbac) call.world.grantDefaults(vault);
  }
  vault.modifiedAt = call.now;
  call.world.settle(vault.host);
}

function remove(call: ArmCall): ArmAnswer {
  call.world.remove(existingHolder(call, 'vault'));
  return { status: 200 };
}

function changePolicies(call: ArmCall): ArmAnswer {
  const vault = existingHolder(call, 'vault');
  const kind = param(call, 'kind').toLowerCase();
  const given = policiesOf(record(call.body.properties).accessPolicies);
  const same = (one: AccessPolicy) => (other: AccessPolicy) =>
    other.objectId === one.objectId && other.applicationId === one.applicationId;
  const others = vault.policies.filter((policy) => !given.some(same(policy)));
  if (kind === 'add') {
    const merged = given.map((policy) => union(vault.policies.find(same(policy)), policy));
    vault.policies = [...others, ...merged];
  } else if (kind === 'replace') {
    vault.policies = [...others, ...given];
  } else if (kind === 'remove') {
    vault.policies = others;
  } else {
    throw badRequest(`The access policy operation '${kind}' is not known.`);
  }
  vault.modifiedAt = call.now;
  call.world.settle(vault.host);
  return ok({
    id: `${vaultId(vault)}/accessPolicies/`,
    type: 'Microsoft.KeyVault/vaults/accessPolicies',
    properties: { accessPolicies: vault.policies },
  });
}

function union(before: AccessPolicy | undefined, added: AccessPolicy): AccessPolicy {
  if (!before) return added;
  const permissions = { ...before.permissions };
  for (const [about, words] of Object.entries(added.permissions)) {
    permissions[about] = [...new Set([...(permissions[about] ?? []), ...words])];
  }
  return { ...before, permissions };
}

function policiesOf(value: unknown): AccessPolicy[] {
  return array(value).map((entry) => {
    const { tenantId, objectId, applicationId, permissions } = record(entry);
    if (typeof tenantId !== 'string' || typeof objectId !== 'string') {
      throw badRequest('An access policy needs a tenantId and an objectId.');
    }
    const words = Object.entries(record(permissions)).map(([about, list]) => [
      about,
      array(list).filter((word) => typeof word === 'string'),
    ]);
    return {
      tenantId,
      objectId,
      ...(typeof applicationId === 'string' ? { applicationId } : {}),
      permissions: Object.fromEntries(words),
    };
  });
}

function rulesOf(value: unknown): NetworkRules {
  const rules = record(value);
  return {
    bypass: text(rules.bypass) ?? 'AzureServices',
    defaultAction: text(rules.defaultAction) ?? 'Allow',
    ipRules: array(rules.ipRules).map((rule) => ({ value: text(record(rule).value) ?? '' })),
    virtualNetworkRules: array(rules.virtualNetworkRules),
  };
}

/** From then on answers carry `systemData` and `publicNetworkAccess` (by the recordings of both ages). */
const NEWER = '2021-04-01';

/** A vault as ARM shows it: what was never set is absent. */
export function vaultView(vault: VaultState, call: ArmCall): object {
  const ready = vault.readyAt <= call.now;
  const newer = call.apiVersion >= NEWER;
  return {
    id: vaultId(vault),
    name: vault.name,
    type: 'Microsoft.KeyVault/vaults',
    location: vault.location,
    tags: vault.tags,
    ...(newer ? { systemData: systemData(vault) } : {}),
    properties: {
      sku: { family: 'A', name: vault.sku },
      tenantId: vault.tenant,
      ...(vault.networkAcls ? { networkAcls: vault.networkAcls } : {}),
      accessPolicies: vault.policies,
      ...vault.flags,
      ...(vault.softDelete ? { enableSoftDelete: true, softDeleteRetentionInDays: vault.retentionDays } : {}),
      ...(vault.rbac === undefined ? {} : { enableRbacAuthorization: vault.rbac }),
      ...(vault.purgeProtection ? { enablePurgeProtection: true } : {}),
      vaultUri: `https://${vault.host}${ready ? '/' : ''}`,
      provisioningState: ready ? 'Succeeded' : 'RegisteringDns',
      ...(newer ? { publicNetworkAccess: vault.publicNetworkAccess } : {}),
    },
  };
}

/** Who made a resource and when. `digits` are zeros that the provider adds to the milliseconds. */
export function systemData(resource: { readonly createdAt: number; readonly modifiedAt: number }, digits = ''): object {
  const at = (ms: number) => new Date(ms).toISOString().replace('Z', `${digits}Z`);
  return {
    createdBy: 'someone@example.com',
    createdByType: 'User',
    createdAt: at(resource.createdAt),
    lastModifiedBy: 'someone@example.com',
    lastModifiedByType: 'User',
    lastModifiedAt: at(resource.modifiedAt),
  };
}
