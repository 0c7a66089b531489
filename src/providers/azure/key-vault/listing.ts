/** One listing: every vault, its keys, and what can be told of its deleted ones (azure.md 3.1). */
import type { KeyProperties } from '@azure/keyvault-keys';
import type { ConsumerFacts, KeyStub } from '../../../core/model.ts';
import type { CallContext, CallFailed, ListContext, Listed, ListOutcome } from '../../provider.ts';
import { keyStub, vaultOf } from '../names.ts';
import type { ServiceEnv } from '../service.ts';
import type { ResourceManager } from './arm.ts';
import { refresh } from './directory.ts';
import { deletedDigestOf, digestOf, usedDigest } from './facts.ts';
import { interleave } from './interleave.ts';
import { forget, type Memory } from './memory.ts';
import type { Plane } from './plane.ts';
import type { Roles } from './roles.ts';
import { failed, type Tried, tried } from './tried.ts';
import { deadDigest, type LivingVault, vaultDigest } from './vault-facts.ts';

const VAULTS_AT_ONCE = 4;
/** As many as this that all fail have the failure in common. */
const ALL_AT_LEAST = 2;

export interface Planes {
  readonly env: ServiceEnv;
  readonly arm: ResourceManager;
  readonly plane: Plane;
  readonly roles: Roles;
  readonly memory: Memory;
  /** Resources of the only vaults to watch; absent: all. */
  readonly configured: ReadonlySet<string> | undefined;
}

/** Vaults of which consumers use keys. That keys need the vault they lie in is no reason to ask who may use it. */
function neededBy(consumers: Iterable<ConsumerFacts>): ReadonlySet<string> {
  const needed = new Set<string>();
  for (const { uses } of consumers) for (const { resource } of uses) needed.add(vaultOf(resource.toLowerCase()));
  return needed;
}

type Outcomes = Map<string, Tried<true>>;

/** What is found out on the way. */
interface Found {
  readonly outcomes: Outcomes;
  /** Keys that their vault has listed before and lists no more, whatever else failed. */
  readonly vanished: Set<string>;
}

/**
 * Pages of keys as they come, then the vaults: a vault that refuses its keys is known to do so by then. The keys of such a
 * vault are not covered; where every vault fails alike, that is the source's failure, and no vault is told to have changed.
 */
export async function* listing(planes: Planes, context: ListContext): AsyncGenerator<readonly Listed[], ListOutcome> {
  const { env, arm, memory, configured } = planes;
  const directory = await refresh(env, arm, memory, configured, context);
  const asked = [...memory.living.values()].filter((vault) => vault.told?.state !== 'RegisteringDns');
  const outcomes: Outcomes = new Map();
  const vanished = new Set<string>();
  const needed = neededBy(context.consumers());
  yield* interleave(
    asked.map((vault) => keysOf(planes, vault, { outcomes, vanished }, needed, context)),
    VAULTS_AT_ONCE,
  );
  const failure = common(outcomes);
  if (!failure) {
    for (const [resource, tell] of outcomes) {
      if (tell.ok) memory.answered.delete(resource);
      else memory.answered.set(resource, { operation: tell.error.operation, reason: tell.failure.reason });
    }
  }
  // Nobody has seen a vault that fails as all others do: it is neither shown as it was, nor missing.
  const unseen = (resource: string) => failure !== undefined && outcomes.has(resource);
  const shown = [...memory.living.values()].filter(({ stub }) => !unseen(stub.resource));
  yield [
    ...shown.map((vault) => ({ stub: vault.stub, digest: digestOfVault(memory, vault) })),
    ...[...memory.dead.values()].map((dead) => ({ stub: dead.stub, digest: deadDigest(dead) })),
  ];
  forget(memory);
  planes.plane.retain((vault) => memory.living.has(vault) || memory.dead.has(vault));
  const down = directory.failed ?? failure;
  return {
    complete: true,
    exclusive: false,
    covers: ({ resource, kind }) =>
      kind === 'azure-vault'
        ? directory.complete.has(memory.typeOf(resource)) && !unseen(resource)
        : outcomes.get(vaultOf(resource))?.ok === true || vanished.has(resource),
    ...(down ? { failed: down } : {}),
  };
}

function digestOfVault(memory: Memory, vault: LivingVault): string {
  const { resource } = vault.stub;
  const { reason } = memory.answered.get(resource) ?? {};
  return vaultDigest(vault, reason ?? 'ok', JSON.stringify(memory.grants.get(resource) ?? null));
}

/** The failure that every vault has, if they all fail: the most frequent one. */
function common(outcomes: Outcomes): CallFailed | undefined {
  const failures = [...outcomes.values()].flatMap((tell) => (tell.ok ? [] : [tell]));
  if (failures.length < Math.max(ALL_AT_LEAST, outcomes.size)) return undefined;
  const count = (reason: string) => failures.filter(({ failure }) => failure.reason === reason).length;
  return failures.reduce((a, b) => (count(b.failure.reason) > count(a.failure.reason) ? b : a)).error;
}

async function* keysOf(
  planes: Planes,
  vault: LivingVault,
  { outcomes, vanished }: Found,
  needed: ReadonlySet<string>,
  context: ListContext,
): AsyncGenerator<readonly Listed[], void> {
  const { resource } = vault.stub;
  try {
    yield* livingKeys(planes, vault, vanished, context);
    outcomes.set(resource, { ok: true, value: true });
  } catch (error) {
    outcomes.set(resource, { ok: false, ...failed('ListKeys', error) });
    // A vault that answered nobody told where it is.
    if (!vault.told) await locate(planes, vault, context);
  }
  if (vault.told?.access === 'rbac' && needed.has(resource)) await learnGrants(planes, vault, context);
  else planes.memory.grants.delete(resource);
}

async function* livingKeys(
  planes: Planes,
  vault: LivingVault,
  vanished: Set<string>,
  context: ListContext,
): AsyncGenerator<readonly Listed[], void> {
  const { plane, memory } = planes;
  const { resource } = vault.stub;
  const names = new Set<string>();
  for await (const { value, headers } of plane.keys(resource, context)) {
    const { stub } = located(memory, vault, headers['x-ms-keyvault-region']);
    const page: Listed[] = [];
    for (const properties of value) {
      const key = keyStub(stub, properties.name, properties.id);
      names.add(key.resource);
      page.push({ stub: key, digest: digestOf(properties, await olderVersions(planes, key, context)) });
    }
    yield page;
  }
  const before = memory.listed.get(resource);
  const missing = before === undefined ? [] : [...before].filter((name) => !names.has(name));
  for (const name of missing) vanished.add(name);
  if (before === undefined || missing.length > 0 || memory.withDeleted.has(resource))
    yield await deletedKeys(planes, vault, names, context);
  memory.listed.set(resource, names);
}

/** What an older version that is still used is like: disabling one does not change the key's item. '' where none is used. */
async function olderVersions({ plane, memory }: Planes, key: KeyStub, context: ListContext): Promise<string> {
  const { resource } = key;
  const used = context.versionsInUse(resource);
  const current = memory.current.get(resource);
  memory.olderUsed.delete(resource);
  if (used.length === 0 || used.every((version) => version === current)) return '';
  const versions = await tried<readonly KeyProperties[]>('ListKeyVersions', () => plane.versions(key, context));
  const digest = versions.ok ? usedDigest(used, versions.value) : versions.failure.reason;
  if (digest !== '') memory.olderUsed.add(resource);
  // Only the newest is used: as good as a look to know which that is.
  else if (used[0] !== undefined) memory.current.set(resource, used[0]);
  return digest;
}

/** Soft-deleted keys. A monitor that may not list them (an HSM's seldom may) knows of none. */
async function deletedKeys(
  { plane, memory }: Planes,
  { stub }: LivingVault,
  living: ReadonlySet<string>,
  context: CallContext,
): Promise<readonly Listed[]> {
  const found: Listed[] = [];
  const { resource } = stub;
  const outcome = await tried('ListDeletedKeys', async () => {
    for await (const { value } of plane.deletedKeys(resource, context)) {
      for (const deleted of value) {
        const key = keyStub(memory.living.get(resource)?.stub ?? stub, deleted.name, deleted.id);
        if (!living.has(key.resource)) found.push({ stub: key, digest: deletedDigestOf(deleted) });
      }
    }
  });
  // A vault without soft delete does not know the question.
  if (!outcome.ok && !['denied', 'bad_response'].includes(outcome.failure.reason)) throw outcome.error;
  if (found.length > 0) memory.withDeleted.add(resource);
  else memory.withDeleted.delete(resource);
  return found;
}

/** The vault, with the region that its own answer told where Resource Manager does not. */
function located({ living }: Memory, vault: LivingVault, location: string | undefined): LivingVault {
  const now = living.get(vault.stub.resource) ?? vault;
  if (now.told || !location || now.stub.location === location) return now;
  const told = { ...now, stub: { ...now.stub, location } };
  living.set(told.stub.resource, told);
  return told;
}

async function locate({ plane, memory }: Planes, vault: LivingVault, context: CallContext): Promise<void> {
  if (vault.stub.location !== 'global') return;
  const door = await tried('Knock', () => plane.knock(vault.stub.resource, context));
  if (door.ok) located(memory, vault, door.value.region);
}

/** Who may use the keys of a vault that goes by roles: asked where somebody needs one of them. */
export async function learnGrants(
  { roles, memory }: Planes,
  { stub, arm }: LivingVault,
  context: CallContext,
): Promise<void> {
  if (!arm) return;
  const grants = await tried('RoleAssignments.ListForScope', () => roles.grants(arm.id, context));
  if (grants.ok) memory.grants.set(stub.resource, grants.value);
  // Trouble on the way takes nothing back; a refusal does: what cannot be known any more is not known.
  else if (grants.failure.reason === 'denied') memory.grants.set(stub.resource, undefined);
}
