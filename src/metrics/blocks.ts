/**
 * The keys of a snapshot in runs of about 512, and what was compressed of each run. A run stays the same object from one
 * snapshot to the next while its keys do; one that changed keeps the pieces of those families whose text is the same.
 */
import type { KeyView } from '../core/snapshot.ts';
import type { Piece } from './gzip.ts';
import { resourceValue, sameIdentity, type TagLabel } from './labels.ts';
import type { KeyRow, Sample } from './row.ts';

const RUN = 512;
const LONGEST = 2 * RUN;
const SHORTEST = RUN / 4;

export interface Run {
  readonly keys: readonly KeyView[];
  /** Escaped resource of each key. */
  readonly resources: readonly string[];
  /** Whether all these are ASCII. */
  readonly ascii: boolean;
  /** By index of the family; undefined: not compressed yet. */
  readonly pieces: (Piece | undefined)[];
}

/**
 * The runs of `keys`, given the runs of the snapshot before. Bounds stay where they were, so that a key that comes or goes
 * changes one run only. `pace` is awaited between runs.
 */
export async function nextRuns(
  before: readonly Run[],
  keys: readonly KeyView[],
  rows: readonly KeyRow[],
  tags: readonly TagLabel[],
  pace: () => Promise<void>,
): Promise<Run[]> {
  const runs: Run[] = [];
  let start = 0;
  for (const [index, run] of before.entries()) {
    const bound = before[index + 1]?.keys[0]?.resource;
    const end = bound === undefined ? keys.length : firstFrom(keys, start, bound);
    if (end - start === run.keys.length && run.keys.every((key, offset) => key === keys[start + offset])) {
      runs.push(run);
      start = end;
    } else if (bound === undefined || end - start >= SHORTEST) {
      addRuns(runs, keys.slice(start, end), run, rows, tags);
      start = end;
    }
    await pace();
  }
  for (; start < keys.length; start += RUN) {
    addRuns(runs, keys.slice(start, start + RUN), undefined, rows, tags);
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

function addRuns(
  runs: Run[],
  keys: readonly KeyView[],
  before: Run | undefined,
  rows: readonly KeyRow[],
  tags: readonly TagLabel[],
): void {
  if (keys.length > LONGEST) {
    for (let start = 0; start < keys.length; start += RUN) {
      addRuns(runs, keys.slice(start, start + RUN), undefined, rows, tags);
    }
    return;
  }
  if (keys.length === 0) return;
  if (!before || before.keys.length !== keys.length || !sameResources(before.keys, keys)) {
    const resources = keys.map(({ resource }) => resourceValue(resource));
    runs.push({ keys, resources, ascii: resources.every(isAscii), pieces: [] });
    return;
  }
  const { resources, ascii } = before;
  runs.push({ keys, resources, ascii, pieces: keptPieces(before, keys, rows, tags) });
}

function isAscii(text: string): boolean {
  return !/[^ -~]/.test(text);
}

function sameResources(a: readonly KeyView[], b: readonly KeyView[]): boolean {
  return a.every((key, index) => key.resource === b[index]?.resource);
}

function keptPieces(
  before: Run,
  keys: readonly KeyView[],
  rows: readonly KeyRow[],
  tags: readonly TagLabel[],
): (Piece | undefined)[] {
  if (before.pieces.length === 0) return [];
  const pairs: [KeyView, KeyView][] = [];
  for (const [index, old] of before.keys.entries()) {
    const key = keys[index];
    if (key && key !== old) pairs.push([old, key]);
  }
  try {
    const named = pairs.every(([old, key]) => sameIdentity(old, key, tags));
    return rows.map((row, family) => {
      const same = (named || !row.identity) && pairs.every(([old, key]) => sameSeries(row, old, key));
      return same ? before.pieces[family] : undefined;
    });
  } catch {
    // A key that cannot be read; rendering says which.
    return [];
  }
}

function sameSeries(row: KeyRow, a: KeyView, b: KeyView): boolean {
  if (!('series' in row)) return Object.is(row.value(a), row.value(b));
  const before = row.series(a);
  const after = row.series(b);
  return before.length === after.length && before.every((sample, index) => sameSample(sample, after[index]));
}

function sameSample(a: Sample, b: Sample | undefined): boolean {
  return b !== undefined && a.value === b.value && a.labels.every((label, index) => label === b.labels[index]);
}
