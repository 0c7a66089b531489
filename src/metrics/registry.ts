/** The daemon's metrics as one page. prom-client appears here only. */
import type { Writable } from 'node:stream';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { tagLabels } from '../core/labels.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { withOutput } from './output.ts';
import { DAEMON_ROWS } from './table.ts';
import { createSnapshotWriter } from './writer.ts';

/**
 * What is taken of prom-client's default metrics. Not all of them: gauges named `_total` among the rest fail
 * `promtool check metrics`, and some of the event loop's are NaN or nonsense after a short interval. The first of each
 * group collects for the others.
 */
export const PROCESS_METRICS: readonly string[] = [
  'process_cpu_user_seconds_total',
  'process_cpu_system_seconds_total',
  'process_cpu_seconds_total',
  'process_start_time_seconds',
  'process_resident_memory_bytes',
  'process_virtual_memory_bytes',
  'process_heap_bytes',
  'process_open_fds',
  'process_max_fds',
  'nodejs_eventloop_lag_seconds',
  'nodejs_eventloop_lag_max_seconds',
  'nodejs_eventloop_lag_p50_seconds',
  'nodejs_eventloop_lag_p90_seconds',
  'nodejs_eventloop_lag_p99_seconds',
  'nodejs_heap_size_total_bytes',
  'nodejs_heap_size_used_bytes',
  'nodejs_external_memory_bytes',
];

/** One finished call to a cloud API. */
export interface ApiCall {
  readonly target: string;
  readonly service: string;
  readonly operation: string;
  /** HTTP status, the cloud's error code or the transport's. Whatever does not look like one counts as `other`. */
  readonly code: string;
  readonly seconds: number;
}

/** What became of alerts that were offered to a receiver. */
export interface DeliveredAlerts {
  readonly receiver: string;
  readonly count: number;
  readonly outcome: 'accepted' | 'dead' | 'retry';
  readonly reason?: string;
}

/** What waits for a receiver; ms. */
export interface Waiting {
  readonly receiver: string;
  readonly pending: number;
  readonly oldestAt?: number;
}

export interface Metrics {
  /** Of the page that `write` writes. */
  readonly contentType: string;
  observeCall(call: ApiCall): void;
  delivered(alerts: DeliveredAlerts): void;
  /** Other tag keys become labels from now on. */
  relabel(tags: readonly string[]): void;
  /** Whether a reload of the configuration was accepted. */
  reload(ok: boolean): void;
  /**
   * Writes the page of exactly this snapshot to `out` and ends it, as fast as it is read. Resolves too when the reader goes
   * away or `signal` is aborted; `out` is destroyed then, so that half a page never passes for a whole one.
   */
  write(
    snapshot: Snapshot,
    out: Writable,
    options: { readonly gzip: boolean; readonly signal?: AbortSignal },
  ): Promise<void>;
}

/**
 * @param options.tagLabels tag keys of the configuration that become labels.
 * @param options.onError told of each object that could not be rendered.
 */
export function createMetrics(options: {
  readonly version: string;
  readonly revision?: string;
  readonly tagLabels: readonly string[];
  /** What waits for each receiver, at the moment of the scrape. */
  readonly waiting?: () => readonly Waiting[];
  readonly onError: (error: Error) => void;
}): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const { apiRequests, apiDuration, notifications, notificationFailures, outboxPending, outboxOldest, reload, build } =
    DAEMON_ROWS;
  const requests = new Counter({ ...metric(apiRequests), registers });
  const durations = new Histogram({
    ...metric(apiDuration),
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers,
  });
  const sent = new Counter({ ...metric(notifications), registers });
  const failures = new Counter({ ...metric(notificationFailures), registers });
  const pending = new Gauge({ ...metric(outboxPending), registers });
  const oldest = new Gauge({ ...metric(outboxOldest), registers });
  const reloaded = new Gauge({ ...metric(reload), registers });
  reloaded.set(1);
  const info = { version: options.version, ...(options.revision && { revision: options.revision }) };
  new Gauge({ ...metric(build), registers }).set(info, 1);
  registerProcessMetrics(registry);

  const writerFor = (keys: readonly string[]) =>
    createSnapshotWriter({ tags: tagLabels(keys), onError: options.onError });
  let writer = writerFor(options.tagLabels);

  /** A metric that cannot be collected must not take the keys with it. */
  async function ownMetrics(): Promise<string> {
    try {
      pending.reset();
      oldest.reset();
      for (const { receiver, pending: count, oldestAt } of options.waiting?.() ?? []) {
        pending.set({ receiver }, count);
        if (oldestAt !== undefined) oldest.set({ receiver }, oldestAt / 1000);
      }
      return await registry.metrics();
    } catch (error) {
      options.onError(new Error("cannot collect the daemon's own metrics", { cause: error }));
      return '';
    }
  }

  return {
    contentType: registry.contentType,
    observeCall({ target, service, operation, code, seconds }) {
      requests.inc({ target, service, operation, code: /^[\w.:-]{1,64}$/.test(code) ? code : 'other' });
      durations.observe({ service }, seconds);
    },
    delivered({ receiver, count, outcome, reason }) {
      if (outcome === 'accepted') sent.inc({ receiver }, count);
      else failures.inc({ receiver, reason: reason ?? 'refused' }, count);
    },
    relabel(keys) {
      writer = writerFor(keys);
    },
    reload: (ok) => reloaded.set(ok ? 1 : 0),
    write: (snapshot, out, { gzip, signal }) =>
      withOutput(out, { gzip, ...(signal && { signal }) }, async (output) => {
        await output.text(await ownMetrics());
        await writer.write(snapshot, output);
        await output.end();
      }),
  };
}

function metric<L extends string>(row: {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly L[];
}) {
  return { name: row.name, help: row.help, labelNames: row.labels };
}

function registerProcessMetrics(registry: Registry): void {
  const all = new Registry();
  collectDefaultMetrics({ register: all });
  for (const name of PROCESS_METRICS) {
    const found = all.getSingleMetric(name);
    // Some are Linux's only.
    if (found) registry.registerMetric(found);
  }
}
