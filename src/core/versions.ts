/** Generations of a key's material: new ones, ones that came back, and looks that are older than what is known. */
import type { KeyFacts, KeyRecord } from './model.ts';

const PAST_VERSIONS_KEPT = 100;

/**
 * How long replicas of a cloud may answer with an older state. What it insists on for longer is the truth: a key restored
 * from a backup carries its old dates, and must not stay lost for that.
 */
const STALE_READS_LAST_MS = 15 * 60_000;

/**
 * Whether a look told of an older state than the one known: changed earlier, or with material that cannot come back.
 * @param at ms; when the look was
 */
export function isStaleRead(record: KeyRecord, facts: KeyFacts, at: number, versionsCanReturn: boolean): boolean {
  if (record.conclusiveAt !== undefined && at - record.conclusiveAt > STALE_READS_LAST_MS) return false;
  const known = record.facts;
  if (known?.changedAt !== undefined && facts.changedAt !== undefined && facts.changedAt < known.changedAt) return true;
  return !versionsCanReturn && facts.version?.id !== known?.version?.id && wasBefore(record, facts.version?.id);
}

type Versions = Partial<Pick<KeyRecord, 'facts' | 'versionChanges' | 'versionDetectedAt' | 'pastVersions'>>;

export interface VersionChange {
  readonly type: 'new_version' | 'rolled_back';
  readonly from: string;
  readonly to: string;
}

/**
 * The record's version fields after a conclusive look, and the change that it shows, if any. The first version ever seen
 * is no change. Facts without a version keep the last one known: material that went away and comes back is no event.
 */
export function takeVersion(
  record: KeyRecord,
  facts: KeyFacts,
  at: number,
): { readonly fields: Versions; readonly change?: VersionChange } {
  const known = record.facts?.version;
  if (known === undefined) return { fields: { facts } };
  if (facts.version === undefined) return { fields: { facts: { ...facts, version: known } } };
  const { id } = facts.version;
  if (id === known.id) return { fields: { facts } };
  const past = record.pastVersions.filter((version) => version !== id && version !== known.id);
  return {
    fields: {
      facts,
      versionChanges: record.versionChanges + 1,
      versionDetectedAt: at,
      pastVersions: [...past, known.id].slice(-PAST_VERSIONS_KEPT),
    },
    change: { type: wasBefore(record, id) ? 'rolled_back' : 'new_version', from: known.id, to: id },
  };
}

function wasBefore(record: KeyRecord, id: string | undefined): boolean {
  if (id === undefined) return false;
  return record.facts?.previousVersion?.id === id || record.pastVersions.includes(id);
}
