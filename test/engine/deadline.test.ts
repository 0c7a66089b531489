import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DeadlineExceeded, sleep, withDeadline } from '../../src/engine/deadline.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('withDeadline', () => {
  it('gives what the work gives', async () => {
    await expect(withDeadline('x', 1000, new AbortController().signal, async () => 7)).resolves.toBe(7);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('ends in time although the work never does, and says which deadline it was', async () => {
    const outcome = withDeadline('DescribeKey', 1000, new AbortController().signal, () => new Promise(() => undefined));
    const seen = outcome.catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(1000);
    expect(await seen).toBeInstanceOf(DeadlineExceeded);
    expect(String(await seen)).toContain('DescribeKey did not end within 1000 ms');
  });

  it('tells the work to stop when the time is up', async () => {
    let given: AbortSignal | undefined;
    const outcome = withDeadline('x', 1000, new AbortController().signal, (signal) => {
      given = signal;
      return new Promise(() => undefined);
    });
    outcome.catch(() => undefined);
    await vi.advanceTimersByTimeAsync(1000);
    expect(given?.aborted).toBe(true);
  });

  it('answers with the reason of the signal, not with what the work makes of it', async () => {
    const stop = new AbortController();
    const outcome = withDeadline(
      'x',
      1000,
      stop.signal,
      (signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('AbortError')))),
    );
    stop.abort(new Error('shutdown'));
    await expect(outcome).rejects.toThrow('shutdown');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('passes on what the work throws', async () => {
    const failing = withDeadline('x', 1000, new AbortController().signal, async () => {
      throw new Error('denied');
    });
    await expect(failing).rejects.toThrow('denied');
  });
});

describe('sleep', () => {
  it('wakes on time, and at once on abort', async () => {
    const stop = new AbortController();
    let woke = false;
    const slept = sleep(5_000, stop.signal).then(() => {
      woke = true;
    });
    await vi.advanceTimersByTimeAsync(4_999);
    expect(woke).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    await slept;
    const cut = sleep(5_000, stop.signal);
    stop.abort(new Error('stopped'));
    await expect(cut).rejects.toThrow('stopped');
    expect(vi.getTimerCount()).toBe(0);
  });
});
