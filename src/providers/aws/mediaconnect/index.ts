/** AWS Elemental MediaConnect: the declaration. Loading this loads no SDK. */
import { z } from 'zod';
import { FREE } from '../../prices.ts';
import { AwsServiceFields } from '../config.ts';
import { SIMULATION_APIS, SIMULATION_PERMISSIONS } from '../iam/apis.ts';
import { simulationRules } from '../iam/rule-table.ts';
import type { AwsService } from '../service.ts';
import { calls } from './calls.ts';
import { RULES } from './rule-table.ts';
import { judge } from './rules.ts';

const Options = z.strictObject({
  ...AwsServiceFields,
  include: z.array(z.string().min(1)).default(['*']).describe('Globs over the names of the flows to watch'),
  exclude: z.array(z.string().min(1)).default([]).describe('Globs over the names of the flows to leave out'),
});
/** Options of `targets[].services.mediaconnect`, parsed. */
export type Options = z.output<typeof Options>;

/**
 * AWS publishes no rate for these calls. An account has 20 flows per Region unless it asked for more, so that this is more
 * than enough and little beside what a console does.
 */
const CALLS_PER_SECOND = 10;

export const mediaConnect: AwsService = {
  name: 'mediaconnect',
  provider: 'aws',
  title: 'AWS Elemental MediaConnect',
  kinds: ['mediaconnect-flow'],
  listing: 'ids',
  config: Options,
  permissions: [
    {
      feature: 'base',
      actions: ['mediaconnect:ListFlows'],
      resource: '*',
      without: 'no flow is seen: flows are found by listing them',
    },
    {
      feature: 'base',
      actions: ['mediaconnect:DescribeFlow'],
      resource: '*',
      without: 'which keys a flow uses, and what MediaConnect says of them, is unknown',
    },
    {
      feature: 'base',
      actions: ['mediaconnect:ListEntitlements'],
      resource: '*',
      without: 'an entitlement that was taken back is not told before the content stops',
    },
    ...SIMULATION_PERMISSIONS,
  ],
  apis: {
    ListFlows: { quotaPerSecond: CALLS_PER_SECOND, usdPer10k: FREE },
    DescribeFlow: { quotaPerSecond: CALLS_PER_SECOND, usdPer10k: FREE },
    ListEntitlements: { quotaPerSecond: CALLS_PER_SECOND, usdPer10k: FREE },
    ...SIMULATION_APIS,
  },
  describeOperation: 'DescribeFlow',
  calls,
  rules: [...RULES, ...simulationRules('mediaconnect')],
  consumers: { judge },
  load: () => import('./session.ts'),
};
