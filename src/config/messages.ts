/**
 * What a broken field is told: where it is, what was expected there, what to do. A message never repeats a value: it may
 * be a secret in the wrong place.
 */
import type { z } from 'zod';
import type { Path } from './document.ts';

/** `targets[0].services.kms`; `the file` for the whole of it. */
export function pathText(path: Path): string {
  if (path.length === 0) return 'the file';
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (!isPlainName(step)) text += '.…';
    else text += text === '' ? step : `.${step}`;
  }
  return text;
}

/** Whether a key may be repeated in a message: it looks like a name, not like a value that lost its place. */
function isPlainName(name: string): boolean {
  return /^[A-Za-z][A-Za-z0-9_.-]{0,40}$/.test(name);
}

/** `a, b or c`, each in quotes. */
export function oneOf(names: readonly unknown[]): string {
  const quoted = names.map((name) => `"${String(name)}"`);
  const last = quoted.pop() ?? '';
  return quoted.length > 0 ? `${quoted.join(', ')} or ${last}` : last;
}

/** Spelling that people mix up counts as equal: `ca_file`, `CAFile`, `caFile`. */
function folded(name: string): string {
  return name.toLowerCase().replace(/[-_ ]/g, '');
}

/** Edits (insert, delete, replace, swap neighbours) that make one word of the other. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, (before[j - 2] ?? 0) + 1);
      row.push(cost);
    }
    before = last;
    last = row;
  }
  return last[b.length] ?? 0;
}

/** The valid name that was probably meant; undefined if none is near. */
export function nearest(wrong: string, valid: readonly string[]): string | undefined {
  const word = folded(wrong);
  if (word === '' || word.length > 64) return undefined;
  let best: string | undefined;
  let least = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const name of valid) {
    const edits = distance(word, folded(name));
    if (edits < least) [best, least] = [name, edits];
  }
  return best;
}

function hint(wrong: unknown, valid: readonly unknown[]): string {
  const meant = typeof wrong === 'string' && valid.length > 1 ? nearest(wrong, valid.map(String)) : undefined;
  return meant === undefined ? '' : `; did you mean "${meant}"?`;
}

/**
 * What to say of a key that the schema does not know.
 * @param bare the key has no value at all (`{ key }`), so that it may be a value that lost its key
 */
export function unknownKey(key: string, path: Path, valid: readonly string[], bare: boolean): string {
  if (key === '<<') return 'merge keys (<<) are not supported: repeat the settings, or let an alias be the whole value';
  const where = path.length === 0 ? '' : ` in ${pathText(path)}`;
  const named = bare || !isPlainName(key) ? `unknown key${where}` : `unknown key "${key}"${where}`;
  const meant = nearest(key, valid);
  if (meant !== undefined) return `${named}: did you mean "${meant}"?`;
  return valid.length === 0 ? `${named}: nothing can be set here` : `${named}: expected ${oneOf([...valid].sort())}`;
}

/**
 * The words of a field for whatever is wrong with its value, for the `error` of a schema. That there is no value at all is
 * left to `expectation`.
 */
export function says(text: string): (issue: { readonly input?: unknown }) => string | undefined {
  return ({ input }) => (input === undefined || input === null ? undefined : text);
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'text',
  url: 'a URL',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'settings (key: value)',
  record: 'settings (key: value)',
};

function isUrl(schema: unknown): boolean {
  return (schema as { _zod?: { def?: { format?: string } } } | undefined)?._zod?.def?.format === 'url';
}

function wrongType(expected: string, input: unknown): string {
  const kind = KINDS[expected] ?? expected;
  if (input === undefined) return `missing: expected ${kind}`;
  if (input === null) return 'has no value: give it one, or remove the line';
  if (expected === 'string' && typeof input !== 'object') return 'expected text: put the value in quotes';
  return `expected ${kind}`;
}

function tooMuch(origin: string, maximum: unknown): string {
  if (origin === 'array') return `expected at most ${maximum} entries`;
  return origin === 'string' ? `expected at most ${maximum} characters` : `expected a number of at most ${maximum}`;
}

function tooLittle(origin: string, minimum: unknown, inclusive: boolean | undefined): string {
  if (origin === 'array') return `expected at least ${minimum === 1 ? 'one entry' : `${minimum} entries`}`;
  if (origin === 'string') return minimum === 1 ? 'must not be empty' : `expected at least ${minimum} characters`;
  return inclusive === false ? `expected a number greater than ${minimum}` : `expected a number of at least ${minimum}`;
}

/**
 * The words for an issue whose schema has none of its own: an error map of zod.
 * @returns without the path, which the caller puts before it
 */
export function expectation(issue: z.core.$ZodRawIssue): string {
  const { input } = issue;
  switch (issue.code) {
    case 'invalid_type':
      return wrongType(isUrl(issue.inst) ? 'url' : issue.expected, input);
    case 'invalid_value':
      if (input === null) return wrongType('', input);
      return `${input === undefined ? 'missing: ' : ''}expected ${oneOf(issue.values)}${hint(input, issue.values)}`;
    case 'invalid_union': {
      const { discriminator, options } = issue as { discriminator?: string; options?: readonly unknown[] };
      const given =
        discriminator === undefined ? undefined : (input as Record<string, unknown> | null)?.[discriminator];
      if (!discriminator || !options) return 'is not valid';
      return `${given === undefined ? 'missing: ' : ''}expected ${oneOf(options)}${hint(given, options)}`;
    }
    case 'too_big':
      return tooMuch(issue.origin, issue.maximum);
    case 'too_small':
      return tooLittle(issue.origin, issue.minimum, issue.inclusive);
    case 'invalid_format':
      return issue.format === 'url' ? 'expected a URL such as https://example.com' : 'is not valid';
    case 'invalid_key':
      return (issue.issues as readonly { message?: string }[])[0]?.message ?? 'this key is not valid';
    default:
      return 'is not valid';
  }
}
