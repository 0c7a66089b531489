/** A page on its way to a reader: compressed or not, in time slices, no faster than it is read. */
import type { Writable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { compress, GZIP_HEADER, GzipSum, type Piece } from './gzip.ts';

/** Longest time, ms, that a page holds the event loop at a stretch. */
const SLICE_MS = 4;
/** Bytes that are gathered before a write: many small chunks cost more than one copy. */
const BATCH = 64 * 1024;

export interface Output {
  readonly gzip: boolean;
  /** Gives way to others if the slice is used up. Throws when the reader went away. */
  pace(): Promise<void>;
  /** Writes plain text, compressed on the way if the page is. */
  text(text: string): Promise<void>;
  plain(bytes: Buffer): Promise<void>;
  /** Writes what was compressed before. The page must be a compressed one. */
  piece(piece: Piece): Promise<void>;
  /** Writes what is left and ends the stream. Resolves when it is handed over. */
  end(): Promise<void>;
}

/**
 * Opens a page on `out`, passes it to `write`, and sees to it that a page that is not whole never looks whole: `out` is
 * destroyed if the reader went away, `signal` aborted or `write` threw. Resolves in the first two cases, because nobody is
 * left to tell; rejects in the third.
 */
export async function withOutput(
  out: Writable,
  options: { readonly gzip: boolean; readonly signal?: AbortSignal },
  write: (output: Output) => Promise<void>,
): Promise<void> {
  const gone = new AbortController();
  const leave = () => gone.abort();
  out.on('close', leave).on('error', leave);
  options.signal?.addEventListener('abort', leave, { once: true });
  try {
    if (out.destroyed || options.signal?.aborted) gone.abort();
    await write(createOutput(out, options.gzip, gone.signal));
  } catch (error) {
    const left = gone.signal.aborted;
    out.destroy();
    if (!left) throw error;
  } finally {
    options.signal?.removeEventListener('abort', leave);
    out.off('close', leave);
    // The error listener stays: a stream may report why it was destroyed after this has returned.
  }
}

function createOutput(out: Writable, gzip: boolean, gone: AbortSignal): Output {
  const sum = new GzipSum();
  let batch: Buffer[] = gzip ? [GZIP_HEADER] : [];
  let batched = 0;
  let sliceEnd = performance.now() + SLICE_MS;

  async function pace(): Promise<void> {
    gone.throwIfAborted();
    if (performance.now() < sliceEnd) return;
    await setImmediate();
    sliceEnd = performance.now() + SLICE_MS;
    gone.throwIfAborted();
  }

  async function flush(): Promise<void> {
    const first = batch[0];
    if (!first) return;
    const bytes = batch.length === 1 ? first : Buffer.concat(batch);
    batch = [];
    batched = 0;
    if (!out.write(bytes)) await drained(out, gone);
  }

  async function put(bytes: Buffer): Promise<void> {
    batch.push(bytes);
    batched += bytes.length;
    if (batched >= BATCH) await flush();
    // Whatever drain did: on a fast socket it fires without a turn of the event loop.
    await pace();
  }

  async function piece(part: Piece): Promise<void> {
    sum.add(part);
    if (part.length > 0) await put(part.bytes);
  }

  async function plain(bytes: Buffer): Promise<void> {
    if (gzip) await piece(compress(bytes));
    else if (bytes.length > 0) await put(bytes);
  }

  return {
    gzip,
    pace,
    plain,
    piece,
    text: (text) => plain(Buffer.from(text)),
    async end() {
      if (gzip) batch.push(sum.trailer());
      await flush();
      gone.throwIfAborted();
      await new Promise<void>((resolve, reject) => {
        const fail = () => reject(gone.reason);
        gone.addEventListener('abort', fail, { once: true });
        out.end(() => {
          gone.removeEventListener('abort', fail);
          resolve();
        });
      });
    },
  };
}

/** Waits until `out` takes more; rejects when the reader went away. */
function drained(out: Writable, gone: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (gone.aborted) return reject(gone.reason);
    const settle = () => {
      out.off('drain', settle);
      gone.removeEventListener('abort', settle);
      if (gone.aborted) reject(gone.reason);
      else resolve();
    };
    out.on('drain', settle);
    gone.addEventListener('abort', settle, { once: true });
  });
}
