import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createBudget, createGate } from '../../src/engine/budget.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const never = new AbortController().signal;

describe('budget', () => {
  it('lets a share of the quota through per second and makes the rest wait in order', async () => {
    const budget = createBudget(0.2, () => Date.now());
    const start = Date.now();
    const done: Array<{ call: number; at: number }> = [];
    const calls = Array.from({ length: 50 }, async (_, call) => {
      await budget.take('kms', 50, never);
      done.push({ call, at: Date.now() - start });
    });
    await vi.advanceTimersByTimeAsync(10_000);
    await Promise.all(calls);
    // 50/s × 0.2 = 10/s, with two seconds saved up: 20 at once, then one every 100 ms.
    expect(done.filter(({ at }) => at === 0)).toHaveLength(20);
    expect(done.map(({ call }) => call)).toEqual(Array.from({ length: 50 }, (_, call) => call));
    expect(done.at(-1)?.at).toBe(3_000);
  });

  it('never exceeds the share over any longer stretch', async () => {
    const budget = createBudget(0.5, () => Date.now());
    let through = 0;
    const stop = new AbortController();
    const callers = Array.from({ length: 8 }, async () => {
      while (!stop.signal.aborted) {
        await budget.take('b', 20, stop.signal).catch(() => undefined);
        if (!stop.signal.aborted) through += 1;
      }
    });
    await vi.advanceTimersByTimeAsync(60_000);
    stop.abort();
    await Promise.all(callers);
    expect(through).toBeLessThanOrEqual(60 * 10 + 20 + 8);
    expect(through).toBeGreaterThan(60 * 10 - 20);
  });

  it('makes later callers pay for retries that were made already', async () => {
    const budget = createBudget(1, () => Date.now());
    budget.charge('b', 1, 5);
    const start = Date.now();
    const taken = budget.take('b', 1, never).then(() => Date.now() - start);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await taken).toBe(4_000);
  });

  it('keeps one bucket from slowing another', async () => {
    const budget = createBudget(1, () => Date.now());
    budget.charge('throttled', 1, 100);
    await budget.take('other', 1, never);
  });

  it('ends a wait when its signal aborts', async () => {
    const budget = createBudget(1, () => Date.now());
    budget.charge('b', 1, 100);
    const stop = new AbortController();
    const taken = budget.take('b', 1, stop.signal);
    stop.abort(new Error('stopped'));
    await expect(taken).rejects.toThrow('stopped');
  });
});

describe('gate', () => {
  it('lets no more than its size inside, in order', async () => {
    const gate = createGate(2);
    const entered: number[] = [];
    const slots: Disposable[] = [];
    const all = [0, 1, 2, 3].map(async (caller) => {
      const slot = await gate.enter(never);
      entered.push(caller);
      slots.push(slot);
    });
    await vi.advanceTimersByTimeAsync(0);
    expect(entered).toEqual([0, 1]);
    slots[0]?.[Symbol.dispose]();
    await vi.advanceTimersByTimeAsync(0);
    expect(entered).toEqual([0, 1, 2]);
    slots[1]?.[Symbol.dispose]();
    await Promise.all(all);
    expect(entered).toEqual([0, 1, 2, 3]);
  });

  it('loses no place when a waiting caller is aborted, even at the very moment of its turn', async () => {
    const gate = createGate(1);
    const first = await gate.enter(never);
    const stop = new AbortController();
    const aborted = gate.enter(stop.signal);
    const last = gate.enter(never);
    first[Symbol.dispose]();
    stop.abort(new Error('stopped'));
    await aborted.then(
      (slot) => slot[Symbol.dispose](),
      () => undefined,
    );
    await expect(last).resolves.toBeDefined();
  });

  it('frees a place once, however often the slot is disposed', async () => {
    const gate = createGate(1);
    const slot = await gate.enter(never);
    slot[Symbol.dispose]();
    slot[Symbol.dispose]();
    await gate.enter(never);
    let second = false;
    const waiting = gate.enter(never).then(() => {
      second = true;
    });
    await vi.advanceTimersByTimeAsync(0);
    expect(second).toBe(false);
    void waiting;
  });
});
