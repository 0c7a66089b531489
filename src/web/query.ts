/** Reading what a client asks for: parameters, filters and cursors. Pure. */

/** A parameter that cannot be used, and why, in words for whoever sent it. */
export interface Refused {
  readonly refused: string;
}
type Reader<T> = (text: string) => { readonly value: T } | Refused;
type Readers<T> = { readonly [K in keyof T]-?: Reader<NonNullable<T[K]>> };

/** Longest free text, in characters: what is searched for is a name, not a document. */
const MAX_TEXT = 2048;

/**
 * Reads the parameters of a request. Empty ones count as absent (a form sends them); unknown and repeated ones are
 * refused, because a misspelt filter that is ignored answers with everything.
 */
export function readQuery<T extends object>(params: URLSearchParams, readers: Readers<T>): { values: T } | Refused {
  const known = new Map<string, Reader<unknown>>(Object.entries(readers));
  const values: Record<string, unknown> = {};
  for (const [name, text] of params) {
    const reader = known.get(name);
    if (reader === undefined) {
      return { refused: `${name}: no such parameter here; there are ${[...known.keys()].join(', ')}` };
    }
    if (text === '') continue;
    if (Object.hasOwn(values, name)) return { refused: `${name}: given twice` };
    const read = reader(text);
    if ('refused' in read) return { refused: `${name}: ${read.refused}` };
    values[name] = read.value;
  }
  return { values: values as T };
}

/** One word of a closed list. */
export function oneOf<const T extends string>(words: readonly T[]): Reader<T> {
  return (text) => {
    const value = words.find((word) => word === text);
    return value === undefined ? { refused: `must be one of ${words.join(', ')}` } : { value };
  };
}

/** Free text. */
export function text(value: string): { readonly value: string } | Refused {
  return value.length > MAX_TEXT ? { refused: `longer than ${MAX_TEXT} characters` } : { value };
}

/** A whole number within bounds, both included. */
export function wholeNumber(min: number, max: number): Reader<number> {
  return (given) => {
    const value = /^\d{1,15}$/.test(given) ? Number(given) : Number.NaN;
    return value >= min && value <= max ? { value } : { refused: `must be a whole number from ${min} to ${max}` };
  };
}

/** The opaque form of where a page ended. */
export function encodeCursor(position: string): string {
  return Buffer.from(position).toString('base64url');
}

/** @returns the position that `encodeCursor` was given. */
export function cursor(given: string): { readonly value: string } | Refused {
  const value = Buffer.from(given, 'base64url').toString();
  return encodeCursor(value) === given ? { value } : { refused: 'is not a cursor of this API' };
}

/** What filters look at. */
export interface Filterable {
  readonly resource: string;
  readonly name: string;
  readonly kind: string;
  readonly provider: string;
  readonly account: string;
  readonly health: string;
  readonly tags?: Readonly<Record<string, string>>;
}

export interface Filter {
  readonly health?: string | undefined;
  readonly kind?: string | undefined;
  readonly provider?: string | undefined;
  readonly account?: string | undefined;
  /** Part of the name, the resource, a tag or its value, in either case. */
  readonly q?: string | undefined;
}

/** The test that a filter makes. */
export function matcher(filter: Filter): (item: Filterable) => boolean {
  const { health, kind, provider, account } = filter;
  const found = finder(filter.q);
  return (item) =>
    (health === undefined || item.health === health) &&
    (kind === undefined || item.kind === kind) &&
    (provider === undefined || item.provider === provider) &&
    (account === undefined || item.account === account) &&
    (found === undefined || found(item.name) || found(item.resource) || tagged(item.tags, found));
}

/** Case-insensitive search as a literal expression: it allocates nothing per item, unlike lower-casing 100,000 names. */
export function finder(q: string | undefined): ((text: string) => boolean) | undefined {
  if (q === undefined) return undefined;
  const expression = new RegExp(q.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'), 'iu');
  return (text) => expression.test(text);
}

function tagged(tags: Filterable['tags'], found: (text: string) => boolean): boolean {
  if (tags === undefined) return false;
  for (const [name, value] of Object.entries(tags)) {
    if (found(name) || found(value) || found(`${name}=${value}`)) return true;
  }
  return false;
}

/** One page of a list, and where the next one starts while there is more. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next?: string;
}

/**
 * The first `limit` items that match and stand behind `after`, in a list sorted by `identity` in code-unit order. A
 * position is an identity rather than a number, so that nothing is lost or told twice while items come and go.
 */
export function pageOf<T>(
  sorted: readonly T[],
  identity: (item: T) => string,
  matches: (item: T) => boolean,
  ask: { readonly limit: number; readonly after?: string | undefined },
): Page<T> {
  const items: T[] = [];
  for (const item of sorted) {
    if (ask.after !== undefined && identity(item) <= ask.after) continue;
    if (!matches(item)) continue;
    const last = items.at(-1);
    if (items.length === ask.limit && last !== undefined) return { items, next: encodeCursor(identity(last)) };
    items.push(item);
  }
  return { items };
}
