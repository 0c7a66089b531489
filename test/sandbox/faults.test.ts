import { DescribeKeyCommand, ListKeysCommand } from '@aws-sdk/client-kms';
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  ListSecretsCommand,
  paginateListSecrets,
} from '@aws-sdk/client-secrets-manager';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { AwsRegion } from '../../src/sandbox/aws/cloud.ts';
import type { FaultEffect } from '../../src/sandbox/faults.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { ACCOUNT, clientsOf, errorOf, REGION } from './clients.ts';

let sandbox: Sandbox;
let region: AwsRegion;
let clients: ReturnType<typeof clientsOf>;
let lead = 0;

beforeEach(async () => {
  lead = 0;
  sandbox = await startSandbox({ now: () => Date.now() + lead, seed: 7 });
  region = sandbox.aws.account(ACCOUNT).region(REGION);
  clients = clientsOf(sandbox);
});
afterEach(async () => {
  vi.useRealTimers();
  await sandbox[Symbol.asyncDispose]();
});

/** Resolves once a request arrived. */
async function asked(of: Sandbox): Promise<void> {
  while (of.requests.count() === 0) await new Promise((resolve) => setImmediate(resolve));
}

function list(): Promise<unknown> {
  return clients.secrets.send(new ListSecretsCommand({}));
}

describe('errors in the protocol', () => {
  test.each<[FaultEffect, object, object, object]>([
    [
      { kind: 'throttle' },
      { name: 'ThrottlingException', message: 'Rate exceeded', status: 400 },
      { name: 'ThrottlingException', message: expect.stringContaining('rate at which you may call KMS'), status: 400 },
      { name: 'Throttling', message: 'Rate exceeded', status: 400 },
    ],
    [
      { kind: 'access-denied' },
      { name: 'AccessDeniedException', status: 400 },
      { name: 'AccessDeniedException', status: 400 },
      { name: 'AccessDenied', status: 403 },
    ],
    [
      { kind: 'expired-token' },
      { name: 'ExpiredTokenException', status: 400 },
      { name: 'ExpiredTokenException', status: 400 },
      { name: 'ExpiredToken', status: 403 },
    ],
    [
      { kind: 'server-error' },
      { name: 'InternalServiceError', status: 500 },
      { name: 'KMSInternalException', status: 500 },
      { name: 'InternalFailure', status: 500 },
    ],
    [
      { kind: 'error', code: 'ServiceUnavailable', status: 503, message: 'later' },
      { name: 'ServiceUnavailable', message: 'later', status: 503 },
      { name: 'ServiceUnavailable', message: 'later', status: 503 },
      { name: 'ServiceUnavailable', message: 'later', status: 503 },
    ],
  ])('%j', async (effect, secrets, kms, sts) => {
    using _fault = sandbox.faults.add(effect);
    expect(await errorOf(list())).toMatchObject(secrets);
    expect(await errorOf(clients.kms.send(new ListKeysCommand({})))).toMatchObject(kms);
    expect(await errorOf(clients.sts.send(new GetCallerIdentityCommand({})))).toMatchObject(sts);
  });
});

describe('bodies and connections', () => {
  test.each<[FaultEffect, object]>([
    [
      { kind: 'body', body: 'html' },
      { name: 'SyntaxError', status: 502 },
    ],
    [
      { kind: 'body', body: 'xml', status: 403 },
      { name: 'SyntaxError', status: 403 },
    ],
    [
      { kind: 'body', body: 'truncated' },
      { name: 'SyntaxError', status: 200 },
    ],
    [{ kind: 'reset' }, { message: expect.stringMatching(/ECONNRESET|socket hang up/) }],
    [{ kind: 'cut' }, { message: expect.stringMatching(/^aborted/) }],
  ])('%j breaks the answer', async (effect, expected) => {
    region.secrets.create({ Name: 's', SecretString: 'x' });
    using fault = sandbox.faults.add(effect);
    expect(await errorOf(list())).toMatchObject(expected);
    expect(fault.hits()).toBe(1);
  });

  test('an empty body is an answer without a list', async () => {
    using _fault = sandbox.faults.add({ kind: 'body', body: 'empty' });
    expect((await clients.secrets.send(new ListSecretsCommand({}))).SecretList).toBeUndefined();
  });

  test('no answer at all runs into the time-out of the client', async () => {
    using _fault = sandbox.faults.add({ kind: 'silence' });
    const impatient = clientsOf(sandbox, { requestTimeout: 100 }).secrets;
    expect((await errorOf(impatient.send(new ListSecretsCommand({})))).name).toBe('TimeoutError');
    expect(sandbox.requests.list().at(-1)).toMatchObject({ status: undefined });
  });

  test('a stalled body ends when the client gives up', async () => {
    region.secrets.create({ Name: 's', SecretString: 'x' });
    using _fault = sandbox.faults.add({ kind: 'stall' });
    const controller = new AbortController();
    const call = errorOf(clients.secrets.send(new ListSecretsCommand({}), { abortSignal: controller.signal }));
    await asked(sandbox);
    controller.abort();
    expect((await call).name).toBe('AbortError');
  });

  test('disposing ends what is stalled, slow or silent', async () => {
    const effects: FaultEffect[] = [{ kind: 'stall' }, { kind: 'slow', ms: 3_600_000 }, { kind: 'silence' }];
    for (const effect of effects) {
      const other = await startSandbox();
      other.faults.add(effect);
      const call = errorOf(clientsOf(other).secrets.send(new ListSecretsCommand({})));
      await asked(other);
      await other[Symbol.asyncDispose]();
      expect((await call).message).toMatch(/aborted|ECONNRESET|socket hang up/);
    }
  });

  test('a slow answer is late and right', async () => {
    vi.useFakeTimers();
    using _fault = sandbox.faults.add({ kind: 'slow', ms: 60_000 });
    const call = list();
    await asked(sandbox);
    expect(vi.getTimerCount()).toBeGreaterThan(0);
    vi.advanceTimersByTime(60_000);
    expect(await call).toMatchObject({ SecretList: [] });
  });
});

describe('reads of the past', () => {
  test('reads see the state before the last change, as often as was said', async () => {
    const { arn } = region.secrets.create({ Name: 's', SecretString: 'x' });
    region.secrets.update(arn, { Description: 'new' });
    const fault = sandbox.faults.add({ kind: 'stale' }, { operation: 'DescribeSecret', times: 2 });
    const describeIt = async () =>
      (await clients.secrets.send(new DescribeSecretCommand({ SecretId: arn }))).Description;
    expect([await describeIt(), await describeIt(), await describeIt()]).toEqual([undefined, undefined, 'new']);
    expect(fault.hits()).toBe(2);
  });

  test('the listing lags while the description does not', async () => {
    region.secrets.create({ Name: 'old', SecretString: 'x' });
    lead = 60_000;
    region.secrets.create({ Name: 'new', SecretString: 'x' });
    region.secrets.delete('old');
    sandbox.faults.add({ kind: 'stale', ms: 30_000 }, { operation: 'ListSecrets' });
    const names = async () =>
      (await clients.secrets.send(new ListSecretsCommand({}))).SecretList?.map((secret) => secret.Name);
    expect(await names()).toEqual(['old']);
    const described = await clients.secrets.send(new DescribeSecretCommand({ SecretId: 'old' }));
    expect(described.DeletedDate).toBeDefined();
    lead = 95_000;
    expect(await names()).toEqual(['new']);
  });

  test('the new state of a key comes late', async () => {
    const { keyId } = region.kms.createKey();
    region.kms.disable(keyId);
    using _fault = sandbox.faults.add({ kind: 'stale' }, { service: 'kms', operation: 'DescribeKey', times: 1 });
    const state = async () => (await clients.kms.send(new DescribeKeyCommand({ KeyId: keyId }))).KeyMetadata?.KeyState;
    expect([await state(), await state()]).toEqual(['Enabled', 'Disabled']);
  });
});

describe('lists that go wrong', () => {
  test('an empty page with a token is followed by the page it stood for', async () => {
    for (const name of ['a', 'b', 'c']) region.secrets.create({ Name: name, SecretString: 'x' });
    sandbox.faults.add({ kind: 'empty-page' }, { operation: 'ListSecrets', times: 2 });
    const pages: (string | undefined)[][] = [];
    for await (const page of paginateListSecrets({ client: clients.secrets, pageSize: 2 }, {})) {
      pages.push((page.SecretList ?? []).map((secret) => secret.Name));
    }
    expect(pages).toEqual([[], [], ['a', 'b'], ['c']]);
  });

  test('a token that loops leads to the same page for ever', async () => {
    for (const name of ['a', 'b', 'c']) region.secrets.create({ Name: name, SecretString: 'x' });
    sandbox.faults.add({ kind: 'token-loop' }, { operation: 'ListSecrets' });
    const first = await clients.secrets.send(new ListSecretsCommand({ MaxResults: 2 }));
    const query = { MaxResults: 2, NextToken: first.NextToken };
    const second = await clients.secrets.send(new ListSecretsCommand(query));
    expect(second.NextToken).toBe(first.NextToken);
    expect(second.SecretList?.map((secret) => secret.Name)).toEqual(['a', 'b']);
  });
});

describe('scope of a fault', () => {
  test('account, region, service, operation, resource and predicate narrow it; removing ends it', async () => {
    for (const name of ['a', 'b']) region.secrets.create({ Name: name, SecretString: 'x' });
    const describeIt = (name: string) => clients.secrets.send(new DescribeSecretCommand({ SecretId: name }));
    const fault = sandbox.faults.add(
      { kind: 'throttle' },
      {
        account: ACCOUNT,
        region: REGION,
        service: 'secretsmanager',
        operation: ['DescribeSecret', 'GetSecretValue'],
        resource: 'a',
        when: (call) => call.input.VersionId === undefined,
      },
    );
    expect((await errorOf(describeIt('a'))).name).toBe('ThrottlingException');
    expect((await describeIt('b')).Name).toBe('b');
    expect(await list()).toMatchObject({ SecretList: [{}, {}] });
    const far = clientsOf(sandbox, { region: 'us-east-1' }).secrets.send(new DescribeSecretCommand({ SecretId: 'a' }));
    expect((await errorOf(far)).name).toBe('ResourceNotFoundException');
    fault.remove();
    expect((await describeIt('a')).Name).toBe('a');
    sandbox.faults.add({ kind: 'throttle' });
    sandbox.faults.clear();
    expect((await describeIt('a')).Name).toBe('a');
  });

  test('a share of the requests fails, the same ones for the same seed', async () => {
    const run = async (seed: number) => {
      await using other = await startSandbox({ seed });
      other.faults.add({ kind: 'throttle' }, { probability: 0.5 });
      const { secrets } = clientsOf(other);
      const outcomes: boolean[] = [];
      for (let n = 0; n < 40; n += 1) {
        outcomes.push(
          await secrets.send(new ListSecretsCommand({})).then(
            () => true,
            () => false,
          ),
        );
      }
      return outcomes;
    };
    const outcomes = await run(3);
    expect(outcomes.filter(Boolean).length).toBeGreaterThan(8);
    expect(outcomes.filter(Boolean).length).toBeLessThan(32);
    expect(await run(3)).toEqual(outcomes);
  });

  test('an answer can be rewritten into what no client knows, together with being slow', async () => {
    const { keyId } = region.kms.createKey();
    sandbox.faults.add({ kind: 'slow', ms: 5 });
    sandbox.faults.add({
      kind: 'rewrite',
      change: (answer) => ({
        KeyMetadata: { ...(answer as { KeyMetadata: object }).KeyMetadata, KeyState: 'Quantum' },
      }),
    });
    const { KeyMetadata } = await clients.kms.send(new DescribeKeyCommand({ KeyId: keyId }));
    expect(KeyMetadata?.KeyState).toBe('Quantum');
  });

  test('a value of a secret is in no log', async () => {
    region.secrets.create({ Name: 's', SecretString: 'canary-7e1f' });
    await clients.secrets.send(new GetSecretValueCommand({ SecretId: 's' }));
    expect(JSON.stringify(sandbox.requests.list())).not.toContain('canary');
  });
});
