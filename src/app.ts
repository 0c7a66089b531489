/** The composition root: the only place that opens things. Everything is disposed in reverse order. */
import { readFile } from 'node:fs/promises';
import type { Logger } from 'pino';
import type { Config, TargetConfig } from './config/config.ts';
import { policyOf, scheduleOf } from './config/load.ts';
import { matchesAny } from './core/glob.ts';
import { type Evidence, type KeyEvent, type SourceId, type SourceRecord, type Stub, sourceKey } from './core/model.ts';
import type { Snapshot } from './core/snapshot.ts';
import { eventWord } from './core/words.ts';
import { createLedger, type Ledger } from './engine/apply.ts';
import { createBudget, createGate } from './engine/budget.ts';
import type { CallerOptions } from './engine/call.ts';
import { sleep } from './engine/deadline.ts';
import { type Engine, type ScheduledSource, startEngine } from './engine/engine.ts';
import { intervalOf } from './engine/schedule.ts';
import { createSource, type LazyConnection, type Source } from './engine/source.ts';
import { createMetrics } from './metrics/registry.ts';
import { PROVIDERS } from './providers/index.ts';
import type { Connection, Provider, Service } from './providers/provider.ts';
import { openStore } from './store/sqlite.ts';
import type { Store } from './store/store.ts';
import { createWeb } from './web/server.ts';

/** Deadline of one call to a cloud, body included. */
const CALL_TIMEOUT_MS = 10_000;
/** Requests in flight over all sources (performance.md 3: more buys nothing and blocks the loop). */
const IN_FLIGHT = 16;
/** How far apart the two looks of `once` at a suspect are. */
const SECOND_LOOK_MS = 2_000;
/** `once` waits this long for details (edges by version); what is still missing then is marked as assumed. */
const ONCE_DETAILS_MS = 15_000;
const PRUNE_MS = 3_600_000;

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

interface Configured {
  readonly id: SourceId;
  readonly target: TargetConfig;
  readonly provider: Provider;
  readonly service: Service;
  readonly expression: string;
  readonly timezone: string;
}

/** Every source that the configuration asks for and that there is code for. */
function configuredSources(config: Config): Configured[] {
  const sources: Configured[] = [];
  for (const target of config.targets) {
    const provider = PROVIDERS.find((one) => one.name === target.provider);
    if (!provider) continue;
    for (const service of provider.services) {
      if (!target.services[service.name]) continue;
      const { schedule: expression, timezone } = scheduleOf(config, target, service.name);
      for (const location of provider.locations(target)) {
        const id = { target: target.name, location, service: service.name };
        sources.push({ id, target, provider, service, expression, timezone });
      }
    }
  }
  return sources;
}

function lazyConnection(
  target: TargetConfig,
  provider: Provider,
  options: AppOptions,
  ca: string | undefined,
): LazyConnection {
  // A proxy is used only where the configuration asks for it: half of the clouds' SDKs would, the other half would not.
  const direct = {
    ...options.env,
    HTTPS_PROXY: undefined,
    https_proxy: undefined,
    HTTP_PROXY: undefined,
    http_proxy: undefined,
  };
  const env = options.config.outbound.proxy === 'env' ? options.env : direct;
  let opening: Promise<Connection> | undefined;
  let current: Connection | undefined;
  return {
    get current() {
      return current;
    },
    get() {
      opening ??= provider
        .connect(target, { callTimeoutMs: CALL_TIMEOUT_MS, env, ...(ca === undefined ? {} : { ca }) })
        .then((connection) => {
          current = connection;
          return connection;
        })
        .catch((error: unknown) => {
          opening = undefined;
          throw error;
        });
      return opening;
    },
    async [Symbol.asyncDispose]() {
      await current?.[Symbol.asyncDispose]();
    },
  };
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
    ...(parts.store ? { store: parts.store } : {}),
    serviceOf: (record) => services.get(record.stub.kind),
    configured: (id) => byId.has(sourceKey(id)),
    watched: (witness) => byId.has(sourceKey(witness)),
    now: parts.now,
    wanted: parts.named,
    onEvents: (events) => {
      for (const event of events) logEvent(log, event, ledger.record(event.resource)?.stub.name);
    },
    onError: (error, where) => log.error({ err: error, where }, 'unexpected error'),
    onStore: (error) => {
      if (error === undefined) log.info('the state file can be written again');
      else log.error({ err: error }, 'the state file cannot be written; going on from memory');
    },
  });

  const ca = config.outbound.caFile === undefined ? undefined : await readFile(config.outbound.caFile, 'utf8');
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
  const metrics = createMetrics({ version, tagLabels: config.labels, onError: (error) => onError(error, 'metrics') });

  let engine: Engine | undefined;
  const named = (resources: readonly string[]) => engine?.named(resources);
  const { ledger, sources } = await assemble(options, { stack, store, observe: metrics.observeCall, now, named });
  await ledger.load(await store.load());
  stack.defer(() => ledger.flush());

  const web = stack.use(
    createWeb({
      snapshot: () => ledger.snapshot,
      events: (query) => store.events(query),
      versions: (resource) => store.versions(resource),
      check: async (resource) => engine?.check(resource) ?? { started: 0 },
      ready: () => engine?.ready() ?? { ready: false, reason: 'starting' },
      writeMetrics: (out, how) => metrics.write(ledger.snapshot, out, how),
      metricsContentType: metrics.contentType,
      version,
      startedAt,
      now,
      ...(config.web.externalUrl === undefined ? {} : { externalUrl: config.web.externalUrl }),
      onError,
    }),
  );
  const { url } = await web.listen(config.listen.host, config.listen.port);

  engine = stack.use(
    startEngine({ sources, ledger, logger: cronLogger(log), monotonic: () => performance.now(), onError }),
  );
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

function logEvent(log: Logger, event: KeyEvent, name: string | undefined): void {
  const { type, at: _at, ...rest } = event;
  const fields = { ...(name === undefined ? {} : { name }), ...rest };
  if (type === 'transition' && event.to === 'inaccessible')
    log.warn({ event: type, ...fields }, 'key became inaccessible');
  else if (type === 'transition' && event.to === 'impaired')
    log.warn({ event: type, ...fields }, 'consumer is impaired');
  else if (type === 'transition') log.info({ event: type, ...fields }, eventWord(event));
  else if (type === 'first_seen') log.debug({ event: type, ...fields }, 'seen for the first time');
  else log.info({ event: type, ...fields }, eventWord(event));
}

function logSource(
  log: Logger,
  record: SourceRecord,
  before: SourceRecord | undefined,
  evidence: Evidence | undefined,
): void {
  const { target, location, service, reason, objects, account } = record;
  if (before?.account !== undefined && account !== before.account) {
    const fields = { target, location, service, account, before: before.account };
    log.warn(fields, 'the credentials lead to another account; keys of the one before are no longer watched');
  }
  if (record.up === false) {
    // Not its message: that is the cloud's text, and it stands in the evidence of keys where somebody asks for it.
    const { operation, status, code, requestId } = evidence ?? {};
    const fields = { target, location, service, reason, operation, status, code, requestId };
    if (before?.up === false) log.debug(fields, 'source is still down');
    else log.warn(fields, 'source is down');
  } else if (reason === 'provider_retired') {
    const fields = { target, location, service };
    if (before?.reason === reason) log.debug(fields, 'the service is still retired');
    else log.info(fields, 'the cloud has retired this service, or the subscription never had it: nothing to watch');
  } else if (before?.up === false) log.info({ target, location, service, objects }, 'source is up again');
  else if (before?.up === undefined) log.info({ target, location, service, objects }, 'source is up');
  else log.debug({ target, location, service, objects }, 'sweep ended');
}
