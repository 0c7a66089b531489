import { keyAccess } from './access.ts';
import type { MediaKey, MediaState, VaultState } from './state.ts';
import { newestOf } from './vault/versions.ts';
import type { AzureWorld } from './world.ts';

/**
 * What `encryption.status` says while the customer's key cannot be used. These are our own words: no value of a real account
 * is on record, Microsoft documents only that there is such a state.
 */
export const INACCESSIBLE = 'The customer key is inaccessible. Restore the access of the account to its key.';

/** Parses the URL of a key, with or without a version; undefined for anything else. */
export function parseKeyUrl(url: string): { host: string; name: string; version: string | undefined } | undefined {
  const match = /^https:\/\/([^/:]+)(?::443)?\/keys\/([0-9A-Za-z-]+)(?:\/([0-9a-f]{32})?)?$/i.exec(url);
  if (!match?.[1] || !match[2]) return undefined;
  return { host: match[1].toLowerCase(), name: match[2], version: match[3] };
}

/** The object id of the identity that an account reads its key with. */
export function mediaPrincipal(account: MediaState): string | undefined {
  const { key, identity } = account;
  if (key?.userIdentity === undefined) return identity?.principalId;
  const wanted = key.userIdentity.toLowerCase();
  const held = Object.entries(identity?.userAssignedIdentities ?? {});
  return held.find(([id]) => id.toLowerCase() === wanted)?.[1].principalId;
}

/**
 * Lets time and changes take effect on an account: a newer version that was due is taken, if the key could be used until now;
 * then it is seen whether the key can be used, and whether a newer version waits.
 */
export function settleMedia(world: AzureWorld, account: MediaState): void {
  const { key, pending } = account;
  if (!key) return;
  const now = world.now();
  if (pending && pending.at <= now && account.accessible) {
    account.key = { ...key, current: pending.version };
    account.pending = undefined;
  }
  const vault = world.vaultAt(key.host);
  const principal = mediaPrincipal(account);
  account.accessible = principal !== undefined && keyUsable(world, vault, account.key ?? key, principal);
  if (!key.pinned) account.pending = waiting(world, vault, account.key ?? key, account.pending);
}

/** Whether an identity can wrap and unwrap with the version in use. */
export function keyUsable(
  world: AzureWorld,
  vault: VaultState | undefined,
  key: Pick<MediaKey, 'name' | 'current'>,
  principal: string,
): boolean {
  if (!vault || vault.deletedAt !== undefined || locksServicesOut(vault)) return false;
  if (vault.keys.usable(key.name, key.current) !== 'ok') return false;
  return ['get', 'wrapkey', 'unwrapkey'].every(
    (permission) => keyAccess(world, vault, principal, permission, { key: key.name }) !== undefined,
  );
}

function locksServicesOut(vault: VaultState): boolean {
  const closed = vault.publicNetworkAccess === 'Disabled' || vault.networkAcls?.defaultAction === 'Deny';
  return closed && vault.networkAcls?.bypass !== 'AzureServices';
}

function waiting(
  world: AzureWorld,
  vault: VaultState | undefined,
  key: MediaKey,
  before: MediaState['pending'],
): MediaState['pending'] {
  const found = vault?.deletedAt === undefined ? vault?.keys.get(key.name) : undefined;
  const newest = found && newestOf(found);
  if (!newest?.enabled || newest.id === key.current) return undefined;
  if (before?.version === newest.id) return before;
  return { version: newest.id, at: newest.createdAt + world.settings.pickUpDelayMs };
}
