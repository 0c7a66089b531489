/**
 * Delivers what is queued. Each receiver has a lane of its own, so that one that hangs delays no other; a lane sends one
 * request at a time, oldest first, and forgets nothing that was not acknowledged and committed. It opens nothing and keeps
 * nothing: what is queued, and what became of it, is the outbox's.
 */
import type { DeliveryFailure, NotificationRecord } from '../core/alert.ts';
import { createLane, type Lane } from './lane.ts';
import type { Receiver } from './receiver.ts';

/** What became of one record that was offered; `queuedAt` says which of its states. */
export interface Outcome {
  readonly fingerprint: string;
  readonly queuedAt: number;
  readonly outcome: 'accepted' | 'dead' | 'retry';
  readonly reason?: DeliveryFailure;
  /** ms; no other attempt before. */
  readonly notBefore?: number;
}

/** How much waits for a receiver. Instants in ms. */
export interface Standing {
  /** Queued, whether or not it may be tried now. */
  readonly pending: number;
  /** When the oldest of it was queued. */
  readonly oldestAt?: number;
  /** Refused for good. */
  readonly dead: number;
  /** Since when something waits although it was tried. */
  readonly failingSince?: number;
}

/** What is queued, durably: nothing is shown that was not committed before. A record that changes gets a later `queuedAt`. */
export interface Outbox {
  /** Queued records of a receiver whose `notBefore` passed, oldest first, at most `limit`. */
  pending(receiver: string, limit: number, now: number): readonly NotificationRecord[];
  /** When something of this receiver may be tried next, ms; undefined: nothing waits. */
  nextAt(receiver: string): number | undefined;
  /** Commits what became of these. A record that has another `queuedAt` by now stays queued. */
  settle(receiver: string, outcomes: readonly Outcome[], now: number): Promise<void>;
  standing(receiver: string): Standing;
}

/** What became of some records of one receiver: each attempt of each record is told once, after it was committed. */
export interface Delivered {
  readonly receiver: string;
  /** Records. */
  readonly count: number;
  readonly outcome: Outcome['outcome'];
  /** Why not; absent: accepted. */
  readonly reason?: DeliveryFailure;
  /** For people, beside the reason. */
  readonly detail?: string;
}

export interface DispatcherOptions {
  readonly receivers: readonly Receiver[];
  readonly outbox: Outbox;
  /** How long what fires holds at a receiver that is not told again, ms (`policy.alertHold`). */
  readonly holdMs: number;
  /** How long requests that are under way at the end may still take, ms. */
  readonly graceMs: number;
  /** ms since the epoch. */
  now(): number;
  /** 0 to 1, 1 excluded. */
  random(): number;
  observe(event: Delivered): void;
  /** A bug: a receiver that throws, an outbox that does. Deliveries go on. */
  onError(error: unknown, where: string): void;
}

/** What the metrics and the page show of a receiver. */
export interface ReceiverStatus extends Standing {
  readonly receiver: string;
  /** `alertmanager`, `slack`, … */
  readonly type: string;
  /** ms; absent: nothing since the start. */
  readonly lastAcceptedAt?: number;
  /** Why the last attempt came to nothing; absent once one succeeded. */
  readonly failure?: DeliveryFailure;
  /** For people, beside `failure`. */
  readonly detail?: string;
}

/** Disposing of it lets requests that are under way end within `graceMs`; everything else stays queued. */
export interface Dispatcher extends AsyncDisposable {
  /** Something was queued. Shortens no backoff. */
  wake(): void;
  status(): readonly ReceiverStatus[];
}

/** Starts to deliver. The receivers stay the caller's, to be disposed of after the dispatcher. */
export function startDispatcher(options: DispatcherOptions): Dispatcher {
  const stop = new AbortController();
  const cut = new AbortController();
  const lanes: readonly Lane[] = options.receivers.map((receiver) =>
    createLane(receiver, options, { stop: stop.signal, cut: cut.signal }),
  );
  const ended = Promise.all(lanes.map((lane) => lane.run()));

  return {
    wake() {
      for (const lane of lanes) lane.wake();
    },
    status: () => lanes.map((lane) => lane.status()),
    async [Symbol.asyncDispose]() {
      stop.abort();
      const timer = setTimeout(() => cut.abort(), options.graceMs);
      try {
        await ended;
      } finally {
        clearTimeout(timer);
      }
    },
  };
}
