import { expect } from 'vitest';
import type { ReceiverConfig } from '../../src/config/config.ts';
import { inlineSecret } from '../../src/config/secret.ts';
import { createReceiver } from '../../src/notify/index.ts';
import type { Notification, ReceiverOptions } from '../../src/notify/receiver.ts';
import { type ReceiverKind, receiverConformance } from '../conformance/receiver.ts';
import { says } from './sink.ts';
import { mentionsIn } from './slack-text.ts';

const SECRET = 'c4nary5ecret';

function kindOf(
  type: ReceiverConfig['type'],
  optionsFor: (url: string) => ReceiverConfig['options'],
  rest: Omit<ReceiverKind, 'name' | 'create' | 'secret'>,
): void {
  receiverConformance({
    name: type,
    secret: SECRET,
    create: (url: string, options: ReceiverOptions) =>
      createReceiver({ name: 'one', type, options: optionsFor(url) }, options),
    ...rest,
  });
}

function withLogin(url: string): string {
  return url.replace('://', `://monitor:${SECRET}@`);
}

function wellFormedLabels({ alert }: Notification): object {
  return Object.fromEntries(Object.entries(alert.labels).map(([name, text]) => [name, text.toWellFormed()]));
}

kindOf('alertmanager', (url) => ({ urls: [withLogin(url)] }), {
  accepts: says(200),
  endless: 'retry',
  inert(body, sent) {
    expect(body).toMatchObject([{ labels: wellFormedLabels(sent) }]);
    expect(body).toHaveLength(1);
    expect((body as [{ generatorURL: string }])[0].generatorURL).toMatch(/^https?:/);
  },
});

kindOf('pagerduty', (url) => ({ url: `${url}/v2/enqueue`, routingKey: inlineSecret(SECRET) }), {
  accepts: says(202, '{"status":"success"}'),
  endless: 'retry',
  inert(body, { status }) {
    const event = body as { event_action: string; dedup_key: string; payload?: { summary: string; source: string } };
    expect(event.event_action).toBe(status === 'firing' ? 'trigger' : 'resolve');
    expect(event.dedup_key).toMatch(/^[ -~]{1,255}$/);
    if (event.payload) expect(event.payload.summary + event.payload.source).not.toMatch(/\p{Cc}|\p{Cf}/u);
    expect(JSON.stringify(event).length).toBeLessThan(400_000);
  },
});

kindOf('slack', (url) => ({ url: inlineSecret(`${url}/services/${SECRET}`) }), {
  accepts: says(200, 'ok'),
  endless: 'retry',
  inert(body) {
    expect(mentionsIn(body)).toEqual([]);
  },
});

kindOf(
  'webhook',
  (url) => ({ url: inlineSecret(`${withLogin(url)}/hook?token=${SECRET}`), secret: inlineSecret(SECRET) }),
  {
    accepts: says(204),
    endless: 'accepted',
    inert(body, sent) {
      const { alerts, status } = body as { alerts: { labels: object }[]; status: string };
      expect([alerts.length, status]).toEqual([1, sent.status]);
      expect(alerts[0]?.labels).toEqual(wellFormedLabels(sent));
    },
  },
);
