/** Rules on the vault that holds the key of an account. */

import type { Ruling } from '../../rulings.ts';
import { az, setProperty } from '../commands.ts';
import { regionOf } from '../names.ts';
import { type Edge, ofVault, type Rule } from './edge.ts';

/** Shorter than the default by a lot: a weekend and a holiday eat it. */
const SHORT_RETENTION_DAYS = 30;

export const VAULT_RULES: readonly Rule[] = [region, softDelete, purgeProtection, retention, network];

/** "Media Services requires that the Key Vault is in the same region as the account". */
function region({ account, key, vault }: Edge): Ruling {
  const home = regionOf(account.location);
  const away = regionOf(vault?.location || key?.location);
  // A vault that Resource Manager never told of is nowhere yet.
  if (!home || !away || away === 'global' || home === away) return {};
  return {
    finding: {
      id: 'media-services.region',
      severity: 'critical',
      summary: `Its key is in ${away}, but the account is in ${home}; Media Services demands the same region.`,
      remedy: `Create a vault and a key in ${home}, grant the account's identity access, and set that key; keep the old one until the account has moved.`,
    },
  };
}

/**
 * "…and that it has soft-delete and purge protection enabled." Old vaults have no flag at all, and then the key's own
 * recovery level tells (azure.md 0a.5).
 */
function softDelete(edge: Edge): Ruling {
  const off = edge.vault?.attributes.softDelete === false || edge.key?.attributes.recoveryLevel === 'Purgeable';
  if (!off) return {};
  return {
    finding: {
      id: 'media-services.soft-delete',
      severity: 'critical',
      summary: 'Its vault has no soft delete, which Media Services demands: a deleted key is gone at once.',
      remedy: vaultProperty(edge, 'enableSoftDelete'),
    },
  };
}

/** The same sentence. Azure leaves the flag out where it is off, and takes no `false`. */
function purgeProtection(edge: Edge): Ruling {
  if (!lacksPurgeProtection(edge)) return {};
  return {
    finding: {
      id: 'media-services.purge-protection',
      severity: 'critical',
      summary: 'Its vault has no purge protection, which Media Services demands: a deleted key can be purged for good.',
      remedy: isHsm(edge)
        ? az('keyvault', 'update-hsm', ...ofVault(edge, '--hsm-name'), '--enable-purge-protection', 'true')
        : az('keyvault', 'update', ...ofVault(edge), '--enable-purge-protection', 'true'),
    },
  };
}

/** Where either says off it is off; a missing flag counts only on a vault that Resource Manager showed. */
function lacksPurgeProtection({ key, vault }: Edge): boolean {
  const flag = vault?.attributes.purgeProtection;
  const level = key?.attributes.recoveryLevel;
  if (flag === false) return true;
  if (typeof level === 'string') return level.includes('Purgeable');
  return vault !== undefined && vault.attributes.resourceId !== undefined && flag === undefined;
}

/** Deleted keys are kept for 7 to 90 days (azure.md 2, az.vault.retention). */
function retention({ key, vault }: Edge): Ruling {
  const days = vault?.attributes.retentionDays ?? key?.attributes.recoverableDays;
  if (typeof days !== 'number' || days <= 0 || days >= SHORT_RETENTION_DAYS) return {};
  return {
    finding: {
      id: 'media-services.retention',
      severity: 'info',
      summary: `Its vault keeps deleted keys for ${days} days only.`,
      remedy:
        'The retention of a vault is set when it is created: use another vault, created with --retention-days 90.',
    },
  };
}

/**
 * The service reaches the vault over the network. Whether Media Services passes the bypass for trusted services was
 * said by one page and not by the list of those services (azure.md 2, az.vault.network): the bypass is believed. It is on
 * where the vault does not say (NetworkRuleSet of arm-keyvault: "If not specified the default is 'AzureServices'").
 */
function network({ vault, ...edge }: Edge): Ruling {
  if (!vault) return {};
  const { publicNetworkAccess, networkDefaultAction, networkBypass, privateEndpoints } = vault.attributes;
  const word = (value: unknown) => String(value ?? '').toLowerCase();
  const perimeter = word(publicNetworkAccess) === 'securedbyperimeter';
  const closed = word(publicNetworkAccess) === 'disabled' || word(networkDefaultAction) === 'deny';
  const bypassed = ['', 'azureservices'].includes(word(networkBypass)) && !perimeter;
  if (!(closed || perimeter) || bypassed || (typeof privateEndpoints === 'number' && privateEndpoints > 0)) return {};
  return {
    finding: {
      id: 'media-services.network',
      severity: 'warning',
      summary: perimeter
        ? 'Its vault is inside a network security perimeter, which overrides the bypass for Azure services.'
        : 'Its vault lets in neither the public network nor trusted Azure services, and has no private endpoint.',
      remedy: perimeter
        ? 'Add an inbound rule for the account to the perimeter.'
        : az('keyvault', 'update', ...ofVault({ ...edge, vault }), '--bypass', 'AzureServices'),
    },
  };
}

/** Sets a flag that `az keyvault update` has no option for any more. */
function vaultProperty(edge: Edge, property: string): string {
  const id = edge.vault?.attributes.resourceId;
  if (typeof id === 'string') return setProperty(id, property, 'true');
  const shown = az('keyvault', 'show', ...ofVault(edge), '--query', 'id', '--output', 'tsv');
  return `az resource update --ids "$(${shown})" --set properties.${property}=true`;
}

function isHsm({ use, vault }: Edge): boolean {
  return vault?.spec === 'hsm' || /\.managedhsm\./.test(use.resource);
}
