import { describe, expect, it } from 'vitest';
import type { ConsumerFacts, Finding, Scalar } from '../../../src/core/model.ts';
import { permit } from '../../../src/providers/aws/iam/remedies.ts';
import { simulationRules } from '../../../src/providers/aws/iam/rule-table.ts';
import { simulationRulings } from '../../../src/providers/aws/iam/rules.ts';
import { ACCOUNT, FLOW, flowOf, REGION } from './iam-simulation.ts';

const ROLE = `arn:aws:iam::${ACCOUNT}:role/video/reader`;
const SECRET = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:prod/key-AbCdEf`;
const KEY = `arn:aws:kms:${REGION}:${ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab`;
const GATEWAY = `arn:aws:execute-api:${REGION}:${ACCOUNT}:1abcdefghi/prod/POST/speke`;

function findingsOf(
  consumer: ConsumerFacts,
  service: 'mediaconnect' | 'codebuild' = 'mediaconnect',
): readonly Finding[] {
  return simulationRulings(consumer, service).flatMap(({ finding }) => finding ?? []);
}

function told(attributes: Record<string, Scalar>, resource = SECRET): ConsumerFacts {
  return flowOf([{ resource, role: 'output-encryption', attributes: { simulatedRole: ROLE, ...attributes } }]);
}

function denied(aspect: string, resource: string, actions: string, by = 'role', word = 'implicitly-denied') {
  const name = `simulated${aspect}`;
  return { [name]: word, [`${name}By`]: by, [`${name}Actions`]: actions, [`${name}Resource`]: resource };
}

/** Every case that yields a finding, by the rule that it breaks. */
const CASES: readonly (readonly [rule: string, attributes: Record<string, Scalar>, says: RegExp])[] = [
  ['role-not-found', { simulatedTrust: 'role-not-found' }, /^IAM has no role arn:\S+reader, which/],
  [
    'role-untrusted',
    { simulatedTrust: 'untrusted' },
    /^Policy simulation says that role \S+ does not let \w+\.amazonaws\.com/,
  ],
  [
    'role-denied-secret',
    denied('Read', SECRET, 'secretsmanager:GetSecretValue'),
    /^Policy simulation says .* read the secret/,
  ],
  [
    'role-denied-key',
    denied('Decrypt', KEY, 'kms:Decrypt'),
    /^Policy simulation says .* use the key .*\(kms:Decrypt\)/,
  ],
  [
    'role-denied-gateway',
    denied('Invoke', GATEWAY, 'execute-api:Invoke'),
    /^Policy simulation says .* invoke the gateway/,
  ],
];

describe.each(['mediaconnect', 'codebuild'] as const)('the rules of %s', (service) => {
  const table = simulationRules(service);

  it.each(CASES.filter(([rule]) => table.some(({ id }) => id === `${service}.${rule}`)))(
    '%s is broken where simulation says so, and proves nothing',
    (rule, attributes, says) => {
      const findings = findingsOf(told(attributes), service);
      expect(findings).toMatchObject([{ id: `${service}.${rule}`, severity: 'warning', remedy: expect.any(String) }]);
      expect(findings[0]?.summary).toMatch(says);
      expect(findings[0]?.impairs).toBeUndefined();
    },
  );

  it('are all in the table, with everything that people must know', () => {
    const yielded = CASES.flatMap(([, attributes]) => findingsOf(told(attributes), service).map(({ id }) => id));
    expect(yielded).toEqual(table.map(({ id }) => id));
    for (const rule of table) {
      expect(rule.severity).toBe('warning');
      expect(rule).not.toHaveProperty('impairs');
      expect(rule.meaning).toMatch(/opt-in service iam/);
    }
  });
});

it('are kept where all is allowed, conditional, or cannot be told', () => {
  for (const word of ['allowed', 'conditional', 'cannot-tell', 'nonsense']) {
    const aspects = ['Trust', 'Read', 'Decrypt', 'Invoke'].map((aspect) => [`simulated${aspect}`, word]);
    expect(findingsOf(told({ ...Object.fromEntries(aspects), simulatedReadReason: 'denied' }))).toEqual([]);
  }
  expect(findingsOf(flowOf([{ resource: SECRET, role: 'output-encryption' }]))).toEqual([]);
});

it('name the first that is denied and what else is, each once', () => {
  const uses = [1, 2, 3, 4, 5, 5].map((at) => ({
    resource: `${SECRET}${at}`,
    role: 'output-encryption',
    attributes: { simulatedRole: ROLE, ...denied('Read', `${SECRET}${at}`, 'secretsmanager:GetSecretValue') },
  }));
  const [finding, ...others] = findingsOf(flowOf(uses));
  expect(others).toEqual([]);
  expect(finding?.summary).toContain(`the secret ${SECRET}1 (`);
  expect(finding?.summary).toMatch(/The same is true of \S+2, \S+3, \S+4 and 1 more\.$/);
  expect(finding?.remedy?.split(' && ')).toHaveLength(5);
});

it('keep a hostile name in its place', () => {
  const role = `arn:aws:iam::${ACCOUNT}:role/a'; rm -rf $(x)\u202e`;
  const [finding] = findingsOf(told({ simulatedRole: role, simulatedTrust: 'untrusted' }));
  expect(finding?.summary).not.toContain('\u202e');
  expect(finding?.remedy).toContain(`--role-name 'a'\\''; rm -rf $(x)\u202e'`);
});

describe('what stands in the way', () => {
  const lack = { role: ROLE, resource: SECRET, actions: ['secretsmanager:GetSecretValue'], explicit: false } as const;

  it.each([
    [
      'a denial of the role',
      { ...lack, by: 'role', explicit: true },
      /deny|denies.*aws iam simulate-principal-policy .*MatchedStatements/,
    ],
    [
      'its boundary',
      { ...lack, by: 'boundary' },
      /boundary allow it: aws iam get-role --role-name reader .*PermissionsBoundary/,
    ],
    [
      'the organization',
      { ...lack, by: 'organization' },
      /aws organizations list-policies-for-target --target-id 111122223333/,
    ],
    [
      'the secret',
      { ...lack, by: 'resource', explicit: true },
      /policy of the secret: aws secretsmanager get-resource-policy/,
    ],
    [
      'the key',
      { ...lack, resource: KEY, by: 'resource', explicit: true },
      /policy of the key: aws kms get-key-policy/,
    ],
  ] as const)('is shown where only people can decide: %s', (_what, one, command) => {
    expect(permit(REGION, one)).toMatch(command);
  });
});

describe('a remedy', () => {
  const remedyOf = (attributes: Record<string, Scalar>) => findingsOf(told(attributes))[0]?.remedy;
  const trusting = '{"Effect":"Allow","Principal":{"Service":"mediaconnect.amazonaws.com"},"Action":"sts:AssumeRole"}';

  it('of a missing role makes it at its path', () => {
    expect(remedyOf({ simulatedTrust: 'role-not-found' })).toBe(
      `aws iam create-role --role-name reader --path /video/ --assume-role-policy-document '{"Version":"2012-10-17","Statement":[${trusting}]}' --region ${REGION}`,
    );
  });

  it('of a role that does not trust the service adds to whom it trusts', () => {
    expect(remedyOf({ simulatedTrust: 'untrusted' })).toBe(
      `aws iam update-assume-role-policy --role-name reader --region ${REGION} --policy-document "$(aws iam get-role --role-name reader --query Role.AssumeRolePolicyDocument --output json --region ${REGION} | jq -c '.Statement = ([.Statement] | flatten) + [${trusting}]')"`,
    );
    expect(remedyOf({ simulatedTrust: 'untrusted', simulatedTrustBy: 'resource' })).toBe(
      `Take the statement that denies it out of the trust policy: aws iam get-role --role-name reader --query Role.AssumeRolePolicyDocument --region ${REGION}`,
    );
  });

  it('of a denied secret allows just that, in a policy that has its name from what is in it', () => {
    const of = (resource: string) => remedyOf(denied('Read', resource, 'secretsmanager:GetSecretValue')) ?? '';
    const statement = `{"Effect":"Allow","Action":["secretsmanager:GetSecretValue"],"Resource":"${SECRET}"}`;
    expect(of(SECRET)).toMatch(/^aws iam put-role-policy --role-name reader --policy-name keyvigil-[0-9a-f]{12} /);
    expect(of(SECRET)).toContain(`--policy-document '{"Version":"2012-10-17","Statement":[${statement}]}'`);
    const names = [SECRET, SECRET, `${SECRET}2`].map((resource) => /keyvigil-\w+/.exec(of(resource))?.[0]);
    expect(new Set(names).size).toBe(2);
  });
});

it('are asked of the flow whose uses they are', () => {
  expect(findingsOf(flowOf([], FLOW))).toEqual([]);
});
