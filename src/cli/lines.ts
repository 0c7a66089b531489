/** Lines of text on a terminal: how wide they are, how they are cut, wrapped and coloured. */
import { styleText } from 'node:util';
import type { ConsumerHealth, Health } from '../core/model.ts';
import { HEALTH_WORDS } from '../core/words.ts';

/** How the terminal looks; `columns` is absent where nothing has a width (a pipe, a file). */
export interface TableStyle {
  readonly color: boolean;
  readonly columns?: number | undefined;
  /** ms since the epoch. */
  readonly now: number;
}

/** Narrower than this, text is no longer cut: a terminal that small wraps it anyway. */
export const MIN_COLUMN = 10;
export function mark(health: Health | ConsumerHealth): string {
  return `${HEALTH_WORDS[health].icon} ${HEALTH_WORDS[health].word}`;
}

const COLORS = {
  inaccessible: 'red',
  impaired: 'red',
  unknown: 'magenta',
  degraded: 'yellow',
  at_risk: 'yellow',
  accessible: 'green',
  ok: 'green',
} as const satisfies Record<Health | ConsumerHealth, string>;

export function paint(line: string, health: Health | ConsumerHealth, style: TableStyle): string {
  if (!style.color || health === 'accessible' || health === 'ok') return line;
  return styleText(COLORS[health], line, { validateStream: false });
}

export function oneLine(line: string, health: Health | ConsumerHealth, style: TableStyle): string {
  return paint(cut(line, Math.max(style.columns ?? Number.POSITIVE_INFINITY, MIN_COLUMN)), health, style);
}

/** Our own words, as lines that fit; what is longer than a line by itself stays whole. */
export function wrap(text: string, columns = Number.POSITIVE_INFINITY): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && widthOf(last) + 1 + widthOf(word) <= columns) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(last === undefined ? word : `${INDENT}${word}`);
  }
  return lines;
}

const INDENT = '   ';

const segments = new Intl.Segmenter('en', { granularity: 'grapheme' });
const WIDE =
  /\p{Emoji_Presentation}|\uFE0F|[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF01-\uFF60\uFFE0-\uFFE6\u{20000}-\u{3FFFD}]/u;

/** Most text by far: Latin letters and our own icons, a cell each. */
const NARROW = /^[\x20-\x7e\u00a1-\u02ff\u2500-\u257f✔✖▲…]*$/;

/** Terminal cells of a text: East Asian and emoji characters take two. */
export function widthOf(text: string): number {
  if (NARROW.test(text)) return text.length;
  let width = 0;
  for (const { segment } of segments.segment(text)) width += WIDE.test(segment) ? 2 : 1;
  return width;
}

export function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let kept = '';
  let used = 1;
  for (const { segment } of segments.segment(text)) {
    used += WIDE.test(segment) ? 2 : 1;
    if (used > width) break;
    kept += segment;
  }
  return `${kept}…`;
}

export function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)));
}
