import { CONSUMER_HEALTHS } from '../core/model.ts';
import { keyUses, resourceOf } from '../core/readers.ts';
import { UNKNOWN_REASONS } from '../core/reasons.ts';
import type { ConsumerView } from '../core/snapshot.ts';
import { countByPlace } from './counts.ts';
import { findings } from './key-rows.ts';
import { type ConsumerRow, mark, NONE, type Sample, type SnapshotRow, type SourceRow, seconds, sole } from './row.ts';

function consumer(row: Omit<ConsumerRow, 'source' | 'type' | 'identity'> & { readonly identity?: true }): ConsumerRow {
  return { source: 'consumer', type: 'gauge', identity: false, ...row };
}

function source(
  row: Omit<SourceRow, 'source' | 'type' | 'identity' | 'labels'> & Partial<Pick<SourceRow, 'type' | 'labels'>>,
): SourceRow {
  return { source: 'source', type: 'gauge', labels: [], identity: false, ...row };
}

/** One family per row; `ConsumerView` in, series out. */
export const CONSUMER_ROWS: readonly ConsumerRow[] = [
  consumer({
    name: 'keyvigil_consumer_ok',
    help: 'Whether a consumer works as far as its keys go: 1 (ok or at risk), or 0 (impaired); absent while unknown.',
    labels: [],
    identity: true,
    series: ({ health }) => (health === 'unknown' ? NONE : sole(health === 'impaired' ? 0 : 1)),
    example: 'keyvigil_consumer_ok == 0',
  }),
  consumer({
    name: 'keyvigil_consumer_reason',
    help: 'Why a consumer is not ok: 1.',
    labels: ['reason'],
    series: ({ health, reason }) => (health !== 'ok' && reason ? mark(reason) : NONE),
  }),
  consumer({
    name: 'keyvigil_consumer_finding',
    help: 'A rule that a consumer breaks: 1 while the finding is open.',
    labels: ['finding', 'severity'],
    identity: true,
    series: (view) => findings(view.findings),
  }),
  consumer({
    name: 'keyvigil_consumer_key',
    help: 'A key that a consumer uses: 1; what it keeps its data in is no key.',
    labels: ['key', 'role'],
    series: (view) => keyUses(view).map((use) => ({ labels: [resourceOf(use), use.role], value: 1 })),
    example:
      'keyvigil_consumer_key * on (key) group_left () label_replace(keyvigil_key_accessible, "key", "$1", "resource", "(.*)")',
  }),
  consumer({
    name: 'keyvigil_consumer_outdated_since_timestamp_seconds',
    help: 'Since when there is a newer version of a key than the one that a consumer uses.',
    labels: ['key'],
    series: outdated,
    example: 'time() - keyvigil_consumer_outdated_since_timestamp_seconds > 86400',
  }),
];

/** The oldest of the uses of each key, because two of them may mean one key. */
function outdated(view: ConsumerView): readonly Sample[] {
  const oldest = new Map<string, number>();
  for (const use of keyUses(view)) {
    const since = seconds(use.outdatedSince);
    if (since === undefined) continue;
    const key = resourceOf(use);
    oldest.set(key, Math.min(oldest.get(key) ?? since, since));
  }
  return [...oldest].map(([key, value]) => ({ labels: [key], value }));
}

/** One family per row; `SourceRecord` in, series out. The base labels are `target, location, service`. */
export const SOURCE_ROWS: readonly SourceRow[] = [
  source({
    name: 'keyvigil_source_up',
    help: 'Whether the last sweep of a source succeeded: 1 or 0; 1 too where the cloud has retired it; absent until the first attempt ended.',
    series: ({ up }) => (up === undefined ? NONE : sole(up ? 1 : 0)),
    example: 'keyvigil_source_up == 0',
  }),
  source({
    name: 'keyvigil_source_last_success_timestamp_seconds',
    help: 'When a source was last swept with success: how old everything is that it tells.',
    series: ({ lastSuccessAt }) => sole(seconds(lastSuccessAt)),
    example: 'time() - keyvigil_source_last_success_timestamp_seconds > 3 * keyvigil_source_detection_bound_seconds',
  }),
  source({
    name: 'keyvigil_source_objects',
    help: 'Objects in the last complete listing of a source.',
    series: ({ objects }) => sole(objects),
  }),
  source({
    name: 'keyvigil_source_detection_bound_seconds',
    help: 'The longest that a change can take until a source shows it.',
    series: ({ detectionBoundMs: ms }) => sole(ms === undefined ? undefined : ms / 1000),
  }),
  source({
    name: 'keyvigil_source_sweep_duration_seconds',
    help: 'How long the last sweep of a source took.',
    series: ({ sweepDurationMs: ms }) => sole(ms === undefined ? undefined : ms / 1000),
  }),
  source({
    name: 'keyvigil_source_failures_total',
    type: 'counter',
    help: 'Sweeps of a source that failed, by reason; kept over restarts.',
    labels: ['reason'],
    series: ({ failures }) => UNKNOWN_REASONS.map((reason) => ({ labels: [reason], value: failures[reason] ?? 0 })),
    example: 'sum by (target, reason) (increase(keyvigil_source_failures_total[1h])) > 0',
  }),
  source({
    name: 'keyvigil_source_transitions_total',
    type: 'counter',
    help: 'Confirmed changes of what is believed of the keys of a source, by what they changed to; kept over restarts.',
    labels: ['to'],
    series: ({ transitions }) =>
      (['accessible', 'inaccessible', 'unknown'] as const).map((to) => ({ labels: [to], value: transitions[to] ?? 0 })),
    example: 'increase(keyvigil_source_transitions_total{to="inaccessible"}[10m])',
  }),
  source({
    name: 'keyvigil_source_api_budget_used_ratio',
    help: 'Share of its API budget that the last sweep of a source used, 0 to 1.',
    series: ({ budgetUsedRatio }) => sole(budgetUsedRatio),
    example: 'keyvigil_source_api_budget_used_ratio > 0.9',
  }),
];

/** One family per row; the whole snapshot in, series out. */
export const SNAPSHOT_ROWS: readonly SnapshotRow[] = [
  {
    source: 'snapshot',
    type: 'gauge',
    name: 'keyvigil_keys',
    help: 'Keys by health; a health that no key has is 0.',
    labels: ['provider', 'account', 'location', 'kind', 'health'],
    identity: false,
    series: (_, keyCounts) => keyCounts,
    example: 'sum by (health) (keyvigil_keys)',
  },
  {
    source: 'snapshot',
    type: 'gauge',
    name: 'keyvigil_consumers',
    help: 'Consumers by health; a health that no consumer has is 0.',
    labels: ['provider', 'account', 'location', 'kind', 'health'],
    identity: false,
    series: ({ consumers }) => countByPlace(consumers, CONSUMER_HEALTHS),
  },
  {
    source: 'snapshot',
    type: 'gauge',
    name: 'keyvigil_store_up',
    help: 'Whether the state file can be written: 1 or 0.',
    labels: [],
    identity: false,
    series: ({ storeUp }) => sole(storeUp ? 1 : 0),
    example: 'keyvigil_store_up == 0',
  },
];
