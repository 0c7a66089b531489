import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { trustOf } from '../../../src/app-trust.ts';
import {
  ACCOUNT,
  assumedRole,
  callerIdentity,
  connectTo,
  REGION,
  startWire,
  stsError,
  type Wire,
} from '../../fixtures/aws-wire.ts';
import { listAll, plainContext } from '../../fixtures/context.ts';
import { LOOPBACK_CERTIFICATE, LOOPBACK_KEY } from '../../fixtures/tls.ts';

const ROLE = 'arn:aws:iam::444455556666:role/keyvigil';

let wire: Wire;
beforeEach(async () => {
  vi.spyOn(Math, 'random').mockReturnValue(0);
  wire = await startWire();
  wire.on('ListSecrets', { body: { SecretList: [] } });
  wire.on('ListAliases', { body: { Aliases: [] } });
  wire.on('ListKeys', { body: { Keys: [] } });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await wire[Symbol.asyncDispose]();
});

const scope = (authorization: string | undefined) => /Credential=([^,]+)/.exec(authorization ?? '')?.[1];

describe('a connection', () => {
  it('asks who it is once, however many ask, and takes the partition from the answer', async () => {
    wire.on('GetCallerIdentity', callerIdentity('444455556666', 'aws-us-gov'));
    await using connection = await connectTo(wire, { kms: {} });
    const answers = await Promise.all([connection.identify(plainContext), connection.identify(plainContext)]);
    expect(answers).toEqual(Array(2).fill({ account: '444455556666', partition: 'aws-us-gov' }));
    await connection.identify(plainContext);
    expect(wire.asked('GetCallerIdentity')).toHaveLength(1);
  });

  it('asks again after a failure', async () => {
    wire.on('GetCallerIdentity', stsError('ExpiredToken', 'The token is expired'), callerIdentity());
    await using connection = await connectTo(wire, { kms: {} });
    const failed = await connection.identify(plainContext).catch((error: unknown) => error);
    expect(connection.classify(failed, 'outer')).toMatchObject({
      reason: 'credentials',
      evidence: { code: 'ExpiredToken' },
    });
    expect(await connection.identify(plainContext)).toEqual({ account: ACCOUNT, partition: 'aws' });
  });

  it('speaks to each region by itself, and to STS in the first', async () => {
    await using connection = await connectTo(wire, { kms: {} }, { regions: ['eu-west-1', 'us-east-1'] });
    await connection.identify(plainContext);
    await listAll(connection.open('kms', 'us-east-1'));
    await listAll(connection.open('kms', 'eu-west-1'));
    expect(scope(wire.asked('GetCallerIdentity')[0]?.headers.authorization)).toContain('/eu-west-1/sts/');
    expect(wire.asked('ListKeys').map(({ headers }) => scope(headers.authorization)?.split('/')[2])).toEqual([
      'us-east-1',
      'eu-west-1',
    ]);
    expect(connection.open('kms', 'us-east-1')).toBe(connection.open('kms', 'us-east-1'));
  });

  it("sends a service to the service's own endpoint and everything else to the target's", async () => {
    await using own = await startWire();
    own.on('ListSecrets', { body: { SecretList: [] } });
    await using connection = await connectTo(wire, { 'secrets-manager': { endpoint: own.url }, kms: {} });
    await connection.identify(plainContext);
    await listAll(connection.open('secrets-manager', REGION));
    await listAll(connection.open('kms', REGION));
    expect(own.requests.map(({ operation }) => operation)).toEqual(['ListSecrets']);
    expect(wire.requests.map(({ operation }) => operation)).toEqual(['GetCallerIdentity', 'ListAliases', 'ListKeys']);
  });

  it('takes on its role once, with the external id, for all services and regions together', async () => {
    wire.on('AssumeRole', assumedRole());
    wire.on('GetCallerIdentity', callerIdentity('444455556666'));
    await using connection = await connectTo(
      wire,
      { 'secrets-manager': {}, kms: {} },
      { roleArn: ROLE, externalId: 'the-id', regions: ['eu-west-1', 'us-east-1'] },
    );
    await connection.identify(plainContext);
    await Promise.all([
      listAll(connection.open('kms', 'eu-west-1')),
      listAll(connection.open('kms', 'us-east-1')),
      listAll(connection.open('secrets-manager', 'eu-west-1')),
    ]);
    const assumed = wire.asked('AssumeRole');
    expect(assumed).toHaveLength(1);
    expect(assumed[0]?.body).toMatchObject({ RoleArn: ROLE, ExternalId: 'the-id', RoleSessionName: 'keyvigil' });
    expect(scope(assumed[0]?.headers.authorization)).toMatch(/^AKIATEST\/.*\/eu-west-1\/sts\//);
    for (const { headers } of [...wire.asked('ListKeys'), ...wire.asked('ListSecrets')]) {
      expect(scope(headers.authorization)).toMatch(/^ASIAROLE\//);
    }
  });

  it('takes a refused role for trouble with its own credentials', async () => {
    const text = `User: arn:aws:iam::1:user/m is not authorized to perform: sts:AssumeRole on resource: ${ROLE}`;
    wire.on('AssumeRole', stsError('AccessDenied', text));
    await using connection = await connectTo(wire, { kms: {} }, { roleArn: ROLE });
    const failed = await connection.identify(plainContext).catch((error: unknown) => error);
    expect(connection.classify(failed, 'outer')).toMatchObject({
      reason: 'credentials',
      evidence: { operation: 'GetCallerIdentity', code: 'AccessDenied', status: 403, message: text },
    });
  });

  it('does not hang for ever on a role whose answer never ends', async () => {
    wire.on('AssumeRole', { headers: { 'content-type': 'text/xml' }, body: '<AssumeRole', ending: 'stall' });
    await using connection = await connectTo(wire, { kms: {} }, { roleArn: ROLE }, { callTimeoutMs: 60 });
    const failed = await connection.identify(plainContext).catch((error: unknown) => error);
    expect(connection.classify(failed, 'outer')).toMatchObject({ reason: 'timeout' });
  });

  it('goes through the proxy that the environment names', async () => {
    const paths: Array<string | undefined> = [];
    const proxy = createServer((request, response) => {
      paths.push(request.url);
      response.writeHead(502).end();
    });
    const listening = Promise.withResolvers<void>();
    proxy.listen(0, '127.0.0.1', listening.resolve);
    await listening.promise;
    const env = {
      AWS_ACCESS_KEY_ID: 'a',
      AWS_SECRET_ACCESS_KEY: 'b',
      HTTP_PROXY: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    };
    await using connection = await connectTo({ url: 'http://sts.invalid' }, { kms: {} }, {}, { env });
    await connection.identify(plainContext).catch(() => undefined);
    proxy.closeAllConnections();
    proxy.close();
    expect(paths[0]).toBe('http://sts.invalid/');
  });

  it('trusts a private certificate authority that it is given, and nobody else', async () => {
    const { body = '', headers = {} } = callerIdentity();
    const server = createTlsServer({ key: LOOPBACK_KEY, cert: LOOPBACK_CERTIFICATE }, (_, response) => {
      response.writeHead(200, { ...headers }).end(String(body));
    });
    const listening = Promise.withResolvers<void>();
    server.listen(0, '127.0.0.1', listening.resolve);
    await listening.promise;
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await using trusting = await connectTo({ url }, { kms: {} }, {}, { trust: trustOf(LOOPBACK_CERTIFICATE) });
    await using plain = await connectTo({ url }, { kms: {} });
    const identity = await trusting.identify(plainContext);
    const failed = await plain.identify(plainContext).catch((error: unknown) => error);
    server.closeAllConnections();
    server.close();
    expect(identity.account).toBe(ACCOUNT);
    expect(plain.classify(failed, 'outer')).toMatchObject({
      reason: 'network',
      evidence: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
    });
  });

  it('refuses to open what it has not got', async () => {
    await using connection = await connectTo(wire, { kms: {} });
    expect(() => connection.open('kms', REGION)).toThrow('open before identify');
    await connection.identify(plainContext);
    expect(() => connection.open('secrets-manager', REGION)).toThrow('no service of this target');
  });
});
