/** From rows and objects to lines of text format 0.0.4. */
import type { TagLabel } from '../core/labels.ts';
import { type Identified, labelValue, placeText, resourceValue, tailText } from './labels.ts';
import type { KeyRow, Row, Sample } from './row.ts';

/** Labels whose values are resources, which must stay unique. */
const RESOURCE_LABELS = new Set(['root', 'key']);

/** Called for each object that could not be rendered; the page goes on without its lines of that family. */
export type OnError = (error: Error) => void;

/** Label text of one key: `place`, `resource` and `tail` in a row are its full identity. */
export interface KeyLabels {
  /** From the brace to the quote before the resource; one string for all keys of a place. */
  readonly place: string;
  readonly resource: string;
  /** From the quote behind the resource on, without the brace. */
  readonly tail: string;
}

/**
 * What one family says of each key of a run: one value each (NaN: no series), or the rest of its lines from behind the base
 * labels, without the last line feed ('': no series).
 */
export type Column = Float64Array | readonly string[];

/** `# HELP` and `# TYPE` of a family. What comes from the snapshot says that it is polled. */
export function header(row: Row): string {
  const polled = row.source === 'daemon' ? '' : ' Polled, not read at the scrape.';
  return `# HELP ${row.name} ${row.help}${polled}\n# TYPE ${row.name} ${row.type}\n`;
}

/**
 * The lines of one family for a run of keys. This is where a scrape of many keys spends its time: as few parts per line as
 * can be, and those flat, because V8 joins them at the end one by one.
 */
export function keyLines(row: KeyRow, labels: readonly (KeyLabels | undefined)[], column: Column): string {
  const ends = column instanceof Float64Array ? undefined : column;
  const values = column instanceof Float64Array ? column : undefined;
  const close = row.identity ? '} ' : '"} ';
  let text = '';
  let place = '';
  let start = row.identity ? '' : `${row.name}{resource="`;
  let last = Number.NaN;
  let repeated = '';
  for (let index = 0; index < labels.length; index += 1) {
    const label = labels[index];
    const value = values?.[index];
    const end = ends?.[index];
    if (!label || (value === undefined ? !end : Number.isNaN(value))) continue;
    if (row.identity && label.place !== place) {
      place = label.place;
      start = `${row.name}{${place}`;
    }
    if (end?.includes('\n')) {
      const base = start + label.resource + (row.identity ? label.tail : '"');
      for (const line of end.split('\n')) text += `${base}${line}\n`;
      continue;
    }
    text += start;
    text += label.resource;
    if (row.identity) text += label.tail;
    if (end !== undefined) {
      text += row.identity ? end : `"${end}`;
      text += '\n';
    } else if (value !== undefined && value === last) {
      repeated ||= [close, number(value), '\n'].join('');
      text += repeated;
    } else if (value !== undefined) {
      text += close;
      text += number(value);
      text += '\n';
      last = value;
      repeated = '';
    }
  }
  return text;
}

/** The rest of the lines of one object, from behind its base labels: a line feed between two, none at the end. */
export function lineEnds(row: Row, samples: readonly Sample[], before = ','): string {
  const [first] = samples;
  if (first === undefined) return '';
  if (samples.length === 1) return lineEnd(row, first, before);
  // One object may name a thing twice, two outputs of a flow one key: that is one series.
  const ends = new Map<string, string>();
  for (const sample of samples) {
    const id = JSON.stringify(sample.labels);
    if (!ends.has(id)) ends.set(id, lineEnd(row, sample, before));
  }
  return [...ends.values()].join('\n');
}

/** The lines of one object that is no key. `base` is the label text that all of them begin with, or ''. */
export function objectLines(row: Row, base: string, samples: readonly Sample[]): string {
  if (samples.length === 0) return '';
  const bare = base === '' && row.labels.length === 0;
  let text = '';
  for (const end of lineEnds(row, samples, base === '' ? '' : ',').split('\n')) {
    text += bare ? `${row.name}${end.slice(1)}\n` : `${row.name}{${base}${end}\n`;
  }
  return text;
}

/** The base labels of an object that is no key. */
export function objectBase(row: Row, object: Identified, tags: readonly TagLabel[]): string {
  const resource = resourceValue(object.resource);
  return row.identity ? placeText(object) + resource + tailText(object, tags) : `resource="${resource}"`;
}

function lineEnd(row: Row, sample: Sample, before: string): string {
  const parts: string[] = [];
  for (const [index, label] of row.labels.entries()) {
    const value = sample.labels[index];
    if (!value) continue;
    const escaped = RESOURCE_LABELS.has(label) ? resourceValue(value) : labelValue(value);
    parts.push(parts.length === 0 ? before : ',', label, '="', escaped, '"');
  }
  parts.push('} ', number(sample.value));
  return parts.join('');
}

/** `.001` to `.999`, as a number prints them. */
const THOUSANDTHS = Array.from({ length: 1000 }, (_, part) => `${part / 1000}`.slice(1));

/** A value as the text format has it. Times in milliseconds are common, and printing a fraction is slow. */
function number(value: number): string {
  if (Number.isSafeInteger(value)) return `${value}`;
  const thousands = Math.round(value * 1000);
  if (value > 1 && thousands / 1000 === value && thousands < Number.MAX_SAFE_INTEGER) {
    const part = thousands % 1000;
    return `${(thousands - part) / 1000}${THOUSANDTHS[part]}`;
  }
  if (Number.isFinite(value)) return `${value}`;
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? '+Inf' : '-Inf';
}
