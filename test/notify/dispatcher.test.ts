import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ACCEPTED, DOWN, dispatching, HOLD_MS, hang, pass, receiver, seeded } from './dispatching.ts';
import { MemoryOutbox, queue, queued, T0 } from './outbox.ts';

beforeEach(() => void vi.useFakeTimers({ now: T0 + 60_000 }));
afterEach(() => void vi.useRealTimers());

const keys = (count: number) => Array.from({ length: count }, (_, n) => `key-${n}`);

describe('what is queued is delivered:', () => {
  it('everything once, oldest first, in as few requests as the receiver has room for', async () => {
    const outbox = new MemoryOutbox(queue(5_000).toReversed());
    const oncall = receiver(() => ACCEPTED);
    await using here = dispatching(outbox, [oncall]);
    await pass(0);
    expect(oncall.taken()).toEqual(keys(5_000));
    expect(oncall.got).toHaveLength(Math.ceil(5_000 / 256));
    expect(outbox.waiting('oncall')).toEqual([]);
    expect(here.observed.reduce((sum, { count }) => sum + count, 0)).toBe(5_000);
    expect(here.dispatcher.status()).toEqual([
      { receiver: 'oncall', type: 'scripted', pending: 0, dead: 0, lastAcceptedAt: T0 + 60_000 },
    ]);
  });

  it('what fires holds until it is told again; what ended says when; an event that is told late lasts as long', async () => {
    const { alert } = queued(0);
    const outbox = new MemoryOutbox([
      queued(0),
      queued(1, { status: 'resolved', reason: 'resolved', resolvedAt: T0 + 7 }),
      queued(2, { alert: { ...alert, startsAt: T0, endsAt: T0 + 900_000 } }),
      queued(3, { alert: { ...alert, startsAt: T0 - 900_000, endsAt: T0 } }),
    ]);
    const oncall = receiver(() => ACCEPTED);
    await using _ = dispatching(outbox, [oncall]);
    await pass(0);
    const now = T0 + 60_000;
    expect(oncall.got[0]?.batch.map(({ status, reason, endsAt }) => ({ status, reason, endsAt }))).toEqual([
      { status: 'firing', reason: 'first', endsAt: now + HOLD_MS },
      { status: 'resolved', reason: 'resolved', endsAt: T0 + 7 },
      { status: 'firing', reason: 'first', endsAt: T0 + 900_000 },
      { status: 'firing', reason: 'first', endsAt: now + 900_000 },
    ]);
  });

  it('a rise in severity ends the old and fires the new in one request, whatever the room', async () => {
    const old = queued(1).alert;
    const risen = { ...old, labels: { ...old.labels, severity: 'critical' as const } };
    const rise = queued(1, { alert: risen, reason: 'changed', replaces: { ...old, endsAt: T0 + 1 } });
    for (const maxBatch of [256, 3, 2, 1]) {
      vi.setSystemTime(T0 + 60_000);
      const outbox = new MemoryOutbox([queued(0), rise, queued(2)]);
      const oncall = receiver(() => ACCEPTED, { maxBatch });
      await using _ = dispatching(outbox, [oncall]);
      await pass(0);
      const told = oncall.got.map(({ batch }) =>
        batch.map((n) => `${n.alert.labels.severity} ${n.status} ${n.endsAt - T0}`),
      );
      const first = `warning firing ${60_000 + HOLD_MS}`;
      const pair = ['warning resolved 1', `critical firing ${60_000 + HOLD_MS}`];
      if (maxBatch === 256) expect(told).toEqual([[first, ...pair, first]]);
      if (maxBatch === 3) expect(told).toEqual([[first, ...pair], [first]]);
      if (maxBatch === 2) expect(told).toEqual([[first], pair, [first]]);
      if (maxBatch === 1) expect(told).toEqual([[first], ...pair.map((one) => [one]), [first]]);
      expect(outbox.settled.map(({ outcome }) => outcome)).toEqual(['accepted', 'accepted', 'accepted']);
    }
  });

  it('what is queued later is sent when it wakes, and nothing is asked for in between', async () => {
    const outbox = new MemoryOutbox();
    const oncall = receiver(() => ACCEPTED);
    await using here = dispatching(outbox, [oncall]);
    await pass(86_400_000);
    const { asked } = outbox;
    expect(asked).toBe(1);
    outbox.put(queued(0));
    here.wake();
    await pass(0);
    expect(oncall.taken()).toEqual(['key-0']);
  });

  it('what changed while its request was under way is sent again as it is now', async () => {
    const outbox = new MemoryOutbox([queued(0), queued(1)]);
    const oncall = receiver(async (_batch, _signal, nth) => {
      if (nth === 1) {
        await new Promise((resolve) => setTimeout(resolve, 1_000));
        outbox.put(queued(1, { status: 'resolved', reason: 'resolved', queuedAt: T0 + 2, resolvedAt: T0 + 2 }));
        here.wake();
      }
      return ACCEPTED;
    });
    await using here = dispatching(outbox, [oncall]);
    await pass(1_000);
    expect(oncall.got.map(({ batch }) => batch.map((n) => `${n.alert.labels.resource} ${n.status}`))).toEqual([
      ['key-0 firing', 'key-1 firing'],
      ['key-1 resolved'],
    ]);
    expect(outbox.waiting('oncall')).toEqual([]);
  });

  it('twenty restarts send nothing again', async () => {
    const outbox = new MemoryOutbox(queue(30));
    const oncall = receiver(() => ACCEPTED);
    for (let n = 0; n < 20; n += 1) {
      await using _ = dispatching(outbox, [oncall]);
      await pass(1_000);
    }
    expect(oncall.taken()).toEqual(keys(30));
  });
});

describe('a receiver that takes nothing now:', () => {
  it('is tried again with full jitter, ever later up to five minutes, with no new alert shortening it', async () => {
    const random = seeded(5);
    const dice = seeded(5);
    const outbox = new MemoryOutbox(queue(3));
    const oncall = receiver(() => ({ outcome: 'retry', reason: 'network' }));
    await using here = dispatching(outbox, [oncall], { random });
    for (let n = 3; n < 1_000; n += 1) {
      await pass(5_000);
      outbox.put(queued(n));
      here.wake();
    }
    const waits = oncall.got.slice(1).map(({ at }, n) => at - oncall.got[n]!.at);
    expect(waits.length).toBeGreaterThan(20);
    for (const [n, wait] of waits.entries()) {
      const most = Math.min(300_000, 1_000 * 2 ** n);
      expect(wait).toBe(Math.max(100, Math.ceil(dice() * most)));
    }
    expect(Math.max(...waits)).toBeGreaterThan(240_000);
    expect(here.dispatcher.status()[0]).toMatchObject({ pending: 1_000, oldestAt: T0, failure: 'network' });
  });

  it.each([
    [7_000, 7_000],
    [200, 1_000],
    [86_400_000, 3_600_000],
    [Number.NaN, 1_000],
  ])('Retry-After %d ms is a wait of at least %d ms', async (retryAfterMs, atLeast) => {
    const outbox = new MemoryOutbox(queue(2));
    const oncall = receiver((_b, _s, nth) =>
      nth === 1 ? { outcome: 'retry', reason: 'throttled', retryAfterMs } : ACCEPTED,
    );
    await using here = dispatching(outbox, [oncall]);
    await pass(atLeast - 1);
    outbox.put(queued(2));
    here.wake();
    await pass(0);
    expect(oncall.got).toHaveLength(1);
    await pass(1);
    expect(oncall.taken()).toEqual(keys(3));
    expect(outbox.settled[0]).toMatchObject({
      outcome: 'retry',
      reason: 'throttled',
      notBefore: T0 + 60_000 + atLeast,
    });
  });

  it('is left alone for a moment at least, and after each success the pace is quick again', async () => {
    const outbox = new MemoryOutbox(queue(1));
    const oncall = receiver((_b, _s, nth) => (nth % 4 === 0 ? ACCEPTED : DOWN));
    let random = 0.999_999;
    await using here = dispatching(outbox, [oncall], { random: () => random });
    await pass(7_000);
    random = 0;
    outbox.put(queued(1));
    here.wake();
    await pass(300);
    random = 0.999_999;
    outbox.put(queued(2));
    here.wake();
    await pass(1_000);
    const at = [0, 1_000, 3_000, 7_000, 7_000, 7_100, 7_200, 7_300, 7_300, 8_300];
    expect(oncall.got.map((one) => one.at - 60_000)).toEqual(at);
  });

  it('gets everything in order when it is back after half an hour, also what ended, and the pace is quick again', async () => {
    const outbox = new MemoryOutbox(queue(50));
    const oncall = receiver(() => (Date.now() < T0 + 1_860_000 ? DOWN : ACCEPTED));
    await using here = dispatching(outbox, [oncall], { random: seeded(1) });
    await pass(600_000);
    outbox.put(
      queued(7, { status: 'resolved', reason: 'first', queuedAt: T0 + 8, resolvedAt: T0 + 600_000, attempts: 9 }),
    );
    await pass(1_200_000 + 300_000);
    expect(oncall.taken().toSorted()).toEqual(keys(50).toSorted());
    expect(outbox.waiting('oncall')).toEqual([]);
    expect(here.observed.at(-1)).toEqual({ receiver: 'oncall', count: 50, outcome: 'accepted' });
    expect(here.dispatcher.status()[0]).not.toHaveProperty('failure');
  });

  it('that waited across a restart is not tried before its time, and another is', async () => {
    const at = T0 + 60_000;
    const outbox = new MemoryOutbox([queued(0, { attempts: 5, notBefore: at + 30_000 }), queued(1)]);
    const oncall = receiver(() => ACCEPTED);
    await using _ = dispatching(outbox, [oncall]);
    await pass(29_999);
    expect(oncall.taken()).toEqual(['key-1']);
    await pass(1);
    expect(oncall.taken()).toEqual(['key-1', 'key-0']);
  });

  it('a wall clock that is set back holds up nothing', async () => {
    const outbox = new MemoryOutbox(queue(1));
    const oncall = receiver((_b, _s, nth) => (nth < 3 ? DOWN : ACCEPTED));
    await using _ = dispatching(outbox, [oncall]);
    await pass(0);
    vi.setSystemTime(T0 - 86_400_000);
    await pass(3_000);
    expect(oncall.taken()).toEqual(['key-0']);

    const refusing = receiver(() => ({ outcome: 'refused', reason: 'refused' }));
    await using ___ = dispatching(new MemoryOutbox(queue(1)), [refusing]);
    await pass(0);
    vi.setSystemTime(T0 - 2 * 86_400_000);
    await pass(3_000);
    expect(refusing.got).toHaveLength(3);

    const later = new MemoryOutbox([queued(0, { notBefore: T0 }), queued(1, { notBefore: T0 })]);
    await using __ = dispatching(later, [oncall]);
    await pass(0);
    expect(oncall.taken()).toEqual(['key-0', 'key-0', 'key-1']);
  });
});

describe('one receiver is nothing to another:', () => {
  it('one that hangs, even without a deadline of its own, and one that is down delay no other', async () => {
    const names = ['hung', 'down', 'fine'];
    const outbox = new MemoryOutbox(names.flatMap((name) => queue(300, { receiver: name })));
    const [hung, down, fine] = [
      receiver(hang, { name: 'hung' }),
      receiver(() => DOWN, { name: 'down' }),
      receiver(() => ACCEPTED, { name: 'fine' }),
    ];
    await using here = dispatching(outbox, [hung, down, fine]);
    await pass(0);
    expect(fine.taken()).toEqual(keys(300));
    outbox.put(queued(300, { receiver: 'fine' }));
    here.wake();
    await pass(0);
    expect(fine.taken()).toEqual(keys(301));
    await pass(119_999);
    expect(hung.got).toHaveLength(1);
    await pass(1_001);
    expect(hung.got).toHaveLength(2);
    expect(here.observed).toContainEqual({ receiver: 'hung', count: 256, outcome: 'retry', reason: 'timeout' });
    expect(here.dispatcher.status().map((s) => [s.receiver, s.pending, s.failure])).toEqual([
      ['hung', 300, 'timeout'],
      ['down', 300, 'server_error'],
      ['fine', 0, undefined],
    ]);
    expect(here.errors).toEqual([]);
  });
});

describe('at the end:', () => {
  it('what is under way may end, and is committed; the rest stays queued', async () => {
    const outbox = new MemoryOutbox(queue(600));
    const oncall = receiver(async () => {
      await new Promise((resolve) => setTimeout(resolve, 4_000));
      return ACCEPTED;
    });
    const { dispatcher } = dispatching(outbox, [oncall]);
    await pass(1_000);
    const ended = dispatcher[Symbol.asyncDispose]();
    await pass(3_000);
    await ended;
    expect(oncall.got).toHaveLength(1);
    expect(outbox.settled).toHaveLength(256);
    expect(outbox.waiting('oncall')).toHaveLength(344);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('what does not end in time is cut off, stays queued as it was, and is sent once more by the next', async () => {
    for (const deaf of [false, true]) {
      const outbox = new MemoryOutbox(queue(2));
      const oncall = receiver((batch, signal, nth) => {
        if (nth > 1) return ACCEPTED;
        return deaf ? new Promise(() => undefined) : hang(batch, signal);
      });
      const { dispatcher, observed, errors } = dispatching(outbox, [oncall]);
      await pass(0);
      const ended = [dispatcher[Symbol.asyncDispose](), dispatcher[Symbol.asyncDispose]()];
      await pass(5_000);
      await Promise.all(ended);
      expect({ observed, errors, settled: outbox.settled }).toEqual({ observed: [], errors: [], settled: [] });
      expect([...outbox.records.values()]).toEqual(queue(2));
      expect(vi.getTimerCount()).toBe(0);

      await using _ = dispatching(outbox, [oncall]);
      await pass(0);
      expect(oncall.taken()).toEqual(keys(2));
    }
  });

  it('one that waits ends at once, in a backoff as in idleness', async () => {
    const outbox = new MemoryOutbox(queue(1));
    const { dispatcher } = dispatching(outbox, [receiver(() => DOWN), receiver(() => ACCEPTED, { name: 'idle' })]);
    await pass(100_000);
    await dispatcher[Symbol.asyncDispose]();
    expect(vi.getTimerCount()).toBe(0);
    expect(outbox.waiting('oncall')).toHaveLength(1);
  });
});

describe('an outbox that fails:', () => {
  it('is told of, and what was accepted meanwhile is sent again, ever more slowly', async () => {
    const outbox = new MemoryOutbox(queue(1));
    outbox.failures = Array.from({ length: 5 }, () => new Error('no'));
    const oncall = receiver(() => ACCEPTED);
    await using here = dispatching(outbox, [oncall]);
    await pass(1_000 + 2_000 + 4_000 + 8_000 + 16_000);
    expect(oncall.got.map(({ at }) => at - 60_000)).toEqual([0, 1_000, 3_000, 7_000, 15_000, 31_000]);
    expect(here.errors).toEqual(Array(5).fill('the outbox of receiver oncall: Error: no'));
    expect(here.observed).toEqual([{ receiver: 'oncall', count: 1, outcome: 'accepted' }]);
    await pass(3_600_000);
    expect(oncall.got).toHaveLength(6);
  });

  it('that says something is due and offers nothing is not asked without end', async () => {
    const outbox = new MemoryOutbox(queue(1));
    outbox.pending = () => {
      outbox.asked += 1;
      return [];
    };
    await using _ = dispatching(outbox, [receiver(() => ACCEPTED)]);
    await pass(60_000);
    expect(outbox.asked).toBeLessThanOrEqual(61);
  });
});
