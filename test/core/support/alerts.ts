/** A world of keys, consumers and sources, and what fires in it. */
import type { Alert, AlertName } from '../../../src/core/alert.ts';
import { type AlertContext, alertsFrom } from '../../../src/core/alerts/index.ts';
import type { ConsumerRecord, KeyRecord, SourceRecord } from '../../../src/core/model.ts';
import type { Snapshot } from '../../../src/core/snapshot.ts';
import { graphOf, OPTIONS } from './graphs.ts';
import { HOUR, MINUTE, POLICY, T0 } from './looks.ts';

export const KMS = { target: 'prod', location: 'eu-west-1', service: 'kms' } as const;
export const SECRETS = { ...KMS, service: 'secrets-manager' } as const;

export function source(parts: Partial<SourceRecord> = {}): SourceRecord {
  return {
    ...SECRETS,
    provider: 'aws',
    up: true,
    lastAttemptAt: T0 + 1000 * HOUR,
    lastSuccessAt: T0 + 1000 * HOUR,
    detectionBoundMs: 2 * MINUTE,
    failures: {},
    transitions: {},
    ...parts,
  };
}

export function down(downSince: number, parts: Partial<SourceRecord> = {}): SourceRecord {
  return source({ up: false, reason: 'timeout', downSince, ...parts });
}

export function blindSince(
  since: number,
  where: typeof KMS | typeof SECRETS = SECRETS,
): Pick<KeyRecord, 'blindSince' | 'blindReason' | 'inconclusive' | 'witnesses'> {
  return {
    blindSince: since,
    blindReason: 'denied',
    inconclusive: 3,
    witnesses: [{ ...where, at: since, conclusive: false }],
  };
}

export function context(parts: Partial<AlertContext> = {}): AlertContext {
  return {
    policy: POLICY,
    tagLabels: [],
    statusUrl: 'https://keyvigil.example.com',
    runbookUrl: 'https://example.com/docs/runbooks',
    now: T0 + HOUR,
    failingReceivers: [],
    ...parts,
  };
}

export interface World {
  readonly keys?: readonly KeyRecord[];
  readonly consumers?: readonly ConsumerRecord[];
  readonly sources?: readonly SourceRecord[];
  readonly critical?: readonly string[];
}

export function snapshotOf({ keys = [], consumers = [], sources = [], critical = [] }: World): Snapshot {
  const options = { policy: { ...POLICY, critical }, remedy: (reason: string) => `undo ${reason}` };
  return graphOf(keys, consumers, { ...OPTIONS, ...options }).snapshot({ at: T0, sources, storeUp: true });
}

/** What fires in a world at an instant. */
export function firing(world: World, now = T0 + HOUR, parts: Partial<AlertContext> = {}): readonly Alert[] {
  return alertsFrom(snapshotOf(world), context({ now, ...parts }));
}

/** `KeyvigilKeyInaccessible critical kms-key`, each alert in a line. */
export function lines(alerts: readonly Alert[]): readonly string[] {
  return alerts.map(({ labels: { alertname, severity, resource, target, name } }) =>
    [alertname.replace('Keyvigil', ''), severity, resource ?? target ?? name].filter(Boolean).join(' '),
  );
}

export function one(alerts: readonly Alert[], alertname: AlertName): Alert {
  const found = alerts.filter(({ labels }) => labels.alertname === alertname);
  if (found.length !== 1) throw new Error(`${found.length} of ${alertname}`);
  return found[0] as Alert;
}
