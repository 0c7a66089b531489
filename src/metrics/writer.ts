/** Writes what a snapshot says, family by family. */
import type { TagLabel } from '../core/labels.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { sumSamples } from './counts.ts';
import { compress, type Piece } from './gzip.ts';
import { labelValue } from './labels.ts';
import type { Output } from './output.ts';
import { header, keyLines, type OnError, objectBase, objectLines } from './render.ts';
import type { KeyRow, Row, Sample } from './row.ts';
import { nextRuns, type Run } from './runs.ts';
import { TABLE } from './table.ts';

/** Bytes of compressed text that are kept at most; what is beyond is compressed anew at each scrape. */
const MAX_KEPT = 64 * 1024 * 1024;
/** Objects that are rendered at a stretch. */
const BLOCK = 512;

const KEY_ROWS = TABLE.filter((row): row is KeyRow => row.source === 'key');

export interface SnapshotWriter {
  /** Writes every family of `snapshot` and nothing of any other. */
  write(snapshot: Snapshot, output: Output): Promise<void>;
}

/** @param options.onError told of each object that could not be rendered; of a key, once for each time it is new. */
export function createSnapshotWriter(options: {
  readonly tags: readonly TagLabel[];
  readonly onError: OnError;
}): SnapshotWriter {
  const { tags, onError } = options;
  let runs: readonly Run[] = [];
  let kept = 0;
  let scratch = Buffer.alloc(0);
  const headers = new Map<Row, Piece>();

  async function writeHeader(row: Row, output: Output): Promise<void> {
    if (!output.gzip) return output.text(header(row));
    const piece = headers.get(row) ?? compress(Buffer.from(header(row)));
    headers.set(row, piece);
    return output.piece(piece);
  }

  async function writeRun(row: KeyRow, family: number, run: Run, output: Output): Promise<void> {
    const known = run.pieces[family];
    if (output.gzip && known) return output.piece(known);
    const column = run.columns[family];
    const text = column ? keyLines(row, run.labels, column) : '';
    // For ASCII latin1 says the same as UTF-8, a third faster.
    const encoding = run.ascii ? 'latin1' : 'utf8';
    if (!output.gzip) return text === '' ? output.pace() : output.plain(Buffer.from(text, encoding));
    const piece = compress(intoScratch(text, encoding));
    if (kept + piece.bytes.length <= MAX_KEPT) {
      run.pieces[family] = piece;
      kept += piece.bytes.length;
    }
    return output.piece(piece);
  }

  /** Bytes that are good until the next call: fresh ones for each block would keep the collector busy. */
  function intoScratch(text: string, encoding: 'latin1' | 'utf8'): Buffer {
    const most = encoding === 'latin1' ? text.length : 3 * text.length;
    if (most > scratch.length) scratch = Buffer.allocUnsafeSlow(most);
    return scratch.subarray(0, scratch.write(text, encoding));
  }

  async function writeObjects(lines: readonly (() => string)[], name: string, output: Output): Promise<void> {
    for (let start = 0; start < lines.length; start += BLOCK) {
      let text = '';
      for (const line of lines.slice(start, start + BLOCK)) {
        try {
          text += line();
        } catch (error) {
          onError(new Error(`cannot render ${name}`, { cause: error }));
        }
      }
      await output.text(text);
    }
  }

  return {
    async write(snapshot, output) {
      const mine = await nextRuns(runs, snapshot.keys, { rows: KEY_ROWS, tags, onError }, output.pace);
      runs = mine;
      kept = bytesKept(mine);
      const keyCounts = sumSamples(mine.flatMap((run) => run.counts));
      for (const row of TABLE) {
        if (row.source === 'daemon') continue;
        await writeHeader(row, output);
        if (row.source !== 'key') {
          await writeObjects(linesOf(row, snapshot, keyCounts, tags), row.name, output);
          continue;
        }
        const family = KEY_ROWS.indexOf(row);
        for (const run of mine) await writeRun(row, family, run, output);
      }
    },
  };
}

function bytesKept(runs: readonly Run[]): number {
  let bytes = 0;
  for (const run of runs) for (const piece of run.pieces) bytes += piece?.bytes.length ?? 0;
  return bytes;
}

/** One function per object, so that one that throws takes no other with it. */
function linesOf(
  row: Exclude<Row, KeyRow>,
  snapshot: Snapshot,
  keyCounts: readonly Sample[],
  tags: readonly TagLabel[],
): (() => string)[] {
  switch (row.source) {
    case 'consumer':
      return snapshot.consumers.map((consumer) => () => {
        const samples = row.series(consumer);
        return samples.length === 0 ? '' : objectLines(row, objectBase(row, consumer, tags), samples);
      });
    case 'source':
      return snapshot.sources.map((source) => () => {
        const place = `location="${labelValue(source.location)}",service="${labelValue(source.service)}"`;
        return objectLines(row, `target="${labelValue(source.target)}",${place}`, row.series(source));
      });
    case 'snapshot':
      return [() => objectLines(row, '', row.series(snapshot, keyCounts))];
    case 'daemon':
      return [];
  }
}
