import {
  BatchGetSecretValueCommand,
  CancelRotateSecretCommand,
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetResourcePolicyCommand,
  GetSecretValueCommand,
  ListSecretsCommand,
  ListSecretVersionIdsCommand,
  PutSecretValueCommand,
  paginateListSecrets,
  paginateListSecretVersionIds,
  RestoreSecretCommand,
  RotateSecretCommand,
  TagResourceCommand,
  UpdateSecretCommand,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { ACCOUNT, clientsOf, errorOf, REGION } from './clients.ts';

let sandbox: Sandbox;
let secrets: ReturnType<typeof clientsOf>['secrets'];
/** Moved on by tests; stays within the five minutes of skew that AWS accepts unless a test says otherwise. */
let lead = 0;

beforeEach(async () => {
  lead = 0;
  sandbox = await startSandbox({ now: () => Date.now() + lead });
  ({ secrets } = clientsOf(sandbox, { maxAttempts: 3 }));
});
afterEach(() => sandbox[Symbol.asyncDispose]());

async function stages(id: string) {
  return (await secrets.send(new DescribeSecretCommand({ SecretId: id }))).VersionIdsToStages;
}

describe('versions and labels', () => {
  test('a value that is put becomes current, and a label that is moved back is a rollback', async () => {
    const first = await secrets.send(new CreateSecretCommand({ Name: 'prod/db', SecretString: 'one' }));
    const second = await secrets.send(new PutSecretValueCommand({ SecretId: 'prod/db', SecretString: 'two' }));
    expect(await stages('prod/db')).toEqual({
      [first.VersionId!]: ['AWSPREVIOUS'],
      [second.VersionId!]: ['AWSCURRENT'],
    });
    await secrets.send(
      new UpdateSecretVersionStageCommand({
        SecretId: 'prod/db',
        VersionStage: 'AWSCURRENT',
        RemoveFromVersionId: second.VersionId,
        MoveToVersionId: first.VersionId,
      }),
    );
    expect(await stages('prod/db')).toEqual({
      [first.VersionId!]: ['AWSCURRENT'],
      [second.VersionId!]: ['AWSPREVIOUS'],
    });
    const value = await secrets.send(new GetSecretValueCommand({ SecretId: first.ARN }));
    expect(value.SecretString).toBe('one');
  });

  test('a label is not moved away from a version that the request does not name', async () => {
    const { arn, versionId } = sandbox.aws
      .account(ACCOUNT)
      .region(REGION)
      .secrets.create({ Name: 'a', SecretString: '1' });
    const second = await secrets.send(
      new PutSecretValueCommand({ SecretId: arn, SecretString: '2', VersionStages: ['AWSPENDING'] }),
    );
    const move = { SecretId: arn, VersionStage: 'AWSCURRENT', MoveToVersionId: second.VersionId };
    const error = await errorOf(secrets.send(new UpdateSecretVersionStageCommand(move)));
    expect(error).toMatchObject({ name: 'InvalidParameterException', status: 400 });
    expect(error.message).toContain(`currently attached to version ${versionId}`);
  });

  test('unlabelled versions are listed only when asked for, in pages', async () => {
    const { arn } = sandbox.aws.account(ACCOUNT).region(REGION).secrets.create({ Name: 'many', SecretString: '0' });
    for (let n = 1; n < 9; n += 1) sandbox.aws.account(ACCOUNT).region(REGION).secrets.putValue(arn, String(n));
    const labelled = await secrets.send(new ListSecretVersionIdsCommand({ SecretId: arn }));
    expect(labelled.Versions?.map((version) => version.VersionStages)).toEqual([['AWSPREVIOUS'], ['AWSCURRENT']]);
    const all: (string[] | undefined)[] = [];
    let pages = 0;
    const query = { SecretId: arn, IncludeDeprecated: true };
    for await (const page of paginateListSecretVersionIds({ client: secrets, pageSize: 4 }, query)) {
      pages += 1;
      for (const version of page.Versions ?? []) all.push(version.VersionStages);
    }
    expect(pages).toBe(3);
    expect(all).toHaveLength(9);
    expect(all.filter((labels) => labels === undefined)).toHaveLength(7);
  });

  test('the same token with the same value is one version, with another value an error', async () => {
    const token = 'a'.repeat(32);
    const put = { SecretId: 's', ClientRequestToken: token };
    await secrets.send(new CreateSecretCommand({ Name: 's', SecretString: 'x', ClientRequestToken: token }));
    const again = await secrets.send(new PutSecretValueCommand({ ...put, SecretString: 'x' }));
    expect(again.VersionId).toBe(token);
    expect(await errorOf(secrets.send(new PutSecretValueCommand({ ...put, SecretString: 'y' })))).toMatchObject({
      name: 'ResourceExistsException',
    });
  });

  test('a secret that was never filled has no versions and answers for AWSCURRENT that there is none', async () => {
    await secrets.send(new CreateSecretCommand({ Name: 'empty' }));
    const described = await secrets.send(new DescribeSecretCommand({ SecretId: 'empty' }));
    expect(described.VersionIdsToStages).toBeUndefined();
    expect(described.KmsKeyId).toBeUndefined();
    expect(await errorOf(secrets.send(new GetSecretValueCommand({ SecretId: 'empty' })))).toMatchObject({
      name: 'ResourceNotFoundException',
      message: "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT",
    });
  });
});

describe('deletion', () => {
  test('a secret marked for deletion is described, hidden from lists, unusable, and can be restored', async () => {
    const { arn } = sandbox.aws.account(ACCOUNT).region(REGION).secrets.create({ Name: 'doomed', SecretString: 'x' });
    const before = Date.now();
    const deleted = await secrets.send(new DeleteSecretCommand({ SecretId: arn, RecoveryWindowInDays: 7 }));
    expect(deleted.DeletionDate!.getTime() - before).toBeGreaterThanOrEqual(7 * 86_400_000 - 1000);
    const described = await secrets.send(new DescribeSecretCommand({ SecretId: arn }));
    expect(Math.abs(described.DeletedDate!.getTime() - before)).toBeLessThan(5000);
    expect(await errorOf(secrets.send(new GetSecretValueCommand({ SecretId: arn })))).toMatchObject({
      name: 'InvalidRequestException',
      message: "You can't perform this operation on the secret because it was marked for deletion.",
      status: 400,
    });
    expect((await secrets.send(new ListSecretsCommand({}))).SecretList).toEqual([]);
    const planned = await secrets.send(new ListSecretsCommand({ IncludePlannedDeletion: true }));
    expect(planned.SecretList?.map((secret) => secret.DeletedDate)).toEqual([described.DeletedDate]);
    await secrets.send(new RestoreSecretCommand({ SecretId: arn }));
    expect((await secrets.send(new GetSecretValueCommand({ SecretId: arn }))).SecretString).toBe('x');
  });

  test('a secret is gone when its window is over', async () => {
    const { arn } = sandbox.aws.account(ACCOUNT).region(REGION).secrets.create({ Name: 'doomed', SecretString: 'x' });
    sandbox.aws.account(ACCOUNT).region(REGION).secrets.delete(arn, { RecoveryWindowInDays: 7 });
    lead = 8 * 86_400_000;
    // The SDK corrects its clock by the Date header, as it does with AWS.
    expect(await errorOf(secrets.send(new DescribeSecretCommand({ SecretId: arn })))).toMatchObject({
      name: 'ResourceNotFoundException',
      message: "Secrets Manager can't find the specified secret.",
    });
  });

  test('a secret deleted by force is still described for some seconds', async () => {
    await secrets.send(new CreateSecretCommand({ Name: 'now', SecretString: 'x' }));
    await secrets.send(new DeleteSecretCommand({ SecretId: 'now', ForceDeleteWithoutRecovery: true }));
    expect((await secrets.send(new DescribeSecretCommand({ SecretId: 'now' }))).DeletedDate).toBeInstanceOf(Date);
    expect((await errorOf(secrets.send(new GetSecretValueCommand({ SecretId: 'now' })))).message).toContain(
      'was deleted',
    );
    lead = 5000;
    expect((await errorOf(secrets.send(new DescribeSecretCommand({ SecretId: 'now' })))).name).toBe(
      'ResourceNotFoundException',
    );
    const again = await secrets.send(new CreateSecretCommand({ Name: 'now', SecretString: 'y' }));
    expect(again.ARN).toMatch(/:secret:now-[A-Za-z0-9]{6}$/);
  });
});

describe('listing', () => {
  test('250 secrets come in three pages, each once, oldest first', async () => {
    const model = sandbox.aws.account(ACCOUNT).region(REGION).secrets;
    const arns = Array.from({ length: 250 }, (_, n) => model.create({ Name: `s/${n}`, SecretString: 'x' }).arn);
    const seen: string[] = [];
    let pages = 0;
    for await (const page of paginateListSecrets({ client: secrets, pageSize: 100 }, {})) {
      pages += 1;
      for (const secret of page.SecretList ?? []) seen.push(secret.ARN!);
    }
    expect(pages).toBe(3);
    expect(seen).toEqual(arns);
  });

  test('filters and sorting choose what is listed', async () => {
    const model = sandbox.aws.account(ACCOUNT).region(REGION).secrets;
    model.create({ Name: 'prod/b', SecretString: 'x', Tags: [{ Key: 'team', Value: 'video' }] });
    model.create({ Name: 'prod/a', SecretString: 'x' });
    model.create({ Name: 'test/a', SecretString: 'x' });
    const names = async (query: object) =>
      (await secrets.send(new ListSecretsCommand(query))).SecretList?.map((secret) => secret.Name);
    expect(await names({ Filters: [{ Key: 'name', Values: ['prod/'] }], SortBy: 'name' })).toEqual([
      'prod/a',
      'prod/b',
    ]);
    expect(await names({ Filters: [{ Key: 'name', Values: ['!prod/'] }] })).toEqual(['test/a']);
    expect(await names({ Filters: [{ Key: 'tag-key', Values: ['team'] }] })).toEqual(['prod/b']);
    expect(await names({ SortBy: 'name', SortOrder: 'desc' })).toEqual(['test/a', 'prod/b', 'prod/a']);
  });

  test('a token that the sandbox did not give out, or gave for another list, is refused', async () => {
    const model = sandbox.aws.account(ACCOUNT).region(REGION).secrets;
    for (const name of ['a', 'b']) model.create({ Name: name, SecretString: 'x' });
    const { NextToken } = await secrets.send(new ListSecretsCommand({ MaxResults: 1 }));
    const foreign = { SecretId: 'a', NextToken };
    expect((await errorOf(secrets.send(new ListSecretVersionIdsCommand(foreign)))).name).toBe(
      'InvalidNextTokenException',
    );
    expect((await errorOf(secrets.send(new ListSecretsCommand({ NextToken: 'x' })))).name).toBe(
      'InvalidNextTokenException',
    );
    expect((await errorOf(secrets.send(new ListSecretsCommand({ MaxResults: 101 })))).name).toBe('ValidationException');
  });
});

describe('rotation', () => {
  test('a function that is done leaves a new current version and dates; deleting turns rotation off', async () => {
    const region = sandbox.aws.account(ACCOUNT).region(REGION);
    const { arn, versionId } = region.secrets.create({ Name: 'rotated', SecretString: 'x' });
    const rotate = {
      SecretId: arn,
      RotationLambdaARN: region.rotationFunction('rotate'),
      RotationRules: { AutomaticallyAfterDays: 30 },
    };
    const { VersionId } = await secrets.send(new RotateSecretCommand(rotate));
    const described = await secrets.send(new DescribeSecretCommand({ SecretId: arn }));
    expect(described).toMatchObject({ RotationEnabled: true, RotationRules: { AutomaticallyAfterDays: 30 } });
    expect(described.VersionIdsToStages).toEqual({ [versionId]: ['AWSPREVIOUS'], [VersionId!]: ['AWSCURRENT'] });
    expect(described.NextRotationDate!.getTime()).toBeGreaterThan(described.LastRotatedDate!.getTime());
    await secrets.send(new DeleteSecretCommand({ SecretId: arn }));
    const deleted = await secrets.send(new DescribeSecretCommand({ SecretId: arn }));
    expect(deleted).toMatchObject({ RotationEnabled: false, RotationLambdaARN: rotate.RotationLambdaARN });
    expect(deleted.NextRotationDate).toBeUndefined();
  });

  test('a function that gets stuck leaves AWSPENDING on an empty version, until the rotation is cancelled', async () => {
    const region = sandbox.aws.account(ACCOUNT).region(REGION);
    const { arn, versionId } = region.secrets.create({ Name: 'stuck', SecretString: 'x' });
    const pending = region.secrets.rotate(arn, { RotationLambdaARN: region.rotationFunction('broken', 'stuck') });
    expect(await stages(arn)).toEqual({ [versionId]: ['AWSCURRENT'], [pending]: ['AWSPENDING'] });
    const read = new GetSecretValueCommand({ SecretId: arn, VersionStage: 'AWSPENDING' });
    expect((await errorOf(secrets.send(read))).message).toContain('for staging label: AWSPENDING');
    expect((await errorOf(secrets.send(new RotateSecretCommand({ SecretId: arn })))).message).toContain(
      "previous rotation isn't complete",
    );
    expect((await secrets.send(new CancelRotateSecretCommand({ SecretId: arn }))).VersionId).toBe(pending);
    expect((await secrets.send(new DescribeSecretCommand({ SecretId: arn }))).RotationEnabled).toBe(false);
  });

  test('a function that nobody registered is refused and leaves no trace', async () => {
    sandbox.aws.account(ACCOUNT).region(REGION).secrets.create({ Name: 's', SecretString: 'x' });
    const rotate = { SecretId: 's', RotationLambdaARN: `arn:aws:lambda:${REGION}:${ACCOUNT}:function:none` };
    expect(await errorOf(secrets.send(new RotateSecretCommand(rotate)))).toMatchObject({
      name: 'AccessDeniedException',
    });
    expect((await secrets.send(new DescribeSecretCommand({ SecretId: 's' }))).RotationEnabled).toBeUndefined();
  });
});

describe('what belongs to a secret', () => {
  test('tags, description and replicas are described; a change moves LastChangedDate and keeps the version', async () => {
    const model = sandbox.aws.account(ACCOUNT).region(REGION).secrets;
    const { arn, versionId } = model.create({ Name: 'r', SecretString: 'x' });
    lead = 1000;
    await secrets.send(new TagResourceCommand({ SecretId: arn, Tags: [{ Key: 'team', Value: 'video' }] }));
    await secrets.send(new UpdateSecretCommand({ SecretId: arn, Description: 'd' }));
    model.replicate(arn, [{ Region: 'us-east-1' }]);
    const described = await secrets.send(new DescribeSecretCommand({ SecretId: arn }));
    expect(described).toMatchObject({
      Description: 'd',
      Tags: [{ Key: 'team', Value: 'video' }],
      PrimaryRegion: REGION,
      ReplicationStatus: [{ Region: 'us-east-1', KmsKeyId: 'alias/aws/secretsmanager', Status: 'InSync' }],
      VersionIdsToStages: { [versionId]: ['AWSCURRENT'] },
    });
    expect(described.LastChangedDate!.getTime() - described.CreatedDate!.getTime()).toBeGreaterThanOrEqual(1000);
    const replica = clientsOf(sandbox, { region: 'us-east-1' }).secrets;
    const next = model.putValue(arn, 'y');
    const copy = await replica.send(new DescribeSecretCommand({ SecretId: 'r' }));
    expect(copy).toMatchObject({ PrimaryRegion: REGION, KmsKeyId: 'alias/aws/secretsmanager' });
    expect(copy.ReplicationStatus).toBeUndefined();
    expect(copy.VersionIdsToStages?.[next]).toEqual(['AWSCURRENT']);
    const change = new PutSecretValueCommand({ SecretId: 'r', SecretString: 'z' });
    expect((await errorOf(replica.send(change))).message).toContain('not permitted on a replica');
  });

  test('another account sees a secret only by ARN and only when its policy names the account', async () => {
    const model = sandbox.aws.account(ACCOUNT).region(REGION).secrets;
    const { arn } = model.create({ Name: 'shared', SecretString: 'x' });
    const other = clientsOf(sandbox, { account: '444455556666' }).secrets;
    expect((await errorOf(other.send(new DescribeSecretCommand({ SecretId: arn })))).name).toBe(
      'AccessDeniedException',
    );
    const policy = JSON.stringify({ Statement: [{ Effect: 'Allow', Principal: { AWS: '444455556666' } }] });
    model.call('PutResourcePolicy', { SecretId: arn, ResourcePolicy: policy });
    expect((await other.send(new DescribeSecretCommand({ SecretId: arn }))).Name).toBe('shared');
    expect((await errorOf(other.send(new GetSecretValueCommand({ SecretId: arn })))).message).toBe(
      "You can't access a secret from a different AWS account if you encrypt the secret with the default KMS service key.",
    );
    expect((await secrets.send(new GetResourcePolicyCommand({ SecretId: arn }))).ResourcePolicy).toBe(policy);
  });

  test('a batch answers with values and with an error for each secret that has none to give', async () => {
    const model = sandbox.aws.account(ACCOUNT).region(REGION).secrets;
    model.create({ Name: 'good', SecretString: 'x' });
    model.create({ Name: 'gone', SecretString: 'x' });
    model.delete('gone');
    const ids = ['good', 'gone', 'never'];
    const batch = await secrets.send(new BatchGetSecretValueCommand({ SecretIdList: ids }));
    expect(batch.SecretValues?.map((value) => value.SecretString)).toEqual(['x']);
    expect(batch.Errors?.map((error) => [error.SecretId, error.ErrorCode])).toEqual([
      ['gone', 'InvalidRequestException'],
      ['never', 'ResourceNotFoundException'],
    ]);
  });

  test('a Region knows nothing of the secrets of another one', async () => {
    const { arn } = sandbox.aws.account(ACCOUNT).region('us-east-1').secrets.create({ Name: 'far', SecretString: 'x' });
    expect((await errorOf(secrets.send(new DescribeSecretCommand({ SecretId: arn })))).name).toBe(
      'ResourceNotFoundException',
    );
  });
});
