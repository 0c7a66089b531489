/** A token bucket: `burst` requests at once, and one more every `intervalMs`. */
export interface RateLimiter {
  /** @param now ms, monotonic */
  allow(now: number, limit: { readonly intervalMs: number; readonly burst: number }): boolean;
}

/** Makes a bucket that is full. */
export function createRateLimiter(): RateLimiter {
  let tokens = Number.POSITIVE_INFINITY;
  let at = 0;
  return {
    allow(now, { intervalMs, burst }) {
      tokens = Math.min(burst, tokens + (now - at) / intervalMs);
      at = now;
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
  };
}
