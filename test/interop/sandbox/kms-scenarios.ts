import { constants, createPublicKey, publicEncrypt } from 'node:crypto';
import type { Scenario, Setting } from './secrets-scenarios.ts';
import type { Answer, Ask } from './wire.ts';

type Metadata = { readonly KeyId: string; readonly Arn: string };

async function newKey(ask: Ask, input: object = {}): Promise<Metadata> {
  return ((await ask('CreateKey', input)).body as { KeyMetadata: Metadata }).KeyMetadata;
}

async function importMaterial(ask: Ask, KeyId: string, fill: number, more: object = {}): Promise<Answer> {
  const wrapping = { KeyId, WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' };
  const parameters = (await ask('GetParametersForImport', wrapping)).body as { PublicKey: string; ImportToken: string };
  const key = createPublicKey({ key: Buffer.from(parameters.PublicKey, 'base64'), format: 'der', type: 'spki' });
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  return await ask('ImportKeyMaterial', {
    KeyId,
    ImportToken: Buffer.from(parameters.ImportToken, 'base64'),
    EncryptedKeyMaterial: publicEncrypt({ key, padding, oaepHash: 'sha256' }, Buffer.alloc(32, fill)),
    ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
    ...more,
  });
}

const plaintext = Buffer.from('hello');
const YEAR_MS = 365 * 86_400_000;

/** How to bring the sandbox into the state of each recording of KMS, and what to ask then, in the order of its exchanges. */
export const kmsScenarios: Readonly<Record<string, Scenario>> = {
  'kms-aliases-encrypt-bad-ciphertext': async ({ ask }) => {
    const { KeyId } = await newKey(ask);
    await ask('CreateAlias', { AliasName: 'alias/test-secrets', TargetKeyId: KeyId });
    await ask('CreateSecret', { Name: 's', SecretString: 'x' });
    const aliases = await ask('ListAliases');
    const sealed = await ask('Encrypt', { KeyId: 'alias/test-secrets', Plaintext: plaintext });
    const blob = Buffer.from((sealed.body as { CiphertextBlob: string }).CiphertextBlob, 'base64');
    blob[0] = (blob[0] ?? 0) ^ 3;
    return [aliases, sealed, await ask('Decrypt', { CiphertextBlob: blob })];
  },
  'kms-describe-access-denied': async ({ ask, sandbox, account }) => {
    const [closed, open] = [await newKey(ask), await newKey(ask, { Description: 'permissive' })];
    sandbox.aws.deny({ account, action: 'kms:DescribeKey', resource: closed.Arn, because: '' });
    return [await ask('DescribeKey', { KeyId: closed.KeyId }), await ask('DescribeKey', { KeyId: open.KeyId })];
  },
  'kms-describe-and-rotations': async ({ ask, clock }) => {
    const { KeyId } = await newKey(ask);
    await ask('DescribeKey', { KeyId: 'alias/aws/ebs' });
    clock.lead = 2 * YEAR_MS + 86_400_000;
    const answers: Answer[] = [];
    for (const id of [KeyId, 'alias/aws/ebs']) {
      answers.push(await ask('DescribeKey', { KeyId: id }), await ask('ListKeyRotations', { KeyId: id }));
    }
    return answers;
  },
  'kms-disable-and-schedule-deletion': async ({ ask }) => {
    const created = await ask('CreateKey', { Description: 'test-cross-account-3' });
    const { KeyId } = (created.body as { KeyMetadata: Metadata }).KeyMetadata;
    const disabled = await ask('DisableKey', { KeyId });
    return [created, disabled, await ask('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 })];
  },
  'kms-disabled-dry-run-and-context-errors': async ({ ask }) => {
    const [off, on, other] = [await newKey(ask), await newKey(ask), await newKey(ask)];
    await ask('DisableKey', { KeyId: off.KeyId });
    const EncryptionContext = { purpose: 'test' };
    const rotated = await ask('RotateKeyOnDemand', { KeyId: off.KeyId });
    const dry = await ask('Encrypt', { KeyId: on.KeyId, Plaintext: plaintext, DryRun: true });
    const sealed = await ask('Encrypt', { KeyId: on.KeyId, Plaintext: plaintext, EncryptionContext });
    const CiphertextBlob = Buffer.from((sealed.body as { CiphertextBlob: string }).CiphertextBlob, 'base64');
    const opened = await ask('Decrypt', { CiphertextBlob, EncryptionContext });
    const without = await ask('Decrypt', { CiphertextBlob });
    const wrong = await ask('Decrypt', { CiphertextBlob, EncryptionContext, KeyId: other.KeyId });
    return [rotated, dry, sealed, opened, without, wrong];
  },
  'kms-external-key-rotated': async ({ ask }) => {
    const { KeyId } = await newKey(ask, { Origin: 'EXTERNAL', Description: 'test-key' });
    const look = () => ask('DescribeKey', { KeyId });
    const answers = [await look()];
    answers.push(await importMaterial(ask, KeyId, 1), await look());
    answers.push(await importMaterial(ask, KeyId, 2, { ImportType: 'NEW_KEY_MATERIAL' }), await look());
    answers.push(await ask('RotateKeyOnDemand', { KeyId }), await look());
    return answers;
  },
  'kms-imported-material-deleted': async ({ ask }) => {
    const { KeyId } = await newKey(ask, { Origin: 'EXTERNAL' });
    const look = () => ask('DescribeKey', { KeyId });
    const encrypt = () => ask('Encrypt', { KeyId, Plaintext: plaintext });
    const answers = [await encrypt(), await look()];
    await importMaterial(ask, KeyId, 1);
    answers.push(await look());
    await ask('DeleteImportedKeyMaterial', { KeyId });
    answers.push(await look(), await encrypt());
    return answers;
  },
  'kms-not-found-texts': async ({ ask, account, region }) => {
    const none = '00000000-0000-4000-8000-000000000000';
    const far = ((await ask('CreateKey', {}, 'us-west-2')).body as { KeyMetadata: Metadata }).KeyMetadata;
    const ids = [
      none,
      `arn:aws:kms:${region}:${account}:key/${none}`,
      'fake-key-id',
      'mrk-fake-key-id',
      far.KeyId,
      far.Arn,
    ];
    const answers: Answer[] = [];
    for (const KeyId of ids) answers.push(await ask('DescribeKey', { KeyId }));
    return [...answers, await ask('DescribeKey', { KeyId: far.Arn }, 'us-west-2')];
  },
  'kms-on-demand-rotation': async ({ ask, sandbox, account, region }) => {
    const { KeyId } = await newKey(ask);
    const before = await ask('DescribeKey', { KeyId });
    await ask('RotateKeyOnDemand', { KeyId });
    const after = await ask('DescribeKey', { KeyId });
    await ask('EnableKeyRotation', { KeyId, RotationPeriodInDays: 90 });
    const status = await ask('GetKeyRotationStatus', { KeyId });
    for (let n = 1; n < 25; n += 1) sandbox.aws.account(account).region(region).kms.rotate(KeyId);
    return [before, after, status, await ask('RotateKeyOnDemand', { KeyId })];
  },
  'kms-pending-import-no-rotation-status': async ({ ask }) => {
    const { KeyId } = await newKey(ask, { Origin: 'EXTERNAL' });
    return [await ask('DescribeKey', { KeyId }), await ask('GetKeyRotationStatus', { KeyId })];
  },
  'kms-replica-creating': async ({ ask, clock }: Setting) => {
    const { KeyId } = await newKey(ask, { MultiRegion: true });
    const early = await ask('DescribeKey', { KeyId }, 'ap-southeast-1');
    const replicated = await ask('ReplicateKey', { KeyId, ReplicaRegion: 'ap-southeast-1' });
    clock.lead = 3_000;
    return [
      early,
      replicated,
      await ask('DescribeKey', { KeyId }),
      await ask('DescribeKey', { KeyId }, 'ap-southeast-1'),
    ];
  },
  'kms-rotations-denied-on-managed-key': async ({ ask, sandbox, account }) => {
    const because = 'no resource-based policy allows the kms:ListKeyRotations action';
    sandbox.aws.deny({ account, action: 'kms:ListKeyRotations', because });
    const KeyId = 'alias/aws/acm';
    return [await ask('DescribeKey', { KeyId }), await ask('ListKeyRotations', { KeyId })];
  },
};
