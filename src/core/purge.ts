/** What only the record can tell of a verdict: what was there before, and for how long it has been gone. */
import type { KeyRecord, Observation, Verdict } from './model.ts';

/** How long (ms) a key must be gone until that proves that nothing brings it back; `agreed`: if a second witness says so too. */
export interface PurgedAfter {
  readonly alone: number;
  readonly agreed: number;
}

const PURGED: Verdict = { status: 'inaccessible', reason: 'purged' };

/**
 * The verdict of a look in the light of the record. Whether there ever was a current version: a secret that was never
 * filled is not lost. How long a key has been gone already: for a minute after a delete, and again after a recovery, Azure
 * answers 404 to everything (azure.md 0a.1), so only time tells a purge from that.
 */
export function verdictOf(record: KeyRecord, observation: Observation, purgedAfter: PurgedAfter | undefined): Verdict {
  const { at, facts, verdict } = observation;
  if (verdict.status !== 'inaccessible') return verdict;
  if (verdict.reason === 'no_current_version') {
    const neverFilled = facts !== undefined && facts.version === undefined && record.facts?.version === undefined;
    return neverFilled ? { status: 'accessible' } : verdict;
  }
  if (verdict.reason !== 'not_found' || !purgedAfter) return verdict;
  const believed = record.belief?.verdict;
  const known = believed?.status === 'inaccessible' ? believed.reason : undefined;
  if (known === 'purged') return PURGED;
  const failure = observation.facts === undefined ? observation.failure : undefined;
  const needed =
    failure?.purgeable === false ? Number.POSITIVE_INFINITY : failure?.agreed ? purgedAfter.agreed : purgedAfter.alone;
  if (record.gone) return at - record.gone.since >= needed ? PURGED : verdict;
  if (known !== 'soft_deleted') return verdict;
  // What was soft-deleted is on its way back, or purged. Neither is the loss of anything that was not lost already.
  const { pending } = record;
  if (pending?.verdict.status === 'inaccessible' && pending.verdict.reason === 'purged') return PURGED;
  const since = record.transitionalSince ?? at;
  return at - since >= needed ? PURGED : { status: 'unknown', reason: 'transitional' };
}
