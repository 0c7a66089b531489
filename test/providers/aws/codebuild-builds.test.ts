import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ConsumerFacts, ConsumerStub } from '../../../src/core/model.ts';
import { classify } from '../../../src/providers/aws/classify.ts';
import { codebuild } from '../../../src/providers/aws/codebuild/index.ts';
import type { Connection, ServiceSession } from '../../../src/providers/provider.ts';
import {
  ACCOUNT,
  awsError,
  openSession,
  REGION,
  startWire,
  undeclared,
  type Wire,
  type WireRequest,
} from '../../fixtures/aws-wire.ts';
import { arnOf, CANARY, environment, SECRETS, wireProject } from '../../fixtures/codebuild.ts';
import { listAll, plainContext } from '../../fixtures/context.ts';

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

/** Answers BatchGetProjects with a project of each name that it asks for. */
function allThere({ body }: WireRequest) {
  return { body: { projects: (body.names as string[]).map((name) => wireProject(name)), projectsNotFound: [] } };
}

describe('an error', () => {
  it.each<[string, string, string, number]>([
    ['AccessDeniedException', 'User: x is not authorized to perform: codebuild:BatchGetProjects', 'denied', 400],
    ['ThrottlingException', 'Rate exceeded', 'throttled', 400],
    ['InvalidInputException', 'Invalid project ARN', 'bad_response', 400],
    // A listing has no object that could be lost, and a batch names what is missing in a good answer.
    ['ResourceNotFoundException', 'Project cannot be found', 'bad_response', 400],
    ['InternalFailure', 'oops', 'provider_error', 500],
  ])('%s is %s of the source', async (code, message, reason, status) => {
    wire.on('BatchGetProjects', awsError(code, message, status));
    const error = await session.describe(stub, undefined, plainContext).catch((thrown: unknown) => thrown);
    expect(classify(error, 'BatchGetProjects').reason).toBe(reason);
  });

  it.each<[string, object]>([
    ['that is no JSON', { body: `{"projects":[{"name":"${CANARY}` }],
    ['with a value of the wrong type', { body: { projects: [wireProject('web', { created: { x: CANARY } })] } }],
    [
      'with an object for a text',
      {
        body: {
          projects: [
            wireProject(
              'web',
              environment({}, { environmentVariables: [{ name: 'A', value: { x: CANARY }, type: 'SECRETS_MANAGER' }] }),
            ),
          ],
        },
      },
    ],
    [
      'with an object for a buildspec',
      { body: { projects: [wireProject('web', { source: { buildspec: { x: CANARY } } })] } },
    ],
    ['with an object for an ARN', { body: { projects: [wireProject('web', { arn: [CANARY] })] } }],
    ['that ends in the middle', { body: `{"projects":["${CANARY}`, ending: 'reset' as const }],
  ])('from an answer %s quotes nothing of it', async (_, answer) => {
    wire.on('BatchGetProjects', answer);
    const outcome = await session.describe(stub, undefined, plainContext).then(
      (look) => look,
      (error: unknown) => classify(error, 'BatchGetProjects'),
    );
    expect(JSON.stringify(outcome)).not.toContain(CANARY);
  });
});

describe('a canary', () => {
  it('in plaintext, parameters, buildspec, source and description is in nothing that a session gives', async () => {
    const buildspec = `version: 0.2
env:
  variables: { A: "${CANARY}" }
  secrets-manager: { DB: "prod/db:${CANARY}" }
phases: { build: { commands: ["echo ${CANARY}"] } }
`;
    const more = {
      ...environment({
        PLAIN: CANARY,
        OTHER: `PARAMETER:${CANARY}`,
        CODEBUILD_KMS_KEY: CANARY,
        DB: `SECRET:prod/db:${CANARY}`,
        BAD: `SECRET:not a name ${CANARY}`,
      }),
      source: {
        type: 'GITHUB',
        location: `https://${CANARY}@example.com/x.git`,
        buildspec,
        auth: { type: 'SECRETS_MANAGER', resource: CANARY },
      },
      secondarySources: [{ type: 'GITHUB', location: CANARY, sourceIdentifier: 'x', buildspec }],
      webhook: { url: `https://example.com/${CANARY}`, secret: CANARY },
      vpcConfig: { vpcId: CANARY },
    };
    wire.on('ListProjects', { body: { projects: ['web'] } });
    wire.on('BatchGetProjects', { body: { projects: [wireProject('web', more)], projectsNotFound: [] } });
    const { listed } = await listAll(session);
    const look = await session.describe(stub, undefined, plainContext);
    const everything = JSON.stringify([listed, look]);
    expect(everything).toContain('variable DB');
    expect(everything).not.toContain(CANARY);
  });
});

describe('builds: true', () => {
  const BUILD = `web:${VERSION}`;
  const at = 1_763_640_000;
  const build = (number: number, more: object = {}) => ({
    id: `${BUILD}${number}`,
    projectName: 'web',
    buildNumber: number,
    buildComplete: true,
    startTime: at - 60,
    endTime: at,
    environment: { environmentVariables: [{ name: 'A', value: CANARY, type: 'PLAINTEXT' }] },
    phases: [{ phaseType: 'DOWNLOAD_SOURCE', phaseStatus: 'SUCCEEDED' }],
    ...more,
  });
  const failed = (statusCode: string, message: string, phaseType = 'DOWNLOAD_SOURCE') => ({
    phases: [{ phaseType, phaseStatus: 'FAILED', contexts: [{ statusCode, message }] }],
  });
  const refused = `AccessDeniedException: User: arn:aws:sts::${ACCOUNT}:assumed-role/builder/AWSCodeBuild-x is not authorized to perform: secretsmanager:GetSecretValue on resource: ${SECRETS}prod/db-AbCdEf because ${CANARY}`;

  async function builtFacts(...builds: object[]): Promise<ConsumerFacts['attributes']> {
    await open({ builds: true });
    wire.on('ListBuildsForProject', { body: { ids: builds.map((_, index) => `${BUILD}${index}`) } });
    wire.on('BatchGetBuilds', { body: { builds } });
    return (await factsOf()).attributes;
  }

  it('off, which is the default, asks for none', async () => {
    await factsOf();
    expect(wire.asked('ListBuildsForProject')).toEqual([]);
    expect((await factsOf()).attributes).not.toHaveProperty('builds');
  });

  it('tells that the last build was refused a secret, its code and the secret, and nothing else of the message', async () => {
    const attributes = await builtFacts(build(7, failed('Secrets Manager Error', refused)));
    expect(attributes).toMatchObject({
      builds: 'watched',
      buildError: 'AccessDeniedException',
      buildErrorKey: `${SECRETS}prod/db-AbCdEf`,
      buildErrorAt: at * 1000,
    });
    expect(JSON.stringify(attributes)).not.toContain(CANARY);
    expect(wire.asked('ListBuildsForProject').map(({ body }) => body)).toEqual([{ projectName: 'web' }]);
  });

  it.each<[string, object, string | undefined]>([
    [
      'another error of Secrets Manager',
      failed('Secrets Manager Error', 'ResourceNotFoundException: can’t find it'),
      'ResourceNotFoundException',
    ],
    ['one that it does not know', failed('Secrets Manager Error', `${CANARY} ${CANARY}`), 'unknown'],
    [
      'an upload that the key refused',
      failed('CLIENT_ERROR', `Error: KMS.DisabledException: ${CANARY}`, 'UPLOAD_ARTIFACTS'),
      'KMS.DisabledException',
    ],
    [
      'a command that failed',
      failed('COMMAND_EXECUTION_ERROR', `Error while executing command: ${CANARY}`, 'BUILD'),
      undefined,
    ],
    ['a build that went well', {}, undefined],
  ])('knows %s', async (_, more, error) => {
    const attributes = await builtFacts(build(7, more));
    expect(attributes.buildError).toBe(error);
    expect(JSON.stringify(attributes)).not.toContain(CANARY);
  });

  it('knows the secret by its name where the error has only that', async () => {
    const named = refused.replace(`${SECRETS}prod/db-AbCdEf`, 'prod/db');
    const attributes = await builtFacts(
      build(7, {
        arn: `arn:aws:codebuild:${REGION}:${ACCOUNT}:build/${BUILD}`,
        ...failed('Secrets Manager Error', named),
      }),
    );
    expect(attributes.buildErrorKey).toBe(`${SECRETS}prod/db`);
  });

  it('goes by the newest build that tells anything', async () => {
    const broken = failed('Secrets Manager Error', refused);
    const going = { buildComplete: false, endTime: undefined };
    const stopped = { phases: [{ phaseType: 'QUEUED', phaseStatus: 'STOPPED' }] };
    expect((await builtFacts(build(9, going), build(8, stopped), build(7, broken))).buildError).toBe(
      'AccessDeniedException',
    );
    expect((await builtFacts(build(7, broken), build(9, going), build(8))).buildError).toBeUndefined();
    expect((await builtFacts(build(9, { ...going, ...broken }), build(8))).buildError).toBe('AccessDeniedException');
    expect((await builtFacts()).buildError).toBeUndefined();
  });

  it('asks for the newest five of each project, a hundred in one call', async () => {
    await open({ builds: true });
    const names = Array.from({ length: 30 }, (_, index) => `p${index}`);
    wire.on('ListProjects', { body: { projects: names } });
    wire.on('BatchGetProjects', allThere);
    wire.on('ListBuildsForProject', ({ body }) => ({
      body: { ids: Array.from({ length: 100 }, (_, index) => `${body.projectName}:${index}`), nextToken: 'more' },
    }));
    wire.on('BatchGetBuilds', { body: { builds: [] } });
    await listAll(session);
    expect(wire.asked('ListBuildsForProject')).toHaveLength(30);
    expect(wire.asked('BatchGetBuilds').map(({ body }) => (body.ids as string[]).length)).toEqual([100, 50]);
    expect((wire.asked('BatchGetBuilds')[0]!.body.ids as string[]).filter((id) => id.startsWith('p0:'))).toEqual(
      [0, 1, 2, 3, 4].map((index) => `p0:${index}`),
    );
  });

  it('refused says so, and does not cost the projects', async () => {
    await open({ builds: true });
    wire.on('ListBuildsForProject', awsError('AccessDeniedException', 'not authorized'));
    expect((await factsOf()).attributes).toMatchObject({ builds: 'denied' });
    wire.on('ListBuildsForProject', awsError('ResourceNotFoundException', 'Project cannot be found: x'));
    expect((await factsOf()).attributes).toMatchObject({ builds: 'watched' });
    wire.on('ListBuildsForProject', awsError('ThrottlingException', 'Rate exceeded'));
    await expect(factsOf()).rejects.toThrow('ListBuildsForProject failed');
  });
});
