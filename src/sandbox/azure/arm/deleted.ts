import { armError } from '../errors.ts';
import { regionOf, type VaultState, vaultId } from '../state.ts';
import { place } from '../world.ts';
import { type ArmAnswer, type ArmCall, type ArmRoute, ok, page, param } from './call.ts';

const ALL = '/subscriptions/{subscription}/providers/Microsoft.KeyVault';
const DAY_MS = 86_400_000;

type Kind = VaultState['kind'];

/** How the two kinds spell what is deleted. */
const SPELLINGS = {
  vault: { collection: 'deletedVaults', operation: 'Vaults', was: 'vaultId' },
  hsm: { collection: 'deletedManagedHSMs', operation: 'ManagedHsms', was: 'mhsmId' },
} as const;

/** Vaults and managed HSMs that were soft-deleted, and the outcome of purging them. */
export const deletedRoutes: readonly ArmRoute[] = [
  ...routesOf('vault'),
  ...routesOf('hsm'),
  {
    method: 'GET',
    path: `${ALL}/locations/{location}/operationResults/{id}`,
    operation: 'OperationResults_Get',
    action: 'Microsoft.KeyVault/locations/operationResults/read',
    run: result,
  },
];

function routesOf(kind: Kind): readonly ArmRoute[] {
  const { collection, operation } = SPELLINGS[kind];
  const one = `${ALL}/locations/{location}/${collection}/{name}`;
  const right = `Microsoft.KeyVault/locations/${collection}`;
  return [
    {
      method: 'GET',
      path: `${ALL}/${collection}`,
      operation: `${operation}_ListDeleted`,
      action: `Microsoft.KeyVault/${collection}/read`,
      run: (call) => list(call, kind),
    },
    {
      method: 'GET',
      path: one,
      operation: `${operation}_GetDeleted`,
      action: `${right}/read`,
      run: (call) => ok(view(existing(call, kind))),
    },
    {
      method: 'POST',
      path: `${one}/purge`,
      operation: `${operation}_PurgeDeleted`,
      action: `${right}/purge/action`,
      run: (call) => purge(call, kind),
    },
  ];
}

function list(call: ArmCall, kind: Kind): ArmAnswer {
  const deleted = call.world.vaultsOf(call.subscription.id, kind).filter((vault) => vault.deletedAt !== undefined);
  return page(
    call,
    deleted.map((vault) => ({ place: place(vault), item: view(vault) })),
  );
}

function existing(call: ArmCall, kind: Kind): VaultState {
  const name = param(call, 'name');
  const vault = call.world.vaultAt(call.world.hostOf(call.subscription, kind, name));
  const here = vault?.subscription === call.subscription.id && vault.location === regionOf(param(call, 'location'));
  if (vault?.deletedAt === undefined || !here) {
    const code = kind === 'hsm' ? 'DeletedManagedHSMNotFound' : 'DeletedVaultNotFound';
    throw armError(404, code, `The specified deleted vault '${name}' does not exist.`);
  }
  return vault;
}

function view(vault: VaultState): object {
  const deletedAt = vault.deletedAt ?? 0;
  const { collection, was } = SPELLINGS[vault.kind];
  return {
    id: `/subscriptions/${vault.subscription}/providers/Microsoft.KeyVault/locations/${vault.location}/${collection}/${vault.name}`,
    name: vault.name,
    type: `Microsoft.KeyVault/${collection}`,
    properties: {
      [was]: vaultId(vault),
      location: vault.location,
      tags: vault.tags,
      deletionDate: wholeSeconds(deletedAt),
      scheduledPurgeDate: wholeSeconds(deletedAt + vault.retentionDays * DAY_MS),
      ...(vault.purgeProtection ? { purgeProtectionEnabled: true } : {}),
    },
  };
}

function purge(call: ArmCall, kind: Kind): ArmAnswer {
  const vault = existing(call, kind);
  if (vault.purgeProtection) {
    throw armError(
      400,
      'DeletedVaultPurge',
      `Operation "Purge" is not allowed because purge protection is enabled for this vault. Key Vault service will automatically purge it after the retention period has passed.`,
    );
  }
  call.world.purge(vault);
  const id = Buffer.from(`${call.now}|${call.world.random.hex(32)}`).toString('base64url');
  const at = wholeSeconds(call.now).replace('T', ' ');
  // Recorded: a blank instead of the T.
  call.world.results.set(id, { body: { createdDateTime: at, lastActionDateTime: at, status: 'Succeeded' } });
  const where = `/subscriptions/${vault.subscription}/providers/Microsoft.KeyVault/locations/${vault.location}`;
  const location = `${call.base}${where}/operationResults/${id}?api-version=${call.apiVersion}`;
  return { status: 202, headers: { location } };
}

function result(call: ArmCall): ArmAnswer {
  const found = call.world.results.get(param(call, 'id'));
  if (!found) throw armError(404, 'NotFound', 'The operation result was not found.');
  return ok(found.body);
}

function wholeSeconds(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z');
}
