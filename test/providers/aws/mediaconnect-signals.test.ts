import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ConsumerFacts, ConsumerStub } from '../../../src/core/model.ts';
import { mediaConnect } from '../../../src/providers/aws/mediaconnect/index.ts';
import type { Connection, ListContext, ServiceSession } from '../../../src/providers/provider.ts';
import { ACCOUNT, openSession, REGION, restError, startWire, undeclared, type Wire } from '../../fixtures/aws-wire.ts';
import { listAll, plainContext } from '../../fixtures/context.ts';

const OTHER = '444455556666';
const ROLE = `arn:aws:iam::${ACCOUNT}:role/MediaConnect-ASM`;
const secret = (name: string) => `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:${name}-AbCdEf`;
const arn = (kind: string, name: string, account = ACCOUNT) =>
  `arn:aws:mediaconnect:${REGION}:${account}:${kind}:1-AbCdEfGhIjKlMnOp-abcdef123455:${name}`;
const FLOW = arn('flow', 'Awards');
const SHOW = arn('entitlement', 'Show', OTHER);
const stub: ConsumerStub = {
  resource: FLOW,
  kind: 'mediaconnect-flow',
  name: 'Awards',
  provider: 'aws',
  account: ACCOUNT,
  location: REGION,
};

let wire: Wire;
let connection: Connection;
let session: ServiceSession;
beforeEach(async () => {
  vi.spyOn(Math, 'random').mockReturnValue(0);
  wire = await startWire();
  ({ connection, session } = await openSession(wire, 'mediaconnect'));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await connection[Symbol.asyncDispose]();
  expect(undeclared(wire, mediaConnect)).toEqual([]);
  await wire[Symbol.asyncDispose]();
});

function flow(fields: object, messages?: object): void {
  const body = { flow: { flowArn: FLOW, name: 'Awards', status: 'ACTIVE', ...fields }, ...(messages && { messages }) };
  wire.on('DescribeFlow', { body });
}

async function look(): Promise<ConsumerFacts> {
  const described = await session.describe(stub, undefined, plainContext);
  if (!('consumer' in described)) throw new Error('a flow is a consumer');
  return described.consumer;
}

const staticKey = (name: string) => ({
  keyType: 'static-key',
  algorithm: 'aes128',
  roleArn: ROLE,
  secretArn: secret(name),
});
const output = (name: string, more: object = {}) => ({
  name,
  outputArn: arn('output', name),
  transport: { protocol: 'zixi-push' },
  ...more,
});
const source = (name: string, more: object = {}) => ({ name, sourceArn: arn('source', name), ...more });

describe('what MediaConnect reports', () => {
  const denied = (name: string, kind = 'output', key = 'test') =>
    `Permission denied accessing encryption key for ${kind} ${name}. Removing ${kind} until it is fixed (secret ${secret(key)}, role ${ROLE})`;

  it('belongs to the part that it names', async () => {
    flow(
      {
        outputs: [
          output('Test', { encryption: staticKey('test') }),
          output('Other', { encryption: staticKey('test') }),
        ],
      },
      { errors: [denied('Test'), 'The source is not connected.'] },
    );
    const { uses, attributes } = await look();
    expect(uses[0]?.attributes).toMatchObject({ reported: 'denied', reportedText: denied('Test') });
    expect(uses[1]?.attributes).not.toHaveProperty('reported');
    expect(attributes).toEqual({ sourceType: 'OWNED', errors: 2 });
  });

  it('is understood for names with a full stop, and for secrets that are named without their last six characters', async () => {
    flow(
      { outputs: [output('Cam 1. Main', { encryption: staticKey('test') })] },
      { errors: [denied('Cam 1. Main').replace('-AbCdEf', '')] },
    );
    const { uses } = await look();
    expect(uses).toHaveLength(1);
    expect(uses[0]?.attributes).toMatchObject({ reported: 'denied' });
  });

  it('keeps the key in sight of an output that was removed for it', async () => {
    flow({ outputs: [] }, { errors: [denied('Test')] });
    expect((await look()).uses).toEqual([
      {
        resource: secret('test'),
        role: 'output-encryption',
        part: 'output Test',
        attributes: { roleArn: ROLE, removed: true, reported: 'denied', reportedText: denied('Test') },
      },
    ]);
  });

  it.each(['source', 'entitlement'])('tells of a %s just so', async (kind) => {
    flow({}, { errors: [denied('Test', kind)] });
    expect((await look()).uses[0]).toMatchObject({ part: `${kind} Test` });
  });

  it.each([
    "The decryption or encryption information for the flow isn't valid.",
    "MediaConnect can't contact the CA platform key provider.",
  ])('is kept of the flow where it names no part: %s', async (text) => {
    flow({}, { errors: [text] });
    expect((await look()).attributes).toMatchObject({ keyError: text, errors: 1 });
  });

  it('is no word on keys where it speaks of something else, and nothing where it is no list of texts', async () => {
    flow({}, { errors: ['The source is not connected.'] });
    expect((await look()).attributes).toEqual({ sourceType: 'OWNED', errors: 1 });
    flow({}, { errors: [null, 5, { encryption: 'x' }] });
    expect((await look()).attributes).toEqual({ sourceType: 'OWNED' });
    flow({}, { errors: 'encryption' });
    expect((await look()).attributes).toEqual({ sourceType: 'OWNED' });
  });

  it('is cut where it never ends', async () => {
    flow({}, { errors: [`encryption ${'for output a '.repeat(100_000)}`] });
    expect(String((await look()).attributes.keyError)).toHaveLength(500);
  });
});

describe('both ends of an entitlement', () => {
  const subscriber = (more: object = {}) => flow({ source: source('Show', { entitlementArn: SHOW, ...more }) });
  const originator = (encryption?: object): ConsumerFacts => ({
    ...stub,
    resource: arn('flow', 'Origin', OTHER),
    account: OTHER,
    tags: {},
    uses: encryption
      ? [{ resource: 'x', role: 'entitlement-encryption', attributes: { partArn: SHOW, ...encryption } }]
      : [],
    attributes: encryption ? {} : { plainEntitlements: `${arn('entitlement', 'Other', OTHER)}\n${SHOW}` },
  });
  const sweep = async (consumers: readonly ConsumerFacts[] = [], context: Partial<ListContext> = {}) => {
    wire.on('ListFlows', { body: { flows: [{ flowArn: FLOW, name: 'Awards', sourceType: 'ENTITLED' }] } });
    await listAll(session, { consumers: () => consumers, ...context });
    return look();
  };
  const granted = (...arns: string[]) =>
    wire.on('ListEntitlements', {
      body: { entitlements: arns.map((entitlementArn) => ({ entitlementArn, entitlementName: 'x' })) },
    });

  it('are compared where the originator is watched too', async () => {
    granted(SHOW);
    subscriber({ decryption: staticKey('show') });
    const { uses, attributes } = await sweep([originator({ keyType: 'static-key', algorithm: 'aes256' })]);
    expect(attributes).toEqual({ sourceType: 'ENTITLED' });
    expect(uses[0]?.attributes).toMatchObject({
      entitlementArn: SHOW,
      originatorKeyType: 'static-key',
      originatorAlgorithm: 'aes256',
    });
    expect((await sweep([originator()])).uses[0]?.attributes).toMatchObject({ originatorKeyType: 'none' });
    expect((await sweep()).uses[0]?.attributes).not.toHaveProperty('originatorKeyType');
  });

  it('without decryption differ by what the originator does', async () => {
    granted(SHOW);
    subscriber();
    expect((await sweep([originator({ keyType: 'speke' })])).attributes).toEqual({
      sourceType: 'ENTITLED',
      undecrypted: 'source Show',
    });
    expect((await sweep([originator()])).attributes).toEqual({ sourceType: 'ENTITLED' });
    expect((await sweep()).attributes).toEqual({ sourceType: 'ENTITLED', undecryptedUnseen: 'source Show' });
  });

  it('tell of an entitlement that is not granted any more, by a whole list only', async () => {
    subscriber({ decryption: staticKey('show') });
    wire.on(
      'ListEntitlements',
      { body: { entitlements: [{ entitlementArn: arn('entitlement', 'Other', OTHER) }], nextToken: 'more' } },
      { body: { entitlements: [] } },
    );
    expect((await sweep()).attributes).toEqual({ sourceType: 'ENTITLED', revoked: 'source Show' });
    expect(wire.asked('ListEntitlements').map(({ parameters }) => parameters)).toEqual([
      { maxResults: '20' },
      { maxResults: '20', nextToken: 'more' },
    ]);
    granted(SHOW);
    expect((await sweep()).attributes).toEqual({ sourceType: 'ENTITLED' });
  });

  it.each([
    ['a refusal', restError('ForbiddenException', 'no', 403)],
    ['a service that has no such call', { status: 404, body: '<html>' }],
    ['a list that goes in a circle', { body: { entitlements: [], nextToken: 'again' } }],
  ])('stay as they are after %s: the flows are listed all the same', async (_what, answer) => {
    subscriber({ decryption: staticKey('show') });
    wire.on('ListEntitlements', answer);
    expect((await sweep()).attributes).toEqual({ sourceType: 'ENTITLED' });
  });
});
