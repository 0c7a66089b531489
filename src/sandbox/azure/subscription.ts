import { revocable } from '../revocable.ts';
import { addStorage } from './arm/storage.ts';
import { trustIssuer } from './authority.ts';
import type { Principal } from './directory.ts';
import type { Application, Hsm, MediaAccount, Subscription, Vault } from './handles.ts';
import { mediaHandle } from './media-handle.ts';
import { armId, type SubscriptionState } from './state.ts';
import { hsmHandle, vaultHandle } from './vault-handle.ts';
import type { AzureWorld } from './world.ts';

/** The handle of a subscription. `cut` cuts what the proxy leads to a host. */
export function subscriptionHandle(
  world: AzureWorld,
  state: SubscriptionState,
  cut: (host: string) => void,
): Subscription {
  const scope = `/subscriptions/${state.id}`;
  const vaults = new Map<string, Vault>();
  const hsms = new Map<string, Hsm>();
  const accounts = new Map<string, MediaAccount>();
  const there = ({ host }: { readonly host: string }) => world.vaultAt(host) !== undefined;
  return {
    id: state.id,
    tenant: state.tenant,
    monitor: applicationHandle(world, state.monitor),
    owner: applicationHandle(world, state.owner),
    application: () => applicationHandle(world, world.directory.add(state.tenant, 'application')),
    group: (_name, members) => world.directory.addGroup(members),
    assignRole: (principal, role, at = scope) => {
      const assignment = world.assign(principal, role, at);
      return revocable(() => world.unassign(({ id }) => id === assignment.id));
    },
    customRole: (name, rights) => {
      const id = world.random.uuid();
      world.roles.set(id, { id, name, custom: true, actions: [], notActions: [], dataActions: [], ...rights });
      return id;
    },
    vault: (name, options) => known(vaults, name, there, () => vaultHandle(world, state, name, options, cut)),
    hsm: (name, options) => known(hsms, name, there, () => hsmHandle(world, state, name, options, cut)),
    mediaAccount: (name, options) =>
      known(
        accounts,
        name,
        ({ resource }) => world.media.has(resource.toLowerCase()),
        () => mediaHandle(world, state, name, options),
      ),
    storageAccount: (name, { location = 'westeurope', group = 'media' } = {}) => {
      const at = { subscription: state.id, group: world.group(state.id, group), name, location };
      addStorage(world, at, {});
      return armId(at, 'Microsoft.Storage/storageAccounts');
    },
    retireMedia: (code) => {
      state.retired = code;
    },
    denyMonitor: () => {
      state.monitorDenied = true;
    },
    allowMonitor: () => {
      state.monitorDenied = false;
    },
  };
}

function known<T>(handles: Map<string, T>, name: string, exists: (handle: T) => boolean, make: () => T): T {
  const key = name.toLowerCase();
  const handle = handles.get(key);
  if (handle && exists(handle)) return handle;
  const made = make();
  handles.set(key, made);
  return made;
}

function applicationHandle(world: AzureWorld, principal: Principal): Application {
  return {
    clientId: principal.clientId,
    clientSecret: principal.secret ?? '',
    principal: principal.objectId,
    trustCertificate: (pem) => world.directory.trust(principal, pem),
    trustIssuer: (trust) => trustIssuer(principal, trust),
  };
}
