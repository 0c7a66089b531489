/** The contract of a receiver: one file each, one line in the registry, one conformance suite for all. */
import type { SecureContext } from 'node:tls';
import type { Alert, AlertStatus, DeliveryFailure, DueReason, ReceiverTraits } from '../core/alert.ts';

/** One thing to tell. */
export interface Notification {
  readonly alert: Alert;
  readonly status: AlertStatus;
  readonly reason: DueReason;
  /** ms; the same however often it is sent, and another one for whatever is told later: tells one telling from the next. */
  readonly queuedAt: number;
  /** ms; when it ended, for what is resolved; until when it holds without being told again, for what fires. */
  readonly endsAt: number;
}

/**
 * What became of a batch. `accepted`: acknowledged, all of it. `retry`: not now, all of it; no earlier than `retryAfterMs`.
 * `refused`: this request will never be taken as it is: one of the alerts in it is poisoned (`refused`), or the receiver
 * does not know us (`unauthorized`: a password, a token, a channel that is gone), which no other batch would change.
 * `detail` is for people, beside the reason: a status, the code of an error. It holds no secret.
 */
export type Delivery =
  | { readonly outcome: 'accepted' }
  | {
      readonly outcome: 'retry';
      readonly reason: DeliveryFailure;
      readonly retryAfterMs?: number;
      readonly detail?: string;
    }
  | { readonly outcome: 'refused'; readonly reason: DeliveryFailure; readonly detail?: string };

export interface Receiver extends AsyncDisposable {
  readonly traits: ReceiverTraits;
  /** `alertmanager`, `pagerduty`, `slack`, `webhook`. */
  readonly type: string;
  /** Most alerts in one request. */
  readonly maxBatch: number;
  /**
   * Delivers one batch, in one request (to each peer). Never throws for what a network or a receiver can do; holds its own
   * deadline per request; follows no redirect; logs nothing.
   * @throws only the abort reason of `signal`
   */
  send(batch: readonly Notification[], signal: AbortSignal): Promise<Delivery>;
}

/** What every receiver is made with besides its own configuration. */
export interface ReceiverOptions {
  /** ms; of one request, body included. */
  readonly timeoutMs: number;
  /** How long what fires holds at a receiver that is not told again, ms (`policy.alertHold`). */
  readonly holdMs: number;
  /** What connections trust; absent: what Node does. */
  readonly trust?: SecureContext;
  /** For proxies; empty where the configuration asks for none. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  /** Where people reach keyvigil (`web.externalUrl`, else the address it listens on). */
  readonly statusUrl: string;
}
