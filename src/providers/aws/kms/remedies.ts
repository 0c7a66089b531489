import type { KeyFacts } from '../../../core/model.ts';
import type { KeyReason } from '../../../core/reasons.ts';
import { awsCommand, parseArn } from '../arn.ts';
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
      const id = typeof store === 'string' ? store : 'CUSTOM_KEY_STORE_ID';
      const connect = awsCommand(facts.location, 'kms', 'connect-custom-key-store', '--custom-key-store-id', id);
      if (typeof store === 'string') return connect;
      return `${awsCommand(facts.location, 'kms', 'describe-custom-key-stores')} tells the store, then ${connect}`;
    }
    case 'not_found':
      return replicateAgain(facts);
    default:
      return undefined;
  }
}

/** A key that is gone stays gone, except for a replica: its primary key still has the same material. */
function replicateAgain({ attributes, location }: KeyFacts): string | undefined {
  const primary = typeof attributes.primaryKey === 'string' ? parseArn(attributes.primaryKey) : undefined;
  if (attributes.multiRegionType !== 'REPLICA' || !primary) return undefined;
  const words = ['--key-id', primary.resource.replace('key/', ''), '--replica-region', location];
  return awsCommand(primary.region, 'kms', 'replicate-key', ...words);
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
