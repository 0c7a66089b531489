/**
 * From looks to belief: the confirming state machine of one key. Pure: a record and an observation go in, a new record
 * and the events to log come out. Only `step` emits transitions and version events.
 */
import { settleFindings } from './findings.ts';
import type {
  Belief,
  ConclusiveVerdict,
  Finding,
  KeyEvent,
  KeyFacts,
  KeyRecord,
  KeyStub,
  Observation,
  Verdict,
} from './model.ts';
import type { Policy } from './policy.ts';
import { type PurgedAfter, verdictOf } from './purge.ts';
import type { InaccessibleReason, UnknownReason } from './reasons.ts';
import { isStaleRead, takeDetailedVersions, takeVersion, type VersionChange } from './versions.ts';
import { hasBetterWitness, isReplayed, withWitness } from './witness.ts';

/** How long a passing state (`Creating`, `RegisteringDns`) may last before it counts as trouble of the provider. */
const PASSING_MS = 15 * 60_000;

/** A rule that names an instant in the past must not make the engine judge without pause. */
const JUDGE_PAUSE_MS = 1_000;

const GONE: readonly (InaccessibleReason | undefined)[] = ['not_found', 'purged'];
const ANNOUNCED: readonly (InaccessibleReason | undefined)[] = ['pending_deletion', 'soft_deleted'];

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
  /** Absent: a key that is gone never counts as purged. */
  readonly purgedAfterMs?: PurgedAfter;
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
export function isConclusive(verdict: Verdict): verdict is ConclusiveVerdict {
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
  const ignored = record && whyIgnored(record, observation, rules, now);
  if (record && ignored === 'replayed') return { record, events: [], suspect: stillSuspect(record), ignored };

  const before = record ?? unseen(observation);
  const verdict = verdictOf(before, observation, rules.purgedAfterMs);
  const looked: KeyRecord = {
    ...before,
    checkedAt: before.checkedAt > now ? observation.at : Math.max(before.checkedAt, observation.at),
    witnesses: withWitness(before.witnesses, observation, isConclusive(verdict) && ignored !== 'stale_read'),
  };
  if (ignored) {
    return {
      record: looked,
      events: [],
      suspect: ignored === 'stale_read' ? 'stale_read' : stillSuspect(looked),
      ignored,
    };
  }
  const stepped = isConclusive(verdict)
    ? conclude(looked, observation, verdict, rules, now)
    : heard(failToConclude(looked, observation, verdict.reason, rules.policy), observation, rules, now);
  return {
    record: stepped.record,
    events: record ? stepped.events : [firstSeen(observation, verdict), ...stepped.events],
    suspect: stillSuspect(stepped.record),
  };
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
  if (!record.facts) return { record, events: [] };
  const { version } = record.facts;
  if (!details || !isOfSameState(details, record.facts)) return judged(record, record.facts, rules, now, false);
  // The first details belong to first sight: what they show is the baseline, not news.
  const first = record.facts.detailedAt === undefined;
  // The version is kept for comparison where the details tell none; where they do, they also know how old it is.
  const told = details.version ?? version;
  const facts = told === undefined ? details : { ...details, version: told };
  const missed = takeDetailedVersions(record, facts);
  const done = judged(missed.changes.length > 0 ? { ...record, ...missed.fields } : record, facts, rules, now, first);
  return { ...done, events: [...missed.changes.map((change) => versionEvent(record, change, now)), ...done.events] };
}

/** Why the key wants another look within seconds, judged by its record alone (after a restart). Blind keys do not. */
export function stillSuspect(record: KeyRecord): Exclude<SuspectReason, 'stale_read'> | undefined {
  if (record.blindSince !== undefined) return undefined;
  if (record.pending) return 'pending';
  return record.inconclusive > 0 ? 'inconclusive' : undefined;
}

/**
 * True while the next regular sweep must describe the key whatever its listing says: pending, inconclusive, blind, in a
 * passing state, or never known. Wider than `stillSuspect`, which is about the seconds in between.
 */
export function unsettled(record: KeyRecord): boolean {
  return (
    record.belief === undefined ||
    record.pending !== undefined ||
    record.inconclusive > 0 ||
    record.transitionalSince !== undefined
  );
}

function whyIgnored(
  record: KeyRecord,
  observation: Observation,
  rules: StepRules,
  now: number,
): IgnoredReason | undefined {
  if (isReplayed(record, observation, now)) return 'replayed';
  const { facts, at } = observation;
  if (facts && isStaleRead(record, facts, at, rules.versionsCanReturn)) return 'stale_read';
  if (isConclusive(observation.verdict)) {
    const { conclusiveAt } = record;
    return conclusiveAt !== undefined && at < conclusiveAt && conclusiveAt <= now ? 'older_look' : undefined;
  }
  return hasBetterWitness(record, observation, rules.policy, now) ? 'better_witness' : undefined;
}

function unseen(observation: Observation): KeyRecord {
  return {
    resource: observation.resource,
    stub: observation.facts ? stubOf(observation.facts) : observation.stub,
    firstSeenAt: observation.at,
    inconclusive: 0,
    versionChanges: 0,
    pastVersions: [],
    findings: [],
    checkedAt: observation.at,
    evidence: observation.evidence,
    witnesses: [],
  };
}

function failToConclude(record: KeyRecord, observation: Observation, reason: UnknownReason, policy: Policy): KeyRecord {
  const { at, evidence } = observation;
  const seen: KeyRecord = { ...record, evidence };
  if (reason === 'transitional') {
    const transitionalSince = Math.min(record.transitionalSince ?? at, at);
    if (at - transitionalSince < PASSING_MS) {
      // The cloud did answer, and waiting is the right thing: neither a step towards blindness nor a way out of it.
      return { ...seen, transitionalSince, inconclusiveReason: reason };
    }
  }
  const inconclusive = record.inconclusive + 1;
  const inconclusiveSince = record.inconclusiveSince ?? at;
  const inconclusiveReason = reason === 'transitional' ? 'provider_error' : reason;
  const counted: KeyRecord = { ...seen, inconclusive, inconclusiveSince, inconclusiveReason };
  if (inconclusive < policy.confirmations.blind) return counted;
  return { ...counted, blindSince: inconclusiveSince, blindReason: inconclusiveReason };
}

/**
 * The record with what another witness told of the key, if one did. What is believed lost keeps its dates: they go on
 * counting. But what is believed gone and is shown to be there is back, however blind the monitor is to it otherwise.
 */
function heard(
  record: KeyRecord,
  observation: Observation,
  rules: StepRules,
  now: number,
): { readonly record: KeyRecord; readonly events: readonly KeyEvent[] } {
  const told = observation.facts === undefined ? observation.failure.told : undefined;
  if (!told) return { record, events: [] };
  const believed = record.belief?.verdict;
  if (believed?.status !== 'inaccessible') return judged(record, told, rules, now, record.facts === undefined);
  if (believed.reason !== 'soft_deleted' && !isGone(believed)) return { record, events: [] };
  const settled = believe(record, { status: 'accessible' }, observation.at, rules.policy);
  if (!settled.transition) return { record: settled.record, events: [] };
  const done = judged(settled.record, told, rules, now, false);
  return { record: done.record, events: [settled.transition, ...done.events] };
}

function conclude(
  looked: KeyRecord,
  observation: Observation,
  verdict: ConclusiveVerdict,
  rules: StepRules,
  now: number,
): { readonly record: KeyRecord; readonly events: readonly KeyEvent[] } {
  const { at, evidence, facts } = observation;
  const {
    inconclusiveSince,
    inconclusiveReason,
    blindSince,
    blindReason,
    transitionalSince,
    digest: was,
    ...seeing
  } = looked;
  // What was listed before speaks no more of a key of which nothing is left: listed again, it must be looked at.
  const listed = rules.digest ?? (facts ? was : undefined);
  const digest = listed === undefined ? {} : { digest: listed };
  const settled = believe(
    { ...seeing, inconclusive: 0, conclusiveAt: at, evidence, ...digest },
    verdict,
    at,
    rules.policy,
  );
  if (!facts) {
    return { record: settled.record, events: settled.transition ? [settled.transition] : [] };
  }
  const version = takeVersion(looked, facts, at);
  const record = { ...settled.record, ...version.fields, stub: stubOf(facts) };
  const done = judged(record, record.facts ?? facts, rules, now, looked.facts === undefined);
  return {
    record: done.record,
    events: [
      ...(settled.transition ? [settled.transition] : []),
      ...version.changes.map((change) => versionEvent(record, change, at)),
      ...done.events,
    ],
  };
}

/**
 * Confirms: the first conclusive verdict is believed at once, unless it is that there is no such key; that one, and any
 * that differs from what is believed, once it was seen often enough in a row.
 */
function believe(
  looked: KeyRecord,
  verdict: ConclusiveVerdict,
  at: number,
  policy: Policy,
): { readonly record: KeyRecord; readonly transition?: KeyEvent } {
  const { pending, gone, ...settled } = looked;
  const { belief } = looked;
  if (belief && isSameVerdict(verdict, belief.verdict)) return { record: { ...settled, ...(gone && { gone }) } };

  const again = pending !== undefined && isSameVerdict(verdict, pending.verdict);
  const seen = again ? pending.seen + 1 : 1;
  const firstAt = again ? pending.firstAt : at;
  // A 404 may come from a replica that has not heard of a creation yet: not even at first sight is one enough.
  const needed = belief || isGone(verdict) ? policy.confirmations[verdict.status] : 1;
  if (seen < needed) return { record: { ...looked, pending: { verdict, seen, firstAt } } };
  if (!belief) {
    // No transition, even if inconclusive looks came before: nothing was believed that could have changed.
    const baseline = verdict.status === 'inaccessible';
    const first: Belief = { verdict, since: firstAt, baseline };
    return { record: withBelief(settled, first, goneSince(verdict, firstAt, undefined)) };
  }
  const changed = verdict.status !== belief.verdict.status;
  const next: Belief = changed ? { verdict, since: firstAt, baseline: false } : { ...belief, verdict };
  return {
    record: withBelief(settled, next, gone && isGone(verdict) ? gone : goneSince(verdict, firstAt, belief.verdict)),
    transition: {
      at,
      type: 'transition',
      resource: looked.resource,
      kind: looked.stub.kind,
      from: belief.verdict.status,
      to: verdict.status,
      ...reasonOf(verdict),
    },
  };
}

function withBelief(record: KeyRecord, belief: Belief, gone: KeyRecord['gone']): KeyRecord {
  return { ...record, belief, ...(gone && { gone }) };
}

function goneSince(
  verdict: ConclusiveVerdict,
  since: number,
  before: ConclusiveVerdict | undefined,
): KeyRecord['gone'] {
  if (!isGone(verdict)) return undefined;
  return { since, announced: before?.status === 'inaccessible' && ANNOUNCED.includes(before.reason) };
}

function isGone(verdict: ConclusiveVerdict): boolean {
  return verdict.status === 'inaccessible' && GONE.includes(verdict.reason);
}

/** The record with these facts and what the rules say of them. `quiet`: what opens is the baseline, not news. */
function judged(
  record: KeyRecord,
  facts: KeyFacts,
  rules: Pick<StepRules, 'policy' | 'judge'>,
  now: number,
  quiet: boolean,
): { readonly record: KeyRecord; readonly events: readonly KeyEvent[] } {
  const { findings, until } = rules.judge(facts, now);
  const settled = settleFindings(record.findings, findings, rules.policy.rules, now);
  const judgeAt = until === undefined ? undefined : Math.max(until, now + JUDGE_PAUSE_MS);
  if (facts === record.facts && settled.findings === record.findings && judgeAt === record.judgeAt) {
    return { record, events: [] };
  }
  const { judgeAt: _before, ...kept } = record;
  const event =
    (type: 'finding_opened' | 'finding_closed') =>
    (id: string): KeyEvent => {
      return { at: now, type, resource: record.resource, kind: record.stub.kind, to: id };
    };
  return {
    record: { ...kept, facts, findings: settled.findings, ...(judgeAt !== undefined && { judgeAt }) },
    events: [
      ...(quiet ? [] : settled.opened.map(event('finding_opened'))),
      ...settled.closed.map(event('finding_closed')),
    ],
  };
}

/** Whether facts that were fetched in the background still speak of the state that the last look told. */
function isOfSameState(details: KeyFacts, known: KeyFacts): boolean {
  if (details.state !== known.state) return false;
  if (details.version !== undefined && details.version.id !== known.version?.id) return false;
  return details.changedAt === known.changedAt;
}

function isSameVerdict(left: ConclusiveVerdict, right: ConclusiveVerdict): boolean {
  if (left.status !== 'inaccessible') return left.status === right.status;
  return right.status === 'inaccessible' && left.reason === right.reason;
}

function stubOf({ resource, kind, name, provider, account, location }: KeyFacts): KeyStub {
  return { resource, kind, name, provider, account, location };
}

function reasonOf(verdict: Verdict): Pick<KeyEvent, 'reason'> {
  return verdict.status === 'accessible' ? {} : { reason: verdict.reason };
}

function firstSeen(observation: Observation, verdict: Verdict): KeyEvent {
  const { resource, at } = observation;
  const { kind } = observation.facts ?? observation.stub;
  const version = observation.facts?.version && { version: observation.facts.version.id };
  return { at, type: 'first_seen', resource, kind, to: verdict.status, ...reasonOf(verdict), ...version };
}

function versionEvent(record: KeyRecord, { type, from, to }: VersionChange, at: number): KeyEvent {
  return { at, type, resource: record.resource, kind: record.stub.kind, from, to, version: to };
}
