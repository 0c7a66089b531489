/** The composition root: the only place that opens things. Everything is disposed in reverse order. */

import type { Logger } from 'pino';
import { type AppOptions, assemble } from './app-assemble.ts';
import { readRunbook } from './app-notify.ts';
import { createRefusals } from './app-refusals.ts';
import { createReloader, type Reloaded } from './app-reload.ts';
import { prepareRun } from './app-run.ts';
import { extraTrust } from './app-trust.ts';
import type { Config } from './config/config.ts';
import { isLoopback } from './config/listen.ts';
import type { LoadedConfig } from './config/load.ts';
import type { SourceId } from './core/model.ts';
import type { Records } from './core/relations.ts';
import type { Snapshot } from './core/snapshot.ts';
import type { Ledger } from './engine/apply.ts';
import type { CallRecord } from './engine/call.ts';
import { sleep } from './engine/deadline.ts';
import { recordsOf } from './engine/records.ts';
import type { Source } from './engine/source.ts';
import { watchClock } from './engine/steady.ts';
import { createMetrics } from './metrics/registry.ts';
import { openStore } from './store/sqlite.ts';
import type { Store } from './store/store.ts';
import { createWeb } from './web/server.ts';
import { type LiveWebFile, openWebFile } from './web/web-config.ts';

/** How far apart the two looks of `once` at a suspect are. */
const SECOND_LOOK_MS = 2_000;
/** `once` waits this long for details (edges by version); what is still missing then is marked as assumed. */
const ONCE_DETAILS_MS = 15_000;
const PRUNE_MS = 3_600_000;

/** What the daemon is started with. */
export interface DaemonOptions extends AppOptions {
  /** Of the configuration as it was read; see `LoadedConfig`. */
  readonly signature?: string;
  /** Reads the configuration again. @throws ConfigError. Absent: it came from nowhere that could have changed. */
  reread?(): Promise<LoadedConfig>;
}

export interface App extends AsyncDisposable {
  /** Where the page, the API and the metrics are. */
  readonly url: string;
  readonly snapshot: Snapshot;
  /** Reads the configuration again and goes on by it; one that is refused changes nothing. Never throws. */
  reload(): Promise<Reloaded>;
}

/**
 * Starts the daemon: state, then snapshot, then the port, then the sources. Dispose it to stop.
 * @throws StoreError when the state file is from a newer keyvigil or in use; Node's error when the port is taken
 */
export async function startApp(options: DaemonOptions): Promise<App> {
  const { config, log, version } = options;
  const now = () => Date.now();
  const startedAt = now();
  await using stack = new AsyncDisposableStack();

  const { store, moved, copy } = await openStore(config.state, { now: startedAt });
  stack.use(store);
  if (copy) log.info({ copy }, 'the state file was brought up to this version; a copy of it as it was is kept');
  if (moved) log.error({ moved }, 'the state file was damaged and is moved aside; starting with an empty one');

  const onError = (error: unknown, where: string) => log.error({ err: error, where }, 'unexpected error');
  const metrics = createMetrics({
    version,
    tagLabels: config.labels,
    waiting: () => runs.current.status(),
    onError: (error) => onError(error, 'metrics'),
  });

  let listening: string | undefined;
  const refusals = createRefusals(now, metrics.reload);
  const reloadFailedSince = () => refusals.failedSince;
  const steady = stack.use(watchClock(now));
  const shared = {
    store,
    metrics,
    now,
    steadySince: () => steady.since(),
    listening: () => listening,
    reloadFailedSince,
    onError,
  };
  const first = await prepareRun(options, shared, 0);
  const runs = createReloader({
    first,
    options,
    prepare: (changed, revision) => prepareRun({ ...options, config: changed }, shared, revision),
    metrics,
    refusals,
  });
  stack.use(runs);
  await first.load(await store.load());
  const security = await openSecurity(config, log, (ok) => {
    refusals.told('web.configFile', ok);
    // Its alert waits for nothing else to happen.
    void runs.current.ledger.tick();
  });
  if (security) stack.use(security);
  const web = stack.use(
    createWeb({
      snapshot: () => runs.current.ledger.snapshot,
      records: {
        key: (resource) => runs.current.records.key(resource),
        resolve: (name) => runs.current.records.resolve(name),
      },
      alertContext: () => runs.current.alertContext(),
      notifications: () => runs.current.notifications(),
      events: (query) => store.events(query),
      versions: (resource) => store.versions(resource),
      check: (resource) => runs.current.check(resource),
      forget: (resource) => runs.current.ledger.forget(resource),
      reload: () => runs.reload(),
      runbook: readRunbook,
      ready: () => runs.ready(),
      writeMetrics: (out, how) => metrics.write(runs.current.ledger.snapshot, out, how),
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
  // Not before the address is known does anything go out: what is told leads there.
  listening = url;
  runs.begin();
  startPruning(stack, store, () => runs.config.retention.events, now, onError);
  log.info({ url, sources: first.sources, state: config.state }, 'keyvigil is up');

  const parts = stack.move();
  return {
    url,
    get snapshot() {
      return runs.current.ledger.snapshot;
    },
    reload: () => runs.reload(),
    async [Symbol.asyncDispose]() {
      // What looks and tells ends first, then the port, then the state.
      await runs[Symbol.asyncDispose]();
      await parts.disposeAsync();
    },
  };
}

/** The file of the web server, if there is one: it is read again whenever it changes. */
async function openSecurity(
  { web, listen }: Config,
  log: Logger,
  told: (ok: boolean) => void,
): Promise<LiveWebFile | undefined> {
  if (web.configFile === undefined) return undefined;
  const fields = { file: web.configFile };
  return openWebFile(web.configFile, {
    mustAuthenticate: !web.allowUnauthenticated && !isLoopback(listen.host),
    onReload: (refused) => {
      told(refused === undefined);
      if (refused) log.error({ ...fields, err: refused }, 'web.configFile cannot be used; what it said before stands');
      else log.info(fields, 'web.configFile was read again');
    },
  });
}

function startPruning(
  stack: AsyncDisposableStack,
  store: Store,
  keepMs: () => number,
  now: () => number,
  onError: (error: unknown, where: string) => void,
): void {
  const prune = () => void store.prune(now() - keepMs()).catch((error: unknown) => onError(error, 'retention'));
  // At the start too: a daemon that is restarted every day would never get to it otherwise.
  prune();
  const timer = setInterval(prune, PRUNE_MS);
  stack.defer(() => clearInterval(timer));
}

/** What one look told, and the records behind it. */
export interface Look {
  readonly snapshot: Snapshot;
  readonly records: Records;
}

/**
 * One look at everything, suspects twice. Neither reads nor writes the daemon's state.
 * @param observe told of every call
 * @throws only the abort reason of `signal`
 */
export async function lookOnce(
  options: AppOptions,
  signal: AbortSignal,
  progress: (source: SourceId, done: number, total: number) => void,
  observe: (call: CallRecord) => void = () => undefined,
): Promise<Look> {
  await using stack = new AsyncDisposableStack();
  const { ledger, sources } = assemble(options, {
    stack,
    trust: await extraTrust(options.config),
    observe,
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
  return { snapshot: ledger.snapshot, records: recordsOf(ledger) };
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
