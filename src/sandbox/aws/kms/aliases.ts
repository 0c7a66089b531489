import { kmsError } from '../errors.ts';
import { needText, text, whole } from '../input.ts';
import { type Call, type Operations, partitionOf, seconds } from '../world.ts';
import { callKey, findKey } from './lookup.ts';
import { pageOf } from './pages.ts';
import { type Alias, invalidState, type Key, keyState } from './state.ts';

/** Aliases of AWS services that every account shows, used or not. */
const PREDEFINED = [
  'dynamodb',
  'ebs',
  'elasticfilesystem',
  'es',
  'glue',
  'kinesisvideo',
  'rds',
  'redshift',
  's3',
  'secretsmanager',
  'ssm',
  'xray',
];

/** Names of keys. */
export const aliasOperations: Operations = { CreateAlias, UpdateAlias, DeleteAlias, ListAliases };

function aliasArn(call: Call, name: string): string {
  return `arn:${partitionOf(call.region)}:kms:${call.region}:${call.account}:${name}`;
}

function ownAliasName(call: Call): string {
  const name = needText(call.input, 'AliasName');
  if (!/^alias\/[a-zA-Z0-9/_-]+$/.test(name)) {
    throw kmsError(
      'InvalidAliasNameException',
      'Alias must start with the prefix "alias/". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html',
    );
  }
  if (name.startsWith('alias/aws/')) throw kmsError('NotAuthorizedException', '');
  return name;
}

function target(call: Call): Key {
  const key = callKey(call, needText(call.input, 'TargetKeyId'), 'latest');
  const state = keyState(key, call.now);
  if (state === 'PendingDeletion' || state === 'PendingReplicaDeletion') throw invalidState(key, state);
  return key;
}

function CreateAlias(call: Call) {
  const name = ownAliasName(call);
  const key = target(call);
  if (call.store.aliases.get(name)) {
    throw kmsError('AlreadyExistsException', `An alias with the name ${aliasArn(call, name)} already exists`);
  }
  call.store.aliases.put(name, { name, keyId: key.id, createdAt: call.now, updatedAt: call.now }, call.now);
  return {};
}

function existing(call: Call, name: string): Alias {
  const alias = call.store.aliases.get(name);
  if (alias) return alias;
  throw kmsError('NotFoundException', `Alias ${aliasArn(call, name)} is not found.`);
}

function UpdateAlias(call: Call) {
  const name = ownAliasName(call);
  const alias = existing(call, name);
  call.store.aliases.put(name, { ...alias, keyId: target(call).id, updatedAt: call.now }, call.now);
  return {};
}

function DeleteAlias(call: Call) {
  const name = ownAliasName(call);
  existing(call, name);
  call.store.aliases.put(name, undefined, call.now);
  return {};
}

function ListAliases(call: Call) {
  const keyId = text(call.input, 'KeyId');
  const key = keyId === undefined ? undefined : callKey(call, keyId);
  const limit = whole(call.input, 'Limit', 1, 100) ?? 50;
  const { ids, rest } = pageOf(call, () => aliasNames(call, key), limit, key?.id ?? '');
  return { Aliases: ids.map((name) => aliasEntry(call, name)), AliasCount: ids.length, ...rest };
}

function aliasNames(call: Call, key: Key | undefined): readonly string[] {
  const names = new Set<string>();
  for (const name of call.store.aliases.ids()) {
    const alias = call.store.aliases.get(name, call.view);
    if (!alias || (key && alias.keyId !== key.id)) continue;
    // An alias goes with its key.
    if (alias.keyId !== undefined && findKey(call.world, call.store, alias.keyId, 'latest', call.now)) names.add(name);
  }
  if (!key) for (const service of PREDEFINED) names.add(`alias/aws/${service}`);
  return [...names].toSorted();
}

function aliasEntry(call: Call, name: string) {
  const alias = call.store.aliases.get(name, call.view);
  return {
    AliasArn: aliasArn(call, name),
    AliasName: name,
    TargetKeyId: alias?.keyId,
    CreationDate: alias && seconds(alias.createdAt),
    LastUpdatedDate: alias && seconds(alias.updatedAt),
  };
}
