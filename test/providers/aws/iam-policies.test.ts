import { describe, expect, it } from 'vitest';
import { globMatches, holds } from '../../../src/providers/aws/iam/conditions.ts';
import { decide, type ResourcePolicy, type Simulated } from '../../../src/providers/aws/iam/decide.ts';
import { namesRole } from '../../../src/providers/aws/iam/policy.ts';
import { simulatedOf } from '../../../src/providers/aws/iam/results.ts';
import { trustAnswer } from '../../../src/providers/aws/iam/trust.ts';

const ACCOUNT = '111122223333';
const ROLE = `arn:aws:iam::${ACCOUNT}:role/service-role/reader`;
const SECRET = `arn:aws:secretsmanager:eu-west-1:${ACCOUNT}:secret:prod/key-AbCdEf`;
const KEY = `arn:aws:kms:eu-west-1:${ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab`;
const SERVICE = { Service: 'mediaconnect.amazonaws.com' };

function encoded(...statements: readonly object[]): string {
  return encodeURIComponent(JSON.stringify({ Version: '2012-10-17', Statement: statements }));
}

describe('the trust of a role', () => {
  const trust = (...statements: readonly object[]) => trustAnswer(encoded(...statements), 'mediaconnect', 'aws');
  const allow = { Effect: 'Allow', Principal: SERVICE, Action: 'sts:AssumeRole' };

  it.each([
    ['the service', [allow]],
    ['several services', [{ ...allow, Principal: { Service: ['ec2.amazonaws.com', SERVICE.Service] } }]],
    ['every action of STS', [{ ...allow, Action: ['sts:*'] }]],
    ['the action in other case', [{ ...allow, Action: 'STS:assumerole' }]],
    ['nobody else', [{ ...allow, Principal: { AWS: ACCOUNT } }, allow]],
  ])('holds where it names %s', (_what, statements) => {
    expect(trust(...statements)).toEqual({ word: 'allowed' });
  });

  it.each([
    ['another service', { ...allow, Principal: { Service: 'ec2.amazonaws.com' } }],
    [
      'a service whose name only begins alike',
      { ...allow, Principal: { Service: 'mediaconnect.amazonaws.com.evil.io' } },
    ],
    ['the account', { ...allow, Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` } }],
    ['another action', { ...allow, Action: 'sts:TagSession' }],
    ['the Chinese spelling outside of China', { ...allow, Principal: { Service: 'mediaconnect.amazonaws.com.cn' } }],
  ])('does not hold where it names %s', (_what, statement) => {
    expect(trust(statement)).toEqual({ word: 'untrusted' });
  });

  it('takes the Chinese spelling in China', () => {
    const statement = { ...allow, Principal: { Service: 'mediaconnect.amazonaws.com.cn' } };
    expect(trustAnswer(encoded(statement), 'mediaconnect', 'aws-cn')).toEqual({ word: 'allowed' });
  });

  it.each([
    ['aws:SourceArn', { ...allow, Condition: { ArnLike: { 'aws:SourceArn': 'arn:aws:mediaconnect:*:*:flow:*' } } }],
    ['aws:SourceAccount', { ...allow, Condition: { StringEquals: { 'aws:SourceAccount': ACCOUNT } } }],
    ['its name in one Region', { ...allow, Principal: { Service: 'mediaconnect.eu-west-1.amazonaws.com' } }],
    ['everybody', { ...allow, Principal: '*' }],
  ])('is not judged under %s', (_what, statement) => {
    expect(trust(statement)).toEqual({ word: 'conditional' });
  });

  it('is taken back by a denial, and in doubt under one with conditions', () => {
    expect(trust(allow, { ...allow, Effect: 'Deny' })).toEqual({ word: 'untrusted', by: 'resource' });
    const condition = { StringNotEquals: { 'aws:SourceAccount': ACCOUNT } };
    expect(trust(allow, { ...allow, Effect: 'Deny', Condition: condition })).toEqual({ word: 'conditional' });
  });

  it.each([undefined, '', '%', 'null', '[]', encodeURIComponent('{"Statement":"x"}'), '%7B'])(
    'cannot be told of %j',
    (document) => {
      expect(trustAnswer(document, 'mediaconnect', 'aws')).toEqual({
        word: 'cannot-tell',
        reason: 'unreadable_policy',
      });
    },
  );
});

describe('a condition', () => {
  const known = { 'kms:viaservice': 'secretsmanager.eu-west-1.amazonaws.com', 'aws:principalarn': ROLE };

  it.each([
    ['yes', undefined],
    ['yes', { StringEquals: { 'kms:ViaService': ['a', 'secretsmanager.eu-west-1.amazonaws.com'] } }],
    ['no', { StringEquals: { 'kms:ViaService': 's3.eu-west-1.amazonaws.com' } }],
    ['yes', { StringNotEquals: { 'kms:ViaService': 's3.eu-west-1.amazonaws.com' } }],
    ['yes', { StringEqualsIgnoreCase: { 'kms:ViaService': 'SecretsManager.eu-west-1.amazonaws.com' } }],
    ['yes', { StringLikeIfExists: { 'kms:ViaService': 'secretsmanager.*' } }],
    ['no', { StringNotLike: { 'kms:ViaService': 'secretsmanager.*' } }],
    ['yes', { ArnLike: { 'aws:PrincipalArn': 'arn:aws:iam::*:role/service-role/*' } }],
    ['no', { ArnEquals: { 'aws:PrincipalArn': 'arn:aws:iam:*' } }],
    ['no', { ArnNotLike: { 'aws:PrincipalArn': 'arn:aws:iam::*:role/*' } }],
    ['yes', { Null: { 'aws:PrincipalArn': 'false' } }],
    ['no', { Null: { 'aws:PrincipalArn': true } }],
    ['unknown', { StringEquals: { 'aws:SourceVpce': 'vpce-1' } }],
    ['unknown', { Null: { 'aws:SourceVpce': 'true' } }],
    ['no', { StringEquals: { 'aws:SourceVpce': 'x', 'kms:ViaService': 'y' } }],
    ['unknown', { StringEquals: { 'aws:PrincipalArn': '\u0024{aws:username}' } }],
    ['unknown', { NumericLessThan: { 'aws:PrincipalArn': '3' } }],
    ['unknown', { 'ForAllValues:StringLike': { 'aws:PrincipalArn': '*' } }],
    ['unknown', { StringEquals: { 'aws:PrincipalArn': { a: 1 } } }],
    ['unknown', { StringEquals: 'x' }],
    ['unknown', 'x'],
    ['unknown', { constructor: { 'aws:PrincipalArn': 'x' } }],
  ])('is %s: %j', (truth, condition) => {
    expect(holds(condition, known)).toBe(truth);
  });

  it('takes no time that grows faster than what is compared', () => {
    expect(globMatches(`${'*a'.repeat(2_000)}b`, 'a'.repeat(20_000))).toBe(false);
  });
});

describe('the principal of a policy', () => {
  it.each([
    ['itself', '*'],
    ['itself', { AWS: '*' }],
    ['itself', { AWS: [ACCOUNT, ROLE] }],
    ['account', { AWS: ACCOUNT }],
    ['account', { AWS: `arn:aws:iam::${ACCOUNT}:root` }],
    ['no', { AWS: `${ROLE}2` }],
    ['no', { AWS: 'arn:aws:iam::444455556666:root' }],
    ['no', { Service: 'secretsmanager.amazonaws.com' }],
    ['no', undefined],
  ])('names a role: %s %j', (naming, principal) => {
    expect(namesRole(principal, ROLE, ACCOUNT)).toBe(naming);
  });
});

describe('an answer', () => {
  const READ = 'secretsmanager:GetSecretValue';
  const DECRYPT = 'kms:Decrypt';
  const text = (...statements: readonly object[]): ResourcePolicy => ({
    text: JSON.stringify({ Statement: statements }),
  });
  const delegating = {
    Effect: 'Allow',
    Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` },
    Action: 'kms:*',
    Resource: '*',
  };
  const naming = { Effect: 'Allow', Principal: { AWS: ROLE }, Action: ['kms:Decrypt', READ], Resource: '*' };
  const denying = { Effect: 'Deny', Principal: '*', Action: '*', Resource: '*' };
  const somewhere = { StringEquals: { 'aws:SourceVpce': 'vpce-1' } };
  const role = (decision: Simulated['decision'], over: Partial<Simulated> = {}) => ({
    decision,
    by: 'role' as const,
    missing: false,
    ...over,
  });

  function answer(resource: string, simulated: Omit<Simulated, 'action'>, policy: ResourcePolicy, sameAccount = true) {
    const action = resource === KEY ? DECRYPT : READ;
    const question = { role: ROLE, actions: [action], resource };
    return decide(question, [{ action, ...simulated }], policy, { account: ACCOUNT, sameAccount, known: {} });
  }

  it.each<[string, ReturnType<typeof role>, ResourcePolicy, object]>([
    ['what the role may is allowed', role('allowed'), 'none', { word: 'allowed' }],
    ['what nothing allows is not', role('implicitly-denied'), 'none', { word: 'implicitly-denied', by: 'role' }],
    ['the secret may allow it too', role('implicitly-denied'), text(naming), { word: 'allowed' }],
    ['the secret may deny it', role('allowed'), text(denying), { word: 'explicitly-denied', by: 'resource' }],
    ['a denial of the role stands', role('explicitly-denied'), text(naming), { word: 'explicitly-denied', by: 'role' }],
    [
      'a boundary stands',
      role('implicitly-denied', { by: 'boundary' }),
      text(naming),
      { word: 'implicitly-denied', by: 'boundary' },
    ],
    [
      'the organization stands',
      role('implicitly-denied', { by: 'organization' }),
      text(naming),
      { word: 'implicitly-denied', by: 'organization' },
    ],
    [
      'conditions of the role',
      role('explicitly-denied', { missing: true }),
      'none',
      { word: 'cannot-tell', reason: 'conditions' },
    ],
    [
      'conditions of the secret',
      role('implicitly-denied'),
      text({ ...naming, Condition: somewhere }),
      { word: 'cannot-tell', reason: 'conditions' },
    ],
    [
      'a denial under conditions is said',
      role('allowed'),
      text({ ...denying, Condition: somewhere }),
      { word: 'allowed', reason: 'conditions' },
    ],
    [
      'a policy that may not be read is said',
      role('allowed'),
      { unseen: 'denied' },
      { word: 'allowed', reason: 'denied' },
    ],
    [
      'a policy that may not be read could allow it',
      role('implicitly-denied'),
      { unseen: 'denied' },
      { word: 'cannot-tell', reason: 'denied' },
    ],
    ['no policy at all', role('allowed'), { text: 'no JSON' }, { word: 'allowed', reason: 'unreadable_policy' }],
    ['a word of tomorrow', role('unknown'), 'none', { word: 'cannot-tell', reason: 'bad_response' }],
  ])('about a secret: %s', (_what, simulated, policy, expected) => {
    expect(answer(SECRET, simulated, policy)).toEqual('by' in expected ? { ...expected, actions: [READ] } : expected);
  });

  it.each<[string, ReturnType<typeof role>, ResourcePolicy, object]>([
    ['the account decides where the key leaves it to it', role('allowed'), text(delegating), { word: 'allowed' }],
    [
      'which it may also do by denying',
      role('implicitly-denied'),
      text(delegating),
      { word: 'implicitly-denied', by: 'role' },
    ],
    [
      'IAM alone opens no key',
      role('allowed'),
      text({ ...delegating, Principal: { AWS: 'arn:aws:iam::444455556666:root' } }),
      { word: 'implicitly-denied', by: 'resource' },
    ],
    ['the key needs no IAM', role('implicitly-denied'), text(naming), { word: 'allowed' }],
    ['but a denial in IAM stands', role('explicitly-denied'), text(naming), { word: 'explicitly-denied', by: 'role' }],
    ['the key may deny it', role('allowed'), text(delegating, denying), { word: 'explicitly-denied', by: 'resource' }],
    [
      'the key leaves it to the account under conditions',
      role('allowed'),
      text({ ...delegating, Condition: somewhere }),
      { word: 'cannot-tell', reason: 'conditions' },
    ],
    ['its policy may not be read', role('allowed'), { unseen: 'denied' }, { word: 'allowed', reason: 'denied' }],
  ])('about a key: %s', (_what, simulated, policy, expected) => {
    expect(answer(KEY, simulated, policy)).toEqual('by' in expected ? { ...expected, actions: [DECRYPT] } : expected);
  });

  it('across accounts needs both sides', () => {
    const of = (simulated: Simulated['decision'], policy: ResourcePolicy) =>
      answer(SECRET, role(simulated), policy, false);
    expect(of('allowed', text(naming))).toEqual({ word: 'allowed' });
    const toAccount = { ...naming, Principal: { AWS: ACCOUNT } };
    expect(of('allowed', text(toAccount))).toEqual({ word: 'allowed' });
    expect(of('implicitly-denied', text(naming))).toMatchObject({ word: 'implicitly-denied', by: 'role' });
    expect(of('allowed', 'none')).toMatchObject({ word: 'implicitly-denied', by: 'resource' });
    expect(of('allowed', { unseen: 'denied' })).toEqual({ word: 'cannot-tell', reason: 'denied' });
    expect(of('implicitly-denied', { unseen: 'denied' })).toMatchObject({ word: 'implicitly-denied', by: 'role' });
  });

  it('about several actions is the worst, and names those that are missing', () => {
    const actions = [READ, 'secretsmanager:DescribeSecret', 'secretsmanager:ListSecretVersionIds'];
    const simulated = [
      { action: actions[0] ?? '', ...role('allowed') },
      { action: actions[1] ?? '', ...role('implicitly-denied') },
      { action: actions[2] ?? '', ...role('implicitly-denied') },
    ];
    const home = { account: ACCOUNT, sameAccount: true, known: {} };
    const question = { role: ROLE, actions, resource: SECRET };
    expect(decide(question, simulated, 'none', home)).toEqual({
      word: 'implicitly-denied',
      by: 'role',
      actions: actions.slice(1),
    });
    expect(decide(question, simulated.slice(0, 1), 'none', home)).toEqual({
      word: 'cannot-tell',
      reason: 'bad_response',
    });
  });
});

describe('what the simulator answers', () => {
  const result = { EvalActionName: 'kms:Decrypt', EvalDecision: 'allowed' as const };

  it('is one word for each action, the worse of what is said in several places', () => {
    expect(simulatedOf([result])).toEqual([{ action: 'kms:Decrypt', decision: 'allowed', by: 'role', missing: false }]);
    const specific = { EvalResourceName: KEY, EvalResourceDecision: 'implicitDeny' as const };
    expect(simulatedOf([{ ...result, ResourceSpecificResults: [specific] }])).toMatchObject([
      { decision: 'implicitly-denied' },
    ]);
    expect(simulatedOf([result, { ...result, EvalDecision: 'explicitDeny' }, result])).toMatchObject([
      { decision: 'explicitly-denied' },
    ]);
  });

  it('names who denies, and whether something was missing', () => {
    const denied = { ...result, EvalDecision: 'implicitDeny' as const };
    const organization = { OrganizationsDecisionDetail: { AllowedByOrganizations: false } };
    expect(simulatedOf([{ ...denied, ...organization }])).toMatchObject([{ by: 'organization' }]);
    const boundary = { PermissionsBoundaryDecisionDetail: { AllowedByPermissionsBoundary: false } };
    expect(simulatedOf([{ ...denied, ...boundary }])).toMatchObject([{ by: 'boundary' }]);
    expect(simulatedOf([{ ...denied, MissingContextValues: ['aws:SourceVpce'] }])).toMatchObject([{ missing: true }]);
  });

  it('is never allowed where its word is not known', () => {
    const strange = { EvalActionName: 'kms:Decrypt', EvalDecision: 'constructor' as 'allowed' };
    expect(simulatedOf([strange])).toMatchObject([{ decision: 'unknown' }]);
    expect(simulatedOf([strange, result])).toMatchObject([{ decision: 'unknown' }]);
  });
});
