import { constants, createHash, generateKeyPairSync, type KeyObject, privateDecrypt } from 'node:crypto';
import { kmsError } from '../errors.ts';
import { bytes, date, needText, oneOf, text } from '../input.ts';
import { type Call, type Operations, seconds } from '../world.ts';
import { callKey } from './lookup.ts';
import { DAY_MS, type Key, type Material, newMaterial, saveKey } from './state.ts';

/** Import, expiry and deletion of key material that AWS did not make. */
export function materialOperations(): Operations {
  let wrapping: { readonly publicKey: KeyObject; readonly privateKey: KeyObject } | undefined;

  /** Made on first use: most runs never import anything, and an RSA key takes a while. */
  function wrappingPair() {
    wrapping ??= generateKeyPairSync('rsa', { modulusLength: 2048 });
    return wrapping;
  }

  function GetParametersForImport(call: Call) {
    const key = externalKey(call);
    if (
      text(call.input, 'WrappingAlgorithm') !== 'RSAES_OAEP_SHA_256' ||
      text(call.input, 'WrappingKeySpec') !== 'RSA_2048'
    ) {
      throw kmsError(
        'UnsupportedOperationException',
        'The sandbox wraps key material with RSAES_OAEP_SHA_256 and RSA_2048 only.',
      );
    }
    return {
      KeyId: key.arn,
      ImportToken: importToken(key).toString('base64'),
      PublicKey: wrappingPair().publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
      ParametersValidTo: seconds(call.now + DAY_MS),
    };
  }

  function ImportKeyMaterial(call: Call) {
    const key = externalKey(call);
    if (!bytes(call.input, 'ImportToken')?.equals(importToken(key))) throw kmsError('InvalidImportTokenException', '');
    const imported = readMaterial(call, key, unwrap(bytes(call.input, 'EncryptedKeyMaterial')));
    saveKey(call, { ...key, materials: withMaterial(key, imported, isNew(call, key)) });
    return { KeyId: key.arn, KeyMaterialId: imported.id };
  }

  function unwrap(wrapped: Buffer | undefined): Buffer {
    try {
      return privateDecrypt(
        { key: wrappingPair().privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' },
        wrapped ?? Buffer.alloc(0),
      );
    } catch {
      throw kmsError('InvalidCiphertextException', '');
    }
  }

  return { GetParametersForImport, ImportKeyMaterial, DeleteImportedKeyMaterial };
}

function externalKey(call: Call): Key {
  const key = callKey(call, needText(call.input, 'KeyId'), 'latest');
  if (key.origin === 'EXTERNAL') return key;
  throw kmsError(
    'UnsupportedOperationException',
    `${key.arn} origin is ${key.origin} which is not valid for this operation.`,
  );
}

function importToken(key: Key): Buffer {
  return createHash('sha256').update(`import ${key.arn}`).digest();
}

/** The id of imported material follows from the material, so that importing the same again is recognised. */
function readMaterial(call: Call, key: Key, material: Buffer): Material {
  if (material.length !== 32) {
    throw kmsError('IncorrectKeyMaterialException', 'The key material must be 256 bits long.');
  }
  const expires = oneOf(call.input, 'ExpirationModel', ['KEY_MATERIAL_EXPIRES', 'KEY_MATERIAL_DOES_NOT_EXPIRE']);
  const validTo = date(call.input, 'ValidTo');
  const endless = expires === 'KEY_MATERIAL_DOES_NOT_EXPIRE';
  if (!endless && (validTo === undefined || validTo <= call.now)) {
    throw kmsError('ValidationException', 'ValidTo must be a time in the future when the key material expires.');
  }
  return {
    ...newMaterial(call.world, 'CURRENT'),
    id: createHash('sha256').update(key.id).update(material).digest('hex'),
    validTo: endless ? undefined : validTo,
    description: text(call.input, 'KeyMaterialDescription'),
  };
}

function isNew(call: Call, key: Key): boolean {
  const type = oneOf(call.input, 'ImportType', ['NEW_KEY_MATERIAL', 'EXISTING_KEY_MATERIAL']);
  return type === undefined ? key.materials.length === 0 : type === 'NEW_KEY_MATERIAL';
}

function withMaterial(key: Key, imported: Material, fresh: boolean): readonly Material[] {
  const known = key.materials.some((material) => material.id === imported.id);
  if (known) {
    return key.materials.map((material) =>
      material.id === imported.id ? { ...material, present: true, validTo: imported.validTo } : material,
    );
  }
  if (!fresh) {
    throw kmsError(
      'IncorrectKeyMaterialException',
      `The key material is not one that was imported into ${key.arn} before.`,
    );
  }
  if (key.materials.length === 0) return [imported];
  const kept = key.materials.filter((material) => material.state !== 'PENDING_ROTATION');
  return [...kept, { ...imported, state: 'PENDING_ROTATION' }];
}

function DeleteImportedKeyMaterial(call: Call) {
  const key = externalKey(call);
  const id = text(call.input, 'KeyMaterialId') ?? key.materials.find((material) => material.state === 'CURRENT')?.id;
  if (id !== undefined && !key.materials.some((material) => material.id === id)) {
    throw kmsError('NotFoundException', `Key material ${id} does not exist for ${key.arn}.`);
  }
  const materials = key.materials.map((material) =>
    material.id === id ? { ...material, present: false, validTo: undefined } : material,
  );
  saveKey(call, { ...key, materials });
  return { KeyId: key.arn, KeyMaterialId: id };
}
