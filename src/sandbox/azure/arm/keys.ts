import { armError } from '../errors.ts';
import { type VaultState, vaultId } from '../state.ts';
import { type KeyVersion, newestOf, type VaultKey, versionOf } from '../vault/versions.ts';
import { recovery } from '../vault/views.ts';
import { type ArmAnswer, type ArmCall, type ArmRoute, ok, page, param } from './call.ts';
import { existingHolder } from './holders.ts';

const HOLDERS = [
  {
    path: '/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.KeyVault/vaults/{name}/keys',
    operation: 'Keys',
    action: 'Microsoft.KeyVault/vaults/keys',
    holder: (call: ArmCall) => existingHolder(call, 'vault'),
  },
  {
    path: '/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.KeyVault/managedHSMs/{name}/keys',
    operation: 'ManagedHsmKeys',
    action: 'Microsoft.KeyVault/managedHSMs/keys',
    holder: (call: ArmCall) => existingHolder(call, 'hsm'),
  },
] as const;

type Holder = (call: ArmCall) => VaultState;

/** Keys as ARM shows them: their metadata, by the rights at ARM and past every firewall. */
export const keyRoutes: readonly ArmRoute[] = HOLDERS.flatMap(({ path, operation, action, holder }) => [
  route(path, `${operation}_List`, `${action}/read`, (call) => list(call, holder)),
  route(`${path}/{key}`, `${operation}_Get`, `${action}/read`, (call) => get(call, holder)),
  route(`${path}/{key}/versions`, `${operation}_ListVersions`, `${action}/versions/read`, (call) =>
    listVersions(call, holder),
  ),
  route(`${path}/{key}/versions/{version}`, `${operation}_GetVersion`, `${action}/versions/read`, (call) =>
    get(call, holder),
  ),
]);

function route(path: string, operation: string, action: string, run: ArmRoute['run']): ArmRoute {
  return { method: 'GET', path, operation, action, run };
}

function list(call: ArmCall, holder: Holder): ArmAnswer {
  const vault = holder(call);
  const items = vault.keys.names().flatMap((name) => {
    const key = vault.keys.get(name);
    return key ? [{ place: name.toLowerCase(), item: summary(vault, key, newestOf(key)) }] : [];
  });
  return page(call, items);
}

function listVersions(call: ArmCall, holder: Holder): ArmAnswer {
  const vault = holder(call);
  const key = existing(call, vault);
  const items = key.versions.map((version) => ({
    place: version.id,
    item: { ...summary(vault, key, version), ...names(vault, key, version) },
  }));
  return page(
    call,
    items.toSorted((one, other) => (one.place < other.place ? -1 : 1)),
  );
}

function get(call: ArmCall, holder: Holder): ArmAnswer {
  const vault = holder(call);
  const key = existing(call, vault);
  const wanted = call.params.version;
  const version = wanted === undefined ? newestOf(key) : versionOf(key, wanted);
  if (!version) throw notFound(`${key.name}/${wanted}`);
  const own = wanted === undefined ? {} : names(vault, key, version);
  return ok({ ...summary(vault, key, version), ...own, properties: properties(vault, key, version) });
}

function existing(call: ArmCall, vault: VaultState): VaultKey {
  const name = param(call, 'key');
  const key = vault.keys.get(name);
  if (!key) throw notFound(name);
  return key;
}

function notFound(name: string) {
  return armError(404, 'KeyNotFound', `A key with (name/id) ${name} was not found in this key vault.`);
}

function names(vault: VaultState, key: VaultKey, version: KeyVersion): object {
  return {
    id: `${vaultId(vault)}/keys/${key.name}/versions/${version.id}`,
    name: version.id,
    type: `${type(vault)}/keys/versions`,
  };
}

/** What lists tell of a key. */
function summary(vault: VaultState, key: VaultKey, version: KeyVersion): object {
  return {
    id: `${vaultId(vault)}/keys/${key.name}`,
    name: key.name,
    type: `${type(vault)}/keys`,
    location: vault.location,
    ...(version.tags ? { tags: version.tags } : {}),
    properties: { attributes: attributes(vault, version), keyUri: uri(vault, key) },
  };
}

function properties(vault: VaultState, key: VaultKey, version: KeyVersion): object {
  return {
    attributes: attributes(vault, version),
    kty: version.kty,
    keyOps: version.operations,
    ...(version.size === undefined ? {} : { keySize: version.size }),
    ...(version.curve === undefined ? {} : { curveName: version.curve }),
    keyUri: uri(vault, key),
    keyUriWithVersion: `${uri(vault, key)}/${version.id}`,
  };
}

function attributes(vault: VaultState, version: KeyVersion): object {
  const seconds = (ms: number) => Math.floor(ms / 1000);
  return {
    enabled: version.enabled,
    ...(version.notBefore === undefined ? {} : { nbf: seconds(version.notBefore) }),
    ...(version.expires === undefined ? {} : { exp: seconds(version.expires) }),
    created: seconds(version.createdAt),
    updated: seconds(version.updatedAt),
    recoveryLevel: recovery(vault.keys.settings).recoveryLevel,
  };
}

/** With the port, as ARM writes it. */
function uri(vault: VaultState, key: VaultKey): string {
  return `https://${vault.host}:443/keys/${key.name}`;
}

function type(vault: VaultState): string {
  return vault.kind === 'hsm' ? 'Microsoft.KeyVault/managedHSMs' : 'Microsoft.KeyVault/vaults';
}
