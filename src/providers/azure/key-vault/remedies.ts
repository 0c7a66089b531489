import type { KeyFacts } from '../../../core/model.ts';
import type { KeyReason } from '../../../core/reasons.ts';
import { az, setProperty } from '../commands.ts';

/** The exact command that undoes `reason` for this key or vault, where one does. */
export function remedy(reason: KeyReason, facts: KeyFacts): string | undefined {
  switch (reason) {
    case 'disabled':
      return facts.kind === 'azure-key' ? setAttributes(facts, '--enabled', 'true') : undefined;
    case 'soft_deleted':
      return recover(facts);
    case 'not_found':
      // A fresh deletion hides for a minute even from the deleted keys: what can be recovered still can.
      return isRecoverable(facts) ? recover(facts) : restore(facts);
    case 'purged':
      return restore(facts);
    default:
      return undefined;
  }
}

/**
 * Changes the current version of a key. Keys go by their URL, which fits every cloud, vault and HSM, and cannot be taken
 * for an option.
 */
export function setAttributes(facts: KeyFacts, ...options: readonly string[]): string {
  return az('keyvault', 'key', 'set-attributes', '--id', keyUrl(facts), ...options);
}

/** Makes a new version of a key, by its rotation policy. */
export function rotate(facts: KeyFacts): string {
  return az('keyvault', 'key', 'rotate', '--id', keyUrl(facts));
}

/** Turns on the purge protection of a vault. */
export function protectFromPurge(facts: KeyFacts): string {
  const [command, option] = isHsm(facts) ? ['update-hsm', '--hsm-name'] : ['update', '--name'];
  return vaultCommand(facts, command, option, '--enable-purge-protection', 'true');
}

/** Turns on soft delete: undefined where the vault is not known to Resource Manager. */
export function protectFromDeletion(facts: KeyFacts): string | undefined {
  const { resourceId } = facts.attributes;
  if (typeof resourceId !== 'string') return undefined;
  return setProperty(resourceId, 'enableSoftDelete', 'true');
}

function recover(facts: KeyFacts): string {
  if (facts.kind === 'azure-key') {
    return az('keyvault', 'key', 'recover', '--id', keyUrl(facts).replace('/keys/', '/deletedkeys/'));
  }
  const command = vaultCommand(facts, 'recover', isHsm(facts) ? '--hsm-name' : '--name', '--location', facts.location);
  const { access } = facts.attributes;
  // An HSM keeps its roles in itself, an access policy is part of its vault. A role assignment goes with the vault for good.
  if (isHsm(facts) || access === 'policy') return command;
  const whose = access === 'rbac' ? '' : ' if it goes by roles';
  return `${command}, then create its role assignments anew${whose}: Azure does not bring them back with the vault`;
}

/** What Azure keeps nothing of comes back from a backup of one's own only; a vault has none. */
function restore(facts: KeyFacts): string | undefined {
  if (facts.kind !== 'azure-key') return undefined;
  const { hostname } = new URL(facts.resource);
  const option = hostname.includes('.managedhsm.') ? '--hsm-name' : '--vault-name';
  const vault = [option, hostname.split('.')[0] ?? '', '--subscription', facts.account];
  return `From a backup of your own, if there is one: ${az('keyvault', 'key', 'restore', ...vault, '--file', 'key.backup')}`;
}

function vaultCommand(facts: KeyFacts, name: string, option: string, ...options: readonly string[]): string {
  return az('keyvault', name, option, facts.name, ...options, '--subscription', facts.account);
}

/** The URL with the name as it is written: Azure compares names without case, people do not. */
function keyUrl({ resource, name }: KeyFacts): string {
  return resource.slice(0, resource.length - name.length) + name;
}

function isHsm({ spec }: KeyFacts): boolean {
  return spec === 'hsm';
}

function isRecoverable({ attributes }: KeyFacts): boolean {
  return attributes.softDelete === true || String(attributes.recoveryLevel ?? '').includes('Recoverable');
}
