import { request } from 'node:http';
import { DescribeKeyCommand, ListKeyRotationsCommand, ListKeysCommand } from '@aws-sdk/client-kms';
import { DescribeSecretCommand, ListSecretsCommand } from '@aws-sdk/client-secrets-manager';
import { AssumeRoleCommand, GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { ACCOUNT, clientsOf, errorOf, REGION } from './clients.ts';

const OTHER = '444455556666';

let sandbox: Sandbox;
let lead = 0;

beforeEach(async () => {
  lead = 0;
  sandbox = await startSandbox({ now: () => Date.now() + lead });
});
afterEach(() => sandbox[Symbol.asyncDispose]());

/** A request without the SDK, for what no SDK sends. */
function post(headers: Record<string, string>, body: string) {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; headers: object; body: string }>();
  const outgoing = request(sandbox.url, { method: 'POST', headers }, async (answer) => {
    const chunks: Buffer[] = [];
    for await (const chunk of answer) chunks.push(chunk);
    resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks).toString() });
  });
  outgoing.on('error', reject);
  outgoing.end(body);
  return promise;
}

describe('credentials', () => {
  test('accounts and regions are apart, and the log says who asked for what', async () => {
    sandbox.aws.account(ACCOUNT).region(REGION).secrets.create({ Name: 'mine', SecretString: 'x' });
    const names = async (account: string, region: string) => {
      const { secrets } = clientsOf(sandbox, { account, region });
      return (await secrets.send(new ListSecretsCommand({}))).SecretList?.map((secret) => secret.Name);
    };
    expect(await names(ACCOUNT, REGION)).toEqual(['mine']);
    expect(await names(ACCOUNT, 'us-east-1')).toEqual([]);
    expect(await names(OTHER, REGION)).toEqual([]);
    expect(sandbox.requests.list()).toMatchObject([
      { target: 'secretsmanager.ListSecrets', account: ACCOUNT, region: REGION, status: 200 },
      { account: ACCOUNT, region: 'us-east-1' },
      { account: OTHER, region: REGION },
    ]);
    expect(sandbox.requests.count('secretsmanager:ListSecrets')).toBe(3);
    sandbox.requests.clear();
    expect([sandbox.requests.count(), sandbox.requests.list()]).toEqual([0, []]);
  });

  test('a wrong secret key, an unknown access key and a wrong session token are told apart', async () => {
    const { accessKeyId, secretAccessKey } = sandbox.aws.account(ACCOUNT).credentials;
    const list = (credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string }) =>
      errorOf(clientsOf(sandbox, { credentials }).secrets.send(new ListSecretsCommand({})));
    expect(await list({ accessKeyId, secretAccessKey: 'wrong' })).toMatchObject({
      name: 'InvalidSignatureException',
      status: 400,
    });
    expect((await list({ accessKeyId: 'AKIAUNKNOWN', secretAccessKey })).name).toBe('UnrecognizedClientException');
    expect((await list({ accessKeyId, secretAccessKey, sessionToken: 'x' })).name).toBe('UnrecognizedClientException');
    const { sts } = clientsOf(sandbox, { credentials: { accessKeyId, secretAccessKey: 'wrong' } });
    expect(await errorOf(sts.send(new GetCallerIdentityCommand({})))).toMatchObject({
      name: 'SignatureDoesNotMatch',
      status: 403,
    });
  });

  test('a request without signature is refused in the words of its service', async () => {
    const target = { 'x-amz-target': 'TrentService.ListKeys', 'content-type': 'application/x-amz-json-1.1' };
    expect(await post(target, '{}')).toMatchObject({
      status: 400,
      headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': expect.any(String) },
      body: '{"__type":"MissingAuthenticationTokenException","message":"Missing Authentication Token"}',
    });
    expect((await post({}, 'Action=GetCallerIdentity&Version=2011-06-15')).body).toContain(
      '<Code>MissingAuthenticationToken</Code>',
    );
    expect((await post({}, 'nonsense')).body).toBe('{"__type":"UnknownOperationException"}');
  });

  test('a clock that is more than five minutes away is refused, and the SDK corrects itself by the Date header', async () => {
    for (const minutes of [-6, 6]) {
      lead = minutes * 60_000;
      const error = await errorOf(clientsOf(sandbox).secrets.send(new ListSecretsCommand({})));
      expect(error.name).toBe('InvalidSignatureException');
      expect(error.message).toMatch(
        minutes > 0 ? /^Signature expired: .* - 5 min\.\)$/ : /^Signature not yet current: .* \+ 5 min\.\)$/,
      );
      const patient = clientsOf(sandbox, { maxAttempts: 2 }).secrets;
      expect((await patient.send(new ListSecretsCommand({}))).SecretList).toEqual([]);
    }
  });
});

describe('roles', () => {
  test('a denial of one role or user hits that one alone', async () => {
    const RoleArn = sandbox.aws.account(ACCOUNT).role('reader');
    const { sts, kms } = clientsOf(sandbox);
    const { Credentials } = await sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'test' }));
    const session = clientsOf(sandbox, {
      credentials: {
        accessKeyId: Credentials?.AccessKeyId ?? '',
        secretAccessKey: Credentials?.SecretAccessKey ?? '',
        sessionToken: Credentials?.SessionToken ?? '',
      },
    }).kms;
    const refused = async (client: typeof kms) =>
      (await client.send(new ListKeysCommand({})).catch((error: Error) => error)) instanceof Error;
    const denial = { account: ACCOUNT, action: 'kms:ListKeys' };
    const ofRole = sandbox.aws.deny({ ...denial, principal: RoleArn });
    expect([await refused(session), await refused(kms)]).toEqual([true, false]);
    ofRole.remove();
    using _ofUser = sandbox.aws.deny({ ...denial, principal: `arn:aws:iam::${ACCOUNT}:user/sandbox` });
    expect([await refused(session), await refused(kms)]).toEqual([false, true]);
  });

  test('a role is assumed into its own account with the right ExternalId only', async () => {
    const RoleArn = sandbox.aws.account(OTHER).role('keyvigil', { externalId: 'e-1', trusts: [ACCOUNT] });
    sandbox.aws.account(OTHER).region(REGION).secrets.create({ Name: 'theirs', SecretString: 'x' });
    const { sts } = clientsOf(sandbox);
    const assume = (more: object, client = sts) =>
      client.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'test', ...more }));
    for (const wrong of [{}, { ExternalId: 'e-2' }]) {
      expect(await errorOf(assume(wrong))).toEqual({
        name: 'AccessDenied',
        message: `User: arn:aws:iam::${ACCOUNT}:user/sandbox is not authorized to perform: sts:AssumeRole on resource: ${RoleArn}`,
        status: 403,
      });
    }
    const stranger = clientsOf(sandbox, { account: '777788889999' }).sts;
    expect((await errorOf(assume({ ExternalId: 'e-1' }, stranger))).name).toBe('AccessDenied');
    const { Credentials, AssumedRoleUser } = await assume({ ExternalId: 'e-1', DurationSeconds: 900 });
    const credentials = {
      accessKeyId: Credentials!.AccessKeyId!,
      secretAccessKey: Credentials!.SecretAccessKey!,
      sessionToken: Credentials!.SessionToken!,
    };
    const session = clientsOf(sandbox, { credentials });
    expect(await session.sts.send(new GetCallerIdentityCommand({}))).toMatchObject({
      Account: OTHER,
      Arn: AssumedRoleUser!.Arn,
    });
    const { SecretList } = await session.secrets.send(new ListSecretsCommand({}));
    expect(SecretList?.map((secret) => secret.Name)).toEqual(['theirs']);
    expect(Credentials!.Expiration!.getTime() - Date.now()).toBeGreaterThan(890_000);

    lead = 901_000;
    const late = clientsOf(sandbox, { credentials, maxAttempts: 2 });
    expect(await errorOf(late.secrets.send(new ListSecretsCommand({})))).toMatchObject({
      name: 'ExpiredTokenException',
      status: 400,
    });
    expect((await errorOf(late.sts.send(new GetCallerIdentityCommand({})))).name).toBe('ExpiredToken');
  });

  test('sessions can be ended by a script, and a role that nobody made is denied', async () => {
    const RoleArn = sandbox.aws.account(OTHER).role('r');
    const { sts } = clientsOf(sandbox);
    const { Credentials } = await sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 's' }));
    sandbox.aws.expireSessions();
    const credentials = {
      accessKeyId: Credentials!.AccessKeyId!,
      secretAccessKey: Credentials!.SecretAccessKey!,
      sessionToken: Credentials!.SessionToken!,
    };
    const { kms } = clientsOf(sandbox, { credentials });
    expect((await errorOf(kms.send(new ListKeysCommand({})))).name).toBe('ExpiredTokenException');
    const none = new AssumeRoleCommand({ RoleArn: `arn:aws:iam::${OTHER}:role/none`, RoleSessionName: 's' });
    expect((await errorOf(sts.send(none))).name).toBe('AccessDenied');
    const short = new AssumeRoleCommand({ RoleArn, RoleSessionName: 's', DurationSeconds: 10 });
    expect((await errorOf(sts.send(short))).name).toBe('ValidationException');
  });
});

describe('denials', () => {
  test('one action on one key is denied while others on it are not', async () => {
    const { arn, keyId } = sandbox.aws.account(ACCOUNT).region(REGION).kms.createKey();
    const { kms } = clientsOf(sandbox);
    const because = 'no resource-based policy allows the kms:ListKeyRotations action';
    using _denial = sandbox.aws.deny({ account: ACCOUNT, action: 'kms:ListKeyRotations', resource: arn, because });
    expect(await errorOf(kms.send(new ListKeyRotationsCommand({ KeyId: keyId })))).toMatchObject({
      name: 'AccessDeniedException',
      message: `User: arn:aws:iam::${ACCOUNT}:user/sandbox is not authorized to perform: kms:ListKeyRotations on resource: ${arn} because ${because}`,
      status: 400,
    });
    expect((await kms.send(new DescribeKeyCommand({ KeyId: keyId }))).KeyMetadata?.KeyState).toBe('Enabled');
  });

  test('the texts name the resource as AWS does: as given, by ARN, as a star, or not at all', async () => {
    sandbox.aws.account(ACCOUNT).region(REGION).secrets.create({ Name: 's', SecretString: 'x' });
    sandbox.aws.deny({ account: ACCOUNT, action: 'secretsmanager:*' });
    sandbox.aws.deny({ account: ACCOUNT, action: 'kms:ListKeys' });
    const { secrets, kms } = clientsOf(sandbox);
    const user = `User: arn:aws:iam::${ACCOUNT}:user/sandbox is not authorized to perform:`;
    const why = (action: string) => `because no identity-based policy allows the ${action} action`;
    expect((await errorOf(secrets.send(new DescribeSecretCommand({ SecretId: 's' })))).message).toBe(
      `${user} secretsmanager:DescribeSecret on resource: s ${why('secretsmanager:DescribeSecret')}`,
    );
    expect((await errorOf(secrets.send(new ListSecretsCommand({})))).message).toBe(
      `${user} secretsmanager:ListSecrets ${why('secretsmanager:ListSecrets')}`,
    );
    expect((await errorOf(kms.send(new ListKeysCommand({})))).message).toBe(
      `${user} kms:ListKeys on resource: * ${why('kms:ListKeys')}`,
    );
    expect((await clientsOf(sandbox, { account: OTHER }).secrets.send(new ListSecretsCommand({}))).SecretList).toEqual(
      [],
    );
  });

  test('a denial by ARN hits a secret that is asked for by name', async () => {
    const { arn } = sandbox.aws.account(ACCOUNT).region(REGION).secrets.create({ Name: 's', SecretString: 'x' });
    const denial = sandbox.aws.deny({ account: ACCOUNT, action: 'secretsmanager:DescribeSecret', resource: arn });
    const { secrets } = clientsOf(sandbox);
    const describeIt = () => secrets.send(new DescribeSecretCommand({ SecretId: 's' }));
    expect((await errorOf(describeIt())).name).toBe('AccessDeniedException');
    denial.remove();
    expect((await describeIt()).Name).toBe('s');
  });
});
