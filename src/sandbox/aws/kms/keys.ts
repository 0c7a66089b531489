import { isDeepStrictEqual } from 'node:util';
import { kmsError } from '../errors.ts';
import { flag, needText, oneOf, records, text, whole } from '../input.ts';
import { type Call, type Operations, seconds } from '../world.ts';
import { callKey, findKey } from './lookup.ts';
import { pageOf } from './pages.ts';
import {
  defaultPolicy,
  deletionMidnight,
  invalidState,
  type Key,
  keyArn,
  keyState,
  newKey,
  saveKey,
  unusable,
} from './state.ts';
import { keyMetadata } from './views.ts';

/** How long a new replica is `Creating`, in ms. */
const REPLICA_CREATING_MS = 2_000;

const USAGES = ['ENCRYPT_DECRYPT', 'SIGN_VERIFY', 'GENERATE_VERIFY_MAC', 'KEY_AGREEMENT'] as const;
const ORIGINS = ['AWS_KMS', 'EXTERNAL', 'AWS_CLOUDHSM', 'EXTERNAL_KEY_STORE'] as const;

/** Creating keys, describing them, and moving them between their states. */
export const keyOperations: Operations = {
  CreateKey,
  DescribeKey: (call) => ({ KeyMetadata: keyMetadata(callKey(call, needText(call.input, 'KeyId')), call.now) }),
  ListKeys,
  EnableKey: (call) => setDisabled(call, false),
  DisableKey: (call) => setDisabled(call, true),
  ScheduleKeyDeletion,
  CancelKeyDeletion,
  ReplicateKey,
  GetKeyPolicy,
  TagResource,
  UntagResource,
  ListResourceTags,
};

function CreateKey(call: Call) {
  const { input, world, now } = call;
  const spec = text(input, 'KeySpec') ?? text(input, 'CustomerMasterKeySpec') ?? 'SYMMETRIC_DEFAULT';
  const usage = oneOf(input, 'KeyUsage', USAGES) ?? 'ENCRYPT_DECRYPT';
  if (!usagesOf(spec).includes(usage)) {
    throw kmsError('ValidationException', `KeyUsage ${usage} is not compatible with KeySpec ${spec}`);
  }
  const origin = oneOf(input, 'Origin', ORIGINS) ?? 'AWS_KMS';
  const customKeyStoreId = text(input, 'CustomKeyStoreId');
  if ((origin === 'AWS_CLOUDHSM' || origin === 'EXTERNAL_KEY_STORE') && customKeyStoreId === undefined) {
    throw kmsError('ValidationException', `You must specify the CustomKeyStoreId for a key with Origin ${origin}`);
  }
  const multiRegion = flag(input, 'MultiRegion');
  const fresh = newKey(
    world,
    call.account,
    call.region,
    multiRegion ? `mrk-${world.random.hex(32)}` : world.random.uuid(),
    now,
  );
  const hasMaterialId = spec === 'SYMMETRIC_DEFAULT' && origin === 'AWS_KMS';
  const key: Key = {
    ...fresh,
    description: text(input, 'Description') ?? '',
    usage,
    spec,
    origin,
    customKeyStoreId,
    multiRegion: multiRegion ? { primaryRegion: call.region, replicaRegions: [] } : undefined,
    materials: hasMaterialId ? fresh.materials : [],
    tags: readTags(call),
    policy: text(input, 'Policy') ?? fresh.policy,
  };
  saveKey(call, key);
  return { KeyMetadata: keyMetadata(key, now) };
}

function usagesOf(spec: string): readonly string[] {
  if (spec === 'SYMMETRIC_DEFAULT') return ['ENCRYPT_DECRYPT'];
  if (spec.startsWith('HMAC_')) return ['GENERATE_VERIFY_MAC'];
  if (spec.startsWith('RSA_')) return ['ENCRYPT_DECRYPT', 'SIGN_VERIFY'];
  return spec.startsWith('ML_DSA_') ? ['SIGN_VERIFY'] : ['SIGN_VERIFY', 'KEY_AGREEMENT'];
}

function ListKeys(call: Call) {
  const limit = whole(call.input, 'Limit', 1, 1000) ?? 100;
  const list = () =>
    [...call.store.keys.ids()].filter((id) => findKey(call.world, call.store, id, call.view, call.now) !== undefined);
  const { ids, rest } = pageOf(call, list, limit, '');
  return { Keys: ids.map((id) => ({ KeyId: id, KeyArn: keyArn(call.account, call.region, id) })), ...rest };
}

function setDisabled(call: Call, disabled: boolean) {
  const key = changeableKey(call);
  const state = keyState(key, call.now);
  if (state !== 'Enabled' && state !== 'Disabled') throw invalidState(key, state);
  saveKey(call, { ...key, disabled });
  return {};
}

/** AWS-managed keys cannot be changed by anybody but AWS. */
function changeableKey(call: Call): Key {
  const key = callKey(call, needText(call.input, 'KeyId'), 'latest');
  if (key.manager === 'CUSTOMER') return key;
  throw kmsError('AccessDeniedException', `AWS managed key ${key.arn} cannot be changed by ${call.operation}.`);
}

function ScheduleKeyDeletion(call: Call) {
  const key = changeableKey(call);
  const state = keyState(key, call.now);
  if (key.deletionAt !== undefined || key.deletionWaits !== undefined) throw invalidState(key, state);
  const days = whole(call.input, 'PendingWindowInDays', 7, 30) ?? 30;
  if (key.multiRegion?.primaryRegion === key.region && key.multiRegion.replicaRegions.length > 0) {
    saveKey(call, { ...key, deletionWaits: days });
    return { KeyId: key.arn, KeyState: 'PendingReplicaDeletion', PendingWindowInDays: days };
  }
  const deletionAt = deletionMidnight(call.now, days);
  saveKey(call, { ...key, deletionAt });
  return { KeyId: key.arn, DeletionDate: seconds(deletionAt), KeyState: 'PendingDeletion', PendingWindowInDays: days };
}

/** The key stays disabled: AWS does not enable it again by itself. */
function CancelKeyDeletion(call: Call) {
  const key = changeableKey(call);
  if (key.deletionAt === undefined && key.deletionWaits === undefined) {
    throw kmsError('KMSInvalidStateException', `${key.arn} is not pending deletion.`);
  }
  saveKey(call, { ...key, deletionAt: undefined, deletionWaits: undefined, disabled: true });
  return { KeyId: key.arn };
}

function ReplicateKey(call: Call) {
  const primary = changeableKey(call);
  const region = needText(call.input, 'ReplicaRegion');
  if (primary.multiRegion?.primaryRegion !== primary.region) {
    throw kmsError('UnsupportedOperationException', `${primary.arn} is not a multi-region primary key.`);
  }
  const error = unusable(primary, call.now);
  if (error) throw error;
  const store = call.world.store(call.account, region);
  if (region === primary.region || findKey(call.world, store, primary.id, 'latest', call.now)) {
    throw kmsError('AlreadyExistsException', `Unable to create a replica: ${primary.id} already exists in ${region}.`);
  }
  const multiRegion = { ...primary.multiRegion, replicaRegions: [...primary.multiRegion.replicaRegions, region] };
  const replica: Key = {
    ...primary,
    arn: keyArn(call.account, region, primary.id),
    region,
    createdAt: call.now,
    description: text(call.input, 'Description') ?? '',
    creatingUntil: call.now + REPLICA_CREATING_MS,
    tags: readTags(call),
    policy: text(call.input, 'Policy') ?? defaultPolicy(call.account, region),
  };
  saveKey(call, replica);
  for (const place of [primary.region, ...multiRegion.replicaRegions]) {
    const relative = call.world.store(call.account, place).keys.get(primary.id);
    if (relative) saveKey(call, { ...relative, multiRegion });
  }
  const created = store.keys.get(primary.id) ?? replica;
  return {
    ReplicaKeyMetadata: keyMetadata(created, call.now),
    ReplicaPolicy: created.policy,
    ReplicaTags: tagsOrAbsent(created),
  };
}

function tagsOrAbsent(key: Key): Key['tags'] | undefined {
  return key.tags.length > 0 ? key.tags : undefined;
}

function GetKeyPolicy(call: Call) {
  const key = callKey(call, needText(call.input, 'KeyId'));
  const name = text(call.input, 'PolicyName') ?? 'default';
  if (name !== 'default') throw kmsError('NotFoundException', `No such policy exists`);
  return { Policy: key.policy, PolicyName: name };
}

function readTags(call: Call): Key['tags'] {
  return (records(call.input, 'Tags') ?? []).map((tag) => ({
    TagKey: needText(tag, 'TagKey'),
    TagValue: text(tag, 'TagValue') ?? '',
  }));
}

function TagResource(call: Call) {
  const key = changeableKey(call);
  if (key.deletionAt !== undefined) throw invalidState(key, 'PendingDeletion');
  const added = readTags(call);
  const kept = key.tags.filter((tag) => !added.some((other) => other.TagKey === tag.TagKey));
  const tags = [...kept, ...added];
  if (!isDeepStrictEqual(tags, key.tags)) saveKey(call, { ...key, tags });
  return {};
}

function UntagResource(call: Call) {
  const key = changeableKey(call);
  const names = call.input.TagKeys;
  if (!Array.isArray(names)) throw kmsError('ValidationException', 'TagKeys must be a list');
  saveKey(call, { ...key, tags: key.tags.filter((tag) => !names.includes(tag.TagKey)) });
  return {};
}

function ListResourceTags(call: Call) {
  const key = callKey(call, needText(call.input, 'KeyId'));
  const limit = whole(call.input, 'Limit', 1, 50) ?? 50;
  const { ids, rest } = pageOf(call, () => key.tags.map((tag) => tag.TagKey), limit, key.id);
  return {
    Tags: ids.map((name) => key.tags.find((tag) => tag.TagKey === name)).filter((tag) => tag !== undefined),
    ...rest,
  };
}
