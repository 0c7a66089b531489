import {
  CreateRoleCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  ListRolePoliciesCommand,
  PutRolePolicyCommand,
  SimulatePrincipalPolicyCommand,
  type SimulatePrincipalPolicyCommandInput,
  UpdateAssumeRolePolicyCommand,
} from '@aws-sdk/client-iam';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { ACCOUNT, clientsOf, errorOf } from './clients.ts';

const ROLE = `arn:aws:iam::${ACCOUNT}:role/video/reader`;
const SECRET = `arn:aws:secretsmanager:eu-west-1:${ACCOUNT}:secret:prod/key-AbCdEf`;
const TRUST = {
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Allow',
      Principal: { Service: 'mediaconnect.amazonaws.com' },
      Action: 'sts:AssumeRole',
      Sid: "it's (ours)!*",
    },
  ],
};

let sandbox: Sandbox;
let iam: ReturnType<typeof clientsOf>['iam'];

beforeEach(async () => {
  sandbox = await startSandbox();
  ({ iam } = clientsOf(sandbox));
});
afterEach(async () => {
  iam.destroy();
  await sandbox[Symbol.asyncDispose]();
});

function createRole(RoleName = 'reader') {
  const AssumeRolePolicyDocument = JSON.stringify(TRUST);
  return iam.send(new CreateRoleCommand({ RoleName, Path: '/video/', AssumeRolePolicyDocument }));
}

function allow(...statements: readonly object[]) {
  const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: statements });
  return iam.send(new PutRolePolicyCommand({ RoleName: 'reader', PolicyName: 'read', PolicyDocument }));
}

async function simulate(question: Partial<SimulatePrincipalPolicyCommandInput> = {}) {
  const input = {
    PolicySourceArn: ROLE,
    ActionNames: ['secretsmanager:GetSecretValue'],
    ResourceArns: [SECRET],
    ...question,
  };
  return iam.send(new SimulatePrincipalPolicyCommand(input));
}

async function decisionOf(question: Partial<SimulatePrincipalPolicyCommandInput> = {}) {
  const { EvaluationResults: [result] = [] } = await simulate(question);
  expect(result?.ResourceSpecificResults?.map((one) => one.EvalResourceDecision)).toEqual([result?.EvalDecision]);
  return result?.EvalDecision;
}

describe('roles', () => {
  test('are what they were made as, with the trust policy percent-encoded', async () => {
    const { Role } = await createRole();
    expect(Role).toMatchObject({ Arn: ROLE, Path: '/video/', RoleName: 'reader' });
    const { Role: read } = await iam.send(new GetRoleCommand({ RoleName: 'reader' }));
    expect(read).toMatchObject({ Arn: ROLE, RoleId: Role?.RoleId, CreateDate: Role?.CreateDate });
    expect(read?.AssumeRolePolicyDocument).toMatch(/^[\w%.~-]+$/);
    expect(JSON.parse(decodeURIComponent(read?.AssumeRolePolicyDocument ?? ''))).toEqual(TRUST);
    const other = { ...TRUST, Statement: [{ ...TRUST.Statement[0], Effect: 'Deny' }] };
    const PolicyDocument = JSON.stringify(other);
    await iam.send(new UpdateAssumeRolePolicyCommand({ RoleName: 'reader', PolicyDocument }));
    const { Role: changed } = await iam.send(new GetRoleCommand({ RoleName: 'reader' }));
    expect(JSON.parse(decodeURIComponent(changed?.AssumeRolePolicyDocument ?? ''))).toEqual(other);
  });

  test('keep their inline policies until those are deleted, and are not deleted before', async () => {
    await createRole();
    await allow({ Effect: 'Allow', Action: '*', Resource: '*' });
    expect((await iam.send(new ListRolePoliciesCommand({ RoleName: 'reader' }))).PolicyNames).toEqual(['read']);
    const { PolicyDocument } = await iam.send(new GetRolePolicyCommand({ RoleName: 'reader', PolicyName: 'read' }));
    expect(JSON.parse(decodeURIComponent(PolicyDocument ?? '')).Statement).toHaveLength(1);
    const early = await errorOf(iam.send(new DeleteRoleCommand({ RoleName: 'reader' })));
    expect(early).toMatchObject({ name: 'DeleteConflictException', status: 409 });
    await iam.send(new DeleteRolePolicyCommand({ RoleName: 'reader', PolicyName: 'read' }));
    await iam.send(new DeleteRoleCommand({ RoleName: 'reader' }));
    const gone = await errorOf(iam.send(new GetRoleCommand({ RoleName: 'reader' })));
    expect(gone).toEqual({
      name: 'NoSuchEntityException',
      message: 'The role with name reader cannot be found.',
      status: 404,
    });
  });

  test('are refused where IAM refuses them', async () => {
    await createRole();
    expect(await errorOf(createRole())).toMatchObject({ name: 'EntityAlreadyExistsException', status: 409 });
    const malformed = new PutRolePolicyCommand({
      RoleName: 'reader',
      PolicyName: 'p',
      PolicyDocument: '{"Statement":1}',
    });
    expect(await errorOf(iam.send(malformed))).toMatchObject({ name: 'MalformedPolicyDocumentException', status: 400 });
    const missing = new DeleteRolePolicyCommand({ RoleName: 'reader', PolicyName: 'p' });
    expect(await errorOf(iam.send(missing))).toMatchObject({ name: 'NoSuchEntityException', status: 404 });
  });

  test('that scripts made are there too', async () => {
    const arn = sandbox.aws.account(ACCOUNT).role('keyvigil', { trusts: ['444455556666'] });
    const { Role } = await iam.send(new GetRoleCommand({ RoleName: 'keyvigil' }));
    expect(Role?.Arn).toBe(arn);
    expect(decodeURIComponent(Role?.AssumeRolePolicyDocument ?? '')).toContain('arn:aws:iam::444455556666:root');
    expect(await decisionOf({ PolicySourceArn: arn })).toBe('allowed');
  });

  test('may not be looked at by whom that is denied, with the text and status of IAM', async () => {
    await createRole();
    sandbox.aws.deny({ account: ACCOUNT, action: 'iam:GetRole' });
    const error = await errorOf(iam.send(new GetRoleCommand({ RoleName: 'reader' })));
    expect(error).toEqual({
      name: 'AccessDenied',
      message: `User: arn:aws:iam::${ACCOUNT}:user/sandbox is not authorized to perform: iam:GetRole on resource: role reader because no identity-based policy allows the iam:GetRole action`,
      status: 403,
    });
  });
});

describe('simulation', () => {
  beforeEach(async () => void (await createRole()));

  test('denies what nothing allows, allows what is allowed, and lets a denial win', async () => {
    expect(await decisionOf()).toBe('implicitDeny');
    await allow({
      Effect: 'Allow',
      Action: 'SecretsManager:Get*',
      Resource: 'arn:aws:secretsmanager:*:*:secret:prod/*',
    });
    expect(await decisionOf()).toBe('allowed');
    expect(await decisionOf({ ResourceArns: [SECRET.replace('prod', 'test')] })).toBe('implicitDeny');
    expect(await decisionOf({ ActionNames: ['secretsmanager:DescribeSecret'] })).toBe('implicitDeny');
    await allow({ Effect: 'Allow', Action: '*', Resource: '*' }, { Effect: 'Deny', NotAction: 'kms:*', Resource: '*' });
    expect(await decisionOf()).toBe('explicitDeny');
    expect(await decisionOf({ ActionNames: ['kms:Decrypt'] })).toBe('allowed');
  });

  test.each([
    ['StringEquals', { 'kms:ViaService': 'secretsmanager.eu-west-1.amazonaws.com' }, 'allowed'],
    ['StringEquals', { 'KMS:viaservice': ['x', 'secretsmanager.eu-west-1.amazonaws.com'] }, 'allowed'],
    ['StringEquals', { 'kms:ViaService': 'secretsmanager.*.amazonaws.com' }, 'implicitDeny'],
    ['StringLike', { 'kms:ViaService': 'secretsmanager.*.amazonaws.com' }, 'allowed'],
    ['StringNotLike', { 'kms:ViaService': 'secretsmanager.*.amazonaws.com' }, 'implicitDeny'],
    ['ArnLike', { 'aws:PrincipalArn': 'arn:aws:iam::*:role/video/*' }, 'allowed'],
    ['ArnLike', { 'aws:PrincipalArn': 'arn:aws:*' }, 'implicitDeny'],
    ['Bool', { 'aws:SecureTransport': 'true' }, 'allowed'],
    ['Null', { 'aws:SourceVpce': 'true' }, 'allowed'],
    ['StringEqualsIfExists', { 'aws:SourceVpce': 'vpce-1' }, 'allowed'],
    ['NumericLessThan', { 'aws:MultiFactorAuthAge': '60' }, 'implicitDeny'],
  ])('holds a condition %s %o against the context: %s', async (operator, keys, decision) => {
    await allow({ Effect: 'Allow', Action: '*', Resource: '*', Condition: { [operator]: keys } });
    const ContextEntries = [
      { ContextKeyName: 'kms:ViaService', ContextKeyValues: ['secretsmanager.eu-west-1.amazonaws.com'] },
      { ContextKeyName: 'aws:PrincipalArn', ContextKeyValues: [ROLE] },
      { ContextKeyName: 'aws:SecureTransport', ContextKeyValues: ['true'] },
    ].map((entry) => ({ ...entry, ContextKeyType: 'string' as const }));
    expect(await decisionOf({ ContextEntries })).toBe(decision);
  });

  test('names the context keys that are missing', async () => {
    await allow({
      Effect: 'Allow',
      Action: '*',
      Resource: '*',
      Condition: { StringEquals: { 'aws:SourceVpce': 'v' } },
    });
    const { EvaluationResults: [result] = [] } = await simulate();
    expect(result).toMatchObject({ EvalDecision: 'implicitDeny', MissingContextValues: ['aws:SourceVpce'] });
    expect(result?.ResourceSpecificResults?.[0]?.MissingContextValues).toEqual(['aws:SourceVpce']);
  });

  test('gives one result for each action, the worst of all resources, and pages them', async () => {
    await allow({ Effect: 'Allow', Action: 'secretsmanager:*', Resource: SECRET });
    const ActionNames = ['secretsmanager:GetSecretValue', 'secretsmanager:DescribeSecret', 'kms:Decrypt'];
    const ResourceArns = [SECRET, `${SECRET}x`];
    const first = await simulate({ ActionNames, ResourceArns, MaxItems: 2 });
    expect(first).toMatchObject({ IsTruncated: true, EvaluationResults: [{ EvalDecision: 'implicitDeny' }, {}] });
    expect(first.EvaluationResults?.[0]?.ResourceSpecificResults?.map((one) => one.EvalResourceDecision)).toEqual([
      'allowed',
      'implicitDeny',
    ]);
    const rest = await simulate({ ActionNames, ResourceArns, MaxItems: 2, Marker: first.Marker });
    expect(rest).toMatchObject({ IsTruncated: false, EvaluationResults: [{ EvalActionName: 'kms:Decrypt' }] });
    expect(rest.Marker).toBeUndefined();
  });

  test('tells the denials that scripts impose as explicit', async () => {
    await allow({ Effect: 'Allow', Action: '*', Resource: '*' });
    const denial = sandbox.aws.deny({ account: ACCOUNT, action: 'secretsmanager:GetSecretValue', resource: SECRET });
    expect(await decisionOf()).toBe('explicitDeny');
    denial.remove();
    expect(await decisionOf()).toBe('allowed');
  });

  test.each([
    [{ PolicySourceArn: `arn:aws:iam::${ACCOUNT}:role/reader` }, 'NoSuchEntityException', 404],
    [{ PolicySourceArn: `arn:aws:sts::${ACCOUNT}:assumed-role/reader/x` }, 'InvalidInputException', 400],
    [{ ResourceArns: ['14a050d4-021e-4efe-84bb-0871bf6d0fda'] }, 'InvalidInputException', 400],
    [{ ActionNames: ['GetSecretValue'] }, 'InvalidInputException', 400],
    [{ ResourcePolicy: JSON.stringify(TRUST) }, 'InvalidInputException', 400],
  ])('refuses %o with %s', async (question, name, status) => {
    expect(await errorOf(simulate(question))).toMatchObject({ name, status });
  });
});
