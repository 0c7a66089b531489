/** Policy simulation of a connection to the sandbox, and consumers whose uses it is asked about. */

import type { ConsumerFacts, KeyFacts, KeyUse } from '../../../src/core/model.ts';
import { connectAws } from '../../../src/providers/aws/connection.ts';
import { iam } from '../../../src/providers/aws/iam/index.ts';
import * as simulator from '../../../src/providers/aws/iam/simulator.ts';
import type { SimulatedService } from '../../../src/providers/aws/iam/uses.ts';
import { withSimulation } from '../../../src/providers/aws/iam/uses.ts';
import type { Simulation } from '../../../src/providers/aws/iam/words.ts';
import type { LookContext } from '../../../src/providers/provider.ts';
import type { Sandbox } from '../../../src/sandbox/sandbox.ts';
import { plainContext } from '../../fixtures/context.ts';

export const ACCOUNT = '111122223333';
export const REGION = 'eu-west-1';
export const FLOW = `arn:aws:mediaconnect:${REGION}:${ACCOUNT}:flow:1-Ab:live`;

export interface Open extends AsyncDisposable {
  readonly simulation: Simulation;
}

/** What a service's session would get of a target with `services.iam`. */
export async function simulationOf(
  { url, aws }: Sandbox,
  options: { readonly target?: object; readonly iam?: object; readonly region?: string } = {},
): Promise<Open> {
  const { accessKeyId, secretAccessKey } = aws.account(ACCOUNT).credentials;
  let simulation: Simulation | undefined;
  const probe = {
    open(env: { readonly simulation?: Simulation }) {
      simulation = env.simulation;
      return { destroy() {} } as never;
    },
  };
  const connection = connectAws(
    {
      regions: [REGION],
      endpoint: url,
      services: { iam: iam.config.parse(options.iam ?? {}) as never },
      ...options.target,
    },
    { callTimeoutMs: 10_000, env: { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } },
    new Map([['probe', probe]]),
    simulator,
  );
  await connection.identify(plainContext);
  connection.open('probe', options.region ?? REGION);
  if (!simulation) throw new Error('the session was given no simulation');
  return { simulation, [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose]() };
}

/** A context that knows these keys. */
export function knowing(...keys: readonly Partial<KeyFacts>[]): LookContext {
  const all = keys as readonly KeyFacts[];
  return {
    ...plainContext,
    key: (name) => all.find(({ resource, aliases }) => resource === name || aliases?.includes(name)),
  };
}

/** A use of a secret through a role. */
export function useOf(resource: string, roleArn: string, part = 'output Test'): KeyUse {
  return { resource, role: 'output-encryption', part, attributes: { roleArn } };
}

/** A flow with these uses. */
export function flowOf(uses: readonly KeyUse[], resource = FLOW): ConsumerFacts {
  return {
    resource,
    kind: 'mediaconnect-flow',
    name: 'live',
    provider: 'aws',
    account: ACCOUNT,
    location: REGION,
    tags: {},
    uses,
    attributes: {},
  };
}

/** One look: the flow with what simulation says of its uses. */
export async function looked(
  open: Open,
  uses: readonly KeyUse[],
  options: { readonly context?: LookContext; readonly known?: ConsumerFacts; readonly service?: SimulatedService } = {},
): Promise<ConsumerFacts> {
  const { context = plainContext, known, service = 'mediaconnect' } = options;
  const roleOf = ({ attributes }: KeyUse) =>
    attributes?.roleArn === undefined ? undefined : String(attributes.roleArn);
  return withSimulation(flowOf(uses), { service, simulation: open.simulation, roleOf, known }, context);
}
