import { afterEach, beforeEach, expect, test } from 'vitest';
import type { AwsRegion } from '../../src/sandbox/aws/cloud.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { ACCOUNT, REGION } from './clients.ts';
import { mediaConnectOf, type Rest, segment } from './rest.ts';

const OTHER = '444455556666';

let sandbox: Sandbox;
let region: AwsRegion;
let rest: Rest;
let lead = 0;

let role: string;
let key: string;
let secret: string;
let flow: string;

beforeEach(async () => {
  lead = 0;
  const start = Date.now();
  sandbox = await startSandbox({ now: () => start + lead });
  sandbox.aws.settings.keyRefreshMs = 60_000;
  const account = sandbox.aws.account(ACCOUNT);
  region = account.region(REGION);
  rest = mediaConnectOf(sandbox);
  role = account.role('media', { services: ['mediaconnect.amazonaws.com'] });
  key = region.kms.createKey().arn;
  secret = region.secrets.create({ Name: 'zixi', SecretString: 'ab', KmsKeyId: key }).arn;
  flow = region.mediaConnect.createFlow({
    name: 'show',
    source: { name: 'in', protocol: 'srt-listener' },
    outputs: [{ name: 'Test', protocol: 'zixi-push', encryption: encryption() }],
  });
});
afterEach(() => sandbox[Symbol.asyncDispose]());

function encryption(secretArn = secret, roleArn = role) {
  return { roleArn, secretArn, algorithm: 'aes128' as const };
}

async function errors(): Promise<readonly string[] | undefined> {
  const { status, body } = await rest('GET', `/v1/flows/${segment(flow)}`);
  expect(status).toBe(200);
  return (body as { messages?: { errors: string[] } }).messages?.errors;
}

function denied(kind: string, name: string, secretArn = secret, roleArn = role): string {
  return `Permission denied accessing encryption key for ${kind} ${name}. Removing ${kind} until it is fixed (secret ${secretArn}, role ${roleArn})`;
}

const harms: readonly [string, () => void, () => void][] = [
  ['scheduled for deletion', () => region.secrets.delete('zixi'), () => region.secrets.restore('zixi')],
  ['under a disabled key', () => region.kms.disable(key), () => region.kms.enable(key)],
  [
    'under a key that is scheduled for deletion',
    () => region.kms.scheduleDeletion(key, 7),
    () => {
      region.kms.cancelDeletion(key);
      region.kms.enable(key);
    },
  ],
];

test.each(harms)('a flow at rest shows nothing of a secret %s', async (_what, harm) => {
  harm();
  expect(await errors()).toBeUndefined();
  await rest('POST', `/v1/flows/start/${segment(flow)}`);
  expect(await errors()).toBeUndefined();
});

test.each(harms)('a flow that starts with a secret %s says so, and recovers with it', async (_what, harm, undo) => {
  harm();
  await rest('POST', `/v1/flows/start/${segment(flow)}`);
  lead += 10_000;
  expect(await errors()).toEqual([denied('output', 'Test')]);
  expect(region.mediaConnect.takenOff(flow)).toEqual([expect.stringMatching(/:output:.*:Test$/)]);
  undo();
  lead += 59_000;
  expect(await errors()).toEqual([denied('output', 'Test')]);
  lead += 1_000;
  expect(await errors()).toBeUndefined();
  expect(region.mediaConnect.takenOff(flow)).toEqual([]);
});

test('a running flow sees the loss when its period ends, and not before', async () => {
  region.mediaConnect.activate(flow);
  expect(await errors()).toBeUndefined();
  lead += 1_000;
  region.kms.disable(key);
  lead += 58_000;
  expect(await errors()).toBeUndefined();
  lead += 1_000;
  expect(await errors()).toEqual([denied('output', 'Test')]);
});

test('a secret that was deleted for good, and one that never was, are denied alike', async () => {
  region.secrets.delete('zixi', { ForceDeleteWithoutRecovery: true });
  region.mediaConnect.activate(flow);
  expect(await errors()).toEqual([denied('output', 'Test')]);
  lead += 4 * 60_000;
  expect(await errors()).toEqual([denied('output', 'Test')]);
  const none = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:none-AbCdEf`;
  region.mediaConnect.addOutput(flow, { name: 'B', protocol: 'zixi-pull', encryption: encryption(none) });
  expect(await errors()).toEqual([denied('output', 'Test'), denied('output', 'B', none)]);
});

test('a role that lost the secret or its key, never had trust, or does not exist, is denied', async () => {
  const account = sandbox.aws.account(ACCOUNT);
  region.mediaConnect.activate(flow);
  expect(await errors()).toBeUndefined();
  const revoked = account.revoke(role, secret);
  region.mediaConnect.readKeys(flow);
  expect(await errors()).toEqual([denied('output', 'Test')]);
  revoked.remove();
  region.mediaConnect.readKeys(flow);
  expect(await errors()).toBeUndefined();
  using _denial = sandbox.aws.deny({ account: ACCOUNT, action: 'kms:Decrypt', resource: key, principal: role });
  region.mediaConnect.readKeys(flow);
  expect(await errors()).toEqual([denied('output', 'Test')]);
  for (const roleArn of [account.role('build', { services: ['codebuild.amazonaws.com'] }), `${role}-gone`]) {
    region.mediaConnect.addOutput(flow, { name: 'B', protocol: 'zixi-pull', encryption: encryption(secret, roleArn) });
    expect(await errors()).toContain(denied('output', 'B', secret, roleArn));
    const outputs = (region.mediaConnect.describe(flow).flow as { outputs: { outputArn: string }[] }).outputs;
    await rest('DELETE', `/v1/flows/${segment(flow)}/outputs/${segment(outputs[1]?.outputArn ?? '')}`);
  }
});

test('what one role lost, the user of the account and other roles still have', async () => {
  using _revoked = sandbox.aws.account(ACCOUNT).revoke(role, secret);
  const second = sandbox.aws.account(ACCOUNT).role('second');
  region.mediaConnect.addOutput(flow, { name: 'B', protocol: 'zixi-pull', encryption: encryption(secret, second) });
  region.mediaConnect.activate(flow);
  expect(await errors()).toEqual([denied('output', 'Test')]);
});

test('a secret of another account or region is denied: MediaConnect shares none', async () => {
  const foreign = sandbox.aws.account(OTHER).region(REGION).secrets.create({ Name: 'x', SecretString: 'ab' }).arn;
  const far = sandbox.aws.account(ACCOUNT).region('us-east-1').secrets.create({ Name: 'x', SecretString: 'ab' }).arn;
  region.mediaConnect.addOutput(flow, { name: 'B', protocol: 'zixi-pull', encryption: encryption(foreign) });
  region.mediaConnect.addOutput(flow, { name: 'C', protocol: 'zixi-pull', encryption: encryption(far) });
  region.mediaConnect.activate(flow);
  expect(await errors()).toEqual([denied('output', 'B', foreign), denied('output', 'C', far)]);
});

test('an update reads the keys at once: a good secret brings the output back, a bad one takes it off', async () => {
  region.secrets.delete('zixi');
  region.mediaConnect.activate(flow);
  expect(await errors()).toEqual([denied('output', 'Test')]);
  const good = region.secrets.create({ Name: 'good', SecretString: 'ab' }).arn;
  const { outputs } = region.mediaConnect.describe(flow).flow as { outputs: { outputArn: string }[] };
  const path = `/v1/flows/${segment(flow)}/outputs/${segment(outputs[0]?.outputArn ?? '')}`;
  await rest('PUT', path, { encryption: { secretArn: good } });
  expect(await errors()).toBeUndefined();
  await rest('PUT', path, { encryption: { secretArn: secret } });
  expect(await errors()).toEqual([denied('output', 'Test')]);
  await rest('PUT', path, { outputStatus: 'DISABLED' });
  expect(await errors()).toBeUndefined();
});

test('sources, entitlements and the way to a router are told by their kind; a stop ends every message', async () => {
  const grant = { name: 'grant', subscribers: [OTHER], encryption: encryption() };
  flow = region.mediaConnect.createFlow({
    name: 'all',
    source: { name: 'in', protocol: 'zixi-push', decryption: encryption() },
    outputs: [
      {
        name: 'router',
        routerIntegrationTransitEncryption: {
          encryptionKeyConfiguration: { secretsManager: { secretArn: secret, roleArn: role } },
        },
      },
      { name: 'open', routerIntegrationTransitEncryption: { encryptionKeyConfiguration: { automatic: {} } } },
    ],
    entitlements: [grant, { ...grant, name: 'off', entitlementStatus: 'DISABLED' }],
  });
  region.kms.disable(key);
  region.mediaConnect.activate(flow);
  expect(await errors()).toEqual([denied('source', 'in'), denied('output', 'router'), denied('entitlement', 'grant')]);
  region.mediaConnect.stop(flow);
  expect(await errors()).toBeUndefined();
});

test('both ends of an entitlement fail each over its own secret', async () => {
  const grant = { name: 'grant', subscribers: [OTHER], encryption: encryption() };
  const entitlementArn = region.mediaConnect.grant(flow, grant);
  const theirs = sandbox.aws.account(OTHER);
  const theirRole = theirs.role('media');
  const theirSecret = theirs.region(REGION).secrets.create({ Name: 'copy', SecretString: 'ab' }).arn;
  const theirFlow = theirs.region(REGION).mediaConnect.createFlow({
    name: 'entitled',
    source: { entitlementArn, decryption: encryption(theirSecret, theirRole) },
  });
  region.mediaConnect.activate(flow);
  theirs.region(REGION).mediaConnect.activate(theirFlow);
  theirs.region(REGION).secrets.delete('copy');
  theirs.region(REGION).mediaConnect.readKeys(theirFlow);
  expect(await errors()).toBeUndefined();
  expect(theirs.region(REGION).mediaConnect.describe(theirFlow).messages).toEqual({
    errors: [denied('source', 'grant', theirSecret, theirRole)],
  });
});

test('an output that was taken off stays in the list of outputs, or leaves it, as the settings say', async () => {
  const outputs = () => (region.mediaConnect.describe(flow).flow as { outputs: unknown[] }).outputs.length;
  region.secrets.delete('zixi');
  region.mediaConnect.activate(flow);
  expect(outputs()).toBe(1);
  sandbox.aws.settings.takenOff = 'hidden';
  expect(outputs()).toBe(0);
  region.secrets.restore('zixi');
  region.mediaConnect.readKeys(flow);
  expect(outputs()).toBe(1);
});

test('reads of the past see the flow as it was', async () => {
  region.mediaConnect.activate(flow);
  lead += 1_000;
  region.secrets.delete('zixi');
  lead += 60_000;
  expect(await errors()).toEqual([denied('output', 'Test')]);
  using _stale = sandbox.faults.add({ kind: 'stale', ms: 30_000 }, { service: 'mediaconnect' });
  expect(await errors()).toBeUndefined();
});
