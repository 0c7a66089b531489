/** A project and a secret that break no rule, and what the rules of CodeBuild say of them when they are changed. */
import { expect } from 'vitest';
import type { ConsumerFacts, Finding, KeyFacts, KeyUse } from '../../../src/core/model.ts';
import { judge } from '../../../src/providers/aws/codebuild/rules.ts';
import type { ConsumerJudgement } from '../../../src/providers/provider.ts';
import { POLICY } from '../../core/support/looks.ts';
import { ACCOUNT, NOW, REGION } from '../../fixtures/aws-wire.ts';
import { arnOf, KMS, SECRETS } from '../../fixtures/codebuild.ts';

export const DAY = 86_400_000;
export const OTHER = '999988887777';
export const V1 = '11111111-1111-1111-1111-111111111111';
export const V2 = '22222222-2222-2222-2222-222222222222';
export const V3 = '33333333-3333-3333-3333-333333333333';
export const NAME = `${SECRETS}prod/db`;
export const FULL = `${NAME}-AbCdEf`;

/** A project that breaks no rule. */
export function project(attributes: ConsumerFacts['attributes'] = {}, uses: readonly KeyUse[] = []): ConsumerFacts {
  return {
    resource: arnOf('web'),
    kind: 'codebuild-project',
    name: 'web',
    provider: 'aws',
    account: ACCOUNT,
    location: REGION,
    tags: {},
    uses,
    attributes: {
      buildspec: 'inline',
      encryptionKey: `${KMS}alias/builds`,
      serviceRole: `arn:aws:iam::${ACCOUNT}:role/builder`,
      imagePullCredentials: 'SERVICE_ROLE',
      modifiedAt: NOW - 9 * DAY,
      ...attributes,
    },
  };
}

export function use(more: Partial<KeyUse> = {}): KeyUse {
  return {
    resource: NAME,
    pinned: false,
    role: 'environment',
    part: 'variable DB',
    attributes: { reference: 'name' },
    ...more,
  };
}

/** A secret that breaks no rule. */
export function secret(more: Partial<KeyFacts> = {}, attributes: KeyFacts['attributes'] = {}): KeyFacts {
  return {
    resource: FULL,
    kind: 'aws-secret',
    name: 'prod/db',
    provider: 'aws',
    account: ACCOUNT,
    location: REGION,
    state: 'Active',
    tags: {},
    aliases: [NAME],
    version: { id: V2 },
    previousVersion: { id: V1 },
    versions: [
      { id: V2, createdAt: NOW - DAY },
      { id: V1, createdAt: NOW - 2 * DAY },
    ],
    rotationEnabled: false,
    dependsOn: [],
    attributes,
    ...more,
  };
}

export function judged(
  facts: ConsumerFacts,
  keys: readonly KeyFacts[] = [],
  now = NOW,
  policy = POLICY,
): ConsumerJudgement {
  const lookup = (name: string) => keys.find(({ resource, aliases }) => resource === name || aliases?.includes(name));
  return judge(facts, lookup, now, policy);
}

export function findings(facts: ConsumerFacts, ...keys: readonly KeyFacts[]): readonly string[] {
  return judged(facts, keys).findings.map(({ id }) => id);
}

/** The only finding. */
export function finding(facts: ConsumerFacts, ...keys: readonly KeyFacts[]): Finding {
  const all = judged(facts, keys).findings;
  expect(all).toHaveLength(1);
  return all[0]!;
}
