/** What a session remembers from one listing to the next. Everything in it can be found out again after a restart. */
import type { Grant } from '../../../core/model.ts';
import { vaultOf, vaultResource } from '../names.ts';
import type { ServiceEnv } from '../service.ts';
import type { DeadVault, LivingVault, UrlOf, VaultType } from './vault-facts.ts';

export interface Memory {
  /** By resource, as last listed. */
  readonly living: Map<string, LivingVault>;
  readonly dead: Map<string, DeadVault>;
  /** Types of which the deleted ones were asked for before. */
  readonly deadAsked: Set<VaultType>;
  /** Resources by id in Resource Manager, lower case. */
  readonly byArmId: Map<string, string>;
  /** By vault whose keys could not all be listed the last time: what failed. */
  readonly answered: Map<string, { readonly operation: string; readonly reason: string }>;
  /** By vault that goes by roles: who may use its keys, undefined where that may not be known. */
  readonly grants: Map<string, readonly Grant[] | undefined>;
  /** By vault: the keys that were listed last. */
  readonly listed: Map<string, ReadonlySet<string>>;
  /** Vaults that hold soft-deleted keys. */
  readonly withDeleted: Set<string>;
  /** By key: the version that was current at the last look. */
  readonly current: Map<string, string>;
  /** Keys of which older versions are used: a look must look at those too. */
  readonly olderUsed: Set<string>;
  readonly urlOf: UrlOf;
  typeOf(resource: string): VaultType;
}

/** Drops what was remembered of vaults that there are no more, and of keys that were not listed: tests make and drop many. */
export function forget(memory: Memory): void {
  const { living, dead, answered, grants, listed, withDeleted, current, olderUsed } = memory;
  const isThere = (vault: string) => living.has(vault) || dead.has(vault);
  for (const known of [answered, grants, listed, withDeleted]) {
    for (const vault of known.keys()) if (!isThere(vault)) known.delete(vault);
  }
  for (const known of [current, olderUsed]) {
    for (const key of known.keys()) {
      const vault = vaultOf(key);
      if (!isThere(vault) || listed.get(vault)?.has(key) === false) known.delete(key);
    }
  }
}

export function remember({ cloud }: ServiceEnv): Memory {
  const byArmId = new Map<string, string>();
  return {
    living: new Map(),
    dead: new Map(),
    deadAsked: new Set(),
    byArmId,
    answered: new Map(),
    grants: new Map(),
    listed: new Map(),
    withDeleted: new Set(),
    current: new Map(),
    olderUsed: new Set(),
    urlOf: (type, name, armId) =>
      byArmId.get(armId?.toLowerCase() ?? '') ??
      vaultResource(`https://${name}.${type === 'hsm' ? cloud.hsmSuffix : cloud.vaultSuffix}`),
    typeOf: (resource) => (new URL(resource).hostname.endsWith(`.${cloud.hsmSuffix}`) ? 'hsm' : 'vault'),
  };
}
