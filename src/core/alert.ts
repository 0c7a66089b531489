/**
 * Alerts as data: what is wrong, and what each receiver was told of it. Pure; instants are milliseconds since the epoch.
 * Names, labels and annotations are a contract with whoever routes them.
 */

/** Alerts that are pushed. `KeyvigilAbsent` and `KeyvigilWatchdog` exist as Prometheus rules only. */
export const ALERT_NAMES = [
  'KeyvigilKeyInaccessible',
  'KeyvigilKeyDeletionScheduled',
  'KeyvigilKeyDeletionImminent',
  'KeyvigilConsumerImpaired',
  'KeyvigilKeyExpiring',
  'KeyvigilKeyExpired',
  'KeyvigilRotationOverdue',
  'KeyvigilRotationStuck',
  'KeyvigilRotationNotPropagated',
  'KeyvigilNewKeyVersion',
  'KeyvigilKeyMisconfigured',
  'KeyvigilKeyStatusUnknown',
  'KeyvigilAccountBlind',
  'KeyvigilSourceDown',
  'KeyvigilCheckStale',
  'KeyvigilKeySetShrank',
  'KeyvigilNotificationFailing',
  'KeyvigilConfigReloadFailed',
] as const;
export type AlertName = (typeof ALERT_NAMES)[number];

export type AlertSeverity = 'info' | 'warning' | 'critical';

/** What fires now, in Alertmanager's terms. */
export interface Alert {
  /** alertname + resource (+ finding; + version for `KeyvigilNewKeyVersion`); source alerts: alertname + target, location, service. */
  readonly fingerprint: string;
  /**
   * `alertname, severity, origin, resource, kind, provider, account, location, name` plus `finding` and the tag labels; source
   * alerts `alertname, severity, origin, target, location, service`. Never free text beyond what these are.
   */
  readonly labels: Readonly<Record<string, string>> & {
    readonly alertname: AlertName;
    readonly severity: AlertSeverity;
  };
  /** `summary, description, reason, affected, undo, since, recoverable_until, runbook_url, status_url`; an absent one is absent. */
  readonly annotations: Readonly<Record<string, string>>;
  /** When it began; constant while it fires. */
  readonly startsAt: number;
  /** Only for what ends by itself: a new version is told for 15 minutes. */
  readonly endsAt?: number;
}

/**
 * Why something must be sent. `first`: it was never acknowledged; told as resolved, it began and ended before it was. `changed`: its labels or what it says changed (a rise in severity
 * resolves the old and fires the new in one request). `resolved`: it is over. `resend`: a receiver that forgets must hear it
 * again. `reminder`: it was told long ago and still fires.
 */
export type DueReason = 'first' | 'changed' | 'resolved' | 'resend' | 'reminder';

export type AlertStatus = 'firing' | 'resolved';

/** What one receiver was told of one alert, and what it must be told. The store keeps exactly this. */
export interface NotificationRecord {
  readonly receiver: string;
  readonly fingerprint: string;
  /** As it was told last, or will be: labels are frozen while it fires. */
  readonly alert: Alert;
  readonly status: AlertStatus;
  readonly reason: DueReason;
  /**
   * What the receiver was told of it with other labels (a rise in severity), `endsAt`: when it was replaced. Resolved in the
   * request that tells `alert`.
   */
  readonly replaces?: Alert;
  /**
   * In the outbox since then, not acknowledged yet; absent: nothing waits. What changes while it waits counts on by 1 ms, so
   * that an acknowledgement of the old is none of the new, and it still shows for how long the receiver took nothing.
   */
  readonly queuedAt?: number;
  /** When `alert` in `status` was last acknowledged; absent: never. */
  readonly sentAt?: number;
  /** When the alert ended, if it did: it goes on being told to receivers that forget. */
  readonly resolvedAt?: number;
  /** When the end was first acknowledged, once it was told again since. */
  readonly endHeardAt?: number;
  /** Attempts to deliver what is queued, and when the next one is allowed. */
  readonly attempts: number;
  readonly notBefore?: number;
  /** The receiver refused this very alert for good: it is not offered again until it changes. */
  readonly dead?: { readonly at: number; readonly reason: DeliveryFailure };
}

/** Why a receiver did not take what it was given; closed, a metric label. */
export const DELIVERY_FAILURES = [
  'timeout',
  'network',
  'dns',
  'throttled',
  'server_error',
  'refused',
  'unauthorized',
  'redirected',
  'bad_response',
] as const;
export type DeliveryFailure = (typeof DELIVERY_FAILURES)[number];

/** How a receiver differs from another in what it must be told, and when. */
export interface ReceiverTraits {
  readonly name: string;
  /** Send what fires (and, for 15 minutes, what ended) again after so long, ms; absent: it remembers by itself. */
  readonly resendMs?: number;
  /**
   * That an alert ended is told so much later, ms; absent: at once. An Alertmanager silences the same alert of the rules by
   * the pushed one, and the rules need a scrape and an evaluation to see the end too.
   */
  readonly endAfterMs?: number;
  /** What still fires is told again after so long, ms, for people who have put it aside; absent: never. */
  readonly reminderMs?: number;
  /** Alerts that it is not told of at all; absent: it is told of all. */
  readonly ignores?: readonly AlertName[];
}
