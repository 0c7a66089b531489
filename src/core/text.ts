/** How instants, spans and foreign text are written for people: one way for the page, the terminal and the API. */

/** The largest distance from the epoch that a `Date` can hold, ms (ECMA-262, "Time Values and Time Range"). */
const MAX_INSTANT_MS = 8.64e15;

/** ISO 8601 in UTC. An instant that no calendar can show (a cloud's own nonsense) is absent rather than an error. */
export function iso(at: number | undefined): string | undefined {
  if (at === undefined || !Number.isFinite(at) || Math.abs(at) > MAX_INSTANT_MS) return undefined;
  return new Date(at).toISOString();
}

/** `2026-11-20 10:15:03 UTC`, for people. */
export function utc(at: number): string {
  const text = iso(at);
  return text === undefined ? 'a date out of range' : `${text.replace('T', ' ').replace(/\.\d+Z$/, '')} UTC`;
}

const UNITS = [
  ['y', 365 * 86_400],
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
  ['s', 1],
] as const;

/** A length of time by its two largest units: `3 d 4 h`, `12 min`, `8 s`. Milliseconds in; the sign is dropped. */
export function span(ms: number): string {
  let rest = Math.round(Math.abs(ms) / 1000);
  if (!Number.isFinite(rest)) return 'for ever';
  const parts: string[] = [];
  for (const [unit, seconds] of UNITS) {
    const count = Math.floor(rest / seconds);
    rest -= count * seconds;
    if (count > 0) parts.push(`${count} ${unit}`);
    // The second unit stands directly below the first: `3 d`, not `3 d 5 s`; and minutes need no seconds.
    if (parts.length > 0 && (parts.length === 2 || count === 0 || unit === 'min')) break;
  }
  return parts.length === 0 ? '0 s' : parts.join(' ');
}

/** `12 min ago`, `in 6 d 23 h`, `just now`. */
export function relative(at: number, now: number): string {
  if (Math.abs(at - now) < 1000) return 'just now';
  return at < now ? `${span(now - at)} ago` : `in ${span(at - now)}`;
}

/** `1,240`: the same on every machine, whatever its locale. */
export function grouped(count: number): string {
  return count.toLocaleString('en-US');
}

/** `1 key`, `2 keys`; `plural` where an s is not enough. */
export function counted(count: number, one: string, plural = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : plural}`;
}

/**
 * Controls, format characters (bidi overrides, zero widths, tags), lone surrogates, private use and line separators. The
 * joiner inside an emoji sequence is the one of them that is part of what is seen.
 */
const INVISIBLE =
  /((?<=\p{Extended_Pictographic}|\p{Emoji_Modifier}|\uFE0F)\u200D(?=\p{Extended_Pictographic}))|[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu;

/** Most text by far: nothing in it is to be spelled out, and every character is one code point. */
export const PLAIN = /^[\x20-\x7e]*$/;

/**
 * Foreign text (names, tags, messages of a cloud) with everything that would be invisible, reorder its surroundings or
 * drive a terminal spelled out as `\u{202e}`. What comes out is one line of plain characters.
 */
export function visible(text: string): string {
  if (PLAIN.test(text)) return text;
  return text.replace(
    INVISIBLE,
    (match: string, joiner: string | undefined) => joiner ?? `\\u{${(match.codePointAt(0) ?? 0).toString(16)}}`,
  );
}
