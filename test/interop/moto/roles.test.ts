/** Roles as moto tells them: an opinion on GetRole that is not ours. It has no policy simulation, and says so. */
import { CreateRoleCommand, IAMClient } from '@aws-sdk/client-iam';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectAws } from '../../../src/providers/aws/connection.ts';
import * as simulator from '../../../src/providers/aws/iam/simulator.ts';
import type { Simulation } from '../../../src/providers/aws/iam/words.ts';
import { plainContext } from '../../fixtures/context.ts';
import { ACCOUNT, type Cloud, CREDENTIALS, REGION, startCloud } from './cloud.ts';

let cloud: Cloud;
beforeAll(async () => {
  cloud = await startCloud();
});
afterAll(() => cloud?.[Symbol.asyncDispose]());

async function simulationOf(stack: AsyncDisposableStack): Promise<Simulation> {
  let simulation: Simulation | undefined;
  const probe = {
    open(env: { readonly simulation?: Simulation }) {
      simulation = env.simulation;
      return { destroy() {} } as never;
    },
  };
  const { accessKeyId, secretAccessKey } = CREDENTIALS;
  const connection = stack.use(
    connectAws(
      { regions: [REGION], endpoint: cloud.url, services: { iam: { every: 3_600_000 } as never } },
      { callTimeoutMs: 10_000, env: { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } },
      new Map([['probe', probe]]),
      simulator,
    ),
  );
  await connection.identify(plainContext);
  connection.open('probe', REGION);
  if (!simulation) throw new Error('the session was given no simulation');
  return simulation;
}

test('the trust of a role is read as it was written, a role that is not there is missing, and silence is no denial', async () => {
  await using stack = new AsyncDisposableStack();
  const iam = stack.adopt(new IAMClient({ endpoint: cloud.url, region: REGION, credentials: CREDENTIALS }), (client) =>
    client.destroy(),
  );
  const roles = {
    trusted: { Effect: 'Allow', Principal: { Service: 'mediaconnect.amazonaws.com' }, Action: 'sts:AssumeRole' },
    other: { Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' },
    bound: {
      Effect: 'Allow',
      Principal: { Service: 'mediaconnect.amazonaws.com' },
      Action: 'sts:AssumeRole',
      Condition: { StringEquals: { 'aws:SourceAccount': ACCOUNT } },
    },
  };
  for (const [RoleName, statement] of Object.entries(roles)) {
    const AssumeRolePolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
    await iam.send(new CreateRoleCommand({ RoleName, Path: '/video/', AssumeRolePolicyDocument }));
  }
  const simulation = await simulationOf(stack);
  const trust = async (name: string) => {
    const role = `arn:aws:iam::${ACCOUNT}:role${name}`;
    return (await simulation.trust(role, 'mediaconnect', plainContext, { left: 1 }))?.answer;
  };
  expect(await trust('/video/trusted')).toEqual({ word: 'allowed' });
  expect(await trust('/video/other')).toEqual({ word: 'untrusted' });
  expect(await trust('/video/bound')).toEqual({ word: 'conditional' });
  expect(await trust('/video/none')).toEqual({ word: 'role-not-found' });
  expect(await trust('/trusted')).toEqual({ word: 'role-not-found' });
  const resource = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:prod/key-AbCdEf`;
  const question = {
    role: `arn:aws:iam::${ACCOUNT}:role/video/trusted`,
    actions: ['secretsmanager:GetSecretValue'],
    resource,
  };
  const { answer } = (await simulation.may(question, plainContext, { left: 9 })) ?? {};
  expect(answer).toMatchObject({ word: 'cannot-tell' });
});
