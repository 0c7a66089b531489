import { AwsError, secretsError } from '../errors.ts';
import { managedKey, resolveKey } from '../kms/lookup.ts';
import { type Key, unusable } from '../kms/state.ts';
import type { Call } from '../world.ts';
import { DEFAULT_KEY, type Secret, type Version } from './state.ts';

const DEFAULT_ALIAS = 'alias/aws/secretsmanager';

/** True for every form in which a secret can name the AWS managed key. */
function isDefault(kmsKeyId: string | undefined): boolean {
  return kmsKeyId === undefined || kmsKeyId === DEFAULT_ALIAS || kmsKeyId.endsWith(`:${DEFAULT_ALIAS}`);
}

function kmsRefused(): AwsError {
  return new AwsError('AccessDeniedException', 'Access to KMS is not allowed', 'Message');
}

function mayUse(call: Call, key: Key, action: string): boolean {
  if (call.caller === undefined) return true;
  if (key.account !== call.account && !key.policy.includes(call.account)) return false;
  return call.world.denial(call, action, [key.arn]) === undefined;
}

/**
 * The key that a value is encrypted under now, as ListSecretVersionIds names it. Throws EncryptionFailure when it cannot be
 * used and AccessDeniedException when the caller may not use it.
 */
export function encryptionKey(call: Call, kmsKeyId: string | undefined): string {
  if (isDefault(kmsKeyId) || kmsKeyId === undefined) {
    managedKey(call.world, call.store, DEFAULT_ALIAS, call.now);
    return DEFAULT_KEY;
  }
  const key = lookUp(call, kmsKeyId);
  if (key instanceof AwsError || unusable(key, call.now)) {
    throw secretsError(
      'EncryptionFailure',
      "Secrets Manager can't encrypt the protected secret text using the provided KMS key. Check that the KMS key is available, enabled, and not in an invalid state.",
    );
  }
  if (!mayUse(call, key, 'kms:GenerateDataKey')) throw kmsRefused();
  return key.arn;
}

/** Throws what GetSecretValue answers when no key of this version opens it: any one of them is enough. */
export function checkDecryptable(call: Call, secret: Secret, version: Version): void {
  if (version.keys.includes(DEFAULT_KEY)) {
    if (secret.account === call.account) return;
    throw secretsError(
      'InvalidRequestException',
      "You can't access a secret from a different AWS account if you encrypt the secret with the default KMS service key.",
    );
  }
  let failure: AwsError | undefined;
  for (const keyId of version.keys) {
    failure = decryptFailure(call, keyId);
    if (!failure) return;
  }
  if (failure) throw failure;
}

function decryptFailure(call: Call, keyId: string): AwsError | undefined {
  const key = lookUp(call, keyId);
  if (key instanceof AwsError) return nested(call, key);
  // KMS decides about access before it looks at the state of the key.
  if (!mayUse(call, key, 'kms:Decrypt')) return kmsRefused();
  const error = unusable(key, call.now);
  return error && nested(call, error);
}

function lookUp(call: Call, keyId: string): Key | AwsError {
  try {
    return resolveKey(call, keyId, 'latest');
  } catch (error) {
    if (error instanceof AwsError) return error;
    throw error;
  }
}

/** The text in which Secrets Manager wraps what KMS told it. */
function nested(call: Call, error: AwsError): AwsError {
  const details = `Service: AWSKMS; Status Code: 400; Error Code: ${error.code}; Request ID: ${call.requestId}; Proxy: null`;
  return secretsError(
    'DecryptionFailure',
    `Secrets Manager can't decrypt the secret value: ${error.message} (${details})`,
  );
}
