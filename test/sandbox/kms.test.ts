import { constants, createPublicKey, publicEncrypt } from 'node:crypto';
import {
  CancelKeyDeletionCommand,
  CreateAliasCommand,
  CreateKeyCommand,
  DecryptCommand,
  DeleteAliasCommand,
  DeleteImportedKeyMaterialCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  DisableKeyRotationCommand,
  EnableKeyCommand,
  EnableKeyRotationCommand,
  EncryptCommand,
  GetKeyPolicyCommand,
  GetKeyRotationStatusCommand,
  GetParametersForImportCommand,
  ImportKeyMaterialCommand,
  ListAliasesCommand,
  ListKeyRotationsCommand,
  ListResourceTagsCommand,
  paginateListKeys,
  ReplicateKeyCommand,
  RotateKeyOnDemandCommand,
  ScheduleKeyDeletionCommand,
  TagResourceCommand,
  UpdateAliasCommand,
} from '@aws-sdk/client-kms';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { KmsModel } from '../../src/sandbox/aws/models.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { ACCOUNT, clientsOf, errorOf, REGION } from './clients.ts';

let sandbox: Sandbox;
let model: KmsModel;
let kms: ReturnType<typeof clientsOf>['kms'];
let lead = 0;

beforeEach(async () => {
  lead = 0;
  sandbox = await startSandbox({ now: () => Date.now() + lead });
  model = sandbox.aws.account(ACCOUNT).region(REGION).kms;
  ({ kms } = clientsOf(sandbox, { maxAttempts: 3 }));
});
afterEach(() => sandbox[Symbol.asyncDispose]());

async function metadata(keyId: string) {
  return (await kms.send(new DescribeKeyCommand({ KeyId: keyId }))).KeyMetadata!;
}

describe('states', () => {
  test('disabled, enabled, pending deletion, cancelled but still disabled, gone', async () => {
    const { keyId, arn } = model.createKey({ Description: 'd' });
    expect(await metadata(arn)).toMatchObject({
      KeyState: 'Enabled',
      Enabled: true,
      Description: 'd',
      KeyManager: 'CUSTOMER',
    });
    await kms.send(new DisableKeyCommand({ KeyId: keyId }));
    expect(await metadata(keyId)).toMatchObject({ KeyState: 'Disabled', Enabled: false });
    await kms.send(new EnableKeyCommand({ KeyId: keyId }));
    const scheduled = await kms.send(new ScheduleKeyDeletionCommand({ KeyId: keyId, PendingWindowInDays: 7 }));
    expect(scheduled).toMatchObject({ KeyId: arn, KeyState: 'PendingDeletion', PendingWindowInDays: 7 });
    expect((await metadata(keyId)).DeletionDate).toEqual(scheduled.DeletionDate);
    expect((await errorOf(kms.send(new EnableKeyCommand({ KeyId: keyId })))).message).toBe(
      `${arn} is pending deletion.`,
    );
    await kms.send(new CancelKeyDeletionCommand({ KeyId: keyId }));
    expect(await metadata(keyId)).toMatchObject({ KeyState: 'Disabled' });
    expect((await metadata(keyId)).DeletionDate).toBeUndefined();
    model.scheduleDeletion(keyId, 7);
    lead = 9 * 86_400_000;
    expect(await errorOf(metadata(keyId))).toMatchObject({
      name: 'NotFoundException',
      message: `Key '${arn}' does not exist`,
      status: 400,
    });
  });

  test('a state that nobody knows, or that only custom key stores have, can be forced', async () => {
    const { keyId, arn } = model.createKey();
    model.forceState(keyId, 'Unavailable');
    expect(await metadata(keyId)).toMatchObject({ KeyState: 'Unavailable', Enabled: false });
    const encrypt = new EncryptCommand({ KeyId: keyId, Plaintext: Buffer.from('x') });
    expect(await errorOf(kms.send(encrypt))).toMatchObject({
      name: 'KMSInvalidStateException',
      message: `${arn} is unavailable.`,
    });
    model.forceState(keyId, undefined);
    expect((await metadata(keyId)).KeyState).toBe('Enabled');
  });

  test('the texts of NotFoundException tell a lost key from a mistake of the caller', async () => {
    const far = sandbox.aws.account(ACCOUNT).region('us-east-1').kms.createKey();
    const here = `arn:aws:kms:${REGION}:${ACCOUNT}:key/${far.keyId}`;
    expect((await errorOf(metadata(far.keyId))).message).toBe(`Key '${here}' does not exist`);
    expect((await errorOf(metadata(far.arn))).message).toBe('Invalid arn us-east-1');
    expect((await errorOf(metadata('fake'))).message).toBe("Invalid keyId 'fake'");
    expect((await errorOf(metadata('alias/none'))).message).toBe(
      `Alias arn:aws:kms:${REGION}:${ACCOUNT}:alias/none is not found.`,
    );
  });

  test('a multi-Region primary waits for its replicas before its own deletion', async () => {
    const { keyId } = model.createKey({ MultiRegion: true });
    const created = await kms.send(new ReplicateKeyCommand({ KeyId: keyId, ReplicaRegion: 'us-east-1' }));
    expect(created.ReplicaKeyMetadata).toMatchObject({ KeyState: 'Creating', Enabled: false });
    expect(created.ReplicaKeyMetadata?.CurrentKeyMaterialId).toBeUndefined();
    const far = sandbox.aws.account(ACCOUNT).region('us-east-1').kms;
    lead = 3000;
    expect(far.describe(keyId)).toMatchObject({
      KeyState: 'Enabled',
      MultiRegionConfiguration: { MultiRegionKeyType: 'REPLICA' },
    });
    expect(far.describe(keyId).CurrentKeyMaterialId).toBe((await metadata(keyId)).CurrentKeyMaterialId);
    model.scheduleDeletion(keyId, 7);
    expect(await metadata(keyId)).toMatchObject({ KeyState: 'PendingReplicaDeletion', PendingDeletionWindowInDays: 7 });
    far.scheduleDeletion(keyId, 7);
    lead = 9 * 86_400_000;
    expect(await metadata(keyId)).toMatchObject({ KeyState: 'PendingDeletion' });
  });
});

describe('aliases', () => {
  test('an alias can be re-pointed and deleted; aliases of unused services have no target', async () => {
    const [one, two] = [model.createKey(), model.createKey()];
    await kms.send(new CreateAliasCommand({ AliasName: 'alias/app', TargetKeyId: one.keyId }));
    expect((await metadata('alias/app')).KeyId).toBe(one.keyId);
    await kms.send(new UpdateAliasCommand({ AliasName: 'alias/app', TargetKeyId: two.keyId }));
    expect((await metadata(`arn:aws:kms:${REGION}:${ACCOUNT}:alias/app`)).KeyId).toBe(two.keyId);
    const listed = await kms.send(new ListAliasesCommand({ KeyId: two.keyId }));
    expect(listed.Aliases?.map((alias) => alias.AliasName)).toEqual(['alias/app']);
    await kms.send(new DeleteAliasCommand({ AliasName: 'alias/app' }));
    const all = (await kms.send(new ListAliasesCommand({}))).Aliases ?? [];
    expect(all.find((alias) => alias.AliasName === 'alias/aws/secretsmanager')?.TargetKeyId).toBeUndefined();
    expect(await metadata('alias/aws/secretsmanager')).toMatchObject({ KeyManager: 'AWS' });
    const after = (await kms.send(new ListAliasesCommand({}))).Aliases ?? [];
    expect(after.find((alias) => alias.AliasName === 'alias/aws/secretsmanager')?.TargetKeyId).toBeDefined();
  });

  test('names of AWS cannot be taken', async () => {
    const { keyId } = model.createKey();
    const create = (name: string) => errorOf(kms.send(new CreateAliasCommand({ AliasName: name, TargetKeyId: keyId })));
    expect((await create('alias/aws/mine')).name).toBe('NotAuthorizedException');
    expect((await create('mine')).name).toBe('InvalidAliasNameException');
    model.alias('alias/mine', keyId);
    expect((await create('alias/mine')).name).toBe('AlreadyExistsException');
  });
});

describe('rotation', () => {
  test('on demand: the material changes, key id and ARN stay, the first material is not a rotation', async () => {
    const { keyId, arn } = model.createKey();
    const before = (await metadata(keyId)).CurrentKeyMaterialId;
    expect((await kms.send(new ListKeyRotationsCommand({ KeyId: keyId }))).Rotations).toEqual([]);
    await kms.send(new RotateKeyOnDemandCommand({ KeyId: keyId }));
    const after = await metadata(keyId);
    expect(after).toMatchObject({ KeyId: keyId, Arn: arn });
    expect(after.CurrentKeyMaterialId).not.toBe(before);
    const { Rotations } = await kms.send(new ListKeyRotationsCommand({ KeyId: keyId }));
    expect(Rotations).toMatchObject([
      { KeyId: arn, KeyMaterialId: after.CurrentKeyMaterialId, KeyMaterialState: 'CURRENT', RotationType: 'ON_DEMAND' },
    ]);
    const all = await kms.send(new ListKeyRotationsCommand({ KeyId: keyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL' }));
    expect(all.Rotations?.map((rotation) => rotation.KeyMaterialState)).toEqual(['NON_CURRENT', 'CURRENT']);
    for (let n = 1; n < 25; n += 1) model.rotate(keyId);
    // The SDK retries this one though it is final.
    const once = clientsOf(sandbox).kms;
    expect((await errorOf(once.send(new RotateKeyOnDemandCommand({ KeyId: keyId })))).name).toBe(
      'LimitExceededException',
    );
    const page = await kms.send(new ListKeyRotationsCommand({ KeyId: keyId, Limit: 20 }));
    expect([page.Rotations?.length, page.Truncated]).toEqual([20, true]);
    const rest = await kms.send(new ListKeyRotationsCommand({ KeyId: keyId, Limit: 20, Marker: page.NextMarker }));
    expect([rest.Rotations?.length, rest.Truncated]).toEqual([5, false]);
  });

  test('automatic: period and next date, and the rotation happens when the date passes', async () => {
    const { keyId } = model.createKey();
    const status = () => kms.send(new GetKeyRotationStatusCommand({ KeyId: keyId }));
    expect(await status()).toMatchObject({ KeyRotationEnabled: false });
    await kms.send(new EnableKeyRotationCommand({ KeyId: keyId, RotationPeriodInDays: 90 }));
    expect(await status()).toMatchObject({ KeyRotationEnabled: true, RotationPeriodInDays: 90 });
    const before = (await metadata(keyId)).CurrentKeyMaterialId;
    lead = 91 * 86_400_000;
    expect((await metadata(keyId)).CurrentKeyMaterialId).not.toBe(before);
    const { Rotations } = await kms.send(new ListKeyRotationsCommand({ KeyId: keyId }));
    expect(Rotations?.map((rotation) => rotation.RotationType)).toEqual(['AUTOMATIC']);
    await kms.send(new DisableKeyRotationCommand({ KeyId: keyId }));
    expect(await status()).toMatchObject({ KeyRotationEnabled: false });
  });

  test('keys that cannot rotate say so', async () => {
    const rsa = model.createKey({ KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' });
    expect((await metadata(rsa.keyId)).CurrentKeyMaterialId).toBeUndefined();
    const status = new GetKeyRotationStatusCommand({ KeyId: rsa.keyId });
    expect((await errorOf(kms.send(status))).name).toBe('UnsupportedOperationException');
    const off = model.createKey();
    model.disable(off.keyId);
    const rotate = new RotateKeyOnDemandCommand({ KeyId: off.keyId });
    expect(await errorOf(kms.send(rotate))).toMatchObject({
      name: 'DisabledException',
      message: `${off.arn} is disabled.`,
    });
  });
});

describe('imported material', () => {
  async function importMaterial(keyId: string, fill: number, more: object = {}) {
    const parameters = await kms.send(
      new GetParametersForImportCommand({
        KeyId: keyId,
        WrappingAlgorithm: 'RSAES_OAEP_SHA_256',
        WrappingKeySpec: 'RSA_2048',
      }),
    );
    const key = createPublicKey({ key: Buffer.from(parameters.PublicKey!), format: 'der', type: 'spki' });
    const wrapping = { key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' };
    return await kms.send(
      new ImportKeyMaterialCommand({
        KeyId: keyId,
        ImportToken: parameters.ImportToken,
        EncryptedKeyMaterial: publicEncrypt(wrapping, Buffer.alloc(32, fill)),
        ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
        ...more,
      }),
    );
  }

  test('import, new material, rotation, deletion: the id changes only by rotation and outlives the material', async () => {
    const { keyId, arn } = model.createKey({ Origin: 'EXTERNAL' });
    expect(await metadata(keyId)).toMatchObject({ KeyState: 'PendingImport', Enabled: false });
    const first = await importMaterial(keyId, 1);
    expect(await metadata(keyId)).toMatchObject({ KeyState: 'Enabled', CurrentKeyMaterialId: first.KeyMaterialId });
    const second = await importMaterial(keyId, 2, { ImportType: 'NEW_KEY_MATERIAL' });
    expect((await metadata(keyId)).CurrentKeyMaterialId).toBe(first.KeyMaterialId);
    await kms.send(new RotateKeyOnDemandCommand({ KeyId: keyId }));
    expect((await metadata(keyId)).CurrentKeyMaterialId).toBe(second.KeyMaterialId);
    await kms.send(new DeleteImportedKeyMaterialCommand({ KeyId: keyId }));
    const lost = await metadata(keyId);
    expect(lost).toMatchObject({ KeyState: 'PendingImport', CurrentKeyMaterialId: second.KeyMaterialId });
    expect(lost.ExpirationModel).toBeUndefined();
    const status = new GetKeyRotationStatusCommand({ KeyId: keyId });
    expect(await errorOf(kms.send(status))).toMatchObject({
      name: 'UnsupportedOperationException',
      message: `${arn} origin is EXTERNAL which is not valid for this operation.`,
    });
    expect((await errorOf(importMaterial(keyId, 3))).name).toBe('IncorrectKeyMaterialException');
  });

  test('material that expires makes the key unusable on its date', async () => {
    const { keyId } = model.createKey({ Origin: 'EXTERNAL' });
    const validTo = new Date(Math.floor(Date.now() / 1000) * 1000 + 86_400_000);
    await importMaterial(keyId, 1, { ExpirationModel: 'KEY_MATERIAL_EXPIRES', ValidTo: validTo });
    expect(await metadata(keyId)).toMatchObject({ ExpirationModel: 'KEY_MATERIAL_EXPIRES', ValidTo: validTo });
    lead = 86_400_000 + 2000;
    expect(await metadata(keyId)).toMatchObject({ KeyState: 'PendingImport' });
    const { Rotations } = await kms.send(
      new ListKeyRotationsCommand({ KeyId: keyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL' }),
    );
    expect(Rotations).toMatchObject([{ ImportState: 'PENDING_IMPORT', KeyMaterialState: 'CURRENT' }]);
  });
});

describe('encryption', () => {
  test('what was encrypted is decrypted after a rotation, with the right context only', async () => {
    const { keyId, arn } = model.createKey();
    const EncryptionContext = { SecretARN: 'a', SecretVersionId: 'b' };
    const { CiphertextBlob } = await kms.send(
      new EncryptCommand({ KeyId: keyId, Plaintext: Buffer.from('hello'), EncryptionContext }),
    );
    model.rotate(keyId);
    const plain = await kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext }));
    expect([Buffer.from(plain.Plaintext!).toString(), plain.KeyId]).toEqual(['hello', arn]);
    expect(await errorOf(kms.send(new DecryptCommand({ CiphertextBlob })))).toMatchObject({
      name: 'InvalidCiphertextException',
    });
    const damaged = Uint8Array.from(CiphertextBlob!, (byte, at) => (at === 0 ? byte + 1 : byte));
    expect((await errorOf(kms.send(new DecryptCommand({ CiphertextBlob: damaged })))).name).toBe(
      'InvalidCiphertextException',
    );
    const other = new DecryptCommand({ CiphertextBlob, EncryptionContext, KeyId: model.createKey().keyId });
    expect((await errorOf(kms.send(other))).name).toBe('IncorrectKeyException');
    model.disable(keyId);
    expect(await errorOf(kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext })))).toMatchObject({
      name: 'DisabledException',
      message: `${arn} is disabled.`,
    });
  });

  test('a dry run without ciphertext tells permission and state', async () => {
    const { keyId, arn } = model.createKey();
    const probe = () =>
      errorOf(kms.send(new DecryptCommand({ KeyId: keyId, DryRun: true, DryRunModifiers: ['IGNORE_CIPHERTEXT'] })));
    expect(await probe()).toMatchObject({
      name: 'DryRunOperationException',
      message: 'The request would have succeeded, but the DryRun option is set.',
      status: 400,
    });
    const denial = sandbox.aws.deny({ account: ACCOUNT, action: 'kms:Decrypt', resource: arn });
    expect(await probe()).toMatchObject({ name: 'AccessDeniedException' });
    denial.remove();
    model.disable(keyId);
    expect((await probe()).name).toBe('DisabledException');
  });
});

describe('lists and what belongs to a key', () => {
  test('keys come in pages, each once', async () => {
    const ids = Array.from({ length: 25 }, () => model.createKey().keyId);
    const seen: string[] = [];
    for await (const page of paginateListKeys({ client: kms, pageSize: 10 }, {})) {
      for (const key of page.Keys ?? []) seen.push(key.KeyId!);
    }
    expect(seen).toEqual(ids);
  });

  test('tags and the default policy are kept; a combination of spec and usage that does not exist is refused', async () => {
    const { keyId } = model.createKey({ Tags: [{ TagKey: 'team', TagValue: 'a' }] });
    await kms.send(new TagResourceCommand({ KeyId: keyId, Tags: [{ TagKey: 'team', TagValue: 'b' }] }));
    expect((await kms.send(new ListResourceTagsCommand({ KeyId: keyId }))).Tags).toEqual([
      { TagKey: 'team', TagValue: 'b' },
    ]);
    const { Policy } = await kms.send(new GetKeyPolicyCommand({ KeyId: keyId }));
    expect(JSON.parse(Policy!).Statement[0].Principal.AWS).toBe(`arn:aws:iam::${ACCOUNT}:root`);
    const odd = new CreateKeyCommand({ KeySpec: 'HMAC_256', KeyUsage: 'SIGN_VERIFY' });
    expect((await errorOf(kms.send(odd))).name).toBe('ValidationException');
  });
});
