/** Generations of a key's material: new ones, ones that came back, and looks that are older than what is known. */
import type { KeyFacts, KeyRecord, Version } from './model.ts';

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
 * The record's version fields after a conclusive look, and the changes that it shows, oldest first: the last of them is to
 * the current version, those before it came and went while nobody looked. The first version ever seen is no change. Facts
 * without a version keep the last one known: material that went away and comes back is no event.
 */
export function takeVersion(
  record: KeyRecord,
  facts: KeyFacts,
  at: number,
): { readonly fields: Versions; readonly changes: readonly VersionChange[] } {
  const known = record.facts?.version;
  if (known === undefined) return { fields: { facts }, changes: [] };
  if (facts.version === undefined) return { fields: { facts: { ...facts, version: known } }, changes: [] };
  const { id } = facts.version;
  if (id === known.id) return { fields: { facts }, changes: [] };
  const back = wasBefore(record, id);
  const missed = back ? [] : withPrevious(between(record, facts, known, facts.version), record, facts);
  const past = record.pastVersions.filter((version) => version !== id && version !== known.id);
  return {
    fields: {
      facts,
      versionChanges: record.versionChanges + missed.length + 1,
      versionDetectedAt: at,
      pastVersions: [...past, known.id, ...missed].slice(-PAST_VERSIONS_KEPT),
    },
    changes: [
      ...steps([known.id, ...missed]),
      { type: back ? 'rolled_back' : 'new_version', from: missed.at(-1) ?? known.id, to: id },
    ],
  };
}

/**
 * What details tell of versions that came and went between the two that were seen last, oldest first. Details come after
 * the look, so these are told after the current one; first sight stays the baseline.
 */
export function takeDetailedVersions(
  record: KeyRecord,
  details: KeyFacts,
): { readonly fields: Versions; readonly changes: readonly VersionChange[] } {
  const before = record.pastVersions.at(-1);
  const { version } = details;
  if (before === undefined || version === undefined) return { fields: {}, changes: [] };
  const missed = between(record, details, { id: before }, version);
  if (missed.length === 0) return { fields: {}, changes: [] };
  return {
    fields: {
      versionChanges: record.versionChanges + missed.length,
      pastVersions: [...record.pastVersions, ...missed].slice(-PAST_VERSIONS_KEPT),
    },
    changes: steps([before, ...missed]),
  };
}

/** From each to the next. */
function steps(ids: readonly string[]): readonly VersionChange[] {
  return ids.slice(1).map((to, at) => ({ type: 'new_version', from: ids[at] ?? to, to }));
}

/** Ids of versions made between the two, never seen, oldest first. What has no date has no place among them. */
function between(record: KeyRecord, facts: KeyFacts, from: Version, to: Version): readonly string[] {
  const { versions = [] } = facts;
  const bornAt = ({ id, createdAt }: Version) => versions.find((one) => one.id === id)?.createdAt ?? createdAt;
  const [first, last] = [bornAt(from), bornAt(to)];
  if (first === undefined || last === undefined) return [];
  const dated = versions.flatMap(({ id, createdAt }) => (createdAt === undefined ? [] : [{ id, createdAt }]));
  return dated
    .filter(({ id, createdAt }) => createdAt > first && createdAt <= last && id !== to.id && isNews(record, facts, id))
    .sort((a, b) => a.createdAt - b.createdAt)
    .map(({ id }) => id);
}

/** The one directly before the current one, where the cloud names it, was current whatever is known of its date. */
function withPrevious(missed: readonly string[], record: KeyRecord, facts: KeyFacts): readonly string[] {
  const previous = facts.previousVersion?.id;
  if (previous === undefined || previous === facts.version?.id || !isNews(record, facts, previous)) return missed;
  return [...missed.filter((id) => id !== previous), previous];
}

/** Neither seen before, nor on its way in: a rotation that was given up left a version that never was current. */
function isNews(record: KeyRecord, { pendingVersion }: KeyFacts, id: string): boolean {
  if (id === record.facts?.version?.id || id === pendingVersion?.id) return false;
  return !wasBefore(record, id);
}

function wasBefore(record: KeyRecord, id: string | undefined): boolean {
  if (id === undefined) return false;
  return record.facts?.previousVersion?.id === id || record.pastVersions.includes(id);
}
