import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretVersionIdsCommand,
  PutSecretValueCommand,
} from '@aws-sdk/client-secrets-manager';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { AwsRegion } from '../../src/sandbox/aws/cloud.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { ACCOUNT, clientsOf, errorOf, REGION } from './clients.ts';

let sandbox: Sandbox;
let region: AwsRegion;
let secrets: ReturnType<typeof clientsOf>['secrets'];
let lead = 0;

beforeEach(async () => {
  lead = 0;
  sandbox = await startSandbox({ now: () => Date.now() + lead });
  region = sandbox.aws.account(ACCOUNT).region(REGION);
  ({ secrets } = clientsOf(sandbox, { maxAttempts: 3 }));
});
afterEach(() => sandbox[Symbol.asyncDispose]());

function read(SecretId: string) {
  return secrets.send(new GetSecretValueCommand({ SecretId }));
}

async function keysOf(SecretId: string) {
  const { Versions } = await secrets.send(new ListSecretVersionIdsCommand({ SecretId }));
  return Versions?.map((version) => version.KmsKeyIds);
}

test('a disabled key makes the secret undecryptable, with the documented text; enabling it brings the secret back', async () => {
  const { arn, keyId } = region.kms.createKey();
  region.secrets.create({ Name: 's', SecretString: 'x', KmsKeyId: keyId });
  region.kms.disable(keyId);
  const error = await errorOf(read('s'));
  expect(error).toMatchObject({ name: 'DecryptionFailure', status: 400 });
  expect(error.message).toMatch(
    new RegExp(
      `^Secrets Manager can't decrypt the secret value: ${arn} is disabled\\. \\(Service: AWSKMS; Status Code: 400; Error Code: DisabledException; Request ID: [0-9a-f-]{36}; Proxy: null\\)$`,
    ),
  );
  const write = errorOf(secrets.send(new PutSecretValueCommand({ SecretId: 's', SecretString: 'y' })));
  expect((await write).name).toBe('EncryptionFailure');
  region.kms.enable(keyId);
  expect((await read('s')).SecretString).toBe('x');
});

test.each([
  ['pending deletion', 'KMSInvalidStateException', (at: AwsRegion, id: string) => at.kms.scheduleDeletion(id, 7)],
  ['unavailable', 'KMSInvalidStateException', (at: AwsRegion, id: string) => at.kms.forceState(id, 'Unavailable')],
])('a key that is %s is named in the failure, with %s', async (words, code, harm) => {
  const { arn, keyId } = region.kms.createKey();
  region.secrets.create({ Name: 's', SecretString: 'x', KmsKeyId: arn });
  harm(region, keyId);
  const { name, message } = await errorOf(read('s'));
  expect(name).toBe('DecryptionFailure');
  expect(message).toContain(`${arn} is ${words}. `);
  expect(message).toContain(`Error Code: ${code};`);
});

test('a key that was deleted stays in the failure by its ARN', async () => {
  const { arn, keyId } = region.kms.createKey();
  region.secrets.create({ Name: 's', SecretString: 'x', KmsKeyId: keyId });
  region.kms.scheduleDeletion(keyId, 7);
  lead = 9 * 86_400_000;
  expect((await errorOf(read('s'))).message).toContain(`Key '${arn}' does not exist (Service: AWSKMS`);
});

test('after a change of key a version can be opened by the old key or the new one', async () => {
  const [one, two] = [region.kms.createKey(), region.kms.createKey()];
  const { versionId } = region.secrets.create({ Name: 's', SecretString: 'x', KmsKeyId: one.keyId });
  region.secrets.update('s', { KmsKeyId: two.arn });
  expect(await keysOf('s')).toEqual([[one.arn, two.arn]]);
  const described = await secrets.send(new DescribeSecretCommand({ SecretId: 's' }));
  expect(described).toMatchObject({ KmsKeyId: two.arn, VersionIdsToStages: { [versionId]: ['AWSCURRENT'] } });
  region.kms.disable(two.keyId);
  expect((await read('s')).SecretString).toBe('x');
  region.kms.disable(one.keyId);
  expect((await errorOf(read('s'))).name).toBe('DecryptionFailure');
});

test('re-pointing an alias does not move a version to the new key', async () => {
  const [one, two] = [region.kms.createKey(), region.kms.createKey()];
  region.kms.alias('alias/app', one.keyId);
  region.secrets.create({ Name: 's', SecretString: 'x', KmsKeyId: 'alias/app' });
  region.kms.alias('alias/app', two.keyId);
  expect(await keysOf('s')).toEqual([[one.arn]]);
  expect((await secrets.send(new DescribeSecretCommand({ SecretId: 's' }))).KmsKeyId).toBe('alias/app');
  region.kms.disable(one.keyId);
  expect((await errorOf(read('s'))).message).toContain(`${one.arn} is disabled.`);
  region.kms.enable(one.keyId);
  region.secrets.putValue('s', 'y');
  expect(await keysOf('s')).toEqual([[one.arn], [two.arn]]);
});

test('the default key is a word in the list of versions and absent from the description, unless it was given by name', async () => {
  region.secrets.create({ Name: 'plain', SecretString: 'x' });
  region.secrets.create({ Name: 'named', SecretString: 'x', KmsKeyId: 'alias/aws/secretsmanager' });
  expect(await keysOf('plain')).toEqual([['DefaultEncryptionKey']]);
  expect(await keysOf('named')).toEqual([['DefaultEncryptionKey']]);
  expect((await secrets.send(new DescribeSecretCommand({ SecretId: 'named' }))).KmsKeyId).toBe(
    'alias/aws/secretsmanager',
  );
});

test('a caller who may read the secret but not use its key is told so, whatever the state of the key', async () => {
  const { arn, keyId } = region.kms.createKey();
  region.secrets.create({ Name: 's', SecretString: 'x', KmsKeyId: keyId });
  sandbox.aws.deny({ account: ACCOUNT, action: 'kms:Decrypt', resource: arn });
  region.kms.disable(keyId);
  expect(await errorOf(read('s'))).toMatchObject({
    name: 'AccessDeniedException',
    message: 'Access to KMS is not allowed',
    status: 400,
  });
});

test('a key of another account serves a secret when its policy names the account', async () => {
  const foreign = sandbox.aws.account('444455556666').region(REGION).kms;
  const closed = foreign.createKey();
  const open = foreign.createKey({ Policy: JSON.stringify({ Principal: { AWS: ACCOUNT } }) });
  region.secrets.create({ Name: 'open', SecretString: 'x', KmsKeyId: open.arn });
  region.secrets.create({ Name: 'closed', SecretString: 'x', KmsKeyId: closed.arn });
  expect((await read('open')).SecretString).toBe('x');
  expect((await errorOf(read('closed'))).message).toBe('Access to KMS is not allowed');
  foreign.disable(open.keyId);
  expect((await errorOf(read('open'))).name).toBe('DecryptionFailure');
});
