/** One call of which the outcome decides what is asked next. */
import type { Failure } from '../../../core/model.ts';
import { CallFailed } from '../../provider.ts';
import { BadAnswer } from '../ask.ts';
import { classify } from '../classify.ts';

export type Tried<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: Failure; readonly error: CallFailed };

/**
 * Runs one call, or the pages of one listing.
 * @param operation for an answer that is none: it fails like the call that it came from
 * @throws the abort reason at shutdown, and bugs
 */
export async function tried<T>(operation: string, run: () => Promise<T>): Promise<Tried<T>> {
  try {
    return { ok: true, value: await run() };
  } catch (error) {
    return { ok: false, ...failed(operation, error) };
  }
}

/** The named failure of a call. @throws what is none */
export function failed(operation: string, error: unknown): { readonly failure: Failure; readonly error: CallFailed } {
  const call = error instanceof BadAnswer ? new CallFailed(operation, error) : error;
  if (!(call instanceof CallFailed)) throw call;
  return { failure: classify(call, call.operation), error: call };
}
