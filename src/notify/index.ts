/** The registry of receivers: one line each. */
import type { Config, ReceiverConfig } from '../config/config.ts';
import { createAlertmanager } from './alertmanager.ts';
import { createPagerDuty } from './pagerduty.ts';
import type { Receiver, ReceiverOptions } from './receiver.ts';
import { createSlack } from './slack.ts';
import { createWebhook } from './webhook.ts';

/** Of one request to a receiver, ms. */
const TIMEOUT_MS = 10_000;

type Create = (config: ReceiverConfig, options: ReceiverOptions) => Receiver;

const RECEIVERS: Readonly<Record<ReceiverConfig['type'], Create>> = {
  alertmanager: createAlertmanager,
  pagerduty: createPagerDuty,
  slack: createSlack,
  webhook: createWebhook,
};

/**
 * Makes a receiver; nothing is asked yet.
 * @throws Error when a proxy that is to be used has an address that is none
 */
export function createReceiver(config: ReceiverConfig, options: ReceiverOptions): Receiver {
  return RECEIVERS[config.type](config, options);
}

/** What the receivers of a configuration are made with. */
export function receiverOptions(
  { policy, outbound, listen, web }: Config,
  rest: Pick<ReceiverOptions, 'env' | 'version' | 'trust'>,
): ReceiverOptions {
  const host = listen.host.includes(':') ? `[${listen.host}]` : listen.host;
  return {
    ...rest,
    env: outbound.proxy === 'env' ? rest.env : {},
    timeoutMs: TIMEOUT_MS,
    holdMs: policy.alertHold,
    statusUrl: web.externalUrl ?? `http://${host}:${listen.port}`,
  };
}
