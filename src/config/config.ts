/** The parsed configuration: YAML names, defaults filled in, durations in milliseconds, secrets still where they were. */
import type { Severity } from '../core/model.ts';

/** What every target has, whatever its provider. Provider fields (`regions`, `subscription`, …) stand beside these. */
export interface TargetConfig {
  readonly name: string;
  readonly provider: 'aws' | 'azure';
  /** node-cron expression; the top-level one otherwise. */
  readonly schedule?: string;
  /** IANA zone of `schedule`; the top-level one otherwise. */
  readonly timezone?: string;
  /** Parsed configuration of each service that is on, by name. */
  readonly services: Readonly<
    Record<string, { readonly schedule?: string; readonly timezone?: string; readonly [option: string]: unknown }>
  >;
  readonly [field: string]: unknown;
}

/** A secret from the configuration: inline, or the path of a file that is read when it is needed. Prints as `<secret>`. */
export interface SecretSource {
  /** Reads the value (trailing newline removed). Rejects with a clear error naming the file. */
  read(): Promise<string>;
  toString(): '<secret>';
  toJSON(): '<secret>';
}

/** A receiver. Each secret among its options is a `SecretSource` under its plain name (`url`, `routingKey`, `secret`). */
export interface ReceiverConfig {
  readonly name: string;
  readonly type: 'alertmanager' | 'slack' | 'pagerduty' | 'webhook';
  readonly options: Readonly<Record<string, unknown>>;
}

/** The whole configuration. */
export interface Config {
  /** Path of the file that it came from, absolute; absent for the built-in demo. */
  readonly file?: string;
  readonly listen: { readonly host: string; readonly port: number };
  /** Absolute path of the SQLite file. */
  readonly state: string;
  readonly schedule: string;
  /** IANA zone of the schedules; UTC unless set. */
  readonly timezone: string;
  readonly targets: readonly TargetConfig[];
  readonly policy: {
    readonly confirmations: { readonly inaccessible: number; readonly accessible: number; readonly blind: number };
    readonly describeEvery: number;
    readonly expiryWarning: number;
    readonly staleAfter: number;
    readonly forgetAfter: number;
    readonly alertHold: number;
    readonly critical: readonly string[];
    readonly rules: Readonly<Record<string, Severity | 'off'>>;
  };
  /** Tag keys copied to alerting series, at most 3. */
  readonly labels: readonly string[];
  readonly receivers: readonly ReceiverConfig[];
  readonly heartbeat?: { readonly url: string; readonly every: number };
  /** Share of each published quota, 0 to 1. */
  readonly budget: number;
  readonly outbound: { readonly proxy?: 'env'; readonly caFile?: string };
  readonly retention: { readonly events: number };
  readonly log: { readonly level: 'debug' | 'info' | 'warn' | 'error'; readonly format: 'json' | 'text' };
  readonly web: { readonly configFile?: string; readonly allowUnauthenticated: boolean; readonly externalUrl?: string };
}
