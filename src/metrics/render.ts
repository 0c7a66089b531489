/** From rows and objects to lines of text format 0.0.4. */
import type { KeyView } from '../core/snapshot.ts';
import { type Identified, identityText, labelValue, resourceValue, type TagLabel } from './labels.ts';
import type { KeyRow, Row, Sample } from './row.ts';

/** Labels whose values are resources, which must stay unique. */
const RESOURCE_LABELS = new Set(['root', 'key']);

/** Called for each object that could not be rendered; the page goes on without its lines of that family. */
export type OnError = (error: Error) => void;

/** `# HELP` and `# TYPE` of a family. What comes from the snapshot says that it is polled. */
export function header(row: Row): string {
  const polled = row.source === 'daemon' ? '' : ' Polled, not read at the scrape.';
  return `# HELP ${row.name} ${row.help}${polled}\n# TYPE ${row.name} ${row.type}\n`;
}

/**
 * The lines of one family for `keys`. `resources` are their escaped resources, in the same order. An object that throws
 * is left out whole.
 */
export function keyLines(
  row: KeyRow,
  keys: readonly KeyView[],
  resources: readonly string[],
  tags: readonly TagLabel[],
  onError: OnError,
): string {
  let text = '';
  const bare = `${row.name}{resource="`;
  const full = `${row.name}{`;
  for (const [index, key] of keys.entries()) {
    const resource = resources[index] ?? '';
    try {
      if ('series' in row) {
        const samples = row.series(key);
        if (samples.length === 0) continue;
        const base = row.identity ? identityText(key, tags, resource) : `resource="${resource}"`;
        text += sampleLines(row, base, samples);
        continue;
      }
      const value = row.value(key);
      if (value === undefined) continue;
      text += row.identity
        ? `${full}${identityText(key, tags, resource)}} ${number(value)}\n`
        : `${bare}${resource}"} ${number(value)}\n`;
    } catch (error) {
      onError(new Error(`cannot render ${row.name} of ${resource}`, { cause: error }));
    }
  }
  return text;
}

/** The lines of one object of a family. `base` is the label text that all of them begin with, or ''. */
export function sampleLines(row: Row, base: string, samples: readonly Sample[]): string {
  if (samples.length === 1 && samples[0]) return sampleLine(row, base, samples[0]);
  // One object may name a thing twice (two outputs of a flow, one key); a series must be there once.
  const seen = new Set<string>();
  let text = '';
  for (const sample of samples) {
    const id = labelText(row, sample);
    if (seen.has(id)) continue;
    seen.add(id);
    text += sampleLine(row, base, sample);
  }
  return text;
}

/** The base labels of an object that is no key. */
export function objectBase(row: Row, object: Identified): string {
  const resource = resourceValue(object.resource);
  return row.identity ? identityText(object, [], resource) : `resource="${resource}"`;
}

function sampleLine(row: Row, base: string, sample: Sample): string {
  const own = labelText(row, sample);
  const labels = base === '' || own === '' ? base + own : `${base},${own}`;
  return `${row.name}${labels === '' ? '' : `{${labels}}`} ${number(sample.value)}\n`;
}

function labelText(row: Row, sample: Sample): string {
  let text = '';
  for (const [index, label] of row.labels.entries()) {
    const value = sample.labels[index];
    if (!value) continue;
    const escaped = RESOURCE_LABELS.has(label) ? resourceValue(value) : labelValue(value);
    text += text === '' ? `${label}="${escaped}"` : `,${label}="${escaped}"`;
  }
  return text;
}

/** A value as the text format has it. */
function number(value: number): string {
  if (Number.isFinite(value)) return `${value}`;
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? '+Inf' : '-Inf';
}
