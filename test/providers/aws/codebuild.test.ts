import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ConsumerFacts, ConsumerStub } from '../../../src/core/model.ts';
import { codebuild } from '../../../src/providers/aws/codebuild/index.ts';
import type { Connection, ServiceSession } from '../../../src/providers/provider.ts';
import { ACCOUNT, openSession, REGION, startWire, undeclared, type Wire } from '../../fixtures/aws-wire.ts';
import { arnOf, CANARY, environment, KEY_ID, KMS, SECRETS, wireProject } from '../../fixtures/codebuild.ts';
import { plainContext } from '../../fixtures/context.ts';

const VERSION = '11111111-2222-3333-4444-555555555555';
const stub: ConsumerStub = {
  resource: arnOf('web'),
  kind: 'codebuild-project',
  name: 'web',
  provider: 'aws',
  account: ACCOUNT,
  location: REGION,
};

let wire: Wire;
let connection: Connection;
let session: ServiceSession;
async function open(config: object = {}): Promise<void> {
  await connection?.[Symbol.asyncDispose]();
  ({ connection, session } = await openSession(wire, 'codebuild', config));
}
beforeEach(async () => {
  wire = await startWire();
  await open();
});
afterEach(async () => {
  await connection[Symbol.asyncDispose]();
  expect(undeclared(wire, codebuild)).toEqual([]);
  await wire[Symbol.asyncDispose]();
});

async function factsOf(more: object = {}): Promise<ConsumerFacts> {
  wire.on('BatchGetProjects', { body: { projects: [wireProject('web', more)], projectsNotFound: [] } });
  const look = await session.describe(stub, undefined, plainContext);
  if (!('consumer' in look)) throw new Error('no project');
  return look.consumer;
}

async function usesOf(more: object): Promise<readonly object[]> {
  return (await factsOf(more)).uses;
}

describe('a project', () => {
  it('as AWS really answered uses no key', async () => {
    const recorded = {
      name: 'test-project',
      arn: 'arn:aws:codebuild:us-east-1:644160558196:project/test-project',
      source: { type: 'GITHUB', location: 'https://github.com/mitchellh/packer.git', buildspec: '' },
      artifacts: { type: 'NO_ARTIFACTS', overrideArtifactName: false },
      cache: { type: 'NO_CACHE' },
      environment: {
        image: 'aws/codebuild/standard:1.0',
        environmentVariables: [
          { name: 'SOME_KEY1', value: 'SOME_VALUE1', type: 'PLAINTEXT' },
          { name: 'SOME_KEY2', value: 'SOME_VALUE2', type: 'PARAMETER_STORE' },
        ],
        imagePullCredentialsType: 'CODEBUILD',
      },
      serviceRole: 'arn:aws:iam::644160558196:role/example',
      encryptionKey: 'arn:aws:kms:us-east-1:644160558196:alias/aws/s3',
      tags: [{ key: 'Environment', value: 'Test' }],
      created: 1_602_067_179.814,
      lastModified: 1_602_067_179.814,
      logsConfig: { s3Logs: { status: 'DISABLED', encryptionDisabled: false } },
    };
    wire.on('BatchGetProjects', { body: { projects: [recorded], projectsNotFound: [] } });
    const of: ConsumerStub = {
      ...stub,
      resource: recorded.arn,
      name: recorded.name,
      account: '644160558196',
      location: 'us-east-1',
    };
    const look = await session.describe(of, undefined, plainContext);
    expect(look).toEqual({
      evidence: { operation: 'BatchGetProjects', status: 200, requestId: 'request-1', attempts: 1 },
      consumer: {
        ...of,
        tags: { Environment: 'Test' },
        uses: [],
        createdAt: 1_602_067_179_814,
        attributes: {
          buildspec: 'source',
          encryptionKey: 'alias/aws/s3',
          serviceRole: 'arn:aws:iam::644160558196:role/example',
          modifiedAt: 1_602_067_179_814,
          imagePullCredentials: 'CODEBUILD',
        },
      },
    });
    expect(JSON.stringify(look)).not.toContain('SOME_VALUE');
  });

  it('uses the secrets of its variables, in every form of a reference', async () => {
    const uses = await usesOf(
      environment({
        NAME: 'SECRET:prod/db',
        FULL: `SECRET:${SECRETS}prod/db-AbCdEf`,
        PARTIAL: `SECRET:${SECRETS}prod/db`,
        KEY: 'SECRET:prod/db:password',
        STAGE: 'SECRET:prod/db::AWSPREVIOUS',
        CURRENT: 'SECRET:prod/db::AWSCURRENT',
        PINNED: `SECRET:prod/db:password::${VERSION}`,
        PLAIN: 'prod/db',
        PARAMETER: 'PARAMETER:prod/db',
      }),
    );
    const role = 'environment';
    const name = `${SECRETS}prod/db`;
    expect(uses).toEqual([
      {
        resource: name,
        pinned: false,
        role,
        part: 'variable CURRENT',
        attributes: { reference: 'name', stage: 'AWSCURRENT' },
      },
      { resource: `${name}-AbCdEf`, pinned: false, role, part: 'variable FULL', attributes: { reference: 'arn' } },
      { resource: name, pinned: false, role, part: 'variable KEY', attributes: { reference: 'name', jsonKey: true } },
      { resource: name, pinned: false, role, part: 'variable NAME', attributes: { reference: 'name' } },
      { resource: name, pinned: false, role, part: 'variable PARTIAL', attributes: { reference: 'arn' } },
      {
        resource: name,
        versionInUse: VERSION,
        pinned: true,
        role,
        part: 'variable PINNED',
        attributes: { reference: 'name', jsonKey: true },
      },
      { resource: name, role, part: 'variable STAGE', attributes: { reference: 'name', stage: 'AWSPREVIOUS' } },
    ]);
  });

  it('uses the secrets and the key of a buildspec that it holds', async () => {
    const buildspec = JSON.stringify({
      env: {
        'secrets-manager': { DB: 'prod/db:user' },
        variables: { CODEBUILD_KMS_KEY_ID: 'alias/builds', X: CANARY },
      },
    });
    const facts = await factsOf({ source: { type: 'NO_SOURCE', buildspec } });
    expect(facts.uses).toEqual([
      { resource: `${KMS}alias/builds`, role: 'build-key', part: 'variable CODEBUILD_KMS_KEY_ID' },
      {
        resource: `${SECRETS}prod/db`,
        pinned: false,
        role: 'buildspec',
        part: 'buildspec variable DB',
        attributes: { reference: 'name', jsonKey: true },
      },
    ]);
    expect(facts.attributes).toMatchObject({ buildspec: 'inline', buildKeyVariables: 'CODEBUILD_KMS_KEY_ID' });
  });

  it('uses the credential for its registry, by name or by ARN', async () => {
    const registry = (credential: string, credentialProvider?: string) =>
      usesOf(environment({}, { registryCredential: { credential, credentialProvider } }));
    const use = { pinned: false, role: 'registry', part: 'registry credential' };
    expect(await registry('dockerhub', 'SECRETS_MANAGER')).toEqual([
      { ...use, resource: `${SECRETS}dockerhub`, attributes: { reference: 'name' } },
    ]);
    expect(await registry(`${SECRETS}dockerhub-AbCdEf`, 'SECRETS_MANAGER')).toEqual([
      { ...use, resource: `${SECRETS}dockerhub-AbCdEf`, attributes: { reference: 'arn' } },
    ]);
    expect(await registry('dockerhub', 'SOMETHING_NEW')).toEqual([]);
  });

  it.each([
    ['CODEBUILD_KMS_KEY_ID', `${KMS}key/${KEY_ID}`, `${KMS}key/${KEY_ID}`],
    // The spelling of the document.
    ['CODEBUILD_KMS_KEY', 'alias/builds', `${KMS}alias/builds`],
    ['CODEBUILD_KMS_KEY', KEY_ID, `${KMS}key/${KEY_ID}`],
  ])('uses the key that %s names as %s', async (name, value, resource) => {
    expect(await usesOf(environment({ [name]: value }))).toEqual([
      { resource, role: 'build-key', part: `variable ${name}` },
    ]);
  });

  it('keeps nothing of what stands where a key or secret is to be named and is none', async () => {
    const facts = await factsOf(
      environment({
        CODEBUILD_KMS_KEY_ID: CANARY,
        URL: `SECRET:postgres://user:${CANARY}@db`,
        JSON: `SECRET:{"password":"${CANARY}"}`,
      }),
    );
    expect(facts.uses).toEqual([]);
    expect(facts.attributes.unreadable).toBe('variable URL, variable JSON, variable CODEBUILD_KMS_KEY_ID');
    expect(JSON.stringify(facts)).not.toContain(CANARY);
  });

  it('names twenty of its unreadable parts and counts the rest', async () => {
    const many = Object.fromEntries(Array.from({ length: 23 }, (_, at) => [`V${at}`, 'SECRET:not a name']));
    expect((await factsOf(environment(many))).attributes.unreadable).toMatch(/^variable V0, .*variable V19, 3 more$/);
  });

  it('uses its encryption key for all that it stores', async () => {
    const key = { encryptionKey: `${KMS}alias/builds` };
    const resource = `${KMS}alias/builds`;
    expect(await usesOf(key)).toEqual([{ resource, role: 'artifacts', part: 'encryption key' }]);
    const stored = {
      ...key,
      artifacts: { type: 'S3', location: 'bucket' },
      cache: { type: 'S3', location: 'bucket/cache' },
      logsConfig: { s3Logs: { status: 'ENABLED', location: 'bucket/logs' } },
    };
    expect(await usesOf(stored)).toEqual([
      { resource, role: 'artifacts', part: 'output artifacts' },
      { resource, role: 'cache', part: 'cache' },
      { resource, role: 'logs', part: 'S3 logs' },
    ]);
    const plain = {
      ...stored,
      artifacts: { type: 'S3', location: 'bucket', encryptionDisabled: true },
      secondaryArtifacts: [{ type: 'S3', location: 'bucket', artifactIdentifier: 'site', encryptionDisabled: true }],
      logsConfig: { s3Logs: { status: 'ENABLED', location: 'bucket/logs', encryptionDisabled: true } },
    };
    const facts = await factsOf(plain);
    expect(facts.uses).toEqual([{ resource, role: 'cache', part: 'cache' }]);
    expect(facts.attributes.unencrypted).toBe('output artifacts, secondary artifacts site, S3 logs');
  });

  it.each([[undefined], [''], ['alias/aws/s3'], [`${KMS}alias/aws/s3`]])(
    'with %s for its encryption key has the default of its account, which nobody can take away',
    async (encryptionKey) => {
      const facts = await factsOf({ encryptionKey, artifacts: { type: 'S3' }, cache: { type: 'S3' } });
      expect(facts.uses).toEqual([]);
      expect(facts.attributes.encryptionKey).toBe('alias/aws/s3');
    },
  );

  it.each([
    ['aws/codebuild/standard:7.0', undefined],
    ['node:24', undefined],
    ['team/image', undefined],
    [`${ACCOUNT}.dkr.ecr.${REGION}.amazonaws.com/x:1`, undefined],
    ['public.ecr.aws/docker/library/node:24', undefined],
    ['ghcr.io/team/image:1', 'ghcr.io'],
    ['registry.example.com:5000/image', 'registry.example.com:5000'],
    ['localhost:5000/x', 'localhost:5000'],
    [`user:${CANARY}@example.com/x`, undefined],
  ])('with the image %s pulls it from %s', async (image, registry) => {
    expect((await factsOf(environment({}, { image }))).attributes.registry).toBe(registry);
  });

  it('that is not there any more is not found, as CodeBuild says it and as emulators do', async () => {
    for (const body of [{ projects: [], projectsNotFound: ['web'] }, { projects: [] }]) {
      wire.on('BatchGetProjects', { body });
      expect(await session.describe(stub, undefined, plainContext)).toMatchObject({
        failure: { reason: 'not_found', evidence: { operation: 'BatchGetProjects', status: 200 } },
      });
    }
  });

  it.each<[string, object]>([
    ['nothing', {}],
    ['no project, and that none is missing', { projects: [], projectsNotFound: [] }],
    ['another project', { projects: [wireProject('other')] }],
  ])('of which the answer holds %s is no loss', async (_, body) => {
    wire.on('BatchGetProjects', { body });
    await expect(session.describe(stub, undefined, plainContext)).rejects.toThrow('BatchGetProjects answered about');
  });
});
