/** Which vaults there are, by Resource Manager and by the configuration. */
import type { CallContext, CallFailed } from '../../provider.ts';
import type { ServiceEnv } from '../service.ts';
import type { ResourceManager } from './arm.ts';
import type { Memory } from './memory.ts';
import { tried } from './tried.ts';
import { type LivingVault, type VaultType, vaultStub } from './vault-facts.ts';

const TYPES: readonly VaultType[] = ['vault', 'hsm'];
const LIST = { vault: 'Vaults.ListBySubscription', hsm: 'ManagedHsms.ListBySubscription' } as const;
const LIST_DELETED = { vault: 'Vaults.ListDeleted', hsm: 'ManagedHsms.ListDeleted' } as const;

export interface Refreshed {
  /** Types of which the whole list was had: only of those a vault can be missing. */
  readonly complete: ReadonlySet<VaultType>;
  readonly failed?: CallFailed;
}

/**
 * Brings the memory up to date. What cannot be listed stays as it was known.
 * @param configured resources of the only vaults to watch; absent: all
 */
export async function refresh(
  env: ServiceEnv,
  arm: ResourceManager,
  memory: Memory,
  configured: ReadonlySet<string> | undefined,
  context: CallContext,
): Promise<Refreshed> {
  const { living, dead, typeOf } = memory;
  const watched = (resource: string) => configured?.has(resource) ?? true;
  const complete = new Set<VaultType>();
  let failure: CallFailed | undefined;
  for (const type of TYPES) {
    const listed = await tried(LIST[type], () => arm.vaults(type, context));
    if (listed.ok) {
      complete.add(type);
      const vanished = renew(
        memory,
        type,
        listed.value.filter(({ stub }) => watched(stub.resource)),
      );
      const known = [...dead.values()].some((one) => one.type === type);
      if (vanished || known || !memory.deadAsked.has(type)) await refreshDead(arm, memory, type, watched, context);
    } else if (type === 'vault' || !NOT_OFFERED.includes(listed.failure.reason)) failure ??= listed.error;
  }
  for (const resource of configured ?? []) {
    if (living.has(resource) || dead.has(resource)) continue;
    const [name = resource] = new URL(resource).host.split('.');
    living.set(resource, { type: typeOf(resource), stub: vaultStub(resource, name, env.subscription) });
  }
  return { complete, ...(failure ? { failed: failure } : {}) };
}

/** Where managed HSMs are not offered, or not allowed to the monitor, there are none that it could watch. */
const NOT_OFFERED: readonly string[] = ['denied', 'provider_retired'];

/** Takes a whole list of one type over. @returns whether one of them was there before and is not any more */
function renew({ living, byArmId }: Memory, type: VaultType, listed: readonly LivingVault[]): boolean {
  const before = [...living.values()].filter((vault) => vault.type === type && vault.arm);
  for (const { stub } of before) living.delete(stub.resource);
  for (const vault of listed) {
    byArmId.set(vault.arm?.id.toLowerCase() ?? '', vault.stub.resource);
    living.set(vault.stub.resource, vault);
  }
  return before.some(({ stub }) => !living.has(stub.resource));
}

/** Soft-deleted vaults. Whoever may not list them knows of none. */
async function refreshDead(
  arm: ResourceManager,
  { living, dead, deadAsked }: Memory,
  type: VaultType,
  watched: (resource: string) => boolean,
  context: CallContext,
): Promise<void> {
  const listed = await tried(LIST_DELETED[type], () => arm.deleted(type, context));
  if (!listed.ok && listed.failure.reason !== 'denied') return;
  deadAsked.add(type);
  for (const [resource, one] of dead) if (one.type === type) dead.delete(resource);
  for (const one of listed.ok ? listed.value : []) {
    const { resource } = one.stub;
    // Its name may be another vault's by now.
    if (living.get(resource)?.arm || !watched(resource)) continue;
    living.delete(resource);
    dead.set(resource, one);
  }
}
