import { armError, badRequest, gatewayError, resourceNotFound } from '../errors.ts';
import { array, record, tagsOf, text } from '../json.ts';
import { mediaKeyOf } from '../media-rules.ts';
import { INACCESSIBLE, settleMedia } from '../media-state.ts';
import { armId, type IdentityBlock, type MediaKey, type MediaState, mediaId, regionOf } from '../state.ts';
import { place } from '../world.ts';
import { type ArmAnswer, type ArmCall, type ArmRoute, existingGroup, locationOf, ok, page, param } from './call.ts';
import { systemData } from './vaults.ts';

const GROUP = '/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Media/mediaservices';
const ONE = `${GROUP}/{name}`;

const OPERATION = '/subscriptions/{subscription}/providers/Microsoft.Media/locations/{location}';

const RIGHTS: Readonly<Record<string, string>> = { GET: 'read', DELETE: 'delete', POST: 'action' };

/** Media Services accounts, and enough of what lies in them to see it refused. */
export const mediaRoutes: readonly ArmRoute[] = [
  route('GET', '/subscriptions/{subscription}/providers/Microsoft.Media/mediaservices', 'ListBySubscription', list),
  route('GET', GROUP, 'List', list),
  route('GET', ONE, 'Get', (call) => answer(ok(view(existing(call))))),
  route('PUT', ONE, 'CreateOrUpdate', put),
  route('PATCH', ONE, 'Update', patch),
  route('DELETE', ONE, 'Delete', remove),
  route('POST', `${ONE}/syncStorageKeys`, 'SyncStorageKeys', (call) => whileUsable(call, { status: 200 })),
  route('GET', `${OPERATION}/mediaServicesOperationStatuses/{id}`, 'MediaServicesOperationStatuses_Get', result),
  route('GET', `${OPERATION}/mediaServicesOperationResults/{id}`, 'MediaServicesOperationResults_Get', result),
  ...['assets', 'transforms', 'streamingEndpoints', 'liveEvents', 'contentKeyPolicies', 'streamingLocators'].map(
    (child) => route('GET', `${ONE}/${child}`, `${child}_List`, (call) => answer(whileUsable(call, ok({ value: [] })))),
  ),
];

function route(method: string, path: string, name: string, run: ArmRoute['run']): ArmRoute {
  const action = `Microsoft.Media/mediaservices/${RIGHTS[method] ?? 'write'}`;
  return {
    method,
    path,
    operation: name.includes('_') ? name : `Mediaservices_${name}`,
    action,
    run: (call) => {
      refuseRetired(call);
      return run(call);
    },
  };
}

/** The texts are those that users of the retired provider reported. */
function refuseRetired(call: ArmCall): void {
  const { retired, id } = call.subscription;
  if (retired === 'InvalidResourceNamespace') {
    throw gatewayError(404, retired, "The resource namespace 'Microsoft.Media' is invalid.");
  }
  if (retired === 'DisallowedProvider') {
    throw armError(403, retired, "The operation is not permitted for namespace 'Microsoft.Media'.");
  }
  if (retired === 'MissingSubscriptionRegistration') {
    const advice = 'See https://aka.ms/rps-not-found for how to register subscriptions.';
    const message = `The subscription '${id}' is not registered to use namespace 'Microsoft.Media'. ${advice}`;
    throw armError(409, retired, message);
  }
}

/** Media Services names its flavour of JSON. */
function answer(given: ArmAnswer): ArmAnswer {
  return { ...given, headers: { ...given.headers, 'content-type': 'application/json; odata.metadata=minimal' } };
}

function existing(call: ArmCall): MediaState {
  const group = existingGroup(call);
  const name = param(call, 'name');
  const account = find(call, group, name);
  if (!account) throw resourceNotFound('Microsoft.Media/mediaservices', name, group);
  settleMedia(call.world, account);
  return account;
}

function find(call: ArmCall, group: string, name: string): MediaState | undefined {
  const id = armId({ subscription: call.subscription.id, group, name }, 'Microsoft.Media/mediaservices');
  return call.world.media.get(id.toLowerCase());
}

/**
 * Everything but GET, LIST and DELETE is refused while the key cannot be used. Code and text are our own: Microsoft documents
 * only that all other requests fail.
 */
function whileUsable(call: ArmCall, given: ArmAnswer): ArmAnswer {
  const account = existing(call);
  if (!account.accessible) throw inaccessible(account);
  return given;
}

function inaccessible(account: MediaState) {
  return armError(403, 'CustomerKeyInaccessible', `${INACCESSIBLE} Account: ${account.name}`);
}

function list(call: ArmCall): ArmAnswer {
  const group = call.params.group === undefined ? undefined : existingGroup(call);
  const accounts = [...call.world.media.values()]
    .filter(({ subscription }) => subscription === call.subscription.id)
    .filter((account) => group === undefined || account.group === group)
    .toSorted((one, other) => (place(one) < place(other) ? -1 : 1));
  const items = accounts.map((account) => {
    settleMedia(call.world, account);
    return { place: place(account), item: view(account) };
  });
  return answer(page(call, items, { link: '@odata.nextLink' }));
}

function put(call: ArmCall): ArmAnswer {
  const group = existingGroup(call);
  const name = param(call, 'name');
  const location = locationOf(call);
  if (!/^[a-z0-9]{3,24}$/.test(name)) throw badRequest(`The account name '${name}' is not valid.`);
  const known = find(call, group, name);
  if (known) {
    settleMedia(call.world, known);
    if (!known.accessible) throw inaccessible(known);
  }
  const properties = record(call.body.properties);
  const identity = identityOf(call, call.body.identity, known?.identity) ?? known?.identity;
  const draft: MediaState = {
    subscription: call.subscription.id,
    group,
    name,
    location: known?.location ?? location,
    mediaServiceId: known?.mediaServiceId ?? call.world.random.uuid(),
    createdAt: known?.createdAt ?? call.now,
    modifiedAt: call.now,
    tags: tagsOf(call.body.tags),
    identity,
    storage: array(properties.storageAccounts),
    storageAuthentication: text(properties.storageAuthentication) ?? 'System',
    keyDelivery: properties.keyDelivery ?? { accessControl: { defaultAction: 'Allow', ipAllowList: [] } },
    publicNetworkAccess: text(properties.publicNetworkAccess) ?? 'Enabled',
    key: undefined,
    accessible: true,
    pending: undefined,
  };
  const account = store(call, { ...draft, key: mediaKeyOf(call.world, draft, properties.encryption) });
  return answer({ status: known ? 200 : 201, body: view(account) });
}

function patch(call: ArmCall): ArmAnswer {
  const known = existing(call);
  if (!known.accessible) throw inaccessible(known);
  const properties = record(call.body.properties);
  const draft: MediaState = {
    ...known,
    modifiedAt: call.now,
    tags: tagsOf(call.body.tags) ?? known.tags,
    identity: identityOf(call, call.body.identity, known.identity) ?? known.identity,
    storage: properties.storageAccounts === undefined ? known.storage : array(properties.storageAccounts),
    storageAuthentication: text(properties.storageAuthentication) ?? known.storageAuthentication,
    keyDelivery: properties.keyDelivery ?? known.keyDelivery,
    publicNetworkAccess: text(properties.publicNetworkAccess) ?? known.publicNetworkAccess,
  };
  if (properties.encryption === undefined) return updated(call, store(call, draft));
  const key = mediaKeyOf(call.world, draft, properties.encryption);
  return updated(call, store(call, { ...draft, key, pending: undefined }));
}

/** From this version on the specification answers an update with 202 alone, and clients take nothing else. */
const ASYNCHRONOUS = '2021-11-01';

/** What an update answers: 200, or 202 with where its outcome can be asked for. It is through all the same. */
function updated(call: ArmCall, account: MediaState): ArmAnswer {
  const body = view(account);
  if (call.apiVersion < ASYNCHRONOUS) return answer(ok(body));
  const id = call.world.random.uuid();
  const location = regionOf(account.location);
  const at = new Date(call.now).toISOString();
  const name = `/subscriptions/${account.subscription}/locations/${location}/MediaServicesOperationStatuses/${id}`;
  const status = { id: name, name: id, status: 'Succeeded', startTime: at, endTime: at };
  call.world.results.set(id, { body }).set(`${id}/status`, { body: status });
  const where = OPERATION.replace('{subscription}', account.subscription).replace('{location}', location);
  const link = (kind: string) => `${call.base}${where}/${kind}/${id}?api-version=${call.apiVersion}`;
  const headers = {
    'azure-asyncoperation': link('mediaServicesOperationStatuses'),
    location: link('mediaServicesOperationResults'),
  };
  return answer({ status: 202, body, headers });
}

function result(call: ArmCall): ArmAnswer {
  const id = param(call, 'id');
  const found = call.world.results.get(/OperationStatuses\//i.test(call.path) ? `${id}/status` : id);
  if (!found) throw armError(404, 'NotFound', `The operation '${id}' was not found.`);
  return answer(ok(found.body));
}

function store(call: ArmCall, account: MediaState): MediaState {
  call.world.media.set(mediaId(account).toLowerCase(), account);
  settleMedia(call.world, account);
  return account;
}

function remove(call: ArmCall): ArmAnswer {
  const group = existingGroup(call);
  const account = find(call, group, param(call, 'name'));
  if (!account) return { status: 204 };
  call.world.media.delete(mediaId(account).toLowerCase());
  return { status: 200 };
}

/** The identities that a request wants; those that are kept stay the same principals. */
function identityOf(call: ArmCall, value: unknown, before: IdentityBlock | undefined): IdentityBlock | undefined {
  if (value === undefined || value === null) return undefined;
  const wanted = record(value);
  const type = text(wanted.type) ?? 'None';
  const fresh = () => call.world.directory.add(call.subscription.tenant, 'identity');
  const known = before?.userAssignedIdentities ?? {};
  const users = Object.keys(record(wanted.userAssignedIdentities)).map((id) => {
    const kept = Object.entries(known).find(([other]) => other.toLowerCase() === id.toLowerCase())?.[1];
    if (kept) return [id, kept] as const;
    const { clientId, objectId } = fresh();
    return [id, { clientId, principalId: objectId }] as const;
  });
  const system = type.includes('SystemAssigned')
    ? { principalId: before?.principalId ?? fresh().objectId, tenantId: call.subscription.tenant }
    : {};
  return {
    type,
    ...system,
    ...(users.length > 0 ? { userAssignedIdentities: Object.fromEntries(users) } : {}),
  };
}

/** As recorded: neither `status` nor `provisioningState` while there is nothing to say. */
function view(account: MediaState): object {
  return {
    name: account.name,
    id: mediaId(account),
    type: 'Microsoft.Media/mediaservices',
    location: account.location,
    ...(account.tags ? { tags: account.tags } : {}),
    properties: {
      mediaServiceId: account.mediaServiceId,
      storageAccounts: account.storage,
      storageAuthentication: account.storageAuthentication,
      encryption: account.key ? encryptionView(account, account.key) : { type: 'SystemKey' },
      keyDelivery: account.keyDelivery,
      publicNetworkAccess: account.publicNetworkAccess,
    },
    systemData: systemData(account, '0000'),
    ...(account.identity ? { identity: account.identity } : {}),
  };
}

function encryptionView(account: MediaState, key: MediaKey): object {
  return {
    type: 'CustomerKey',
    keyVaultProperties: {
      keyIdentifier: key.identifier,
      currentKeyIdentifier: `https://${key.host}/keys/${key.name}/${key.current}`,
    },
    identity:
      key.userIdentity === undefined
        ? { useSystemAssignedIdentity: true }
        : { userAssignedIdentity: key.userIdentity, useSystemAssignedIdentity: false },
    ...(account.accessible ? {} : { status: INACCESSIBLE }),
  };
}
