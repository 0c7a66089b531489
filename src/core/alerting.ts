/** Which alerts tell of a key or consumer, to whom they were told, and if there is none, why not. Pure. */
import type { Alert, NotificationRecord } from './alert.ts';
import { type AlertContext, alertsAbout, alertsOfEvents } from './alerts/index.ts';
import { degrades } from './findings.ts';
import { type KeyEvent, type KeyRecord, sourceKey } from './model.ts';
import { keyUses } from './readers.ts';
import type { ConsumerView, KeyView, Snapshot } from './snapshot.ts';
import { iso, span, utc } from './text.ts';

type Optional<T> = T | undefined;

/** What one receiver was told: `told`, not yet (`waiting`), or it refused to hear (`refused`). Times are ISO 8601. */
export interface Telling {
  readonly receiver: string;
  readonly state: 'told' | 'waiting' | 'refused';
  readonly at?: Optional<string>;
}

/** An alert that fires. */
export interface AlertBrief {
  readonly name: string;
  readonly severity: string;
  readonly since: string;
  readonly summary: string;
  readonly finding?: Optional<string>;
  /** What it is about, if that is another key, or a source: it tells of this one too. */
  readonly about?: Optional<string>;
  /** Empty: nobody is configured to hear of it, or nobody was told yet. */
  readonly told: readonly Telling[];
}

/** Why nothing fires although one might expect it. */
export const SILENCES = [
  'well',
  'confirming',
  'baseline',
  'unused',
  'info_only',
  'blind_for_short',
  'never_known',
  'not_watched',
  'key_is_told',
  'none',
] as const;

export interface Silence {
  readonly reason: (typeof SILENCES)[number];
  /** One plain sentence. */
  readonly text: string;
}

/** Everything that alerts are made of besides the snapshot, and what was told. */
export interface AlertSources {
  readonly context: Omit<AlertContext, 'failingReceivers'>;
  /** What receivers were told and must be told. */
  readonly notifications: Iterable<NotificationRecord>;
  /** Of the key or consumer. */
  readonly events: readonly KeyEvent[];
}

/** A key that cannot be seen for so long is told (as `KeyvigilKeyStatusUnknown` has it). */
const BLIND_MS = 30 * 60_000;

/** Every alert that fires about it, about what is to blame for its trouble, or about the sources that see it. */
export function alertsOn(
  view: KeyView | ConsumerView,
  snapshot: Snapshot,
  { context, notifications, events }: AlertSources,
): readonly AlertBrief[] {
  const about = new Set(relatedTo(view, snapshot));
  const places = new Set('witnesses' in view ? view.witnesses?.map(sourceKey) : []);
  const wanted = ({ resource, target, location, service }: Readonly<Record<string, string>>) => {
    if (resource !== undefined) return about.has(resource);
    if (target === undefined || !view.targets.includes(target)) return false;
    if (location === undefined || service === undefined) return true;
    return 'dependsOn' in view
      ? places.has(sourceKey({ target, location, service }))
      : location === view.location || location === 'global';
  };
  const complete = { ...context, failingReceivers: [] };
  const versions = alertsOfEvents(events, snapshot, complete).filter(({ endsAt = 0 }) => endsAt > context.now);
  const alerts = new Map(
    [...alertsAbout(snapshot, complete, wanted), ...versions].map((alert) => [alert.fingerprint, alert]),
  );
  const told = new Map<string, Telling[]>();
  for (const record of notifications) {
    if (record.status !== 'firing') continue;
    const { fingerprint, alert } = record;
    // Told, and its end not seen yet: a louder alert, or a source that fails, has taken its place.
    if (!alerts.has(fingerprint) && alert.endsAt === undefined && about.has(identityOf(fingerprint))) {
      alerts.set(fingerprint, alert);
    }
    told.set(fingerprint, [...(told.get(fingerprint) ?? []), tellingOf(record)]);
  }
  return [...alerts.values()].map((alert) => brief(alert, view.resource, told.get(alert.fingerprint) ?? []));
}

/** Resources whose alerts tell of this one: itself, what is to blame, what holds it, what it uses. */
function relatedTo(view: KeyView | ConsumerView, { byResource }: Snapshot): readonly string[] {
  const related = [view.resource, ...view.rootCauses];
  if ('dependsOn' in view) return [...related, ...(view.blindRoots ?? [])];
  for (const { key: resource } of keyUses(view)) {
    const key = resource === undefined ? undefined : byResource.get(resource);
    if (key) related.push(key.resource, ...key.rootCauses, ...(key.blindRoots ?? []));
  }
  return related;
}

function brief(
  { labels, annotations, startsAt, fingerprint }: Alert,
  resource: string,
  told: readonly Telling[],
): AlertBrief {
  const { alertname, severity, finding, name, target, location, service } = labels;
  const place = [target, location, service].filter((part) => part !== undefined).join('/');
  const isOwn = labels.resource !== undefined && identityOf(fingerprint) === resource;
  return {
    name: alertname,
    severity,
    since: iso(startsAt) ?? '',
    summary: annotations.summary ?? '',
    finding,
    about: isOwn ? undefined : (name ?? place),
    told,
  };
}

function tellingOf({ receiver, queuedAt, sentAt, dead }: NotificationRecord): Telling {
  if (dead) return { receiver, state: 'refused', at: iso(dead.at) };
  if (sentAt !== undefined) return { receiver, state: 'told', at: iso(sentAt) };
  return { receiver, state: 'waiting', at: iso(queuedAt) };
}

/** What an alert is about, whole: the label is cut. */
function identityOf(fingerprint: string): string {
  const [, identity] = JSON.parse(fingerprint) as readonly (string | undefined)[];
  return identity ?? '';
}

/**
 * Why no alert fires about it.
 * @param record of a key; what is being confirmed is known from it
 */
export function silenceOf(
  view: KeyView | ConsumerView,
  record: KeyRecord | undefined,
  { policy, now }: Pick<AlertContext, 'policy' | 'now'>,
): Silence {
  return 'dependsOn' in view ? silenceOfKey(view, record, policy, now) : silenceOfConsumer(view);
}

function silenceOfKey(
  view: KeyView,
  record: KeyRecord | undefined,
  policy: AlertContext['policy'],
  now: number,
): Silence {
  const { pending } = record ?? {};
  const isUsed = view.consumers > 0 || view.critical;
  if (pending && (pending.verdict.status === 'inaccessible' || view.health !== 'inaccessible')) {
    const { status } = pending.verdict;
    const wanted = policy.confirmations[status];
    const text = `It was seen ${status} ${pending.seen} of ${wanted} times, first at ${utc(pending.firstAt)}: nothing is told before that is confirmed.`;
    return { reason: 'confirming', text };
  }
  if (view.health === 'inaccessible') {
    if (view.rootCauses.length > 0) return { reason: 'none', text: 'Only what is to blame alerts, and nothing does.' };
    if (view.baseline && !isUsed) {
      const text =
        'It was already so when keyvigil first saw it, nothing depends on it, and policy.critical does not name it.';
      return { reason: 'baseline', text };
    }
  }
  if (view.blindSince !== undefined && now < view.blindSince + BLIND_MS) {
    const left = span(view.blindSince + BLIND_MS - now);
    const text = `It cannot be seen since ${utc(view.blindSince)}; that alerts after 30 minutes, ${left} from now, unless its source is to blame.`;
    return { reason: 'blind_for_short', text };
  }
  if (view.health === 'unknown') {
    return {
      reason: 'never_known',
      text: 'Nothing conclusive was ever known of it: that is no loss, and alerts once it has lasted.',
    };
  }
  if (view.findings.some(degrades) && !isUsed) {
    const text =
      'What it breaks is a rule: that alerts only for keys that something depends on or policy.critical names.';
    return { reason: 'unused', text };
  }
  if (view.findings.some(degrades)) {
    return { reason: 'none', text: 'No alert tells of what it breaks, or a louder one of another key does.' };
  }
  if (view.findings.length > 0) return INFO_ONLY;
  return view.health === 'accessible'
    ? { reason: 'well', text: 'Nothing is wrong with it.' }
    : { reason: 'none', text: 'No rule asks for an alert.' };
}

const INFO_ONLY: Silence = { reason: 'info_only', text: 'Its findings are for information: those never alert.' };

function silenceOfConsumer({ health, reason, findings }: ConsumerView): Silence {
  if (health === 'ok') return findings.length > 0 ? INFO_ONLY : { reason: 'well', text: 'Nothing is wrong with it.' };
  if (reason === 'not_watched') {
    return {
      reason: 'not_watched',
      text: 'No key that it uses is watched, so nothing is known that could be told.',
    };
  }
  if (health === 'unknown') {
    return { reason: 'never_known', text: 'Nothing conclusive is known of it: that is no trouble that was seen.' };
  }
  if (health === 'impaired') {
    const text =
      'A loss of its key is being confirmed, or its key came back a moment ago: that is given the time to be the one alert.';
    return { reason: 'key_is_told', text };
  }
  return { reason: 'none', text: 'No rule asks for an alert: a key that it uses is at risk, and tells that itself.' };
}
