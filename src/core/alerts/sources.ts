/** What fires about sources and targets: whatever keeps keyvigil from seeing. Pure. */
import type { AlertSeverity } from '../alert.ts';
import { type SourceRecord, sourceKey } from '../model.ts';
import { isRetired } from '../readers.ts';
import type { Snapshot } from '../snapshot.ts';
import { counted, span, utc } from '../text.ts';
import { REASON_WORDS } from '../words.ts';
import { aboutPlace, type Firing } from './firing.ts';
import { isBlindItself, type SourceState } from './keys.ts';
import { listed, sinceWhen } from './say.ts';
import type { AlertContext, Scene } from './scene.ts';

/** Trouble with a source wakes people up after so long. */
const CRITICAL_MS = 30 * 60_000;
/** A source is stale when it took so many times what it takes at worst. */
const STALE_BOUNDS = 3;
/** Fewer keys than this that turn blind together are about those keys. */
const BLIND_AT_LEAST = 3;

export interface SourceFirings {
  readonly firings: readonly Firing[];
  /** By `sourceKey`. */
  readonly states: ReadonlyMap<string, SourceState>;
}

export function sourceFirings(scene: Scene): SourceFirings {
  const firings: Firing[] = [];
  const states = new Map<string, SourceState>();
  const blinded = blindedSources(scene);
  for (const [target, records] of Map.groupBy(scene.snapshot.sources, (source) => source.target)) {
    const blind = accountBlind(target, records, blinded, scene);
    if (blind) firings.push(blind);
    for (const record of records) {
      const own = blind ? undefined : (downOf(record, records, scene) ?? staleOf(record, scene));
      if (own) firings.push(own);
      const shrank = blind ? undefined : shrankOf(record);
      if (shrank) firings.push(shrank);
      states.set(sourceKey(record), { record, told: blind !== undefined || own !== undefined });
    }
  }
  return { firings, states };
}

/** A source that is asked, and answered or failed; what the cloud has retired is neither. */
export function isAsked(record: SourceRecord): boolean {
  return record.up !== undefined && !isRetired(record) && record.reason !== 'provider_retired';
}

export function isDown(record: SourceRecord): record is SourceRecord & { readonly downSince: number } {
  return record.up === false && record.downSince !== undefined && record.reason !== 'provider_retired';
}

/** Whether a target is blind by what is known of it, for however short a time. */
export function seesNothing(target: string, snapshot: Snapshot, context: AlertContext): boolean {
  const records = snapshot.sources.filter((record) => record.target === target);
  const asked = records.filter(isAsked);
  if (asked.length > 0 && asked.every(isDown)) return true;
  const blinded = blindedSources({ snapshot, context });
  return records.some((record) => blinded.has(sourceKey(record)));
}

interface Blinded {
  readonly since: number;
  readonly blind: number;
  readonly keys: number;
}

/** The target as a whole: all of its sources fail, or one sees no more than half of its keys. */
function accountBlind(
  target: string,
  records: readonly SourceRecord[],
  blinded: ReadonlyMap<string, Blinded>,
  scene: Scene,
): Firing | undefined {
  const { staleAfterMs } = scene.context.policy;
  const asked = records.filter(isAsked);
  const down = asked.filter(isDown);
  if (asked.length > 0 && down.length === asked.length) {
    const since = Math.max(...down.map(({ downSince }) => downSince));
    const passed = (ms: number) => down.every((record) => scene.passedFor(record, since + ms));
    if (passed(staleAfterMs)) {
      const why = down.map((one) => `${nameOf(one)} (${reasonBrief(one)})`);
      return blindFiring(target, since, passed(CRITICAL_MS), {
        summary: `keyvigil sees nothing of ${target} any more: every source fails.`,
        lines: [`All fail: ${listed(why)}.`],
        reason: down[0]?.reason,
      });
    }
  }
  for (const record of records) {
    const found = blinded.get(sourceKey(record));
    if (!found || !scene.passedFor(record, found.since + staleAfterMs)) continue;
    return blindFiring(target, found.since, scene.passedFor(record, found.since + CRITICAL_MS), {
      summary: `keyvigil cannot look at ${found.blind} of ${counted(found.keys, 'key')} of ${nameOf(record)} in ${target} any more.`,
      lines: [`${found.blind} of ${found.keys} turned blind together. Most likely keyvigil lost a permission there.`],
      reason: 'denied',
    });
  }
  return undefined;
}

function blindFiring(
  target: string,
  since: number,
  critical: boolean,
  told: { readonly summary: string; readonly lines: readonly string[]; readonly reason: string | undefined },
): Firing {
  const tell = () => ({
    summary: told.summary,
    description: [
      ...told.lines,
      sinceWhen(since),
      'That says nothing about the keys: what was last known of them stands, and what was lost stays lost. But a new loss would go unseen.',
    ],
    reason: told.reason,
  });
  const severity: AlertSeverity = critical ? 'critical' : 'warning';
  return aboutPlace({ target }, { alertname: 'KeyvigilAccountBlind', severity, startsAt: since, tell });
}

/**
 * Fails while others of its target work; if none does, the target as a whole is blind. When an outage ends, one source is
 * always the first to work again: the others are given time to follow.
 */
function downOf(record: SourceRecord, others: readonly SourceRecord[], scene: Scene): Firing | undefined {
  if (!isDown(record)) return undefined;
  const { staleAfterMs } = scene.context.policy;
  const works = (other: SourceRecord) =>
    other.up === true &&
    isAsked(other) &&
    (other.upSince === undefined || scene.clock.passed(other.upSince + staleAfterMs));
  if (!others.some(works)) return undefined;
  const { downSince, lastSuccessAt } = record;
  if (!scene.passedFor(record, downSince + staleAfterMs)) return undefined;
  const severity = scene.passedFor(record, downSince + CRITICAL_MS) ? 'critical' : 'warning';
  const tell = () => ({
    summary: `keyvigil cannot read ${nameOf(record)} of ${record.target}: ${reasonBrief(record)}.`,
    description: [
      record.reason && REASON_WORDS[record.reason].text,
      sinceWhen(downSince),
      lastSuccessAt === undefined ? 'It never succeeded.' : `It last succeeded at ${utc(lastSuccessAt)}.`,
      'What was last known of its keys stands. But a new loss would go unseen.',
    ],
    reason: record.reason,
  });
  return aboutPlace(placeOf(record), { alertname: 'KeyvigilSourceDown', severity, startsAt: downSince, tell });
}

function staleOf(record: SourceRecord, scene: Scene): Firing | undefined {
  const { up, lastSuccessAt, detectionBoundMs } = record;
  if (up !== true || isRetired(record) || lastSuccessAt === undefined || detectionBoundMs === undefined)
    return undefined;
  // Nobody could finish a sweep while the daemon was down.
  const from = Math.max(lastSuccessAt, scene.context.startedAt ?? lastSuccessAt);
  const startsAt = from + STALE_BOUNDS * detectionBoundMs;
  if (!scene.clock.passed(startsAt)) return undefined;
  const tell = () => ({
    summary: `keyvigil has finished no sweep of ${nameOf(record)} of ${record.target} for too long.`,
    description: [
      `The last one ended at ${utc(lastSuccessAt)}; it takes ${span(detectionBoundMs)} at worst. It does not fail, it does not end.`,
      'What was last known of its keys stands. But a new loss would go unseen.',
    ],
  });
  return aboutPlace(placeOf(record), { alertname: 'KeyvigilCheckStale', severity: 'warning', startsAt, tell });
}

function shrankOf(record: SourceRecord): Firing | undefined {
  const { shrank } = record;
  if (!shrank) return undefined;
  const { from, to, at } = shrank;
  const tell = () => ({
    summary: `${nameOf(record)} of ${record.target} suddenly lists ${counted(to, 'object')} instead of ${from}.`,
    description: [
      sinceWhen(at),
      `${from - to} are missing from a complete listing. Either they were deleted, or the listing is cut: a permission, a filter, the wrong account.`,
      'Keys that are really gone are told one by one if something depends on them.',
    ],
  });
  return aboutPlace(placeOf(record), { alertname: 'KeyvigilKeySetShrank', severity: 'warning', startsAt: at, tell });
}

/**
 * Sources of which at least half of the keys, and at least 3, turned blind within one sweep, and since when. One sweep
 * sees everything within the source's detection bound. What is blind through what holds it counts with that, once.
 */
function blindedSources({ snapshot, context }: Pick<Scene, 'snapshot' | 'context'>): ReadonlyMap<string, Blinded> {
  const blind = new Map<string, number[]>();
  for (const key of snapshot.troubled) {
    if (key.blindSince === undefined || !isBlindItself(key)) continue;
    for (const witness of key.witnesses ?? []) {
      if (witness.conclusive) continue;
      const name = sourceKey(witness);
      const known = blind.get(name);
      if (known) known.push(key.blindSince);
      else blind.set(name, [key.blindSince]);
    }
  }
  const found = new Map<string, Blinded>();
  for (const record of snapshot.sources) {
    const name = sourceKey(record);
    const since = blind.get(name)?.sort((a, b) => a - b);
    if (!since || since.length < BLIND_AT_LEAST) continue;
    const keys = keysOf(record, snapshot.keys);
    const needed = Math.max(BLIND_AT_LEAST, Math.ceil(keys / 2));
    const sweepMs = record.detectionBoundMs ?? context.policy.describeEveryMs;
    const at = since.findIndex(
      (first, index) => (since[index + needed - 1] ?? Number.POSITIVE_INFINITY) - first <= sweepMs,
    );
    const reached = at === -1 ? undefined : since[at + needed - 1];
    if (reached !== undefined) found.set(name, { since: reached, blind: since.length, keys });
  }
  return found;
}

function keysOf(record: SourceRecord, keys: Scene['snapshot']['keys']): number {
  let count = 0;
  for (const { witnesses = [], blindRoots } of keys) {
    const { target, location, service } = record;
    const seen = witnesses.some((one) => one.target === target && one.location === location && one.service === service);
    if (seen && (blindRoots === undefined || blindRoots.length === 0)) count += 1;
  }
  return count;
}

function placeOf({ target, location, service }: SourceRecord): Readonly<Record<string, string>> {
  return { target, location, service };
}

function nameOf({ location, service }: SourceRecord): string {
  return `${service} in ${location}`;
}

function reasonBrief({ reason }: SourceRecord): string {
  return reason === undefined ? 'it fails' : REASON_WORDS[reason].brief;
}
