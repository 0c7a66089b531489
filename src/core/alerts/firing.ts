/** From what fires to an alert: labels, fingerprint and the bounds of every text. Pure. */
import type { Alert, AlertName, AlertSeverity } from '../alert.ts';
import { type ConsumerKind, isConsumerKind, type KeyKind } from '../model.ts';
import { iso, visible } from '../text.ts';
import type { Scene } from './scene.ts';

/** What an alert is about, when it is about a key or a consumer. */
export interface Subject {
  readonly resource: string;
  readonly kind: KeyKind | ConsumerKind;
  readonly provider: string;
  readonly account: string;
  readonly location: string;
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** What an alert tells people; bounded and made inert by `alertOf`. */
export interface Told {
  /** One sentence. */
  readonly summary: string;
  /** Lines. */
  readonly description: readonly (string | undefined)[];
  readonly reason?: string | undefined;
  readonly affected?: string | undefined;
  readonly undo?: string | undefined;
  /** ms */
  readonly recoverableUntil?: number | undefined;
  /** Heading of the runbook that fits best. */
  readonly anchor?: string | undefined;
}

/** Something that fires. Its words are made only if somebody asks for them. */
export interface Firing {
  readonly alertname: AlertName;
  readonly severity: AlertSeverity;
  /** Labels besides `alertname`, `severity` and `origin`; an empty one is absent. */
  readonly labels: Readonly<Record<string, string>>;
  /** What tells it from others of its name. */
  readonly identity: readonly string[];
  readonly startsAt: number;
  readonly endsAt?: number;
  /** Path on the status page. */
  readonly path: string;
  tell(): Told;
}

interface Parts {
  readonly alertname: AlertName;
  readonly severity: AlertSeverity;
  readonly startsAt: number;
  readonly finding?: string;
  tell(): Told;
}

/** Something that fires about a key or a consumer. */
export function aboutSubject(subject: Subject, { finding, ...parts }: Parts, scene: Scene): Firing {
  const { resource, kind, provider, account, location, name, tags } = subject;
  const labels: Record<string, string> = { resource, kind, provider, account, location, name };
  if (finding !== undefined) labels.finding = finding;
  for (const { tag, label } of scene.tags) {
    const value = Object.hasOwn(tags, tag) ? tags[tag] : undefined;
    if (value) labels[label] = value;
  }
  const page = isConsumerKind(kind) ? 'consumers' : 'keys';
  const path = `/${page}/${encodeURIComponent(resource.toWellFormed())}`;
  return { ...parts, labels, identity: finding === undefined ? [resource] : [resource, finding], path };
}

/** Something that fires about a source, a target or keyvigil itself: `labels` is what it is about. */
export function aboutPlace(labels: Readonly<Record<string, string>>, parts: Omit<Parts, 'finding'>): Firing {
  return { ...parts, labels, identity: Object.values(labels), path: '/' };
}

/** Code points. An ARN has at most 2,048 characters. */
export const MAX = { label: 256, resource: 2_048, summary: 300, description: 3_000, affected: 12_000, command: 4_000 };

export function alertOf(firing: Firing, { context }: Scene): Alert {
  const { alertname, severity, startsAt, endsAt } = firing;
  const told = firing.tell();
  const labels: Record<string, string> = {};
  for (const [name, value] of Object.entries(firing.labels)) {
    const text = bounded(value, name === 'resource' ? MAX.resource : MAX.label);
    if (text !== '') labels[name] = text;
  }
  const runbook = `${withoutSlash(context.runbookUrl)}/${alertname}.md`;
  const annotations: Record<string, string | undefined> = {
    summary: bounded(told.summary, MAX.summary),
    description: cut(told.description.flatMap((line) => (line ? visible(line) : [])).join('\n'), MAX.description),
    reason: told.reason && bounded(told.reason, MAX.label),
    affected: told.affected && bounded(told.affected, MAX.affected),
    undo: commandText(told.undo),
    since: iso(startsAt),
    recoverable_until: iso(told.recoverableUntil),
    runbook_url: told.anchor === undefined ? runbook : `${runbook}#${told.anchor}`,
    status_url: `${withoutSlash(context.statusUrl)}${firing.path}`,
  };
  return {
    fingerprint: fingerprintOf(firing),
    labels: { alertname, severity, origin: 'push', ...labels },
    annotations: Object.fromEntries(
      Object.entries(annotations).filter((entry): entry is [string, string] => Boolean(entry[1])),
    ),
    startsAt,
    ...(endsAt !== undefined && { endsAt }),
  };
}

/** Two different things never have the same. */
export function fingerprintOf({ alertname, identity }: Pick<Firing, 'alertname' | 'identity'>): string {
  return JSON.stringify([alertname, ...identity]);
}

/** Half a command is worse than none. */
function commandText(command: string | undefined): string | undefined {
  if (command === undefined) return undefined;
  const text = visible(command);
  return text.length > MAX.command ? undefined : text;
}

function bounded(text: string, max: number): string {
  return cut(visible(text.slice(0, 2 * max + 2)), max);
}

/** At most `max` code points; what is longer ends in an ellipsis. */
export function cut(text: string, max: number): string {
  if (text.length <= max) return text;
  const points = Array.from(text.slice(0, 2 * max + 2));
  return points.length <= max ? text : `${points.slice(0, max - 1).join('')}…`;
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '');
}
