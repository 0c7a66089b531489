/** What `explain` and `impact` print for people. Names and messages of a cloud are made inert; commands stay whole. */
import { styleText } from 'node:util';
import type { AlertBrief } from '../core/alerting.ts';
import type { Explanation } from '../core/explain.ts';
import type { Impact, Tally } from '../core/impact.ts';
import { isConsumerKind } from '../core/model.ts';
import { counted, grouped, relative, utc, visible } from '../core/text.ts';
import type { Needed, NeededKey } from '../core/tree.ts';
import { eventWord, KIND_WORDS, REASON_WORDS } from '../core/words.ts';
import { mark, paint, type TableStyle, wrap } from './lines.ts';
import { called, dependentBranches, drawTree, fateBranches, neededBranches } from './tree.ts';

/** Text that is wrapped is no wider than this, whatever the terminal. */
const READABLE = 100;
/** Where there is no terminal. */
const DEFAULT = 80;
const INDENT = '  ';

/** @param told times are ISO 8601 */
export function explanationText(told: Explanation, style: TableStyle): string {
  const sections = [
    headOf(told, style),
    undoOf(told, style),
    needsOf(told, style),
    brokenOf(told, style),
    alertsOf(told, style),
    findingsOf(told, style),
    evidenceOf(told, style),
    versionsOf(told, style),
    timelineOf(told, style),
  ];
  return `${sections.flatMap((lines) => (lines.length === 0 ? [] : [lines.join('\n')])).join('\n\n')}\n`;
}

function headOf(told: Explanation, style: TableStyle): string[] {
  const { health, kind, name, resource, account, location, targets, owners = {}, since, live } = told;
  const facts = [
    `account ${account}`,
    location,
    `target ${targets.join(', ')}`,
    ...Object.entries(owners).map(([tag, value]) => `${tag}: ${value}`),
    ...(told.critical ? ['critical'] : []),
  ];
  const state = told.state === undefined ? '' : ` Its service says ${JSON.stringify(told.state)}.`;
  return [
    paint(visible(`${mark(health)}  ${KIND_WORDS[kind]} ${name}`), health, style),
    `${INDENT}${visible(resource)}`,
    ...prose(facts.join(' · '), style),
    ...prose(`${told.why}${state}`, style),
    ...(since === undefined ? [] : [`${INDENT}Since ${instant(since, style)}.`]),
    ...prose(told.baseline ? 'It was already so when keyvigil first saw it.' : '', style),
    ...prose(pendingText(told), style),
    ...prose(blindText(told, style), style),
    ...prose(live ? 'This is a look of its own: it knows no timeline, and tells nobody.' : '', style),
  ];
}

function pendingText({ pending }: Explanation): string {
  if (!pending) return '';
  const times = pending.seen === undefined ? '' : `, ${pending.seen} of ${pending.of} times`;
  return `It was seen ${pending.status}${times}; that is not confirmed yet.`;
}

function blindText({ blindSince, blindReason }: Explanation, style: TableStyle): string {
  if (blindSince === undefined) return '';
  const why = reasonText(blindReason);
  return `Nothing conclusive has come in since ${instant(blindSince, style)}${why}: this is what was last known.`;
}

function undoOf(told: Explanation, style: TableStyle): string[] {
  const lines = told.undo === undefined ? [] : command(told.undo);
  const roots = rootsIn(told.needs).flatMap(({ name, undo, key }) =>
    undo === undefined || !key ? [] : [`${INDENT}${visible(`${called({ kind: key.kind, name })}:`)}`, ...command(undo)],
  );
  if (lines.length + roots.length === 0) return [];
  return [title('Undo', style), ...lines, ...roots, ...prose(told.undoing ?? '', style)];
}

/** Every root of a tree, once. */
function rootsIn(needs: readonly Needed[]): readonly NeededKey[] {
  const found = new Map<string, NeededKey>();
  const walk = (all: readonly Needed[]): void => {
    for (const { anyOf } of all) {
      for (const one of anyOf) {
        if (one.root && one.key && !found.has(one.key.resource)) found.set(one.key.resource, one);
        walk(one.needs ?? []);
      }
    }
  };
  walk(needs);
  return [...found.values()];
}

function needsOf({ needs, moreNeeds }: Explanation, style: TableStyle): string[] {
  if (needs.length === 0) return [];
  return [title('Needs', style), ...drawTree(neededBranches(needs, moreNeeds), style)];
}

function brokenOf(told: Explanation, style: TableStyle): string[] {
  const { kind, health, dependents, tree, more } = told;
  if (isConsumerKind(kind)) {
    const lines = meaningLines(told, style);
    return lines.length === 0 ? [] : [title('What that means', style), ...lines];
  }
  const { keys, consumers } = dependents;
  const head = health === 'inaccessible' ? 'Takes down' : 'Needed by';
  if (keys + consumers === 0) return [title(head, style), `${INDENT}Nothing that keyvigil knows of depends on it.`];
  return [
    title(`${head}: ${counted(consumers, 'consumer')}, ${counted(keys, 'key')}`, style),
    ...drawTree(dependentBranches(tree, more), style),
    ...meaningLines(told, style),
  ];
}

/** What stops, and when that hurts. */
function meaningLines({ meanings, harm }: Pick<Explanation, 'meanings' | 'harm'>, style: TableStyle): string[] {
  const hurts = harm.map(({ kind, consumers, text, undoing = '' }) => {
    const whom = kind === undefined || consumers === undefined ? '' : ` ${counted(consumers, KIND_WORDS[kind])}`;
    return `When it hurts${whom}: ${text} ${undoing}`.trimEnd();
  });
  return [...meanings, ...hurts].flatMap((text) => prose(text, style));
}

function alertsOf({ alerts, silence, rulesOff, live }: Explanation, style: TableStyle): string[] {
  const off = rulesOff.length === 0 ? [] : prose(`The policy has switched off ${rulesOff.join(', ')}.`, style);
  if (alerts.length === 0) {
    return [title('Alerts', style), ...prose(`None fires. ${silence?.text ?? ''}`, style), ...off];
  }
  return [
    title(live ? 'Alerts that a daemon would send' : 'Alerts', style),
    ...alerts.flatMap((alert) => alertLines(alert, live, style)),
    ...off,
  ];
}

function alertLines(
  { name, severity, since, summary, about, told }: AlertBrief,
  live: boolean,
  style: TableStyle,
): string[] {
  const of = about === undefined ? '' : ` on ${about}`;
  const who = told.map(({ receiver, state, at }) => {
    const time = at === undefined ? '' : ` at ${utc(Date.parse(at))}`;
    if (state === 'told') return `${receiver} was told${time}`;
    return state === 'waiting' ? `${receiver} is to be told` : `${receiver} refused it${time}`;
  });
  const heard = who.length > 0 ? who.join(', ') : 'no receiver was told';
  return [
    ...prose(`${name}, ${severity}${of}, since ${instant(since, style)}${live ? '' : `: ${heard}`}.`, style),
    ...prose(summary, style, `${INDENT}${INDENT}`),
  ];
}

function findingsOf({ findings }: Explanation, style: TableStyle): string[] {
  if (findings.length === 0) return [];
  return [
    title('Findings', style),
    ...findings.flatMap(({ id, severity, summary, remedy }) => [
      ...prose(`${severity}: ${summary} (${id})`, style),
      ...(remedy === undefined ? [] : command(remedy)),
    ]),
  ];
}

function evidenceOf(told: Explanation, style: TableStyle): string[] {
  const { operation, status, code, message, requestId } = told.evidence;
  const answer = [
    operation,
    ...(status === undefined ? [] : [`HTTP ${status}`]),
    ...(code === undefined ? [] : [code]),
    ...(requestId === undefined ? [] : [`request id ${requestId}`]),
  ];
  const { verdict, checkedAt, conclusiveAt } = told;
  const words = verdict && [verdict.status, ...(verdict.reason === undefined ? [] : [verdict.reason])].join(', ');
  return [
    title('Evidence', style),
    ...prose(answer.join(', '), style),
    ...prose(message ?? '', style),
    ...(words === undefined ? [] : prose(`By itself it is believed ${words}${since(verdict?.since, style)}.`, style)),
    ...(checkedAt === undefined ? [] : [`${INDENT}Last look ${instant(checkedAt, style)}.`]),
    ...(conclusiveAt === checkedAt || conclusiveAt === undefined
      ? []
      : [`${INDENT}Last conclusive look ${instant(conclusiveAt, style)}.`]),
  ];
}

function versionsOf({ versions }: Explanation, style: TableStyle): string[] {
  if (versions.length === 0) return [];
  const lines = versions.toReversed().map((one) => {
    const parts = [
      one.version,
      ...(one.current ? ['current'] : []),
      ...(one.enabled === false ? ['disabled'] : []),
      ...(one.createdAt === undefined ? [] : [`created ${utc(Date.parse(one.createdAt))}`]),
      ...(one.expiresAt === undefined ? [] : [`expires ${utc(Date.parse(one.expiresAt))}`]),
    ];
    return prose(parts.join(', '), style);
  });
  return [title('Versions', style), ...lines.flat()];
}

function timelineOf({ events }: Explanation, style: TableStyle): string[] {
  if (events === undefined) return [];
  const lines = events.map((event) => {
    const { at, from, to, reason, version } = event;
    const moved = from !== undefined && to !== undefined ? `${from} → ${to}` : (to ?? from ?? version ?? '');
    return prose(`${utc(Date.parse(at))}  ${eventWord(event)} ${moved}${reasonText(reason)}`, style);
  });
  return [title('Timeline', style), ...(lines.length === 0 ? [`${INDENT}Nothing yet.`] : lines.flat())];
}

/** ` (disabled)`; nothing for a reason that this version does not know. */
function reasonText(reason: string | undefined): string {
  const known = Object.keys(REASON_WORDS).find((one): one is keyof typeof REASON_WORDS => one === reason);
  return known === undefined ? '' : ` (${REASON_WORDS[known].brief})`;
}

/** What breaks if the key goes away. */
export function impactText(told: Impact, style: TableStyle): string {
  const { key, resource, tree, more, gaps, restsOn, live } = told;
  const rests = restsOn.map(({ service, objects }) => `${service} (${grouped(objects)})`).join(', ');
  const sections = [
    [
      visible(key ? `${mark(key.health)}  ${called(key)}` : '? not watched'),
      `${INDENT}${visible(resource)}`,
      ...prose(key?.health === 'inaccessible' ? 'It is unusable already.' : '', style),
    ],
    [
      paint(verdictText(told), VERDICT_HEALTH[told.outcome], style),
      ...drawTree(fateBranches(tree, more), style),
      ...meaningLines(told, style),
    ],
    gaps.length === 0
      ? []
      : [
          title('What this may lack', style),
          ...gaps.flatMap(({ text, names = [] }) =>
            prose(`? ${text}${names.length === 0 ? '' : ` Among them: ${names.join(', ')}.`}`, style),
          ),
        ],
    prose(
      `As of ${instant(told.at, style)}${live ? ', by a look of its own' : ''}. It rests on ${rests === '' ? 'nothing' : rests}.`,
      style,
      '',
    ),
  ];
  return `${sections.flatMap((lines) => (lines.length === 0 ? [] : [lines.join('\n')])).join('\n\n')}\n`;
}

const VERDICT_HEALTH = { nothing: 'accessible', something: 'inaccessible', unknown: 'unknown' } as const;

function verdictText({ outcome, keys, consumers }: Impact): string {
  if (outcome === 'nothing') return 'Nothing that keyvigil knows of breaks without it.';
  if (outcome === 'unknown') return 'Nothing is known to break without it, but not everything is known.';
  const parts = [
    amounts(consumers, keys, 'breaks', 'would break'),
    amounts(consumers, keys, 'already', 'broken already'),
    consumers.one_remove > 0 && `${counted(consumers.one_remove, 'consumer')} at one remove`,
    amounts(consumers, keys, 'unsure', 'cannot be told'),
  ];
  return `Without it: ${parts.filter(Boolean).join('; ')}.`;
}

function amounts(consumers: Tally, keys: Tally, fate: keyof Tally, words: string): string | false {
  const parts = [
    ...(consumers[fate] > 0 ? [counted(consumers[fate], 'consumer')] : []),
    ...(keys[fate] > 0 ? [counted(keys[fate], 'key')] : []),
  ];
  return parts.length > 0 && `${parts.join(' and ')} ${words}`;
}

function title(text: string, style: TableStyle): string {
  return style.color ? styleText('bold', text, { validateStream: false }) : text;
}

function prose(text: string, style: TableStyle, indent = INDENT): string[] {
  if (text === '') return [];
  const columns = Math.min(READABLE, style.columns ?? DEFAULT) - indent.length;
  return wrap(visible(text), columns).map((line) => `${indent}${line}`);
}

/** To be copied: it is never cut or wrapped. */
function command(text: string): string[] {
  return text.split(/\r?\n/).map((line) => `${INDENT}${INDENT}${visible(line)}`);
}

function instant(at: string, { now }: TableStyle): string {
  const ms = Date.parse(at);
  return Number.isNaN(ms) ? visible(at) : `${utc(ms)} (${relative(ms, now)})`;
}

function since(at: string | undefined, style: TableStyle): string {
  return at === undefined ? '' : `, since ${instant(at, style)}`;
}
