/** From a configuration to a ledger and its sources: what the daemon and a single look share. */
import type { SecureContext } from 'node:tls';
import type { Logger } from 'pino';
import { logEvent, logSource } from './app-log.ts';
import { CALL_TIMEOUT_MS, configuredSources, coverageOf, lazyConnection } from './app-sources.ts';
import type { Config } from './config/config.ts';
import { policyOf } from './config/load.ts';
import { matchesAny } from './core/glob.ts';
import { type SourceId, type Stub, sourceKey } from './core/model.ts';
import { createLedger, type Ledger } from './engine/apply.ts';
import { createBudget, createGate } from './engine/budget.ts';
import type { CallerOptions } from './engine/call.ts';
import type { ScheduledSource } from './engine/engine.ts';
import type { OutboxBook } from './engine/outbox.ts';
import { rhythmOf } from './engine/rhythm.ts';
import { intervalOf } from './engine/schedule.ts';
import { createSource, type LazyConnection, type Source } from './engine/source.ts';
import { PROVIDERS } from './providers/index.ts';
import type { Store } from './store/store.ts';

/** Requests in flight over all sources (performance.md 3: more buys nothing and blocks the loop). */
export const IN_FLIGHT = 16;

export interface AppOptions {
  readonly config: Config;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Logger;
  readonly version: string;
}

/** node-cron's words, in our log. */
export function cronLogger(log: Logger) {
  return {
    info: (message: string) => log.debug({ cron: message }, 'schedule'),
    warn: (message: string) => log.warn({ cron: message }, 'schedule'),
    error: (message: string | Error) => log.error({ cron: String(message) }, 'schedule'),
    debug: (message: string | Error) => log.debug({ cron: String(message) }, 'schedule'),
  };
}

/**
 * A ledger, and a source for everything that is configured; nothing is opened or asked yet.
 * @param parts.trust what connections trust; undefined: what Node does
 */
export function assemble(
  options: AppOptions,
  parts: {
    readonly stack: AsyncDisposableStack;
    readonly trust: SecureContext | undefined;
    readonly store?: Store;
    /** Revision of the last snapshot that readers were given. */
    readonly revision?: number;
    readonly observe: CallerOptions['observe'];
    readonly now: () => number;
    /** Overrides the distance between sweeps, ms: a single look is not bound by the budget of one interval. */
    readonly intervalMs?: number;
    readonly named: (resources: readonly string[]) => void;
    readonly outbox?: OutboxBook;
    readonly onQueued?: () => void;
    readonly progress?: (source: SourceId, done: number, total: number) => void;
  },
): { readonly ledger: Ledger; readonly sources: readonly ScheduledSource[] } {
  const { config, log } = options;
  const policy = policyOf(config);
  const configured = configuredSources(config);
  const byId = new Map(configured.map((one) => [sourceKey(one.id), one]));
  const services = new Map(
    PROVIDERS.flatMap(({ services }) => services.flatMap((one) => one.kinds.map((kind) => [kind, one] as const))),
  );
  const critical = ({ name, resource }: Stub) => matchesAny(policy.critical, name, resource);
  const monotonic = () => performance.now();

  const ledger = createLedger({
    policy,
    coverage: coverageOf(configured),
    ...(parts.store ? { store: parts.store } : {}),
    ...(parts.revision === undefined ? {} : { revision: parts.revision }),
    serviceOf: (record) => services.get(record.stub.kind),
    configured: (id) => byId.has(sourceKey(id)),
    watched: (witness) => byId.has(sourceKey(witness)),
    now: parts.now,
    wanted: parts.named,
    ...(parts.outbox ? { outbox: parts.outbox } : {}),
    ...(parts.onQueued ? { onQueued: parts.onQueued } : {}),
    onEvents: (events) => {
      for (const event of events) logEvent(log, event, ledger.record(event.resource)?.stub.name);
    },
    onError: (error, where) => log.error({ err: error, where }, 'unexpected error'),
    onStore: (error) => {
      if (error === undefined) log.info('the state file can be written again');
      else log.error({ err: error }, 'the state file cannot be written; going on from memory');
    },
  });

  const budget = createBudget(config.budget, monotonic);
  const gate = createGate(IN_FLIGHT);
  const connections = new Map<string, LazyConnection>();
  const distances = new Map<string, { readonly intervalMs: number; readonly pauseMs: number }>();

  function distanceOf(expression: string, timezone: string) {
    const { intervalMs } = parts;
    if (intervalMs !== undefined) return { intervalMs, pauseMs: intervalMs };
    const logger = cronLogger(log);
    return {
      intervalMs: intervalOf(expression, timezone, logger),
      pauseMs: rhythmOf(expression, timezone, logger).pauseMs,
    };
  }

  const sources = configured.map(({ id, target, provider, service, expression, timezone }) => {
    let connection = connections.get(target.name);
    if (!connection) {
      connection = parts.stack.use(lazyConnection(target, provider, options, parts.trust));
      connections.set(target.name, connection);
    }
    const distance = distances.get(`${timezone} ${expression}`) ?? distanceOf(expression, timezone);
    distances.set(`${timezone} ${expression}`, distance);
    const { progress } = parts;
    const source: Source = createSource({
      id,
      provider: provider.name,
      service,
      connection,
      ledger,
      caller: { budget, gate, timeoutMs: CALL_TIMEOUT_MS, monotonic, observe: parts.observe },
      budgetShare: config.budget,
      ...distance,
      describeEveryMs: policy.describeEveryMs,
      critical,
      now: parts.now,
      named: parts.named,
      onDetailsFailed: (resource, { reason, evidence }) => {
        const { operation, status, code, requestId } = evidence;
        log.debug({ resource, reason, operation, status, code, requestId }, 'details of a key could not be fetched');
      },
      onChange: (record, before, evidence) => logSource(log, record, before, evidence),
      ...(progress ? { progress: (done, total) => progress(id, done, total) } : {}),
    });
    return { source, expression, timezone, ...distance };
  });
  return { ledger, sources };
}
