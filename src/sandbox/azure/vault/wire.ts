import { badParameter } from './errors.ts';
import type { VaultKeys } from './state.ts';

/** What a request carries besides its route. */
export type VaultRequest = {
  readonly query: URLSearchParams;
  /** Parsed JSON, undefined when there is none. */
  readonly body: unknown;
  /** `https://host` of the request, with its port if it names one: ids and next links start with it. */
  readonly base: string;
};

/** One request on its way through an operation. */
export type VaultCall = {
  readonly keys: VaultKeys;
  /** Empty for operations without a key. */
  readonly name: string;
  readonly version: string | undefined;
  readonly request: VaultRequest;
};

/** An operation: gives the body of its 200, or undefined for a 204. Throws VaultError. */
export type VaultHandler = (call: VaultCall) => object | undefined;

type Input = Readonly<Record<string, unknown>>;

/** The JSON object that a request must carry. Throws BadParameter. */
export function bodyOf(request: VaultRequest): Input {
  return objectOf(request.body, 'body');
}

/** A JSON object. Throws BadParameter when it is none. */
export function objectOf(value: unknown, name: string): Input {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Input;
  throw invalid(name);
}

/** The object under `name`; empty when it is absent or null. Throws BadParameter. */
export function objectIn(input: Input, name: string): Input {
  return input[name] === undefined || input[name] === null ? {} : objectOf(input[name], name);
}

/** The text under `name`, or undefined when it is absent or null. Throws BadParameter. */
export function textIn(input: Input, name: string): string | undefined {
  return typed(input, name, 'string');
}

/** The whole number under `name`, or undefined when it is absent or null. Throws BadParameter. */
export function wholeIn(input: Input, name: string): number | undefined {
  const value: number | undefined = typed(input, name, 'number');
  if (value !== undefined && !Number.isSafeInteger(value)) throw invalid(name);
  return value;
}

/** The boolean under `name`, or undefined when it is absent or null. Throws BadParameter. */
export function flagIn(input: Input, name: string): boolean | undefined {
  return typed(input, name, 'boolean');
}

/** The texts under `name`, or undefined when they are absent or null. Throws BadParameter. */
export function textsIn(input: Input, name: string): readonly string[] | undefined {
  const value = input[name];
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value) || value.some((one) => typeof one !== 'string')) throw invalid(name);
  return value;
}

/** Base64url bytes that must be there. Throws BadParameter. */
export function bytesIn(input: Input, name: string): Buffer {
  const value = textIn(input, name);
  if (value === undefined || !/^[\w-]+={0,2}$/.test(value)) throw invalid(name);
  return Buffer.from(value, 'base64url');
}

function typed<T>(input: Input, name: string, type: 'string' | 'number' | 'boolean'): T | undefined {
  const value = input[name];
  if (value === undefined || value === null) return undefined;
  // The comparison is what makes the claim true.
  if (typeof value === type) return value as T;
  throw invalid(name);
}

/** 400 for a property that cannot be used. */
export function invalid(name: string): Error {
  return badParameter(`Property ${name} has invalid value\r\n`);
}
