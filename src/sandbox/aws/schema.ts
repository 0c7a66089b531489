import { isRecord } from './input.ts';

/** What a field of a request must be: one line of a service's API model. */
export type Shape =
  | { readonly kind: 'text'; readonly min?: number; readonly max?: number; readonly pattern?: RegExp }
  | { readonly kind: 'enum'; readonly values: readonly string[] }
  | { readonly kind: 'whole'; readonly min?: number; readonly max?: number }
  | { readonly kind: 'flag' }
  | { readonly kind: 'list'; readonly of: Shape; readonly min?: number; readonly max?: number }
  | { readonly kind: 'texts' }
  | { readonly kind: 'structure'; readonly fields: Fields; readonly required: readonly string[] }
  | { readonly kind: 'opaque' };

/** The fields of a structure by their wire names. */
export type Fields = Readonly<Record<string, Shape>>;

/** Text; lengths in characters. */
export function text(rules: { min?: number; max?: number; pattern?: RegExp } = {}): Shape {
  return { kind: 'text', ...rules };
}

/** One of some words. */
export function oneOf(...values: readonly string[]): Shape {
  return { kind: 'enum', values };
}

/** A whole number. */
export function whole(min?: number, max?: number): Shape {
  return { kind: 'whole', ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) };
}

/** A list of one shape. */
export function list(of: Shape, rules: { min?: number; max?: number } = {}): Shape {
  return { kind: 'list', of, ...rules };
}

/** A structure that knows these fields and no others. */
export function structure(fields: Fields, ...required: readonly string[]): Shape {
  return { kind: 'structure', fields, required };
}

/** True or false. */
export const flag: Shape = { kind: 'flag' };
/** A map of text to text. */
export const texts: Shape = { kind: 'texts' };
/** A structure or list that is kept and given back as it came: nothing here depends on what is in it. */
export const opaque: Shape = { kind: 'opaque' };

/** Why a value is refused: what is wrong, where. */
export type Problem = {
  readonly because: 'type' | 'unknown-field' | 'constraint';
  /** `outputs.1.encryption.roleArn`; empty for the request itself. */
  readonly path: string;
  /** A sentence's end: "must not be null". */
  readonly rule: string;
};

/** The first thing about `value` that breaks `shape`, or undefined. Null counts as absent, as the services take it. */
export function problemOf(shape: Shape, value: unknown, path = ''): Problem | undefined {
  switch (shape.kind) {
    case 'text':
      if (typeof value !== 'string') return wrongType(path, 'a string');
      if (shape.pattern && !shape.pattern.test(value)) return broken(path, `satisfy ${shape.pattern.source}`);
      return sized(path, value.length, shape, 'length');
    case 'enum':
      if (typeof value !== 'string') return wrongType(path, 'a string');
      if (shape.values.includes(value)) return undefined;
      return broken(path, `satisfy enum value set: [${shape.values.join(', ')}]`);
    case 'whole':
      if (typeof value !== 'number' || !Number.isInteger(value)) return wrongType(path, 'an integer');
      return sized(path, value, shape, 'value');
    case 'flag':
      return typeof value === 'boolean' ? undefined : wrongType(path, 'a boolean');
    case 'list':
      return listProblem(shape, value, path);
    case 'texts':
      if (!isRecord(value)) return wrongType(path, 'a map');
      return Object.values(value).every((item) => typeof item === 'string') ? undefined : wrongType(path, 'a map');
    case 'structure':
      return structureProblem(shape, value, path);
    case 'opaque':
      return typeof value === 'object' ? undefined : wrongType(path, 'a structure');
  }
}

function listProblem(shape: Extract<Shape, { kind: 'list' }>, value: unknown, path: string): Problem | undefined {
  if (!Array.isArray(value)) return wrongType(path, 'a list');
  for (const [index, item] of value.entries()) {
    const problem = problemOf(shape.of, item, below(path, String(index + 1)));
    if (problem) return problem;
  }
  return sized(path, value.length, shape, 'length');
}

function structureProblem(
  shape: Extract<Shape, { kind: 'structure' }>,
  value: unknown,
  path: string,
): Problem | undefined {
  if (!isRecord(value)) return wrongType(path, 'a structure');
  for (const name of shape.required) {
    if (!Object.hasOwn(value, name) || value[name] === null) return broken(below(path, name), 'not be null');
  }
  for (const [name, item] of Object.entries(value)) {
    const field = Object.hasOwn(shape.fields, name) ? shape.fields[name] : undefined;
    if (!field) return { because: 'unknown-field', path: below(path, name), rule: 'be a field of the API' };
    const problem = item === null ? undefined : problemOf(field, item, below(path, name));
    if (problem) return problem;
  }
  return undefined;
}

function sized(
  path: string,
  size: number,
  { min, max }: { readonly min?: number; readonly max?: number },
  what: string,
): Problem | undefined {
  if (min !== undefined && size < min) return broken(path, `have ${what} greater than or equal to ${min}`);
  if (max !== undefined && size > max) return broken(path, `have ${what} less than or equal to ${max}`);
  return undefined;
}

function below(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

function wrongType(path: string, expected: string): Problem {
  return { because: 'type', path, rule: `be ${expected}` };
}

function broken(path: string, rule: string): Problem {
  return { because: 'constraint', path, rule };
}
