import type { NodeHttpHandler } from '@smithy/node-http-handler';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { classify } from '../../../src/providers/aws/classify.ts';
import { createPool, type Pool } from '../../../src/providers/aws/http.ts';
import { createRestClient, type RestRequest } from '../../../src/providers/aws/rest.ts';
import type { ServiceEnv } from '../../../src/providers/aws/service.ts';
import { CallFailed } from '../../../src/providers/provider.ts';
import { parseAuthorization, SignatureChecker } from '../../../src/sandbox/aws/signature.ts';
import {
  ACCOUNT,
  awsError,
  REGION,
  restError,
  startWire,
  type Wire,
  type WireRequest,
} from '../../fixtures/aws-wire.ts';

const SERVICE = { name: 'mediaconnect', id: 'MediaConnect' };
const FLOW = `arn:aws:mediaconnect:${REGION}:${ACCOUNT}:flow:1-abc:Awards Show (live)!`;
const DESCRIBE: RestRequest = { path: ['v1', 'flows', FLOW] };
const LIST: RestRequest = { path: ['v1', 'flows'] };
const SECRET_KEY = 'secret/of+the=test';

let wire: Wire;
let pool: Pool;
beforeEach(async () => {
  vi.spyOn(Math, 'random').mockReturnValue(0);
  wire = await startWire();
  wire.on('ListFlows', { body: {} });
  wire.on('DescribeFlow', { body: {} });
  wire.on('PostTest', { body: {} });
  pool = createPool({ callTimeoutMs: 10_000, env: {} });
});
afterEach(async () => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  pool[Symbol.dispose]();
  await wire[Symbol.asyncDispose]();
});

function settings(change: Partial<ServiceEnv['client']> = {}): ServiceEnv['client'] {
  return {
    region: REGION,
    endpoint: wire.url,
    credentials: { accessKeyId: 'AKIATEST', secretAccessKey: SECRET_KEY },
    requestHandler: pool.handler,
    maxAttempts: 2,
    retryMode: 'standard',
    cacheMiddleware: true,
    useFipsEndpoint: async () => false,
    useDualstackEndpoint: async () => false,
    ...change,
  };
}

function environment(change: Partial<ServiceEnv> = {}): ServiceEnv {
  return { account: ACCOUNT, partition: 'aws', region: REGION, client: settings(), env: {}, config: {}, ...change };
}

const never = () => new AbortController().signal;

const send = (request: RestRequest, env = environment(), abortSignal = never()) =>
  createRestClient(env, SERVICE).send(request, { abortSignal });

/** What `classify` makes of what `send` threw. */
async function failure(request: RestRequest, operation = 'DescribeFlow') {
  const error = await send(request).catch((thrown: unknown) => thrown);
  return classify(new CallFailed(operation, error), operation);
}

/** Whether the request carries a good signature for the service by the check of the embedded cloud. */
function isSigned({ method, path, headers, text }: WireRequest, now = Date.now(), service = 'mediaconnect') {
  const authorization = parseAuthorization(headers.authorization);
  if (authorization?.service !== service || authorization.region !== REGION) return undefined;
  const request = { method, path, headers: headers as Record<string, string>, body: Buffer.from(text) };
  return new SignatureChecker().check(request, authorization, SECRET_KEY, now);
}

describe('a request', () => {
  it('is signed as AWS checks it, with an ARN in its path and everything odd in its query', async () => {
    await send({ ...DESCRIBE, query: { maxResults: 20, nextToken: "a+b/c=~!*'() ü", absent: undefined } });
    const [request] = wire.asked('DescribeFlow');
    expect(request?.parameters).toEqual({ flowArn: FLOW, maxResults: '20', nextToken: "a+b/c=~!*'() ü" });
    expect(request?.path).toContain('/v1/flows/arn%3Aaws%3A');
    expect(isSigned(request!)).toEqual({ ok: true });
    expect(isSigned({ ...request!, path: `${request?.path}&more=1` })).toEqual({ ok: false, because: 'mismatch' });
  });

  it('carries a body of JSON, signed too', async () => {
    await send({ method: 'POST', path: ['v1', 'tests'], body: { name: 'ü' } });
    const [request] = wire.asked('PostTest');
    expect(request?.body).toEqual({ name: 'ü' });
    expect(request?.headers['content-type']).toBe('application/json');
    expect(isSigned(request!)).toEqual({ ok: true });
    expect(isSigned({ ...request!, text: '{"name":"u"}' })).toEqual({ ok: false, because: 'mismatch' });
  });

  it('carries the token of temporary credentials and asks for them each time', async () => {
    const credentials = vi.fn(async () => ({ accessKeyId: 'ASIA', secretAccessKey: SECRET_KEY, sessionToken: 'tok' }));
    const client = createRestClient(environment({ client: settings({ credentials }) }), SERVICE);
    await client.send(LIST, { abortSignal: never() });
    await client.send(LIST, { abortSignal: never() });
    expect(wire.asked('ListFlows').map(({ headers }) => headers['x-amz-security-token'])).toEqual(['tok', 'tok']);
    expect(credentials).toHaveBeenCalledTimes(2);
    expect(isSigned(wire.asked('ListFlows')[0]!)).toEqual({ ok: true });
  });

  it.each(['a/b', 'a?b#c', '%2e%2e', 'a/../b'])('keeps %j one segment of its path', async (segment) => {
    await send({ path: ['v1', 'flows', segment] });
    const [request] = wire.requests;
    expect(request?.operation).toBe('DescribeFlow');
    expect(request?.path.split('/')).toHaveLength(4);
    expect(isSigned(request!)).toEqual({ ok: true });
  });

  it.each(['', '.', '..'])('is never sent with %j in its path', async (segment) => {
    await expect(send({ path: ['v1', 'flows', segment] })).rejects.toMatchObject({ name: 'BadAnswer' });
    expect(wire.requests).toEqual([]);
  });

  it('goes below the path of a configured endpoint', async () => {
    await send(LIST, environment({ client: settings({ endpoint: `${wire.url}/cloud/` }) }));
    expect(wire.requests[0]?.path).toBe('/cloud/v1/flows');
    expect(isSigned(wire.requests[0]!)).toEqual({ ok: true });
  });
});

describe('the endpoint', () => {
  /** Host that a request would go to, without sending it. */
  async function hostOf(change: Partial<ServiceEnv>, client: Partial<ServiceEnv['client']> = {}): Promise<string> {
    let host = '';
    const requestHandler = {
      async handle(request: { protocol: string; hostname: string; headers: Record<string, string> }) {
        host = `${request.protocol}//${request.headers.host}`;
        throw new Error('not sent');
      },
    } as unknown as NodeHttpHandler;
    const { endpoint: _none, ...rest } = settings({ ...client, requestHandler });
    await send(LIST, environment({ client: rest, ...change })).catch(() => undefined);
    return host;
  }

  it.each([
    ['aws', 'eu-west-1', 'https://mediaconnect.eu-west-1.amazonaws.com'],
    ['aws-cn', 'cn-north-1', 'https://mediaconnect.cn-north-1.amazonaws.com.cn'],
    ['aws-us-gov', 'us-gov-west-1', 'https://mediaconnect.us-gov-west-1.amazonaws.com'],
    ['aws-iso', 'us-iso-east-1', 'https://mediaconnect.us-iso-east-1.c2s.ic.gov'],
    ['aws-eusc', 'eusc-de-east-1', 'https://mediaconnect.eusc-de-east-1.amazonaws.eu'],
  ])('of %s is the one of its partition', async (partition, region, url) => {
    expect(await hostOf({ partition, region })).toBe(url);
  });

  it('is the FIPS or IPv6 one where that is wanted', async () => {
    const on = async () => true;
    expect(await hostOf({}, { useFipsEndpoint: on })).toBe('https://mediaconnect-fips.eu-west-1.amazonaws.com');
    expect(await hostOf({}, { useDualstackEndpoint: on })).toBe('https://mediaconnect.eu-west-1.api.aws');
  });

  it('is the one of the environment, the own one first, unless that is to be ignored', async () => {
    const env = { AWS_ENDPOINT_URL: 'http://all:1', AWS_ENDPOINT_URL_MEDIACONNECT: 'http://own:2' };
    expect(await hostOf({ env })).toBe('http://own:2');
    expect(await hostOf({ env: { AWS_ENDPOINT_URL: 'http://all:1' } })).toBe('http://all:1');
    const ignored = { ...env, AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true' };
    expect(await hostOf({ env: ignored })).toBe('https://mediaconnect.eu-west-1.amazonaws.com');
  });
});

describe('an answer', () => {
  it('is its JSON and how it was had', async () => {
    wire.on('ListFlows', { body: { flows: [] } });
    const answer = await send(LIST);
    expect(answer.body).toEqual({ flows: [] });
    expect(answer.$metadata).toMatchObject({ httpStatusCode: 200, requestId: 'request-1', attempts: 1 });
  });

  it('without a body is an empty one', async () => {
    wire.on('ListFlows', { body: '' });
    expect((await send(LIST)).body).toEqual({});
  });

  it.each(['<html>', '[1]', '"text"', 'null', '{"cut'])('%j of success is not understood', async (body) => {
    wire.on('DescribeFlow', { body });
    expect(await failure(DESCRIBE)).toMatchObject({
      reason: 'bad_response',
      evidence: { operation: 'DescribeFlow', status: 200, message: 'the answer could not be read', attempts: 1 },
    });
  });

  it('that never ends to grow is given up', async () => {
    wire.on('DescribeFlow', { body: `{"a":"${'x'.repeat(17 * 1024 * 1024)}"}` });
    expect(await failure(DESCRIBE)).toMatchObject({ reason: 'bad_response', evidence: { code: 'BadAnswer' } });
  });
});

describe('an error', () => {
  it.each([
    ['a header', restError('ForbiddenException', 'no', 403)],
    ['a header with more behind it', restError('ForbiddenException:http://internal.amazon.com/', 'no', 403)],
    ['its body', { status: 403, body: { code: 'ForbiddenException', Message: 'no' } }],
    ['its body, as a shape', awsError('com.amazonaws.mediaconnect#ForbiddenException', 'no', 403)],
  ])('is named by %s', async (_where, answer) => {
    wire.on('DescribeFlow', answer);
    expect(await failure(DESCRIBE)).toEqual({
      reason: 'denied',
      evidence: {
        operation: 'DescribeFlow',
        status: 403,
        code: 'ForbiddenException',
        message: 'no',
        requestId: 'request-1',
        attempts: 1,
      },
    });
  });

  it.each([
    ['BadRequestException', 400, 'bad_response', 1],
    ['TooManyRequestsException', 429, 'throttled', 2],
    ['InternalServerErrorException', 500, 'provider_error', 2],
    ['ServiceUnavailableException', 503, 'provider_error', 2],
    ['GatewayTimeoutException', 504, 'provider_error', 2],
    ['ThrottlingException', 400, 'throttled', 2],
    ['UnrecognizedClientException', 403, 'credentials', 1],
    ['InvalidSignatureException', 403, 'credentials', 1],
    ['SomethingNew', 418, 'provider_error', 1],
  ])('%s (%i) is %s after %i requests', async (code, status, reason, attempts) => {
    wire.on('DescribeFlow', restError(code, 'text', status));
    expect(await failure(DESCRIBE)).toMatchObject({ reason, evidence: { status, code, attempts } });
    expect(wire.asked('DescribeFlow')).toHaveLength(attempts);
  });

  it('that is no JSON is told by its status alone', async () => {
    wire.on('DescribeFlow', { status: 403, body: '<html>token=canary</html>' });
    const denied = await failure(DESCRIBE);
    expect(denied).toMatchObject({ reason: 'denied', evidence: { status: 403, code: 'SyntaxError' } });
    expect(JSON.stringify(denied)).not.toContain('canary');
    wire.on('DescribeFlow', { status: 502, body: '<html>' });
    expect(await failure(DESCRIBE)).toMatchObject({ reason: 'provider_error', evidence: { status: 502, attempts: 2 } });
  });

  it('without a name is named by nothing', async () => {
    wire.on('DescribeFlow', { status: 404, body: '' });
    expect(await failure(DESCRIBE)).toMatchObject({ reason: 'provider_error', evidence: { code: 'UnknownError' } });
  });

  it('is none once the second request succeeds', async () => {
    wire.on('ListFlows', restError('InternalServerErrorException', '', 500), { body: { flows: [1] } });
    const { body, $metadata } = await send(LIST);
    expect(body).toEqual({ flows: [1] });
    expect($metadata.attempts).toBe(2);
  });

  it('of the way there is asked about twice too', async () => {
    wire.on('DescribeFlow', { body: '{"half', ending: 'reset' });
    expect(await failure(DESCRIBE)).toMatchObject({ reason: 'network', evidence: { attempts: 2 } });
    const { url } = wire;
    await wire[Symbol.asyncDispose]();
    const refused = await send(LIST, environment({ client: settings({ endpoint: url }) })).catch((thrown) => thrown);
    expect(classify(refused, 'ListFlows')).toMatchObject({
      reason: 'network',
      evidence: { code: 'ECONNREFUSED', attempts: 2 },
    });
  });
});

describe('waiting for the second request', () => {
  const until = async (reached: () => boolean) => {
    while (!reached()) await new Promise(setImmediate);
  };

  it.each([
    ['a random part of 50 ms after an error', 500, {}, 25],
    ['a random part of a second after being throttled', 429, {}, 500],
    ['as long as the cloud asks for', 503, { 'retry-after': '2' }, 2_000],
    ['at most five seconds more', 429, { 'retry-after': '3600' }, 5_500],
    ['no shorter because of an odd wish', 429, { 'retry-after': '-1' }, 500],
    ['no shorter because of a wish that is none', 429, { 'retry-after': 'Fri, 31 Dec 1999 23:59:59 GMT' }, 500],
  ])('takes %s', async (_what, status, headers, ms) => {
    vi.mocked(Math.random).mockReturnValue(0.5);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
    const timers = vi.spyOn(globalThis, 'setTimeout');
    wire.on('ListFlows', { status, headers, body: {} }, { body: { flows: [] } });
    const sent = send(LIST);
    await until(() => timers.mock.calls.some(([, after]) => after === ms));
    vi.advanceTimersByTime(ms - 1);
    for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
    expect(wire.asked('ListFlows')).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect((await sent).$metadata.attempts).toBe(2);
  });

  it('ends at once when the caller gives up', async () => {
    vi.mocked(Math.random).mockReturnValue(0.999);
    const control = new AbortController();
    wire.on('ListFlows', { ...restError('TooManyRequestsException', '', 429), headers: { 'retry-after': '3600' } });
    const sent = send(LIST, environment(), control.signal).catch((thrown: unknown) => thrown);
    await vi.waitUntil(() => wire.asked('ListFlows').length === 1);
    control.abort(new Error('enough'));
    expect(await sent).toMatchObject({ name: 'AbortError' });
    expect(wire.asked('ListFlows')).toHaveLength(1);
  });
});

describe('a caller that gives up', () => {
  it.each(['silence', 'stall'] as const)('is let go in the middle of %s', async (ending) => {
    const control = new AbortController();
    wire.on('ListFlows', { body: '{"flows":', ending });
    const sent = send(LIST, environment(), control.signal).catch((thrown: unknown) => thrown);
    if (ending === 'stall') await wire.stalled;
    else await vi.waitUntil(() => wire.asked('ListFlows').length === 1);
    control.abort(new Error('enough'));
    const error = await sent;
    expect(classify(error, 'ListFlows')).toMatchObject({ reason: 'timeout', evidence: { code: 'AbortError' } });
    expect(wire.asked('ListFlows')).toHaveLength(1);
  });

  it('before it begins sends nothing', async () => {
    await expect(send(LIST, environment(), AbortSignal.abort())).rejects.toMatchObject({ name: 'AbortError' });
    expect(wire.requests).toEqual([]);
  });
});

describe('a clock that is wrong', () => {
  const HOUR_MS = 3_600_000;

  it('is corrected once by the clock of the service, and stays so', async () => {
    const ahead = () => Date.now() + HOUR_MS;
    wire.on('ListFlows', (request) => {
      const date = new Date(ahead()).toUTCString();
      const check = isSigned(request, ahead());
      if (check?.ok) return { headers: { date }, body: { flows: ['seen'] } };
      return { ...restError('InvalidSignatureException', 'Signature expired', 403), headers: { date } };
    });
    const client = createRestClient(environment(), SERVICE);
    expect((await client.send(LIST, { abortSignal: never() })).$metadata.attempts).toBe(2);
    expect((await client.send(LIST, { abortSignal: never() })).$metadata.attempts).toBe(1);
  });

  it('is not blamed for a refusal while it is right', async () => {
    wire.on('DescribeFlow', restError('AccessDeniedException', 'no', 403));
    expect(await failure(DESCRIBE)).toMatchObject({ reason: 'denied', evidence: { attempts: 1 } });
  });
});
