import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ConsumerStub } from '../../../src/core/model.ts';
import { codebuild } from '../../../src/providers/aws/codebuild/index.ts';
import type { Connection, ServiceSession } from '../../../src/providers/provider.ts';
import {
  ACCOUNT,
  openSession,
  REGION,
  startWire,
  undeclared,
  type Wire,
  type WireRequest,
} from '../../fixtures/aws-wire.ts';
import { arnOf, CANARY, environment, KMS, wireProject } from '../../fixtures/codebuild.ts';
import { listAll, plainContext } from '../../fixtures/context.ts';

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

/** Answers BatchGetProjects with a project of each name that it asks for. */
function allThere({ body }: WireRequest) {
  return { body: { projects: (body.names as string[]).map((name) => wireProject(name)), projectsNotFound: [] } };
}

describe('listing projects', () => {
  it('takes one call for each hundred names and one for what they are, and no look besides', async () => {
    const names = Array.from({ length: 250 }, (_, at) => `p${String(at).padStart(3, '0')}`);
    const pages = [names.slice(0, 100), names.slice(100, 200), names.slice(200)];
    wire.on(
      'ListProjects',
      { body: { projects: pages[0], nextToken: 'a' } },
      { body: { projects: pages[1], nextToken: 'b' } },
      { body: { projects: pages[2] } },
    );
    wire.on('BatchGetProjects', allThere);
    const { listed, outcome } = await listAll(session);
    expect(outcome).toEqual({ complete: true, exclusive: false });
    expect(listed.map(({ stub: { name } }) => name)).toEqual(names);
    expect(listed.every(({ told }) => told?.consumer.kind === 'codebuild-project')).toBe(true);
    expect(wire.asked('ListProjects').map(({ body }) => body)).toEqual([
      { sortBy: 'NAME' },
      { sortBy: 'NAME', nextToken: 'a' },
      { sortBy: 'NAME', nextToken: 'b' },
    ]);
    expect(wire.asked('BatchGetProjects').map(({ body }) => body.names)).toEqual(pages);
  });

  it('tells of each what a look would tell', async () => {
    const more = environment({ A: 'SECRET:prod/db' });
    wire.on('ListProjects', { body: { projects: ['web'] } });
    wire.on('BatchGetProjects', { body: { projects: [wireProject('web', more)], projectsNotFound: [] } });
    const [listed] = (await listAll(session)).listed;
    expect(listed?.stub).toEqual(stub);
    expect(listed?.told).toEqual(await session.describe(stub, undefined, plainContext));
  });

  it('misses what went between its two calls, without a word of it', async () => {
    wire.on('ListProjects', { body: { projects: ['web', 'gone'] } });
    wire.on('BatchGetProjects', { body: { projects: [wireProject('web')], projectsNotFound: ['gone'] } });
    expect((await listAll(session)).listed.map(({ stub: { name } }) => name)).toEqual(['web']);
  });

  it('asks about no project that is left out', async () => {
    await open({ include: ['prod-*'], exclude: ['*-tmp'] });
    wire.on(
      'ListProjects',
      { body: { projects: ['dev', 'prod-a', 'prod-b-tmp'], nextToken: 'x' } },
      { body: { projects: ['dev2'] } },
    );
    wire.on('BatchGetProjects', allThere);
    expect((await listAll(session)).listed.map(({ stub: { name } }) => name)).toEqual(['prod-a']);
    expect(wire.asked('BatchGetProjects').map(({ body }) => body.names)).toEqual([['prod-a']]);
    const watches = (name: string, account = ACCOUNT) => session.watches({ ...stub, name, account });
    expect([watches('prod-a'), watches('dev'), watches('prod-a', '999988887777')]).toEqual([true, false, false]);
  });

  it.each<[string, object, string]>([
    ['of another account', { arn: arnOf('web').replace(ACCOUNT, '999988887777') }, 'of another account'],
    ['without an ARN', { arn: undefined }, 'has no ARN'],
    ['with the ARN of something else', { arn: arnOf('web').replace('project/', 'report-group/') }, 'of something else'],
  ])('refuses a project %s', async (_, more, message) => {
    wire.on('ListProjects', { body: { projects: ['web'] } });
    wire.on('BatchGetProjects', { body: { projects: [wireProject('web', more)] } });
    const error = await listAll(session).catch((thrown: unknown) => thrown);
    const text = `${error} ${(error as Error).cause}`;
    expect(text).toContain(message);
    expect(text).not.toContain(CANARY);
  });

  it('refuses a token that comes back', async () => {
    wire.on('ListProjects', { body: { projects: [], nextToken: 'again' } });
    await expect(listAll(session)).rejects.toThrow('goes in a circle');
  });

  it.each<[string, object, boolean]>([
    ['another secret', environment({ A: 'SECRET:prod/other' }), true],
    ['another JSON key of it', environment({ A: 'SECRET:prod/db:user' }), true],
    ['another key', { encryptionKey: `${KMS}alias/builds` }, true],
    ['a tag', { tags: [{ key: 'team', value: 'video' }] }, true],
    ['another role', { serviceRole: `arn:aws:iam::${ACCOUNT}:role/other` }, true],
    ['that it was changed', { lastModified: 1_602_063_580 }, true],
    ['no other plaintext', environment({ A: 'SECRET:prod/db', B: `${CANARY}-2` }), false],
    ['no other description', { description: 'else' }, false],
  ])('its digest tells %s', async (_, more, changes) => {
    const before = environment({ A: 'SECRET:prod/db', B: CANARY });
    wire.on('ListProjects', { body: { projects: ['web'] } });
    const digest = async (fields: object) => {
      wire.on('BatchGetProjects', { body: { projects: [wireProject('web', fields)] } });
      return (await listAll(session)).listed[0]!.digest;
    };
    expect((await digest(before)) !== (await digest({ ...before, ...more }))).toBe(changes);
  });
});
