import { describe, expect, it } from 'vitest';
import { testNotifyCommand } from '../../src/cli/test-notify.ts';
import type { Config } from '../../src/config/config.ts';
import { parseConfig } from '../../src/config/load.ts';
import { SERVICES } from '../../src/providers/index.ts';
import { type Behaviour, says, startSink } from '../notify/sink.ts';
import { recordedIo } from './io.ts';

function configOf(receivers: string): Config {
  const text = `targets:\n  - { name: prod, provider: aws, regions: [eu-west-1] }\nreceivers: [${receivers}]\n`;
  const { config, issues } = parseConfig(text, '/etc/keyvigil.yml', { env: {}, services: SERVICES });
  if (!config) throw new Error(JSON.stringify(issues));
  return config;
}

async function run(
  behaviour: Behaviour,
  receiver: (url: string) => string,
  changed: { receiver?: string; output?: 'text' | 'json'; severity?: 'critical' } = {},
) {
  await using sink = await startSink(behaviour);
  const io = recordedIo();
  const code = await testNotifyCommand(
    {
      config: configOf(receiver(sink.url)),
      receiver: 'one',
      output: 'text',
      version: '1.2.3',
      stop: new AbortController().signal,
      ...changed,
    },
    io,
  );
  return { code, ...io.written, bodies: sink.requests.map(({ body }) => JSON.parse(body)) };
}

const webhook = (url: string) => `{ name: one, webhook: { url: "${url}/secret-path" } }`;

describe('test-notify', () => {
  it('sends a marked alert and its end, and says how long that took', async () => {
    const { code, out, err, bodies } = await run(says(204), webhook);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(
      /^webhook "one" accepted the test alert after \d+ ms\nwebhook "one" accepted the end of it after \d+ ms\n$/,
    );
    const labels = { alertname: 'KeyvigilTest', test: 'true', severity: 'warning' };
    expect(bodies).toMatchObject([
      { status: 'firing', alerts: [{ labels, annotations: { summary: 'TEST: keyvigil can reach you here' } }] },
      { status: 'resolved', alerts: [{ labels }] },
    ]);
    expect(bodies[1].groupKey).toBe(bodies[0].groupKey);
  });

  it('tries the way that wakes people if it is told to', async () => {
    const { bodies } = await run(says(204), webhook, { severity: 'critical' });
    expect(bodies[0].alerts[0].labels.severity).toBe('critical');
  });

  it('gives Alertmanager an alert that ends by itself, because one that has ended is told to nobody', async () => {
    const { code, out, bodies } = await run(says(200), (url) => `{ name: one, alertmanager: { urls: ["${url}"] } }`);
    expect(code).toBe(0);
    expect(out).toMatch(/accepted the test alert after \d+ ms\n.*ends by itself in 5 minutes\.\n$/);
    expect(bodies).toHaveLength(1);
    const { startsAt, endsAt } = bodies[0][0];
    expect(Date.parse(endsAt) - Date.parse(startsAt)).toBeGreaterThanOrEqual(300_000);
    expect(Date.parse(endsAt) - Date.parse(startsAt)).toBeLessThan(360_000);
  });

  it('says why it did not arrive and what to do, without the address, and exits 1', async () => {
    const { code, out, err, bodies } = await run(says(403), webhook);
    expect([code, out, bodies.length]).toEqual([1, '', 1]);
    expect(err).toMatch(
      /^webhook "one" did not take it after \d+ ms: unauthorized \(HTTP 403\)\nit does not know us: .*\n$/,
    );
    expect(err).not.toContain('secret-path');
  });

  it('prints the same as JSON', async () => {
    const { code, out, err } = await run(says(500), webhook, { output: 'json' });
    expect([code, err]).toEqual([1, '']);
    expect(JSON.parse(out)).toEqual({
      receiver: 'one',
      type: 'webhook',
      delivered: false,
      steps: [
        { status: 'firing', outcome: 'retry', reason: 'server_error', detail: 'HTTP 500', ms: expect.any(Number) },
      ],
    });
  });

  it('exits 2 for a receiver that does not exist, and names those that do', async () => {
    const { code, err } = await run(says(204), webhook, { receiver: 'two' });
    expect([code, err]).toEqual([2, 'keyvigil: no receiver is called "two"; there are: one\n']);
    const none = await run(says(204), () => '');
    expect(none.err).toBe('keyvigil: no receiver is called "one"; the configuration has no receivers\n');
  });
});
