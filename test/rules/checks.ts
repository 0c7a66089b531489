/** What must hold between alerts, rules, runbooks, docs and the table of metrics. Pure, so that each can be tried with a violation. */
import { LABELS } from '../stack/promql.ts';
import type { Expression, Rule, Text } from './files.ts';
import { namedIn, type Selector } from './promql.ts';

/** What Prometheus itself has. */
const OF_PROMETHEUS: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['up', new Set(['job', 'instance'])],
  ['ALERTS', new Set(['alertname', 'alertstate', 'severity', 'origin', 'resource', 'target', 'location', 'service'])],
]);
/** What discovery adds to what is scraped on Kubernetes. */
const OF_DISCOVERY = ['pod', 'container', 'endpoint', 'namespace'];

/** Metrics and labels that expressions name and nothing has. Recorded ones are those of `rules`. */
export function unknownNames(expressions: readonly Expression[], rules: readonly Rule[]): string[] {
  const recorded = new Set(rules.flatMap(({ record }) => record ?? []));
  const made = rules.flatMap(({ expr }) => namedIn(expr).made);
  const labels = new Set([...LABELS.values(), ...OF_PROMETHEUS.values()].flatMap((set) => [...set]));
  for (const label of [...made, ...OF_DISCOVERY]) labels.add(label);
  const found = new Set<string>();
  for (const { where, expr } of expressions) {
    const named = namedIn(expr);
    for (const label of [...named.labels, ...named.made]) if (!labels.has(label)) found.add(`${where}: label ${label}`);
    for (const selector of named.selectors) {
      for (const what of unknownIn(selector, recorded, labels)) found.add(`${where}: ${what}`);
    }
  }
  return [...found];
}

function unknownIn(
  { metric, pattern, labels }: Selector,
  recorded: ReadonlySet<string>,
  all: ReadonlySet<string>,
): string[] {
  if (metric === undefined) {
    const name = new RegExp(`^(?:${pattern ?? ''})$`);
    if (pattern === undefined || ![...recorded, ...LABELS.keys()].some((one) => name.test(one))) {
      return [`nothing is called ${pattern}`];
    }
  }
  const known = metric === undefined || recorded.has(metric) ? all : (LABELS.get(metric) ?? OF_PROMETHEUS.get(metric));
  if (known === undefined) return [`metric ${metric}`];
  return labels.filter((label) => !known.has(label)).map((label) => `${metric}{${label}}`);
}

/** Metrics that prose names and nothing has, and labels that it gives to metrics that do not have them. */
export function unknownInProse(files: readonly Text[], rules: readonly Rule[]): string[] {
  const recorded = new Set(rules.flatMap(({ record }) => record ?? []));
  const families = new Set([...LABELS.keys()].map((name) => name.replace(/_(bucket|sum|count)$/, '')));
  const found = new Set<string>();
  for (const { path, text } of files) {
    for (const [, name = '', selector = ''] of text.matchAll(
      /(?<![\w/-])(keyvigil[_:][a-z0-9_:]+)(?:\{([^}`]*)\})?/g,
    )) {
      if (!LABELS.has(name) && !families.has(name) && !recorded.has(name)) found.add(`${path}: ${name}`);
      const labels = LABELS.get(name);
      if (!labels) continue;
      for (const [, label = ''] of selector.matchAll(/(\w+)\s*(?:=~|!~|!=|=)\s*"/g)) {
        if (!labels.has(label)) found.add(`${path}: ${name}{${label}}`);
      }
    }
  }
  return [...found];
}

/** Metrics of the table that no text and no expression names. */
export function unused(names: readonly string[], files: readonly Text[]): string[] {
  const words = new Set(files.flatMap(({ text }) => text.match(/[a-z_]+/g) ?? []));
  return names.filter((name) => !words.has(name) && !words.has(`${name}_bucket`));
}

/** What is there twice or only on one side. */
export function differences(
  left: readonly string[],
  right: readonly string[],
  names: readonly [string, string],
): string[] {
  return [
    ...[...new Set(left)].filter((one) => !right.includes(one)).map((one) => `${one}: no ${names[1]}`),
    ...[...new Set(right)].filter((one) => !left.includes(one)).map((one) => `${one}: no ${names[0]}`),
  ];
}

const SECTIONS = ['Meaning', 'Impact', 'Check', 'Fix', 'Escalate'];
const ANNOTATIONS = ['summary', 'description', 'runbook_url', 'status_url'];

/** What a rule lacks to be an alert of ours. */
export function ruleProblems({ alert = '', labels = {}, annotations = {}, expr }: Rule): string[] {
  const found: string[] = [];
  const say = (what: string) => found.push(`${alert}: ${what}`);
  if (!labels.severity) say('has no severity');
  if (labels.origin !== 'rules') say('does not say that it comes from rules');
  for (const name of ANNOTATIONS) if (!annotations[name]) say(`has no ${name}`);
  if (!annotations.summary?.endsWith('.')) say('its summary is no sentence');
  if (!annotations.runbook_url?.endsWith(`/runbooks/${alert}.md`)) say('links to another runbook');
  // What a scrape adds would make one alert of each pod, and none that equals the pushed one.
  if (/keyvigil[_:]/.test(expr) && !/max without \(instance, job, pod\b|absent\(/.test(expr)) {
    say('keeps the labels of the scrape');
  }
  return found;
}

/** What a runbook lacks. `anchors`: headings that alerts link to. */
export function runbookProblems({ path, text }: Text, anchors: readonly string[] = []): string[] {
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading);
  const found = SECTIONS.filter((section) => !headings.includes(section)).map((section) => `has no ${section}`);
  for (const anchor of anchors) if (!headings.includes(anchor)) found.push(`has no heading ${anchor}`);
  for (const [index, section] of SECTIONS.entries()) {
    const body = text.split(`## ${section}\n`)[1]?.split(/^## /m)[0]?.trim() ?? '';
    if (body.length < 40) found.push(`says nothing under ${section}`);
    if (index > 0 && headings.indexOf(section) < headings.indexOf(SECTIONS[index - 1] ?? ''))
      found.push('is out of order');
  }
  if (!/^Do not:$/m.test(text)) found.push('does not say what not to do');
  return found.map((what) => `${path}: ${what}`);
}
