/** Several sources may look at one key. Conclusive counts before inconclusive, then the newest. */
import type { SourceId, Witness } from './model.ts';
import type { Policy } from './policy.ts';

/** A record, of a key or a consumer, as far as it knows who saw it. */
interface Witnessed {
  readonly witnesses: readonly Witness[];
}

/** A look, at a key or a consumer, as far as it says who took it and when (ms). */
interface Look {
  readonly source: SourceId;
  readonly at: number;
}

/** Whether this source has told this or something newer before. An instant after `now` proves only that the clock was set back. */
export function isReplayed(record: Witnessed, observation: Look, now: number): boolean {
  const last = record.witnesses.find((witness) => isFrom(witness, observation.source));
  return last !== undefined && observation.at <= last.at && last.at <= now;
}

/**
 * Whether another source sees the key well, so that an inconclusive look of this one proves nothing about the key. Its
 * look may be as old as a key's turn in the sweeps (`describeEvery`) plus what policy tolerates (`staleAfter`).
 */
export function hasBetterWitness(record: Witnessed, observation: Look, policy: Policy, now: number): boolean {
  const oldest = observation.at - policy.describeEveryMs - policy.staleAfterMs;
  return record.witnesses.some(
    (witness) =>
      witness.conclusive && witness.at >= oldest && witness.at <= now && !isFrom(witness, observation.source),
  );
}

/** The witnesses once this look is taken into account. */
export function withWitness(witnesses: readonly Witness[], observation: Look, conclusive: boolean): readonly Witness[] {
  const { target, service, location } = observation.source;
  const others = witnesses.filter((witness) => !isFrom(witness, observation.source));
  return [...others, { target, service, location, at: observation.at, conclusive }];
}

/** Whether it was this source that looked. */
export function isFrom(witness: SourceId, source: SourceId): boolean {
  return witness.target === source.target && witness.service === source.service && witness.location === source.location;
}
