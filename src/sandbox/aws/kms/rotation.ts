import { kmsError } from '../errors.ts';
import { needText, oneOf, whole } from '../input.ts';
import { type Call, type Operations, seconds } from '../world.ts';
import { callKey } from './lookup.ts';
import { pageOf } from './pages.ts';
import { rotateKey } from './rotate.ts';
import { DAY_MS, type Key, keyState, saveKey, unusable } from './state.ts';
import { rotationEntry } from './views.ts';

/** How many on-demand rotations AWS allows for one key. */
const MAX_ON_DEMAND = 25;

/** Automatic and on-demand rotation, and its history. */
export const rotationOperations: Operations = {
  GetKeyRotationStatus,
  EnableKeyRotation,
  DisableKeyRotation,
  RotateKeyOnDemand,
  ListKeyRotations,
};

function unsupported(key: Key): Error {
  const what = key.spec === 'SYMMETRIC_DEFAULT' ? `origin is ${key.origin}` : `key spec is ${key.spec}`;
  return kmsError('UnsupportedOperationException', `${key.arn} ${what} which is not valid for this operation.`);
}

function rotatesByItself(key: Key): boolean {
  return key.spec === 'SYMMETRIC_DEFAULT' && key.origin === 'AWS_KMS';
}

function GetKeyRotationStatus(call: Call) {
  const key = callKey(call, needText(call.input, 'KeyId'));
  if (!rotatesByItself(key)) throw unsupported(key);
  const rotation = key.deletionAt === undefined ? key.rotation : undefined;
  return {
    KeyId: key.id,
    KeyRotationEnabled: rotation !== undefined,
    RotationPeriodInDays: rotation?.everyDays,
    NextRotationDate: rotation && seconds(rotation.nextAt),
  };
}

function rotatableKey(call: Call): Key {
  const key = callKey(call, needText(call.input, 'KeyId'), 'latest');
  if (!rotatesByItself(key)) throw unsupported(key);
  const error = unusable(key, call.now);
  if (error) throw error;
  return key;
}

function EnableKeyRotation(call: Call) {
  const key = rotatableKey(call);
  const everyDays = whole(call.input, 'RotationPeriodInDays', 90, 2560) ?? key.rotation?.everyDays ?? 365;
  saveKey(call, { ...key, rotation: { everyDays, nextAt: call.now + everyDays * DAY_MS } });
  return {};
}

function DisableKeyRotation(call: Call) {
  saveKey(call, { ...rotatableKey(call), rotation: undefined });
  return {};
}

function RotateKeyOnDemand(call: Call) {
  const key = callKey(call, needText(call.input, 'KeyId'), 'latest');
  if (key.spec !== 'SYMMETRIC_DEFAULT' || (key.origin !== 'AWS_KMS' && key.origin !== 'EXTERNAL'))
    throw unsupported(key);
  const error = unusable(key, call.now);
  if (error) throw error;
  if (key.onDemandRotations >= MAX_ON_DEMAND) {
    throw kmsError(
      'LimitExceededException',
      `The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be performed for this key: ${key.arn}`,
    );
  }
  rotateKey(call, { ...key, onDemandRotations: key.onDemandRotations + 1 }, 'ON_DEMAND');
  return { KeyId: key.arn };
}

function ListKeyRotations(call: Call) {
  const key = callKey(call, needText(call.input, 'KeyId'));
  if (key.account !== call.account) throw unsupported(key);
  if (key.spec !== 'SYMMETRIC_DEFAULT' || keyState(key, call.now) === 'Creating') throw unsupported(key);
  const all = oneOf(call.input, 'IncludeKeyMaterial', ['ALL_KEY_MATERIAL', 'ROTATIONS_ONLY']) === 'ALL_KEY_MATERIAL';
  const limit = whole(call.input, 'Limit', 1, 1000) ?? 100;
  const shown = new Map(
    key.materials
      .filter((material) => all || material.rotatedAt !== undefined)
      .map((material) => [material.id, material]),
  );
  const { ids, rest } = pageOf(call, () => [...shown.keys()], limit, key.id);
  const rotations = ids.map((id) => shown.get(id)).filter((material) => material !== undefined);
  return { Rotations: rotations.map((material) => rotationEntry(key, material, call.now)), ...rest };
}
