import { afterEach, beforeEach, expect, test } from 'vitest';
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

beforeEach(async () => {
  sandbox = await startSandbox();
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

test('outputs come, change and go; a change of encryption says only what is different', async () => {
  const { flowArn } = await create({});
  const path = `/v1/flows/${segment(flowArn)}/outputs`;
  const output = { name: 'Test', protocol: 'zixi-push', encryption: STATIC };
  const added = await rest('POST', path, { outputs: [output] });
  expect(added).toMatchObject({ status: 201, body: { flowArn, outputs: [{ name: 'Test' }] } });
  const arn = String((added.body as { outputs: Part[] }).outputs[0]?.outputArn);
  const changed = await rest('PUT', `${path}/${segment(arn)}`, { encryption: { algorithm: 'aes256' } });
  expect(changed).toMatchObject({
    status: 202,
    body: { output: { encryption: { ...STATIC, algorithm: 'aes256' } } },
  });
  expect((await describeFlow(flowArn)).outputs[0]?.encryption).toMatchObject({ algorithm: 'aes256' });
  expect((await rest('PUT', `${path}/${segment(`${arn}x`)}`, {})).status).toBe(404);
  expect((await rest('PUT', `${path}/${segment(arn)}`, { name: 'other' })).status).toBe(400);
  expect((await rest('POST', path, { outputs: [output] })).status).toBe(400);
  expect((await rest('POST', path, { outputs: [] })).status).toBe(400);
  expect(await rest('DELETE', `${path}/${segment(arn)}`)).toMatchObject({ status: 202, body: { outputArn: arn } });
  expect((await rest('DELETE', `${path}/${segment(arn)}`)).status).toBe(404);
  expect((await describeFlow(flowArn)).outputs).toEqual([]);
  const many = Array.from({ length: 51 }, () => ({}));
  expect(await rest('POST', path, { outputs: many })).toMatchObject({
    status: 420,
    errorType: 'AddFlowOutputs420Exception',
  });
});

test('a flow has one or two sources', async () => {
  const { flowArn, source } = await create({});
  const path = `/v1/flows/${segment(flowArn)}/source`;
  expect((await rest('DELETE', `${path}/${segment(String(source.sourceArn))}`)).status).toBe(400);
  expect((await rest('POST', path, { sources: [{ name: 'second' }] })).status).toBe(201);
  expect((await rest('POST', path, { sources: [{ name: 'third' }] })).status).toBe(400);
  const removed = await rest('DELETE', `${path}/${segment(String(source.sourceArn))}`);
  expect(removed).toMatchObject({ status: 202, body: { flowArn, sourceArn: source.sourceArn } });
  const { sources } = await describeFlow(flowArn);
  const [left] = sources;
  const changed = await rest('PUT', `${path}/${segment(String(left?.sourceArn))}`, {
    protocol: 'zixi-push',
    decryption: STATIC,
  });
  expect(changed).toMatchObject({ status: 202, body: { source: { name: 'second', decryption: STATIC } } });
});

test('an entitlement leads from the originator to the account that it names, and to no other', async () => {
  const originator = mediaConnectOf(sandbox, { account: OTHER });
  const theirs = sandbox.aws.account(OTHER).region(REGION).mediaConnect;
  const flowArn = theirs.createFlow({ name: 'original', source: { name: 's' } });
  const path = `/v1/flows/${segment(flowArn)}/entitlements`;
  const given = { name: 'show', subscribers: [ACCOUNT], encryption: SPEKE, dataTransferSubscriberFeePercent: 10 };
  const granted = await originator('POST', path, { entitlements: [given] });
  expect(granted).toMatchObject({ status: 200, body: { flowArn, entitlements: [{ name: 'show' }] } });
  const arn = String((granted.body as { entitlements: Part[] }).entitlements[0]?.entitlementArn);
  expect((await originator('GET', '/v1/entitlements')).body).toEqual({ entitlements: [] });
  expect((await rest('GET', '/v1/entitlements')).body).toEqual({
    entitlements: [{ entitlementArn: arn, entitlementName: 'show', dataTransferSubscriberFeePercent: 10 }],
  });
  const entitled = await create({ source: { entitlementArn: arn, decryption: SPEKE } });
  expect(entitled.source).toMatchObject({ name: 'show', entitlementArn: arn, decryption: SPEKE });
  expect(entitled.source.dataTransferSubscriberFeePercent).toBe(10);
  expect((await rest('GET', '/v1/flows')).body).toMatchObject({ flows: [{ sourceType: 'ENTITLED' }] });
  const stranger = mediaConnectOf(sandbox, { account: '777788889999' });
  const stolen = await stranger('POST', '/v1/flows', { name: 'f', source: { entitlementArn: arn } });
  expect(stolen).toMatchObject({ status: 403, errorType: 'ForbiddenException' });
  const update = await originator('PUT', `${path}/${segment(arn)}`, { entitlementStatus: 'DISABLED' });
  expect(update).toMatchObject({ status: 202, body: { entitlement: { entitlementStatus: 'DISABLED' } } });
  expect((await originator('DELETE', `${path}/${segment(arn)}`)).status).toBe(202);
  expect((await rest('GET', '/v1/entitlements')).body).toEqual({ entitlements: [] });
  expect((await originator('DELETE', `${path}/${segment(arn)}`)).status).toBe(404);
});

test('entitlements are listed twenty on a page, and at most fifty are granted by a flow', async () => {
  const theirs = sandbox.aws.account(OTHER).region(REGION).mediaConnect;
  const flowArn = theirs.createFlow({ name: 'original', source: { name: 's' } });
  for (let n = 0; n < 50; n += 1) theirs.grant(flowArn, { name: `e${n}`, subscribers: [ACCOUNT] });
  const names: unknown[] = [];
  let token: string | undefined;
  do {
    const path: string = token === undefined ? '/v1/entitlements' : `/v1/entitlements?nextToken=${token}`;
    const page = (await rest('GET', path)).body as { entitlements: Part[]; nextToken?: string };
    names.push(page.entitlements.length);
    token = page.nextToken;
  } while (token !== undefined);
  expect(names).toEqual([20, 20, 10]);
  const path = `/v1/flows/${segment(flowArn)}/entitlements`;
  const refused = await mediaConnectOf(sandbox, { account: OTHER })('POST', path, {
    entitlements: [{ subscribers: [ACCOUNT] }],
  });
  expect(refused).toMatchObject({ status: 420, errorType: 'GrantFlowEntitlements420Exception' });
});

test('tags of flows and their parts are kept, listed and taken away', async () => {
  const { flowArn, source } = await create({ flowTags: { team: 'live' }, source: { sourceTags: { a: 'b' } } });
  const path = `/tags/${segment(flowArn)}`;
  expect(await rest('GET', path)).toMatchObject({ status: 200, body: { tags: { team: 'live' } } });
  expect((await rest('GET', `/tags/${segment(String(source.sourceArn))}`)).body).toEqual({ tags: { a: 'b' } });
  expect(await rest('POST', path, { tags: { env: 'prod', stage: '1' } })).toMatchObject({
    status: 204,
    body: undefined,
  });
  expect((await rest('DELETE', `${path}?tagKeys=team&tagKeys=stage`)).status).toBe(204);
  expect((await rest('GET', path)).body).toEqual({ tags: { env: 'prod' } });
  expect(await rest('GET', `/tags/${segment(`${flowArn}x`)}`)).toMatchObject({
    status: 404,
    errorType: 'NotFoundException',
  });
  expect((await rest('POST', path, {})).status).toBe(400);
});

test('scripts force what no call leads to: a status, a configuration that the API refuses, a message', async () => {
  const media = region.mediaConnect;
  const flowArn = media.createFlow({ name: 'f', source: { name: 's', protocol: 'zixi-push', decryption: STATIC } });
  media.forceStatus(flowArn, 'ERROR');
  media.say(flowArn, ['The source is on fire.']);
  const { source } = await describeFlow(flowArn);
  media.force(flowArn, String(source.sourceArn), { decryption: { roleArn: ROLE } });
  const answer = (await rest('GET', `/v1/flows/${segment(flowArn)}`)).body as { flow: Flow; messages: unknown };
  expect(answer.flow.status).toBe('ERROR');
  expect(answer.flow.source.decryption).toEqual({ roleArn: ROLE, keyType: 'static-key' });
  expect(answer.messages).toEqual({ errors: ['The source is on fire.'] });
  media.forceStatus(flowArn, undefined);
  media.say(flowArn, []);
  expect(media.describe(flowArn)).toEqual({ flow: expect.objectContaining({ status: 'STANDBY' }) });
});
