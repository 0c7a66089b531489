/** A source as the daemon has it, with a ledger that keeps nothing and no budget: what the work itself costs. */
import type { SecureContext } from 'node:tls';
import type { Ledger } from '../../src/engine/apply.ts';
import { createBudget, createGate } from '../../src/engine/budget.ts';
import { createSource, type Source } from '../../src/engine/source.ts';
import { PROVIDERS, SERVICES } from '../../src/providers/index.ts';
import type { Connection } from '../../src/providers/provider.ts';
import { plainLedger } from '../fixtures/ledger.ts';
import { AT_ONCE } from './measure.ts';

const POLICY = {
  confirmations: { inaccessible: 2, accessible: 2, blind: 3 },
  // Nothing comes round in turn during a bench: only what the listing says is described.
  describeEveryMs: 10 * 86_400_000,
  expiryWarningMs: 30 * 86_400_000,
  staleAfterMs: 300_000,
  forgetAfterMs: 7 * 86_400_000,
  critical: [],
  rules: {},
};
export const CALL_TIMEOUT_MS = 60_000;

export interface Watch {
  readonly source: Source;
  readonly ledger: Ledger;
  calls(): number;
  /** One sweep. @throws when the source is down after it: a sweep that fails costs little. */
  sweep(): Promise<void>;
}

/** @param target its resolved configuration, `provider` included */
export async function connect(
  target: { readonly provider: string },
  options: { readonly env: Readonly<Record<string, string>>; readonly trust?: SecureContext },
): Promise<Connection> {
  const provider = PROVIDERS.find(({ name }) => name === target.provider);
  if (!provider) throw new Error(`no provider ${target.provider}`);
  return await provider.connect(target, { callTimeoutMs: CALL_TIMEOUT_MS, ...options });
}

export function watch(name: string, location: string, connection: Connection): Watch {
  const service = SERVICES.find((one) => one.name === name);
  if (!service) throw new Error(`no service ${name}`);
  const signal = new AbortController().signal;
  const id = { target: 'bench', location, service: name };
  let calls = 0;
  const ledger = plainLedger({ policy: POLICY, serviceOf: () => service });
  const source = createSource({
    id,
    provider: service.provider,
    service,
    connection: { get: async () => connection, current: connection, [Symbol.asyncDispose]: async () => undefined },
    ledger,
    caller: {
      budget: createBudget(1e6, () => performance.now()),
      gate: createGate(AT_ONCE),
      timeoutMs: CALL_TIMEOUT_MS,
      monotonic: () => performance.now(),
      observe: () => {
        calls += 1;
      },
    },
    budgetShare: 1e6,
    intervalMs: 60_000,
    pauseMs: 60_000,
    describeEveryMs: POLICY.describeEveryMs,
    critical: () => false,
    now: () => Date.now(),
    named: () => undefined,
    onChange: () => undefined,
    onDetailsFailed: (resource) => {
      throw new Error(`no details of ${resource}`);
    },
  });
  return {
    source,
    ledger,
    calls: () => calls,
    async sweep() {
      await source.sweep(signal);
      const record = ledger.sourceRecord(id);
      if (!record?.up) throw new Error(`the source ${name} is down: ${record?.reason}`);
    },
  };
}
