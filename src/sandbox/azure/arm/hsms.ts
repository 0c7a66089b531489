import { armError, badRequest } from '../errors.ts';
import { record, tagsOf, text } from '../json.ts';
import { type VaultState, vaultId } from '../state.ts';
import { place } from '../world.ts';
import { type ArmAnswer, type ArmCall, type ArmRoute, existingGroup, locationOf, ok, page, param } from './call.ts';
import { existingHolder, holderNamed, livingHolders } from './holders.ts';
import { systemData } from './vaults.ts';

const GROUP = '/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.KeyVault/managedHSMs';
const ONE = `${GROUP}/{name}`;

const RIGHTS: Readonly<Record<string, string>> = { GET: 'read', PUT: 'write', DELETE: 'delete' };

/** Managed HSMs that exist. */
export const hsmRoutes: readonly ArmRoute[] = [
  route('GET', '/subscriptions/{subscription}/providers/Microsoft.KeyVault/managedHSMs', 'ListBySubscription', list),
  route('GET', GROUP, 'ListByResourceGroup', list),
  route('GET', ONE, 'Get', (call) => ok(view(existingHolder(call, 'hsm')))),
  route('PUT', ONE, 'CreateOrUpdate', put),
  route('DELETE', ONE, 'Delete', remove),
];

function route(method: string, path: string, name: string, run: ArmRoute['run']): ArmRoute {
  const action = `Microsoft.KeyVault/managedHSMs/${RIGHTS[method]}`;
  return { method, path, operation: `ManagedHsms_${name}`, action, run };
}

function list(call: ArmCall): ArmAnswer {
  return page(
    call,
    livingHolders(call, 'hsm').map((hsm) => ({ place: place(hsm), item: view(hsm) })),
  );
}

function put(call: ArmCall): ArmAnswer {
  const group = existingGroup(call);
  const name = param(call, 'name');
  const known = holderNamed(call, 'hsm');
  const properties = record(call.body.properties);
  if (known?.deletedAt !== undefined) {
    if (properties.createMode !== 'recover') {
      throw armError(409, 'ConflictError', `A managed HSM with the name '${name}' exists in deleted state.`);
    }
    call.world.recover(known, 'lost');
    return ok(view(known));
  }
  const days = properties.softDeleteRetentionInDays;
  if (typeof days === 'number' && (days < 7 || days > 90)) {
    throw badRequest('The property "softDeleteRetentionInDays" must be between 7 and 90.');
  }
  const hsm =
    known ??
    call.world.addVault({
      kind: 'hsm',
      subscription: call.subscription.id,
      group,
      name,
      location: locationOf(call),
      sku: text(record(call.body.sku).name) ?? 'Standard_B1',
    });
  hsm.purgeProtection ||= properties.enablePurgeProtection === true;
  if (typeof days === 'number') hsm.retentionDays = days;
  hsm.tags = tagsOf(call.body.tags) ?? hsm.tags;
  hsm.modifiedAt = call.now;
  return ok(view(hsm));
}

function remove(call: ArmCall): ArmAnswer {
  call.world.remove(existingHolder(call, 'hsm'));
  return { status: 200 };
}

/** Fields as in the published examples of 2023-07-01 (ManagedHsm_Get.json). */
function view(hsm: VaultState): object {
  return {
    id: vaultId(hsm),
    name: hsm.name,
    type: 'Microsoft.KeyVault/managedHSMs',
    location: hsm.location,
    sku: { family: 'B', name: hsm.sku === 'standard' ? 'Standard_B1' : hsm.sku },
    tags: hsm.tags,
    systemData: systemData(hsm),
    properties: {
      tenantId: hsm.tenant,
      hsmUri: `https://${hsm.host}/`,
      enableSoftDelete: true,
      softDeleteRetentionInDays: hsm.retentionDays,
      enablePurgeProtection: hsm.purgeProtection,
      provisioningState: 'Succeeded',
      statusMessage: 'The Managed HSM is provisioned and ready to use.',
      publicNetworkAccess: hsm.publicNetworkAccess,
      ...(hsm.networkAcls ? { networkAcls: hsm.networkAcls } : {}),
    },
  };
}
