/**
 * From looks to belief for one consumer. Pure: a record and a look go in, a new record and the events to log come out. What
 * its keys do to it is not here but in the graph: here is what its own service says of it, and what its rules prove.
 */
import { settleFindings } from './findings.ts';
import type { ConsumerFacts, ConsumerObservation, ConsumerRecord, ConsumerStub, Finding, KeyEvent } from './model.ts';
import type { Policy } from './policy.ts';
import { type ConsumerReason, UNKNOWN_REASONS, type UnknownReason } from './reasons.ts';
import { hasBetterWitness, isReplayed, withWitness } from './witness.ts';

/** A rule that names an instant in the past must not make the engine judge without pause. */
const JUDGE_PAUSE_MS = 1_000;

/** What the rules of its service say of a consumer, and when (ms) that changes by itself; `until` absent: never. */
interface ConsumerRuleJudgement {
  readonly findings: readonly Finding[];
  readonly until?: number;
  /** They prove that it is in trouble of its own. */
  readonly impairment?: ConsumerReason;
}

export interface ConsumerStepRules {
  readonly policy: Policy;
  judge(facts: ConsumerFacts, now: number): ConsumerRuleJudgement;
  /** Digest of what the listing said before this look; kept only if the look told facts. */
  readonly digest?: string;
}

export type ConsumerSuspectReason = 'pending' | 'inconclusive';

export interface ConsumerStep {
  readonly record: ConsumerRecord;
  /** In the order in which they are to be logged. */
  readonly events: readonly KeyEvent[];
  readonly suspect: ConsumerSuspectReason | undefined;
  /** Confirmed: there is no such consumer any more, and its record ends. */
  readonly ended: boolean;
}

/**
 * Takes one look into account.
 * @param record what is known; undefined at first sight
 * @param now ms
 */
export function stepConsumer(
  record: ConsumerRecord | undefined,
  observation: ConsumerObservation,
  rules: ConsumerStepRules,
  now: number,
): ConsumerStep {
  if (record && isReplayed(record, observation, now)) return unchanged(record);
  const { at, evidence } = observation;
  const before = record ?? unseen(observation);
  const conclusive = observation.consumer !== undefined || observation.failure.reason === 'not_found';
  const looked: ConsumerRecord = {
    ...before,
    checkedAt: before.checkedAt > now ? at : Math.max(before.checkedAt, at),
    witnesses: withWitness(before.witnesses, observation, conclusive),
  };
  const firstSeen = (to: string): readonly KeyEvent[] =>
    record ? [] : [{ at, type: 'first_seen', resource: before.resource, kind: before.stub.kind, to }];

  if (observation.consumer) {
    const { inconclusiveReason: _was, ...seeing } = looked;
    const digest = rules.digest === undefined ? {} : { digest: rules.digest };
    const told: ConsumerRecord = { ...seeing, inconclusive: 0, conclusiveAt: at, evidence, ...digest };
    const moved = versionEvents(before, observation.consumer, at);
    const done = judged(told, observation.consumer, rules, now, at);
    const events = [...firstSeen(done.record.impairment ? 'impaired' : 'ok'), ...moved, ...done.events];
    return { record: done.record, events, suspect: suspectOf(done.record, rules.policy), ended: false };
  }
  const { reason } = observation.failure;
  if (reason === 'not_found') {
    const pending = counted(before.pending, 'gone', at);
    const { digest: _listed, ...rest } = looked;
    const missing: ConsumerRecord = { ...rest, pending, evidence };
    if (pending.seen < rules.policy.confirmations.inaccessible) {
      return { record: missing, events: firstSeen('unknown'), suspect: 'pending', ended: false };
    }
    const removed: KeyEvent = { at, type: 'removed', resource: before.resource, kind: before.stub.kind };
    return { record: missing, events: [...firstSeen('unknown'), removed], suspect: undefined, ended: true };
  }
  if (record && hasBetterWitness(record, observation, rules.policy, now)) {
    return { record: looked, events: [], suspect: suspectOf(looked, rules.policy), ended: false };
  }
  const blind: ConsumerRecord = {
    ...looked,
    evidence,
    inconclusive: before.inconclusive + 1,
    inconclusiveReason: unknownReason(reason),
  };
  return { record: blind, events: firstSeen('unknown'), suspect: suspectOf(blind, rules.policy), ended: false };
}

/**
 * Judges the rules again without a look: because a date passed, policy changed, or a key that it uses did. A new
 * impairment is only suspected then: looks must confirm it. Returns the very same record when nothing changes.
 */
export function rejudgeConsumer(record: ConsumerRecord, rules: ConsumerStepRules, now: number): ConsumerStep {
  if (!record.facts) return unchanged(record);
  const { record: after, events } = judged(record, record.facts, rules, now, undefined);
  return { record: after, events, suspect: after.pending ? 'pending' : undefined, ended: false };
}

/** True while the next sweep must describe the consumer whatever its listing says. */
export function unsettledConsumer(record: ConsumerRecord): boolean {
  return record.facts === undefined || record.pending !== undefined || record.inconclusive > 0;
}

function unchanged(record: ConsumerRecord): ConsumerStep {
  return { record, events: [], suspect: record.pending ? 'pending' : undefined, ended: false };
}

function unseen(observation: ConsumerObservation): ConsumerRecord {
  const { resource, at, evidence } = observation;
  const stub = observation.consumer ? stubOf(observation.consumer) : observation.stub;
  return { resource, stub, firstSeenAt: at, inconclusive: 0, findings: [], checkedAt: at, evidence, witnesses: [] };
}

function stubOf({ resource, kind, name, provider, account, location }: ConsumerFacts): ConsumerStub {
  return { resource, kind, name, provider, account, location };
}

/** A consumer is suspect as long as a second look may settle it; what was not readable for so long is not. */
function suspectOf(record: ConsumerRecord, policy: Policy): ConsumerSuspectReason | undefined {
  if (record.inconclusive >= policy.confirmations.blind) return undefined;
  if (record.pending) return 'pending';
  return record.inconclusive > 0 ? 'inconclusive' : undefined;
}

type Pending = NonNullable<ConsumerRecord['pending']>;

function counted(pending: Pending | undefined, reason: Pending['reason'], at: number): Pending {
  return pending?.reason === reason ? { ...pending, seen: pending.seen + 1 } : { reason, seen: 1, firstAt: at };
}

/** @param at when the look was, ms; undefined: there was none */
function judged(
  before: ConsumerRecord,
  facts: ConsumerFacts,
  rules: ConsumerStepRules,
  now: number,
  at: number | undefined,
): { readonly record: ConsumerRecord; readonly events: readonly KeyEvent[] } {
  const { resource } = before;
  const { kind } = facts;
  const { findings, until, impairment } = rules.judge(facts, now);
  const settled = settleFindings(before.findings, findings, rules.policy.rules, now);
  const judgeAt = until === undefined ? undefined : Math.max(until, now + JUDGE_PAUSE_MS);
  const believed = believe(before, impairment ?? 'none', rules.policy, now, at);
  const { judgeAt: _before, ...kept } = believed;
  const record: ConsumerRecord = {
    ...kept,
    facts,
    stub: stubOf(facts),
    findings: settled.findings,
    ...(judgeAt !== undefined && { judgeAt }),
  };
  const events: KeyEvent[] = [];
  const [from, to] = [before.impairment, record.impairment];
  // At first sight everything is the baseline, not news.
  if (before.facts) {
    if (from?.reason !== to?.reason) {
      events.push({
        at: now,
        type: 'transition',
        resource,
        kind,
        from: from ? 'impaired' : 'ok',
        to: to ? 'impaired' : 'ok',
        ...(to && { reason: to.reason }),
      });
    }
    for (const id of settled.opened) events.push({ at: now, type: 'finding_opened', resource, kind, to: id });
  }
  for (const id of settled.closed) events.push({ at: now, type: 'finding_closed', resource, kind, to: id });
  const same =
    facts === before.facts && believed === before && settled.findings === before.findings && judgeAt === before.judgeAt;
  return { record: same ? before : record, events };
}

/** The record with what is believed of the consumer itself, once it was seen often enough. */
function believe(
  before: ConsumerRecord,
  said: ConsumerReason | 'none',
  policy: Policy,
  now: number,
  at: number | undefined,
): ConsumerRecord {
  const { pending, impairment, ...rest } = before;
  const known = impairment?.reason ?? 'none';
  if (said === known) {
    // Only a look shows that it is there after all.
    if (!pending || (pending.reason === 'gone' && at === undefined)) return before;
    return { ...rest, ...(impairment && { impairment }) };
  }
  if (at === undefined) {
    // Nobody has looked at the consumer for this: a suspicion at most, and one that stands already stays as it is.
    if (pending?.reason === said || pending?.reason === 'gone') return before;
    return { ...before, pending: { reason: said, seen: 0, firstAt: now } };
  }
  const next = counted(pending, said, at);
  // The first look is the baseline for what it tells itself. What a key or a vault told of its grants and versions may be
  // older than the consumer is.
  const isBaseline = before.facts === undefined && said === 'reported_by_service';
  const needed = isBaseline ? 1 : policy.confirmations[said === 'none' ? 'accessible' : 'inaccessible'];
  if (next.seen < needed) return { ...before, pending: next };
  if (said === 'none') return rest;
  // From one trouble to another it goes on being in trouble.
  return { ...rest, impairment: { reason: said, since: impairment?.since ?? next.firstAt } };
}

/** The versions that a consumer has moved to since it was last seen. */
function versionEvents(before: ConsumerRecord, facts: ConsumerFacts, at: number): readonly KeyEvent[] {
  const events: KeyEvent[] = [];
  for (const { resource, versionInUse } of facts.uses) {
    const was = before.facts?.uses.find((use) => use.resource === resource)?.versionInUse;
    if (was === undefined || versionInUse === undefined || was === versionInUse) continue;
    const { kind } = facts;
    const what = { from: was, to: versionInUse, version: versionInUse };
    events.push({ at, type: 'new_version', resource: facts.resource, kind, ...what });
  }
  return events;
}

/** A consumer is not lost for what its own look failed with: whatever is no reason to know nothing is a strange answer. */
function unknownReason(reason: string): UnknownReason {
  return UNKNOWN_REASONS.find((known) => known === reason) ?? 'bad_response';
}
