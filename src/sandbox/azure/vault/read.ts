import { deletedKeyNotFound, keyNotFound } from './errors.ts';
import { pageOf } from './pages.ts';
import { policyView } from './rotation.ts';
import { newestOf, type VaultKey, versionOf } from './versions.ts';
import { bundle, deletedBundle, deletedItem, item, type Viewer, versionItem } from './views.ts';
import type { VaultCall } from './wire.ts';

/** Reading keys, their versions, the deleted ones and rotation policies. */
export const readHandlers = {
  GetKey,
  GetKeys,
  GetKeyVersions,
  GetDeletedKey,
  GetDeletedKeys,
  GetKeyRotationPolicy,
};

/** Who looks. */
export function viewerOf(call: VaultCall): Viewer {
  return { base: call.request.base, settings: call.keys.settings, query: call.request.query };
}

/** The key of a call. Throws KeyNotFound. */
export function keyOf(call: VaultCall): VaultKey {
  const key = call.keys.get(call.name);
  if (!key) throw keyNotFound(call.version === undefined ? call.name : `${call.name}/${call.version}`);
  return key;
}

/** The version of a call, the newest one when it names none. Throws KeyNotFound. */
export function versionIn(call: VaultCall, key: VaultKey) {
  const version = call.version === undefined ? newestOf(key) : versionOf(key, call.version);
  if (!version) throw keyNotFound(`${call.name}/${call.version}`);
  return version;
}

function GetKey(call: VaultCall) {
  const key = keyOf(call);
  return bundle(key, versionIn(call, key), viewerOf(call));
}

function GetKeys(call: VaultCall) {
  const { ids, nextLink } = pageOf(call.request, '/keys', call.keys.names());
  const value = ids.map((name) => call.keys.get(name)).filter((key) => key !== undefined);
  return { value: value.map((key) => item(key, viewerOf(call))), nextLink };
}

/** Empty for a key that does not exist: that is not an error here. Versions come in the order of their ids, not of time. */
function GetKeyVersions(call: VaultCall) {
  const key = call.keys.get(call.name);
  const all = (key?.versions ?? []).map((version) => version.id).toSorted();
  const { ids, nextLink } = pageOf(call.request, `/keys/${key?.name ?? call.name}/versions`, all);
  const value = key ? ids.map((id) => versionOf(key, id)).filter((version) => version !== undefined) : [];
  return { value: key ? value.map((version) => versionItem(key, version, viewerOf(call))) : [], nextLink };
}

function GetDeletedKey(call: VaultCall) {
  const deleted = call.keys.deleted(call.name);
  if (!deleted) throw deletedKeyNotFound(call.name);
  return deletedBundle(deleted, viewerOf(call));
}

function GetDeletedKeys(call: VaultCall) {
  const { ids, nextLink } = pageOf(call.request, '/deletedkeys', call.keys.deletedNames());
  const value = ids.map((name) => call.keys.deleted(name)).filter((deleted) => deleted !== undefined);
  return { value: value.map((deleted) => deletedItem(deleted, viewerOf(call))), nextLink };
}

function GetKeyRotationPolicy(call: VaultCall) {
  const key = keyOf(call);
  return policyView(key.policy, `${call.request.base}/keys/${key.name}/rotationpolicy`, call.keys.settings.hsm);
}
