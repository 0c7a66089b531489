import { AwsError, validationError } from './errors.ts';

/** The parsed body of a request. Nothing about it is trusted: every field is read through the functions below. */
export type Input = Readonly<Record<string, unknown>>;

function fail(): never {
  throw new AwsError('SerializationException', '', 'none');
}

/** A text field, or undefined when it is absent. */
export function text(input: Input, name: string): string | undefined {
  const value = input[name];
  if (value === undefined || value === null) return undefined;
  return typeof value === 'string' ? value : fail();
}

/** A text field that must be there and must not be empty: ValidationException otherwise. */
export function needText(input: Input, name: string): string {
  const value = text(input, name);
  if (value === undefined) throw validationError('null', lowerFirst(name), 'not be null');
  if (value === '') {
    throw validationError("''", lowerFirst(name), 'have length greater than or equal to 1');
  }
  return value;
}

/** A whole number within [least, most], or undefined when it is absent. Query requests send it as text. */
export function whole(input: Input, name: string, least: number, most: number): number | undefined {
  const raw = input[name];
  if (raw === undefined || raw === null) return undefined;
  const value = typeof raw === 'string' ? Number(raw) : raw;
  if (typeof value !== 'number' || !Number.isInteger(value)) return fail();
  if (value < least)
    throw validationError(`'${value}'`, lowerFirst(name), `have value greater than or equal to ${least}`);
  if (value > most) throw validationError(`'${value}'`, lowerFirst(name), `have value less than or equal to ${most}`);
  return value;
}

/** A date in epoch seconds, given back in ms. */
export function date(input: Input, name: string): number | undefined {
  const value = input[name];
  if (value === undefined || value === null) return undefined;
  return typeof value === 'number' ? Math.round(value * 1000) : fail();
}

/** A flag; absent is false. */
export function flag(input: Input, name: string): boolean {
  const value = input[name];
  if (value === undefined || value === null) return false;
  return typeof value === 'boolean' ? value : fail();
}

/** A list of texts, or undefined when it is absent. */
export function texts(input: Input, name: string): readonly string[] | undefined {
  const value = input[name];
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) return fail();
  return value.map((item) => (typeof item === 'string' ? item : fail()));
}

/** A structure, or undefined when it is absent. */
export function record(input: Input, name: string): Input | undefined {
  const value = input[name];
  if (value === undefined || value === null) return undefined;
  return isRecord(value) ? value : fail();
}

/** A list of structures, or undefined when it is absent. */
export function records(input: Input, name: string): readonly Input[] | undefined {
  const value = input[name];
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) return fail();
  return value.map((item) => (isRecord(item) ? item : fail()));
}

/** Bytes, which JSON carries as base64. */
export function bytes(input: Input, name: string): Buffer | undefined {
  const value = text(input, name);
  return value === undefined ? undefined : Buffer.from(value, 'base64');
}

/** One of `allowed`, or undefined when it is absent. */
export function oneOf<const T extends string>(input: Input, name: string, allowed: readonly T[]): T | undefined {
  const value = text(input, name);
  if (value === undefined) return undefined;
  const known = allowed.find((candidate) => candidate === value);
  if (known !== undefined) return known;
  throw validationError(`'${value}'`, lowerFirst(name), `satisfy enum value set: [${allowed.join(', ')}]`);
}

/** True for a JSON object. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function lowerFirst(name: string): string {
  return name.slice(0, 1).toLowerCase() + name.slice(1);
}
