import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AwsRegion } from '../../src/sandbox/aws/cloud.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { ACCOUNT, REGION } from './clients.ts';
import { mediaConnectOf, type Rest, segment } from './rest.ts';

const OTHER = '444455556666';
const SECRET = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:zixi-AbCdEf`;
const ROLE = `arn:aws:iam::${ACCOUNT}:role/media`;
const STATIC = { roleArn: ROLE, secretArn: SECRET, algorithm: 'aes128' } as const;
const SPEKE = {
  roleArn: ROLE,
  keyType: 'speke',
  url: `https://a1b2c3d4e5.execute-api.${REGION}.amazonaws.com/live/speke`,
  region: REGION,
  resourceId: 'show',
  deviceId: 'device',
};

type Part = Readonly<Record<string, unknown>>;
type Flow = {
  readonly flowArn: string;
  readonly status: string;
  readonly source: Part;
  readonly sources: readonly Part[];
  readonly outputs: readonly Part[];
  readonly entitlements: readonly Part[];
};

let sandbox: Sandbox;
let region: AwsRegion;
let rest: Rest;
let lead = 0;

beforeEach(async () => {
  lead = 0;
  sandbox = await startSandbox({ now: () => Date.now() + lead });
  region = sandbox.aws.account(ACCOUNT).region(REGION);
  rest = mediaConnectOf(sandbox);
});
afterEach(() => sandbox[Symbol.asyncDispose]());

async function create(fields: object): Promise<Flow> {
  const { status, body } = await rest('POST', '/v1/flows', { name: 'f', source: { name: 's' }, ...fields });
  expect(status).toBe(201);
  return (body as { flow: Flow }).flow;
}

async function describeFlow(arn: string): Promise<Flow> {
  return ((await rest('GET', `/v1/flows/${segment(arn)}`)).body as { flow: Flow }).flow;
}

async function statusOf(arn: string): Promise<string> {
  return (await describeFlow(arn)).status;
}

describe('flows', () => {
  test('a flow is made with every kind of encryption, and shown as it was made', async () => {
    const made = await create({
      name: 'show',
      source: { name: 'in', protocol: 'zixi-push', decryption: STATIC, whitelistCidr: '10.0.0.0/8', ingestPort: 2088 },
      outputs: [
        {
          name: 'Test',
          protocol: 'srt-listener',
          port: 5000,
          encryption: { roleArn: ROLE, secretArn: SECRET, keyType: 'srt-password' },
        },
        {
          name: 'router',
          routerIntegrationState: 'ENABLED',
          routerIntegrationTransitEncryption: {
            encryptionKeyType: 'SECRETS_MANAGER',
            encryptionKeyConfiguration: { secretsManager: { secretArn: SECRET, roleArn: ROLE } },
          },
        },
      ],
      entitlements: [{ name: 'grant', subscribers: [OTHER], encryption: SPEKE }],
    });
    const id = '1-[A-Za-z0-9]{16}-[0-9a-f]{12}';
    expect(made.flowArn).toMatch(new RegExp(`^arn:aws:mediaconnect:${REGION}:${ACCOUNT}:flow:${id}:show$`));
    const shared = made.flowArn.split(':')[6];
    expect(made.source).toEqual({
      name: 'in',
      sourceArn: `arn:aws:mediaconnect:${REGION}:${ACCOUNT}:source:${shared}:in`,
      decryption: { ...STATIC, keyType: 'static-key' },
      ingestPort: 2088,
      whitelistCidr: '10.0.0.0/8',
      transport: { protocol: 'zixi-push' },
    });
    expect(made.sources).toEqual([made.source]);
    expect(made.outputs[0]).toMatchObject({
      name: 'Test',
      outputArn: expect.stringMatching(new RegExp(`:output:${id}:Test$`)),
      encryption: { roleArn: ROLE, secretArn: SECRET, keyType: 'srt-password' },
      outputStatus: 'ENABLED',
      transport: { protocol: 'srt-listener' },
    });
    expect(made.outputs[1]?.routerIntegrationTransitEncryption).toEqual({
      encryptionKeyType: 'SECRETS_MANAGER',
      encryptionKeyConfiguration: { secretsManager: { secretArn: SECRET, roleArn: ROLE } },
    });
    expect(made.entitlements[0]).toMatchObject({ name: 'grant', subscribers: [OTHER], encryption: SPEKE });
    expect(await rest('GET', `/v1/flows/${segment(made.flowArn)}`)).toEqual({
      status: 200,
      errorType: null,
      body: { flow: made },
    });
  });

  test('it goes from STANDBY over STARTING to ACTIVE and back, on the clock of the cloud', async () => {
    const { flowArn, status } = await create({});
    expect(status).toBe('STANDBY');
    const started = await rest('POST', `/v1/flows/start/${segment(flowArn)}`);
    expect(started).toMatchObject({ status: 202, body: { flowArn, status: 'STARTING' } });
    expect(await statusOf(flowArn)).toBe('STARTING');
    lead += 9_000;
    expect(await statusOf(flowArn)).toBe('STARTING');
    lead += 2_000;
    expect(await statusOf(flowArn)).toBe('ACTIVE');
    expect(await rest('DELETE', `/v1/flows/${segment(flowArn)}`)).toMatchObject({
      status: 400,
      errorType: 'BadRequestException',
    });
    expect((await rest('POST', `/v1/flows/start/${segment(flowArn)}`)).errorType).toBe('BadRequestException');
    expect(await rest('POST', `/v1/flows/stop/${segment(flowArn)}`)).toMatchObject({
      status: 202,
      body: { status: 'STOPPING' },
    });
    lead += 11_000;
    expect(await statusOf(flowArn)).toBe('STANDBY');
    expect(await rest('DELETE', `/v1/flows/${segment(flowArn)}`)).toMatchObject({
      status: 202,
      body: { flowArn, status: 'DELETING' },
    });
    expect(await statusOf(flowArn)).toBe('DELETING');
    lead += 11_000;
    const gone = await rest('GET', `/v1/flows/${segment(flowArn)}`);
    expect(gone).toMatchObject({ status: 404, errorType: 'NotFoundException' });
    expect((await rest('GET', '/v1/flows')).body).toEqual({ flows: [] });
  });

  test('a list has ten flows on a page unless asked for another number, and nothing about keys', async () => {
    for (let n = 0; n < 12; n += 1) region.mediaConnect.createFlow({ name: `f${n}`, source: { name: 's' } });
    const first = (await rest('GET', '/v1/flows')).body as { flows: Part[]; nextToken: string };
    expect(first.flows).toHaveLength(10);
    expect(Object.keys(first.flows[0] ?? {}).toSorted()).toEqual([
      ...['availabilityZone', 'description', 'flowArn', 'name', 'sourceType', 'status'],
    ]);
    const rest2 = (await rest('GET', `/v1/flows?nextToken=${first.nextToken}`)).body as { flows: Part[] };
    expect(rest2).toEqual({
      flows: [expect.objectContaining({ name: 'f10' }), expect.objectContaining({ name: 'f11' })],
    });
    expect(((await rest('GET', '/v1/flows?maxResults=12')).body as { flows: Part[] }).flows).toHaveLength(12);
    for (const query of ['maxResults=0', 'maxResults=1001', 'maxResults=ten', 'nextToken=none', 'color=red']) {
      expect(await rest('GET', `/v1/flows?${query}`), query).toMatchObject({
        status: 400,
        errorType: 'BadRequestException',
      });
    }
  });

  test('an account has at most 20 flows in a region over the wire; scripts may make any number', async () => {
    for (let n = 0; n < 20; n += 1) region.mediaConnect.createFlow({ name: `f${n}`, source: { name: 's' } });
    expect(await rest('POST', '/v1/flows', { name: 'f', source: { name: 's' } })).toMatchObject({
      status: 420,
      errorType: 'CreateFlow420Exception',
    });
    region.mediaConnect.createFlow({ name: 'f', source: { name: 's' } });
    const far = mediaConnectOf(sandbox, { region: 'us-east-1' });
    expect((await far('POST', '/v1/flows', { name: 'f', source: { name: 's' } })).status).toBe(201);
  });

  test.each<[string, object, string]>([
    ['no name', { name: undefined }, 'name'],
    ['no source', { source: undefined }, 'source'],
    ['source and sources', { sources: [{ name: 's' }] }, 'source'],
    ['three sources', { source: undefined, sources: [{ name: 'a' }, { name: 'b' }, { name: 'c' }] }, '2 sources'],
    ['a field that is not there', { nmae: 'f' }, 'nmae'],
    ['such a field in a part', { outputs: [{ encyption: STATIC }] }, 'outputs.1.encyption'],
    ['a word that is not there', { source: { protocol: 'zixi' } }, 'source.protocol'],
    ['a wrong type', { outputs: [{ port: '5000' }] }, 'outputs.1.port'],
    ['two outputs of one name', { outputs: [{ name: 'a' }, { name: 'a' }] }, 'name a'],
    ['a subscriber that is no account', { entitlements: [{ subscribers: ['me'] }] }, 'subscribers'],
    ['no role', { source: { protocol: 'zixi-push', decryption: { secretArn: SECRET } } }, 'roleArn'],
    ['no secret', { source: { protocol: 'zixi-push', decryption: { roleArn: ROLE } } }, 'secretArn'],
    ['no algorithm', { source: { protocol: 'zixi-push', decryption: { ...STATIC, algorithm: null } } }, 'algorithm'],
    ['an algorithm nobody has', { outputs: [{ encryption: { ...STATIC, algorithm: 'des' } }] }, 'enum'],
    ['a protocol without encryption', { source: { protocol: 'rtp', decryption: STATIC } }, 'rtp'],
    ['a static key for SRT', { source: { protocol: 'srt-listener', decryption: STATIC } }, 'srt-listener'],
    ['SPEKE outside of entitlements', { outputs: [{ protocol: 'zixi-push', encryption: SPEKE }] }, 'entitlements'],
    [
      'SPEKE without a url',
      { entitlements: [{ subscribers: [OTHER], encryption: { ...SPEKE, url: undefined } }] },
      'url',
    ],
    [
      'a short vector',
      { entitlements: [{ subscribers: [OTHER], encryption: { ...SPEKE, constantInitializationVector: 'ab' } }] },
      'constantInitializationVector',
    ],
    [
      'SPEKE fields on a static key',
      { entitlements: [{ subscribers: [OTHER], encryption: { ...STATIC, deviceId: 'd' } }] },
      'deviceId',
    ],
  ])('%s is a bad request, and nothing is made', async (_what, fields, said) => {
    const input = { name: 'f', source: { name: 's' }, ...fields };
    const refused = await rest('POST', '/v1/flows', input);
    expect(refused).toMatchObject({ status: 400, errorType: 'BadRequestException' });
    expect((refused.body as { message: string }).message).toContain(said);
    expect((await rest('GET', '/v1/flows')).body).toEqual({ flows: [] });
  });
});

describe('who may', () => {
  test('a flow of another account is forbidden, one of another region not found, another path unknown', async () => {
    const theirs = sandbox.aws.account(OTHER).region(REGION).mediaConnect;
    const foreign = theirs.createFlow({ name: 'f', source: { name: 's' } });
    expect(await rest('GET', `/v1/flows/${segment(foreign)}`)).toMatchObject({
      status: 403,
      errorType: 'ForbiddenException',
    });
    const far = sandbox.aws.account(ACCOUNT).region('us-east-1').mediaConnect;
    const remote = far.createFlow({ name: 'f', source: { name: 's' } });
    expect((await rest('GET', `/v1/flows/${segment(remote)}`)).status).toBe(404);
    expect(await rest('GET', '/v1/flows/nothing')).toMatchObject({ status: 400, errorType: 'BadRequestException' });
    expect((await rest('GET', '/v1/bridges')).status).toBe(400);
  });

  test('a denial, a throttle and a failure of the service answer as REST services do', async () => {
    const flowArn = region.mediaConnect.createFlow({ name: 'f', source: { name: 's' } });
    const path = `/v1/flows/${segment(flowArn)}`;
    const action = 'mediaconnect:DescribeFlow';
    const denial = sandbox.aws.deny({ account: ACCOUNT, action, resource: flowArn });
    expect(await rest('GET', path)).toEqual({
      status: 403,
      errorType: 'AccessDeniedException',
      body: {
        message: `User: arn:aws:iam::${ACCOUNT}:user/sandbox is not authorized to perform: ${action} on resource: ${flowArn} because no identity-based policy allows the ${action} action`,
      },
    });
    expect((await rest('GET', '/v1/flows')).status).toBe(200);
    denial.remove();
    expect((await rest('GET', path)).status).toBe(200);
    for (const [effect, status, errorType] of [
      [{ kind: 'throttle' }, 429, 'TooManyRequestsException'],
      [{ kind: 'server-error' }, 500, 'InternalServerErrorException'],
      [{ kind: 'expired-token' }, 403, 'ExpiredTokenException'],
      [
        { kind: 'error', code: 'ServiceUnavailableException', status: 503, message: 'x' },
        503,
        'ServiceUnavailableException',
      ],
      [{ kind: 'error', code: 'ForbiddenException', status: 403, message: 'x' }, 403, 'ForbiddenException'],
    ] as const) {
      using fault = sandbox.faults.add(effect, { service: 'mediaconnect', resource: flowArn });
      expect(await rest('GET', path)).toMatchObject({ status, errorType, body: { message: expect.any(String) } });
      expect(fault.hits()).toBe(1);
    }
  });

  test('a wrong signature and none at all are refused', async () => {
    const { status, headers } = await fetch(new URL('/v1/flows', sandbox.url));
    expect([status, headers.get('x-amzn-errortype')]).toEqual([403, 'MissingAuthenticationTokenException']);
    const account = sandbox.aws.account(ACCOUNT);
    Object.assign(account.credentials, { secretAccessKey: 'wrong' });
    expect(await mediaConnectOf(sandbox)('GET', '/v1/flows')).toMatchObject({
      status: 403,
      errorType: 'InvalidSignatureException',
    });
  });
});
