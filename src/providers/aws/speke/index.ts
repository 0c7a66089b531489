/** SPEKE key providers behind API Gateway: the declaration. Loading this loads no SDK. */
import { isIP } from 'node:net';
import { z } from 'zod';
import { API_GATEWAY, FREE } from '../../prices.ts';
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
  probe: z
    .boolean()
    .default(true)
    .describe('Whether each endpoint is asked, unsigned and for nothing: without it a lost endpoint goes unseen'),
  nameservers: z
    .array(z.string().refine(isNameServer, { error: 'expected an address such as 192.0.2.53, [2001:db8::53]:53' }))
    .min(1)
    .optional()
    .describe('Name servers to ask instead of those of the machine, where private names hide the public ones'),
});
/** Options of `targets[].services.speke`, parsed. */
export type Options = z.output<typeof Options>;

/** Nobody publishes a quota of questions; this many a second would be noticed by nobody. */
const PER_SECOND = 50;

export const speke: AwsKeyService = {
  name: 'speke',
  provider: 'aws',
  title: 'SPEKE key providers',
  kinds: ['speke-provider'],
  listing: 'ids',
  config: Options,
  permissions: [
    {
      feature: 'base',
      actions: ['apigateway:GET'],
      resource: 'arn:PARTITION:apigateway:*::/restapis/*/stages/*',
      operations: ['GetStage'],
      without:
        'whether the stage of an API Gateway logs is unknown; the endpoint itself is asked without any permission',
    },
  ],
  apis: {
    Resolve: { quotaPerSecond: PER_SECOND, usdPer10k: FREE },
    // A request that is refused for its missing signature is not charged; one to an open method is, at most as this.
    Probe: { quotaPerSecond: PER_SECOND, usdPer10k: API_GATEWAY },
    // "Total operations" of API Gateway's own API per account (API Gateway quotas).
    GetStage: { quotaPerSecond: 10, usdPer10k: FREE },
  },
  describeOperation: 'Probe',
  calls,
  rules: RULES,
  keys: {
    uniqueNames: false,
    versionsCanReturn: true,
    detailEveryMs: DETAILS_EVERY_MS,
    detailKey,
    verdict,
    judge,
    remedy,
  },
  load: () => import('./session.ts'),
};

function isNameServer(text: string): boolean {
  const [, bracketed, plain] = /^(?:\[([^\]]+)\](?::\d{1,5})?|([^:]+)(?::\d{1,5})?)$/.exec(text) ?? [];
  if (bracketed !== undefined) return isIP(bracketed) === 6;
  return isIP(text) === 6 || isIP(plain ?? '') === 4;
}
