/** What a PromQL expression names: metrics and labels, against the table of metrics. No parser: promtool is one. */
import { IDENTITY_LABELS } from '../../src/core/labels.ts';
import { PROCESS_METRICS } from '../../src/metrics/registry.ts';
import type { Row } from '../../src/metrics/row.ts';
import { TABLE } from '../../src/metrics/table.ts';

/** What Prometheus gives every series that it scrapes. */
const SCRAPED = ['job', 'instance'];
const SOURCE_LABELS = ['target', 'location', 'service'];

/** The labels that each metric has, tag labels aside. */
export const LABELS: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ...TABLE.flatMap((row) => series(row).map((name) => [name, new Set([...labelsOf(row), ...SCRAPED])] as const)),
  ...PROCESS_METRICS.map((name) => [name, new Set(SCRAPED)] as const),
]);

function series({ name, type }: Row): string[] {
  return type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];
}

function labelsOf({ source, identity, labels, type }: Row): readonly string[] {
  const base = { key: ['resource'], consumer: ['resource'], source: SOURCE_LABELS, snapshot: [], daemon: [] }[source];
  return [...(identity ? IDENTITY_LABELS : base), ...labels, ...(type === 'histogram' ? ['le'] : [])];
}

const METRIC = /\b((?:keyvigil|process|nodejs)_\w+)(?:\{([^}]*)\})?/g;
const MATCHER = /(\w+)\s*(?:=~|!~|!=|=)\s*"(?:[^"\\]|\\.)*"/g;
const CLAUSE = /\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)/g;

/** Every metric that an expression names. */
export function metricsIn(expr: string): string[] {
  return [...expr.matchAll(METRIC)].map(([, name = '']) => name);
}

/** Metrics and labels that do not exist. */
export function unknownIn(expr: string, table: ReadonlyMap<string, ReadonlySet<string>> = LABELS): string[] {
  const found: string[] = [];
  const known = new Set<string>();
  for (const [, name = '', selector = ''] of expr.matchAll(METRIC)) {
    const labels = table.get(name);
    if (!labels) {
      found.push(name);
      continue;
    }
    for (const label of labels) known.add(label);
    for (const [, label = ''] of selector.matchAll(MATCHER)) if (!labels.has(label)) found.push(`${name}{${label}}`);
  }
  for (const [, list = ''] of expr.matchAll(CLAUSE)) {
    for (const label of list.split(',').map((one) => one.trim()))
      if (label && !known.has(label)) found.push(`{${label}}`);
  }
  return found;
}
