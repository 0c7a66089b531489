/** The composition root: the only place that opens things. Everything is disposed in reverse order. */
import type { Logger } from 'pino';
import { logDelivery, logEvent, logSource } from './app-log.ts';
import { extraCa, makeReceivers, readRunbook, startBeating } from './app-notify.ts';
import { CALL_TIMEOUT_MS, configuredSources, coverageOf, lazyConnection } from './app-sources.ts';
import type { Config } from './config/config.ts';
import { isLoopback } from './config/listen.ts';
import { policyOf } from './config/load.ts';
import { matchesAny } from './core/glob.ts';
import { type SourceId, type Stub, sourceKey } from './core/model.ts';
import type { Snapshot } from './core/snapshot.ts';
import { createLedger, type Ledger } from './engine/apply.ts';
import { createBudget, createGate } from './engine/budget.ts';
import type { CallerOptions } from './engine/call.ts';
import { sleep } from './engine/deadline.ts';
import { type Engine, type ScheduledSource, startEngine } from './engine/engine.ts';
import { createOutboxBook, type OutboxBook } from './engine/outbox.ts';
import { intervalOf } from './engine/schedule.ts';
import { createSource, type LazyConnection, type Source } from './engine/source.ts';
import { createMetrics } from './metrics/registry.ts';
import { type Dispatcher, startDispatcher } from './notify/dispatcher.ts';
import { PROVIDERS } from './providers/index.ts';
import { openStore } from './store/sqlite.ts';
import type { Store } from './store/store.ts';
import { createWeb } from './web/server.ts';
import { type LiveWebFile, openWebFile } from './web/web-config.ts';

/** Requests in flight over all sources (performance.md 3: more buys nothing and blocks the loop). */
const IN_FLIGHT = 16;
/** How far apart the two looks of `once` at a suspect are. */
const SECOND_LOOK_MS = 2_000;
/** `once` waits this long for details (edges by version); what is still missing then is marked as assumed. */
const ONCE_DETAILS_MS = 15_000;
const PRUNE_MS = 3_600_000;
/** What is being delivered at a shutdown may take this long yet; what is not done then stays queued. */
const GRACE_MS = 4_000;

export interface AppOptions {
  readonly config: Config;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Logger;
  readonly version: string;
}

export interface App extends AsyncDisposable {
  /** Where the page, the API and the metrics are. */
  readonly url: string;
  readonly snapshot: Snapshot;
}

/** node-cron's words, in our log. */
function cronLogger(log: Logger) {
  return {
    info: (message: string) => log.debug({ cron: message }, 'schedule'),
    warn: (message: string) => log.warn({ cron: message }, 'schedule'),
    error: (message: string | Error) => log.error({ cron: String(message) }, 'schedule'),
    debug: (message: string | Error) => log.debug({ cron: String(message) }, 'schedule'),
  };
}

/** What the daemon and a single look share: a ledger, and a source for everything that is configured. */
async function assemble(
  options: AppOptions,
  parts: {
    readonly stack: AsyncDisposableStack;
    readonly store?: Store;
    readonly observe: CallerOptions['observe'];
    readonly now: () => number;
    /** Overrides the distance between sweeps, ms: a single look is not bound by the budget of one interval. */
    readonly intervalMs?: number;
    readonly named: (resources: readonly string[]) => void;
    readonly outbox?: OutboxBook;
    readonly onQueued?: () => void;
    readonly progress?: (source: SourceId, done: number, total: number) => void;
  },
): Promise<{ ledger: Ledger; sources: ReadonlyArray<ScheduledSource> }> {
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

  const ca = await extraCa(config);
  const budget = createBudget(config.budget, monotonic);
  const gate = createGate(IN_FLIGHT);
  const connections = new Map<string, LazyConnection>();
  const intervals = new Map<string, number>();

  const sources = configured.map(({ id, target, provider, service, expression, timezone }) => {
    let connection = connections.get(target.name);
    if (!connection) {
      connection = parts.stack.use(lazyConnection(target, provider, options, ca));
      connections.set(target.name, connection);
    }
    const intervalMs =
      parts.intervalMs ??
      intervals.get(`${timezone} ${expression}`) ??
      intervalOf(expression, timezone, cronLogger(log));
    intervals.set(`${timezone} ${expression}`, intervalMs);
    const { progress } = parts;
    const source: Source = createSource({
      id,
      provider: provider.name,
      service,
      connection,
      ledger,
      caller: { budget, gate, timeoutMs: CALL_TIMEOUT_MS, monotonic, observe: parts.observe },
      budgetShare: config.budget,
      intervalMs,
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
    return { source, expression, timezone, intervalMs };
  });
  return { ledger, sources };
}

/**
 * Starts the daemon: state, then snapshot, then the port, then the sources. Dispose it to stop.
 * @throws StoreError when the state file is from a newer keyvigil or in use; Node's error when the port is taken
 */
export async function startApp(options: AppOptions): Promise<App> {
  const { config, log, version } = options;
  const now = () => Date.now();
  const startedAt = now();
  await using stack = new AsyncDisposableStack();

  const { store, moved, copy } = await openStore(config.state, { now: startedAt });
  stack.use(store);
  if (copy) log.info({ copy }, 'the state file was brought up to this version; a copy of it as it was is kept');
  if (moved) log.error({ moved }, 'the state file was damaged and is moved aside; starting with an empty one');

  const onError = (error: unknown, where: string) => log.error({ err: error, where }, 'unexpected error');
  let dispatcher: Dispatcher | undefined;
  const metrics = createMetrics({
    version,
    tagLabels: config.labels,
    waiting: () => dispatcher?.status() ?? [],
    onError: (error) => onError(error, 'metrics'),
  });

  let engine: Engine | undefined;
  const named = (resources: readonly string[]) => engine?.named(resources);
  let listening: string | undefined;
  const { receivers, statusUrl } = await makeReceivers(options, stack, () => listening);
  const outbox = createOutboxBook({
    receivers: receivers.map(({ traits }) => traits),
    context: () => ({
      policy: policyOf(config),
      tagLabels: config.labels,
      statusUrl: statusUrl(),
      // The daemon serves them itself: they are those of this very version, and reachable where it is.
      runbookUrl: `${statusUrl()}/runbooks`,
      startedAt,
    }),
  });
  const { ledger, sources } = await assemble(options, {
    stack,
    store,
    observe: metrics.observeCall,
    now,
    named,
    outbox,
    onQueued: () => dispatcher?.wake(),
  });
  await ledger.load(await store.load());
  stack.defer(() => ledger.flush());
  const security = await openSecurity(config, log);
  if (security) stack.use(security);
  const web = stack.use(
    createWeb({
      snapshot: () => ledger.snapshot,
      events: (query) => store.events(query),
      versions: (resource) => store.versions(resource),
      check: async (resource) => engine?.check(resource) ?? { started: 0 },
      runbook: readRunbook,
      ready: () => engine?.ready() ?? { ready: false, reason: 'starting' },
      writeMetrics: (out, how) => metrics.write(ledger.snapshot, out, how),
      metricsContentType: metrics.contentType,
      version,
      startedAt,
      now,
      ...(config.web.externalUrl === undefined ? {} : { externalUrl: config.web.externalUrl }),
      ...(security ? { security } : {}),
      onError,
    }),
  );
  const { url } = await web.listen(config.listen.host, config.listen.port);
  listening = url;
  // Not before the address is known: what is told leads there.
  dispatcher = stack.use(
    startDispatcher({
      receivers,
      outbox: {
        pending: outbox.pending,
        nextAt: outbox.nextAt,
        standing: outbox.standing,
        settle: (receiver, outcomes) => ledger.delivered(receiver, outcomes),
      },
      holdMs: config.policy.alertHold,
      graceMs: GRACE_MS,
      now,
      random: Math.random,
      observe: (delivered) => {
        metrics.delivered(delivered);
        logDelivery(log, delivered);
      },
      onError,
    }),
  );

  engine = stack.use(
    startEngine({ sources, ledger, logger: cronLogger(log), monotonic: () => performance.now(), onError }),
  );
  await startBeating(options, stack, ledger, () => outbox);
  startPruning(stack, store, config.retention.events, now, onError);
  log.info({ url, sources: sources.length, state: config.state }, 'keyvigil is up');

  const parts = stack.move();
  return {
    url,
    get snapshot() {
      return ledger.snapshot;
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

/** The file of the web server, if there is one: it is read again whenever it changes. */
async function openSecurity({ web, listen }: Config, log: Logger): Promise<LiveWebFile | undefined> {
  if (web.configFile === undefined) return undefined;
  const fields = { file: web.configFile };
  return openWebFile(web.configFile, {
    mustAuthenticate: !web.allowUnauthenticated && !isLoopback(listen.host),
    onReload: (refused) => {
      if (refused) log.error({ ...fields, err: refused }, 'web.configFile cannot be used; what it said before stands');
      else log.info(fields, 'web.configFile was read again');
    },
  });
}

function startPruning(
  stack: AsyncDisposableStack,
  store: Store,
  keepMs: number,
  now: () => number,
  onError: (error: unknown, where: string) => void,
): void {
  const prune = () => void store.prune(now() - keepMs).catch((error: unknown) => onError(error, 'retention'));
  // At the start too: a daemon that is restarted every day would never get to it otherwise.
  prune();
  const timer = setInterval(prune, PRUNE_MS);
  stack.defer(() => clearInterval(timer));
}

/**
 * One look at everything, suspects twice. Neither reads nor writes the daemon's state.
 * @throws only the abort reason of `signal`
 */
export async function lookOnce(
  options: AppOptions,
  signal: AbortSignal,
  progress: (source: SourceId, done: number, total: number) => void,
): Promise<Snapshot> {
  await using stack = new AsyncDisposableStack();
  const { ledger, sources } = await assemble(options, {
    stack,
    observe: () => undefined,
    now: () => Date.now(),
    intervalMs: 3_600_000,
    named: () => undefined,
    progress,
  });
  const all = sources.map(({ source }) => source);
  // Who uses keys comes first: what is asked of a vault depends on whether somebody needs it.
  const using = all.filter((source) => source.ofConsumers);
  await lookTwice(using, signal);
  await lookTwice(
    all.filter((source) => !source.ofConsumers),
    signal,
  );
  const enough = new AbortController();
  const timer = setTimeout(() => enough.abort(), ONCE_DETAILS_MS);
  const either = AbortSignal.any([signal, enough.signal]);
  try {
    await Promise.all(all.map((source) => source.details(either)));
  } catch (error) {
    // Only running out of time is expected here.
    if (signal.aborted || !enough.signal.aborted) throw error;
  } finally {
    clearTimeout(timer);
  }
  // Only now is it known what the others name.
  await lookTwice(
    all.filter((source) => source.follows),
    signal,
  );
  for (let look = 0; look < 2; look++) await lookAtSuspected(using, ledger, signal);
  return ledger.snapshot;
}

/** Looks at what the rules have come to suspect by what others told. @throws only the abort reason of `signal` */
async function lookAtSuspected(sources: readonly Source[], ledger: Ledger, signal: AbortSignal): Promise<void> {
  const suspected = sources.map((source) => ({
    source,
    resources: ledger.seenBy(source.id).flatMap((one) => (one.pending ? one.resource : [])),
  }));
  if (!suspected.some(({ resources }) => resources.length > 0)) return;
  await sleep(SECOND_LOOK_MS, signal);
  await Promise.all(suspected.map(({ source, resources }) => source.lookAt(resources, signal)));
}

/** Sweeps these sources, and looks at the suspects again. @throws only the abort reason of `signal` */
async function lookTwice(sources: readonly Source[], signal: AbortSignal): Promise<void> {
  const looked = await Promise.all(sources.map(async (source) => ({ source, suspects: await source.sweep(signal) })));
  if (!looked.some(({ suspects }) => suspects.length > 0)) return;
  await sleep(SECOND_LOOK_MS, signal);
  await Promise.all(
    looked.map(({ source, suspects }) =>
      source.lookAt(
        suspects.map((one) => one.resource),
        signal,
      ),
    ),
  );
}
