/** AWS KMS: the declaration. Loading this loads no SDK. */
import { z } from 'zod';
import { KMS } from '../../prices.ts';
import { AwsServiceFields } from '../config.ts';
import type { AwsKeyService } from '../service.ts';
import { calls, DETAILS_EVERY_MS } from './calls.ts';
import { detailKey } from './facts.ts';
import { remedy } from './remedies.ts';
import { RULES } from './rule-table.ts';
import { judge } from './rules.ts';
import { verdict } from './verdict.ts';

const Options = z.strictObject({
  ...AwsServiceFields,
  discover: z
    .enum(['all', 'referenced'])
    .default('all')
    .describe('all: every customer-managed key; referenced: only the keys that watched secrets and consumers need'),
});
/** Options of `targets[].services.kms`, parsed. */
export type Options = z.output<typeof Options>;

const KEYS = 'arn:PARTITION:kms:*:ACCOUNT:key/*';

export const kms: AwsKeyService = {
  name: 'kms',
  provider: 'aws',
  title: 'AWS KMS',
  kinds: ['aws-kms-key'],
  listing: 'ids',
  config: Options,
  permissions: [
    {
      feature: 'discover: all',
      actions: ['kms:ListKeys'],
      resource: '*',
      without: 'no key is found',
    },
    {
      feature: 'base',
      actions: ['kms:ListAliases'],
      resource: '*',
      without: 'keys go by their ids, and a dependency that names an alias is not followed',
    },
    { feature: 'base', actions: ['kms:DescribeKey'], resource: KEYS, without: 'the state of the keys is unknown' },
    {
      feature: 'base',
      actions: ['kms:GetKeyRotationStatus', 'kms:ListKeyRotations'],
      resource: KEYS,
      without: 'whether and when keys rotate is unknown, and so is the age of their material',
    },
    {
      feature: 'base',
      actions: ['kms:ListResourceTags'],
      resource: KEYS,
      without: 'keys have no tags, so alerts cannot be routed by them',
    },
  ],
  // Published quotas per account and Region: aws.md 2.5.
  apis: {
    ListKeys: { quotaPerSecond: 500, usdPer10k: KMS },
    ListAliases: { quotaPerSecond: 500, usdPer10k: KMS },
    DescribeKey: { quotaPerSecond: 2000, usdPer10k: KMS },
    GetKeyRotationStatus: { quotaPerSecond: 1000, usdPer10k: KMS },
    ListKeyRotations: { quotaPerSecond: 100, usdPer10k: KMS },
    ListResourceTags: { quotaPerSecond: 2000, usdPer10k: KMS },
  },
  describeOperation: 'DescribeKey',
  calls,
  rules: RULES,
  keys: {
    uniqueNames: false,
    detailEveryMs: DETAILS_EVERY_MS,
    detailKey,
    versionsCanReturn: false,
    verdict,
    judge,
    remedy,
  },
  load: () => import('./session.ts'),
};
