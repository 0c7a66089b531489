import type { Dashboard, Panel, Threshold } from './panels.ts';

const WHERE = 'target=~"$target"';
const SOURCE = '{{target}} {{location}} {{service}}';
const BY = 'target, location, service';
const DOWN_AT_0: readonly Threshold[] = [
  ['red', null],
  ['green', 1],
];
const BAD_ABOVE_0: readonly Threshold[] = [
  ['green', null],
  ['red', 1],
];

function graph(title: string, description: string, expr: string, legend: string, more: Partial<Panel> = {}): Panel {
  return { type: 'timeseries', title, description, queries: [{ expr, legend }], width: 8, height: 8, ...more };
}

function stat(title: string, description: string, expr: string, more: Partial<Panel> = {}): Panel {
  return { type: 'stat', title, description, queries: [{ expr }], width: 4, height: 4, ...more };
}

const SWEEPS: readonly Panel[] = [
  {
    type: 'state-timeline',
    title: 'Sources',
    description:
      'Whether the last sweep succeeded. What a source that is down told before still stands, and gets older.',
    queries: [{ expr: `max by (${BY}) (keyvigil_source_up{${WHERE}})`, legend: SOURCE }],
    width: 24,
    height: 7,
    mappings: { 0: ['down', 'red'], 1: ['up', 'green'] },
  },
  graph(
    'Age of the last success',
    'How old everything is that a source tells.',
    `max by (${BY}) (time() - keyvigil_source_last_success_timestamp_seconds{${WHERE}})`,
    SOURCE,
    { unit: 's' },
  ),
  graph(
    'Worst detection time',
    'The longest that a change can take until it shows.',
    `max by (${BY}) (keyvigil_source_detection_bound_seconds{${WHERE}})`,
    SOURCE,
    { unit: 's' },
  ),
  graph(
    'Sweep duration',
    'Of the last sweep.',
    `max by (${BY}) (keyvigil_source_sweep_duration_seconds{${WHERE}})`,
    SOURCE,
    { unit: 's' },
  ),
  graph(
    'Objects',
    'In the last complete listing. A sudden drop is an alert of its own.',
    `max by (${BY}) (keyvigil_source_objects{${WHERE}})`,
    SOURCE,
  ),
  graph(
    'Failed sweeps',
    'By reason.',
    `sum by (target, service, reason) (increase(keyvigil_source_failures_total{${WHERE}}[$__rate_interval]))`,
    '{{target}} {{service}} {{reason}}',
  ),
  graph(
    'Blind keys',
    'By what hinders: nothing conclusive is coming in about so many keys.',
    'count by (reason) (keyvigil_key_blind)',
    '{{reason}}',
    { stacked: true },
  ),
];

const CALLS: readonly Panel[] = [
  graph(
    'API budget used',
    'Share of its budget that the last sweep of a source used.',
    `max by (${BY}) (keyvigil_source_api_budget_used_ratio{${WHERE}})`,
    SOURCE,
    {
      unit: 'percentunit',
    },
  ),
  graph(
    'API calls',
    'Per second, by service and the code that they ended with.',
    `sum by (service, code) (rate(keyvigil_api_requests_total{${WHERE}}[$__rate_interval]))`,
    '{{service}} {{code}}',
    {
      unit: 'reqps',
      stacked: true,
    },
  ),
  graph(
    'API calls, 99th percentile',
    'How long they took, retries of the SDK included.',
    'histogram_quantile(0.99, sum by (service, le) (rate(keyvigil_api_request_duration_seconds_bucket[$__rate_interval])))',
    '{{service}}',
    {
      unit: 's',
    },
  ),
];

const NOTIFICATIONS: readonly Panel[] = [
  stat(
    'Waiting to be sent',
    'Notifications in the outbox: committed, not acknowledged yet.',
    'sum(keyvigil_outbox_pending)',
    {
      thresholds: [
        ['green', null],
        ['yellow', 10],
      ],
    },
  ),
  stat(
    'Waiting for',
    'Age of the oldest of them; no data while there is none.',
    'time() - min(keyvigil_outbox_oldest_timestamp_seconds)',
    {
      unit: 's',
      thresholds: [
        ['green', null],
        ['yellow', 60],
        ['red', 300],
      ],
    },
  ),
  graph(
    'Notifications',
    'Acknowledged, by receiver.',
    'sum by (receiver) (increase(keyvigil_notifications_total[$__rate_interval]))',
    '{{receiver}}',
  ),
  graph(
    'Failed deliveries',
    'By receiver and reason. Each is tried again.',
    'sum by (receiver, reason) (increase(keyvigil_notification_failures_total[$__rate_interval]))',
    '{{receiver}} {{reason}}',
  ),
];

const MONITOR: readonly Panel[] = [
  stat('State file', 'Whether it can be written.', 'min(keyvigil_store_up)', {
    thresholds: DOWN_AT_0,
    mappings: { 0: ['not written', 'red'], 1: ['written', 'green'] },
  }),
  stat('Configuration', 'Whether the last reload was accepted.', 'min(keyvigil_config_last_reload_successful)', {
    thresholds: DOWN_AT_0,
    mappings: { 0: ['refused', 'red'], 1: ['accepted', 'green'] },
  }),
  stat('Sources down', 'Of those that are chosen.', `sum(keyvigil_source_up{${WHERE}} == bool 0)`, {
    thresholds: BAD_ABOVE_0,
  }),
  stat('Running for', 'Since the process started.', 'time() - min(process_start_time_seconds{job="keyvigil"})', {
    unit: 's',
  }),
  {
    type: 'table',
    title: 'Version',
    description: 'Which keyvigil this is.',
    queries: [{ expr: 'max by (instance, version, revision) (keyvigil_build_info)' }],
    width: 8,
    height: 4,
    columns: { instance: { name: 'Instance' }, version: { name: 'Version' }, revision: { name: 'Revision' } },
  },
  graph('Memory', 'Resident.', 'max by (instance) (process_resident_memory_bytes{job="keyvigil"})', '{{instance}}', {
    unit: 'bytes',
  }),
  graph(
    'Processor',
    'Seconds a second.',
    'sum by (instance) (rate(process_cpu_seconds_total{job="keyvigil"}[$__rate_interval]))',
    '{{instance}}',
    { unit: 'percentunit' },
  ),
  graph(
    'Event loop lag, 99th percentile',
    'What keyvigil keeps itself from doing anything else.',
    'max by (instance) (nodejs_eventloop_lag_p99_seconds{job="keyvigil"})',
    '{{instance}}',
    { unit: 's' },
  ),
];

export const SOURCES: Dashboard = {
  uid: 'keyvigil-sources',
  title: 'keyvigil: sources and monitor',
  description: 'Whether keyvigil sees, what it costs, whether it is heard.',
  variables: [{ name: 'target', label: 'Target', query: 'label_values(keyvigil_source_up, target)', all: true }],
  rows: [
    { title: 'Does it see?', panels: SWEEPS },
    { title: 'What does that cost?', panels: CALLS },
    { title: 'Is it heard?', panels: NOTIFICATIONS },
    { title: 'Is it well itself?', panels: MONITOR },
  ],
};
