import { armError, resourceNotFound } from '../errors.ts';
import { record, tagsOf, text } from '../json.ts';
import { parseKeyUrl } from '../media-state.ts';
import { armId, regionOf, type StorageState } from '../state.ts';
import { newestOf } from '../vault/versions.ts';
import { place } from '../world.ts';
import { type ArmAnswer, type ArmCall, type ArmRoute, existingGroup, locationOf, ok, page, param } from './call.ts';

const GROUP = '/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Storage/storageAccounts';
const ONE = `${GROUP}/{name}`;
const RESULT = '/subscriptions/{subscription}/providers/Microsoft.Storage/locations/{location}/asyncoperations/{id}';

/** Storage accounts, as far as setting up Media Services needs them, and resource groups. */
export const storageRoutes: readonly ArmRoute[] = [
  route('GET', '/subscriptions/{subscription}/providers/Microsoft.Storage/storageAccounts', 'List', 'read', list),
  route('GET', GROUP, 'ListByResourceGroup', 'read', list),
  route('GET', ONE, 'GetProperties', 'read', (call) => ok(existing(call).body)),
  route('PUT', ONE, 'Create', 'write', put),
  route('PATCH', ONE, 'Update', 'write', patch),
  route('DELETE', ONE, 'Delete', 'delete', remove),
  {
    method: 'GET',
    path: RESULT,
    operation: 'StorageAccounts_Result',
    action: 'Microsoft.Storage/locations/asyncoperations/read',
    run: result,
  },
  group('GET', 'Get', 'read', (call) => ok(groupView(call, existingGroup(call)))),
  group('PUT', 'CreateOrUpdate', 'write', putGroup),
];

function route(method: string, path: string, name: string, right: string, run: ArmRoute['run']): ArmRoute {
  const action = `Microsoft.Storage/storageAccounts/${right}`;
  return { method, path, operation: `StorageAccounts_${name}`, action, run: (call) => answer(run(call)) };
}

/** Recorded: Storage names no charset. */
function answer(given: ArmAnswer): ArmAnswer {
  return { ...given, headers: { ...given.headers, 'content-type': 'application/json' } };
}

function group(method: string, name: string, right: string, run: ArmRoute['run']): ArmRoute {
  return {
    method,
    path: '/subscriptions/{subscription}/resourceGroups/{group}',
    operation: `ResourceGroups_${name}`,
    action: `Microsoft.Resources/subscriptions/resourceGroups/${right}`,
    run,
  };
}

function putGroup(call: ArmCall): ArmAnswer {
  locationOf(call);
  return { status: 201, body: groupView(call, call.world.group(call.subscription.id, param(call, 'group'))) };
}

function groupView(call: ArmCall, name: string): object {
  return {
    id: `/subscriptions/${call.subscription.id}/resourceGroups/${name}`,
    name,
    type: 'Microsoft.Resources/resourceGroups',
    location: text(call.body.location) ?? 'westeurope',
    properties: { provisioningState: 'Succeeded' },
  };
}

function existing(call: ArmCall): StorageState {
  const group = existingGroup(call);
  const name = param(call, 'name');
  const account = call.world.storage.get(idOf(call, group, name).toLowerCase());
  if (!account) throw resourceNotFound('Microsoft.Storage/storageAccounts', name, group);
  return account;
}

function idOf(call: ArmCall, group: string, name: string): string {
  return armId({ subscription: call.subscription.id, group, name }, 'Microsoft.Storage/storageAccounts');
}

function list(call: ArmCall): ArmAnswer {
  const group = call.params.group === undefined ? undefined : existingGroup(call);
  const items = [...call.world.storage.values()]
    .filter(({ subscription }) => subscription === call.subscription.id)
    .filter((account) => group === undefined || account.group === group)
    .map((account) => ({ place: place(account), item: account.body }))
    .toSorted((one, other) => (one.place < other.place ? -1 : 1));
  return page(call, items);
}

/** 202 with the place of the result, as Azure creates them. */
function put(call: ArmCall): ArmAnswer {
  const group = existingGroup(call);
  const location = regionOf(locationOf(call));
  const name = param(call, 'name');
  const known = call.world.storage.get(idOf(call, group, name).toLowerCase());
  const account = addStorage(call.world, { subscription: call.subscription.id, group, name, location }, call.body);
  if (known) return ok(account.body);
  const id = call.world.random.uuid();
  call.world.results.set(id, { body: account.body });
  const path = RESULT.replace('{subscription}', call.subscription.id).replace('{location}', location);
  const where = `${call.base}${path.replace('{id}', id)}?monitor=true&api-version=${call.apiVersion}`;
  return { status: 202, headers: { location: where, 'retry-after': '0' } };
}

/** Makes or replaces a storage account out of the body of a PUT; fields as recorded. */
export function addStorage(
  world: ArmCall['world'],
  at: Pick<StorageState, 'subscription' | 'group' | 'name' | 'location'>,
  body: Readonly<Record<string, unknown>>,
): StorageState {
  const id = armId(at, 'Microsoft.Storage/storageAccounts');
  const createdAt = world.storage.get(id.toLowerCase())?.createdAt ?? world.now();
  const created = decimals(createdAt);
  const { identity, properties } = body;
  const sku = text(record(body.sku).name) ?? 'Standard_LRS';
  const state: StorageState = {
    ...at,
    createdAt,
    body: {
      ...(identity === undefined ? {} : { identity: systemIdentity(world, at.subscription, identity) }),
      sku: { name: sku, tier: sku.split('_')[0] },
      kind: text(body.kind) ?? 'StorageV2',
      id,
      name: at.name,
      type: 'Microsoft.Storage/storageAccounts',
      location: at.location,
      tags: tagsOf(body.tags) ?? {},
      properties: {
        privateEndpointConnections: [],
        networkAcls: { bypass: 'AzureServices', virtualNetworkRules: [], ipRules: [], defaultAction: 'Allow' },
        supportsHttpsTrafficOnly: true,
        encryption: encryption(world, record(properties).encryption, created),
        provisioningState: 'Succeeded',
        creationTime: created,
        primaryEndpoints: endpoints(at.name),
        primaryLocation: at.location,
        statusOfPrimary: 'available',
      },
    },
  };
  world.storage.set(id.toLowerCase(), state);
  return state;
}

function systemIdentity(world: ArmCall['world'], subscription: string, value: unknown): object {
  const { tenant } = world.subscription(subscription);
  const { objectId } = world.directory.add(tenant, 'identity');
  return { principalId: objectId, tenantId: tenant, type: text(record(value).type) ?? 'SystemAssigned' };
}

/** The block with the recorded spelling: lower case beside camel case. */
function encryption(world: ArmCall['world'], value: unknown, since: string): object {
  const { keySource, keyvaultproperties } = record(value);
  const service = { keyType: 'Account', enabled: true, lastEnabledTime: since };
  const services = { file: service, blob: service };
  if (keySource !== 'Microsoft.Keyvault') return { services, keySource: 'Microsoft.Storage' };
  const { keyvaulturi, keyname, keyversion } = record(keyvaultproperties);
  const url = `${text(keyvaulturi)?.replace(/\/$/, '')}/keys/${text(keyname)}`;
  const parsed = parseKeyUrl(url);
  const key = parsed && world.vaultAt(parsed.host)?.keys.get(parsed.name);
  const version = text(keyversion) || (key && newestOf(key).id);
  return {
    keyvaultproperties: {
      ...(version === undefined ? {} : { currentVersionedKeyIdentifier: `${url}/${version}` }),
      lastKeyRotationTimestamp: decimals(world.now()),
      keyvaulturi,
      keyname,
      ...(keyversion === undefined ? {} : { keyversion }),
    },
    services,
    keySource,
  };
}

function endpoints(name: string): object {
  const hosts = ['blob', 'queue', 'table', 'file'].map((kind) => [kind, `https://${name}.${kind}.core.windows.net/`]);
  return Object.fromEntries(hosts);
}

function patch(call: ArmCall): ArmAnswer {
  const { body, ...account } = existing(call);
  const change = record(call.body.properties).encryption;
  const properties = { ...record(body.properties) };
  if (change !== undefined) properties.encryption = encryption(call.world, change, decimals(account.createdAt));
  const next = { ...body, tags: tagsOf(call.body.tags) ?? body.tags, properties };
  call.world.storage.set(idOf(call, account.group, account.name).toLowerCase(), { ...account, body: next });
  return ok(next);
}

function remove(call: ArmCall): ArmAnswer {
  const group = existingGroup(call);
  const gone = call.world.storage.delete(idOf(call, group, param(call, 'name')).toLowerCase());
  return { status: gone ? 200 : 204 };
}

function result(call: ArmCall): ArmAnswer {
  const found = call.world.results.get(param(call, 'id'));
  if (!found) throw armError(404, 'NotFound', 'The operation was not found.');
  return ok(found.body);
}

/** Seven decimals, as Storage writes times. */
function decimals(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '0000Z');
}
