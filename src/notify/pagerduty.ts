/** PagerDuty, Events API v2 (developer-docs, docs/events-API-v2: 01 Overview, 02 Trigger Events). */
import { createHash } from 'node:crypto';
import type { ReceiverConfig } from '../config/config.ts';
import { type Answer, byStatus, byStatusAndShape, createPoster, misconfigured } from './http.ts';
import { readSecret, reminding, secretOf } from './options.ts';
import type { Notification, Receiver, ReceiverOptions } from './receiver.ts';
import { clipped, factsOf, inLine, linksOf, shown, summaryOf, withoutReplaced } from './text.ts';

const URL_DEFAULT = 'https://events.pagerduty.com/v2/enqueue';
const MAX_SUMMARY = 1_024;
const MAX_DEDUP_KEY = 255;
/** UTF-16 units of one detail: with all of them, an event stays far below the 512 KB that it may have. */
const MAX_DETAIL = 8_000;

/**
 * One event a request, in the order of the batch. A change of labels is told by triggering again: a resolve in between would
 * end the incident that somebody works on. A new key version is not sent at all: it is nobody's incident.
 * `url` leads elsewhere: the service region of the EU has an address of its own (docs/events-API-v2, "Service Regions").
 * @throws Error when a proxy that is to be used has an address that is none
 */
export function createPagerDuty(config: ReceiverConfig, options: ReceiverOptions): Receiver {
  const poster = createPoster(options);
  const routingKey = secretOf(config, 'routingKey');
  const url = typeof config.options.url === 'string' ? config.options.url : URL_DEFAULT;
  return {
    traits: { name: config.name, ...reminding(config), ignores: ['KeyvigilNewKeyVersion'] },
    type: 'pagerduty',
    maxBatch: 1,
    async send(batch, signal) {
      signal.throwIfAborted();
      const key = await readSecret(routingKey);
      if (key.value === undefined) return misconfigured(key.problem);
      for (const one of withoutReplaced(batch)) {
        const body = JSON.stringify(event(one, key.value, options));
        const delivery = await poster.post({ url, body, judge }, signal);
        if (delivery.outcome !== 'accepted') return delivery;
      }
      return { outcome: 'accepted' };
    },
    [Symbol.asyncDispose]: () => poster[Symbol.asyncDispose](),
  };
}

/** A 400 over the routing key is about us, not about the event. */
function judge(answer: Answer) {
  const failure = byStatusAndShape(answer);
  return failure === 'refused' && byStatus(answer) === 'refused' && /routing[_ ]key/i.test(answer.text)
    ? 'unauthorized'
    : failure;
}

function event(notification: Notification, routingKey: string, { statusUrl }: ReceiverOptions) {
  const { alert, status } = notification;
  const { labels, annotations } = alert;
  const name = { routing_key: routingKey, dedup_key: dedupKey(alert.fingerprint) };
  if (status === 'resolved') return { ...name, event_action: 'resolve' };
  const undo = annotations.undo === undefined ? undefined : shown(annotations.undo);
  const details: Record<string, string> = {
    ...Object.fromEntries(
      Object.entries(labels).map(([label, value]) => [inLine(label), clipped(inLine(value), 2_048)]),
    ),
    ...(annotations.description && { Description: clipped(shown(annotations.description), MAX_DETAIL) }),
    ...Object.fromEntries(factsOf(notification).map(([word, text]) => [word, clipped(text, MAX_DETAIL)])),
    // Whole or not at all: half a command does something else.
    ...(undo && undo.length <= MAX_DETAIL && { Undo: undo }),
  };
  return {
    ...name,
    event_action: 'trigger',
    client: 'keyvigil',
    client_url: statusUrl,
    links: linksOf(notification, statusUrl),
    payload: {
      summary: clipped(summaryOf(notification), MAX_SUMMARY),
      severity: labels.severity,
      source: clipped(inLine(labels.resource ?? labels.target ?? 'keyvigil'), MAX_SUMMARY),
      timestamp: new Date(alert.startsAt).toISOString(),
      class: labels.alertname,
      ...(labels.name && { component: clipped(inLine(labels.name), MAX_SUMMARY) }),
      ...((labels.account ?? labels.service) && {
        group: clipped(inLine(labels.account ?? labels.service ?? ''), MAX_SUMMARY),
      }),
      custom_details: details,
    },
  };
}

function dedupKey(fingerprint: string): string {
  const fits = fingerprint.length <= MAX_DEDUP_KEY && /^[ -~]+$/.test(fingerprint);
  return fits ? fingerprint : `keyvigil-${createHash('sha256').update(fingerprint, 'utf16le').digest('hex')}`;
}
