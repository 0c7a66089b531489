import { kmsError } from '../errors.ts';
import type { Call } from '../world.ts';
import { isImported, type Key, type Material, newMaterial, saveKey } from './state.ts';

/**
 * Makes new material current, of the key and of its replicas. An EXTERNAL key takes the material that was imported for it
 * and throws KMSInvalidStateException when there is none.
 */
export function rotateKey(call: Pick<Call, 'world' | 'now'>, key: Key, rotation: 'AUTOMATIC' | 'ON_DEMAND'): Key {
  const pending = key.materials.find((material) => material.state === 'PENDING_ROTATION');
  if (key.origin === 'EXTERNAL' && !(pending && isImported(pending, call.now))) {
    throw kmsError('KMSInvalidStateException', `No available key material pending rotation for the key: ${key.arn}.`);
  }
  const next: Material = {
    ...(pending ?? newMaterial(call.world, 'CURRENT')),
    state: 'CURRENT',
    rotatedAt: call.now,
    rotation,
  };
  const older = key.materials
    .filter((material) => material !== pending)
    .map((material): Material => ({ ...material, state: 'NON_CURRENT' }));
  const materials = [...older, next];
  const rotated = saveKey(call, { ...key, materials });
  for (const region of key.multiRegion?.replicaRegions ?? []) {
    const replica = call.world.store(key.account, region).keys.get(key.id);
    if (replica) saveKey(call, { ...replica, materials });
  }
  return rotated;
}
