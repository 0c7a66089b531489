/** Every type of receiver that a configuration can point at loopback, the dead man's switch, and what an outage makes of alerts. */
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { company } from './company.ts';
import { startSink } from './sink.ts';
import { startWorld, type World } from './world.ts';

const MINUTE = 60_000;
const BOUND = 75_000;
/** A key is lost since the first look that said so, and told of at the second: 5 s, and what that takes. */
const CONFIRMED = 6_000;

interface Arrived {
  /** By the clock of the test, ms. */
  readonly at: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

interface Tap extends AsyncDisposable {
  readonly url: string;
  readonly arrived: Arrived[];
  /** Answers nothing any more. */
  silent: boolean;
}

/** A server that notes what arrives and says ok, which everybody takes for a yes, Slack's way included. */
async function startTap(silent = false): Promise<Tap> {
  const arrived: Arrived[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => void chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      arrived.push({ at: Date.now(), path: request.url ?? '', headers: request.headers, body });
      if (!tap.silent) response.end('ok');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const tap: Tap = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arrived,
    silent,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return tap;
}

/** A key breaks and is mended; both have been told when this is over. Says when it broke and when it was well again. */
async function incident(world: World, told: () => number): Promise<{ brokeAt: number; wellAt: number }> {
  world.region.kms.disable('alias/key-1');
  await world.until('the alert', BOUND + MINUTE, () => told() > 0);
  const brokeAt = world.key('alias/key-1')!.since!;
  await world.pass(3 * MINUTE);
  const before = told();
  world.region.kms.enable('alias/key-1');
  await world.until('the recovery', BOUND + MINUTE, () => world.key('alias/key-1')?.health === 'accessible');
  await world.until('its end', BOUND, () => told() > before);
  return { brokeAt, wellAt: world.key('alias/key-1')!.since! };
}

describe('a key that breaks and is mended is told from end to end', () => {
  it('to an Alertmanager, as soon as a loss is confirmed though its peer hangs', async () => {
    await using well = await startTap();
    await using hung = await startTap(true);
    const yaml = `receivers: [{ name: pair, alertmanager: { urls: ["${hung.url}", "${well.url}/"] } }]`;
    await using world = await startWorld(company(2), { yaml });
    interface Posted {
      readonly labels: Record<string, string>;
      readonly startsAt: string;
      readonly endsAt: string;
    }
    const posted = () =>
      well.arrived.flatMap(({ at, body }) => (JSON.parse(body) as Posted[]).map((one) => ({ ...one, at })));
    const ended = () => posted().filter(({ at, endsAt }) => Date.parse(endsAt) <= at);
    world.region.kms.disable('alias/key-1');
    await world.until('the alert', BOUND + MINUTE, () => posted().length > 0);
    const { since } = world.key('alias/key-1')!;
    expect(posted()[0]!.at - since!).toBeLessThan(CONFIRMED);
    await world.pass(10 * MINUTE);
    const firing = posted();
    // Once a minute, for Alertmanager forgets.
    expect(firing.length).toBeGreaterThanOrEqual(9);
    expect(firing.length).toBeLessThanOrEqual(12);
    for (const { labels, startsAt, endsAt, at } of firing) {
      expect(labels).toMatchObject({ alertname: 'KeyvigilKeyInaccessible', origin: 'push', name: 'alias/key-1' });
      expect(Date.parse(startsAt)).toBe(since);
      expect(Date.parse(endsAt) - at).toBeGreaterThanOrEqual(59 * MINUTE);
    }
    world.region.kms.enable('alias/key-1');
    await world.until('its end', BOUND + 3 * MINUTE, () => ended().length > 0);
    // Later than it was: the rules, whose alert this one silences, must have seen it too.
    const late = ended()[0]!.at - world.key('alias/key-1')!.since!;
    expect(late).toBeGreaterThanOrEqual(90_000);
    expect(late).toBeLessThan(90_000 + CONFIRMED + 10_000);
    expect(ended()[0]!.labels).toEqual(firing[0]!.labels);
    expect(new Set([...well.arrived, ...hung.arrived].map(({ path }) => path))).toEqual(new Set(['/api/v2/alerts']));
    expect(JSON.parse(hung.arrived[0]!.body)).toEqual(JSON.parse(well.arrived[0]!.body));
  }, 60_000);

  it('to a webhook, signed so that a reader of one’s own can tell that it is ours', async () => {
    await using tap = await startTap();
    const key = Buffer.from('a key of thirty-two bytes, or so').toString('base64');
    const yaml = `receivers: [{ name: hook, webhook: { url: "${tap.url}/hook?team=video", secret: "whsec_${key}" } }]`;
    await using world = await startWorld(company(2), { yaml });
    const { brokeAt, wellAt } = await incident(world, () => tap.arrived.length);
    const alerts = tap.arrived.map(({ path, headers, body, at }) => {
      const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature } = headers;
      const mac = createHmac('sha256', Buffer.from(key, 'base64')).update(`${id}.${timestamp}.${body}`);
      expect(signature).toBe(`v1,${mac.digest('base64')}`);
      expect(Math.abs(Number(timestamp) * 1_000 - at)).toBeLessThan(1_001);
      expect(path).toBe('/hook?team=video');
      const { version, alerts } = JSON.parse(body) as { version: string; alerts: Record<string, string>[] };
      expect([version, alerts.length]).toEqual(['4', 1]);
      return alerts[0]!;
    });
    expect(alerts.map(({ status }) => status)).toEqual(['firing', 'resolved']);
    expect(alerts.map(({ startsAt }) => Date.parse(startsAt!))).toEqual([brokeAt, brokeAt]);
    expect(Math.abs(Date.parse(alerts[1]!.endsAt!) - wellAt)).toBeLessThan(CONFIRMED);
    expect(alerts[1]!.fingerprint).toBe(alerts[0]!.fingerprint);
    expect(new Set(tap.arrived.map(({ headers }) => headers['webhook-id'])).size).toBe(2);
  });

  it('to Slack, as two messages', async () => {
    await using tap = await startTap();
    const yaml = `receivers: [{ name: chat, slack: { url: "${tap.url}/services/T0/B0/x" } }]`;
    await using world = await startWorld(company(2), { yaml });
    await incident(world, () => tap.arrived.length);
    await world.pass(5 * MINUTE);
    const messages = tap.arrived.map(({ body }) => JSON.parse(body) as { text: string; blocks: object[] });
    expect(messages.map(({ text }) => text.slice(0, 2))).toEqual(['🔴', '🟢']);
    for (const { text } of messages) expect(text).toContain('alias/key-1');
    const [firing] = messages;
    expect(JSON.stringify(firing!.blocks)).toContain('aws kms enable-key');
    expect(JSON.stringify(firing!.blocks)).toContain('prod/secret-1');
    expect(new Set(tap.arrived.map(({ path }) => path))).toEqual(new Set(['/services/T0/B0/x']));
  });

  it('to PagerDuty of another service region, as one incident that is opened and closed', async () => {
    await using tap = await startTap();
    const routingKey = 'R0UT1NGKEY0000000000000000000000';
    const yaml = `receivers: [{ name: pager, pagerduty: { url: "${tap.url}/v2/enqueue", routingKey: ${routingKey} } }]`;
    await using world = await startWorld(company(2), { yaml });
    const { brokeAt } = await incident(world, () => tap.arrived.length);
    await world.pass(5 * MINUTE);
    interface PagerEvent {
      readonly event_action: string;
      readonly routing_key: string;
      readonly dedup_key: string;
      readonly payload?: {
        severity: string;
        source: string;
        timestamp: string;
        custom_details: Record<string, string>;
      };
    }
    const events = tap.arrived.map(({ body }) => JSON.parse(body) as PagerEvent);
    expect(events.map(({ event_action }) => event_action)).toEqual(['trigger', 'resolve']);
    const [trigger, resolve] = events;
    expect([trigger!.routing_key, resolve!.routing_key]).toEqual([routingKey, routingKey]);
    expect(resolve!.dedup_key).toBe(trigger!.dedup_key);
    const { severity, source, timestamp, custom_details: details } = trigger!.payload!;
    expect([severity, source]).toEqual(['critical', world.key('alias/key-1')!.resource]);
    expect(Date.parse(timestamp)).toBe(brokeAt);
    expect(details.Undo).toContain('aws kms enable-key');
    expect(details.Breaks).toContain('prod/secret-1');
    expect(new Set(tap.arrived.map(({ path }) => path))).toEqual(new Set(['/v2/enqueue']));
  });
});

describe('what an outage makes of alerts', () => {
  it('of a provider, over 1,000 keys: one alert of its account while it lasts, and none of a key then or after', async () => {
    await using sink = await startSink();
    const yaml = `receivers: [{ name: hook, webhook: { url: "${sink.url}" } }]`;
    await using world = await startWorld(company(100, 8), { yaml });
    await world.pass(MINUTE);
    expect(sink.told).toEqual([]);
    expect(world.app.snapshot.keys.length).toBe(1_000);
    {
      using _outage = world.sandbox.faults.add({ kind: 'server-error' });
      await world.pass(25 * MINUTE);
      expect(sink.told.map(({ labels, status }) => [labels.alertname, labels.severity, status])).toEqual([
        ['KeyvigilAccountBlind', 'warning', 'firing'],
      ]);
      await world.pass(10 * MINUTE);
    }
    await world.until('the end of it', 15 * MINUTE, () => sink.told.some(({ status }) => status === 'resolved'));
    await world.pass(5 * MINUTE);
    expect(sink.told.filter(({ labels }) => labels.resource !== undefined)).toEqual([]);
    expect(sink.told.at(-1)?.status).toBe('resolved');
  }, 120_000);

  it('of one key that fires, for ten sweeps and more: it goes on firing until it was really seen to be well', async () => {
    await using sink = await startSink();
    const yaml = `receivers: [{ name: hook, webhook: { url: "${sink.url}" } }]`;
    await using world = await startWorld(company(4), { yaml });
    const told = () => sink.told.filter(({ labels }) => labels.name === 'alias/key-1').map(({ status }) => status);
    world.region.kms.disable('alias/key-1');
    await world.until('the alert', BOUND + MINUTE, () => told().length > 0);
    {
      using outage = world.sandbox.faults.add({ kind: 'access-denied' }, { operation: ['DescribeKey'] });
      world.region.kms.enable('alias/key-1');
      await world.pass(12 * MINUTE);
      expect(outage.hits()).toBeGreaterThanOrEqual(10);
      expect(told()).toEqual(['firing']);
      expect(world.key('alias/key-1')?.health).toBe('inaccessible');
    }
    await world.until('its end', 20 * MINUTE, () => told().length > 1);
    expect(told()).toEqual(['firing', 'resolved']);
    expect(world.key('alias/key-1')?.health).toBe('accessible');
  }, 60_000);
});

describe('the heartbeat', () => {
  async function beating() {
    const stack = new AsyncDisposableStack();
    const tap = stack.use(await startTap());
    const sink = stack.use(await startSink());
    const yaml = `
receivers: [{ name: hook, webhook: { url: "${sink.url}" } }]
heartbeat: { url: "${tap.url}/beat", every: 1m }`;
    const world = stack.use(await startWorld(company(3), { yaml }));
    /** How many beats arrive in so long. */
    async function beats(ms: number): Promise<number> {
      const before = tap.arrived.length;
      await world.pass(ms);
      return tap.arrived.length - before;
    }
    return { tap, sink, world, beats, [Symbol.asyncDispose]: () => stack.disposeAsync() };
  }

  it('beats while work is done, and says how old the oldest reading is', async () => {
    await using at = await beating();
    expect(await at.beats(10 * MINUTE)).toBe(10);
    for (const { path, body } of at.tap.arrived) {
      const beat = JSON.parse(body) as { status: string; oldest_check_age_seconds: number };
      expect([path, beat.status]).toEqual(['/beat', 'ok']);
      expect(beat.oldest_check_age_seconds).toBeLessThanOrEqual(75);
    }
  });

  it('falls silent when nobody takes what must be told, and comes back when somebody does', async () => {
    await using at = await beating();
    at.sink.answer = 500;
    at.world.region.kms.disable('alias/key-1');
    await at.world.pass(BOUND + 5 * MINUTE);
    expect(await at.beats(10 * MINUTE)).toBe(0);
    at.sink.answer = 200;
    await at.world.until('what waited', 6 * MINUTE, () => at.sink.told.length > 0);
    await at.world.pass(MINUTE);
    expect(await at.beats(5 * MINUTE)).toBe(5);
  }, 60_000);

  it('falls silent when a receiver that took everything hangs', async () => {
    await using at = await beating();
    at.sink.answer = 'silence';
    at.world.region.kms.disable('alias/key-1');
    await at.world.pass(BOUND + 6 * MINUTE);
    expect(await at.beats(5 * MINUTE)).toBe(0);
  }, 60_000);

  it('falls silent when nothing is read, and not when one source of two is not', async () => {
    await using at = await beating();
    {
      using _half = at.world.sandbox.faults.add(
        { kind: 'server-error' },
        { operation: ['ListSecrets', 'DescribeSecret'] },
      );
      await at.world.pass(10 * MINUTE);
      expect(await at.beats(5 * MINUTE)).toBe(5);
      const { oldest_check_age_seconds: age } = JSON.parse(at.tap.arrived.at(-1)!.body) as Record<string, number>;
      expect(age).toBeGreaterThan(10 * 60);
    }
    {
      using _all = at.world.sandbox.faults.add({ kind: 'server-error' });
      await at.world.pass(5 * MINUTE);
      expect(await at.beats(10 * MINUTE)).toBe(0);
    }
    await at.world.pass(10 * MINUTE);
    expect(await at.beats(5 * MINUTE)).toBe(5);
  }, 60_000);
});
