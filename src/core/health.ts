/**
 * From looks to belief: the confirming state machine of one key. Pure: a record and an observation go in, a new record
 * and the events to log come out. Only `step` emits transitions and version events.
 */
import type { Finding, KeyEvent, KeyFacts, KeyRecord, Observation, Verdict } from './model.ts';
import type { Policy } from './policy.ts';

/** What a service's rules say of a key, and when (ms) that changes by itself; `until` absent: never. */
export interface RuleJudgement {
  readonly findings: readonly Finding[];
  readonly until?: number;
}

/** What `step` must know besides the record and the look. */
export interface StepRules {
  readonly policy: Policy;
  /** False where material never goes back to an earlier version: an old version id then is a stale read. */
  readonly versionsCanReturn: boolean;
  /** Every rule of the key's service, with its default severity; `policy.rules` is applied here, not there. */
  judge(facts: KeyFacts, now: number): RuleJudgement;
  /** Digest of what the listing said before this look; kept only if the look is conclusive, so that a failed one is repeated. */
  readonly digest?: string;
}

/**
 * Why a key wants another look within seconds. `pending`: a conclusive verdict differs from what is believed.
 * `inconclusive`: the last look proved nothing. `stale_read`: the look told of an older state than the one known.
 */
export type SuspectReason = 'pending' | 'inconclusive' | 'stale_read';

/**
 * Why a look changed nothing but (except for `replayed`) its witness. `replayed`: this source has told this or something
 * newer before. `older_look`: another source has conclusively looked since. `better_witness`: inconclusive, while another
 * source sees the key well. `stale_read`: see SuspectReason.
 */
export type IgnoredReason = 'replayed' | 'older_look' | 'better_witness' | 'stale_read';

export interface StepResult {
  readonly record: KeyRecord;
  /** In the order in which they are to be logged. */
  readonly events: readonly KeyEvent[];
  readonly suspect: SuspectReason | undefined;
  readonly ignored?: IgnoredReason;
}

/** True for verdicts that may change what is believed. */
export function isConclusive(verdict: Verdict): boolean {
  return verdict.status !== 'unknown';
}

/**
 * Takes one look into account.
 * @param record what is known of the key; undefined at first sight
 * @param now ms; never before `observation.at`, but maybe before instants of the record if the clock was set back
 */
export function step(
  record: KeyRecord | undefined,
  observation: Observation,
  rules: StepRules,
  now: number,
): StepResult {
  throw new Error(`${record?.resource} ${observation.at} ${rules.digest} ${now}`);
}

/**
 * Judges the rules again without a look: because `record.judgeAt` passed (also while blind), because policy changed, or
 * because details arrived. Returns the very same record when nothing changes.
 * @param details facts of this key whose details were fetched in the background; dropped if a look has told something newer
 */
export function rejudge(
  record: KeyRecord,
  rules: Pick<StepRules, 'policy' | 'judge'>,
  now: number,
  details?: KeyFacts,
): { readonly record: KeyRecord; readonly events: readonly KeyEvent[] } {
  throw new Error(`${record.resource} ${rules.policy.staleAfterMs} ${now} ${details?.resource}`);
}

/** Why the key wants another look within seconds, judged by its record alone (after a restart). Blind keys do not. */
export function stillSuspect(record: KeyRecord): Exclude<SuspectReason, 'stale_read'> | undefined {
  throw new Error(record.resource);
}

/**
 * True while the next regular sweep must describe the key whatever its listing says: pending, inconclusive, blind, in a
 * passing state, or never known. Wider than `stillSuspect`, which is about the seconds in between.
 */
export function unsettled(record: KeyRecord): boolean {
  throw new Error(record.resource);
}

export type ForgetReason = 'announced_deletion_completed' | 'forget_after';

/**
 * Why the record of a gone key may end (event `removed`), or undefined: it must stay. Never while something depends on
 * it, while it is blind, or while it may be coming back.
 * @param dependents consumers and keys that depend on it, directly or through others (`Graph.dependents`)
 */
export function forgettable(
  record: KeyRecord,
  now: number,
  policy: Policy,
  dependents: number,
): ForgetReason | undefined {
  throw new Error(`${record.resource} ${now} ${policy.forgetAfterMs} ${dependents}`);
}
