import type { KeyFacts } from '../../../core/model.ts';
import type { KeyReason } from '../../../core/reasons.ts';
import { awsCommand } from '../arn.ts';
import { keyIdOf } from './facts.ts';

/** The exact command that undoes `reason` for this key, where one does. */
export function remedy(reason: KeyReason, facts: KeyFacts): string | undefined {
  switch (reason) {
    case 'disabled':
      return command(facts, 'enable-key');
    case 'pending_deletion':
      // Cancelled alone, the key stays disabled.
      return `${command(facts, 'cancel-key-deletion')} && ${command(facts, 'enable-key')}`;
    case 'pending_import':
      return importMaterial(facts);
    case 'store_unavailable': {
      const store = facts.attributes.customKeyStoreId;
      if (typeof store !== 'string') return undefined;
      return awsCommand(facts.location, 'kms', 'connect-custom-key-store', '--custom-key-store-id', store);
    }
    default:
      return undefined;
  }
}

/** Puts the same material back: only that decrypts what was encrypted with it. */
export function importMaterial(facts: KeyFacts): string {
  const parameters = command(
    facts,
    'get-parameters-for-import',
    '--wrapping-algorithm',
    'RSAES_OAEP_SHA_256',
    '--wrapping-key-spec',
    'RSA_4096',
  );
  const imported = command(
    facts,
    'import-key-material',
    '--encrypted-key-material',
    'fileb://wrapped-material',
    '--import-token',
    'fileb://import-token',
    '--expiration-model',
    'KEY_MATERIAL_DOES_NOT_EXPIRE',
  );
  return `${parameters}, wrap the original material, then ${imported}`;
}

function command(facts: KeyFacts, name: string, ...options: readonly string[]): string {
  return awsCommand(facts.location, 'kms', name, '--key-id', keyIdOf(facts.resource), ...options);
}
