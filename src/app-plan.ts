/** What there is to watch, counted by one listing of each source: nothing is looked at more closely, and nothing is kept. */

import { type AppOptions, IN_FLIGHT } from './app-assemble.ts';
import { CALL_TIMEOUT_MS, type Configured, configuredSources, lazyConnection } from './app-sources.ts';
import { extraTrust } from './app-trust.ts';
import { policyOf } from './config/load.ts';
import { matchesAny } from './core/glob.ts';
import { type Evidence, type SourceId, type Stub, sourceKey } from './core/model.ts';
import type { UnknownReason } from './core/reasons.ts';
import { createBudget, createGate } from './engine/budget.ts';
import { type CallerOptions, callContext, connectFailure, failureOf } from './engine/call.ts';
import type { LazyConnection } from './engine/source.ts';
import { sourceReason } from './engine/sweep.ts';
import type { Connection, Holding, ServiceSession } from './providers/provider.ts';

/** What one listing told. */
export interface Counted {
  readonly id: SourceId;
  /** Absent where nothing was listed. */
  readonly holding?: Omit<Holding, 'consumers'>;
  /** The listing shows only what others name, and what they name was not asked for: the count is of no use. */
  readonly follows?: true;
  /** Why nothing could be listed, or not all. */
  readonly failure?: { readonly reason: UnknownReason; readonly evidence: Evidence };
}

/**
 * Lists every configured source once, within the budget.
 * @param progress told how many objects of a source were listed so far
 * @throws only the abort reason of `signal`
 */
export async function countObjects(
  options: AppOptions,
  signal: AbortSignal,
  progress: (source: SourceId, done: number, total: number) => void,
): Promise<readonly Counted[]> {
  const { config } = options;
  await using stack = new AsyncDisposableStack();
  const trust = await extraTrust(config);
  const monotonic = () => performance.now();
  const caller: CallerOptions = {
    budget: createBudget(config.budget, monotonic),
    gate: createGate(IN_FLIGHT),
    timeoutMs: CALL_TIMEOUT_MS,
    monotonic,
    observe: () => undefined,
  };
  const { critical } = policyOf(config);
  const connections = new Map<string, LazyConnection>();
  const isCritical = ({ name, resource }: Stub) => matchesAny(critical, name, resource);
  return await Promise.all(
    configuredSources(config).map((configured) => {
      const { target, provider } = configured;
      const connection = connections.get(target.name) ?? stack.use(lazyConnection(target, provider, options, trust));
      connections.set(target.name, connection);
      return countOne(configured, connection, { caller, signal, isCritical, progress });
    }),
  );
}

async function countOne(
  { id, service }: Configured,
  lazy: LazyConnection,
  env: {
    readonly caller: CallerOptions;
    readonly signal: AbortSignal;
    isCritical(stub: Stub): boolean;
    progress(source: SourceId, done: number, total: number): void;
  },
): Promise<Counted> {
  const { caller, signal } = env;
  let connection: Connection;
  let session: ServiceSession;
  let account: string;
  try {
    connection = await lazy.get();
    ({ account } = await connection.identify(callContext(id, { account: id.target, connection }, caller, signal)));
    session = connection.open(id.service, id.location);
  } catch (error) {
    signal.throwIfAborted();
    return { id, failure: connectFailure(error, lazy.current) };
  }

  const objects: Record<string, number> = {};
  const listing: Record<string, number> = {};
  const seen = new Set<string>();
  let critical = 0;
  const context = callContext(id, { account, service, connection }, caller, signal);
  const pages = session.list({
    // The pages, and not the requests: a vault challenges a client once, and then never again.
    call: (operation, run) => {
      listing[operation] = (listing[operation] ?? 0) + 1;
      return context.call(operation, run);
    },
    referenced: () => [],
    versionsInUse: () => [],
    consumers: () => [],
    key: () => undefined,
  });
  const failed = (error: unknown): Pick<Counted, 'failure'> => {
    const failure = failureOf(error, connection);
    const reason = failure.reason === 'provider_retired' ? failure.reason : sourceReason(failure);
    return { failure: { reason, evidence: failure.evidence } };
  };
  try {
    let page = await pages.next();
    while (!page.done) {
      for (const { stub } of page.value) {
        if (seen.has(stub.resource) || !session.watches(stub)) continue;
        seen.add(stub.resource);
        objects[stub.kind] = (objects[stub.kind] ?? 0) + 1;
        if (env.isCritical(stub)) critical += 1;
      }
      env.progress(id, seen.size, seen.size);
      page = await pages.next();
    }
    const { exclusive, failed: part } = page.value;
    return {
      id,
      ...(part && seen.size === 0 ? {} : { holding: { objects, critical, listing } }),
      ...(exclusive ? { follows: true } : {}),
      ...(part ? failed(part) : {}),
    };
  } catch (error) {
    signal.throwIfAborted();
    return { id, ...failed(error) };
  }
}

/** Consumers of each target, by its name. */
export function consumersOf(counted: readonly Counted[], sources: readonly Configured[]): ReadonlyMap<string, number> {
  const of = new Map<string, number>();
  const services = new Map(sources.map(({ id, service }) => [sourceKey(id), service]));
  for (const { id, holding } of counted) {
    if (!services.get(sourceKey(id))?.consumers || !holding) continue;
    const count = Object.values(holding.objects).reduce((sum, one) => sum + one, 0);
    of.set(id.target, (of.get(id.target) ?? 0) + count);
  }
  return of;
}
