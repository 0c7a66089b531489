import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createReceiver } from '../../src/notify/index.ts';
import { alertOf, firing, options, resolved, T0 } from './notifications.ts';
import { type Behaviour, hangs, says, startSink } from './sink.ts';

interface Posted {
  readonly labels: Record<string, string>;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly generatorURL: string;
}

const never = new AbortController().signal;
const NOW = T0 + 60_000;
const MIN = 60_000;

function create(...urls: string[]) {
  return createReceiver({ name: 'oncall', type: 'alertmanager', options: { urls } }, options());
}

const iso = (at: number) => new Date(at).toISOString();

describe('Alertmanager', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: NOW }));
  afterEach(() => void vi.useRealTimers());

  /** What one of `batch` looks like on the wire. */
  async function posted(batch: Parameters<ReturnType<typeof create>['send']>[0]): Promise<Posted[]> {
    await using sink = await startSink(says(200));
    await using receiver = create(`${sink.url}/prefix/`);
    expect(await receiver.send(batch, never)).toEqual({ outcome: 'accepted' });
    expect(sink.requests[0]?.path).toBe('/prefix/api/v2/alerts');
    return JSON.parse(sink.requests[0]?.body ?? '') as Posted[];
  }

  it('is told again every minute, 256 alerts at a time', async () => {
    await using receiver = create('http://127.0.0.1:9093');
    expect(receiver).toMatchObject({
      type: 'alertmanager',
      traits: { name: 'oncall', resendMs: 60_000 },
      maxBatch: 256,
    });
  });

  it('hears when an alert began, that it holds, and where to read on', async () => {
    expect(await posted([firing({ endsAt: NOW + 3_600_000 })])).toEqual([
      {
        labels: alertOf().labels,
        annotations: alertOf().annotations,
        startsAt: iso(T0),
        endsAt: iso(NOW + 3_600_000),
        generatorURL: 'https://keyvigil.example.com/keys/7f2c',
      },
    ]);
  });

  it('is linked to the status page where an alert has no page of its own', async () => {
    const alert = alertOf({ annotations: { status_url: 'javascript:alert(1)' } });
    expect((await posted([firing({ alert })]))[0]?.generatorURL).toBe('https://keyvigil.example.com/');
  });

  it.each([
    { what: 'fires, and was queued long ago', one: firing({ endsAt: T0 }), endsAt: NOW + 60 * MIN },
    {
      what: 'is an event that is told late',
      one: firing({ alert: { ...alertOf(), endsAt: T0 + 1 }, endsAt: T0 + 1 }),
      endsAt: NOW + 5 * MIN,
    },
    {
      what: 'is an event',
      one: firing({ alert: { ...alertOf(), endsAt: NOW + 14 * MIN }, endsAt: NOW + 14 * MIN }),
      endsAt: NOW + 14 * MIN,
    },
    { what: 'ended', one: resolved({ endsAt: T0 + 30_000 }), endsAt: T0 + 30_000 },
    { what: 'ended by a clock that was ahead', one: resolved({ endsAt: NOW + MIN }), endsAt: NOW },
    { what: 'ended before it began', one: resolved({ endsAt: T0 - MIN }), endsAt: T0 },
  ])('is given an end that says the same when it arrives, for what $what', async ({ one, endsAt }) => {
    expect(await posted([one])).toMatchObject([{ startsAt: iso(T0), endsAt: iso(endsAt) }]);
  });

  it('is given names that every version takes', async () => {
    const labels = { 'cost-center': 'a', cost_center: 'b', '9lives': 'c', '': 'd', ärger: 'e' };
    const [one] = await posted([firing({ alert: alertOf({ labels }) })]);
    expect(one?.labels).toEqual({ ...alertOf().labels, cost_center: 'b', _9lives: 'c', _: 'd', _rger: 'e' });
  });

  describe('with several peers', () => {
    async function tell(...behaviours: Behaviour[]) {
      const sinks = await Promise.all(behaviours.map((behaviour) => startSink(behaviour)));
      await using receiver = create(...sinks.map(({ url }) => url));
      const delivery = await receiver.send([firing()], never);
      await Promise.all(sinks.map((sink) => sink.arrived(1)));
      await Promise.all(sinks.map((sink) => sink[Symbol.asyncDispose]()));
      return delivery;
    }

    it.each([
      { what: 'one refuses', behaviours: [says(400), says(200)] },
      { what: 'one fails', behaviours: [says(500), says(200)] },
      { what: 'one hangs', behaviours: [hangs, says(200)] },
    ])('is told when $what', async ({ behaviours }) => {
      expect(await tell(...behaviours)).toEqual({ outcome: 'accepted' });
    });

    it.each([
      { behaviours: [says(500), says(429, '', { 'retry-after': '7' })], outcome: 'retry', reason: 'server_error' },
      { behaviours: [says(500), says(400)], outcome: 'refused', reason: 'refused' },
      { behaviours: [says(401), says(502)], outcome: 'retry', reason: 'server_error' },
      { behaviours: [says(401), says(403)], outcome: 'refused', reason: 'unauthorized' },
      {
        behaviours: [says(429, '', { 'retry-after': '9' }), says(429, '', { 'retry-after': '7' })],
        outcome: 'retry',
        retryAfterMs: 7_000,
      },
    ])('gives $outcome where none accepts ($#)', async ({ behaviours, ...expected }) => {
      expect(await tell(...behaviours)).toMatchObject(expected);
    });

    it('delays nothing by a peer that hangs, and asks that one nothing else', async () => {
      const cut = new AbortController();
      await using slow = await startSink((response) => cut.signal.addEventListener('abort', () => response.destroy()));
      await using quick = await startSink(says(200));
      await using receiver = create(slow.url, quick.url);
      for (let n = 0; n < 5; n += 1) expect(await receiver.send([firing()], never)).toEqual({ outcome: 'accepted' });
      await slow.arrived(1);
      slow.answer(says(200));
      quick.answer(says(500));
      const next = receiver.send([firing()], never);
      await quick.arrived(6);
      cut.abort();
      expect(await next).toEqual({ outcome: 'accepted' });
      // The four that waited behind the one that came to nothing are with it; what nobody else took is not.
      expect(slow.requests).toHaveLength(2);
    });

    it('tells a peer that is merely slower everything, in order', async () => {
      const held: (() => void)[] = [];
      await using slow = await startSink((response) => held.push(() => response.end()));
      await using quick = await startSink(says(200));
      await using receiver = create(slow.url, quick.url);
      const names = ['a', 'b', 'c', 'd'];
      for (const name of names) await receiver.send([firing({ alert: alertOf({ labels: { name } }) })], never);
      for (let n = 1; n <= names.length; n += 1) {
        await slow.arrived(n);
        held[n - 1]?.();
      }
      expect(slow.requests.map(({ body }) => (JSON.parse(body) as Posted[])[0]?.labels.name)).toEqual(names);
    });

    it('never lets a peer hear of the end before the beginning', async () => {
      const held: (() => void)[] = [];
      await using slow = await startSink((response) => held.push(() => response.end()));
      await using quick = await startSink(says(200));
      await using receiver = create(slow.url, quick.url);
      await receiver.send([firing()], never);
      await slow.arrived(1);
      quick.answer(says(500));
      const ending = receiver.send([resolved()], never);
      await quick.arrived(2);
      expect(slow.requests).toHaveLength(1);
      held[0]?.();
      await slow.arrived(2);
      held[1]?.();
      expect(await ending).toEqual({ outcome: 'accepted' });
      const ends = slow.requests.map(({ body }) => Date.parse((JSON.parse(body) as Posted[])[0]?.endsAt ?? '') > NOW);
      expect(ends).toEqual([true, false]);
    });
  });
});
