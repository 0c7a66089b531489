/** What holds keys: vaults and managed HSMs, which Resource Manager finds alike. */
import { resourceNotFound } from '../errors.ts';
import type { VaultState } from '../state.ts';
import { type ArmCall, existingGroup, param } from './call.ts';

/** The vault or managed HSM that the name in the path means, deleted or not, wherever in the subscription it is. */
export function holderNamed(
  call: ArmCall,
  kind: VaultState['kind'],
  name = param(call, 'name'),
): VaultState | undefined {
  return call.world.vaultAt(call.world.hostOf(call.subscription, kind, name));
}

/** The one that the whole path names. Throws AzureError when there is none, deleted ones included. */
export function existingHolder(call: ArmCall, kind: VaultState['kind']): VaultState {
  const group = existingGroup(call);
  const name = param(call, 'name');
  const vault = holderNamed(call, kind, name);
  const here = vault?.group === group && vault.subscription === call.subscription.id;
  if (vault && here && vault.deletedAt === undefined) return vault;
  throw resourceNotFound(`Microsoft.KeyVault/${kind === 'hsm' ? 'managedHSMs' : 'vaults'}`, name, group);
}

/** Those of the subscription, or of the resource group that the path names, deleted ones left out. */
export function livingHolders(call: ArmCall, kind: VaultState['kind']): readonly VaultState[] {
  const group = call.params.group === undefined ? undefined : existingGroup(call);
  return call.world
    .vaultsOf(call.subscription.id, kind)
    .filter((vault) => vault.deletedAt === undefined && (group === undefined || vault.group === group));
}
