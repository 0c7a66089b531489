/** What somebody means who names a key or a consumer: in full, by an alias, by a name, or by the end of either. Pure. */
import { displayName } from './readers.ts';
import type { Relations } from './relations.ts';
import type { ConsumerView, KeyView, Snapshot } from './snapshot.ts';
import { counted } from './text.ts';

export type Found =
  | { readonly outcome: 'key'; readonly key: KeyView }
  | { readonly outcome: 'consumer'; readonly consumer: ConsumerView }
  /** Nothing that is watched, but something that is watched names it. */
  | { readonly outcome: 'named'; readonly resource: string }
  /** Any of these, sorted; only the first ones are listed. */
  | { readonly outcome: 'ambiguous'; readonly candidates: readonly (KeyView | ConsumerView)[]; readonly total: number }
  /** The nearest names first. */
  | { readonly outcome: 'unknown'; readonly near: readonly (KeyView | ConsumerView)[] };

const LISTED = 20;
const NEAR = 5;
/** Names are compared by so many of their first characters: hostile ones are long. */
const COMPARED = 200;
/** The least likeness of a name worth suggesting, 0 to 1. */
const LIKE = 0.35;

/** The ends of an identity that may stand for it begin behind one of these. */
const BOUNDARY = '/:';

/** Whether it is written like a full identity: an ARN, a URL, an Azure resource id. */
export function isIdentity(text: string): boolean {
  return /^(arn:[^:]+:[^:]+:|https:\/\/[^/]+|\/subscriptions\/)/i.test(text);
}

/**
 * Finds what `text` names: a full resource before an alias, before a secret's ARN without its random end or a versioned
 * key URL, before a name, before the end of a resource or name, before any of these whatever the case of its letters.
 */
export function find(text: string, relations: Relations): Found {
  const { snapshot, records } = relations;
  const exact = one(text, relations) ?? one(records.resolve(text), relations);
  if (exact) return exact;
  const url = unversioned(text);
  const versioned = url === undefined ? undefined : one(url, relations);
  if (versioned) return versioned;
  for (const matches of [...ways(text, (part) => part), ...ways(text.toLowerCase(), (part) => part.toLowerCase())]) {
    const found = [...snapshot.keys.filter(matches), ...snapshot.consumers.filter(matches)];
    if (found.length === 0) continue;
    const sorted = found.toSorted((a, b) => (a.resource < b.resource ? -1 : 1));
    if (sorted.length > 1) return { outcome: 'ambiguous', candidates: sorted.slice(0, LISTED), total: sorted.length };
    return one(sorted[0]?.resource, relations) ?? unknown(text, relations);
  }
  const isNamed = relations.keysOn(text).length + relations.consumersOn(text).length > 0;
  return isNamed ? { outcome: 'named', resource: text } : unknown(text, relations);
}

type Matcher = (view: KeyView | ConsumerView) => boolean;

/** From the strictest reading to the loosest. What is cheap is asked first: 100,000 keys are asked all of it. */
function ways(text: string, fold: (part: string) => string): readonly Matcher[] {
  const { length } = text;
  const same = (whole: string) => whole.length === length && fold(whole) === text;
  const ends = (whole: string) => {
    const before = whole.length - length - 1;
    return before >= 0 && BOUNDARY.includes(whole.charAt(before)) && fold(whole.slice(before + 1)) === text;
  };
  if (text === '') return [];
  const resource: Matcher = (view) => same(view.resource);
  if (isIdentity(text)) {
    // Secrets Manager puts six random characters behind the name.
    const secret: Matcher = ({ resource: arn }) => arn.length === length + 7 && fold(arn).startsWith(`${text}-`);
    return [resource, secret];
  }
  return [
    resource,
    (view) => same(view.name) || same(nameOf(view)),
    (view) => ends(view.resource) || ends(view.name) || ends(nameOf(view)),
  ];
}

function nameOf(view: KeyView | ConsumerView): string {
  return 'dependsOn' in view ? displayName(view) : view.name;
}

function one(resource: string | undefined, { snapshot, consumer }: Relations): Found | undefined {
  if (resource === undefined) return undefined;
  const key = snapshot.byResource.get(resource);
  if (key) return { outcome: 'key', key };
  const found = consumer(resource);
  return found && { outcome: 'consumer', consumer: found };
}

/** The URL of a key without the version that Azure puts behind it. */
function unversioned(text: string): string | undefined {
  return /^(https:\/\/[^/]+\/keys\/[^/]+)\/[^/]*$/.exec(text)?.[1] ?? /^(https:\/\/[^/]+)\/$/.exec(text)?.[1];
}

function unknown(text: string, { snapshot }: Relations): Found {
  const wanted = (isIdentity(text) ? endOf(text) : text).slice(0, COMPARED).toLowerCase();
  const parts = trigrams(wanted);
  const best: { readonly view: KeyView | ConsumerView; readonly likeness: number }[] = [];
  for (const list of [snapshot.keys, snapshot.consumers]) {
    for (const view of list) {
      const name = view.name.slice(0, COMPARED).toLowerCase();
      const likeness =
        wanted !== '' && name.includes(wanted) ? 1 : Math.max(alike(parts, name), alike(parts, endOf(name)));
      if (likeness < LIKE || (best.length === NEAR && likeness <= (best.at(-1)?.likeness ?? 0))) continue;
      best.push({ view, likeness });
      best.sort((a, b) => b.likeness - a.likeness || (a.view.resource < b.view.resource ? -1 : 1)).splice(NEAR);
    }
  }
  return { outcome: 'unknown', near: best.map(({ view }) => view) };
}

function endOf(text: string): string {
  return text.slice(Math.max(text.lastIndexOf('/'), text.lastIndexOf(':')) + 1) || text;
}

/** Runs of three letters as numbers: near names have many in common, wherever they differ. */
function trigrams(text: string): ReadonlySet<number> {
  const found = new Set<number>();
  for (let at = 0; at <= text.length; at += 1) found.add(trigramAt(text, at));
  return found;
}

/** The letters around a place; there is a space before and behind the text. */
function trigramAt(text: string, at: number): number {
  const before = at < 2 ? 32 : text.charCodeAt(at - 2);
  const middle = at < 1 ? 32 : text.charCodeAt(at - 1);
  return (before * 65_536 + middle) * 65_536 + (at < text.length ? text.charCodeAt(at) : 32);
}

/** Share of what two have in common (Dice), 0 to 1. Makes nothing: it is asked of 100,000 names at once. */
function alike(wanted: ReadonlySet<number>, text: string): number {
  const count = text.length + 1;
  // The most that names of so different lengths can have.
  if ((2 * Math.min(count, wanted.size)) / (count + wanted.size) < LIKE) return 0;
  let both = 0;
  for (let at = 0; at < count; at += 1) if (wanted.has(trigramAt(text, at))) both += 1;
  return Math.min(1, (2 * both) / (count + wanted.size));
}

/** One that may have been meant. */
export interface Candidate {
  readonly resource: string;
  readonly kind: string;
  readonly name: string;
}

/** Why nothing is told of a name, and what may have been meant. */
export interface NotFound {
  /** One sentence. */
  readonly error: string;
  /** It means more than one. */
  readonly candidates?: readonly Candidate[] | undefined;
  /** Nothing that is watched: names that are near. */
  readonly near?: readonly Candidate[] | undefined;
}

/** What to say of a name that is not the name of one thing. `named` too: what only others name has no story of its own. */
export function notFound(
  text: string,
  found: Exclude<Found, { outcome: 'key' | 'consumer' }>,
  { sources }: Pick<Snapshot, 'sources'>,
): NotFound {
  const shown = JSON.stringify(text.slice(0, COMPARED));
  if (found.outcome === 'ambiguous') {
    const error = `resource: ${shown} means ${counted(found.total, 'thing')} that are watched; name one of them in full`;
    return { error, candidates: found.candidates.map(candidate) };
  }
  if (found.outcome === 'named') {
    return { error: `resource: ${shown} is not watched, though something that is watched names it` };
  }
  const unread = sources.filter(({ up }) => up !== true).length;
  const maybe =
    unread === 0
      ? ''
      : `; ${unread} of ${counted(sources.length, 'source')} cannot be read, or were not yet: it may be there`;
  return { error: `resource: nothing that is watched is called ${shown}${maybe}`, near: found.near.map(candidate) };
}

function candidate(view: KeyView | ConsumerView): Candidate {
  return { resource: view.resource, kind: view.kind, name: nameOf(view) };
}
