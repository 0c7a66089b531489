/** The plan for people: no line wider than 80 columns, whatever the terminal. Pure. */
import { counted, grouped, span, visible } from '../core/text.ts';
import { KIND_WORDS } from '../core/words.ts';
import { CALL_MS, type PlannedCalls, type PlannedSource, type PlanWarning } from '../engine/plan.ts';
import { PRICES_AS_OF } from '../providers/prices.ts';
import type { Plan, Row } from './plan.ts';

const WIDTH = 80;
/** A space at which no line ends. */
const GLUE = '\u00a0';

/** Everything that the figures take for granted, for what is planned: whole sentences. */
export function assumptionsOf({ rows }: Plan): readonly string[] {
  const services = new Set(rows.flatMap(({ plan, source }) => (plan ? [source.service] : [])));
  return [
    'Nothing changes and nothing fails: every change, and the start of the daemon, costs some calls more.',
    `A month has 30 days, a call takes ${CALL_MS} ms, and no source waits for another one.`,
    `List prices of ${PRICES_AS_OF}, without free tiers, discounts and taxes.`,
    'What a cloud charges for the log of these calls, where one is kept for money, is not in it.',
    ...new Set([...services].flatMap(({ calls }) => calls.assumes)),
  ];
}

export function planText(plan: Plan): string {
  const { rows, config } = plan;
  const share = `${Math.round(config.budget * 100)} % of each quota`;
  const lines = [
    ...wrapped(`${counted(rows.length, 'source')}, within a budget of ${share}:`, ''),
    '',
    ...rows.flatMap((row) => [...sourceLines(row), '']),
    ...totalLines(plan),
    '',
    'Taken for granted:',
    ...assumptionsOf(plan).flatMap((one) => wrapped(one, '- ')),
  ];
  return `${lines.join('\n')}\n`;
}

function totalLines({ complete, callsPerMonth, usdPerMonth }: Plan): readonly string[] {
  const sum = `${calls(callsPerMonth)} calls and ${usdPerMonth.toFixed(2)} USD a month`;
  if (complete) return wrapped(`In all: ${sum}.`, '');
  return wrapped(`In all at least ${sum}: not every source could be counted.`, '');
}

function sourceLines({ source, input, counted: how, plan, allCritical, notes }: Row): readonly string[] {
  const { id, expression, timezone } = source;
  const lines = wrapped(visible(`${id.target} / ${id.location} / ${id.service}`), '');
  const zone = timezone === 'UTC' ? '' : ` ${timezone}`;
  const every = `every ${span(input.pace.intervalMs)} (${visible(expression)}${zone})`;
  lines.push(...wrapped(`${objectsText(input)}${how === 'given' ? ', as given' : ''}; ${every}`, '  '));
  if (plan) {
    const within = `a change is confirmed within ${bound(plan.detectionBoundMs)} at worst`;
    const lasts = plan.sweepMs >= 1000 ? `; a sweep takes about ${bound(plan.sweepMs)}` : '';
    lines.push(...wrapped(`${within}${lasts}`, '  '), ...table(plan, source.service.apis));
    for (const warning of plan.warnings) lines.push(...wrapped(warningText(warning, source.service), '  ! '));
  }
  if (allCritical) {
    const { callsPerMonth, usdPerMonth } = allCritical;
    const sum = `${calls(callsPerMonth)} calls and ${usdPerMonth.toFixed(2)} USD`;
    lines.push(
      ...wrapped(`None of them counts as critical; if policy.critical named all, it would be ${sum}.`, '  ! '),
    );
  }
  for (const note of notes) lines.push(...wrapped(note, '  ! '));
  return lines;
}

function objectsText({ holding, service }: Row['input']): string {
  if (!holding) return 'nobody knows how much';
  const kinds = service.kinds.map((kind) => counted(holding.objects[kind] ?? 0, KIND_WORDS[kind]));
  return `${kinds.join(', ')}${holding.critical > 0 ? ` (${grouped(holding.critical)} critical)` : ''}`;
}

/** Never rounded down: it is a bound. In one piece, wherever lines end. */
function bound(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 60 || seconds >= 3600) return span(seconds * 1000).replaceAll(' ', GLUE);
  const rest = seconds % 60 === 0 ? '' : `${GLUE}${seconds % 60}${GLUE}s`;
  return `${Math.floor(seconds / 60)}${GLUE}min${rest}`;
}

function table({ calls: made, usdPerMonth }: PlannedSource, apis: Row['source']['service']['apis']): readonly string[] {
  const rows = [
    ['calls', 'a sweep', 'a month', 'of quota', 'USD'],
    ...made.map((one) => [
      one.operation,
      number(one.perSweep),
      calls(one.perMonth),
      percent(one.quotaShare),
      apis[one.operation]?.usdPer10k === 0 ? 'free' : money(one),
    ]),
    ...(made.length > 1 ? [['', '', '', '', usdPerMonth.toFixed(2)]] : []),
  ];
  const widths = [0, 1, 2, 3, 4].map((at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  return rows.map((row) =>
    `    ${row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join('  ')}`.trimEnd(),
  );
}

function money({ usdPerMonth }: PlannedCalls): string {
  return usdPerMonth > 0 && usdPerMonth < 0.005 ? '<0.01' : usdPerMonth.toFixed(2);
}

function number(count: number): string {
  if (Number.isInteger(count)) return grouped(count);
  return count < 0.01 ? '<0.01' : grouped(Number(count.toFixed(count < 10 ? 2 : 1)));
}

function calls(count: number): string {
  return grouped(Math.round(count));
}

function percent(share: number): string {
  if (share === 0) return '0 %';
  return share < 0.0001 ? '<0.01 %' : `${(share * 100).toFixed(2)} %`;
}

function warningText(warning: PlanWarning, service: Row['source']['service']): string {
  if (warning.is === 'slow_sweep') {
    return `A sweep takes about ${bound(warning.sweepMs)}, longer than its interval: a rarer schedule keeps to its times.`;
  }
  const ways = [
    ...(warning.budget === undefined ? [] : [`a budget of ${warning.budget}`]),
    ...(warning.intervalMs === undefined ? [] : [`a schedule of every ${bound(wholeMinutes(warning.intervalMs))}`]),
    ...(isOption(service, 'discover') ? [`discover:${GLUE}referenced`] : []),
    ...(service.narrows ? [`fewer objects (${Object.keys(service.narrows).join(', ')})`] : []),
  ];
  const remedy = ways.length === 0 ? '' : ` What would do: ${ways.join(' or ')}.`;
  if (warning.is === 'calls_over_budget') {
    return `${warning.operation} needs more than the budget allows, so that sweeps outlive their slots.${remedy}`;
  }
  const { capacity, rounds } = warning;
  return `The budget is enough for ${grouped(capacity)} looks in a sweep: what nothing depends on may wait for ${grouped(rounds)} sweeps.${remedy}`;
}

/** What a schedule can say. */
function wholeMinutes(ms: number): number {
  return ms < 60_000 ? Math.ceil(ms / 1000) * 1000 : Math.ceil(ms / 60_000) * 60_000;
}

function isOption({ config }: Row['source']['service'], option: string): boolean {
  return 'shape' in config && typeof config.shape === 'object' && config.shape !== null && option in config.shape;
}

/** Lines of at most 80 characters; the first begins with `lead`, the others below its end. A longer word is cut nowhere. */
function wrapped(text: string, lead: string): string[] {
  const lines: string[] = [];
  let line = lead;
  for (const word of text.split(' ')) {
    const empty = line === lead || line.trim() === '';
    if (!empty && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = ' '.repeat(lead.length);
    }
    line += line.trim() === '' || line === lead ? word : ` ${word}`;
  }
  return [...lines, line].map((one) => one.replaceAll(GLUE, ' '));
}
