/** What keyvigil makes of what was recorded of refusals. */
import { CryptographyClient } from '@azure/keyvault-keys';
import { expect } from 'vitest';
import { exchangeOf } from './recordings.ts';
import { byRbac, expectTokenOf, type Replay, type Story, verdictOf } from './replay.ts';

const VAULT = 'keyvault_name.vault.azure.net';

async function conflict({ failure, clients }: Replay): Promise<void> {
  const name = 'recoverKeyName-canrecoveradeletedkey-';
  const seen = await failure('PurgeDeletedKey', (options) => clients.keys(VAULT).purgeDeletedKey(name, options));
  expect(seen).toMatchObject({
    reason: 'transitional',
    evidence: { status: 409, code: 'ObjectIsBeingDeleted', message: 'Key is currently being deleted.' },
  });
  expect(verdictOf({ failure: seen })).toBe('unknown: transitional');
}

async function badCiphertext(replay: Replay): Promise<void> {
  const { clients, wire } = replay;
  // Whoever may not read a key asks the vault to encrypt; what may be read is encrypted by the client itself.
  const id = 'https://go-cdk.vault.azure.net/keys/test1';
  const key = new CryptographyClient(`${id}/`, clients.env.credential, { ...clients.env.client });
  replay.beside('GET', 'go-cdk.vault.azure.net', '/keys/test1', byRbac());
  const { body } = exchangeOf('key-decrypt-bad-ciphertext-400', 1).request as { body: { value: string } };
  const plaintext = Buffer.from(body.value, 'base64url');
  const encrypted = await replay.call('Encrypt', (options) =>
    key.encrypt({ algorithm: 'RSA-OAEP-256', plaintext }, options),
  );
  const ciphertext = Uint8Array.from(encrypted.result);
  ciphertext[0] = 70;
  const seen = await replay.failure('Decrypt', (options) =>
    key.decrypt({ algorithm: 'RSA-OAEP-256', ciphertext }, options),
  );
  expect(seen).toMatchObject({
    reason: 'bad_response',
    evidence: { status: 400, code: 'BadParameter', message: 'The parameter is incorrect.' },
  });
  expect(verdictOf({ failure: seen })).toBe('unknown: bad_response');
  const sent = wire.requests.filter(({ method }) => method === 'POST').map((request) => JSON.parse(request.body));
  const recorded = [1, 2].map((index) => exchangeOf('key-decrypt-bad-ciphertext-400', index).request.body);
  expect(sent).toEqual(recorded);
}

async function notFound(replay: Replay): Promise<void> {
  const name = 'CRUDKeyName-cantgetadeletedkeythatdoesntexist-';
  const seen = await replay.failure('DeleteKey', (options) => replay.clients.keys(VAULT).beginDeleteKey(name, options));
  expect(seen).toMatchObject({
    reason: 'not_found',
    evidence: { status: 404, code: 'KeyNotFound', requestId: '567f1e87-fe57-4d0b-ac22-804cbf51773f' },
  });
  expect(seen.evidence.message).toContain(`A key with (name/id) ${name} was not found in this key vault.`);
  expect(verdictOf({ failure: seen })).toBe('inaccessible: not_found');
  expect(seen).not.toHaveProperty('agreed');
  expectTokenOf(replay, '12345678-1234-1234-1234-123456789012');
}

async function disabledSecret(replay: Replay): Promise<void> {
  const [made, read] = [0, 1].map((index) => exchangeOf('secret-disabled-403', index));
  if (!made || !read) throw new Error('two exchanges were expected');
  expect(await replay.send(made)).toMatchObject({ attributes: { enabled: false } });
  const failure = await replay.failure('GetSecret', () => replay.send(read));
  // It speaks of the secret, which is disabled, not of the rights of whoever asks.
  expect(failure).toMatchObject({ reason: 'disabled', evidence: { status: 403, code: 'SecretDisabled' } });
  expect(failure.evidence.message).toBe('Operation get is not allowed on a disabled secret.');
  expect(verdictOf({ failure })).not.toBe('unknown: denied');
}

export const errorStories: Readonly<Record<string, Story>> = {
  'key-being-deleted-conflict': { says: 'a key that is being deleted is on its way, not lost', run: conflict },
  'key-decrypt-bad-ciphertext-400': { says: 'a damaged ciphertext says nothing of the key', run: badCiphertext },
  'key-not-found': { says: 'a missing key is not found, by the one witness that was asked', run: notFound },
  'secret-disabled-403': { says: 'a refusal of a disabled object is about the object', run: disabledSecret },
};
