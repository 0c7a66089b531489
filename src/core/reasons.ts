/**
 * The closed lists of reasons. One list is the type, the metric label and the runbook anchor at once, so an entry is
 * never renamed.
 */

/** Reasons that prove a key unusable by itself. `unreachable` is a key provider's own endpoint, shown by its probe only. */
export const INACCESSIBLE_REASONS = [
  'disabled',
  'pending_deletion',
  'pending_import',
  'soft_deleted',
  'purged',
  'not_found',
  'store_unavailable',
  'decrypt_failed',
  'no_current_version',
  'unreachable',
] as const;
export type InaccessibleReason = (typeof INACCESSIBLE_REASONS)[number];

/** Reasons why a look proved nothing. None of them ever changes what is believed. */
export const UNKNOWN_REASONS = [
  'denied',
  'credentials',
  'throttled',
  'timeout',
  'network',
  'dns',
  'provider_error',
  'bad_response',
  'provider_retired',
  'never_checked',
  'transitional',
] as const;
export type UnknownReason = (typeof UNKNOWN_REASONS)[number];

/** Why a consumer is impaired or at risk. */
export const CONSUMER_REASONS = [
  'key_inaccessible',
  'access_revoked',
  'version_in_use_disabled',
  'reported_by_service',
  'not_watched',
] as const;
export type ConsumerReason = (typeof CONSUMER_REASONS)[number];

/** `dependency` is derived: every key that could decrypt it is inaccessible, and the root cause is named. */
export type KeyReason = InaccessibleReason | 'dependency' | UnknownReason | 'finding';

/**
 * Unknown reasons that speak of the way to the cloud or of the monitor's own credentials rather than of one key. Enough
 * of them in one sweep mean that the source failed, and then they are no look at any key at all.
 */
export const SOURCE_LEVEL_REASONS: readonly UnknownReason[] = [
  'credentials',
  'throttled',
  'timeout',
  'network',
  'dns',
  'provider_error',
  'bad_response',
  'provider_retired',
];
