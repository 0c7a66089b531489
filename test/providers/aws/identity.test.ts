/** Every way in which a machine says who the monitor is, through the SDK's own chain, against an imitation of its endpoint. */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Connection } from '../../../src/providers/provider.ts';
import { ACCOUNT, assumedRole, connectTo, REGION, startWire, stsError, type Wire } from '../../fixtures/aws-wire.ts';
import { listAll, plainContext } from '../../fixtures/context.ts';
import { type Asked, type LoopbackAnswer, startLoopback, stubEnvironment } from '../../fixtures/loopback.ts';

const ROLE = 'arn:aws:iam::111122223333:role/monitor';
const HOUR_MS = 3_600_000;
const NOW = Date.UTC(2026, 10, 20, 12);

let wire: Wire;
let directory: string;
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
  vi.spyOn(Math, 'random').mockReturnValue(0);
  wire = await startWire();
  wire.on('ListAliases', { body: { Aliases: [] } });
  wire.on('ListKeys', { body: { Keys: [] } });
  directory = await mkdtemp(join(tmpdir(), 'keyvigil-'));
});
afterEach(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  await wire[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

/** Connects with this environment, in the process as in the options: the daemon has one. */
function connect(variables: Record<string, string>, target: Record<string, unknown> = {}): Promise<Connection> {
  const env = {
    AWS_CONFIG_FILE: join(directory, 'config'),
    AWS_SHARED_CREDENTIALS_FILE: join(directory, 'credentials'),
    AWS_EC2_METADATA_DISABLED: 'true',
    // The chain's own calls of STS know nothing of the endpoint of the target.
    AWS_ENDPOINT_URL_STS: wire.url,
    ...variables,
  };
  stubEnvironment(env);
  return connectTo(wire, { kms: {} }, target, { env });
}

async function file(name: string, text: string): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, text, { mode: 0o600 });
  return path;
}

const signer = ({ headers }: { headers: Asked['headers'] } = { headers: {} }) =>
  /Credential=([^/]+)\//.exec(headers.authorization ?? '')?.[1];
/** Who signed each look at the keys. */
const signers = () => wire.asked('ListKeys').map(signer);
const look = async (connection: Connection) => listAll(connection.open('kms', REGION));
const until = (ms: number) => new Date(Date.now() + ms).toISOString();

async function failure(connection: Connection) {
  const failed = await connection.identify(plainContext).catch((error: unknown) => error);
  return connection.classify(failed, 'outer');
}

/** What a container's agent or a machine's metadata service gives: numbered, an hour each. */
function handingOut(prefix: string, shape: (keys: object) => LoopbackAnswer = (body) => ({ body })) {
  let given = 0;
  return () => {
    given += 1;
    return shape({
      AccessKeyId: `${prefix}${given}`,
      SecretAccessKey: 'secret',
      Token: `token-${given}`,
      Expiration: until(HOUR_MS),
    });
  };
}

describe('a role for a service account (IRSA)', () => {
  const web = (n: number) => {
    const { headers = {}, body } = assumedRole();
    return {
      headers,
      body: String(body).replaceAll('AssumeRole', 'AssumeRoleWithWebIdentity').replace('ASIAROLE', `ASIAWEB${n}`),
    };
  };

  it('is taken on with the token of its file, which is read again when the keys run out', async () => {
    wire.on(
      'AssumeRoleWithWebIdentity',
      () => web(1),
      () => web(2),
    );
    const AWS_WEB_IDENTITY_TOKEN_FILE = await file('token', 'first.jwt');
    await using connection = await connect({
      AWS_WEB_IDENTITY_TOKEN_FILE,
      AWS_ROLE_ARN: ROLE,
      AWS_ROLE_SESSION_NAME: 'pod',
    });
    expect(await connection.identify(plainContext)).toMatchObject({ account: ACCOUNT });
    await look(connection);
    await file('token', 'second.jwt');
    vi.setSystemTime(NOW + HOUR_MS + 1_000);
    await look(connection);
    const assumed = wire.asked('AssumeRoleWithWebIdentity');
    expect(assumed.map(({ body }) => [body.RoleArn, body.RoleSessionName, body.WebIdentityToken])).toEqual([
      [ROLE, 'pod', 'first.jwt'],
      [ROLE, 'pod', 'second.jwt'],
    ]);
    // The token is what proves who asks: there is nothing to sign with yet.
    expect(assumed[0]?.headers.authorization).toBeUndefined();
    expect(signers()).toEqual(['ASIAWEB1', 'ASIAWEB2']);
    expect(wire.asked('ListKeys')[0]?.headers['x-amz-security-token']).toBe('t');
  });

  it('is the way to the role of the target', async () => {
    wire.on('AssumeRoleWithWebIdentity', web(1));
    wire.on('AssumeRole', assumedRole());
    const AWS_WEB_IDENTITY_TOKEN_FILE = await file('token', 'jwt');
    const env = { AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN: ROLE };
    const roleArn = 'arn:aws:iam::444455556666:role/keyvigil';
    await using connection = await connect(env, { roleArn, externalId: 'the-id' });
    await connection.identify(plainContext);
    await look(connection);
    expect(signer(wire.asked('AssumeRole')[0])).toBe('ASIAWEB1');
    expect(wire.asked('AssumeRole')[0]?.body).toMatchObject({ RoleArn: roleArn, ExternalId: 'the-id' });
    expect(signers()).toEqual(['ASIAROLE']);
  });

  it('that is refused, or whose token is not there, is trouble with credentials', async () => {
    wire.on('AssumeRoleWithWebIdentity', stsError('InvalidIdentityToken', 'No OpenIDConnect provider found', 400));
    const AWS_WEB_IDENTITY_TOKEN_FILE = await file('token', 'jwt');
    const env = { AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN: ROLE };
    await using refused = await connect(env);
    expect(await failure(refused)).toMatchObject({
      reason: 'credentials',
      evidence: { code: 'InvalidIdentityTokenException' },
    });
    await rm(AWS_WEB_IDENTITY_TOKEN_FILE);
    await using missing = await connect(env);
    expect(await failure(missing)).toMatchObject({ reason: 'credentials', evidence: { code: 'ENOENT' } });
  });
});

describe('an agent beside the container (EKS Pod Identity, ECS)', () => {
  it('is asked with the token of its file, which is read again when the keys run out', async () => {
    await using agent = await startLoopback(handingOut('ASIAPOD'));
    const AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE = await file('token', 'first');
    const AWS_CONTAINER_CREDENTIALS_FULL_URI = `${agent.url}/v1/credentials`;
    await using connection = await connect({
      AWS_CONTAINER_CREDENTIALS_FULL_URI,
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE,
      // Such an agent is on the machine: it is never asked through a proxy.
      HTTP_PROXY: 'http://127.0.0.1:1',
      NO_PROXY: new URL(wire.url).host,
    });
    await connection.identify(plainContext);
    await look(connection);
    await file('token', 'second');
    vi.setSystemTime(NOW + HOUR_MS + 1_000);
    await look(connection);
    expect(agent.asked.map(({ method, path, headers }) => [method, path, headers.authorization])).toEqual([
      ['GET', '/v1/credentials', 'first'],
      ['GET', '/v1/credentials', 'second'],
    ]);
    expect(signers()).toEqual(['ASIAPOD1', 'ASIAPOD2']);
  });

  it('serves new keys before the old ones end, and is not asked in between', async () => {
    await using agent = await startLoopback(handingOut('ASIAECS'));
    const AWS_CONTAINER_CREDENTIALS_FULL_URI = `${agent.url}/credentials`;
    const env = { AWS_CONTAINER_CREDENTIALS_FULL_URI, AWS_CONTAINER_AUTHORIZATION_TOKEN: 'token' };
    await using connection = await connect(env);
    await connection.identify(plainContext);
    for (const minutes of [1, 30, 54]) {
      vi.setSystemTime(NOW + minutes * 60_000);
      await look(connection);
    }
    expect(agent.asked).toHaveLength(1);
    // Less than five minutes are left: the old ones serve once more while new ones are asked for.
    vi.setSystemTime(NOW + 56 * 60_000);
    await look(connection);
    await vi.waitFor(() => expect(agent.asked).toHaveLength(2));
    await look(connection);
    expect(signers().slice(-1)).toEqual(['ASIAECS2']);
    expect(agent.asked.every(({ headers }) => headers.authorization === 'token')).toBe(true);
  });

  it('that refuses is trouble with credentials', async () => {
    await using agent = await startLoopback(() => ({ status: 403, body: { code: 'No', message: 'no' } }));
    await using connection = await connect({ AWS_CONTAINER_CREDENTIALS_FULL_URI: agent.url });
    expect(await failure(connection)).toMatchObject({ reason: 'credentials' });
  });

  it('at an address that is no machine of its own is not asked: the token would leave in the clear', async () => {
    const env = {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://169.254.169.254/x',
      AWS_CONTAINER_AUTHORIZATION_TOKEN: 't',
    };
    await using connection = await connect(env);
    expect(await failure(connection)).toMatchObject({ reason: 'credentials' });
  });
});

describe('the metadata service of the machine (IMDSv2)', () => {
  const PATH = '/latest/meta-data/iam/security-credentials/';
  function metadata(keys = handingOut('ASIAEC2')) {
    return ({ method, path, headers }: Asked): LoopbackAnswer => {
      if (method === 'PUT' && path === '/latest/api/token') return { body: 'session-token' };
      if (headers['x-aws-ec2-metadata-token'] !== 'session-token') return { status: 401 };
      if (path === PATH) return { body: 'monitor-role' };
      return path === `${PATH}monitor-role` ? keys() : { status: 404 };
    };
  }
  const at = (url: string) => ({ AWS_EC2_METADATA_DISABLED: 'false', AWS_EC2_METADATA_SERVICE_ENDPOINT: url });

  it('is asked with a session token, for the role of the machine, and again when the keys run out', async () => {
    await using machine = await startLoopback(metadata());
    await using connection = await connect({
      ...at(machine.url),
      HTTP_PROXY: 'http://127.0.0.1:1',
      NO_PROXY: new URL(wire.url).host,
    });
    await connection.identify(plainContext);
    await look(connection);
    vi.setSystemTime(NOW + HOUR_MS + 1_000);
    await look(connection);
    expect(signers()).toEqual(['ASIAEC21', 'ASIAEC22']);
    expect(machine.asked.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'PUT /latest/api/token',
      `GET ${PATH}`,
      `GET ${PATH}monitor-role`,
      'PUT /latest/api/token',
      `GET ${PATH}`,
      `GET ${PATH}monitor-role`,
    ]);
    expect(machine.asked[0]?.headers['x-aws-ec2-metadata-token-ttl-seconds']).toBe('21600');
  });

  it('is asked over IPv6 too', async () => {
    await using machine = await startLoopback(metadata(), '::1');
    await using connection = await connect(at(machine.url));
    expect(await connection.identify(plainContext)).toMatchObject({ account: ACCOUNT });
  });

  it('that goes away mid-run is trouble with credentials until it is back, and says nothing past the log', async () => {
    const console = ['log', 'info', 'warn', 'error'].map((name) => vi.spyOn(globalThis.console, name as 'log'));
    let up = true;
    const answers = metadata();
    await using machine = await startLoopback((asked) => (up ? answers(asked) : { status: 500 }));
    await using connection = await connect(at(machine.url));
    await connection.identify(plainContext);
    up = false;
    vi.setSystemTime(NOW + HOUR_MS + 1_000);
    const failed = await look(connection).catch((error: unknown) => error);
    expect(connection.classify(failed, 'outer')).toMatchObject({ reason: 'credentials' });
    up = true;
    await look(connection);
    expect(signers()).toEqual(['ASIAEC22']);
    for (const spy of console) expect(spy).not.toHaveBeenCalled();
  });

  it('that is not there is trouble with credentials, and one that is switched off is not asked', async () => {
    await using gone = await connect(at('http://127.0.0.1:1'));
    expect(await failure(gone)).toMatchObject({ reason: expect.stringMatching(/^(credentials|network)$/) });
    await using machine = await startLoopback(metadata());
    await using off = await connect({ ...at(machine.url), AWS_EC2_METADATA_DISABLED: 'true' });
    expect(await failure(off)).toMatchObject({ reason: 'credentials' });
    expect(machine.asked).toHaveLength(0);
  });
});

describe('a profile', () => {
  const CREDENTIALS =
    '[default]\naws_access_key_id = AKIADEFAULT\naws_secret_access_key = x\n\n[own]\naws_access_key_id = AKIAOWN\naws_secret_access_key = x\n';

  it.each([
    ['that the target names', {}, { profile: 'own' }, 'AKIAOWN'],
    ['that the environment names', { AWS_PROFILE: 'own' }, {}, 'AKIAOWN'],
    ['of the target before that of the environment', { AWS_PROFILE: 'default' }, { profile: 'own' }, 'AKIAOWN'],
    [
      'before the keys of the environment',
      { AWS_ACCESS_KEY_ID: 'AKIAENV', AWS_SECRET_ACCESS_KEY: 'x' },
      { profile: 'own' },
      'AKIAOWN',
    ],
    ['that nobody names is the default one', {}, {}, 'AKIADEFAULT'],
  ])('%s', async (_, env, target, expected) => {
    await file('credentials', CREDENTIALS);
    await using connection = await connect(env as Record<string, string>, target);
    await connection.identify(plainContext);
    await look(connection);
    expect(signers()).toEqual([expected]);
  });

  it('with a role takes it on, with the keys of its source', async () => {
    wire.on('AssumeRole', assumedRole());
    await file('credentials', CREDENTIALS);
    await file(
      'config',
      `[profile watch]\nrole_arn = ${ROLE}\nsource_profile = own\nexternal_id = from-the-file\nregion = eu-central-1\n`,
    );
    await using connection = await connect({}, { profile: 'watch' });
    await connection.identify(plainContext);
    await look(connection);
    const [assumed] = wire.asked('AssumeRole');
    expect(signer(assumed)).toBe('AKIAOWN');
    expect(assumed?.body).toMatchObject({ RoleArn: ROLE, ExternalId: 'from-the-file' });
    expect(signers()).toEqual(['ASIAROLE']);
  });

  it('with a process takes the keys that it prints', async () => {
    const printed = {
      Version: 1,
      AccessKeyId: 'ASIAPROCESS',
      SecretAccessKey: 'x',
      SessionToken: 't',
      Expiration: until(HOUR_MS),
    };
    const program = await file('print', `#!/bin/sh\necho '${JSON.stringify(printed)}'\n`);
    await chmod(program, 0o700);
    await file('config', `[profile process]\ncredential_process = ${program}\n`);
    await using connection = await connect({}, { profile: 'process' });
    await connection.identify(plainContext);
    await look(connection);
    expect(signers()).toEqual(['ASIAPROCESS']);
  });

  it('whose process fails does not show what it was called with', async () => {
    await file('config', '[profile process]\ncredential_process = /bin/sh -c "exit 3 # the-password"\n');
    await using connection = await connect({}, { profile: 'process' });
    const told = await failure(connection);
    expect(told).toMatchObject({ reason: 'credentials', evidence: { message: 'the credential process failed' } });
    expect(JSON.stringify(told)).not.toContain('the-password');
  });

  it('whose keys are replaced in its file is read again; while it cannot be read the old ones hold', async () => {
    await file('credentials', CREDENTIALS);
    await using connection = await connect({}, { profile: 'own' });
    await connection.identify(plainContext);
    await look(connection);
    await file('credentials', '');
    vi.setSystemTime(NOW + 11 * 60_000);
    await look(connection);
    await file('credentials', CREDENTIALS.replace('AKIAOWN', 'AKIANEW'));
    vi.setSystemTime(NOW + 22 * 60_000);
    await look(connection);
    expect(signers()).toEqual(['AKIAOWN', 'AKIAOWN', 'AKIANEW']);
  });

  it('that is not there is not made up for by the identity of the machine', async () => {
    await using agent = await startLoopback(handingOut('ASIAPOD'));
    await using connection = await connect({ AWS_CONTAINER_CREDENTIALS_FULL_URI: agent.url }, { profile: 'missing' });
    expect(await failure(connection)).toMatchObject({
      reason: 'credentials',
      evidence: { message: expect.stringContaining('missing') },
    });
    expect(agent.asked).toHaveLength(0);
  });
});
