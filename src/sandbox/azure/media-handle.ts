import type { MediaAccount, MediaOptions } from './handles.ts';
import { INACCESSIBLE, mediaPrincipal, parseKeyUrl, settleMedia } from './media-state.ts';
import { type MediaKey, type MediaState, mediaId, type SubscriptionState } from './state.ts';
import { newestOf } from './vault/versions.ts';
import type { AzureWorld } from './world.ts';

/** Makes a Media Services account without asking whether its key fits, unless there is one with this name. */
export function mediaHandle(
  world: AzureWorld,
  subscription: SubscriptionState,
  name: string,
  options: MediaOptions = {},
): MediaAccount {
  const group = world.group(subscription.id, options.group ?? 'media');
  const made = newAccount(world, subscription, { name, group }, options);
  const id = mediaId(made).toLowerCase();
  if (!world.media.has(id)) world.media.set(id, made);
  settleMedia(world, made);
  // The wire replaces accounts when they are updated.
  const current = () => {
    const account = world.media.get(id);
    if (account) settleMedia(world, account);
    return account;
  };
  return {
    name,
    resource: mediaId(made),
    principal: mediaPrincipal(current() ?? made) ?? '',
    status: () => (current()?.accessible === false ? INACCESSIBLE : undefined),
    version: () => current()?.key?.current,
    delete: () => {
      world.media.delete(id);
    },
  };
}

function newAccount(
  world: AzureWorld,
  subscription: SubscriptionState,
  at: { readonly name: string; readonly group: string },
  options: MediaOptions,
): MediaState {
  const { tenant } = subscription;
  const now = world.now();
  const identity = world.directory.add(tenant, 'identity');
  const identities = `/subscriptions/${subscription.id}/resourceGroups/${at.group}/providers/Microsoft.ManagedIdentity`;
  const userIdentity = options.identity === 'user' ? `${identities}/userAssignedIdentities/${at.name}` : undefined;
  return {
    ...at,
    subscription: subscription.id,
    location: options.location ?? 'West Europe',
    mediaServiceId: world.random.uuid(),
    createdAt: now,
    modifiedAt: now,
    tags: undefined,
    identity:
      userIdentity === undefined
        ? { type: 'SystemAssigned', principalId: identity.objectId, tenantId: tenant }
        : {
            type: 'UserAssigned',
            userAssignedIdentities: {
              [userIdentity]: { clientId: identity.clientId, principalId: identity.objectId },
            },
          },
    storage: (options.storage ?? []).map((id, index) => ({ id, type: index === 0 ? 'Primary' : 'Secondary' })),
    storageAuthentication: 'System',
    keyDelivery: { accessControl: { defaultAction: 'Allow', ipAllowList: [] } },
    publicNetworkAccess: 'Enabled',
    key: options.key === undefined ? undefined : keyOf(world, options.key, options.pinned ?? false, userIdentity),
    accessible: true,
    pending: undefined,
  };
}

/** Throws for a key that does not exist: a script's mistake. */
function keyOf(world: AzureWorld, url: string, pinned: boolean, userIdentity: string | undefined): MediaKey {
  const parsed = parseKeyUrl(url);
  const key = parsed && world.vaultAt(parsed.host)?.keys.get(parsed.name);
  if (!parsed || !key) throw new Error(`no key ${url}`);
  const current = parsed.version ?? newestOf(key).id;
  const bare = `https://${parsed.host}/keys/${parsed.name}`;
  return {
    host: parsed.host,
    name: parsed.name,
    identifier: pinned ? `${bare}/${current}` : bare,
    pinned,
    current,
    userIdentity,
  };
}
