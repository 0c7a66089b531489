/** What an alert says to people: the same words in every format that people read. */
import { span, utc, visible } from '../core/text.ts';
import type { Notification } from './receiver.ts';

/** Foreign text as it may be shown: lines stay lines, everything else that cannot be seen is spelled out. */
export function shown(text: string): string {
  return text
    .toWellFormed()
    .split(/\r?\n/)
    .map((line) => visible(line))
    .join('\n');
}

/** The same in one line: names, and what else has no lines of its own. */
export function inLine(text: string): string {
  return visible(text.toWellFormed());
}

/** At most `max` UTF-16 units; what is longer ends in an ellipsis, never within a character. */
export function clipped(text: string, max: number): string {
  if (text.length <= max) return text;
  return `${text.slice(0, max - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

/** The address as it is safe to link; undefined when it is none, or longer than anybody follows. */
export function webUrl(text: string | undefined): string | undefined {
  const url = text === undefined ? null : URL.parse(text);
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') return undefined;
  return url.href.length > 2_000 ? undefined : url.href;
}

/** Without what was resolved only because the same alert fires on with other labels: to people it did not end. */
export function withoutReplaced(batch: readonly Notification[]): readonly Notification[] {
  const firing = new Set(batch.filter(({ status }) => status === 'firing').map(({ alert }) => alert.fingerprint));
  return batch.filter(
    ({ alert, status, reason }) => status === 'firing' || (reason !== 'changed' && !firing.has(alert.fingerprint)),
  );
}

/** What is wrong, in a line. */
export function summaryOf({ alert: { annotations, labels } }: Notification): string {
  const of = labels.name ?? labels.resource ?? labels.target;
  return inLine(annotations.summary ?? [labels.alertname, of].filter((part) => part !== undefined).join(' '));
}

/** `Critical`, `Warning`, `Info`, `Resolved`; `Still critical` where people are reminded of it. */
export function wordOf({ alert, status, reason }: Notification): string {
  if (status === 'firing' && reason === 'reminder') return `Still ${alert.labels.severity}`;
  const word = status === 'resolved' ? status : alert.labels.severity;
  return `${word.charAt(0).toUpperCase()}${word.slice(1)}`;
}

/** `after 12 min, at 2026-11-20 10:15:03 UTC`. */
export function endOf({ alert, endsAt }: Notification): string {
  return `after ${span(endsAt - alert.startsAt)}, at ${utc(endsAt)}`;
}

/** The annotations that people read beside summary and description, in the order in which they need them. */
const FACTS = [
  ['reason', 'Reason'],
  ['since', 'Since'],
  ['affected', 'Breaks'],
  ['recoverable_until', 'Recoverable until'],
] as const;

/** What is known, as pairs of a word and a text; what is not known is left out. */
export function factsOf({
  alert: { annotations },
}: Notification): ReadonlyArray<readonly [word: string, text: string]> {
  return FACTS.flatMap(([name, word]) => {
    const text = annotations[name];
    return text ? [[word, shown(text)] as const] : [];
  });
}

/** Where to read on. */
export function linksOf(
  { alert: { annotations } }: Notification,
  statusUrl: string,
): ReadonlyArray<{ readonly href: string; readonly text: string }> {
  const links = [
    { href: webUrl(annotations.runbook_url), text: 'Runbook' },
    { href: webUrl(annotations.status_url) ?? webUrl(statusUrl), text: 'Status page' },
  ];
  return links.flatMap(({ href, text }) => (href === undefined ? [] : [{ href, text }]));
}

/** The same with every text well formed: half a character breaks readers that are stricter than we are. */
export function wellFormed(texts: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name.toWellFormed(), text.toWellFormed()]));
}
