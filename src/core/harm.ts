/**
 * When the loss of a key begins to hurt what uses it, and when it is past undoing: in words, with an instant only where the
 * cloud announced one. Pure. What is said of a consumer that is well says what would happen.
 */
import { type ConsumerKind, STORES } from './model.ts';
import type { KeyReason } from './reasons.ts';
import type { ConsumerView, KeyView, UseView } from './snapshot.ts';
import { utc } from './text.ts';

/** When harm begins, worst first. `later`: at a date that is known. */
export const HARM_BEGINS = ['now', 'next_use', 'next_start', 'next_build', 'later'] as const;
export type HarmBegins = (typeof HARM_BEGINS)[number];

/** When harm begins. */
export interface Onset {
  readonly begins: HarmBegins;
  /** `later`: not before then, ms. */
  readonly at?: number;
  /** For somebody who has just been woken up. */
  readonly text: string;
}

/** When a loss is past undoing. */
export interface NoReturn {
  /** ms; absent: no date is known. */
  readonly at?: number;
  /** What the cloud tells is only the earliest end: there may be more time. */
  readonly atLeast?: true;
  /** It is past undoing already, as far as the cloud tells. */
  readonly passed?: true;
  readonly text: string;
}

/** What one cause does to a consumer. */
export interface Harm extends Onset {
  /** The root that is to blame; absent: trouble of its own. */
  readonly cause?: string;
  readonly noReturn?: NoReturn;
}

/** How many consumers of a kind one cause begins to hurt at the same moment. */
export interface HarmGroup extends Onset {
  readonly kind: ConsumerKind;
  /** Resources. */
  readonly consumers: readonly string[];
}

/** The view of a watched key. */
export type KeyOf = (resource: string) => KeyView | undefined;

/**
 * What hits the consumer, or is about to: one for each root cause, or for trouble of its own, or for each key with a date.
 * Empty: nothing does.
 */
export function harmsOf(consumer: ConsumerView, keyOf: KeyOf): readonly Harm[] {
  if (consumer.health === 'at_risk') return risksOf(consumer, keyOf);
  if (consumer.health !== 'impaired') return [];
  if (consumer.rootCauses.length === 0) return [onsetOf(consumer, undefined, keyOf)];
  return consumer.rootCauses.map((cause) => {
    const root = keyOf(cause);
    return { cause, ...onsetOf(consumer, cause, keyOf), ...(root && { noReturn: noReturnOf(root) }) };
  });
}

/** What a cause does to those that it hits, worst first: whose loss hurts at the same moment stands together. */
export function harmGroups(consumers: readonly ConsumerView[], cause: string, keyOf: KeyOf): readonly HarmGroup[] {
  const groups = new Map<Onset, { readonly kind: ConsumerKind; readonly consumers: string[] }>();
  for (const consumer of consumers) {
    // What is said is one and the same object for whom it is said of, and each kind has its own.
    const onset = onsetOf(consumer, cause, keyOf);
    const { kind, resource } = consumer;
    const group = groups.get(onset);
    if (group) group.consumers.push(resource);
    else groups.set(onset, { kind, consumers: [resource] });
  }
  const rank = ({ begins }: Onset) => HARM_BEGINS.indexOf(begins);
  return [...groups]
    .map(([onset, group]) => ({ ...onset, ...group }))
    .sort((a, b) => rank(a) - rank(b) || b.consumers.length - a.consumers.length);
}

/**
 * When a loss hurts the consumer, or would.
 * @param cause the key that is, or would be, lost; undefined: its way to a key that works
 */
export function onsetOf(consumer: ConsumerView, cause: string | undefined, keyOf: KeyOf): Onset {
  const uses = consumer.uses.filter(({ role }) => role !== STORES);
  const hit = cause === undefined ? uses : uses.filter((use) => needs(use, cause, keyOf));
  return ONSETS[consumer.kind](consumer, hit);
}

/** Whether the use needs the key, directly or through keys. */
function needs({ key }: UseView, cause: string, keyOf: KeyOf): boolean {
  if (key === undefined) return false;
  // What is lost through it says so itself.
  if (key === cause || keyOf(key)?.rootCauses.includes(cause)) return true;
  const reached = new Set([key]);
  for (const resource of reached) {
    if (resource === cause) return true;
    for (const needed of keyOf(resource)?.dependsOn ?? []) reached.add(needed);
  }
  return false;
}

const NEXT_USE: Onset = {
  begins: 'next_use',
  text:
    'As long as it runs it may go on until it next needs the key: at the next start, update or refresh of the key its source is not ' +
    'decrypted any more, and outputs that need the key are dropped without a word. Do not restart or change it before the key is back.',
};
const NEXT_START: Onset = {
  begins: 'next_start',
  text: 'It is not running: it will not work when it is next started.',
};
const REPORTED: Onset = {
  begins: 'now',
  text: 'The flow itself reports trouble: what needs the key does not work already.',
};
const NEXT_BUILD: Onset = {
  begins: 'next_build',
  text: 'The next build fails. One that is under way and has fetched its secrets may finish.',
};
const UNREADABLE: Onset = {
  begins: 'now',
  text: 'What earlier builds left behind under this key cannot be read from now on, and the next build that writes there fails.',
};
const NOTICED_BY_MEDIA_SERVICES: Onset = {
  begins: 'now',
  text:
    'New requests fail as soon as Media Services notices, at its next look at the key; how often it looks is not documented. ' +
    'Players that hold their content keys may go on until they ask for new ones.',
};
const NOTICED_BY_STORAGE: Onset = {
  begins: 'now',
  text: 'Reads and writes are refused as soon as the storage account notices, which may take it minutes.',
};

/** States of a flow in which nothing flows (Flow.Status of the MediaConnect API). */
const STOPPED: readonly string[] = ['STANDBY', 'STOPPING', 'DELETING'];
/** Uses of a project that protect what builds leave behind, not what they need to run. */
const OUTPUTS: readonly string[] = ['artifacts', 'cache', 'logs', 'build-key'];

type Judge = (consumer: ConsumerView, hit: readonly UseView[]) => Onset;

const ONSETS: Readonly<Record<ConsumerKind, Judge>> = {
  'mediaconnect-flow': ({ reason, state }) => {
    if (reason === 'reported_by_service' || state === 'ERROR') return REPORTED;
    return state !== undefined && STOPPED.includes(state) ? NEXT_START : NEXT_USE;
  },
  'codebuild-project': ({ reason }, hit) =>
    reason !== 'reported_by_service' && hit.some(({ role }) => OUTPUTS.includes(role)) ? UNREADABLE : NEXT_BUILD,
  'media-services-account': () => NOTICED_BY_MEDIA_SERVICES,
  'storage-account': () => NOTICED_BY_STORAGE,
};

/** Dates of its keys that are near, and versions that it has not moved to yet. */
function risksOf(consumer: ConsumerView, keyOf: KeyOf): readonly Harm[] {
  const harms: Harm[] = [];
  for (const resource of new Set(consumer.uses.flatMap(({ key }) => key ?? []))) {
    const key = keyOf(resource);
    const onset = key && riskOf(consumer, key, keyOf);
    if (onset)
      harms.push({ cause: resource, ...onset, ...(key.health === 'inaccessible' && { noReturn: noReturnOf(key) }) });
  }
  return harms;
}

function riskOf(consumer: ConsumerView, key: KeyView, keyOf: KeyOf): Onset | undefined {
  if (key.health === 'inaccessible') {
    return {
      begins: 'next_use',
      text: 'The version that it uses still works; it fails once it moves to one that is disabled.',
    };
  }
  const { expiresAt, findings } = key;
  if (expiresAt === undefined || !findings.some(({ id }) => /[.-]expir(ing|ed)$/.test(id))) return undefined;
  if (key.kind === 'azure-key') {
    const text = `From ${utc(expiresAt)} on nothing new is wrapped or encrypted with its key; what is wrapped can still be unwrapped.`;
    return { begins: 'later', at: expiresAt, text };
  }
  const { text } = onsetOf(consumer, key.resource, keyOf);
  return { begins: 'later', at: expiresAt, text: `From ${utc(expiresAt)} on its key is unusable. ${text}` };
}

/** Until when the loss of this key can be undone. What it says of a key that works means nothing. */
export function noReturnOf(key: KeyView): NoReturn {
  const reason = key.own?.reason ?? key.reason;
  if (reason === 'pending_deletion') return pendingDeletion(key);
  if (reason === 'soft_deleted') return softDeleted(key);
  // Azure answers for a minute that what was just deleted is nowhere; AWS keeps nothing of what it does not show.
  const gone = reason === 'purged' || (reason === 'not_found' && key.provider === 'aws');
  return { ...(gone && { passed: true }), text: (reason && WITHOUT_DATE[reason]) ?? NO_DATE };
}

const NO_DATE = 'No date is known at which it would be past undoing.';

const WITHOUT_DATE: Readonly<Partial<Record<KeyReason, string>>> = {
  disabled: 'No time runs out: a disabled key can be enabled again at any time.',
  pending_import: 'No time runs out, as long as somebody still has the original key material.',
  purged: 'It is past undoing: without a backup of your own, what was encrypted with it is lost.',
  not_found:
    'As far as the cloud tells it is gone. What was deleted only minutes ago may still show up as recoverable.',
};

/** KMS deletes after the date that it tells, up to a day later; Secrets Manager tells no date but that of the request. */
function pendingDeletion({ kind, deletionAt, recoverableUntil }: KeyView): NoReturn {
  const at = recoverableUntil ?? deletionAt;
  if (at === undefined) return { text: 'Its deletion can still be cancelled; no date is known yet.' };
  const lost = kind === 'aws-secret' ? 'its value is gone' : 'what was encrypted with it is lost';
  return {
    at,
    atLeast: true,
    text: `The deletion can be cancelled at least until ${utc(at)}; once it is done, ${lost} for good.`,
  };
}

function softDeleted({ deletionAt, recoverableUntil, attributes }: KeyView): NoReturn {
  const at = recoverableUntil ?? deletionAt;
  // A key tells it by its recovery level, a vault by its own flag.
  const { recoveryLevel, purgeProtection } = attributes;
  const isProtected =
    typeof recoveryLevel === 'string' ? !recoveryLevel.includes('Purgeable') : purgeProtection === true;
  const unless = isProtected ? '' : ', unless somebody purges it before: nothing protects it from that';
  if (at === undefined) return { text: `It can still be recovered${unless}; no date is known yet.` };
  return { at, text: `It can be recovered until ${utc(at)}${unless}. Then it is purged for good.` };
}
