/**
 * API budgets: one token bucket per account, location and operation, filled at a share of the published quota, and one cap
 * on requests in flight. Both make callers wait; nothing is ever dropped.
 */
import { sleep } from './deadline.ts';

/** Seconds of budget that an idle bucket saves up: enough that a small account never waits, small against any quota. */
const BURST_SECONDS = 2;

interface Bucket {
  readonly perSecond: number;
  readonly capacity: number;
  tokens: number;
  filledAt: number;
}

export interface Budget {
  /** Waits for `count` tokens of the bucket. `perSecond` is the published quota; the share is applied here. */
  take(bucket: string, perSecond: number, signal: AbortSignal, count?: number): Promise<void>;
  /** Takes tokens without waiting, for requests that were made already (the SDK's own retries): later callers wait. */
  charge(bucket: string, perSecond: number, count: number): void;
}

/** @param share of each quota, 0 to 1; @param monotonic milliseconds that never jump (`performance.now`) */
export function createBudget(share: number, monotonic: () => number): Budget {
  const buckets = new Map<string, Bucket>();

  function fill(name: string, quota: number): Bucket {
    const now = monotonic();
    let bucket = buckets.get(name);
    if (!bucket) {
      const perSecond = quota * share;
      const capacity = Math.max(1, perSecond * BURST_SECONDS);
      bucket = { perSecond, capacity, tokens: capacity, filledAt: now };
      buckets.set(name, bucket);
    }
    bucket.tokens = Math.min(bucket.capacity, bucket.tokens + ((now - bucket.filledAt) / 1000) * bucket.perSecond);
    bucket.filledAt = now;
    return bucket;
  }

  return {
    async take(name, quota, signal, count = 1) {
      signal.throwIfAborted();
      const bucket = fill(name, quota);
      // Taken before the wait, into debt if need be: callers are served in the order in which they came.
      bucket.tokens -= count;
      if (bucket.tokens >= 0) return;
      await sleep(Math.ceil((-bucket.tokens / bucket.perSecond) * 1000), signal);
    },
    charge(name, quota, count) {
      fill(name, quota).tokens -= count;
    },
  };
}

/** A cap on how many run at once; the rest wait in order. */
export interface Gate {
  enter(signal: AbortSignal): Promise<Disposable>;
}

/** @param size how many may be inside at once */
export function createGate(size: number): Gate {
  let inside = 0;
  const waiting: Array<() => void> = [];

  function leave(): void {
    inside -= 1;
    waiting.shift()?.();
  }

  return {
    async enter(signal) {
      signal.throwIfAborted();
      while (inside >= size) {
        const turn = Promise.withResolvers<void>();
        const abort = () => turn.reject(signal.reason);
        waiting.push(turn.resolve);
        signal.addEventListener('abort', abort, { once: true });
        try {
          await turn.promise;
        } catch (error) {
          const at = waiting.indexOf(turn.resolve);
          // Already called: the turn is handed on, or it would be lost with this caller.
          if (at === -1) waiting.shift()?.();
          else waiting.splice(at, 1);
          throw error;
        } finally {
          signal.removeEventListener('abort', abort);
        }
      }
      inside += 1;
      let left = false;
      return {
        [Symbol.dispose]() {
          if (left) return;
          left = true;
          leave();
        },
      };
    },
  };
}
