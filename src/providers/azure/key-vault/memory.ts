/** What a session remembers from one listing to the next. Everything in it can be found out again after a restart. */
import type { Grant } from '../../../core/model.ts';
import type { ServiceEnv } from '../service.ts';
import { vaultResource } from './names.ts';
import type { DeadVault, LivingVault, UrlOf, VaultType } from './vault-facts.ts';

export interface Memory {
  /** By resource, as last listed. */
  readonly living: Map<string, LivingVault>;
  readonly dead: Map<string, DeadVault>;
  /** Types of which the deleted ones were asked for before. */
  readonly deadAsked: Set<VaultType>;
  /** Resources by id in Resource Manager, lower case. */
  readonly byArmId: Map<string, string>;
  /** By vault: what its data plane was last found to answer; `ok`, or the reason of a failure. */
  readonly answered: Map<string, string>;
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
