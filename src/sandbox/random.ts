/** A source of random-looking values that is the same for the same seed, so that every run of a scenario is the same run. */
export type Random = {
  /** A number in [0, 1). */
  readonly next: () => number;
  /** `length` lower-case hexadecimal digits. */
  readonly hex: (length: number) => string;
  /** `length` characters of `alphabet`. */
  readonly pick: (length: number, alphabet: string) => string;
  /** A UUID of version 4. */
  readonly uuid: () => string;
};

const HEX = '0123456789abcdef';

/** Takes any integer as `seed`; the generator is mulberry32, which is not meant for cryptography. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
  function pick(length: number, alphabet: string): string {
    let text = '';
    for (let index = 0; index < length; index += 1) text += alphabet[Math.floor(next() * alphabet.length)];
    return text;
  }
  function hex(length: number): string {
    return pick(length, HEX);
  }
  function uuid(): string {
    return `${hex(8)}-${hex(4)}-4${hex(3)}-${pick(1, '89ab')}${hex(3)}-${hex(12)}`;
  }
  return { next, hex, pick, uuid };
}
