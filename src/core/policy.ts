import type { Severity } from './model.ts';

/** The part of the configuration that the pure core obeys. Durations in milliseconds. */
export interface Policy {
  readonly confirmations: { readonly inaccessible: number; readonly accessible: number; readonly blind: number };
  readonly describeEveryMs: number;
  readonly expiryWarningMs: number;
  readonly staleAfterMs: number;
  readonly forgetAfterMs: number;
  /** Globs over names and resources; `*` matches any run of characters, slashes included. */
  readonly critical: readonly string[];
  /** Finding id to severity, or `off`. */
  readonly rules: Readonly<Record<string, Severity | 'off'>>;
}
