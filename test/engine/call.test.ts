import { expect, it } from 'vitest';
import type { Budget } from '../../src/engine/budget.ts';
import { callContext } from '../../src/engine/call.ts';
import type { Service } from '../../src/providers/provider.ts';

const service = {
  name: 'flows',
  apis: {
    Describe: { quotaPerSecond: 10, usdPer10k: 0 },
    GetRole: { quotaPerSecond: 15, usdPer10k: 0, accountWide: true },
  },
} as unknown as Service;

it('takes an operation whose quota is one for the account out of one budget, wherever and for whomever it is called', async () => {
  const taken: string[] = [];
  const budget: Budget = {
    take: async (bucket) => void taken.push(bucket),
    charge: (bucket) => void taken.push(bucket),
  };
  const options = {
    budget,
    gate: { enter: async () => ({ [Symbol.dispose]() {} }) },
    timeoutMs: 1_000,
    monotonic: () => 0,
    observe() {},
  };
  for (const location of ['eu-west-1', 'us-east-1']) {
    for (const name of ['flows', 'builds']) {
      const source = { target: 'prod', location, service: name };
      const scope = { account: '111122223333', service, connection: { classify: () => ({}) as never } };
      const context = callContext(source, scope, options, new AbortController().signal);
      await context.call('Describe', async () => ({}));
      await context.call('GetRole', async () => ({ $metadata: { attempts: 2 } }));
    }
  }
  const shared = taken.filter((bucket) => bucket.endsWith('GetRole'));
  expect(shared).toEqual(Array(8).fill('111122223333/GetRole'));
  expect(new Set(taken.filter((bucket) => bucket.endsWith('Describe'))).size).toBe(4);
});
