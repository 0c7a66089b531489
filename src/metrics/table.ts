/**
 * The table of metrics: names, labels and meanings are a contract. The page, prom-client's own metrics, the docs and the
 * tests all follow from it.
 */
import { KEY_ROWS } from './key-rows.ts';
import { CONSUMER_ROWS, SNAPSHOT_ROWS, SOURCE_ROWS } from './object-rows.ts';
import type { DaemonRow, Row } from './row.ts';

/** The daemon's own metrics, by what they are for. */
export const DAEMON_ROWS = {
  apiRequests: {
    source: 'daemon',
    type: 'counter',
    name: 'keyvigil_api_requests_total',
    help: 'Calls to cloud APIs, retries of the SDK aside, by the code that they ended with.',
    labels: ['target', 'service', 'operation', 'code'],
    identity: false,
    example: 'sum by (service, code) (rate(keyvigil_api_requests_total[5m]))',
  },
  apiDuration: {
    source: 'daemon',
    type: 'histogram',
    name: 'keyvigil_api_request_duration_seconds',
    help: 'How long calls to cloud APIs took, retries of the SDK included.',
    labels: ['service'],
    identity: false,
    example: 'histogram_quantile(0.99, sum by (service, le) (rate(keyvigil_api_request_duration_seconds_bucket[5m])))',
  },
  notifications: {
    source: 'daemon',
    type: 'counter',
    name: 'keyvigil_notifications_total',
    help: 'Alerts that a receiver acknowledged.',
    labels: ['receiver'],
    identity: false,
    example: 'sum by (receiver) (increase(keyvigil_notifications_total[1h]))',
  },
  notificationFailures: {
    source: 'daemon',
    type: 'counter',
    name: 'keyvigil_notification_failures_total',
    help: 'Alerts that a receiver did not take, by attempt; what was not refused for good is tried again.',
    labels: ['receiver', 'reason'],
    identity: false,
    example: 'sum by (receiver, reason) (increase(keyvigil_notification_failures_total[15m]))',
  },
  outboxPending: {
    source: 'daemon',
    type: 'gauge',
    name: 'keyvigil_outbox_pending',
    help: 'Alerts that wait for a receiver.',
    labels: ['receiver'],
    identity: false,
    example: 'keyvigil_outbox_pending > 0',
  },
  outboxOldest: {
    source: 'daemon',
    type: 'gauge',
    name: 'keyvigil_outbox_oldest_timestamp_seconds',
    help: 'Since when the oldest alert waits for a receiver; absent while nothing waits.',
    labels: ['receiver'],
    identity: false,
    example: 'time() - keyvigil_outbox_oldest_timestamp_seconds > 300',
  },
  reload: {
    source: 'daemon',
    type: 'gauge',
    name: 'keyvigil_config_last_reload_successful',
    help: 'Whether the last reload of the configuration, web.configFile included, was accepted: 1 or 0.',
    labels: [],
    identity: false,
    example: 'keyvigil_config_last_reload_successful == 0',
  },
  build: {
    source: 'daemon',
    type: 'gauge',
    name: 'keyvigil_build_info',
    help: 'Which keyvigil this is: 1.',
    labels: ['version', 'revision'],
    identity: false,
  },
} as const satisfies Readonly<Record<string, DaemonRow>>;

/** Every metric of keyvigil, in the order of the page. */
export const TABLE: readonly Row[] = [
  ...Object.values(DAEMON_ROWS),
  ...SNAPSHOT_ROWS,
  ...SOURCE_ROWS,
  ...CONSUMER_ROWS,
  ...KEY_ROWS,
];
