/** What fires about a key. Only roots do: what is lost or blind through others is told there. Pure. */
import type { AlertSeverity } from '../alert.ts';
import { degrades } from '../findings.ts';
import { type OpenFinding, type SourceRecord, sourceKey } from '../model.ts';
import { isRetired } from '../readers.ts';
import type { KeyReason } from '../reasons.ts';
import type { KeyView } from '../snapshot.ts';
import { REASON_WORDS } from '../words.ts';
import { aboutSubject, type Firing } from './firing.ts';
import { alertNameOf, severityOf } from './rules.ts';
import {
  affected,
  amount,
  blindness,
  called,
  calledFirst,
  clause,
  deadline,
  meanings,
  onsets,
  place,
  sentence,
  sinceWhen,
} from './say.ts';
import type { Scene } from './scene.ts';

const HOUR_MS = 3_600_000;
/** Less time than this until a deletion completes is imminent. */
const IMMINENT_MS = 72 * HOUR_MS;
/** A key that cannot be seen for so long is told. */
const BLIND_MS = 30 * 60_000;

const DELETIONS: readonly (KeyReason | undefined)[] = ['pending_deletion', 'soft_deleted'];

/** Where a source stands, for the keys that it watches. */
export interface SourceState {
  readonly record: SourceRecord;
  /** An alert about it, or about its target, fires already. */
  readonly told: boolean;
}

/** @param sources by `sourceKey` */
export function keyFirings(key: KeyView, sources: ReadonlyMap<string, SourceState>, scene: Scene): readonly Firing[] {
  const firings: Firing[] = [];
  const lost = isLostItself(key);
  if (lost) {
    const firing = lossOf(key, scene);
    if (firing) firings.push(firing);
  }
  for (const finding of key.findings) {
    const firing = degrades(finding) ? findingOf(key, finding, lost, scene) : undefined;
    if (firing) firings.push(firing);
  }
  const blind = blindOf(key, sources, scene);
  if (blind) firings.push(blind);
  return firings;
}

/** Whether the key is a root: nothing else explains that it is lost. */
function isLostItself({ health, own, rootCauses }: KeyView): boolean {
  return health === 'inaccessible' && own?.status === 'inaccessible' && rootCauses.length === 0;
}

/** Something depends on it, or the policy says that it matters as if something did. */
function isUsed({ consumers, critical }: KeyView): boolean {
  return consumers > 0 || critical;
}

function lossOf(key: KeyView, scene: Scene): Firing | undefined {
  const used = isUsed(key);
  if (key.baseline && !used) return undefined;
  const reason = key.own?.reason ?? key.reason;
  if (DELETIONS.includes(reason) && !used) return deletionOf(key, reason, scene);
  const severity: AlertSeverity = used ? 'critical' : 'warning';
  const startsAt = key.own?.since ?? key.since;
  const tell = () => {
    const broken = scene.broken(key.resource);
    // What is purged had a deadline too.
    const until = DELETIONS.includes(reason) ? (key.recoverableUntil ?? key.deletionAt) : undefined;
    const words = reason && REASON_WORDS[reason];
    const what = amount(broken);
    const brief = words ? ` (${words.brief})` : '';
    return {
      summary: `${calledFirst(key)} is unusable${brief}${what === undefined ? '.' : ` and breaks ${what}.`}`,
      description: [
        words?.text,
        place(key),
        sinceWhen(startsAt),
        what === undefined ? idle(key) : `It is the root cause. Broken by it: ${what}.`,
        ...meanings(broken.consumers),
        ...onsets(broken.harm),
        deadline(key, scene.clock.now),
        blindness(key),
      ],
      reason,
      affected: affected(broken),
      undo: key.undo,
      recoverableUntil: until,
      anchor: reason,
    };
  };
  return aboutSubject(key, { alertname: 'KeyvigilKeyInaccessible', severity, startsAt, tell }, scene);
}

/** What is known of a lost key that breaks nothing. */
function idle({ consumers }: KeyView): string {
  if (consumers === 0) return 'Nothing that keyvigil knows of depends on it.';
  return 'What depends on it is not broken, as far as keyvigil can see: it has another key, or goes on for a while.';
}

function deletionOf(key: KeyView, reason: KeyReason | undefined, scene: Scene): Firing {
  const since = key.own?.since ?? key.since;
  // Less than 72 h, not 72 h to the millisecond.
  const imminentAt = key.deletionAt === undefined ? undefined : key.deletionAt - IMMINENT_MS + 1;
  const imminent = imminentAt !== undefined && scene.clock.passed(imminentAt);
  const alertname = imminent ? 'KeyvigilKeyDeletionImminent' : 'KeyvigilKeyDeletionScheduled';
  const startsAt = imminent ? Math.max(since, imminentAt) : since;
  const tell = () => ({
    summary: `${calledFirst(key)} ${imminent ? 'is about to be deleted for good' : 'is going to be deleted'}; nothing that keyvigil knows of depends on it.`,
    description: [
      reason && REASON_WORDS[reason].text,
      place(key),
      sinceWhen(since),
      deadline(key, scene.clock.now),
      'If it is still needed, undo it before then; if not, there is nothing to do.',
      blindness(key),
    ],
    reason,
    undo: key.undo,
    recoverableUntil: key.recoverableUntil ?? key.deletionAt,
  });
  return aboutSubject(key, { alertname, severity: 'warning', startsAt, tell }, scene);
}

function findingOf(key: KeyView, finding: OpenFinding, lost: boolean, scene: Scene): Firing | undefined {
  const alertname = alertNameOf(finding.id);
  const used = isUsed(key);
  const byDate = alertname === 'KeyvigilKeyExpiring' || alertname === 'KeyvigilKeyExpired';
  // A loss tells more than the date that led to it, and whoever fixes the one fixes the other.
  if (byDate ? lost : !used) return undefined;
  if (alertname === 'KeyvigilKeyExpired' && !used && expiredBefore(key)) return undefined;
  const severity = severityOf(alertname, finding, used, scene.context.policy);
  const tell = () => {
    const needs = scene.dependents(key.resource);
    const what = amount(needs);
    return {
      summary: `${calledFirst(key)}: ${clause(finding)}.`,
      description: [
        sentence(finding),
        place(key),
        sinceWhen(finding.since),
        what === undefined ? 'Nothing that keyvigil knows of depends on it.' : `What depends on it: ${what}.`,
        blindness(key),
      ],
      reason: finding.id,
      affected: affected(needs),
      undo: finding.remedy,
    };
  };
  return aboutSubject(key, { alertname, severity, startsAt: finding.since, finding: finding.id, tell }, scene);
}

/** Whether it had expired when it was first seen: the baseline of an old account, not news. */
function expiredBefore({ expiresAt, firstSeenAt }: KeyView): boolean {
  return expiresAt !== undefined && firstSeenAt !== undefined && expiresAt <= firstSeenAt;
}

function blindOf(key: KeyView, sources: ReadonlyMap<string, SourceState>, scene: Scene): Firing | undefined {
  const { blindSince, blindReason } = key;
  if (!isBlindItself(key) || blindSince === undefined) return undefined;
  const silent = !(key.witnesses ?? []).some((witness) => {
    const state = sources.get(sourceKey(witness));
    if (!state || state.told || state.record.up !== true || isRetired(state.record)) return false;
    return scene.passedFor(state.record, blindSince + BLIND_MS);
  });
  if (silent) return undefined;
  const tell = () => {
    const needs = scene.dependents(key.resource);
    const what = amount(needs);
    const words = blindReason && REASON_WORDS[blindReason];
    return {
      summary: `keyvigil cannot tell whether ${called(key)} works${words ? `: ${words.brief}` : ''}.`,
      description: [
        words?.text,
        place(key),
        sinceWhen(blindSince),
        lastKnown(key),
        what === undefined ? undefined : `What depends on it: ${what}.`,
        'This is no sign that the key is lost, but a loss of it would go unseen.',
      ],
      reason: blindReason,
      affected: affected(needs),
    };
  };
  return aboutSubject(
    key,
    { alertname: 'KeyvigilKeyStatusUnknown', severity: 'warning', startsAt: blindSince, tell },
    scene,
  );
}

/** Blind by itself, not through what holds it. */
export function isBlindItself({ blindSince, blindRoots }: KeyView): boolean {
  return blindSince !== undefined && (blindRoots === undefined || blindRoots.length === 0);
}

function lastKnown({ own }: KeyView): string {
  if (!own) return 'Nothing conclusive was ever known of it.';
  return `What was last known of it stands: ${own.status}${own.reason ? ` (${REASON_WORDS[own.reason].brief})` : ''}.`;
}
