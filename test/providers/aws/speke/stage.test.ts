import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { KeyFacts } from '../../../../src/core/model.ts';
import { stageSettings } from '../../../../src/providers/aws/speke/facts.ts';
import { speke } from '../../../../src/providers/aws/speke/index.ts';
import { ACCOUNT, REGION } from '../../../fixtures/aws-wire.ts';
import { listAll, plainContext } from '../../../fixtures/context.ts';
import { type Cloud, factsOf, flow, type Opened, startCloud } from './cloud.ts';

const NOW = Date.UTC(2026, 10, 20, 12);
let cloud: Cloud;

beforeAll(async () => {
  cloud = await startCloud();
});
afterAll(() => cloud[Symbol.asyncDispose]());
afterEach(() => cloud.sandbox.faults.clear());

async function detailsOf(opened: Opened, url: string, known?: KeyFacts): Promise<KeyFacts> {
  const facts = await factsOf(opened, url, known);
  if (!opened.session.enrich) throw new TypeError('the service has no details');
  return await opened.session.enrich(facts, NOW, plainContext);
}

describe('the stage of a gateway', () => {
  it.each([
    [{}, { executionLog: 'OFF', accessLog: false, dataTrace: false }],
    [{ executionLog: 'ERROR' }, { executionLog: 'ERROR', accessLog: false, dataTrace: false }],
    [
      { executionLog: 'INFO', dataTrace: true },
      { executionLog: 'INFO', accessLog: false, dataTrace: true },
    ],
    [{ accessLog: 'arn:aws:logs:eu-west-1:1:log-group:x' }, { executionLog: 'OFF', accessLog: true }],
  ] as const)('with %j tells %j', async (logging, told) => {
    const { url } = cloud.apiGateway.create({ logging });
    const facts = await detailsOf(await cloud.open(), `${url}/copyProtection`);
    expect(facts).toMatchObject({ detailKey: 'stage', detailedAt: NOW, attributes: { stageSeen: 'yes', ...told } });
    expect(speke.keys.detailKey?.(facts)).toBe(facts.detailKey);
  });

  it('is looked at in the background, and what is known of it stands until then', async () => {
    const { url, id } = cloud.apiGateway.create();
    const opened = await cloud.open();
    const known = await detailsOf(opened, url);
    cloud.apiGateway.log(id, { executionLog: 'INFO' });
    expect((await factsOf(opened, url, known)).attributes).toMatchObject({ stageSeen: 'yes', executionLog: 'OFF' });
    expect((await detailsOf(opened, url, known)).attributes).toMatchObject({ executionLog: 'INFO' });
  });

  it('that keyvigil may not read is not visible', async () => {
    const { url } = cloud.apiGateway.create();
    using _denied = cloud.sandbox.aws.deny({ account: ACCOUNT, action: 'apigateway:GET' });
    expect((await detailsOf(await cloud.open(), url)).attributes).toMatchObject({ stageSeen: 'denied' });
  });

  it('of an API of another account is not visible', async () => {
    const { url } = cloud.sandbox.aws.account('999988887777').region(REGION).apiGateway.create();
    const { attributes } = await detailsOf(await cloud.open(), url);
    expect(attributes).toMatchObject({ stageSeen: 'not_found' });
    expect(attributes.accessLog).toBeUndefined();
  });

  it('that is not there is not visible, while the host still answers', async () => {
    const { host } = cloud.apiGateway.create();
    const facts = await detailsOf(await cloud.open(), `https://${host}/other`);
    expect(facts).toMatchObject({ state: 'Answering', attributes: { stageSeen: 'not_found' } });
  });

  it.each([
    ['of an API in another Region', (host: string) => host.replace(REGION, 'us-east-1'), 'elsewhere'],
    ['that the URL does not name', (host: string) => host, 'unnamed'],
  ])('%s is asked of nobody', async (_what, changed, stageSeen) => {
    const { host } = cloud.apiGateway.create();
    const other = cloud.sandbox.aws.account(ACCOUNT).region('us-east-1').apiGateway.create();
    const url = stageSeen === 'elsewhere' ? `https://${other.host}/prod` : `https://${changed(host)}/`;
    const opened = await cloud.open();
    cloud.sandbox.requests.clear();
    expect((await detailsOf(opened, url)).attributes).toMatchObject({ stageSeen });
    expect(cloud.sandbox.requests.count('apigateway:GetStage')).toBe(0);
  });

  it('behind a name of one’s own is asked of nobody', async () => {
    cloud.apiGateway.create({ ownNames: ['stage.example.com'] });
    const { attributes } = await detailsOf(await cloud.open(), 'https://stage.example.com/prod');
    expect(attributes.stageSeen).toBeUndefined();
  });

  it.each(['throttle', 'server-error'] as const)('is asked for again after %s', async (kind) => {
    const { url } = cloud.apiGateway.create();
    cloud.sandbox.faults.add({ kind }, { service: 'apigateway' });
    await expect(detailsOf(await cloud.open(), url)).rejects.toMatchObject({ operation: 'GetStage' });
  });

  it('is asked for by operations that are declared', async () => {
    const { url } = cloud.apiGateway.create();
    const opened = await cloud.open();
    const called: string[] = [];
    const context: typeof plainContext = {
      ...plainContext,
      call: (operation, run) => {
        called.push(operation);
        return plainContext.call(operation, run);
      },
    };
    const facts = await factsOf(opened, url);
    await opened.session.describe(facts, undefined, context);
    await opened.session.enrich?.(facts, NOW, context);
    expect(new Set(called)).toEqual(new Set(Object.keys(speke.apis)));
  });
});

describe('the settings of a stage', () => {
  it.each([
    [{}, { executionLog: 'OFF', accessLog: false, dataTrace: false }],
    [{ methodSettings: { '*/*': {} } }, { executionLog: 'OFF' }],
    [
      { methodSettings: { '*/*': { loggingLevel: 'OFF' }, 'keys/POST': { loggingLevel: 'ERROR' } } },
      { executionLog: 'ERROR' },
    ],
    [{ methodSettings: { a: { loggingLevel: 'ERROR' }, b: { loggingLevel: 'INFO' } } }, { executionLog: 'INFO' }],
    [{ methodSettings: { 'keys/POST': { dataTraceEnabled: true } } }, { dataTrace: true }],
    [{ accessLogSettings: { destinationArn: '' } }, { accessLog: false }],
    [{ accessLogSettings: { destinationArn: 'arn:aws:logs:x' } }, { accessLog: true }],
    [
      { methodSettings: 7, accessLogSettings: null },
      { executionLog: 'OFF', accessLog: false },
    ],
  ])('are read from %j', (body, told) => {
    expect(stageSettings(body)).toMatchObject(told);
  });

  it('with a level that nobody knows are not called off', () => {
    const settings = stageSettings({ methodSettings: { '*/*': { loggingLevel: 'VERBOSE' } } });
    expect(settings.executionLog).toBeUndefined();
  });

  it('keep nothing of its variables', () => {
    const told = stageSettings({ variables: { password: 'canary' }, description: 'canary' });
    expect(JSON.stringify(told)).not.toContain('canary');
  });
});

describe('the listing', () => {
  it('is what flows of this account and Region name, each once', async () => {
    const { session } = await cloud.open();
    const { listed, outcome } = await listAll(session, {
      consumers: () => [
        flow(['https://b.example.com/x', 'https://a.example.com/', 'https://b.example.com/x']),
        flow(['https://a.example.com/'], { name: 'second' }),
        flow(['https://other-account.example.com/'], { account: '999988887777' }),
        flow(['https://other-region.example.com/'], { location: 'us-east-1' }),
        flow(['https://project.example.com/'], { kind: 'codebuild-project' }),
      ],
    });
    expect(listed.map(({ stub }) => stub)).toEqual([
      {
        resource: 'https://a.example.com/',
        kind: 'speke-provider',
        name: 'a.example.com/',
        provider: 'aws',
        account: ACCOUNT,
        location: REGION,
      },
      expect.objectContaining({ resource: 'https://b.example.com/x', name: 'b.example.com/x' }),
    ]);
    expect(outcome).toMatchObject({ complete: true, exclusive: true });
  });

  it('leaves out keys that are no key providers, and URLs that are none', async () => {
    const { session } = await cloud.open();
    const uses = [
      {
        resource: 'arn:aws:secretsmanager:eu-west-1:1:secret:x',
        role: 'source-decryption',
        attributes: { keyType: 'static-key' },
      },
      { resource: 'https://no-type.example.com/', role: 'entitlement-encryption' },
      { resource: 'no url', role: 'entitlement-encryption', attributes: { keyType: 'speke' } },
    ];
    const { listed } = await listAll(session, { consumers: () => [flow([], { uses })] });
    expect(listed).toEqual([]);
  });

  it('puts a provider where its API is, so that two Regions that name it agree', async () => {
    const { session } = await cloud.open();
    const url = 'https://abc123.execute-api.us-east-1.amazonaws.com/prod';
    const { listed } = await listAll(session, { consumers: () => [flow([url])] });
    expect(listed[0]?.stub).toMatchObject({ location: 'us-east-1', account: ACCOUNT });
    expect(listed.every(({ stub }) => session.watches(stub))).toBe(true);
  });
});

describe('the options', () => {
  it.each([['192.0.2.53'], ['192.0.2.53:5353'], ['2001:db8::53'], ['[2001:db8::53]'], ['[2001:db8::53]:5353']])(
    'take %s for a name server',
    (server) => {
      expect(speke.config.safeParse({ nameservers: [server] }).success).toBe(true);
    },
  );

  it.each(['', 'dns.example.com', '192.0.2', '192.0.2.53:', '[192.0.2.53]:53', '[2001:db8::53'])(
    'do not take %j for one',
    (server) => {
      expect(speke.config.safeParse({ nameservers: [server] }).success).toBe(false);
    },
  );

  it('probe unless told not to', () => {
    expect(speke.config.parse({})).toEqual({ probe: true });
  });
});
