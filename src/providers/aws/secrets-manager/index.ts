/** AWS Secrets Manager: the declaration. Loading this loads no SDK. */
import { z } from 'zod';
import { SECRETS_MANAGER, SECRETS_MANAGER_READ } from '../../prices.ts';
import { AwsServiceFields } from '../config.ts';
import type { AwsKeyService } from '../service.ts';
import { calls } from './calls.ts';
import { detailKey } from './facts.ts';
import { remedy } from './remedies.ts';
import { RULES } from './rule-table.ts';
import { judge } from './rules.ts';
import { verdict } from './verdict.ts';

const Options = z.strictObject({
  ...AwsServiceFields,
  include: z.array(z.string().min(1)).default(['*']).describe('Globs over the names of the secrets to watch'),
  exclude: z.array(z.string().min(1)).default([]).describe('Globs over the names of the secrets to leave out'),
  access: z
    .enum(['metadata', 'read'])
    .default('metadata')
    .describe('read: now and then fetch the value too (never kept), which proves that it can be decrypted'),
});
/** Options of `targets[].services.secrets-manager`, parsed. */
export type Options = z.output<typeof Options>;

const SECRETS = 'arn:PARTITION:secretsmanager:*:ACCOUNT:secret:*';

export const secretsManager: AwsKeyService = {
  name: 'secrets-manager',
  provider: 'aws',
  title: 'AWS Secrets Manager',
  kinds: ['aws-secret'],
  listing: 'lagging',
  config: Options,
  narrows: { include: 'only', exclude: 'except' },
  permissions: [
    {
      feature: 'base',
      actions: ['secretsmanager:ListSecrets'],
      resource: '*',
      without: 'nothing is seen: secrets are found by listing them',
    },
    {
      feature: 'base',
      actions: ['secretsmanager:DescribeSecret'],
      resource: SECRETS,
      without: 'the state of the secrets is unknown',
    },
    {
      feature: 'base',
      actions: ['secretsmanager:ListSecretVersionIds'],
      resource: SECRETS,
      without: 'which KMS key decrypts a secret is assumed from its settings, and the age of its versions is unknown',
    },
    {
      feature: 'access: read',
      actions: ['secretsmanager:GetSecretValue'],
      resource: SECRETS,
      without: 'nothing proves that a secret can really be decrypted',
    },
    {
      feature: 'access: read',
      actions: ['kms:Decrypt'],
      resource: 'arn:PARTITION:kms:*:ACCOUNT:key/*',
      condition: { StringLike: { 'kms:ViaService': 'secretsmanager.*' } },
      // Secrets Manager makes this call, in the name of the caller.
      operations: [],
      without: 'secrets under a customer-managed key cannot be read',
    },
  ],
  // Published quotas per account and Region: aws.md 1.1.
  apis: {
    ListSecrets: { quotaPerSecond: 100, usdPer10k: SECRETS_MANAGER },
    DescribeSecret: { quotaPerSecond: 40_000, usdPer10k: SECRETS_MANAGER },
    ListSecretVersionIds: { quotaPerSecond: 50, usdPer10k: SECRETS_MANAGER },
    GetSecretValue: { quotaPerSecond: 10_000, usdPer10k: SECRETS_MANAGER_READ },
  },
  describeOperation: 'DescribeSecret',
  calls,
  rules: RULES,
  keys: {
    uniqueNames: true,
    detailKey,
    versionsCanReturn: true,
    verdict,
    judge,
    remedy,
  },
  load: () => import('./session.ts'),
};
