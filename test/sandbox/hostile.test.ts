import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AwsError } from '../../src/sandbox/aws/errors.ts';
import { startSandbox } from '../../src/sandbox/sandbox.ts';
import { ACCOUNT, REGION } from './clients.ts';

const FIELDS = [
  ...['SecretId', 'KeyId', 'Name', 'SecretString', 'SecretBinary', 'ClientRequestToken', 'VersionId', 'VersionStage'],
  ...[
    'VersionStages',
    'KmsKeyId',
    'Tags',
    'TagKeys',
    'Filters',
    'MaxResults',
    'NextToken',
    'Limit',
    'Marker',
    'SortBy',
  ],
  ...['SecretIdList', 'AddReplicaRegions', 'RemoveReplicaRegions', 'RotationRules', 'RotationLambdaARN', 'Origin'],
  ...['RecoveryWindowInDays', 'ForceDeleteWithoutRecovery', 'MoveToVersionId', 'RemoveFromVersionId', 'AliasName'],
  ...[
    'TargetKeyId',
    'CiphertextBlob',
    'Plaintext',
    'EncryptionContext',
    'ImportToken',
    'EncryptedKeyMaterial',
    'ValidTo',
  ],
  ...['PendingWindowInDays', 'KeySpec', 'KeyUsage', 'MultiRegion', 'ReplicaRegion', 'ResourcePolicy', 'DryRun'],
];

test('no input makes an operation fail in any other way than AWS fails', async () => {
  await using sandbox = await startSandbox();
  const region = sandbox.aws.account(ACCOUNT).region(REGION);
  const { arn } = region.secrets.create({ Name: 's', SecretString: 'x' });
  const { keyId } = region.kms.createKey();
  const flowArn = region.mediaConnect.createFlow({ name: 'f', source: { name: 's' } });
  const project = region.codeBuild.createProject({ name: 'p1' });
  const models: Record<string, { call: (operation: string, input: Readonly<Record<string, unknown>>) => unknown }> = {
    secretsmanager: region.secrets,
    kms: region.kms,
    mediaconnect: region.mediaConnect,
    codebuild: region.codeBuild,
  };
  const value = fc.oneof(
    fc.constantFrom<unknown>(
      flowArn,
      project,
      's',
      arn,
      keyId,
      'alias/a',
      'arn:',
      'arn:aws:kms',
      'constructor',
      '__proto__',
      '',
      0,
      -1,
      true,
    ),
    fc.constantFrom<unknown>(
      [{ Key: 'constructor', Values: ['a'] }],
      [{ Key: 'name', Values: 5 }],
      [{ Region: REGION }],
    ),
    fc.jsonValue({ maxDepth: 2 }),
  );
  const named = fc.record(
    { SecretId: fc.constantFrom(arn, 's'), KeyId: fc.constantFrom(keyId, 'x') },
    { requiredKeys: [] },
  );
  const input = fc.tuple(fc.dictionary(fc.constantFrom(...FIELDS), value), named);
  const operation = fc.constantFrom(...sandbox.aws.operations.filter((name) => !name.startsWith('sts:')));
  fc.assert(
    fc.property(operation, input, (name, [fields, target]) => {
      const [service, run = ''] = name.split(':');
      const model = models[service ?? ''];
      if (!model) throw new Error(`no model of ${service}`);
      try {
        JSON.stringify(model.call(run, { ...fields, ...target }));
      } catch (error) {
        expect(error).toBeInstanceOf(AwsError);
      }
    }),
    { numRuns: 5_000, seed: 1 },
  );
});
