/** `test-notify`: one marked alert to one receiver, by the way that every alert takes, and its end. */
import { extraTrust } from '../app-trust.ts';
import type { Config } from '../config/config.ts';
import type { Alert, AlertSeverity, DeliveryFailure } from '../core/alert.ts';
import { visible } from '../core/text.ts';
import { createReceiver, receiverOptions } from '../notify/index.ts';
import type { Delivery, Notification, Receiver } from '../notify/receiver.ts';
import type { Io } from './io.ts';

/** An Alertmanager that groups needs a while until it tells anybody (30 s unless it is told otherwise). */
const LASTS_MS = 300_000;

const HINTS: Readonly<Record<DeliveryFailure, string>> = {
  timeout: 'no whole answer in time: is something in between that swallows packets?',
  network: 'no connection, or none that can be trusted: check address, certificate (outbound.caFile) and proxy',
  dns: 'the name of its host has no address: check the spelling, and the DNS of this machine',
  throttled: 'it asks for patience: try again later',
  server_error: 'it is in trouble itself, or what stands in front of it is',
  refused: 'it does not want this alert; most likely the address is not that of the API',
  unauthorized: 'it does not know us: check the token, key, user or address in its secret',
  redirected: 'it redirects, and no receiver follows that: configure the address that it leads to',
  bad_response: 'what answered does not speak like it: a login page, or another service',
};

/** What became of one of the two. */
interface Step {
  readonly status: Notification['status'];
  readonly delivery: Delivery;
  /** Between asking and the last byte of the answer. */
  readonly ms: number;
}

/**
 * Sends a marked test alert to one receiver, and then its end; to one that forgets what it is not told again, an alert that
 * ends by itself after five minutes. It is no alert of a key: `KeyvigilTest`, with the label `test="true"`, about nothing.
 * @param options.severity `warning` unless given: `critical` tries the way that wakes people
 * @param options.stop gives up
 * @returns 0 delivered, 1 not delivered, 2 the configuration has no such receiver
 */
export async function testNotifyCommand(
  options: {
    readonly config: Config;
    readonly receiver: string;
    readonly severity?: AlertSeverity;
    readonly output: 'text' | 'json';
    readonly version: string;
    readonly stop: AbortSignal;
  },
  io: Io,
): Promise<number> {
  const { config, output, version, stop } = options;
  const found = config.receivers.find(({ name }) => name === options.receiver);
  if (!found) {
    const names = config.receivers.map(({ name }) => name).join(', ');
    const has = names === '' ? 'the configuration has no receivers' : `there are: ${names}`;
    io.err(`keyvigil: no receiver is called "${visible(options.receiver)}"; ${has}\n`);
    return 2;
  }
  const trust = await extraTrust(config);
  await using receiver = createReceiver(
    found,
    receiverOptions(config, { env: io.env, version, ...(trust && { trust }) }),
  );
  const forgets = receiver.traits.resendMs !== undefined;
  const alert = testAlert(options.severity ?? 'warning', Date.now(), forgets);

  const steps: Step[] = [];
  for (const status of forgets ? (['firing'] as const) : (['firing', 'resolved'] as const)) {
    const step = await take(receiver, alert, status, stop);
    steps.push(step);
    if (output === 'text') say(step, found, io);
    if (step.delivery.outcome !== 'accepted') break;
  }
  const delivered = steps.every(({ delivery }) => delivery.outcome === 'accepted');
  if (output === 'json') {
    const flat = steps.map(({ status, delivery, ms }) => ({ status, ...delivery, ms: Math.round(ms) }));
    io.out(`${JSON.stringify({ receiver: found.name, type: found.type, delivered, steps: flat }, null, 2)}\n`);
  } else if (delivered && forgets) {
    io.out('It tells people when its own grouping lets it, and the alert ends by itself in 5 minutes.\n');
  }
  return delivered ? 0 : 1;
}

async function take(
  receiver: Receiver,
  alert: Alert,
  status: Notification['status'],
  stop: AbortSignal,
): Promise<Step> {
  const started = performance.now();
  const endsAt = status === 'firing' ? (alert.endsAt ?? alert.startsAt + LASTS_MS) : Date.now();
  const reason = status === 'firing' ? 'first' : 'resolved';
  const delivery = await receiver.send([{ alert, status, reason, queuedAt: alert.startsAt, endsAt }], stop);
  return { status, delivery, ms: performance.now() - started };
}

function say({ status, delivery, ms }: Step, { name, type }: Config['receivers'][number], io: Io): void {
  const who = `${type} "${name}"`;
  const time = `after ${Math.round(ms)} ms`;
  if (delivery.outcome === 'accepted') {
    io.out(`${who} accepted the ${status === 'firing' ? 'test alert' : 'end of it'} ${time}\n`);
    return;
  }
  const { reason, detail } = delivery;
  io.err(`${who} did not take it ${time}: ${reason}${detail === undefined ? '' : ` (${detail})`}\n${HINTS[reason]}\n`);
}

function testAlert(severity: AlertSeverity, now: number, endsByItself: boolean): Alert {
  const resource = 'keyvigil:test';
  return {
    fingerprint: `KeyvigilTest ${resource} ${now}`,
    labels: {
      // Of no rule, so that no route, silence or inhibition of a real alert takes it for one.
      alertname: 'KeyvigilTest' as Alert['labels']['alertname'],
      severity,
      origin: 'push',
      resource,
      name: 'test',
      test: 'true',
    },
    annotations: {
      summary: 'TEST: keyvigil can reach you here',
      description: 'Somebody ran keyvigil test-notify. No key is affected, and there is nothing to do.',
      since: new Date(now).toISOString(),
    },
    startsAt: now,
    ...(endsByItself && { endsAt: now + LASTS_MS }),
  };
}
