import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { counted, iso, relative, span, utc, visible } from '../../src/core/text.ts';

describe('visible', () => {
  it.each([
    ['a\u202Eb', 'a\\u{202e}b'],
    ['line\nbreak\r\t', 'line\\u{a}break\\u{d}\\u{9}'],
    ['\u001b[31mred\u001b[0m', '\\u{1b}[31mred\\u{1b}[0m'],
    ['\u009b31m', '\\u{9b}31m'],
    ['zero\u200Bwidth\uFEFF', 'zero\\u{200b}width\\u{feff}'],
    ['x\u200Dy', 'x\\u{200d}y'],
    ['\uD800 alone', '\\u{d800} alone'],
    ['\u{E0041}tag', '\\u{e0041}tag'],
    ['a\u2028b', 'a\\u{2028}b'],
  ])('spells out what is not seen: %j', (given, shown) => {
    expect(visible(given)).toBe(shown);
  });

  it.each(['prod/db', 'schlüssel', 'مفتاح', '鍵', '👨‍👩‍👧', '🏳️‍🌈', '👩🏽‍💻'])(
    'leaves what is seen alone: %s',
    (text) => {
      expect(visible(text)).toBe(text);
    },
  );

  it('never lets a control, bidi control or lone surrogate through', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const shown = visible(text);
        expect(shown.isWellFormed()).toBe(true);
        expect(shown).not.toMatch(/[\p{Cc}\u202A-\u202E\u2066-\u2069\u200E\u200F]/u);
      }),
      { seed: 1, numRuns: 500 },
    );
  });
});

describe('times', () => {
  it.each([
    [0, '0 s'],
    [59_400, '59 s'],
    [61_000, '1 min'],
    [3_600_000, '1 h'],
    [3_660_000, '1 h 1 min'],
    [3 * 86_400_000 + 4_000, '3 d'],
    [5 * 86_400_000 + 3 * 3_600_000, '5 d 3 h'],
    [400 * 86_400_000, '1 y 35 d'],
    [Number.POSITIVE_INFINITY, 'for ever'],
  ])('writes %d ms as %s', (ms, words) => {
    expect(span(ms)).toBe(words);
  });

  it('tells past from future', () => {
    expect(relative(0, 120_000)).toBe('2 min ago');
    expect(relative(120_000, 0)).toBe('in 2 min');
    expect(relative(500, 0)).toBe('just now');
  });

  it('survives instants that no calendar has', () => {
    for (const at of [8.64e15 + 1, -9e15, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(iso(at)).toBeUndefined();
      expect(utc(at)).toBe('a date out of range');
    }
    expect(iso(undefined)).toBeUndefined();
    expect(utc(0)).toBe('1970-01-01 00:00:00 UTC');
  });

  it('counts in words', () => {
    expect(counted(1, 'key')).toBe('1 key');
    expect(counted(1240, 'key')).toBe('1,240 keys');
  });
});
