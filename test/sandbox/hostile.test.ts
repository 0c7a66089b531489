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
  ...['flowArn', 'sourceArn', 'outputArn', 'entitlementArn', 'resourceArn', 'sources', 'outputs', 'entitlements'],
  ...['encryption', 'decryption', 'tags', 'tagKeys', 'maxResults', 'nextToken', 'subscribers', 'protocol', 'source'],
  ...['name', 'names', 'projectName', 'ids', 'environment', 'artifacts', 'cache', 'serviceRole', 'encryptionKey'],
  ...['buildspecOverride', 'environmentVariablesOverride', 'registryCredentialOverride', 'sortBy', 'sortOrder'],
  ...['PendingWindowInDays', 'KeySpec', 'KeyUsage', 'MultiRegion', 'ReplicaRegion', 'ResourcePolicy', 'DryRun'],
];

/** The field that a call does not know, if that is why it fails. Fails for every error that AWS would not answer. */
function failure(call: () => void): string | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(AwsError);
    return /^Unrecognized field: (\w+)$/.exec((error as AwsError).message)?.[1];
  }
}

test('no input makes an operation fail in any other way than AWS fails', async () => {
  await using sandbox = await startSandbox();
  const region = sandbox.aws.account(ACCOUNT).region(REGION);
  const { arn } = region.secrets.create({ Name: 's', SecretString: 'x' });
  const { keyId } = region.kms.createKey();
  const flowArn = region.mediaConnect.createFlow({ name: 'f', source: { name: 's' } });
  const project = region.codeBuild.createProject({ name: 'p1' });
  const api = region.apiGateway.create();
  sandbox.aws.account(ACCOUNT).iam.createRole('r', ['codebuild.amazonaws.com']);
  const models: Record<string, { call: (operation: string, input: Readonly<Record<string, unknown>>) => unknown }> = {
    secretsmanager: region.secrets,
    kms: region.kms,
    mediaconnect: region.mediaConnect,
    codebuild: region.codeBuild,
    apigateway: region.apiGateway,
    iam: sandbox.aws.account(ACCOUNT).iam,
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
      [{ name: 'o', encryption: { roleArn: 'constructor', secretArn: 'arn:' } }],
      [{ subscribers: [ACCOUNT], encryption: { roleArn: 'r', secretArn: arn, algorithm: 'aes128' } }],
      [{ name: 'V', value: 'arn:::::', type: 'SECRETS_MANAGER' }],
      { type: 'NO_SOURCE', buildspec: 'env:\n  secrets-manager: [__proto__]\n' },
    ),
    fc.jsonValue({ maxDepth: 2 }),
  );
  const named = fc.record(
    {
      SecretId: fc.constantFrom(arn, 's'),
      KeyId: fc.constantFrom(keyId, 'x'),
      flowArn: fc.constantFrom(flowArn, `${flowArn}x`),
      projectName: fc.constantFrom('p1', project),
      name: fc.constantFrom('p1', 'p2'),
      restApiId: fc.constantFrom(api.id, 'x'),
      stageName: fc.constantFrom('prod', 'x'),
      RoleName: fc.constantFrom('r', 'x'),
      PolicySourceArn: fc.constantFrom(`arn:aws:iam::${ACCOUNT}:role/r`, 'arn:aws:iam::x'),
    },
    { requiredKeys: [] },
  );
  const input = fc.tuple(fc.dictionary(fc.constantFrom(...FIELDS), value), named);
  const operation = fc.constantFrom(...sandbox.aws.operations.filter((name) => !name.startsWith('sts:')));
  fc.assert(
    fc.property(operation, input, (name, [fields, target]) => {
      const [service, run = ''] = name.split(':');
      const model = models[service ?? ''];
      if (!model) throw new Error(`no model of ${service}`);
      const given: Record<string, unknown> = { ...fields, ...target };
      // Services that refuse fields they do not know are asked again without them, or nothing else would be tried.
      for (;;) {
        const unknown = failure(() => JSON.stringify(model.call(run, given)));
        if (unknown === undefined) break;
        delete given[unknown];
      }
    }),
    { numRuns: 10_000, seed: 1 },
  );
});
