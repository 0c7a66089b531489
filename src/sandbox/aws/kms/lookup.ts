import type { View } from '../../table.ts';
import { accessDenied, kmsError } from '../errors.ts';
import { type Call, denialText, partitionOf, type RegionStore, type World } from '../world.ts';
import { rotateKey } from './rotate.ts';
import { DAY_MS, deletionMidnight, type Key, keyArn, newKey, saveKey, unusable } from './state.ts';

/**
 * The key as `view` sees it; undefined when there is none, or its deletion date passed. What time alone changes (an
 * automatic rotation, a primary whose last replica is gone) is made up for here.
 */
export function findKey(world: World, store: RegionStore, id: string, view: View, now: number): Key | undefined {
  const key = store.keys.get(id, view);
  if (!key || (key.deletionAt !== undefined && key.deletionAt <= now)) return undefined;
  return view === 'latest' ? settle(world, key, now) : key;
}

function settle(world: World, key: Key, now: number): Key {
  let settled = key;
  while (settled.rotation && settled.rotation.nextAt <= now && !unusable(settled, now)) {
    const { nextAt: at, everyDays } = settled.rotation;
    const rotation = { everyDays, nextAt: at + everyDays * DAY_MS };
    settled = rotateKey({ world, now: at }, { ...settled, rotation }, 'AUTOMATIC');
  }
  if (settled.deletionWaits !== undefined && settled.multiRegion) {
    const replicaRegions = settled.multiRegion.replicaRegions.filter(
      (region) => findKey(world, world.store(key.account, region), key.id, 'latest', now) !== undefined,
    );
    if (replicaRegions.length === 0) {
      const deletionAt = deletionMidnight(now, settled.deletionWaits);
      const multiRegion = { ...settled.multiRegion, replicaRegions };
      settled = saveKey({ world, now }, { ...settled, multiRegion, deletionWaits: undefined, deletionAt });
    }
  }
  return settled;
}

/** Who asks for a key: an ARN of another account needs that account's key policy. */
type Asker = Pick<Call, 'world' | 'account' | 'region' | 'now' | 'view'>;

const KEY_ID = /^(mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/**
 * The key that a KeyId of any form names: id, key ARN, alias name, alias ARN. Throws NotFoundException with AWS's three
 * different texts: no such key, not a key id, an ARN of another Region.
 */
export function resolveKey(asker: Asker, keyId: string, view: View = asker.view): Key {
  let account = asker.account;
  let name = keyId;
  if (keyId.startsWith('arn:')) {
    const [, , service, region = '', owner = '', rest = ''] = keyId.split(':');
    if (service !== 'kms' || rest === '') throw kmsError('InvalidArnException', `Invalid arn ${keyId}`);
    if (region !== asker.region) throw kmsError('NotFoundException', `Invalid arn ${region}`);
    account = owner;
    name = rest.startsWith('key/') ? rest.slice(4) : rest;
  }
  const store = asker.world.store(account, asker.region);
  if (name.startsWith('alias/')) return keyOfAlias(asker, store, name, view);
  if (!KEY_ID.test(name)) throw kmsError('NotFoundException', `Invalid keyId '${name}'`);
  const key = findKey(asker.world, store, name, view, asker.now);
  if (key) return key;
  throw kmsError('NotFoundException', `Key '${keyArn(account, asker.region, name)}' does not exist`);
}

function keyOfAlias(asker: Asker, store: RegionStore, name: string, view: View): Key {
  const alias = store.aliases.get(name, view);
  const key = alias?.keyId === undefined ? undefined : findKey(asker.world, store, alias.keyId, view, asker.now);
  if (key) return key;
  if (name.startsWith('alias/aws/')) return managedKey(asker.world, store, name, asker.now);
  const arn = `arn:${partitionOf(asker.region)}:kms:${asker.region}:${store.account}:${name}`;
  throw kmsError('NotFoundException', `Alias ${arn} is not found.`);
}

/** The key behind `alias/aws/...`, made on first use as AWS makes it. */
export function managedKey(world: World, store: RegionStore, aliasName: string, now: number): Key {
  const alias = store.aliases.get(aliasName);
  const known = alias?.keyId === undefined ? undefined : store.keys.get(alias.keyId);
  if (known) return known;
  const service = aliasName.slice('alias/aws/'.length);
  const fresh = newKey(world, store.account, store.region, world.random.uuid(), now);
  const key: Key = {
    ...fresh,
    manager: 'AWS',
    description: `Default key that protects my ${service} data when no other key is defined`,
    rotation: { everyDays: 365, nextAt: now + 365 * DAY_MS },
  };
  store.keys.put(key.id, key, now);
  store.aliases.put(aliasName, { name: aliasName, keyId: key.id, createdAt: now, updatedAt: now }, now);
  return key;
}

/** The key that the request's KeyId names, when the caller may use it; throws what AWS answers. */
export function callKey(call: Call, keyId: string, view: View = call.view): Key {
  const key = resolveKey(call, keyId, view);
  if (key.account === call.account || key.policy.includes(call.account)) return key;
  const action = `kms:${call.operation}`;
  throw accessDenied('kms', denialText(call, action, key.arn, `no resource-based policy allows the ${action} action`));
}

/** The names and ARNs by which a denial can hit a KMS call, and the one that AWS names in its text. */
export function kmsResource(
  call: Call,
  keyId: string | undefined,
): { readonly shown: string; readonly all: readonly string[] } {
  if (keyId === undefined) return { shown: '*', all: ['*'] };
  try {
    const { arn } = resolveKey(call, keyId);
    return { shown: arn, all: [arn, keyId] };
  } catch {
    return { shown: keyId, all: [keyId] };
  }
}
