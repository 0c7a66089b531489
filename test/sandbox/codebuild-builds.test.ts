import {
  BatchGetBuildsCommand,
  CreateProjectCommand,
  type CreateProjectCommandInput,
  ListBuildsForProjectCommand,
  StartBuildCommand,
} from '@aws-sdk/client-codebuild';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { AwsRegion } from '../../src/sandbox/aws/cloud.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { ACCOUNT, clientsOf, errorOf, REGION } from './clients.ts';

let sandbox: Sandbox;
let region: AwsRegion;
let codeBuild: ReturnType<typeof clientsOf>['codeBuild'];
let role: string;
let dbKey: string;
let lead = 0;
let start = 0;

beforeEach(async () => {
  lead = 0;
  start = Date.now();
  sandbox = await startSandbox({ now: () => start + lead });
  const account = sandbox.aws.account(ACCOUNT);
  region = account.region(REGION);
  role = account.role('build', { services: ['codebuild.amazonaws.com'] });
  ({ codeBuild } = clientsOf(sandbox));
  dbKey = region.kms.createKey().arn;
  region.secrets.create({ Name: 'db', SecretString: '{"password":"x"}', KmsKeyId: dbKey });
});
afterEach(() => sandbox[Symbol.asyncDispose]());

function project(more: Partial<CreateProjectCommandInput> = {}): CreateProjectCommandInput {
  return {
    name: 'app',
    source: { type: 'NO_SOURCE', buildspec: 'version: 0.2\nphases: {}\n' },
    artifacts: { type: 'NO_ARTIFACTS' },
    environment: { type: 'LINUX_CONTAINER', image: 'aws/codebuild/standard:7.0', computeType: 'BUILD_GENERAL1_SMALL' },
    serviceRole: role,
    ...more,
  };
}

async function build(id: string) {
  return (await codeBuild.send(new BatchGetBuildsCommand({ ids: [id] }))).builds?.[0];
}

async function run(more: Partial<CreateProjectCommandInput>) {
  await codeBuild.send(new CreateProjectCommand(project(more)));
  const started = await codeBuild.send(new StartBuildCommand({ projectName: 'app' }));
  lead += 60_000;
  return await build(started.build?.id ?? '');
}

function withVariable(value: string): Partial<CreateProjectCommandInput> {
  const environmentVariables = [{ name: 'SECRET', value, type: 'SECRETS_MANAGER' as const }];
  return {
    environment: { ...project().environment, environmentVariables } as CreateProjectCommandInput['environment'],
  };
}

test('a build goes through its phases on the clock and succeeds', async () => {
  await codeBuild.send(new CreateProjectCommand(project(withVariable('db:password'))));
  const { build: started } = await codeBuild.send(new StartBuildCommand({ projectName: 'app' }));
  expect(started).toMatchObject({
    id: expect.stringMatching(/^app:[0-9a-f-]{36}$/),
    arn: `arn:aws:codebuild:${REGION}:${ACCOUNT}:build/${started?.id}`,
    buildNumber: 1,
    buildStatus: 'IN_PROGRESS',
    currentPhase: 'SUBMITTED',
    buildComplete: false,
    startTime: new Date(start),
    encryptionKey: `arn:aws:kms:${REGION}:${ACCOUNT}:alias/aws/s3`,
  });
  lead += 7_000;
  const underWay = await build(started?.arn ?? '');
  expect(underWay).toMatchObject({ currentPhase: 'DOWNLOAD_SOURCE', buildStatus: 'IN_PROGRESS' });
  expect(underWay?.phases?.map((phase) => phase.phaseStatus)).toEqual([
    ...['SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED', undefined],
  ]);
  lead += 60_000;
  const done = await build(started?.id ?? '');
  expect(done).toMatchObject({ buildStatus: 'SUCCEEDED', buildComplete: true, currentPhase: 'COMPLETED' });
  expect(done?.endTime).toEqual(new Date(start + 20_000));
  expect(done?.phases).toHaveLength(11);
  expect(region.codeBuild.build(started?.id ?? '')).toEqual({ status: 'SUCCEEDED', failed: undefined });
});

test.each<[string, (secretArn: string) => void, RegExp]>([
  [
    'is scheduled for deletion',
    () => region.secrets.delete('db'),
    /^InvalidRequestException: You can't perform this operation on the secret because it was marked for deletion\.\n\tstatus code: 400, request id: [0-9a-f-]{36}$/,
  ],
  [
    'is under a disabled key',
    () => region.kms.disable(dbKey),
    /^DecryptionFailure: Secrets Manager can't decrypt the secret value: arn:aws:kms:\S+ is disabled\./,
  ],
  [
    'is not for its role',
    (arn) => sandbox.aws.account(ACCOUNT).revoke(role, arn),
    new RegExp(
      `^AccessDeniedException: User: arn:aws:sts::${ACCOUNT}:assumed-role/build/AWSCodeBuild-[0-9a-f-]{36} is not authorized to perform: secretsmanager:GetSecretValue on resource: db because no identity-based policy allows the secretsmanager:GetSecretValue action\n`,
    ),
  ],
])('a build whose secret %s fails over it in DOWNLOAD_SOURCE', async (_what, harm, message) => {
  harm(String(region.secrets.describe('db').ARN));
  const done = await run(withVariable('db:password'));
  expect(done).toMatchObject({ buildStatus: 'FAILED', buildComplete: true });
  expect(done?.phases?.map((phase) => phase.phaseType)).toEqual([
    ...['SUBMITTED', 'QUEUED', 'PROVISIONING', 'DOWNLOAD_SOURCE', 'FINALIZING', 'COMPLETED'],
  ]);
  const failed = done?.phases?.find((phase) => phase.phaseStatus === 'FAILED');
  expect(failed).toMatchObject({
    phaseType: 'DOWNLOAD_SOURCE',
    contexts: [{ statusCode: 'Secrets Manager Error', message: expect.stringMatching(message) }],
  });
});

test.each([
  ['a name', 'db', true],
  ['a full ARN', '{arn}', true],
  ['a full ARN with key, stage and no version', '{arn}:password:AWSCURRENT:', true],
  ['an ARN without its suffix', '{partial}:password', true],
  ['a version id', '{arn}:password::{version}', true],
  ['a name with empty fields', 'db:::', true],
  ['a stage that no version has', 'db:password:AWSPREVIOUS', false],
  ['a version that is not there', 'db:password::00000000-0000-4000-8000-000000000000', false],
  ['another secret', 'none:password', false],
])('%s is a reference', async (_what, reference, good) => {
  const { ARN, VersionIdsToStages } = region.secrets.describe('db');
  const value = reference
    .replace('{arn}', String(ARN))
    .replace('{partial}', String(ARN).slice(0, -7))
    .replace('{version}', Object.keys(VersionIdsToStages as object)[0] ?? '');
  const done = await run(withVariable(value));
  expect(done?.buildStatus).toBe(good ? 'SUCCEEDED' : 'FAILED');
});

test.each<[string, string, string | undefined]>([
  ['block style', 'version: 0.2\nenv:\n  secrets-manager:\n    PASSWORD: db:password\n', 'Secrets Manager Error'],
  [
    'quotes, comments and what else env holds',
    '# build\nversion: 0.2\n\nphases:\n  build:\n    commands: |\n      env:\n\nenv:\n  shell: bash\n  variables:\n    A: none\n  "secrets-manager":\n    # the database\n    PASSWORD: "db:password" # key\n  exported-variables:\n    - A\n',
    'Secrets Manager Error',
  ],
  ['JSON', '{"version": 0.2,\n"env": {"secrets-manager": {"PASSWORD": "db"}}}', 'Secrets Manager Error'],
  ['no secrets', 'version: 0.2\nenv:\n  parameter-store:\n    PASSWORD: db\nphases: {}\n', undefined],
  ['secrets-manager outside of env', 'version: 0.2\nsecrets-manager:\n  PASSWORD: db\n', undefined],
  ['the name of a file in the source', 'ci/buildspec.yml', undefined],
  ['no buildspec', 'hello\nworld\n', 'YAML_FILE_ERROR'],
  ['tabs', 'version: 0.2\nenv:\n\tsecrets-manager:\n', 'YAML_FILE_ERROR'],
  ['half of JSON', '{"version": 0.2,\n', 'YAML_FILE_ERROR'],
])('a buildspec with a secret that is gone, %s', async (_what, buildspec, statusCode) => {
  region.secrets.delete('db');
  const done = await run({ source: { type: 'NO_SOURCE', buildspec } });
  const failed = done?.phases?.find((phase) => phase.phaseStatus === 'FAILED');
  expect(failed?.contexts?.[0]?.statusCode).toBe(statusCode);
  expect(failed?.phaseType).toBe(statusCode && 'DOWNLOAD_SOURCE');
});

test('a registry credential that is gone stops the build before it has a machine', async () => {
  const environment = {
    ...project().environment,
    imagePullCredentialsType: 'SERVICE_ROLE',
    registryCredential: { credential: 'none', credentialProvider: 'SECRETS_MANAGER' },
  } as CreateProjectCommandInput['environment'];
  const done = await run({ environment });
  expect(done?.phases?.map((phase) => phase.phaseType)).toEqual([
    ...['SUBMITTED', 'QUEUED', 'PROVISIONING', 'COMPLETED'],
  ]);
  expect(done?.phases?.[2]?.contexts).toEqual([
    {
      statusCode: 'BUILD_CONTAINER_UNABLE_TO_PULL_IMAGE',
      message: expect.stringContaining('ResourceNotFoundException'),
    },
  ]);
});

test('a dead key stops the upload of artifacts that are encrypted under it', async () => {
  const { arn } = region.kms.createKey();
  region.kms.disable(arn);
  const artifacts = { type: 'S3' as const, location: 'bucket' };
  const done = await run({ artifacts, encryptionKey: arn });
  expect(done?.phases?.find((phase) => phase.phaseStatus === 'FAILED')).toMatchObject({
    phaseType: 'UPLOAD_ARTIFACTS',
    contexts: [{ statusCode: 'CLIENT_ERROR', message: expect.stringContaining(`KMS.DisabledException: ${arn} is`) }],
  });
  region.codeBuild.updateProject('app', { artifacts: { ...artifacts, encryptionDisabled: true } });
  const open = region.codeBuild.startBuild('app');
  region.codeBuild.updateProject('app', { artifacts, encryptionKey: 'alias/aws/s3' });
  const usual = region.codeBuild.startBuild('app');
  lead += 60_000;
  expect([open, usual].map((id) => region.codeBuild.build(id).status)).toEqual(['SUCCEEDED', 'SUCCEEDED']);
});

test('what a build overrides counts for it alone', async () => {
  region.secrets.delete('db');
  await codeBuild.send(new CreateProjectCommand(project(withVariable('db'))));
  const begin = async (input: object) => {
    const { build: started } = await codeBuild.send(new StartBuildCommand({ projectName: 'app', ...input }));
    return started?.id ?? '';
  };
  const plain = [
    { name: 'SECRET', value: 'x' },
    { name: 'MORE', value: 'y' },
  ];
  const good = await begin({ environmentVariablesOverride: plain, encryptionKeyOverride: 'alias/other' });
  const bad = await begin({});
  lead += 60_000;
  expect([(await build(good))?.buildStatus, (await build(bad))?.buildStatus]).toEqual(['SUCCEEDED', 'FAILED']);
  expect((await build(good))?.environment?.environmentVariables).toHaveLength(2);
  expect((await build(good))?.encryptionKey).toBe('alias/other');
  expect(region.codeBuild.describe('app')?.environment).toMatchObject({ environmentVariables: [{ value: 'db' }] });
});

test('a role that is gone stops the build at once', async () => {
  region.codeBuild.createProject({ name: 'app' });
  const id = region.codeBuild.startBuild('app');
  lead += 60_000;
  expect(region.codeBuild.build(id)).toMatchObject({
    status: 'FAILED',
    failed: { phase: 'SUBMITTED', statusCode: 'ACCESS_DENIED' },
  });
});

test('builds are listed by project, newest first, a hundred on a page', async () => {
  region.codeBuild.createProject({ name: 'app' });
  region.codeBuild.createProject({ name: 'other' });
  region.codeBuild.startBuild('other');
  const ids = Array.from({ length: 101 }, () => region.codeBuild.startBuild('app'));
  const list = (input: object) => codeBuild.send(new ListBuildsForProjectCommand({ projectName: 'app', ...input }));
  const first = await list({});
  expect(first.ids).toEqual(ids.toReversed().slice(0, 100));
  expect(await list({ nextToken: first.nextToken })).toMatchObject({ ids: [ids[0]] });
  expect((await list({ sortOrder: 'ASCENDING' })).ids?.[0]).toBe(ids[0]);
  const missing = new ListBuildsForProjectCommand({ projectName: 'none' });
  expect((await errorOf(codeBuild.send(missing))).name).toBe('ResourceNotFoundException');
  const begun = errorOf(codeBuild.send(new StartBuildCommand({ projectName: 'none' })));
  expect((await begun).name).toBe('ResourceNotFoundException');
  const found = await codeBuild.send(new BatchGetBuildsCommand({ ids: [ids[0] ?? '', 'app:none'] }));
  expect([found.builds?.length, found.buildsNotFound]).toEqual([1, ['app:none']]);
});
