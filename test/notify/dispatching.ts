/** A dispatcher on a simulated clock, with hand-written receivers. */
import { vi } from 'vitest';
import { type Delivered, type DispatcherOptions, startDispatcher } from '../../src/notify/dispatcher.ts';
import type { Delivery, Notification, Receiver } from '../../src/notify/receiver.ts';
import { type MemoryOutbox, T0 } from './outbox.ts';

export const ACCEPTED: Delivery = { outcome: 'accepted' };
export const DOWN: Delivery = { outcome: 'retry', reason: 'server_error' };
export const HOLD_MS = 3_600_000;

/** One request that a receiver got. */
export interface Got {
  /** ms since T0. */
  readonly at: number;
  readonly batch: readonly Notification[];
}

export interface Scripted extends Receiver {
  readonly got: readonly Got[];
  /** `resource` of everything that it took, in order. */
  taken(): (string | undefined)[];
}

/** Answers as `answer` says; it remembers what it got. */
export function receiver(
  answer: (batch: readonly Notification[], signal: AbortSignal, nth: number) => Delivery | Promise<Delivery>,
  { name = 'oncall', maxBatch = 256 } = {},
): Scripted {
  const got: Got[] = [];
  const taken: (string | undefined)[] = [];
  return {
    traits: { name },
    type: 'scripted',
    maxBatch,
    got,
    taken: () => taken,
    async send(batch, signal) {
      got.push({ at: Date.now() - T0, batch });
      const delivery = await answer(batch, signal, got.length);
      if (delivery.outcome === 'accepted') taken.push(...batch.map(({ alert }) => alert.labels.resource));
      return delivery;
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}

/** Never answers; ends only when it is told to. */
export function hang(_batch: unknown, signal: AbortSignal): Promise<Delivery> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
}

/** Numbers from 0 to 1 that are the same at each run (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Starts one. `random` is 1 (all but) unless told otherwise: each wait is as long as it can be. */
export function dispatching(
  outbox: MemoryOutbox,
  receivers: readonly Receiver[],
  options: Partial<DispatcherOptions> = {},
) {
  const observed: Delivered[] = [];
  const errors: string[] = [];
  const dispatcher = startDispatcher({
    receivers,
    outbox,
    holdMs: HOLD_MS,
    graceMs: 5_000,
    now: Date.now,
    random: () => 0.999_999,
    observe: (event) => observed.push(event),
    onError: (error, where) => errors.push(`${where}: ${error}`),
    ...options,
  });
  return {
    dispatcher,
    observed,
    errors,
    wake: () => dispatcher.wake(),
    [Symbol.asyncDispose]: async () => {
      const ended = dispatcher[Symbol.asyncDispose]();
      await vi.advanceTimersByTimeAsync(10_000);
      await ended;
    },
  };
}

/** Lets `ms` pass. */
export const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
