/** Everything that runs by one configuration: a reload ends one of these and begins the next. */

import { type AppOptions, assemble, cronLogger } from './app-assemble.ts';
import { logDelivery } from './app-log.ts';
import { makeReceivers, startBeating } from './app-notify.ts';
import { extraTrust } from './app-trust.ts';
import type { Config } from './config/config.ts';
import { policyOf } from './config/load.ts';
import type { NotificationRecord } from './core/alert.ts';
import type { AlertContext } from './core/alerts/index.ts';
import type { Records } from './core/relations.ts';
import type { Held, Ledger } from './engine/apply.ts';
import { type Engine, startEngine } from './engine/engine.ts';
import { createOutboxBook } from './engine/outbox.ts';
import { recordsOf } from './engine/records.ts';
import type { Metrics } from './metrics/registry.ts';
import { type Dispatcher, type ReceiverStatus, startDispatcher } from './notify/dispatcher.ts';
import type { Store, StoredState } from './store/store.ts';

/** What is being delivered at the end may take this long yet, ms; what is not done then stays queued. */
const GRACE_MS = 4_000;

/** What outlives a configuration. */
export interface Lasting {
  readonly store: Store;
  readonly metrics: Metrics;
  now(): number;
  /** Since when (ms) the process runs with a clock that nobody set. */
  steadySince(): number;
  /** Where the port is; undefined before it is open. */
  listening(): string | undefined;
  /** Since when (ms) the configuration in force is not the one on disk. */
  reloadFailedSince(): number | undefined;
  onError(error: unknown, where: string): void;
}

/** Disposing of it ends everything that looks and tells; its ledger can be read on. */
export interface Run extends AsyncDisposable {
  readonly config: Config;
  readonly ledger: Ledger;
  /** The records behind the snapshot of the ledger. */
  readonly records: Records;
  /** How many sources there are. */
  readonly sources: number;
  /** What alerts are made of besides the snapshot, and what receivers were told. */
  alertContext(): Omit<AlertContext, 'now' | 'failingReceivers'>;
  notifications(): Iterable<NotificationRecord>;
  /** Takes over the state. */
  load(state: StoredState | Held): Promise<void>;
  /** Begins to look and to tell. */
  begin(): void;
  check(resource?: string): Promise<{ readonly started: number }>;
  ready(): { readonly ready: boolean; readonly reason: string };
  status(): readonly ReceiverStatus[];
}

/**
 * Builds everything that `options.config` asks for; nothing of it runs yet.
 * @param revision of the last snapshot that readers were given
 * @throws where it cannot be built: a file that is named is gone
 */
export async function prepareRun(options: AppOptions, lasting: Lasting, revision: number): Promise<Run> {
  const { config, log } = options;
  const { store, metrics, now, onError } = lasting;
  await using building = new AsyncDisposableStack();
  const trust = await extraTrust(config);
  let engine: Engine | undefined;
  let dispatcher: Dispatcher | undefined;
  const { receivers, statusUrl } = makeReceivers(options, building, lasting.listening, trust);
  const alertContext: Run['alertContext'] = () => {
    const reloadFailedSince = lasting.reloadFailedSince();
    return {
      policy: policyOf(config),
      tagLabels: config.labels,
      statusUrl: statusUrl(),
      // The daemon serves them itself: they are those of this very version, and reachable where it is.
      runbookUrl: `${statusUrl()}/runbooks`,
      startedAt: lasting.steadySince(),
      ...(reloadFailedSince === undefined ? {} : { reloadFailedSince }),
    };
  };
  const outbox = createOutboxBook({ receivers: receivers.map(({ traits }) => traits), context: alertContext });
  const { ledger, sources } = assemble(options, {
    stack: building,
    trust,
    store,
    revision,
    observe: metrics.observeCall,
    now,
    named: (resources) => engine?.named(resources),
    outbox,
    onQueued: () => dispatcher?.wake(),
  });
  building.defer(() => ledger.flush());
  const stop = new AbortController();
  building.defer(() => stop.abort());
  const stack = building.move();

  return {
    config,
    ledger,
    records: recordsOf(ledger),
    sources: sources.length,
    alertContext,
    notifications: outbox.all,
    load: (state) => ledger.load(state),

    begin() {
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
      startBeating(options, stack, ledger, outbox, trust);
      void ledger.judgeAll(stop.signal).catch((error: unknown) => onError(error, 'rules'));
    },

    check: async (resource) => (await engine?.check(resource)) ?? { started: 0 },
    ready: () => engine?.ready() ?? { ready: false, reason: 'starting' },
    status: () => dispatcher?.status() ?? [],
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
