/** The words of alerts, for somebody who reads them on a phone in the middle of the night. Pure. */
import { type HarmGroup, noReturnOf } from '../harm.ts';
import type { Finding } from '../model.ts';
import { displayName, meaningOf } from '../readers.ts';
import type { ConsumerView, KeyView } from '../snapshot.ts';
import { counted, PLAIN, span, utc, visible } from '../text.ts';
import { KIND_WORDS, REASON_WORDS } from '../words.ts';
import type { Impact } from './scene.ts';

/** Characters of names of what is affected that one alert lists: some hundred names. The status page has them all. */
const AFFECTED_LENGTH = 11_000;
/** Names that stand within a sentence. */
const NAMES_LISTED = 20;
const NAME_LENGTH = 100;
/** Tags that say whom to call, the first that is there. */
const OWNER_TAGS = ['owner', 'team', 'contact'];

/** `secret prod/db`, `vault key contoso/cmk`. */
export function called(view: KeyView | ConsumerView): string {
  const name = isKey(view) ? displayName(view) : view.name;
  return `${KIND_WORDS[view.kind]} ${short(name)}`;
}

/** The same as the first words of a sentence. */
export function calledFirst(view: KeyView | ConsumerView): string {
  const text = called(view);
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

/** `In account 111122223333, eu-west-1.` */
export function place({ account, location }: Pick<KeyView, 'account' | 'location'>): string {
  return `In account ${short(account)}, ${short(location)}.`;
}

/** `Since 2026-11-20 10:15:03 UTC.` */
export function sinceWhen(at: number): string {
  return `Since ${utc(at)}.`;
}

/** The names of what is affected, consumers first, each with its owner where a tag tells; undefined: nothing is. */
export function affected({ consumers, keys }: Impact): string | undefined {
  const names: string[] = [];
  let left = AFFECTED_LENGTH;
  for (const view of [...consumers, ...keys]) {
    const name = `${called(view)}${owner(view)}`;
    left -= name.length + 2;
    if (left < 0) break;
    names.push(name);
  }
  return listed(names, consumers.length + keys.length, names.length);
}

/** `a, b and 3 more`; undefined: none. At most the first `most` are listed. */
export function listed(names: readonly string[], total = names.length, most = NAMES_LISTED): string | undefined {
  if (total === 0) return undefined;
  const shown = names.slice(0, most);
  const text = shown.join(', ');
  return total > shown.length ? `${text} and ${total - shown.length} more` : text;
}

/** `2 consumers and 40 keys`; undefined: nothing. */
export function amount({ consumers, keys }: Impact): string | undefined {
  const parts = [
    ...(consumers.length > 0 ? [counted(consumers.length, 'consumer')] : []),
    ...(keys.length > 0 ? [counted(keys.length, 'key')] : []),
  ];
  return parts.length === 0 ? undefined : parts.join(' and ');
}

/** What it means that these consumers do not work: once for each kind. */
export function meanings(consumers: readonly ConsumerView[]): readonly string[] {
  const texts = new Map(consumers.map((one) => [one.kind, meaningOf(one)?.text]));
  return [...texts].flatMap(([kind, text]) => (text === undefined ? [] : `${KIND_WORDS[kind]}: ${text}`));
}

/** Until when the loss of the key can be undone, and how long that is. */
export function deadline(key: KeyView, now: number): string {
  const { at, text, atLeast } = noReturnOf(key);
  if (at === undefined) return text;
  if (at <= now) return `It could be undone for sure until ${utc(at)}: that has passed, try it at once.`;
  return `${text} ${atLeast ? 'At least ' : ''}${span(at - now)} left.`;
}

/** When it hurts those that a cause hits, worst first: `3 MediaConnect flows: …`. */
export function onsets(groups: readonly HarmGroup[]): readonly string[] {
  return groups.map(({ kind, consumers, text }) => `${counted(consumers.length, KIND_WORDS[kind])}: ${text}`);
}

/** What to know of what is told about a key that cannot be seen any more. */
export function blindness({ blindSince, blindReason }: KeyView): string | undefined {
  if (blindSince === undefined) return undefined;
  const because = blindReason === undefined ? '' : ` (${REASON_WORDS[blindReason].brief})`;
  return `Nothing conclusive has come in since ${utc(blindSince)}${because}: this is what was last known.`;
}

/** The name of a finding's rule as the reason of an alert, and its sentence. */
export function sentence({ summary }: Finding): string {
  return summary.endsWith('.') ? summary : `${summary}.`;
}

/** A sentence that goes on in the middle of another: `Its key expires.` is `its key expires`. */
export function clause(finding: Finding): string {
  const text = sentence(finding).slice(0, -1);
  return `${text.charAt(0).toLowerCase()}${text.slice(1)}`;
}

function isKey(view: KeyView | ConsumerView): view is KeyView {
  return 'dependsOn' in view;
}

function owner({ tags }: KeyView | ConsumerView): string {
  for (const wanted of OWNER_TAGS) {
    for (const [tag, value] of Object.entries(tags)) {
      if (tag.toLowerCase() === wanted && value !== '') return ` (${wanted}: ${short(value)})`;
    }
  }
  return '';
}

/** Cut before it is listed: a name of thousands of characters must not push the others out. */
export function short(text: string): string {
  if (text.length <= NAME_LENGTH && PLAIN.test(text)) return text;
  const points = Array.from(visible(text.slice(0, 2 * NAME_LENGTH)));
  return points.length <= NAME_LENGTH ? points.join('') : `${points.slice(0, NAME_LENGTH - 1).join('')}…`;
}
