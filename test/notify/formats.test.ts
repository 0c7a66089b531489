import { createHash, createHmac } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ReceiverConfig, SecretSource } from '../../src/config/config.ts';
import { fileSecret, inlineSecret } from '../../src/config/secret.ts';
import { createReceiver } from '../../src/notify/index.ts';
import type { Notification } from '../../src/notify/receiver.ts';
import { alertOf, firing, KEY, options, resolved, T0 } from './notifications.ts';
import { type Behaviour, type SinkRequest, says, startSink } from './sink.ts';

type Json = { readonly [key: string]: Json } & readonly Json[] & string;

const never = new AbortController().signal;

/** What a receiver makes of some batches, and what it asked its service. */
async function exchanged(
  type: ReceiverConfig['type'],
  optionsFor: (url: string) => ReceiverConfig['options'],
  answer: Behaviour,
  ...batches: (readonly Notification[])[]
) {
  await using sink = await startSink(answer);
  await using receiver = createReceiver({ name: 'one', type, options: optionsFor(sink.url) }, options());
  const deliveries = [];
  for (const batch of batches) deliveries.push(await receiver.send(batch, never));
  const requests: readonly (SinkRequest & { readonly json: Json })[] = sink.requests.map((one) => ({
    ...one,
    json: JSON.parse(one.body) as Json,
  }));
  return { receiver, deliveries, requests };
}

describe('PagerDuty', () => {
  const KEY_32 = '0123456789abcdef0123456789abcdef';
  const tell = (answer: Behaviour, ...batches: (readonly Notification[])[]) =>
    exchanged(
      'pagerduty',
      (url) => ({ url: `${url}/v2/enqueue`, routingKey: inlineSecret(KEY_32) }),
      answer,
      ...batches,
    );

  it('opens an incident that says what is wrong, what that breaks and what undoes it', async () => {
    const { requests } = await tell(says(202), [firing()]);
    expect(requests.map(({ path, json }) => [path, json])).toEqual([
      [
        '/v2/enqueue',
        {
          routing_key: KEY_32,
          dedup_key: `KeyvigilKeyInaccessible ${KEY}`,
          event_action: 'trigger',
          client: 'keyvigil',
          client_url: 'https://keyvigil.example.com',
          links: [
            { href: 'https://docs.example.com/runbooks/KeyvigilKeyInaccessible', text: 'Runbook' },
            { href: 'https://keyvigil.example.com/keys/7f2c', text: 'Status page' },
          ],
          payload: {
            summary: 'KMS key live-drm is disabled',
            severity: 'critical',
            source: KEY,
            timestamp: '2026-11-20T10:15:03.000Z',
            class: 'KeyvigilKeyInaccessible',
            component: 'live-drm',
            group: '111122223333',
            custom_details: {
              ...alertOf().labels,
              Description: 'Nothing that it encrypted can be read.',
              Reason: 'disabled',
              Since: '2026-11-20 10:15:03 UTC',
              Breaks: '2 flows: live-1, live-2',
              'Recoverable until': '2026-11-27 10:15:03 UTC',
              Undo: `aws kms enable-key --region eu-west-1 --key-id ${KEY}`,
            },
          },
        },
      ],
    ]);
  });

  it('resolves that very incident', async () => {
    const { requests } = await tell(says(202), [resolved()]);
    expect(requests[0]?.json).toEqual({
      routing_key: KEY_32,
      dedup_key: `KeyvigilKeyInaccessible ${KEY}`,
      event_action: 'resolve',
    });
  });

  it('does not end an incident because its severity rises', async () => {
    const { requests, deliveries } = await tell(
      says(202),
      [resolved({ reason: 'changed' })],
      [firing({ reason: 'changed' })],
    );
    expect(deliveries).toEqual([{ outcome: 'accepted' }, { outcome: 'accepted' }]);
    expect(requests.map(({ json }) => json.event_action)).toEqual(['trigger']);
  });

  it('is not told of new key versions, which are nobody’s incident', async () => {
    const { receiver } = await tell(says(202));
    expect(receiver).toMatchObject({ traits: { name: 'one', ignores: ['KeyvigilNewKeyVersion'] }, maxBatch: 1 });
  });

  it('stays within its limits whatever an alert says, and cuts no command', async () => {
    const long = 'é😀'.repeat(20_000);
    const annotations = { summary: long, description: long, affected: long, undo: long };
    const alert = { ...alertOf({ annotations, labels: { name: long, resource: long } }), fingerprint: long };
    const { requests } = await tell(says(202), [firing({ alert })], [resolved({ alert })]);
    const [{ json, body } = { json: {} as Json, body: '' }, end] = requests;
    expect(json.payload?.summary?.length).toBe(1_024);
    expect(json.dedup_key).toMatch(/^keyvigil-[0-9a-f]{64}$/);
    expect(end?.json.dedup_key).toBe(json.dedup_key);
    expect(json.payload?.custom_details).not.toHaveProperty('Undo');
    expect(Buffer.byteLength(body)).toBeLessThan(512_000);
    expect(body.isWellFormed()).toBe(true);
  });

  it('tells a bad routing key from a bad event', async () => {
    const bad = `{"status":"invalid event","errors":["Length of 'routing_key' is incorrect (should be 32 characters)"]}`;
    const { deliveries } = await tell(says(400, bad), [firing()]);
    expect(deliveries).toEqual([{ outcome: 'refused', reason: 'unauthorized', detail: 'HTTP 400' }]);
  });
});

describe('Slack', () => {
  const tell = (answer: Behaviour, ...batches: (readonly Notification[])[]) =>
    exchanged('slack', (url) => ({ url: inlineSecret(`${url}/services/T/B/x`) }), answer, ...batches);
  const textsOf = (json: Json | undefined) =>
    (json?.blocks ?? []).map((block) => block.text?.text ?? block.elements?.[0]?.text);

  it('is told in the order in which somebody on a phone needs it', async () => {
    const { requests } = await tell(says(200, 'ok'), [firing()]);
    expect(requests[0]?.json.text).toBe('🔴 Critical: KMS key live-drm is disabled');
    expect(textsOf(requests[0]?.json)).toEqual([
      [
        '🔴 *Critical: KMS key live-drm is disabled*',
        'Nothing that it encrypted can be read.',
        '*Reason:* disabled',
        '*Since:* 2026-11-20 10:15:03 UTC',
        '*Breaks:* 2 flows: live-1, live-2',
        '*Recoverable until:* 2026-11-27 10:15:03 UTC',
        `*Undo:* \`\`\`aws kms enable-key --region eu-west-1 --key-id ${KEY}\`\`\``,
      ].join('\n'),
      '<https://docs.example.com/runbooks/KeyvigilKeyInaccessible|Runbook> · <https://keyvigil.example.com/keys/7f2c|Status page>',
    ]);
  });

  it('is told in two lines that it is over, and of what, if it never heard of it', async () => {
    const { requests } = await tell(says(200, 'ok'), [resolved()], [resolved({ reason: 'first' })]);
    const [first, second] = requests.map(({ json }) => textsOf(json)[0]);
    const over = '🟢 *Resolved: KMS key live-drm is disabled*\nafter 12 min, at 2026-11-20 10:27:03 UTC';
    expect(first).toBe(over);
    expect(second).toBe(`${over}\nNothing that it encrypted can be read.`);
  });

  it('reminds of what still fires', async () => {
    const { requests } = await tell(says(200, 'ok'), [firing({ reason: 'reminder' })]);
    expect(requests[0]?.json.text).toBe('🔴 Still critical: KMS key live-drm is disabled');
  });

  it('says once what only changed its labels, and nothing of what it replaces', async () => {
    const before = resolved({ alert: alertOf({ labels: { severity: 'warning' } }), reason: 'changed' });
    const { requests, deliveries } = await tell(says(200, 'ok'), [before, firing({ reason: 'changed' })], [before]);
    expect(deliveries).toEqual([{ outcome: 'accepted' }, { outcome: 'accepted' }]);
    expect(requests.map(({ json }) => json.text)).toEqual(['🔴 Critical: KMS key live-drm is disabled']);
  });

  it('stays within its limits whatever ten alerts say, and cuts neither command nor entity', async () => {
    const long = '<&>'.repeat(2_000);
    const annotations = { summary: long, description: long, reason: long, affected: long, since: long, undo: long };
    const alert = alertOf({ annotations: { ...annotations, recoverable_until: long } });
    const many = Array.from({ length: 10 }, () => firing({ alert }));
    const { receiver, requests } = await tell(says(200, 'ok'), many);
    expect(receiver.maxBatch).toBe(10);
    const { json } = requests[0] ?? {};
    expect(json?.blocks?.length).toBeLessThanOrEqual(40);
    for (const text of [json?.text ?? '', ...textsOf(json)] as string[]) {
      expect(text.length).toBeLessThanOrEqual(3_000);
      expect(text.replaceAll(/&(amp|lt|gt);/g, '').replaceAll(/<https:[^>]*>/g, '')).not.toMatch(/[<>&]/);
    }
    expect(textsOf(json)[0]).toContain('*Undo:* too long for here');
  });

  it.each([
    { status: 404, text: 'no_service', reason: 'unauthorized' },
    { status: 410, text: 'channel_is_archived', reason: 'unauthorized' },
    { status: 403, text: 'action_prohibited', reason: 'unauthorized' },
    { status: 400, text: 'invalid_token', reason: 'unauthorized' },
    { status: 400, text: 'invalid_blocks', reason: 'refused' },
  ])('refuses with $status $text, and says so', async ({ status, text, reason }) => {
    const { deliveries } = await tell(says(status, text), [firing()]);
    expect(deliveries).toEqual([{ outcome: 'refused', reason, detail: `HTTP ${status} ${text}` }]);
  });

  it.each(['<html>Log in</html>', '', 'no_text'])('does not take 200 and %j for an acknowledgement', async (text) => {
    const { deliveries } = await tell(says(200, text), [firing()]);
    expect(deliveries).toMatchObject([{ outcome: 'retry', reason: 'bad_response' }]);
  });
});

function signatureOf(key: Buffer, id: string, timestamp: string, body: string): string {
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
}

describe('the webhook', () => {
  const tell = (secret: SecretSource | undefined, ...batches: (readonly Notification[])[]) =>
    exchanged(
      'webhook',
      (url) => ({ url: inlineSecret(`${url}/hook?x=1`), ...(secret && { secret }) }),
      says(204),
      ...batches,
    );

  it('sends what Alertmanager would send of a group of one', async () => {
    const { receiver, requests } = await tell(undefined, [firing()], [resolved()]);
    expect(receiver.maxBatch).toBe(1);
    const { severity: _, ...group } = alertOf().labels;
    const inKey = Object.entries(group).sort(([a], [b]) => (a < b ? -1 : 1));
    const payload = (status: string, endsAt: string) => ({
      version: '4',
      groupKey: `{}:{${inKey.map(([name, text]) => `${name}="${text}"`).join(', ')}}`,
      truncatedAlerts: 0,
      status,
      receiver: 'one',
      groupLabels: group,
      commonLabels: alertOf().labels,
      commonAnnotations: alertOf().annotations,
      externalURL: 'https://keyvigil.example.com',
      alerts: [
        {
          status,
          labels: alertOf().labels,
          annotations: alertOf().annotations,
          startsAt: '2026-11-20T10:15:03.000Z',
          endsAt,
          generatorURL: 'https://keyvigil.example.com/keys/7f2c',
          fingerprint: `KeyvigilKeyInaccessible ${KEY}`,
        },
      ],
    });
    expect(requests.map(({ path, json }) => [path, json])).toEqual([
      ['/hook?x=1', payload('firing', '0001-01-01T00:00:00Z')],
      ['/hook?x=1', payload('resolved', '2026-11-20T10:27:03.000Z')],
    ]);
  });

  it('gives the same id to the same words, whenever they are sent, and another to others', async () => {
    const { requests } = await tell(
      undefined,
      [firing()],
      [firing({ endsAt: T0 + 9e9 })],
      [resolved()],
      [firing({ alert: alertOf({ annotations: { affected: '3 flows' } }), reason: 'changed' })],
      [firing({ alert: { ...alertOf(), startsAt: T0 + 1 } })],
      // Two reminders of the same words, which are no repetition of one another.
      [firing({ reason: 'reminder', queuedAt: T0 + 1 })],
      [firing({ reason: 'reminder', queuedAt: T0 + 2 })],
    );
    const ids = requests.map(({ headers }) => headers['webhook-id']);
    expect(ids[0]).toMatch(/^msg_[0-9a-f]{32}$/);
    expect(ids[1]).toBe(ids[0]);
    expect(new Set(ids).size).toBe(6);
    expect(requests[0]?.headers['webhook-signature']).toBeUndefined();
  });

  const bytes = createHash('sha256').update('a key').digest();
  it.each([
    { what: 'base64', secret: `whsec_${bytes.toString('base64')}`, key: bytes },
    { what: 'as it is', secret: 'correct horse', key: Buffer.from('correct horse') },
  ])('signs as Standard Webhooks says, with a secret that is written $what', async ({ secret, key }) => {
    const { requests } = await tell(inlineSecret(secret), [firing()]);
    const { headers, body } = requests[0] as SinkRequest;
    const [id, timestamp] = [headers['webhook-id'], headers['webhook-timestamp']] as [string, string];
    expect(headers['webhook-timestamp']).toMatch(/^\d{10}$/);
    expect(headers['webhook-signature']).toBe(signatureOf(key, id, timestamp, body));
  });

  it('signs as the libraries of the specification do', () => {
    // libraries/javascript/src/webhook.test.ts there, "sign function works".
    const key = Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64');
    const signature = signatureOf(key, 'msg_p5jXN8AQM9LWM0D4loKWxJek', '1614265330', '{"test": 2432232314}');
    expect(signature).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });

  it('sends nothing that it cannot sign, and keeps it', async () => {
    const { deliveries, requests } = await tell(inlineSecret('whsec_not base64!'), [firing()]);
    expect(deliveries).toMatchObject([{ outcome: 'retry', reason: 'unauthorized' }]);
    expect(requests).toEqual([]);
  });
});

describe('a secret in a file', () => {
  it('is read anew for every request; while it cannot be read, nothing is refused', async () => {
    const place = await mkdtemp(join(tmpdir(), 'keyvigil-'));
    onTestFinished(() => rm(place, { recursive: true }));
    const file = join(place, 'url');
    await using sink = await startSink(says(200, 'ok'));
    await using receiver = createReceiver(
      { name: 'chat', type: 'slack', options: { url: fileSecret(file) } },
      options(),
    );
    expect(await receiver.send([firing()], never)).toEqual({
      outcome: 'retry',
      reason: 'unauthorized',
      detail: `cannot read the secret file ${file}`,
    });
    for (const path of ['/old', '/new']) {
      await writeFile(file, `${sink.url}${path}\n`);
      expect(await receiver.send([firing()], never)).toEqual({ outcome: 'accepted' });
    }
    expect(sink.requests.map(({ path }) => path)).toEqual(['/old', '/new']);
  });
});
