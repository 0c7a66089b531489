/**
 * A webhook of one's own: Alertmanager's payload (version 4: docs/configuration.md, `webhook_config`), signed as Standard
 * Webhooks 1.0 says (standard-webhooks.md, "Webhook headers" and "Signature scheme").
 */
import { createHash, createHmac } from 'node:crypto';
import type { ReceiverConfig } from '../config/config.ts';
import { createPoster, misconfigured } from './http.ts';
import { optionalSecretOf, readSecret, reminding, secretOf } from './options.ts';
import type { Notification, Receiver, ReceiverOptions } from './receiver.ts';
import { webUrl, wellFormed } from './text.ts';

/** Go's zero time, which Alertmanager writes for what has not ended. */
const NEVER = '0001-01-01T00:00:00Z';
const BASE64_SECRET = /^whsec_([A-Za-z0-9+/]+={0,2})$/;

/**
 * One alert a request, which is a group of its own (as `group_by` over every label but the severity): a group is the unit
 * that Alertmanager's readers keep a status of. A request that is repeated because its acknowledgement was lost has the same
 * body and the same `webhook-id`.
 * @throws Error when a proxy that is to be used has an address that is none
 */
export function createWebhook(config: ReceiverConfig, options: ReceiverOptions): Receiver {
  const poster = createPoster(options);
  const address = secretOf(config, 'url');
  const secret = optionalSecretOf(config, 'secret');
  return {
    traits: { name: config.name, ...reminding(config) },
    type: 'webhook',
    maxBatch: 1,
    async send(batch, signal) {
      signal.throwIfAborted();
      const url = await readSecret(address);
      if (url.value === undefined) return misconfigured(url.problem);
      const body = JSON.stringify(payload(batch, config.name, options.statusUrl));
      const [telling] = batch;
      const named = `${telling?.reason}\n${telling?.queuedAt}\n${body}`;
      const id = `msg_${createHash('sha256').update(named).digest('hex').slice(0, 32)}`;
      const timestamp = String(Math.floor(Date.now() / 1_000));
      const headers: Record<string, string> = { 'webhook-id': id, 'webhook-timestamp': timestamp };
      if (secret) {
        const read = await readSecret(secret);
        if (read.value === undefined) return misconfigured(read.problem);
        const key = keyOf(read.value);
        if (!key) return misconfigured('what follows whsec_ in the secret is no base64');
        const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
        headers['webhook-signature'] = `v1,${signature}`;
      }
      return poster.post({ url: url.value, body, headers }, signal);
    },
    [Symbol.asyncDispose]: () => poster[Symbol.asyncDispose](),
  };
}

/** `whsec_` and base64, as the specification writes secrets; anything else is taken byte by byte. */
function keyOf(secret: string): Buffer | undefined {
  if (!secret.startsWith('whsec_')) return Buffer.from(secret, 'utf8');
  const encoded = BASE64_SECRET.exec(secret)?.[1];
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64');
}

function payload(batch: readonly Notification[], receiver: string, statusUrl: string) {
  const commonLabels = common(batch.map(({ alert }) => alert.labels));
  // The severity may rise while it fires; everything else makes it the alert that it is.
  const { severity: _, ...groupLabels } = commonLabels;
  const group = Object.keys(groupLabels)
    .sort()
    .map((name) => `${name}=${JSON.stringify(groupLabels[name])}`);
  return {
    version: '4',
    groupKey: `{}:{${group.join(', ')}}`,
    truncatedAlerts: 0,
    status: batch.some(({ status }) => status === 'firing') ? 'firing' : 'resolved',
    receiver,
    groupLabels,
    commonLabels,
    commonAnnotations: common(batch.map(({ alert }) => alert.annotations)),
    externalURL: statusUrl,
    alerts: batch.map(({ alert, status, endsAt }) => ({
      status,
      labels: wellFormed(alert.labels),
      annotations: wellFormed(alert.annotations),
      startsAt: new Date(alert.startsAt).toISOString(),
      endsAt: status === 'firing' ? NEVER : new Date(endsAt).toISOString(),
      generatorURL: webUrl(alert.annotations.status_url) ?? statusUrl,
      fingerprint: alert.fingerprint.toWellFormed(),
    })),
  };
}

/** What all of them have. */
function common(all: ReadonlyArray<Readonly<Record<string, string>>>): Record<string, string> {
  const [first = {}, ...rest] = all.map(wellFormed);
  return Object.fromEntries(Object.entries(first).filter(([name, text]) => rest.every((one) => one[name] === text)));
}
