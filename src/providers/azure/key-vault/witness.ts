/**
 * What two witnesses, the vault itself and Resource Manager, prove of one key or vault: azure.md 3.4. The third is the door:
 * a request without a token.
 */
import type { Evidence, Failure, KeyFacts, KeyStub } from '../../../core/model.ts';
import type { CallContext, Described, Undescribed } from '../../provider.ts';
import { keyStub, vaultOf } from '../names.ts';
import { armKeyFacts, deletedKeyFacts, keyFacts, withVersions } from './facts.ts';
import { learnGrants, type Planes } from './listing.ts';
import { tried } from './tried.ts';
import { type ArmId, armIdOf, deadVaultFacts, type LivingVault, vaultFacts } from './vault-facts.ts';

type Looked = Described | Undescribed;

/** One look at a key. @throws CallFailed where one failed call says it all */
export async function lookAtKey(
  planes: Planes,
  stub: KeyStub,
  known: KeyFacts | undefined,
  context: CallContext,
): Promise<Looked> {
  const { plane, memory } = planes;
  const told = await tried('GetKey', () => plane.key(stub, context));
  if (told.ok) {
    const facts = keyFacts(stub, told.value.value, known);
    if (facts.version) memory.current.set(stub.resource, facts.version.id);
    const whole = memory.olderUsed.has(stub.resource)
      ? withVersions(facts, await plane.versions(stub, context))
      : facts;
    return { facts: whole, evidence: told.value.evidence };
  }
  if (told.failure.reason === 'not_found') return await missingKey(planes, stub, known, told.failure, context);
  if (told.failure.reason !== 'denied') throw told.error;
  // The monitor is refused: that is about the monitor, unless Resource Manager knows more of the key.
  const second = await armKey(planes, stub, context);
  if (second === 'gone') return { failure: { ...told.failure, reason: 'not_found', agreed: true } };
  if (typeof second === 'object') {
    const facts = armKeyFacts(stub, second.value, known);
    if (facts.state === 'Disabled') return { facts, evidence: second.evidence };
  }
  throw told.error;
}

/** A key of which its vault says that there is none: soft-deleted, purged, or gone without a word. */
async function missingKey(
  planes: Planes,
  stub: KeyStub,
  known: KeyFacts | undefined,
  failure: Failure,
  context: CallContext,
): Promise<Looked> {
  const { plane, memory } = planes;
  // What a vault that is deleted itself answers about its keys proves nothing of them: the loss is the vault's.
  if (memory.dead.has(vaultOf(stub.resource))) return { failure: { ...failure, reason: 'transitional' } };
  const deleted = await tried('GetDeletedKey', () => plane.deletedKey(stub, context));
  if (deleted.ok) {
    memory.withDeleted.add(vaultOf(stub.resource));
    return { facts: deletedKeyFacts(stub, deleted.value.value, known), evidence: deleted.value.evidence };
  }
  const { reason } = deleted.failure;
  const before = known?.state === 'SoftDeleted';
  // Trouble on the way to the deleted keys is no proof that it has left them.
  if (before && reason !== 'not_found' && reason !== 'denied') throw deleted.error;
  // Whether a key that may not be looked for among the deleted ones can be recovered is open, whoever agrees.
  if (reason !== 'not_found') return { failure: { ...failure, purgeable: false } };
  const agreed = (await armKey(planes, stub, context)) === 'gone';
  return { failure: { ...failure, ...(agreed && { agreed }), ...(isHeld(known) && { purgeable: false }) } };
}

/** Nobody can purge it yet: purge protection holds a deleted key until its day, and one that was never seen deleted longer. */
function isHeld(known: KeyFacts | undefined): boolean {
  const level = known?.attributes.recoveryLevel;
  return typeof level === 'string' && !level.includes('Purgeable') && isBeforePurge(known);
}

function isBeforePurge(known: KeyFacts | undefined): boolean {
  return known?.deletionAt === undefined || known.deletionAt > Date.now();
}

/** What Resource Manager says of a key; `silent` where it says nothing that counts. */
async function armKey({ arm, memory }: Planes, { resource, name }: KeyStub, context: CallContext) {
  const vault = memory.living.get(vaultOf(resource));
  if (!vault?.arm) return 'silent';
  const { type, arm: id } = vault;
  const told = await tried('Keys.Get', () => arm.key(type, id, name, context));
  if (told.ok) return told.value;
  if (told.failure.reason !== 'not_found') return 'silent';
  if (told.failure.evidence.code === 'KeyNotFound') return 'gone';
  // Its vault may be what was not found, moved or deleted a moment ago: that says nothing of the key.
  const there = await tried('Vaults.Get', () => arm.vault(type, id, context));
  return there.ok ? 'gone' : 'silent';
}

/** One look at a vault. @throws CallFailed where one failed call says it all */
export async function lookAtVault(
  planes: Planes,
  stub: KeyStub,
  known: KeyFacts | undefined,
  context: CallContext,
): Promise<Looked> {
  const { arm, memory } = planes;
  const listed = memory.living.get(stub.resource) ?? notListed(planes, stub);
  const id = listed.arm ?? knownId(known);
  if (!id) return await lookInside(planes, listed, known, context);
  const told = await tried('Vaults.Get', () => arm.vault(listed.type, id, context));
  if (told.ok) {
    const vault = told.value.value;
    // Its name may not resolve yet: asking it would only fail.
    if (vault.told?.state === 'RegisteringDns') {
      return { facts: vaultFacts(vault, undefined, known), evidence: told.value.evidence };
    }
    const inside = await tried('ListKeys', () => askInside(planes, vault.stub, context));
    // A look is there to confirm what a listing told, grants included.
    if (vault.told?.access === 'rbac' && memory.grants.has(stub.resource)) await learnGrants(planes, vault, context);
    if (!inside.ok) {
      // Whether a service may still use it is told by Resource Manager, also where the vault refuses the monitor.
      return { failure: { ...inside.failure, told: vaultFacts(vault, grantsOf(planes, stub, known), known) } };
    }
    return { facts: vaultFacts(vault, grantsOf(planes, stub, known), known), evidence: told.value.evidence };
  }
  if (told.failure.reason === 'not_found') {
    return await missingVault(planes, { ...listed, arm: id }, known, told.failure, context);
  }
  // Resource Manager is blind: the vault decides alone.
  return await lookInside(planes, listed, known, context);
}

/** @throws CallFailed where the vault does not answer */
async function lookInside(
  planes: Planes,
  vault: LivingVault,
  known: KeyFacts | undefined,
  context: CallContext,
): Promise<Described> {
  const evidence = await askInside(planes, vault.stub, context);
  return { facts: vaultFacts(vault, grantsOf(planes, vault.stub, known), known), evidence };
}

/** What cannot be listed is not well for answering a smaller question: what failed is asked again as it was. */
async function askInside({ plane, memory }: Planes, stub: KeyStub, context: CallContext): Promise<Evidence> {
  const { resource } = stub;
  const failed = memory.answered.get(resource);
  let evidence: Evidence | undefined;
  if (failed) {
    for await (const page of plane.keys(resource, context)) {
      evidence = page.evidence;
      for (const { name, id } of page.value) keyStub(stub, name, id);
    }
  }
  if (failed?.operation === 'ListDeletedKeys') {
    for await (const page of plane.deletedKeys(resource, context)) evidence = page.evidence;
  }
  return evidence ?? (await plane.probe(resource, context)).evidence;
}

/** A vault that Resource Manager does not know: soft-deleted, purged, moved away, or gone without a word. */
async function missingVault(
  planes: Planes,
  vault: LivingVault,
  known: KeyFacts | undefined,
  failure: Failure,
  context: CallContext,
): Promise<Looked> {
  const { arm, plane } = planes;
  const { type, stub } = vault;
  const { resource, location } = stub;
  const name = vault.arm?.name ?? stub.name;
  const dead = await tried('Vaults.GetDeleted', () => arm.deletedVault(type, name, location, context));
  if (dead.ok) return { facts: deadVaultFacts(dead.value.value, stub, known), evidence: dead.value.evidence };
  const { reason } = dead.failure;
  if (reason !== 'not_found') {
    // Trouble on the way to the deleted vaults is no proof that it has left them.
    if (known?.state === 'SoftDeleted' && reason !== 'denied') throw dead.error;
    return { failure: { ...failure, purgeable: false } };
  }
  const door = await tried('Knock', () => plane.knock(resource, context));
  if (!door.ok) {
    if (door.failure.reason !== 'dns') return { failure };
    return { failure: { ...failure, agreed: true, ...(isVaultHeld(known) && { purgeable: false }) } };
  }
  // One that still lets the monitor in is no lost one: it was moved to another subscription.
  const inside = await tried('ListKeys', () => plane.probe(resource, context));
  if (!inside.ok) return { failure: { ...failure, ...(door.value.answers && { purgeable: false }) } };
  return { facts: vaultFacts({ type, stub }, undefined, known), evidence: inside.value.evidence };
}

function isVaultHeld(known: KeyFacts | undefined): boolean {
  return known?.attributes.purgeProtection === true && isBeforePurge(known);
}

/** Roles are learnt where somebody needs them: what is known of them is what was told last. */
function grantsOf({ memory }: Planes, { resource }: KeyStub, known: KeyFacts | undefined): KeyFacts['grants'] {
  if (memory.grants.has(resource)) return memory.grants.get(resource);
  // Access policies mean nothing any more once a vault goes by roles.
  return known?.attributes.access === 'rbac' ? known.grants : undefined;
}

/** A vault that the last listing of this session did not show alive. */
function notListed({ memory }: Planes, stub: KeyStub): LivingVault {
  const dead = memory.dead.get(stub.resource);
  if (dead) return { type: dead.type, stub, ...(dead.arm ? { arm: dead.arm } : {}) };
  return { type: memory.typeOf(stub.resource), stub };
}

function knownId(known: KeyFacts | undefined): ArmId | undefined {
  const { resourceId } = known?.attributes ?? {};
  return armIdOf(typeof resourceId === 'string' ? resourceId : undefined);
}
