import { badRequest } from './errors.ts';
import { record, text } from './json.ts';
import { keyUsable, mediaPrincipal, parseKeyUrl } from './media-state.ts';
import { type MediaKey, type MediaState, regionOf } from './state.ts';
import { newestOf } from './vault/versions.ts';
import type { AzureWorld } from './world.ts';

const SIZES: readonly (number | undefined)[] = [2048, 3072, 4096];

/**
 * The key that an `encryption` block wants for an account; undefined for SystemKey. Refuses, with 400, what breaks a rule of
 * the document: RSA of 2048, 3072 or 4096 bits, in a vault of the same region with soft delete and purge protection, and an
 * identity that may get, wrap and unwrap. The texts are our own.
 */
export function mediaKeyOf(world: AzureWorld, account: MediaState, encryption: unknown): MediaKey | undefined {
  const { type, keyVaultProperties, identity } = record(encryption);
  if (type === undefined || type === 'SystemKey') return undefined;
  if (type !== 'CustomerKey') throw badRequest('The encryption type is not known.');
  const identifier = text(record(keyVaultProperties).keyIdentifier) ?? '';
  const parsed = parseKeyUrl(identifier);
  if (!parsed) throw badRequest(`The key identifier '${identifier}' is not valid.`);
  const vault = world.vaultAt(parsed.host);
  if (!vault || vault.deletedAt !== undefined) throw badRequest(`The key vault '${parsed.host}' was not found.`);
  if (vault.location !== regionOf(account.location)) {
    throw badRequest('The key vault must be in the same region as the Media Services account.');
  }
  if (!vault.softDelete || !vault.purgeProtection) {
    throw badRequest('The key vault must have soft delete and purge protection enabled.');
  }
  const found = vault.keys.get(parsed.name);
  const version =
    parsed.version === undefined
      ? found && newestOf(found)
      : found?.versions.find((one) => one.id === parsed.version?.toLowerCase());
  if (!version) throw badRequest(`The key '${identifier}' was not found.`);
  if (!version.kty.startsWith('RSA') || !SIZES.includes(version.size)) {
    throw badRequest('The key must be an RSA key of 2048, 3072 or 4096 bits. EC keys are not supported.');
  }
  const key: MediaKey = {
    host: parsed.host,
    name: parsed.name,
    identifier,
    pinned: parsed.version !== undefined,
    current: version.id,
    userIdentity: text(record(identity).userAssignedIdentity),
  };
  const principal = mediaPrincipal({ ...account, key });
  if (principal === undefined)
    throw badRequest('The account does not have the managed identity that is to use the key.');
  if (!keyUsable(world, vault, key, principal)) {
    throw badRequest('The managed identity of the account cannot get, wrap and unwrap with the key.');
  }
  return key;
}
