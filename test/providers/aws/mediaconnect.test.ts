import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ConsumerFacts, ConsumerStub } from '../../../src/core/model.ts';
import { mediaConnect } from '../../../src/providers/aws/mediaconnect/index.ts';
import type { Connection, ServiceSession } from '../../../src/providers/provider.ts';
import { ACCOUNT, openSession, REGION, restError, startWire, undeclared, type Wire } from '../../fixtures/aws-wire.ts';
import { listAll, plainContext } from '../../fixtures/context.ts';

const OTHER = '444455556666';
const CANARY = '0f1e2d3c4b5a69788796a5b4c3d2e1f0';
const ROLE = `arn:aws:iam::${ACCOUNT}:role/MediaConnect-ASM`;
const secret = (name: string) => `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:${name}-AbCdEf`;
const arn = (kind: string, name: string, account = ACCOUNT) =>
  `arn:aws:mediaconnect:${REGION}:${account}:${kind}:1-AbCdEfGhIjKlMnOp-abcdef123455:${name}`;
const FLOW = arn('flow', 'Awards');
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
