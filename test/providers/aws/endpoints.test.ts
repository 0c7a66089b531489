/** Which hosts are asked, in every partition and with every setting of endpoints, through a proxy that leads them all here. */

import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { trustOf } from '../../../src/app-trust.ts';
import { serveProxy } from '../../../src/sandbox/proxy.ts';
import { makeTlsIdentity } from '../../../src/sandbox/tls.ts';
import { ACCOUNT, callerIdentity, connectTo, ENV, REGION, startWire, type Wire } from '../../fixtures/aws-wire.ts';
import { listAll, plainContext } from '../../fixtures/context.ts';
import { startLoopback, stubEnvironment } from '../../fixtures/loopback.ts';

const REGIONS: Readonly<Record<string, string>> = {
  'eu-west-1': 'aws',
  'us-east-1': 'aws',
  'cn-north-1': 'aws-cn',
  'us-gov-west-1': 'aws-us-gov',
  'eusc-de-east-1': 'aws-eusc',
};
const DOMAINS = ['amazonaws.com', 'amazonaws.com.cn', 'amazonaws.eu', 'api.aws', 'api.amazonwebservices.com.cn'];
const names = Object.keys(REGIONS).flatMap((region) => DOMAINS.map((domain) => `*.${region}.${domain}`));
const identity = makeTlsIdentity(names, ['127.0.0.1']);

/** Answers as STS, KMS and Secrets Manager of the partition that the host is of. */
const cloud = createServer({ key: identity.key, cert: identity.cert }, (request, response) => {
  const region = (request.headers.host ?? '').split('.')[1] ?? '';
  const { headers, body } = callerIdentity(ACCOUNT, REGIONS[region]);
  const isJson = request.headers['x-amz-target'] !== undefined;
  request.resume();
  response.writeHead(200, isJson ? { 'content-type': 'application/x-amz-json-1.1' } : { ...headers });
  response.end(isJson ? JSON.stringify({ Aliases: [], Keys: [], SecretList: [] }) : String(body));
});

let tunnels: string[] = [];
let proxy: Awaited<ReturnType<typeof serveProxy>>;
let direct: Wire;
beforeAll(async () => {
  const listening = Promise.withResolvers<void>();
  cloud.listen(0, '127.0.0.1', listening.resolve);
  await listening.promise;
  proxy = await serveProxy({
    host: '127.0.0.1',
    target: (cloud.address() as AddressInfo).port,
    judge: (host) => {
      tunnels.push(host);
      return 'open';
    },
    plain() {
      throw new Error('asked without a tunnel');
    },
  });
  direct = await startWire();
  direct.on('ListSecrets', { body: { SecretList: [] } });
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await direct[Symbol.asyncDispose]();
  cloud.closeAllConnections();
  cloud.close();
});
beforeEach(() => {
  tunnels = [];
});
afterEach(() => vi.unstubAllEnvs());

/** Asks STS, KMS and Secrets Manager of a region, and gives the hosts that it took. */
async function ask(region: string, variables: Record<string, string> = {}, target: Record<string, unknown> = {}) {
  const env = { ...ENV, HTTPS_PROXY: proxy.url, NO_PROXY: '127.0.0.1', ...variables };
  stubEnvironment(env);
  const services = { kms: {}, 'secrets-manager': {} };
  const options = { env, trust: trustOf(identity.ca) };
  await using connection = await connectTo(
    { url: '' },
    services,
    { regions: [region], endpoint: undefined, ...target },
    options,
  );
  const { partition } = await connection.identify(plainContext);
  await listAll(connection.open('kms', region));
  await listAll(connection.open('secrets-manager', region));
  return { partition, hosts: tunnels };
}

describe('the hosts that are asked', () => {
  it.each([
    ['eu-west-1', 'aws', 'amazonaws.com'],
    ['cn-north-1', 'aws-cn', 'amazonaws.com.cn'],
    ['us-gov-west-1', 'aws-us-gov', 'amazonaws.com'],
    ['eusc-de-east-1', 'aws-eusc', 'amazonaws.eu'],
  ])('in %s are those of %s', async (region, partition, domain) => {
    expect(await ask(region)).toEqual({
      partition,
      hosts: ['sts', 'kms', 'secretsmanager'].map((service) => `${service}.${region}.${domain}`),
    });
  });

  it.each([
    ['us-east-1', ['sts-fips', 'kms-fips', 'secretsmanager-fips'], 'amazonaws.com'],
    // The endpoints of STS for governments are FIPS ones under their plain name.
    ['us-gov-west-1', ['sts', 'kms-fips', 'secretsmanager-fips'], 'amazonaws.com'],
  ])('in %s are FIPS ones where the environment wants that', async (region, services, domain) => {
    const { hosts } = await ask(region, { AWS_USE_FIPS_ENDPOINT: 'true' });
    expect(hosts).toEqual(services.map((service) => `${service}.${region}.${domain}`));
  });

  it.each([
    ['eu-west-1', ['sts.eu-west-1.api.aws', 'kms.eu-west-1.api.aws', 'secretsmanager.eu-west-1.amazonaws.com']],
    [
      'cn-north-1',
      [
        'sts.cn-north-1.api.amazonwebservices.com.cn',
        'kms.cn-north-1.api.amazonwebservices.com.cn',
        'secretsmanager.cn-north-1.amazonaws.com.cn',
      ],
    ],
    // Secrets Manager has IPv6 under its plain name.
  ])('in %s are those with IPv6 where the environment wants that', async (region, expected) => {
    const { hosts } = await ask(region, { AWS_USE_DUALSTACK_ENDPOINT: 'true' });
    expect(hosts).toEqual(expected);
  });

  it('are those of the configuration before all of that, for what is configured', async () => {
    const services = { kms: {}, 'secrets-manager': { endpoint: direct.url } };
    const env = { AWS_USE_FIPS_ENDPOINT: 'true', AWS_USE_DUALSTACK_ENDPOINT: 'true' };
    const { hosts } = await ask('us-east-1', env, { services });
    expect(hosts).toEqual(['sts-fips.us-east-1.api.aws', 'kms-fips.us-east-1.api.aws']);
    expect(direct.asked('ListSecrets')).toHaveLength(1);
  });

  it('may be one host for everything, whatever the environment wants', async () => {
    direct.on('ListAliases', { body: { Aliases: [] } });
    direct.on('ListKeys', { body: { Keys: [] } });
    const env = { AWS_USE_FIPS_ENDPOINT: 'true', AWS_USE_DUALSTACK_ENDPOINT: 'true' };
    expect((await ask('us-east-1', env, { endpoint: direct.url })).hosts).toEqual([]);
  });
});

describe('a proxy', () => {
  it('is left out for the hosts that are exempt', async () => {
    stubEnvironment({});
    const env = { ...ENV, HTTPS_PROXY: proxy.url, HTTP_PROXY: 'http://127.0.0.1:1', NO_PROXY: '127.0.0.1' };
    await using connection = await connectTo(direct, { kms: {} }, {}, { env });
    expect(await connection.identify(plainContext)).toMatchObject({ account: ACCOUNT });
    expect(tunnels).toEqual([]);
  });

  it('that the environment names in small letters counts as well', async () => {
    const { hosts } = await ask('eu-west-1', { HTTPS_PROXY: '', https_proxy: proxy.url });
    expect(hosts).toHaveLength(3);
  });
});

it('may be an address of IPv6, for the SDK as for the client without one', async () => {
  await using machine = await startLoopback(({ headers }) => {
    const isRest = String(headers.authorization).includes('/mediaconnect/');
    if (isRest) return { headers: { 'content-type': 'application/json' }, body: { flows: [] } };
    const { headers: plain = {}, body } = callerIdentity();
    return { headers: plain, body };
  }, '::1');
  stubEnvironment({});
  await using connection = await connectTo(machine, { mediaconnect: {} });
  expect(await connection.identify(plainContext)).toMatchObject({ account: ACCOUNT });
  await listAll(connection.open('mediaconnect', REGION)).catch((error: unknown) => {
    throw new Error(JSON.stringify(connection.classify(error, 'outer')));
  });
  const asked = new Set(machine.asked.map(({ path }) => path.split('?')[0]));
  expect(asked).toEqual(new Set(['/', '/v1/flows']));
});
