/** Azure Media Services: the declaration. Loading this loads no SDK. */
import { z } from 'zod';
import { FREE } from '../../prices.ts';
import type { AzureService } from '../service.ts';
import { calls } from './calls.ts';
import { isBounded } from './pattern.ts';
import { RULES } from './rule-table.ts';
import { judge } from './rules.ts';

/**
 * No value of `encryption.status` was ever documented or recorded (azure.md 0.2): these are words that a status of an
 * unusable key would hardly do without.
 */
const INACCESSIBLE_STATUS = 'inaccessible|denied|revoked|unavailable|invalid|fail|error';

const Options = z.strictObject({
  schedule: z.string().optional(),
  inaccessibleStatus: z
    .string()
    .min(1)
    .refine(isBounded, {
      error:
        'expected a regular expression such as inaccessible|denied, with no group that is repeated and at most two * + ? { in each alternative',
    })
    .default(INACCESSIBLE_STATUS)
    .describe(
      'Regular expression, in any case: an encryption status that it matches means that the key cannot be used',
    ),
});
/** Options of `targets[].services.media-services`, parsed. */
export type Options = z.output<typeof Options>;

/** Reads that Resource Manager lets one principal make in one subscription (request-limits-and-throttling: refill rate). */
const ARM_READS_PER_SECOND = 25;

export const mediaServices: AzureService = {
  name: 'media-services',
  provider: 'azure',
  title: 'Azure Media Services',
  kinds: ['media-services-account'],
  listing: 'state',
  config: Options,
  permissions: [
    {
      feature: 'base',
      actions: ['Microsoft.Media/mediaservices/read'],
      resource: '/subscriptions/ACCOUNT',
      operations: ['mediaservices.listBySubscription', 'mediaservices.get'],
      without: 'no account is seen, nor which key, which version of it and which identity each of them uses',
    },
  ],
  apis: {
    'mediaservices.listBySubscription': { quotaPerSecond: ARM_READS_PER_SECOND, usdPer10k: FREE },
    'mediaservices.get': { quotaPerSecond: ARM_READS_PER_SECOND, usdPer10k: FREE },
  },
  describeOperation: 'mediaservices.get',
  calls,
  rules: RULES,
  consumers: { judge },
  load: () => import('./session.ts'),
};
