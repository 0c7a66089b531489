import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ConsumerFacts, ConsumerStub } from '../../../src/core/model.ts';
import { mediaConnect } from '../../../src/providers/aws/mediaconnect/index.ts';
import type { Connection, ListContext, ServiceSession } from '../../../src/providers/provider.ts';
import { ACCOUNT, openSession, REGION, restError, startWire, undeclared, type Wire } from '../../fixtures/aws-wire.ts';
import { listAll, plainContext } from '../../fixtures/context.ts';

const OTHER = '444455556666';
const CANARY = '0f1e2d3c4b5a69788796a5b4c3d2e1f0';
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

async function failure() {
  const error = await session.describe(stub, undefined, plainContext).catch((thrown: unknown) => thrown);
  return connection.classify(error, 'outer');
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

describe('the listing', () => {
  it('tells of every flow on every page that it exists', async () => {
    const listed = (name: string) => ({ flowArn: arn('flow', name), name, sourceType: 'OWNED', status: 'ACTIVE' });
    wire.on(
      'ListFlows',
      { body: { flows: [listed('A'), listed('B')], nextToken: 'more/+=' } },
      { body: { flows: [], nextToken: 'last' } },
      { body: { flows: [listed('C')] } },
    );
    const { listed: items, outcome } = await listAll(session);
    expect(items).toEqual(
      ['A', 'B', 'C'].map((name) => ({ stub: { ...stub, resource: arn('flow', name), name }, digest: '' })),
    );
    expect(outcome).toEqual({ complete: true, exclusive: false });
    expect(wire.asked('ListFlows').map(({ parameters }) => parameters)).toEqual([
      { maxResults: '100' },
      { maxResults: '100', nextToken: 'more/+=' },
      { maxResults: '100', nextToken: 'last' },
    ]);
    expect(wire.asked('ListEntitlements')).toEqual([]);
  });

  it.each([
    ['a token that comes back', { flows: [], nextToken: 'again' }],
    ['a flow without an ARN', { flows: [{ name: 'A' }] }],
    ['a flow that is none', { flows: [{ flowArn: arn('flow', 'A').replace('mediaconnect', 'kms') }] }],
    ['no object at all', { flows: [null] }],
    ['a flow of another account', { flows: [{ flowArn: arn('flow', 'A', OTHER) }] }],
  ])('fails rather than mislead: %s', async (_what, body) => {
    wire.on('ListFlows', { body });
    await expect(listAll(session)).rejects.toMatchObject({ name: 'BadAnswer' });
  });

  it('is never a loss when it is refused', async () => {
    for (const [answer, reason] of [
      [restError('ForbiddenException', 'no', 403), 'denied'],
      [restError('NotFoundException', 'no', 404), 'bad_response'],
      [restError('TooManyRequestsException', 'slow', 429), 'throttled'],
    ] as const) {
      wire.on('ListFlows', answer);
      const error = await listAll(session).catch((thrown: unknown) => thrown);
      expect(connection.classify(error, 'outer').reason).toBe(reason);
    }
  });

  it('watches what the configuration lets in', async () => {
    await connection[Symbol.asyncDispose]();
    ({ connection, session } = await openSession(wire, 'mediaconnect', { include: ['live-*'], exclude: ['*-test'] }));
    const watched = ['live-a', 'live-test', 'vod'].filter((name) => session.watches({ ...stub, name }));
    expect(watched).toEqual(['live-a']);
    expect(session.watches({ ...stub, name: 'live-a', account: OTHER })).toBe(false);
    expect(session.watches({ ...stub, name: 'live-a', kind: 'codebuild-project' })).toBe(false);
  });
});

describe('a flow', () => {
  it('names every use of a key: sources, outputs, entitlements, and the way to a router', async () => {
    flow({
      source: source('Cam', { decryption: staticKey('cam') }),
      sources: [
        source('Cam', { transport: { protocol: 'zixi-pull' } }),
        source('Spare', {
          transport: { protocol: 'srt-caller' },
          decryption: { keyType: 'srt-password', roleArn: ROLE, secretArn: secret('spare') },
        }),
        source('Router', {
          routerIntegrationTransitDecryption: {
            encryptionKeyType: 'SECRETS_MANAGER',
            encryptionKeyConfiguration: { secretsManager: { secretArn: secret('transit'), roleArn: ROLE } },
          },
        }),
      ],
      outputs: [
        output('Test', { encryption: staticKey('test') }),
        output('Open'),
        output('Auto', {
          outputStatus: 'DISABLED',
          encryption: staticKey('auto'),
          routerIntegrationTransitEncryption: {
            encryptionKeyType: 'AUTOMATIC',
            encryptionKeyConfiguration: { automatic: {} },
          },
        }),
      ],
      entitlements: [
        {
          name: 'Static',
          entitlementArn: arn('entitlement', 'Static'),
          subscribers: [OTHER, '777788889999'],
          encryption: staticKey('static'),
        },
        { name: 'Open', entitlementArn: arn('entitlement', 'Open'), subscribers: [OTHER] },
      ],
    });
    const facts = await look();
    expect(facts).toMatchObject({
      resource: FLOW,
      name: 'Awards',
      state: 'ACTIVE',
      account: ACCOUNT,
      location: REGION,
    });
    expect(facts.uses.map(({ role, part, resource }) => [role, part, resource])).toEqual([
      ['source-decryption', 'source Cam', secret('cam')],
      ['source-decryption', 'source Spare', secret('spare')],
      ['transit-encryption', 'source Router', secret('transit')],
      ['output-encryption', 'output Test', secret('test')],
      ['output-encryption', 'output Auto', secret('auto')],
      ['entitlement-encryption', 'entitlement Static', secret('static')],
    ]);
    expect(facts.uses.map(({ attributes }) => attributes)).toEqual([
      {
        partArn: arn('source', 'Cam'),
        keyType: 'static-key',
        algorithm: 'aes128',
        protocol: 'zixi-pull',
        roleArn: ROLE,
      },
      { partArn: arn('source', 'Spare'), keyType: 'srt-password', protocol: 'srt-caller', roleArn: ROLE },
      { partArn: arn('source', 'Router'), keyType: 'transit', roleArn: ROLE },
      {
        partArn: arn('output', 'Test'),
        keyType: 'static-key',
        algorithm: 'aes128',
        protocol: 'zixi-push',
        roleArn: ROLE,
      },
      {
        partArn: arn('output', 'Auto'),
        keyType: 'static-key',
        algorithm: 'aes128',
        protocol: 'zixi-push',
        roleArn: ROLE,
        disabled: true,
      },
      {
        partArn: arn('entitlement', 'Static'),
        keyType: 'static-key',
        algorithm: 'aes128',
        roleArn: ROLE,
        entitlementArn: arn('entitlement', 'Static'),
        subscribers: `${OTHER} 777788889999`,
      },
    ]);
    expect(facts.attributes).toEqual({ sourceType: 'OWNED', plainEntitlements: arn('entitlement', 'Open') });
    expect(wire.asked('DescribeFlow').map(({ parameters }) => parameters)).toEqual([{ flowArn: FLOW }]);
  });

  it('takes the key type for a static key where none is given, and a word that nobody knows for unknown', async () => {
    flow({
      outputs: [
        output('A', { encryption: { roleArn: ROLE, secretArn: secret('a') } }),
        output('B', {
          encryption: { keyType: 'quantum', algorithm: 'aes512', roleArn: ROLE, secretArn: secret('b') },
          transport: { protocol: 'warp' },
        }),
      ],
    });
    const { uses } = await look();
    expect(uses[0]?.attributes).toMatchObject({ keyType: 'static-key' });
    expect(uses[1]?.attributes).toMatchObject({ keyType: 'unknown', algorithm: 'unknown', protocol: 'unknown' });
  });

  it('keeps no initialization vector, no part of a URL that may be a password, and nothing that is no ARN', async () => {
    flow(
      {
        outputs: [
          output('Pasted', {
            encryption: { keyType: 'static-key', algorithm: 'aes128', roleArn: ROLE, secretArn: CANARY },
          }),
        ],
        entitlements: [
          {
            name: 'Show',
            entitlementArn: arn('entitlement', 'Show'),
            encryption: {
              keyType: 'speke',
              roleArn: ROLE,
              url: `https://user:${CANARY}@1abcdefghi.execute-api.${REGION}.amazonaws.com/prod/speke?key=${CANARY}`,
              region: REGION,
              resourceId: 'movie',
              deviceId: 'device',
              constantInitializationVector: CANARY,
            },
          },
        ],
      },
      { errors: [`The encryption key ${CANARY} is wrong`] },
    );
    const facts = await look();
    expect(JSON.stringify(facts)).not.toContain(CANARY);
    expect(facts.uses).toEqual([
      {
        resource: `https://1abcdefghi.execute-api.${REGION}.amazonaws.com/prod/speke`,
        role: 'entitlement-encryption',
        part: 'entitlement Show',
        attributes: {
          partArn: arn('entitlement', 'Show'),
          keyType: 'speke',
          roleArn: ROLE,
          spekeRegion: REGION,
          resourceId: 'movie',
          deviceId: 'device',
          hasIv: true,
          entitlementArn: arn('entitlement', 'Show'),
        },
      },
    ]);
    expect(facts.attributes).toMatchObject({
      withoutSecret: 'output Pasted',
      keyError: 'The encryption key … is wrong',
    });
  });

  it('says which parts encrypt without a key', async () => {
    flow({
      source: source('Cam', { decryption: { keyType: 'srt-password', roleArn: ROLE } }),
      outputs: [output('Test', { encryption: { roleArn: ROLE, secretArn: `arn:aws:kms:${REGION}:${ACCOUNT}:key/1` } })],
      entitlements: [{ name: 'Show', encryption: { keyType: 'speke', roleArn: ROLE, url: 'no url' } }],
    });
    const { uses, attributes } = await look();
    expect(uses).toEqual([]);
    expect(attributes).toEqual({
      sourceType: 'OWNED',
      withoutSecret: 'source Cam\noutput Test',
      withoutUrl: 'entitlement Show',
    });
  });

  it.each([
    ['nothing but its ARN', {}],
    ['nulls', { source: null, sources: null, outputs: null, entitlements: null, name: null, status: null }],
    ['other types', { source: 'x', sources: {}, outputs: [null, 1, []], entitlements: ['x'], status: 5 }],
  ])('is read with what there is: %s', async (_what, fields) => {
    flow(fields);
    expect((await look()).uses).toEqual([]);
  });

  it('is an answer that is not understood where it is another one or none', async () => {
    for (const body of [{}, { flow: {} }, { flow: { flowArn: arn('flow', 'Other') } }]) {
      wire.on('DescribeFlow', { body });
      await expect(session.describe(stub, undefined, plainContext)).rejects.toMatchObject({ name: 'BadAnswer' });
    }
  });

  it.each([
    [restError('NotFoundException', 'Flow arn:x not found.', 404), 'not_found'],
    [restError('NotFoundException', 'flow not found', 400), 'not_found'],
    [restError('ForbiddenException', 'no', 403), 'denied'],
    [restError('BadRequestException', 'no', 400), 'bad_response'],
    [restError('ServiceUnavailableException', 'no', 503), 'provider_error'],
    [{ status: 404, body: '<html>' }, 'bad_response'],
  ])('is gone only where MediaConnect says so', async (answer, reason) => {
    wire.on('DescribeFlow', answer);
    expect(await failure()).toMatchObject({ reason, evidence: { operation: 'DescribeFlow' } });
  });
});

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
