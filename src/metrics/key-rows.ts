import type { OpenFinding } from '../core/model.ts';
import type { KeyView } from '../core/snapshot.ts';
import { type KeyRow, type KeySeriesRow, type KeyValueRow, mark, NONE, type Sample, seconds } from './row.ts';

type ValueRow = Omit<KeyValueRow, 'source' | 'type' | 'labels' | 'identity'> & { readonly identity?: true };
type SeriesRow = Omit<KeySeriesRow, 'source' | 'type' | 'identity'> & { readonly identity?: true };

function value(row: ValueRow): KeyRow {
  return { source: 'key', type: 'gauge', labels: [], identity: false, ...row };
}
function series(row: SeriesRow): KeyRow {
  return { source: 'key', type: 'gauge', identity: false, ...row };
}

/**
 * 1 or 0 as soon as anything conclusive is known of the key or of what it depends on; while a dependency is unknown the
 * key's own belief stands.
 */
function accessible(key: KeyView): number | undefined {
  if (key.health === 'inaccessible') return 0;
  if (key.health !== 'unknown') return 1;
  return key.own && (key.own.status === 'accessible' ? 1 : 0);
}

/** Open findings as series. */
export function findings(open: readonly OpenFinding[]): readonly Sample[] {
  if (open.length === 0) return NONE;
  return open.map(({ id, severity }) => ({ labels: [id, severity], value: 1 }));
}

/** One family per row; `KeyView` in, series out. */
export const KEY_ROWS: readonly KeyRow[] = [
  series({
    name: 'keyvigil_key_info',
    help: 'What a key is: 1, with its target, current version, spec and the state word of its cloud.',
    labels: ['target', 'version', 'spec', 'state'],
    identity: true,
    series: (key) => mark(key.targets[0], key.version, key.spec, key.state),
    example: 'count by (spec) (keyvigil_key_info{kind="aws-kms-key"})',
  }),
  value({
    name: 'keyvigil_key_accessible',
    help: 'Whether a key can be used: 1, or 0 if it or what it depends on is lost; absent until anything conclusive is known.',
    identity: true,
    value: accessible,
    example: 'last_over_time(keyvigil_key_accessible[15m]) == 0',
  }),
  series({
    name: 'keyvigil_key_finding',
    help: 'A rule that a key breaks: 1 while the finding is open.',
    labels: ['finding', 'severity'],
    identity: true,
    series: (key) => findings(key.findings),
    example: 'keyvigil_key_finding{severity=~"warning|critical"}',
  }),
  series({
    name: 'keyvigil_key_reason',
    help: 'Why the health of a key is not accessible: 1.',
    labels: ['reason'],
    series: (key) => (key.health !== 'accessible' && key.reason ? mark(key.reason) : NONE),
    example: 'keyvigil_key_accessible == 0 and on (resource) keyvigil_key_reason{reason="disabled"}',
  }),
  value({
    name: 'keyvigil_key_unhealthy_since_timestamp_seconds',
    help: 'Since when a key has its health, while that is not accessible.',
    value: (key) => (key.health === 'accessible' ? undefined : seconds(key.since)),
    example: 'time() - keyvigil_key_unhealthy_since_timestamp_seconds',
  }),
  series({
    name: 'keyvigil_key_root_cause',
    help: 'A key that is to blame for the loss of this one: 1 for each root.',
    labels: ['root'],
    series: (key) =>
      key.rootCauses.length === 0 ? NONE : key.rootCauses.map((root) => ({ labels: [root], value: 1 })),
    example: 'count by (root) (keyvigil_key_root_cause)',
  }),
  value({
    name: 'keyvigil_key_blind_since_timestamp_seconds',
    help: 'Since when nothing conclusive is coming in about a key, while that is so; what was believed stands.',
    value: (key) => seconds(key.blindSince),
    example: 'time() - keyvigil_key_blind_since_timestamp_seconds > 1800',
  }),
  series({
    name: 'keyvigil_key_blind',
    help: 'Why nothing conclusive is coming in about a key: 1 while it is blind.',
    labels: ['reason'],
    series: (key) => (key.blindSince !== undefined && key.blindReason ? mark(key.blindReason) : NONE),
    example: 'count by (reason) (keyvigil_key_blind)',
  }),
  value({
    name: 'keyvigil_key_consumers',
    help: 'Consumers and keys that depend on a key, directly or through others.',
    value: (key) => key.consumers,
    example: 'keyvigil_key_consumers > 0 and on (resource) keyvigil_key_accessible == 0',
  }),
  value({
    name: 'keyvigil_key_critical',
    help: 'Keys that the policy names critical: 1.',
    value: (key) => (key.critical ? 1 : undefined),
  }),
  value({
    name: 'keyvigil_key_baseline',
    help: 'Keys that were lost at first sight and still are: 1.',
    value: (key) => (key.baseline ? 1 : undefined),
    example: 'keyvigil_key_accessible == 0 unless on (resource) keyvigil_key_baseline',
  }),
  {
    source: 'key',
    type: 'counter',
    name: 'keyvigil_key_version_changes_total',
    help: 'New versions of a key and rollbacks since it was first seen; kept over restarts.',
    labels: [],
    identity: false,
    value: (key) => key.versionChanges,
    example: 'increase(keyvigil_key_version_changes_total[1h]) > 0',
  },
  value({
    name: 'keyvigil_key_version_created_timestamp_seconds',
    help: 'When the current version of a key was created.',
    value: (key) => seconds(key.versionCreatedAt),
    example: 'time() - keyvigil_key_version_created_timestamp_seconds > 90 * 86400',
  }),
  value({
    name: 'keyvigil_key_version_detected_timestamp_seconds',
    help: 'When the current version of a key was detected; absent until a change after first sight.',
    value: (key) => seconds(key.versionDetectedAt),
  }),
  value({
    name: 'keyvigil_key_expiry_timestamp_seconds',
    help: 'When a key or its material stops working by date.',
    value: (key) => seconds(key.expiresAt),
    example: 'keyvigil_key_expiry_timestamp_seconds - time() < 30 * 86400',
  }),
  value({
    name: 'keyvigil_key_deletion_timestamp_seconds',
    help: 'When the announced deletion of a key completes; for a secret at the earliest.',
    value: (key) => seconds(key.deletionAt),
    example: 'keyvigil_key_deletion_timestamp_seconds - time() < 72 * 3600',
  }),
  value({
    name: 'keyvigil_key_last_rotation_timestamp_seconds',
    help: 'When a key was last rotated.',
    value: (key) => seconds(key.lastRotatedAt),
  }),
  value({
    name: 'keyvigil_key_next_rotation_timestamp_seconds',
    help: 'When a key is to be rotated next.',
    value: (key) => seconds(key.nextRotationAt),
    example: 'keyvigil_key_next_rotation_timestamp_seconds < time()',
  }),
];
