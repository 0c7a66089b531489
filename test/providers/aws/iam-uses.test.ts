import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ConsumerFacts, KeyFacts } from '../../../src/core/model.ts';
import { SIMULATION_APIS } from '../../../src/providers/aws/iam/apis.ts';
import { withSimulation } from '../../../src/providers/aws/iam/uses.ts';
import { CallFailed, type LookContext } from '../../../src/providers/provider.ts';
import { type Sandbox, startSandbox } from '../../../src/sandbox/sandbox.ts';
import { plainContext } from '../../fixtures/context.ts';
import { ACCOUNT, flowOf, knowing, looked, type Open, REGION, simulationOf, useOf } from './iam-simulation.ts';

const NOW = Date.UTC(2026, 10, 20, 12);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const SERVICE = 'mediaconnect.amazonaws.com';

let sandbox: Sandbox;
let open: Open;
let role: string;
let secret: string;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
  sandbox = await startSandbox();
  const account = sandbox.aws.account(ACCOUNT);
  role = account.iam.createRole('reader', [SERVICE], '/video/');
  secret = account.region(REGION).secrets.create({ Name: 'prod/key', SecretString: 'x' }).arn;
  open = await simulationOf(sandbox);
});
afterEach(async () => {
  vi.useRealTimers();
  await open[Symbol.asyncDispose]();
  const undeclared = sandbox.requests.list().filter(({ operation }) => !SIMULATION_APIS[operation]);
  expect(undeclared.map(({ operation }) => operation).filter((name) => name !== 'GetCallerIdentity')).toEqual([]);
  await sandbox[Symbol.asyncDispose]();
});

function allow(Action: string | readonly string[], Resource: string, more: object = {}): void {
  const document = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action, Resource, ...more }] };
  sandbox.aws.account(ACCOUNT).iam.putRolePolicy('reader', `allow-${Action}`, document);
}

/** What the first use of a look was told. */
async function told(
  resource = secret,
  options: { readonly context?: LookContext; readonly known?: ConsumerFacts } = {},
) {
  const { uses } = await looked(open, [useOf(resource, role)], options);
  return uses[0]?.attributes ?? {};
}

function customKey(): { readonly key: string; readonly sealed: string; readonly context: LookContext } {
  const region = sandbox.aws.account(ACCOUNT).region(REGION);
  const key = region.kms.createKey().arn;
  region.kms.alias('alias/video', key);
  const { arn: sealed } = region.secrets.create({ Name: 'prod/sealed', SecretString: 'x', KmsKeyId: key });
  const alias = `arn:aws:kms:${REGION}:${ACCOUNT}:alias/video`;
  const dependsOn = [{ anyOf: [alias], role: 'decrypts' }];
  const facts: Partial<KeyFacts>[] = [
    { resource: sealed, kind: 'aws-secret', dependsOn },
    { resource: key, kind: 'aws-kms-key', aliases: [alias], dependsOn: [] },
  ];
  return { key, sealed, context: knowing(...facts) };
}

describe('a use of a secret', () => {
  it('is told what the role lacks, and when it was asked', async () => {
    expect(await told()).toEqual({
      roleArn: role,
      simulatedRole: role,
      simulatedAt: NOW,
      simulatedTrust: 'allowed',
      simulatedRead: 'implicitly-denied',
      simulatedReadBy: 'role',
      simulatedReadActions:
        'secretsmanager:GetSecretValue secretsmanager:DescribeSecret secretsmanager:GetResourcePolicy secretsmanager:ListSecretVersionIds',
      simulatedReadResource: secret,
    });
  });

  it('is allowed what the role is allowed, action by action', async () => {
    allow('secretsmanager:Get*', secret);
    expect(await told()).toMatchObject({
      simulatedRead: 'implicitly-denied',
      simulatedReadActions: 'secretsmanager:DescribeSecret secretsmanager:ListSecretVersionIds',
    });
    vi.setSystemTime(NOW + HOUR);
    allow('secretsmanager:*', secret);
    expect(await told()).toMatchObject({ simulatedRead: 'allowed', simulatedAt: NOW + HOUR });
  });

  it('of a build needs no more than its value', async () => {
    allow('secretsmanager:GetSecretValue', secret);
    const { uses } = await looked(open, [useOf(secret, role)], { service: 'codebuild' });
    expect(uses[0]?.attributes).toMatchObject({ simulatedTrust: 'untrusted', simulatedRead: 'allowed' });
  });

  it('hears of the policy of the secret itself', async () => {
    const { secrets } = sandbox.aws.account(ACCOUNT).region(REGION);
    const policy = (Effect: string) =>
      JSON.stringify({ Statement: [{ Effect, Principal: { AWS: role }, Action: 'secretsmanager:*', Resource: '*' }] });
    secrets.call('PutResourcePolicy', { SecretId: secret, ResourcePolicy: policy('Allow') });
    expect(await told()).toMatchObject({ simulatedRead: 'allowed' });
    vi.setSystemTime(NOW + HOUR);
    secrets.call('PutResourcePolicy', { SecretId: secret, ResourcePolicy: policy('Deny') });
    expect(await told()).toMatchObject({ simulatedRead: 'explicitly-denied', simulatedReadBy: 'resource' });
  });

  it('without its six characters is told only where it is watched', async () => {
    const short = secret.slice(0, -7);
    expect(await told(short)).toMatchObject({ simulatedRead: 'cannot-tell', simulatedReadReason: 'not_watched' });
    const context = knowing({ resource: secret, aliases: [short], kind: 'aws-secret', dependsOn: [] });
    expect(await told(short, { context })).toMatchObject({ simulatedReadResource: secret });
  });

  it('that is marked for deletion is no matter of its policy', async () => {
    allow('secretsmanager:*', secret);
    sandbox.aws.account(ACCOUNT).region(REGION).secrets.delete(secret);
    expect(await told()).toMatchObject({ simulatedRead: 'allowed', simulatedReadReason: 'resource_gone' });
  });
});

describe('a secret under a customer key', () => {
  it('needs the key too: the role by its policies where the key leaves it to the account', async () => {
    const { key, sealed, context } = customKey();
    allow('secretsmanager:*', sealed);
    expect(await told(sealed, { context })).toMatchObject({
      simulatedRead: 'allowed',
      simulatedDecrypt: 'implicitly-denied',
      simulatedDecryptBy: 'role',
      simulatedDecryptActions: 'kms:Decrypt',
      simulatedDecryptResource: key,
    });
    vi.setSystemTime(NOW + HOUR);
    allow('kms:Decrypt', key, {
      Condition: {
        StringEquals: { 'kms:ViaService': `secretsmanager.${REGION}.amazonaws.com`, 'kms:CallerAccount': ACCOUNT },
        StringLike: { 'kms:EncryptionContext:SecretARN': sealed },
      },
    });
    expect(await told(sealed, { context })).toMatchObject({ simulatedDecrypt: 'allowed' });
  });

  it('is not helped by IAM where the key does not leave it to the account', async () => {
    const region = sandbox.aws.account(ACCOUNT).region(REGION);
    const { arn } = region.kms.createKey({ Policy: JSON.stringify({ Statement: [] }) });
    allow('kms:Decrypt', arn);
    const facts = { resource: secret, kind: 'aws-secret' as const, dependsOn: [{ anyOf: [arn], role: 'decrypts' }] };
    expect(await told(secret, { context: knowing(facts) })).toMatchObject({
      simulatedDecrypt: 'implicitly-denied',
      simulatedDecryptBy: 'resource',
    });
  });

  it('is content with any of the keys that decrypt it', async () => {
    const { key, sealed } = customKey();
    const other = sandbox.aws.account(ACCOUNT).region(REGION).kms.createKey().arn;
    allow('kms:Decrypt', key);
    const anyOf = (...keys: readonly string[]) =>
      knowing({ resource: sealed, kind: 'aws-secret', dependsOn: [{ anyOf: keys, role: 'decrypts' }] });
    expect(await told(sealed, { context: anyOf(other, key) })).toMatchObject({ simulatedDecrypt: 'allowed' });
    vi.setSystemTime(NOW + HOUR);
    expect(await told(sealed, { context: anyOf(other) })).toMatchObject({ simulatedDecrypt: 'implicitly-denied' });
  });

  it('whose alias leads nowhere that is watched is not judged', async () => {
    const alias = `arn:aws:kms:${REGION}:${ACCOUNT}:alias/other`;
    const facts = { resource: secret, kind: 'aws-secret' as const, dependsOn: [{ anyOf: [alias], role: 'decrypts' }] };
    expect(await told(secret, { context: knowing(facts) })).toMatchObject({
      simulatedDecrypt: 'cannot-tell',
      simulatedDecryptReason: 'not_watched',
    });
  });
});

describe('a use of a key itself', () => {
  it('needs to decrypt with it and to make data keys', async () => {
    const { key } = customKey();
    allow('kms:Decrypt', key);
    expect(await told(key)).toMatchObject({
      simulatedDecrypt: 'implicitly-denied',
      simulatedDecryptActions: 'kms:GenerateDataKey',
    });
  });
});

describe('a use of a gateway', () => {
  const url = `https://1abcdefghi.execute-api.${REGION}.amazonaws.com/prod/speke/v1`;

  it('needs to invoke it', async () => {
    const gateway = `arn:aws:execute-api:${REGION}:${ACCOUNT}:1abcdefghi/prod/POST/speke/v1`;
    expect(await told(url)).toMatchObject({
      simulatedInvoke: 'implicitly-denied',
      simulatedInvokeActions: 'execute-api:Invoke',
      simulatedInvokeResource: gateway,
    });
    vi.setSystemTime(NOW + HOUR);
    allow('execute-api:Invoke', `arn:aws:execute-api:${REGION}:${ACCOUNT}:1abcdefghi/*/POST/*`);
    expect(await told(url)).toMatchObject({ simulatedInvoke: 'allowed' });
    expect(await told(`https://1abcdefghi.execute-api.${REGION}.amazonaws.com/prod`)).toMatchObject({
      simulatedInvoke: 'allowed',
    });
  });

  it.each(['https://speke.example.com/prod', `https://a.execute-api.${REGION}.amazonaws.com.evil.io/`])(
    'that has a name of its own is not judged: %s',
    async (custom) => {
      expect(await told(custom)).toMatchObject({
        simulatedInvoke: 'cannot-tell',
        simulatedInvokeReason: 'custom_domain',
      });
    },
  );

  it('that is no address is not asked about', async () => {
    expect(await told('nonsense')).not.toHaveProperty('simulatedInvoke');
  });
});

describe('a role', () => {
  it('that does not exist is said to be missing, and nothing else is asked', async () => {
    role = `arn:aws:iam::${ACCOUNT}:role/reader`;
    expect(await told()).toEqual({
      roleArn: role,
      simulatedRole: role,
      simulatedAt: NOW,
      simulatedTrust: 'role-not-found',
    });
    expect(sandbox.requests.count('iam:SimulatePrincipalPolicy')).toBe(0);
  });

  it.each([
    [`arn:aws:iam::444455556666:role/reader`, 'other_account'],
    [`arn:aws:sts::${ACCOUNT}:assumed-role/reader/x`, 'no_role'],
    ['reader', 'no_role'],
  ])('%s cannot be told of, and nobody is asked', async (name, reason) => {
    role = name;
    expect(await told()).toMatchObject({
      simulatedTrust: 'cannot-tell',
      simulatedTrustReason: reason,
      simulatedRead: 'cannot-tell',
      simulatedReadReason: reason,
    });
    // Nothing changes from look to look that nobody was asked about.
    expect(await told()).not.toHaveProperty('simulatedAt');
    expect(sandbox.requests.list().filter(({ service }) => service === 'iam')).toEqual([]);
  });

  it('that is not told is not asked about', async () => {
    const use = { resource: secret, role: 'output-encryption' };
    expect((await looked(open, [use])).uses).toEqual([use]);
  });

  it('is not simulated where that is not on', async () => {
    const uses = [useOf(secret, role)];
    const flow = flowOf(uses);
    const off = { service: 'mediaconnect', simulation: undefined, roleOf: () => role, known: undefined } as const;
    expect(await withSimulation(flow, off, plainContext)).toBe(flow);
  });
});

describe('what was answered', () => {
  it('is good for as long as is configured, for every use and every flow', async () => {
    await looked(open, [useOf(secret, role), useOf(secret, role, 'source Live')]);
    vi.setSystemTime(NOW + HOUR - 1);
    expect(await told()).toMatchObject({ simulatedAt: NOW });
    expect(sandbox.requests.count('iam:GetRole')).toBe(1);
    expect(sandbox.requests.count('iam:SimulatePrincipalPolicy')).toBe(1);
    expect(sandbox.requests.count('secretsmanager:GetResourcePolicy')).toBe(1);
    vi.setSystemTime(NOW + HOUR);
    expect(await told()).toMatchObject({ simulatedAt: NOW + HOUR });
    expect(sandbox.requests.count('iam:SimulatePrincipalPolicy')).toBe(2);
  });

  it('is asked for once by those who ask at the same time', async () => {
    await Promise.all([told(), told(), told()]);
    expect(sandbox.requests.count('iam:SimulatePrincipalPolicy')).toBe(1);
  });

  it.each([
    ['denied', { kind: 'access-denied' }],
    ['throttled', { kind: 'throttle' }],
    ['credentials', { kind: 'expired-token' }],
    ['provider_error', { kind: 'server-error' }],
    ['bad_response', { kind: 'error', code: 'InvalidInput' }],
  ] as const)('that it is %s is no answer, and is asked again after five minutes', async (reason, effect) => {
    const fault = sandbox.faults.add(effect, { service: 'iam' });
    expect(await told()).toMatchObject({
      simulatedTrust: 'cannot-tell',
      simulatedTrustReason: reason,
      simulatedRead: 'cannot-tell',
      simulatedReadReason: reason,
    });
    fault.remove();
    vi.setSystemTime(NOW + 5 * MINUTE - 1);
    expect(await told()).toMatchObject({ simulatedRead: 'cannot-tell' });
    vi.setSystemTime(NOW + 5 * MINUTE);
    expect(await told()).toMatchObject({ simulatedTrust: 'allowed', simulatedRead: 'implicitly-denied' });
  });

  it('stands while no new answer comes, as a look that failed closes no finding', async () => {
    const known = await looked(open, [useOf(secret, role)]);
    vi.setSystemTime(NOW + HOUR);
    sandbox.faults.add({ kind: 'throttle' }, { service: 'iam' });
    expect(await told(secret, { known })).toEqual(known.uses[0]?.attributes);
    expect(await told(secret)).toMatchObject({ simulatedRead: 'cannot-tell' });
  });

  it('of another role is not taken over', async () => {
    const known = await looked(open, [useOf(secret, role)]);
    role = sandbox.aws.account(ACCOUNT).iam.createRole('other', [SERVICE]);
    sandbox.faults.add({ kind: 'throttle' }, { service: 'iam' });
    expect(await told(secret, { known })).toMatchObject({ simulatedRole: role, simulatedTrust: 'cannot-tell' });
  });

  it('does not hold where pages of a simulation go in a circle', async () => {
    sandbox.faults.add(
      { kind: 'rewrite', change: (answer) => ({ ...(answer as object), IsTruncated: true, Marker: '0' }) },
      { operation: 'SimulatePrincipalPolicy' },
    );
    expect(await told()).toMatchObject({ simulatedRead: 'cannot-tell', simulatedReadReason: 'bad_response' });
  });
});

describe('a look', () => {
  it('asks little at once, and the rest the next time', async () => {
    const { secrets } = sandbox.aws.account(ACCOUNT).region(REGION);
    const uses = Array.from({ length: 9 }, (_, at) =>
      useOf(secrets.create({ Name: `prod/${at}`, SecretString: 'x' }).arn, role, `output ${at}`),
    );
    const answered = ({ uses }: ConsumerFacts) => uses.filter(({ attributes }) => attributes?.simulatedRead).length;
    const first = await looked(open, uses);
    expect(answered(first)).toBe(3);
    const second = await looked(open, uses, { known: first });
    expect(answered(second)).toBe(7);
    expect(answered(await looked(open, uses, { known: second }))).toBe(9);
    expect(sandbox.requests.count('iam:SimulatePrincipalPolicy')).toBe(9);
  });

  it('does not wait for those of others', async () => {
    const gate = Promise.withResolvers<void>();
    const waiting = {
      ...plainContext,
      call: async <T>(operation: string, run: (signal: AbortSignal) => Promise<T>) => {
        await gate.promise;
        return plainContext.call(operation, run);
      },
    };
    const roles = [1, 2, 3].map((at) => sandbox.aws.account(ACCOUNT).iam.createRole(`r${at}`, [SERVICE]));
    const slow = roles.slice(0, 2).map((one) => looked(open, [useOf(secret, one)], { context: waiting }));
    const { uses } = await looked(open, [useOf(secret, roles[2] ?? '')]);
    expect(uses[0]?.attributes).not.toHaveProperty('simulatedTrust');
    gate.resolve();
    await Promise.all(slow);
    const { uses: later } = await looked(open, [useOf(secret, roles[2] ?? '')]);
    expect(later[0]?.attributes).toMatchObject({ simulatedTrust: 'allowed' });
  });

  it('that is ended ends the question, and nothing is remembered of it', async () => {
    const stop = new Error('the daemon stops');
    const stopped = { ...plainContext, call: () => Promise.reject(stop) };
    await expect(looked(open, [useOf(secret, role)], { context: stopped })).rejects.toBe(stop);
    expect(await told()).toMatchObject({ simulatedTrust: 'allowed' });
  });

  it('whose deadline passes has no answer', async () => {
    const late = Object.assign(new Error('late'), { name: 'DeadlineExceeded' });
    const context = { ...plainContext, call: (name: string) => Promise.reject(new CallFailed(name, late)) };
    expect(await told(secret, { context })).toMatchObject({ simulatedTrustReason: 'timeout' });
  });
});

describe('the client of IAM', () => {
  it.each([
    ['aws', 'us-east-1'],
    ['aws-cn', 'cn-north-1'],
    ['aws-us-gov', 'us-gov-west-1'],
  ])('signs in %s for %s, wherever its user is', async (partition, region) => {
    sandbox.faults.add(
      { kind: 'rewrite', change: () => ({ Arn: `arn:${partition}:iam::${ACCOUNT}:user/x`, Account: ACCOUNT }) },
      { service: 'sts' },
    );
    await using other = await simulationOf(sandbox, { target: { regions: ['eu-west-1'] } });
    await looked(other, [useOf(secret, role)]);
    const asked = sandbox.requests.list().filter(({ service }) => service === 'iam');
    expect(new Set(asked.map((one) => one.region))).toEqual(new Set([region]));
    const policies = sandbox.requests.list().filter(({ operation }) => operation === 'GetResourcePolicy');
    expect(policies.map((one) => one.region)).toEqual([REGION]);
  });

  it('goes to an endpoint of its own', async () => {
    await using elsewhere = await startSandbox();
    const target = { services: { iam: { every: HOUR, endpoint: elsewhere.url } } };
    await using other = await simulationOf(sandbox, { target });
    await looked(other, [useOf(secret, role)]);
    expect(elsewhere.requests.list().map(({ service }) => service)).toContain('iam');
    expect(sandbox.requests.list().map(({ service }) => service)).not.toContain('iam');
  });
});
