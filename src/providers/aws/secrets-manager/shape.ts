/**
 * What form the value of a secret has, judged on the bytes of the answer that holds it. Nothing here makes a string of them,
 * or keeps any: what comes out is one word.
 */

/**
 * `hex16`, `hex24`, `hex32`: that many bytes in hexadecimal form. `json`: an object, as the console stores key/value pairs.
 * `padded`: blanks or a line end around it. The rest is text by the length that a passphrase of SRT may have (10 to 79
 * characters).
 */
export type ValueShape =
  | 'binary'
  | 'json'
  | 'empty'
  | 'padded'
  | 'hex16'
  | 'hex24'
  | 'hex32'
  | 'text-short'
  | 'text'
  | 'text-long';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const SHORTEST = 10;
const LONGEST = 79;
const STRING_FIELD = Buffer.from('SecretString');
const BINARY_FIELD = Buffer.from('SecretBinary');

/** @param answer JSON of GetSecretValue; undefined: it holds no value that was found */
export function shapeOfValue(answer: Buffer): ValueShape | undefined {
  let depth = 0;
  let binary = false;
  for (let at = 0; at < answer.length; at += 1) {
    const byte = answer[at];
    if (byte === OPEN || byte === 0x5b) depth += 1;
    else if (byte === CLOSE || byte === 0x5d) depth -= 1;
    if (byte !== QUOTE) continue;
    const end = endOfString(answer, at);
    if (end === undefined) return undefined;
    const value = depth === 1 ? valueAfter(answer, end) : undefined;
    const field = answer.subarray(at + 1, end);
    if (value !== undefined && field.equals(BINARY_FIELD)) binary = true;
    if (value !== undefined && field.equals(STRING_FIELD)) {
      const close = endOfString(answer, value);
      return close === undefined ? undefined : shapeOfText(answer.subarray(value + 1, close));
    }
    at = end;
  }
  return binary ? 'binary' : undefined;
}

/** Position of the quote that ends the string whose opening quote is at `start`. */
function endOfString(bytes: Buffer, start: number): number | undefined {
  for (let at = start + 1; at < bytes.length; at += 1) {
    if (bytes[at] === BACKSLASH) at += 1;
    else if (bytes[at] === QUOTE) return at;
  }
  return undefined;
}

/** Position of the quote that begins the value of the field whose name ends at `end`; undefined: it is no field, or no string. */
function valueAfter(bytes: Buffer, end: number): number | undefined {
  const colon = skipBlanks(bytes, end + 1);
  if (bytes[colon] !== 0x3a) return undefined;
  const value = skipBlanks(bytes, colon + 1);
  return bytes[value] === QUOTE ? value : undefined;
}

function skipBlanks(bytes: Buffer, from: number): number {
  let at = from;
  while (isBlank(bytes[at])) at += 1;
  return at;
}

/** @param content of a JSON string, escapes and all */
function shapeOfText(content: Buffer): ValueShape {
  let characters = 0;
  let hex = true;
  let first: number | undefined;
  let second: number | undefined;
  let last: number | undefined;
  /** The last that is no blank. */
  let mark: number | undefined;
  let edge: number | undefined;
  for (let at = 0; at < content.length; ) {
    const { code, next } = characterAt(content, at);
    at = next;
    characters += 1;
    edge ??= code;
    last = code;
    hex &&= isHex(code);
    if (isBlank(code)) continue;
    if (first === undefined) first = code;
    else second ??= code;
    mark = code;
  }
  if (characters === 0) return 'empty';
  if (first === OPEN && (second === QUOTE || second === CLOSE) && mark === CLOSE) return 'json';
  if (isBlank(edge) || isBlank(last)) return 'padded';
  if (hex && characters === 32) return 'hex16';
  if (hex && characters === 48) return 'hex24';
  if (hex && characters === 64) return 'hex32';
  if (characters < SHORTEST) return 'text-short';
  return characters > LONGEST ? 'text-long' : 'text';
}

const ESCAPES: Readonly<Record<number, number>> = { 110: 0x0a, 116: 0x09, 114: 0x0d, 98: 0x08, 102: 0x0c };

/** The character at a position and where the next one begins. One above U+FFFF counts as one, written out or as two escapes. */
function characterAt(content: Buffer, at: number): { readonly code: number; readonly next: number } {
  const byte = content[at] ?? 0;
  if (byte === BACKSLASH) {
    const mark = content[at + 1] ?? 0;
    if (mark !== 0x75) return { code: ESCAPES[mark] ?? mark, next: at + 2 };
    const code = fourHex(content, at + 2);
    const isPair = code >= 0xd800 && code < 0xdc00 && content[at + 6] === BACKSLASH && content[at + 7] === 0x75;
    return { code, next: isPair ? at + 12 : at + 6 };
  }
  const length = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
  return { code: byte, next: at + length };
}

function fourHex(content: Buffer, at: number): number {
  let code = 0;
  for (let digit = 0; digit < 4; digit += 1) code = code * 16 + hexDigit(content[at + digit] ?? 0);
  return code;
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  return (code | 0x20) - 0x57;
}

function isHex(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || ((code | 0x20) >= 0x61 && (code | 0x20) <= 0x66);
}

/** Blank, tab, line end. */
function isBlank(code: number | undefined): boolean {
  return code === 0x20 || (code !== undefined && code >= 0x09 && code <= 0x0d);
}
