import type { Sandbox } from '../../../src/sandbox/sandbox.ts';
import type { Answer, Ask } from './wire.ts';

/** Where a scenario plays. Moving `clock.lead` (ms) moves the time of the sandbox. */
export type Setting = {
  readonly ask: Ask;
  readonly sandbox: Sandbox;
  readonly account: string;
  readonly region: string;
  readonly clock: { lead: number };
};

/** Answers in the order of the recording's exchanges. */
export type Scenario = (setting: Setting) => Promise<readonly Answer[]>;

type Named = { readonly ARN: string; readonly VersionId: string };

async function create(ask: Ask, input: object): Promise<Named> {
  return (await ask('CreateSecret', { SecretString: 'x', ...input })).body as Named;
}

async function keyArn(ask: Ask): Promise<string> {
  return ((await ask('CreateKey')).body as { KeyMetadata: { Arn: string } }).KeyMetadata.Arn;
}

function functionIn({ sandbox, account, region }: Setting, outcome: 'done' | 'stuck'): string {
  return sandbox.aws.account(account).region(region).rotationFunction(`test-${outcome}`, outcome);
}

/** A secret with a key of its own that was read and whose rotation is stuck. */
async function stuckSecret(setting: Setting): Promise<string> {
  const { ask } = setting;
  const { ARN } = await create(ask, { Name: 'test1', KmsKeyId: await keyArn(ask), Tags: [] });
  await ask('GetSecretValue', { SecretId: ARN });
  const rules = { AutomaticallyAfterDays: 30 };
  const RotationLambdaARN = functionIn(setting, 'stuck');
  await ask('RotateSecret', { SecretId: ARN, RotationLambdaARN, RotationRules: rules });
  return ARN;
}

async function replicatedSecret(ask: Ask): Promise<string> {
  const { ARN } = await create(ask, { Name: 'c7n', Tags: [] });
  await ask('ReplicateSecretToRegions', { SecretId: ARN, AddReplicaRegions: [{ Region: 'eu-west-1' }] });
  return ARN;
}

/** How to bring the sandbox into the state of each recording of Secrets Manager, and what to ask then. */
export const secretsScenarios: Readonly<Record<string, Scenario>> = {
  'secretsmanager-deleted-date-is-the-past': async (setting) => {
    const SecretId = await stuckSecret(setting);
    const look = () => setting.ask('DescribeSecret', { SecretId });
    const before = await look();
    const deleted = await setting.ask('DeleteSecret', { SecretId, RecoveryWindowInDays: 7 });
    return [before, deleted, await look()];
  },
  'secretsmanager-empty-secret': async ({ ask }) => [
    await ask('CreateSecret', { Name: 'empty' }),
    await ask('DescribeSecret', { SecretId: 'empty' }),
    await ask('PutSecretValue', { SecretId: 'empty', SecretString: 'x' }),
  ],
  'secretsmanager-key-as-alias': async ({ ask }) => {
    await ask('CreateAlias', { AliasName: 'alias/qewrqwer', TargetKeyId: await keyArn(ask) });
    const { ARN: SecretId } = await create(ask, { Name: 'e', KmsKeyId: 'alias/aws/secretsmanager', Tags: [] });
    const look = () => ask('DescribeSecret', { SecretId });
    return [await look(), await ask('UpdateSecret', { SecretId, KmsKeyId: 'alias/qewrqwer' }), await look()];
  },
  'secretsmanager-life-of-a-secret': async ({ ask, clock }) => {
    const SecretId = 'test-config-variable';
    const look = () => ask('DescribeSecret', { SecretId });
    const answers = [await ask('CreateSecret', { Name: SecretId, SecretBinary: Buffer.from('hello world') })];
    await ask('GetSecretValue', { SecretId });
    answers.push(await look());
    answers.push(await ask('PutSecretValue', { SecretId, SecretBinary: Buffer.from('goodbye world') }), await look());
    answers.push(await ask('DeleteSecret', { SecretId, ForceDeleteWithoutRecovery: true }));
    clock.lead = 2_000;
    answers.push(await look());
    clock.lead = 5_000;
    return [...answers, await look()];
  },
  'secretsmanager-list': async (setting) => {
    const { ask } = setting;
    await stuckSecret(setting);
    await create(ask, { Name: 'test_lambda_secret', KmsKeyId: await keyArn(ask), Tags: [] });
    await ask('GetSecretValue', { SecretId: 'test_lambda_secret' });
    await replicatedSecret(ask);
    return [await ask('ListSecrets')];
  },
  'secretsmanager-pending-becomes-current': async ({ ask }) => {
    const { ARN: SecretId, VersionId: first } = await create(ask, { Name: 's' });
    const list = () => ask('ListSecretVersionIds', { SecretId });
    const put = await ask('PutSecretValue', { SecretId, SecretString: 'y', VersionStages: ['AWSPENDING'] });
    const pending = await list();
    const MoveToVersionId = (put.body as Named).VersionId;
    const move = { SecretId, VersionStage: 'AWSCURRENT', RemoveFromVersionId: first, MoveToVersionId };
    const moved = await ask('UpdateSecretVersionStage', move);
    const current = await list();
    return [put, pending, moved, current, await ask('PutSecretValue', { SecretId, SecretString: 'z' }), await list()];
  },
  'secretsmanager-primary-and-replica': async ({ ask }) => {
    const SecretId = await replicatedSecret(ask);
    await ask('GetSecretValue', { SecretId: 'c7n' }, 'eu-west-1');
    return [await ask('DescribeSecret', { SecretId }), await ask('DescribeSecret', { SecretId: 'c7n' }, 'eu-west-1')];
  },
  'secretsmanager-rotation-refused-and-done': async (setting) => {
    const { ask, account, region } = setting;
    const { ARN: SecretId } = await create(ask, { Name: 's' });
    const none = `arn:aws:lambda:${region}:${account}:function:none`;
    const look = () => ask('DescribeSecret', { SecretId });
    const answers = [await ask('RotateSecret', { SecretId, RotationLambdaARN: none }), await look()];
    answers.push(await ask('RotateSecret', { SecretId }), await look());
    await ask('UpdateSecret', { SecretId, Description: 'testing rotation of secrets' });
    const RotationLambdaARN = functionIn(setting, 'done');
    await ask('RotateSecret', { SecretId, RotationLambdaARN, RotationRules: { AutomaticallyAfterDays: 1 } });
    await ask('GetSecretValue', { SecretId });
    await ask('RotateSecret', { SecretId });
    return [...answers, await look(), await ask('ListSecretVersionIds', { SecretId })];
  },
  'secretsmanager-scheduled-for-deletion': async ({ ask }) => {
    const { ARN: SecretId } = await create(ask, { Name: 's' });
    return [
      await ask('DeleteSecret', { SecretId }),
      await ask('TagResource', { SecretId, Tags: [{ Key: 'a', Value: 'b' }] }),
      await ask('CreateSecret', { Name: 's', SecretString: 'x' }),
      await ask('DescribeSecret', { SecretId }),
    ];
  },
  'secretsmanager-unlabelled-versions': async ({ ask }) => {
    const { ARN: SecretId } = await create(ask, { Name: 's' });
    for (const SecretString of ['y', 'z']) await ask('PutSecretValue', { SecretId, SecretString });
    return [
      await ask('ListSecretVersionIds', { SecretId }),
      await ask('ListSecretVersionIds', { SecretId, IncludeDeprecated: true }),
    ];
  },
  'secretsmanager-value-errors': async ({ ask }) => {
    const { ARN: SecretId, VersionId } = await create(ask, { Name: 's' });
    const without = await ask('GetSecretValue', { SecretId, VersionStage: 'AWSPREVIOUS' });
    await ask('PutSecretValue', { SecretId, SecretString: 'y' });
    const mismatch = await ask('GetSecretValue', { SecretId, VersionId, VersionStage: 'AWSCURRENT' });
    await ask('CreateSecret', { Name: 'empty' });
    return [
      without,
      mismatch,
      await ask('GetSecretValue', { SecretId: 'empty' }),
      await ask('GetSecretValue', { SecretId, VersionId: '00000000-0000-4000-8000-000000000000' }),
      await ask('GetSecretValue', { SecretId, VersionStage: 'AWSPENDING' }),
    ];
  },
  'secretsmanager-versions-and-keys': async (setting) => {
    const { ask } = setting;
    const { ARN: SecretId } = await create(ask, { Name: 'test_lambda_secret', KmsKeyId: await keyArn(ask), Tags: [] });
    await ask('GetSecretValue', { SecretId });
    await ask('RotateSecret', {
      SecretId,
      RotationLambdaARN: functionIn(setting, 'done'),
      RotationRules: { AutomaticallyAfterDays: 1, ScheduleExpression: 'rate(4 hours)' },
    });
    const replicated = await replicatedSecret(ask);
    return [
      await ask('DescribeSecret', { SecretId }),
      await ask('ListSecretVersionIds', { SecretId }),
      await ask('ListSecretVersionIds', { SecretId: replicated }),
    ];
  },
};
