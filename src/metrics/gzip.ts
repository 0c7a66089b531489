/**
 * Gzip from parts that are compressed one by one and kept: each part is raw deflate that ends on a byte boundary, all stand
 * behind one gzip header, and the checksum of the whole is combined from theirs. Concatenated gzip members would be legal
 * too, but curl 7.88 fails on them.
 */
import { constants, crc32, deflateRawSync } from 'node:zlib';

/** Compressed bytes with what is needed to splice them. */
export interface Piece {
  readonly bytes: Buffer;
  /** CRC-32 of the plain bytes. */
  readonly crc: number;
  /** Number of plain bytes. */
  readonly length: number;
  /** Operator that shifts a checksum by `length` zero bytes. */
  readonly shift: number;
}

const NOTHING: Piece = { bytes: Buffer.alloc(0), crc: 0, length: 0, shift: 0x80000000 };

/** Compresses bytes that may stand anywhere in a page. */
export function compress(plain: Buffer): Piece {
  if (plain.length === 0) return NOTHING;
  const deflated = deflateRawSync(plain, { level: 1, finishFlush: constants.Z_SYNC_FLUSH });
  // The result is a window on a larger buffer, all of which it would keep alive.
  const bytes = Buffer.allocUnsafeSlow(deflated.length);
  deflated.copy(bytes);
  return { bytes, crc: crc32(plain), length: plain.length, shift: shiftBy(plain.length) };
}

/** No file name, no time, system unknown (RFC 1952). */
export const GZIP_HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255]);

/** Sums up the pieces of one page for its trailer. */
export class GzipSum {
  #crc = 0;
  #length = 0;

  add(piece: Piece): void {
    this.#crc = (multiply(piece.shift, this.#crc) ^ piece.crc) >>> 0;
    this.#length = (this.#length + piece.length) % 2 ** 32;
  }

  /** An empty last block, the checksum and the length. */
  trailer(): Buffer {
    const bytes = Buffer.alloc(10);
    bytes[0] = 3;
    bytes.writeUInt32LE(this.#crc, 2);
    bytes.writeUInt32LE(this.#length, 6);
    return bytes;
  }
}

// CRC-32 arithmetic: polynomials over GF(2) modulo the CRC's own, bits reflected (zlib's crc32_combine_op).
const POLYNOMIAL = 0xedb88320;
const POWERS = powers();

function multiply(a: number, b: number): number {
  let product = 0;
  let factor = b;
  for (let bit = 0x80000000; bit !== 0 && (a & ((bit - 1) | bit)) !== 0; bit >>>= 1) {
    if (a & bit) product ^= factor;
    factor = factor & 1 ? (factor >>> 1) ^ POLYNOMIAL : factor >>> 1;
  }
  return product >>> 0;
}

/** x to the power of 2^n, for n from 0 to 31. */
function powers(): number[] {
  const table = [0x40000000];
  for (let n = 1; n < 32; n += 1) {
    const last = table[n - 1] ?? 0;
    table.push(multiply(last, last));
  }
  return table;
}

/** x to the power of 8 × `length`. */
function shiftBy(length: number): number {
  let shift = 0x80000000;
  for (let rest = length, n = 3; rest > 0; rest = Math.floor(rest / 2), n += 1) {
    if (rest % 2 === 1) shift = multiply(POWERS[n % 32] ?? 0, shift);
  }
  return shift;
}
