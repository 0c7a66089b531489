/** What two answers differ in, field by field, once everything that is another at every time is taken out. */
import type { RecordedResponse } from './recordings.ts';

/** An answer of the sandbox. */
export type Given = RecordedResponse;

/** By path: `value[0].attributes.enabled`. */
type Fields = ReadonlyMap<string, string>;

/** Recorded headers whose value says something; of the others only the presence counts. */
const TELLING = new Set(['content-type', 'location', 'www-authenticate', 'x-ms-failure-cause', 'x-ms-keyvault-region']);
/** Numbers that say the same for every key. */
const SAME_NUMBERS = /(^|\.)(keySize|recoverableDays|softDeleteRetentionInDays)$/;
/** Public halves of keys. */
const MATERIAL = /(^|\.)(key\.(n|x|y)|value)$/;

/**
 * Every way in which `actual` is not what was recorded, in words that name the field. Texts are compared without ids, times
 * and versions, numbers as numbers; headers that nobody recorded do not count, for recordings hold only the telling ones.
 */
export function differences(recorded: RecordedResponse, actual: Given): readonly string[] {
  const found: string[] = [];
  if (recorded.status !== actual.status) found.push(`status ${actual.status} instead of ${recorded.status}`);
  const [wanted, got] = [fieldsOf(recorded.body), fieldsOf(actual.body)];
  found.push(...missing(wanted, got).map((name) => `lacks ${name}`));
  found.push(...missing(got, wanted).map((name) => `invents ${name}`));
  for (const [name, value] of wanted) {
    if (got.has(name) && got.get(name) !== value) found.push(`${name} is ${got.get(name)} instead of ${value}`);
  }
  return [...found, ...headerDifferences(recorded, actual)];
}

/** Fields of `wanted` that `got` lacks; what stands inside such a field goes with it. */
function missing(wanted: Fields, got: Fields): readonly string[] {
  const found: string[] = [];
  for (const name of wanted.keys()) {
    const within = found.some((outer) => name.startsWith(`${outer}.`) || name.startsWith(`${outer}[`));
    if (!got.has(name) && !within) found.push(name);
  }
  return found;
}

function headerDifferences(recorded: RecordedResponse, actual: Given): readonly string[] {
  const found: string[] = [];
  for (const [name, value] of Object.entries(recorded.headers)) {
    const given = actual.headers[name];
    if (given === undefined) found.push(`lacks header ${name}`);
    else if (TELLING.has(name) && plain(given) !== plain(value)) {
      found.push(`header ${name} is ${plain(given)} instead of ${plain(value)}`);
    }
  }
  return found;
}

/** Fields with what of their values is the same at any time. */
function fieldsOf(body: unknown): Fields {
  const fields = new Map<string, string>();
  walk(body === '' ? undefined : body, '', fields);
  return fields;
}

function walk(value: unknown, at: string, fields: Map<string, string>): void {
  if (value === undefined) return;
  if (Array.isArray(value)) {
    // How many items there are is a field of its own: one that lacks is not told field by field.
    fields.set(at, `a list of ${value.length}`);
    for (const [index, one] of value.entries()) walk(one, `${at}[${index}]`, fields);
  } else if (typeof value === 'object' && value !== null) {
    fields.set(at, 'an object');
    for (const [key, one] of Object.entries(value)) walk(one, at === '' ? plain(key) : `${at}.${plain(key)}`, fields);
  } else fields.set(at, told(value, at));
}

function told(value: unknown, at: string): string {
  if (typeof value === 'number') return SAME_NUMBERS.test(at) ? String(value) : 'a number';
  if (typeof value !== 'string') return String(value);
  if (MATERIAL.test(at)) return `${Buffer.from(value, 'base64url').length} bytes`;
  return JSON.stringify(plain(value));
}

/** A text without what is another at every time. */
function plain(text: string): string {
  return text
    .replaceAll(/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi, 'UUID')
    .replaceAll(/\b[0-9a-f]{32}\b/g, 'VERSION')
    .replaceAll(/api-version=[^&]*/g, 'api-version=V')
    .replaceAll(/(%24|\$)skiptoken=[^&]*/g, '$skiptoken=T')
    .replaceAll(/operationResults\/[\w-]+/g, 'operationResults/ID')
    .replaceAll(/\d{4}-\d\d-\d\d([T ])\d\d:\d\d:\d\d(\.\d+)?Z/g, (_, between, digits) => {
      // Azure leaves zeros at the end of milliseconds out.
      const decimals = digits === undefined ? '' : digits.length > 4 ? '.0000000' : '.000';
      return `DATE${between}TIME${decimals}Z`;
    });
}
