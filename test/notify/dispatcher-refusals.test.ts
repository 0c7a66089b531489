import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Delivery, Notification } from '../../src/notify/receiver.ts';
import { ACCEPTED, DOWN, dispatching, pass, receiver } from './dispatching.ts';
import { MemoryOutbox, queue, queued, T0 } from './outbox.ts';

beforeEach(() => void vi.useFakeTimers({ now: T0 + 60_000 }));
afterEach(() => void vi.useRealTimers());

const REFUSED: Delivery = { outcome: 'refused', reason: 'refused', detail: 'HTTP 400' };
const keys = (count: number) => Array.from({ length: count }, (_, n) => `key-${n}`);
const deadOf = (outbox: MemoryOutbox) =>
  [...outbox.records.values()].filter(({ dead }) => dead).map(({ alert }) => alert.labels.resource);

/** Refuses what holds any of these. */
const poisoned =
  (answer: Delivery, ...bad: readonly string[]) =>
  (batch: readonly Notification[]): Delivery =>
    batch.some(({ alert }) => bad.includes(alert.labels.resource ?? '')) ? answer : ACCEPTED;

describe('a request that is refused:', () => {
  it.each([0, 100, 255])(
    'one poisoned alert of 256, number %d, is a dead letter; 255 are delivered once',
    async (n) => {
      const outbox = new MemoryOutbox(queue(256));
      const oncall = receiver(poisoned(REFUSED, `key-${n}`));
      await using here = dispatching(outbox, [oncall]);
      await pass(0);
      expect(oncall.taken()).toEqual(keys(256).filter((key) => key !== `key-${n}`));
      expect(oncall.got).toHaveLength(17);
      expect(deadOf(outbox)).toEqual([`key-${n}`]);
      expect(here.dispatcher.status()[0]).toMatchObject({
        pending: 0,
        dead: 1,
        failure: 'refused',
        detail: 'HTTP 400',
      });
      expect(here.observed.at(-1)).toEqual({
        receiver: 'oncall',
        count: 1,
        outcome: 'dead',
        reason: 'refused',
        detail: 'HTTP 400',
      });
      await pass(86_400_000);
      expect(oncall.got).toHaveLength(17);
    },
  );

  it('whatever is poisoned beside something that is not: all of it is found, and nothing else', async () => {
    const some = fc.uniqueArray(fc.nat(39), { maxLength: 39 });
    await fc.assert(
      fc.asyncProperty(some, fc.integer({ min: 1, max: 50 }), async (numbers, maxBatch) => {
        const bad = numbers.map((n) => `key-${n}`);
        const outbox = new MemoryOutbox(queue(40));
        const oncall = receiver(poisoned(REFUSED, ...bad), { maxBatch });
        await using here = dispatching(outbox, [oncall]);
        await pass(10_000);
        // Proof for the last of them, where each request has room for one only.
        outbox.put(queued(40, { queuedAt: Date.now() }));
        here.wake();
        await pass(60_000);
        expect(oncall.taken()).toEqual(keys(41).filter((key) => !bad.includes(key)));
        expect(deadOf(outbox).toSorted()).toEqual(bad.toSorted());
      }),
      { numRuns: 50, seed: 20261122 },
    );
  });

  it('a dead letter that says something else is offered again', async () => {
    const outbox = new MemoryOutbox(queue(2));
    const oncall = receiver((batch) => {
      const bad = batch.some(({ alert, status }) => alert.labels.resource === 'key-0' && status === 'firing');
      return bad ? REFUSED : ACCEPTED;
    });
    await using here = dispatching(outbox, [oncall]);
    await pass(0);
    expect(deadOf(outbox)).toEqual(['key-0']);
    outbox.put(queued(0, { status: 'resolved', reason: 'resolved', queuedAt: T0 + 5 }));
    here.wake();
    await pass(0);
    expect(oncall.taken()).toEqual(['key-1', 'key-0']);
    expect(deadOf(outbox)).toEqual([]);
  });

  it('while nothing at all is accepted nothing is lost: it may as well be the address', async () => {
    const outbox = new MemoryOutbox(queue(3));
    let fixed = false;
    const oncall = receiver(() => (fixed ? ACCEPTED : REFUSED));
    await using here = dispatching(outbox, [oncall]);
    await pass(3_600_000);
    expect(here.dispatcher.status()[0]).toMatchObject({ pending: 3, dead: 0, failure: 'refused' });
    const asked = oncall.got.length;
    await pass(3_600_000);
    // Each at most every five minutes at this pace; a batch of three is five requests.
    expect(oncall.got.length - asked).toBeLessThanOrEqual(5 * 12 + 5);
    fixed = true;
    await pass(300_000);
    expect(oncall.taken()).toEqual(keys(3));
  });

  it('one that waits like that delays no other, and once another was accepted it is a dead letter', async () => {
    const outbox = new MemoryOutbox(queue(1));
    const oncall = receiver(poisoned(REFUSED, 'key-0'));
    await using here = dispatching(outbox, [oncall]);
    await pass(600_000);
    expect(deadOf(outbox)).toEqual([]);
    outbox.put(queued(1));
    here.wake();
    await pass(0);
    expect(oncall.taken()).toEqual(['key-1']);
    await pass(300_000);
    expect(deadOf(outbox)).toEqual(['key-0']);
  });

  it('one that changed since is judged anew', async () => {
    const outbox = new MemoryOutbox(queue(1));
    const oncall = receiver(poisoned(REFUSED, 'key-0'));
    await using here = dispatching(outbox, [oncall]);
    await pass(10_000);
    for (const changed of [queued(1), queued(0, { queuedAt: T0 + 5 })]) {
      outbox.put(changed);
      here.wake();
      await pass(0);
    }
    expect(oncall.taken()).toEqual(['key-1']);
    expect(deadOf(outbox)).toEqual([]);
    await pass(300_000);
    expect(outbox.waiting('oncall')).toHaveLength(1);
  });

  it.each(['unauthorized', 'redirected'] as const)(
    '%s is the receiver, not the alert: one request, then a backoff',
    async (reason) => {
      const outbox = new MemoryOutbox(queue(256));
      const oncall = receiver((_b, _s, nth) => (nth <= 10 ? { outcome: 'refused', reason } : ACCEPTED));
      await using here = dispatching(outbox, [oncall]);
      await pass(999);
      expect(oncall.got).toHaveLength(1);
      await pass(3_600_000);
      expect(oncall.got).toHaveLength(11);
      expect(oncall.taken()).toEqual(keys(256));
      expect(deadOf(outbox)).toEqual([]);
      expect(here.observed.filter(({ outcome }) => outcome === 'retry')).toHaveLength(10);
    },
  );

  it('a receiver that goes down while the poisoned one is looked for gets the rest later', async () => {
    const outbox = new MemoryOutbox(queue(8));
    const oncall = receiver((batch, _signal, nth) => (nth === 3 ? DOWN : poisoned(REFUSED, 'key-5')(batch)));
    await using _ = dispatching(outbox, [oncall]);
    await pass(60_000);
    expect(oncall.taken()).toEqual(keys(8).filter((key) => key !== 'key-5'));
    expect(deadOf(outbox)).toEqual(['key-5']);
  });

  it('the end does not wait for the search: what was not sent yet stays queued', async () => {
    const outbox = new MemoryOutbox(queue(8));
    const oncall = receiver(async (batch) => {
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      return poisoned(REFUSED, 'key-7')(batch);
    });
    const { dispatcher } = dispatching(outbox, [oncall]);
    await pass(1_500);
    const ended = dispatcher[Symbol.asyncDispose]();
    await pass(500);
    await ended;
    expect(oncall.taken()).toEqual(keys(4));
    expect(outbox.waiting('oncall')).toHaveLength(4);
  });
});

describe('a receiver that stumbles over one alert:', () => {
  it('by a server error each time: the others get through, and it is tried again for ever', async () => {
    const outbox = new MemoryOutbox(queue(256));
    let mended = false;
    const oncall = receiver((batch) => (mended ? ACCEPTED : poisoned(DOWN, 'key-3')(batch)));
    await using here = dispatching(outbox, [oncall]);
    await pass(7_000);
    expect(oncall.taken()).toEqual(keys(256).filter((key) => key !== 'key-3'));
    await pass(3_600_000);
    outbox.put(queued(300));
    here.wake();
    await pass(300_000 + 7_000);
    expect(oncall.taken()).toContain('key-300');
    expect(here.dispatcher.status()[0]).toMatchObject({ pending: 1, dead: 0 });
    mended = true;
    await pass(300_000);
    expect(oncall.taken()).toContain('key-3');
  });

  it('while it is down altogether the search costs few requests', async () => {
    const outbox = new MemoryOutbox(queue(256));
    const oncall = receiver(() => DOWN);
    await using _ = dispatching(outbox, [oncall]);
    await pass(3_600_000);
    // Eight attempts until the pace is five minutes, eleven after them; each search is twelve requests at most.
    expect(oncall.got.length).toBeLessThanOrEqual(20 * 12);
    expect(outbox.waiting('oncall')).toHaveLength(256);
  });

  it('while it is down altogether, or says when it is back, nothing new is offered before its time', async () => {
    for (const answer of [DOWN, { ...DOWN, retryAfterMs: 1 }]) {
      const outbox = new MemoryOutbox(queue(2));
      const oncall = receiver(() => answer);
      await using here = dispatching(outbox, [oncall]);
      // At 1, 3, 7, 15 and 31 seconds; the next one is a minute away.
      await pass(40_000);
      const asked = oncall.got.length;
      expect(asked).toBe(answer === DOWN ? 3 + 3 * 3 : 6);
      outbox.put(queued(2));
      here.wake();
      await pass(20_000);
      expect(oncall.got).toHaveLength(asked);
    }
  });

  it('by throwing: it is told of, and found like one that is refused', async () => {
    const outbox = new MemoryOutbox(queue(4));
    const oncall = receiver((batch) => {
      if (batch.some(({ alert }) => alert.labels.resource === 'key-2')) throw new TypeError('not a string');
      return ACCEPTED;
    });
    await using here = dispatching(outbox, [oncall]);
    await pass(0);
    expect(oncall.taken()).toEqual(['key-0', 'key-1', 'key-3']);
    expect(deadOf(outbox)).toEqual(['key-2']);
    expect(here.errors).toEqual(Array(3).fill('receiver oncall: TypeError: not a string'));
  });
});
