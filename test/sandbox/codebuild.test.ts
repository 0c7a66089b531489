import {
  BatchGetProjectsCommand,
  CreateProjectCommand,
  type CreateProjectCommandInput,
  DeleteProjectCommand,
  ListProjectsCommand,
  paginateListProjects,
  UpdateProjectCommand,
} from '@aws-sdk/client-codebuild';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { AwsRegion } from '../../src/sandbox/aws/cloud.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { ACCOUNT, clientsOf, errorOf, REGION } from './clients.ts';

const OTHER = '444455556666';

let sandbox: Sandbox;
let region: AwsRegion;
let codeBuild: ReturnType<typeof clientsOf>['codeBuild'];
let role: string;
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

async function get(...names: string[]) {
  return await codeBuild.send(new BatchGetProjectsCommand({ names }));
}

test('a project is made with everything that names a key, and shown as it was made', async () => {
  const kms = region.kms.createKey().arn;
  const given = project({
    description: 'd',
    encryptionKey: kms,
    environment: {
      type: 'LINUX_CONTAINER',
      image: 'registry.example.com/build:1',
      computeType: 'BUILD_GENERAL1_SMALL',
      imagePullCredentialsType: 'SERVICE_ROLE',
      registryCredential: { credential: 'registry', credentialProvider: 'SECRETS_MANAGER' },
      environmentVariables: [
        { name: 'PLAIN', value: 'v' },
        { name: 'PARAMETER', value: '/p', type: 'PARAMETER_STORE' },
        { name: 'SECRET', value: 'db:password:AWSCURRENT', type: 'SECRETS_MANAGER' },
      ],
    },
    artifacts: { type: 'S3', location: 'bucket', encryptionDisabled: true },
    secondaryArtifacts: [{ type: 'S3', location: 'bucket', artifactIdentifier: 'more' }],
    cache: { type: 'S3', location: 'bucket/cache' },
    logsConfig: {
      cloudWatchLogs: { status: 'ENABLED' },
      s3Logs: { status: 'ENABLED', location: 'bucket/logs', encryptionDisabled: true },
    },
    tags: [{ key: 'team', value: 'build' }],
  });
  const { project: made } = await codeBuild.send(new CreateProjectCommand(given));
  expect(made).toMatchObject({
    name: 'app',
    arn: `arn:aws:codebuild:${REGION}:${ACCOUNT}:project/app`,
    encryptionKey: kms,
    serviceRole: role,
    cache: given.cache,
    logsConfig: given.logsConfig,
    tags: given.tags,
    artifacts: given.artifacts,
    secondaryArtifacts: given.secondaryArtifacts,
    source: given.source,
    created: new Date(start),
    lastModified: new Date(start),
    badge: { badgeEnabled: false },
  });
  expect(made?.environment).toMatchObject({
    registryCredential: { credential: 'registry', credentialProvider: 'SECRETS_MANAGER' },
    environmentVariables: [
      { name: 'PLAIN', value: 'v', type: 'PLAINTEXT' },
      { name: 'PARAMETER', value: '/p', type: 'PARAMETER_STORE' },
      { name: 'SECRET', value: 'db:password:AWSCURRENT', type: 'SECRETS_MANAGER' },
    ],
  });
  expect((await get('app')).projects).toEqual([made]);
});

test('without a key of its own a project has the alias ARN of the default key, as recorded', async () => {
  const { project: made } = await codeBuild.send(new CreateProjectCommand(project()));
  expect(made?.encryptionKey).toBe(`arn:aws:kms:${REGION}:${ACCOUNT}:alias/aws/s3`);
  expect(made).toMatchObject({ timeoutInMinutes: 60, queuedTimeoutInMinutes: 480, cache: { type: 'NO_CACHE' } });
});

test('projects are found by name and by ARN; the others are named', async () => {
  const arn = region.codeBuild.createProject({ name: 'app' });
  const foreign = arn.replace(ACCOUNT, OTHER);
  const { projects, projectsNotFound } = await get('app', arn, 'none', foreign);
  expect(projects?.map((found) => found.name)).toEqual(['app', 'app']);
  expect(projectsNotFound).toEqual(['none', foreign]);
});

test('an update replaces what it names and leaves the rest', async () => {
  await codeBuild.send(new CreateProjectCommand(project({ description: 'd', tags: [{ key: 'a', value: 'b' }] })));
  lead += 5_500;
  const change = { name: 'app', encryptionKey: 'alias/app', tags: [] };
  const { project: changed } = await codeBuild.send(new UpdateProjectCommand(change));
  expect(changed).toMatchObject({
    description: 'd',
    encryptionKey: 'alias/app',
    tags: [],
    created: new Date(start),
    lastModified: new Date(start + 5_500),
  });
  expect(await errorOf(codeBuild.send(new UpdateProjectCommand({ name: 'none' })))).toEqual({
    name: 'ResourceNotFoundException',
    message: `Project cannot be found: arn:aws:codebuild:${REGION}:${ACCOUNT}:project/none`,
    status: 400,
  });
});

test('a deletion is final, and one of nothing is well too', async () => {
  region.codeBuild.createProject({ name: 'app' });
  for (let n = 0; n < 2; n += 1) await codeBuild.send(new DeleteProjectCommand({ name: 'app' }));
  expect((await codeBuild.send(new ListProjectsCommand({}))).projects).toEqual([]);
  expect(await get('app')).toMatchObject({ projects: [], projectsNotFound: ['app'] });
  region.codeBuild.createProject({ name: 'app' });
  expect((await get('app')).projects).toHaveLength(1);
});

test('a list is sorted as asked and has a hundred names on a page', async () => {
  for (let n = 0; n < 205; n += 1)
    region.codeBuild.createProject({ name: `p${String((n * 7) % 205).padStart(3, '0')}` });
  const pages: string[][] = [];
  for await (const page of paginateListProjects({ client: codeBuild }, {})) pages.push(page.projects ?? []);
  expect(pages.map((page) => page.length)).toEqual([100, 100, 5]);
  expect(pages.flat()).toEqual(pages.flat().toSorted());
  const newest = await codeBuild.send(new ListProjectsCommand({ sortOrder: 'DESCENDING' }));
  expect(newest.projects?.[0]).toBe('p204');
  lead += 1_000;
  region.codeBuild.updateProject('p100', { description: 'x' });
  const changed = new ListProjectsCommand({ sortBy: 'LAST_MODIFIED_TIME', sortOrder: 'DESCENDING' });
  expect((await codeBuild.send(changed)).projects?.[0]).toBe('p100');
  region.codeBuild.createProject({ name: 'last' });
  const created = new ListProjectsCommand({ sortBy: 'CREATED_TIME', sortOrder: 'DESCENDING' });
  expect((await codeBuild.send(created)).projects?.[0]).toBe('last');
  const other = new ListProjectsCommand({ nextToken: 'none' });
  expect((await errorOf(codeBuild.send(other))).name).toBe('InvalidInputException');
});

test.each<[string, object, string]>([
  ['a name of one letter', { name: 'a' }, 'name'],
  ['a name with blanks', { name: 'a b' }, 'name'],
  ['no source', { source: undefined }, 'source'],
  ['no role', { serviceRole: undefined }, 'serviceRole'],
  ['a type nobody has', { environment: { ...project().environment, type: 'MAC' } }, 'environment.type'],
  ['a timeout of a minute', { timeoutInMinutes: 1 }, 'timeoutInMinutes'],
  ['no source and no buildspec', { source: { type: 'NO_SOURCE' } }, 'buildspec'],
  ['artifacts nowhere', { artifacts: { type: 'S3' } }, 'artifacts'],
  ['a cache nowhere', { cache: { type: 'S3' } }, 'cache'],
  [
    'a credential that is not used',
    {
      environment: {
        ...project().environment,
        registryCredential: { credential: 'c', credentialProvider: 'SECRETS_MANAGER' },
      },
    },
    'registryCredential',
  ],
  ['a role that trusts somebody else', { serviceRole: `arn:aws:iam::${ACCOUNT}:role/none` }, 'sts:AssumeRole'],
])('%s is invalid input', async (_what, fields, said) => {
  const input = { ...project(), ...fields } as CreateProjectCommandInput;
  const error = await errorOf(codeBuild.send(new CreateProjectCommand(input)));
  expect(error).toMatchObject({ name: 'InvalidInputException', status: 400 });
  expect(error.message).toContain(said);
});

test('a field that the API does not have is invalid input, wherever it stands', () => {
  for (const more of [{ encriptionKey: 'x' }, { environment: { registryCredentials: {} } }]) {
    const create = () => region.codeBuild.createProject({ name: 'app', ...more });
    expect(create).toThrow(expect.objectContaining({ code: 'InvalidInputException' }));
    expect(create).toThrow(/^Unrecognized field: (encriptionKey|environment\.registryCredentials)$/);
  }
});

test('a name is taken once; batches ask for one to a hundred', async () => {
  await codeBuild.send(new CreateProjectCommand(project()));
  expect(await errorOf(codeBuild.send(new CreateProjectCommand(project())))).toEqual({
    name: 'ResourceAlreadyExistsException',
    message: `Project already exists: arn:aws:codebuild:${REGION}:${ACCOUNT}:project/app`,
    status: 400,
  });
  expect((await errorOf(get())).name).toBe('InvalidInputException');
  expect((await errorOf(get(...Array.from({ length: 101 }, (_, n) => `p${n}`)))).name).toBe('InvalidInputException');
});

test('a denial hits the project that it names; a throttle and a failure have their codes', async () => {
  const arn = region.codeBuild.createProject({ name: 'app' });
  region.codeBuild.createProject({ name: 'other' });
  const action = 'codebuild:BatchGetProjects';
  const denial = sandbox.aws.deny({ account: ACCOUNT, action, resource: arn });
  expect(await errorOf(get('app'))).toEqual({
    name: 'AccessDeniedException',
    message: `User: arn:aws:iam::${ACCOUNT}:user/sandbox is not authorized to perform: ${action} on resource: ${arn} because no identity-based policy allows the ${action} action`,
    status: 400,
  });
  expect((await get('other')).projects).toHaveLength(1);
  denial.remove();
  sandbox.aws.deny({ account: ACCOUNT, action: 'codebuild:ListProjects' });
  const list = errorOf(codeBuild.send(new ListProjectsCommand({})));
  expect((await list).message).toContain(`on resource: arn:aws:codebuild:${REGION}:${ACCOUNT}:project/*`);
  using _throttle = sandbox.faults.add({ kind: 'throttle' }, { service: 'codebuild', times: 1 });
  expect(await errorOf(get('app'))).toMatchObject({ name: 'ThrottlingException', status: 400 });
  using _failure = sandbox.faults.add({ kind: 'server-error' }, { service: 'codebuild', times: 1 });
  expect(await errorOf(get('app'))).toMatchObject({ name: 'InternalFailure', status: 500 });
});
