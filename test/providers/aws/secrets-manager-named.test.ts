import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { KeyFacts } from '../../../src/core/model.ts';
import { classify } from '../../../src/providers/aws/classify.ts';
import { secretsManager } from '../../../src/providers/aws/secrets-manager/index.ts';
import type { ServiceSession } from '../../../src/providers/provider.ts';
import { ACCOUNT, awsError, openSession, REGION, startWire, undeclared, type Wire } from '../../fixtures/aws-wire.ts';
import { listAll, plainContext } from '../../fixtures/context.ts';

const NAME_ARN = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:prod/db`;
const ARN = `${NAME_ARN}-AbCdEf`;
const stub = {
  resource: ARN,
  kind: 'aws-secret',
  name: 'prod/db',
  provider: 'aws',
  account: ACCOUNT,
  location: REGION,
} as const;

let wire: Wire;
let session: ServiceSession;
let dispose: () => PromiseLike<void>;
beforeEach(async () => {
  wire = await startWire();
  const opened = await openSession(wire, 'secrets-manager');
  session = opened.session;
  dispose = () => opened.connection[Symbol.asyncDispose]();
});
afterEach(async () => {
  await dispose();
  expect(undeclared(wire, secretsManager)).toEqual([]);
  await wire[Symbol.asyncDispose]();
});

describe('a secret that is named but not listed', () => {
  const named = (tail: string) => `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:${tail}`;
  const gone = awsError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
  const nowhere = { ...stub, resource: named('prod/nowhere'), name: 'prod/nowhere' };
  const elsewhere = named('prod/x').replace(ACCOUNT, '999988887777');

  async function unlisted(referenced: readonly string[], known: readonly string[] = []) {
    wire.on('ListSecrets', { body: { SecretList: [{ ARN, Name: 'prod/db' }] } });
    const key = (name: string) => (known.includes(name) ? ({ resource: name } as KeyFacts) : undefined);
    const { listed } = await listAll(session, { referenced: () => referenced, key });
    return listed.slice(1).map((one) => one.stub);
  }

  it('is looked at all the same, unless it is known under that name, or is of another account or Region', async () => {
    const other = named('prod/x').replace(REGION, 'us-east-1');
    const kms = `arn:aws:kms:${REGION}:${ACCOUNT}:alias/x`;
    expect(await unlisted([ARN, NAME_ARN, nowhere.resource, elsewhere, other, kms])).toEqual([nowhere]);
    expect(await unlisted([nowhere.resource], [nowhere.resource])).toEqual([]);
    expect(await unlisted([named('prod/old-AbCdEf')])).toEqual([
      { ...stub, resource: named('prod/old-AbCdEf'), name: 'prod/old' },
    ]);
  });

  it('does not exist when Secrets Manager says so of its name, and of the ARN that it may be', async () => {
    await unlisted([nowhere.resource, named('prod/old-AbCdEf')]);
    wire.on('DescribeSecret', gone);
    const outcome = (resource: string) =>
      session.describe({ ...nowhere, resource }, undefined, plainContext).catch((error: unknown) => error);
    expect(classify(await outcome(nowhere.resource), 'DescribeSecret').reason).toBe('not_found');
    expect(classify(await outcome(named('prod/old-AbCdEf')), 'DescribeSecret').reason).toBe('not_found');
    expect(wire.asked('DescribeSecret').map(({ body }) => body.SecretId)).toEqual([
      'prod/nowhere',
      named('prod/old-AbCdEf'),
      'prod/old-AbCdEf',
    ]);
  });

  it('and exists has a record of its own, under its own ARN', async () => {
    await unlisted([nowhere.resource, named('foo-AbCdEf')]);
    wire.on('DescribeSecret', { body: { ARN: `${nowhere.resource}-XyZ123`, Name: 'prod/nowhere' } });
    expect(await session.describe(nowhere, undefined, plainContext)).toEqual({ foreign: 'other_name' });
    // The name of a secret may look like a complete ARN.
    wire.on('DescribeSecret', gone, { body: { ARN: named('foo-AbCdEf-XyZ123'), Name: 'foo-AbCdEf' } });
    expect(await session.describe({ ...nowhere, resource: named('foo-AbCdEf') }, undefined, plainContext)).toEqual({
      foreign: 'other_name',
    });
    // A complete ARN that a lagging listing does not show yet is the secret itself.
    const made = named('prod/made-AbCdEf');
    await unlisted([made]);
    wire.on('DescribeSecret', { body: { ARN: made, Name: 'prod/made' } });
    const look = await session.describe({ ...nowhere, resource: made, name: 'prod/made' }, undefined, plainContext);
    expect(look).toMatchObject({ facts: { resource: made } });
  });

  it('that nothing names any more is no matter of ours; one that was listed stays', async () => {
    await unlisted([nowhere.resource, named('prod/old-AbCdEf')]);
    await unlisted([]);
    wire.on('DescribeSecret', gone);
    for (const resource of [nowhere.resource, named('prod/old-AbCdEf')]) {
      expect(await session.describe({ ...nowhere, resource }, undefined, plainContext)).toEqual({
        foreign: 'never_was',
      });
    }
    await expect(session.describe(stub, undefined, plainContext)).rejects.toThrow('DescribeSecret failed');
  });

  it('is asked for again and again where the way there fails, and nothing is concluded', async () => {
    await unlisted([nowhere.resource]);
    wire.on('DescribeSecret', awsError('AccessDeniedException', 'not authorized'));
    const error = await session.describe(nowhere, undefined, plainContext).catch((thrown: unknown) => thrown);
    expect(classify(error, 'DescribeSecret').reason).toBe('denied');
  });
});
