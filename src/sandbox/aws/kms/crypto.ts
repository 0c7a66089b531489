import { createCipheriv, createDecipheriv, createHash } from 'node:crypto';
import { AwsError, kmsError } from '../errors.ts';
import { bytes, flag, needText, record, text, texts } from '../input.ts';
import type { Call, Operations } from '../world.ts';
import { callKey } from './lookup.ts';
import { isImported, type Key, unusable } from './state.ts';

/** Symmetric encryption under a key: real AES-GCM, so that damage and a wrong context are found as AWS finds them. */
export const cryptoOperations: Operations = { Encrypt, Decrypt };

const MAGIC = Buffer.from([1, 2, 2, 0, 120]);
const IV_BYTES = 12;
const TAG_BYTES = 16;

type Envelope = {
  readonly keyArn: string;
  readonly materialId: string;
  readonly iv: Buffer;
  readonly tag: Buffer;
  readonly data: Buffer;
};

/** AWS says nothing more about a ciphertext that it cannot open. */
function invalidCiphertext(): AwsError {
  return new AwsError('InvalidCiphertextException', '', 'none');
}

function dryRun(): AwsError {
  return kmsError('DryRunOperationException', 'The request would have succeeded, but the DryRun option is set.');
}

function usableKey(call: Call, keyId: string): Key {
  const key = callKey(call, keyId);
  const error = unusable(key, call.now);
  if (error) throw error;
  if (key.usage !== 'ENCRYPT_DECRYPT') {
    throw kmsError(
      'InvalidKeyUsageException',
      `${key.arn} key usage is ${key.usage} which is not valid for ${call.operation}.`,
    );
  }
  if (key.materials.length === 0) {
    throw kmsError('UnsupportedOperationException', 'The sandbox encrypts under symmetric keys of KMS only.');
  }
  return key;
}

function contextBytes(call: Call): Buffer {
  const context = record(call.input, 'EncryptionContext') ?? {};
  return Buffer.from(JSON.stringify(Object.entries(context).toSorted(([one], [other]) => (one < other ? -1 : 1))));
}

function cipherKey(keyId: string, materialId: string): Buffer {
  return createHash('sha256').update(`${keyId}/${materialId}`).digest();
}

function Encrypt(call: Call) {
  const key = usableKey(call, needText(call.input, 'KeyId'));
  const plaintext = bytes(call.input, 'Plaintext');
  if (!plaintext || plaintext.length === 0) throw kmsError('ValidationException', 'Plaintext must not be empty');
  if (flag(call.input, 'DryRun')) throw dryRun();
  const material = key.materials.find((candidate) => candidate.state === 'CURRENT');
  if (!material) throw kmsError('KMSInternalException', 'The key has no current material.');
  const iv = Buffer.from(call.world.random.hex(IV_BYTES * 2), 'hex');
  const cipher = createCipheriv('aes-256-gcm', cipherKey(key.id, material.id), iv).setAAD(contextBytes(call));
  const data = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  const arn = Buffer.from(key.arn);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(arn.length);
  const blob = Buffer.concat([MAGIC, length, arn, Buffer.from(material.id, 'hex'), iv, cipher.getAuthTag(), data]);
  return { CiphertextBlob: blob.toString('base64'), EncryptionAlgorithm: 'SYMMETRIC_DEFAULT', KeyId: key.arn };
}

function Decrypt(call: Call) {
  const { input } = call;
  const isDryRun = flag(input, 'DryRun');
  if (isDryRun && texts(input, 'DryRunModifiers')?.includes('IGNORE_CIPHERTEXT')) {
    usableKey(call, needText(input, 'KeyId'));
    throw dryRun();
  }
  const envelope = open(bytes(input, 'CiphertextBlob'));
  if (!envelope) throw invalidCiphertext();
  const key = usableKey(call, envelope.keyArn);
  const asked = text(input, 'KeyId');
  if (asked !== undefined && callKey(call, asked).id !== key.id) {
    throw kmsError(
      'IncorrectKeyException',
      'The key ID in the request does not identify a CMK that can perform this operation.',
    );
  }
  const material = key.materials.find((candidate) => candidate.id === envelope.materialId);
  if (!material || !isImported(material, call.now)) throw invalidCiphertext();
  const plaintext = decipher(key, envelope, contextBytes(call));
  if (isDryRun) throw dryRun();
  return {
    EncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
    KeyId: key.arn,
    KeyMaterialId: material.id,
    Plaintext: plaintext.toString('base64'),
  };
}

function open(blob: Buffer | undefined): Envelope | undefined {
  if (!blob?.subarray(0, MAGIC.length).equals(MAGIC) || blob.length < MAGIC.length + 2) return undefined;
  const start = MAGIC.length + 2 + blob.readUInt16BE(MAGIC.length);
  const keyArn = blob.subarray(MAGIC.length + 2, start).toString();
  if (blob.length < start + 32 + IV_BYTES + TAG_BYTES) return undefined;
  const iv = start + 32;
  const tag = iv + IV_BYTES;
  return {
    keyArn,
    materialId: blob.subarray(start, iv).toString('hex'),
    iv: blob.subarray(iv, tag),
    tag: blob.subarray(tag, tag + TAG_BYTES),
    data: blob.subarray(tag + TAG_BYTES),
  };
}

function decipher(key: Key, envelope: Envelope, context: Buffer): Buffer {
  try {
    const cipher = createDecipheriv('aes-256-gcm', cipherKey(key.id, envelope.materialId), envelope.iv);
    cipher.setAAD(context).setAuthTag(envelope.tag);
    return Buffer.concat([cipher.update(envelope.data), cipher.final()]);
  } catch {
    throw invalidCiphertext();
  }
}
