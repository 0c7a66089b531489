/**
 * AWS IAM: the declaration of policy simulation, which other services' looks use. It yields nothing and is swept by nobody.
 * Loading this loads no SDK.
 */
import { z } from 'zod';
import { PositiveDuration } from '../../../config/duration.ts';
import type { Service } from '../../provider.ts';
import { AwsServiceFields } from '../config.ts';
import { SIMULATION_APIS } from './apis.ts';

const Options = z.strictObject({
  endpoint: AwsServiceFields.endpoint,
  every: PositiveDuration.prefault('1h').describe('How long an answer of the policy simulation stays good'),
});
/** Options of `targets[].services.iam`, parsed; `every` in ms. */
export type Options = z.output<typeof Options>;

export const iam: Service = {
  name: 'iam',
  provider: 'aws',
  title: 'AWS IAM policy simulation',
  kinds: [],
  optIn: true,
  listing: 'ids',
  config: Options,
  // Its users need them, each when this is on: see SIMULATION_PERMISSIONS.
  permissions: [],
  apis: SIMULATION_APIS,
  describeOperation: 'GetRole',
  // What it costs, its users say: see simulationCalls.
  calls: { steady: () => ({}), assumes: [] },
};
