/**
 * What the rules about roles tell people to run, run: by a real shell with a real jq, in which `aws` writes down what it is
 * told, and what it was told to change then is changed in the sandbox.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { permit } from '../../../src/providers/aws/iam/remedies.ts';
import { simulationRulings } from '../../../src/providers/aws/iam/rules.ts';
import { type Sandbox, startSandbox } from '../../../src/sandbox/sandbox.ts';
import {
  ACCOUNT,
  knowing,
  looked,
  type Open,
  REGION,
  simulationOf,
  useOf,
} from '../../providers/aws/iam-simulation.ts';

const ROLE = `arn:aws:iam::${ACCOUNT}:role/video/reader`;
const SECRET = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:prod/key-AbCdEf`;

describe('a remedy', () => {
  const run = promisify(execFile);
  const SERVICE = 'mediaconnect.amazonaws.com';
  let sandbox: Sandbox;
  let open: Open;
  let folder: string;
  let secret: string;

  beforeEach(async () => {
    sandbox = await startSandbox();
    secret = sandbox.aws.account(ACCOUNT).region(REGION).secrets.create({ Name: 'prod/key', SecretString: 'x' }).arn;
    open = await simulationOf(sandbox, { iam: { every: '1s' } });
    folder = await mkdtemp(join(tmpdir(), 'keyvigil-remedy-'));
  });
  afterEach(async () => {
    vi.useRealTimers();
    await open[Symbol.asyncDispose]();
    await sandbox[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const iam = () => sandbox.aws.account(ACCOUNT).iam;

  /** Runs a command line, in which every `aws` prints `printed`. */
  async function carryOut(remedy: string, printed = ''): Promise<void> {
    await writeFile(join(folder, 'printed'), printed);
    const words = `#!/bin/sh\nfor word in "$@"; do printf '%s\\0' "$word"; done > "${folder}/$2"\ncat "${folder}/printed"\n`;
    await writeFile(join(folder, 'aws'), words, { mode: 0o755 });
    await run('sh', ['-c', remedy], { env: { PATH: `${folder}${delimiter}${process.env.PATH}` } });
  }

  async function wordsOf(command: string): Promise<Readonly<Record<string, string>>> {
    const words = (await readFile(join(folder, command), 'utf8')).split('\0');
    return Object.fromEntries(
      words.flatMap((word, at) => (word.startsWith('--') ? [[word.slice(2), words[at + 1] ?? '']] : [])),
    );
  }

  async function findings(role: string, context = knowing()) {
    const flow = await looked(open, [useOf(secret, role)], { context });
    return simulationRulings(flow, 'mediaconnect').flatMap(({ finding }) => finding ?? []);
  }

  function later(): void {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 2_000 });
  }

  it('of a missing role makes it, at its path, so that the rest can be told', async () => {
    const [missing] = await findings(ROLE);
    expect(missing?.id).toBe('mediaconnect.role-not-found');
    await carryOut(missing?.remedy ?? '');
    const {
      'role-name': RoleName,
      path: Path,
      'assume-role-policy-document': AssumeRolePolicyDocument,
      region,
    } = await wordsOf('create-role');
    expect(region).toBe(REGION);
    iam().call('CreateRole', { RoleName, Path, AssumeRolePolicyDocument });
    later();
    expect((await findings(ROLE)).map(({ id }) => id)).toEqual(['mediaconnect.role-denied-secret']);
  });

  it('of a denied secret allows just that, beside what the role has', async () => {
    const role = iam().createRole('reader', [SERVICE]);
    iam().putRolePolicy('reader', 'own', { Statement: [{ Effect: 'Allow', Action: 'sqs:*', Resource: '*' }] });
    const [finding] = await findings(role);
    await carryOut(finding?.remedy ?? '');
    const words = await wordsOf('put-role-policy');
    expect(JSON.parse(words['policy-document'] ?? '')).toEqual({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Action: ['GetSecretValue', 'DescribeSecret', 'GetResourcePolicy', 'ListSecretVersionIds'].map(
            (action) => `secretsmanager:${action}`,
          ),
          Resource: secret,
        },
      ],
    });
    iam().putRolePolicy(words['role-name'] ?? '', words['policy-name'] ?? '', words['policy-document'] ?? '');
    expect(iam().call('ListRolePolicies', { RoleName: 'reader' }).PolicyNames).toHaveLength(2);
    later();
    expect(await findings(role)).toEqual([]);
  });

  it('of a role that does not trust the service keeps whom it trusts', async () => {
    const role = iam().createRole('reader', ['ec2.amazonaws.com']);
    iam().putRolePolicy('reader', 'own', { Statement: { Effect: 'Allow', Action: '*', Resource: '*' } });
    const [finding] = await findings(role);
    expect(finding?.id).toBe('mediaconnect.role-untrusted');
    // A single statement needs no list around it.
    const one = { Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' };
    await carryOut(finding?.remedy ?? '', JSON.stringify({ Version: '2012-10-17', Statement: one }));
    const document = (await wordsOf('update-assume-role-policy'))['policy-document'] ?? '';
    expect(JSON.parse(document).Statement).toEqual([one, { ...one, Principal: { Service: SERVICE } }]);
    iam().trust('reader', document);
    later();
    expect(await findings(role)).toEqual([]);
  });

  it('of a key that leaves nothing to the account adds the role to its policy', async () => {
    const role = iam().createRole('reader', [SERVICE]);
    iam().putRolePolicy('reader', 'own', { Statement: { Effect: 'Allow', Action: '*', Resource: '*' } });
    const { kms } = sandbox.aws.account(ACCOUNT).region(REGION);
    const admin = {
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${ACCOUNT}:role/admin` },
      Action: 'kms:*',
      Resource: '*',
    };
    const policy = JSON.stringify({ Version: '2012-10-17', Statement: [admin] });
    const key = kms.createKey({ Policy: policy }).arn;
    const context = knowing({ resource: secret, kind: 'aws-secret', dependsOn: [{ anyOf: [key], role: 'decrypts' }] });
    const [finding] = await findings(role, context);
    expect(finding).toMatchObject({ id: 'mediaconnect.role-denied-key' });
    expect(finding?.summary).toContain('the policy of the key does not allow it');
    await carryOut(finding?.remedy ?? '', policy);
    expect(await wordsOf('get-key-policy')).toMatchObject({ 'key-id': key, 'policy-name': 'default', region: REGION });
    const words = await wordsOf('put-key-policy');
    expect(JSON.parse(words.policy ?? '').Statement).toEqual([
      admin,
      { Effect: 'Allow', Principal: { AWS: role }, Action: ['kms:Decrypt'], Resource: '*' },
    ]);
    const allowed = kms.createKey({ Policy: words.policy ?? '' }).arn;
    const after = knowing({
      resource: secret,
      kind: 'aws-secret',
      dependsOn: [{ anyOf: [allowed], role: 'decrypts' }],
    });
    expect(await findings(role, after)).toEqual([]);
  });

  it('of a secret of another account is for its policy, whether it has one or not', async () => {
    const lack = {
      role: ROLE,
      resource: SECRET,
      actions: ['secretsmanager:GetSecretValue'],
      by: 'resource',
      explicit: false,
    } as const;
    const added = { Effect: 'Allow', Principal: { AWS: ROLE }, Action: lack.actions, Resource: '*' };
    await carryOut(permit(REGION, lack), JSON.stringify({ ARN: SECRET, Name: 'prod/key' }));
    const first = (await wordsOf('put-resource-policy'))['resource-policy'] ?? '';
    expect(JSON.parse(first)).toEqual({ Version: '2012-10-17', Statement: [added] });
    const own = { Effect: 'Deny', Principal: '*', Action: '*', Resource: '*' };
    const before = { ARN: SECRET, ResourcePolicy: JSON.stringify({ Version: '2012-10-17', Statement: own }) };
    await carryOut(permit(REGION, lack), JSON.stringify(before));
    const second = (await wordsOf('put-resource-policy'))['resource-policy'] ?? '';
    expect(JSON.parse(second).Statement).toEqual([own, added]);
  });
});
