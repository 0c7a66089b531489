/**
 * The keys of a snapshot in runs of about 512, laid out as they are written: label text beside columns of values. A scrape
 * reads these and not the keys, because a pass over 100,000 keys per family waits for memory most of the time. A run stays
 * the same object from one snapshot to the next while its keys do; one that changed keeps the compressed text of those
 * families that read as before.
 */
import type { TagLabel } from '../core/labels.ts';
import { HEALTHS } from '../core/model.ts';
import type { KeyView } from '../core/snapshot.ts';
import { countByPlace } from './counts.ts';
import type { Piece } from './gzip.ts';
import { placeText, resourceValue, sameIdentity, tailText } from './labels.ts';
import { type Column, type KeyLabels, lineEnds, type OnError } from './render.ts';
import type { KeyRow, KeySeriesRow, KeyValueRow, Sample } from './row.ts';

const RUN = 512;
const LONGEST = 2 * RUN;
const SHORTEST = RUN / 4;

interface CheckedLabels extends KeyLabels {
  readonly ascii: boolean;
}

export interface Run {
  readonly keys: readonly KeyView[];
  /** Undefined for a key whose identity cannot be read: it has no series. */
  readonly labels: readonly (CheckedLabels | undefined)[];
  /** Whether all its text is ASCII. */
  readonly ascii: boolean;
  /** By index of the family; undefined for one that has no series here. */
  readonly columns: readonly (Column | undefined)[];
  /** How many keys there are by place, kind and health. */
  readonly counts: readonly Sample[];
  /** By index of the family: its compressed text; undefined: not compressed yet. */
  readonly pieces: (Piece | undefined)[];
}

/** What runs are made by. */
export interface Layout {
  readonly rows: readonly KeyRow[];
  readonly tags: readonly TagLabel[];
  readonly onError: OnError;
}

/**
 * The runs of `keys`, given the runs of the snapshot before. Bounds stay where they were, so that a key that comes or goes
 * changes one run only. `pace` is awaited between runs.
 */
export async function nextRuns(
  before: readonly Run[],
  keys: readonly KeyView[],
  layout: Layout,
  pace: () => Promise<void>,
): Promise<Run[]> {
  const runs: Run[] = [];
  let start = 0;
  for (const [index, run] of before.entries()) {
    const bound = before[index + 1]?.keys[0]?.resource;
    const end = bound === undefined ? keys.length : firstFrom(keys, start, bound);
    const length = end - start;
    if (length === run.keys.length && run.keys.every((key, offset) => key === keys[start + offset])) {
      runs.push(run);
      start = end;
    } else if (length <= LONGEST && (length >= SHORTEST || bound === undefined)) {
      if (length > 0) runs.push(makeRun(keys.slice(start, end), run, layout));
      start = end;
    } else if (length > LONGEST) {
      for (; start < end; start = Math.min(end, start + RUN)) {
        runs.push(makeRun(keys.slice(start, Math.min(end, start + RUN)), undefined, layout));
        await pace();
      }
    }
    await pace();
  }
  for (; start < keys.length; start += RUN) {
    runs.push(makeRun(keys.slice(start, start + RUN), undefined, layout));
    await pace();
  }
  return runs;
}

/** Index of the first key at or after `start` whose resource is not before `bound`. */
function firstFrom(keys: readonly KeyView[], start: number, bound: string): number {
  let low = start;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle]?.resource ?? '') < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}

function makeRun(keys: readonly KeyView[], last: Run | undefined, layout: Layout): Run {
  const { rows, tags, onError } = layout;
  const before = last?.keys.length === keys.length && sameResources(last.keys, keys) ? last : undefined;
  let place = '';
  const labels = keys.map((key, index) => {
    const old = before?.keys[index];
    const known = before?.labels[index];
    if (old && known && (old === key || sameIdentity(old, key, tags))) return known;
    try {
      const text = placeText(key);
      // One string for all keys of a place rather than one each.
      if (text !== place) place = text;
      const resource = resourceValue(key.resource);
      const tail = tailText(key, tags);
      return { place, resource, tail, ascii: isAscii(place) && isAscii(resource) && isAscii(tail) };
    } catch (error) {
      onError(new Error(`cannot render the labels of ${key.resource}`, { cause: error }));
      return undefined;
    }
  });
  const columns = rows.map((row, family) =>
    'value' in row ? valueColumn(row, keys, onError) : endColumn(row, keys, before, family, onError),
  );
  const ascii =
    labels.every((label) => label === undefined || label.ascii) &&
    columns.every((column, family) => isAsciiColumn(column, before?.ascii ? before.columns[family] : undefined));
  const run: Run = { keys, labels, ascii, columns, counts: countByPlace(keys, HEALTHS), pieces: [] };
  if (before) keepPieces(before, run, rows);
  return run;
}

function sameResources(a: readonly KeyView[], b: readonly KeyView[]): boolean {
  return a.every((key, index) => key.resource === b[index]?.resource);
}

function isAscii(text: string): boolean {
  return !/[^\n -~]/.test(text);
}

/** `known` is text that is known to be ASCII: comparing is cheaper than looking again. */
function isAsciiColumn(column: Column | undefined, known: Column | undefined): boolean {
  if (column === undefined || column instanceof Float64Array) return true;
  return column.every((end, index) => end === known?.[index] || isAscii(end));
}

function valueColumn(row: KeyValueRow, keys: readonly KeyView[], onError: OnError): Column | undefined {
  const values = new Float64Array(keys.length).fill(Number.NaN);
  let filled = false;
  for (let index = 0; index < keys.length; index += 1) {
    const key = keys[index];
    if (!key) continue;
    try {
      const value = row.value(key);
      if (value === undefined) continue;
      values[index] = value;
      filled = true;
    } catch (error) {
      onError(unreadable(row, key, error));
    }
  }
  return filled ? values : undefined;
}

function endColumn(
  row: KeySeriesRow,
  keys: readonly KeyView[],
  before: Run | undefined,
  family: number,
  onError: OnError,
): Column | undefined {
  let filled = false;
  const ends = keys.map((key, index) => {
    try {
      const samples = row.series(key);
      if (samples.length === 0) return '';
      filled = true;
      const old = before?.keys[index];
      const known = before?.columns[family]?.[index];
      if (old && typeof known === 'string' && sameSamples(row.series(old), samples)) return known;
      return lineEnds(row, samples);
    } catch (error) {
      onError(unreadable(row, key, error));
      return '';
    }
  });
  return filled ? ends : undefined;
}

function unreadable(row: KeyRow, key: KeyView, cause: unknown): Error {
  return new Error(`cannot render ${row.name} of ${key.resource}`, { cause });
}

function sameSamples(a: readonly Sample[], b: readonly Sample[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ labels, value }, index) => {
      const other = b[index];
      return other?.value === value && labels.every((label, position) => label === other.labels[position]);
    })
  );
}

/** Gives `run` the compressed text of those families that read as they did in `before`, which has the same resources. */
function keepPieces(before: Run, run: Run, rows: readonly KeyRow[]): void {
  const named = run.labels.every((labels, index) => labels === before.labels[index]);
  for (const [family, row] of rows.entries()) {
    const piece = before.pieces[family];
    if (!piece || (row.identity && !named)) continue;
    if (sameColumn(before.columns[family], run.columns[family])) run.pieces[family] = piece;
  }
}

function sameColumn(a: Column | undefined, b: Column | undefined): boolean {
  if (!a || !b) return a === b;
  for (let index = 0; index < a.length; index += 1) if (!Object.is(a[index], b[index])) return false;
  return true;
}
