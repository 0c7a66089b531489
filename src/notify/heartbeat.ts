/**
 * The outbound dead man's switch: somebody else raises the alarm when this falls silent. It speaks only while keyvigil does
 * its work, so that a daemon that runs and sees nothing, or cannot tell anybody, is as silent as one that is dead.
 */
import type { SourceRecord } from '../core/model.ts';
import { sleep } from '../engine/deadline.ts';
import type { Poster } from './http.ts';

/** Why no beat is sent. */
export type Silence = 'nothing_read' | 'outbox_stuck';

/** How keyvigil does, at the moment of a beat. Times in ms since the epoch. */
export interface Vitals {
  /** When the source that was read longest ago was last read with success; absent: none was ever. */
  readonly oldestReadAt?: number;
  /** When any source was last read with success. */
  readonly newestReadAt?: number;
  /** How long that may be ago, ms: one source that fails is an alert, none that is read is blindness. */
  readonly readWithinMs: number;
  /** Since when something waits for a receiver that does not take it; absent: nothing does. */
  readonly stuckSince?: number;
}

/** An outbox that is stuck for so long is one that tells nobody anything, ms. */
const STUCK_MS = 5 * 60_000;
/** Before any source knows better, ms. */
const LEAST_BOUND_MS = 75_000;

/** Whether to beat: the age (seconds) of the oldest reading, or why not. Pure. */
export function beatOf(vitals: Vitals, now: number): { readonly ageSeconds: number } | { readonly silence: Silence } {
  const { oldestReadAt, newestReadAt, readWithinMs, stuckSince } = vitals;
  if (stuckSince !== undefined && now - stuckSince >= STUCK_MS) return { silence: 'outbox_stuck' };
  if (oldestReadAt === undefined || newestReadAt === undefined || now - newestReadAt > readWithinMs) {
    return { silence: 'nothing_read' };
  }
  return { ageSeconds: Math.max(0, Math.round((now - oldestReadAt) / 1000)) };
}

/** @param failing since when each receiver that fails does so, ms */
export function vitalsOf(sources: readonly SourceRecord[], failing: readonly number[]): Vitals {
  const read = sources.flatMap(({ lastSuccessAt }) => lastSuccessAt ?? []);
  const bounds = sources.flatMap(({ detectionBoundMs, reason }) => (reason ? [] : (detectionBoundMs ?? [])));
  return {
    // As often as a source may stay unread before that is an alert.
    readWithinMs: 3 * Math.max(LEAST_BOUND_MS, ...bounds),
    ...(read.length > 0 && { oldestReadAt: Math.min(...read), newestReadAt: Math.max(...read) }),
    ...(failing.length > 0 && { stuckSince: Math.min(...failing) }),
  };
}

export interface HeartbeatOptions {
  readonly url: string;
  readonly everyMs: number;
  readonly poster: Poster;
  vitals(): Vitals;
  now(): number;
  /** Told when beats begin to fail or to be held back, and why; and when they go out again. */
  onChange(state: 'beating' | Silence | 'undelivered'): void;
}

/** Beats until it is disposed of. The poster stays the caller's. */
export function startHeartbeat(options: HeartbeatOptions): AsyncDisposable {
  const stop = new AbortController();
  let state: Parameters<HeartbeatOptions['onChange']>[0] | undefined;

  function note(next: NonNullable<typeof state>): void {
    if (next === state) return;
    state = next;
    options.onChange(next);
  }

  async function beat(): Promise<void> {
    const now = options.now();
    const what = beatOf(options.vitals(), now);
    if ('silence' in what) return note(what.silence);
    const body = JSON.stringify({ status: 'ok', oldest_check_age_seconds: what.ageSeconds });
    const { outcome } = await options.poster.post({ url: options.url, body }, stop.signal);
    note(outcome === 'accepted' ? 'beating' : 'undelivered');
  }

  async function run(): Promise<void> {
    while (!stop.signal.aborted) {
      await sleep(options.everyMs, stop.signal);
      await beat();
    }
  }

  const running = run().catch((error: unknown) => {
    if (!stop.signal.aborted) throw error;
  });
  return {
    async [Symbol.asyncDispose]() {
      stop.abort(new Error('stopped'));
      await running;
    },
  };
}
