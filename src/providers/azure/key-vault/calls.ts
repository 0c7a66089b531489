/** What sweeps of Key Vault cost. Pure. */
import type { Calls } from '../../provider.ts';
import { pagesOf, perSweep } from '../../steady.ts';

/** What Key Vault gives at once, whatever it is asked for (azure.md 3.1). */
const PAGE_SIZE = 25;
/** How long versions and rotation policies stay good, ms. */
export const DETAILS_EVERY_MS = 3_600_000;
/** Roles can be edited: what one allows is asked again after this long, ms. */
export const ROLE_GOOD_MS = 3_600_000;
/** Reader and Owner: there is hardly a subscription in which nobody has them. */
const OTHER_ROLES = 2;

export const calls: Calls = {
  steady({ objects, consumers, listing }, { intervalMs, services }) {
    const keys = objects['azure-key'] ?? 0;
    const vaults = objects['azure-vault'] ?? vaultsIn(services['key-vault']) ?? 1;
    const details = keys * perSweep(DETAILS_EVERY_MS, intervalMs);
    const needed = Math.min(vaults, consumers);
    return {
      'Vaults.ListBySubscription': listing?.['Vaults.ListBySubscription'] ?? 1,
      'ManagedHsms.ListBySubscription': listing?.['ManagedHsms.ListBySubscription'] ?? 1,
      ListKeys: listing?.ListKeys ?? (vaults === 0 ? 0 : vaults * pagesOf(keys / vaults, PAGE_SIZE)),
      ListKeyVersions: details,
      GetKeyRotationPolicy: details,
      ...(needed > 0
        ? {
            'RoleAssignments.ListForScope': needed,
            'RoleDefinitions.GetById': OTHER_ROLES * perSweep(ROLE_GOOD_MS, intervalMs),
          }
        : {}),
    };
  },
  beside: ['ListKeyVersions', 'GetKeyRotationPolicy'],
  assumes: [
    'Vaults hold no soft-deleted keys: a vault that does is asked for those in every sweep, too.',
    'Vaults hold equally many keys where they were not listed, and a key has at most 25 versions.',
    'Every consumer uses a key of a vault of its own that goes by roles, of which two are not those of Key Vault.',
  ],
};

function vaultsIn(options: Readonly<Record<string, unknown>> | undefined): number | undefined {
  return Array.isArray(options?.vaults) ? options.vaults.length : undefined;
}
