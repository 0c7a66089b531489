/**
 * Whether what was read is of the types that it says: SDKs pass on whatever stood in an answer. A name that is a list, or a
 * date that is text, proves nothing, and must not get as far as the state file and the pages. Pure.
 */

type Kind = 'text' | 'number' | 'flag' | 'scalar';

/** Fields that are no plain text; instants are told by their names. */
const FLAGS: ReadonlySet<string> = new Set(['rotationEnabled', 'enabled', 'assumed', 'pinned']);
/** Fields that hold others. */
const LISTS: ReadonlySet<string> = new Set(['versions', 'dependsOn', 'grants', 'uses']);
const TEXT_LISTS: ReadonlySet<string> = new Set(['aliases', 'anyOf', 'permissions']);
const PARTS: ReadonlySet<string> = new Set(['version', 'previousVersion', 'pendingVersion']);
const INSTANT = /(?:At|Until)$/;

/** The first field of facts, or of a stub, that is not what it should be; undefined: all are. */
export function unsoundField(facts: object): string | undefined {
  for (const [name, value] of Object.entries(facts)) {
    if (value !== undefined && !isSound(name, value)) return name;
  }
  return undefined;
}

/** @throws TypeError that names the field, and nothing of what is in it */
export function assertSound(facts: object): void {
  const field = unsoundField(facts);
  if (field !== undefined) throw new TypeError(`the answer holds something else than it should: ${field}`);
}

function isSound(name: string, value: unknown): boolean {
  if (name === 'tags') return isTable(value, 'text');
  if (name === 'attributes') return isTable(value, 'scalar');
  if (PARTS.has(name)) return isPart(value);
  if (LISTS.has(name)) return Array.isArray(value) && value.every(isPart);
  if (TEXT_LISTS.has(name)) return Array.isArray(value) && value.every((one) => is(one, 'text'));
  return is(value, INSTANT.test(name) ? 'number' : FLAGS.has(name) ? 'flag' : 'text');
}

function isPart(value: unknown): boolean {
  return typeof value === 'object' && value !== null && unsoundField(value) === undefined;
}

function isTable(value: unknown, kind: Kind): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((one) => one === undefined || is(one, kind));
}

function is(value: unknown, kind: Kind): boolean {
  if (kind === 'text') return typeof value === 'string';
  if (kind === 'flag') return typeof value === 'boolean';
  if (typeof value === 'number') return Number.isFinite(value);
  return kind === 'scalar' && (typeof value === 'string' || typeof value === 'boolean');
}
