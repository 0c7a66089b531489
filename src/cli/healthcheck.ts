import { withDeadline } from '../engine/deadline.ts';
import type { Io } from './io.ts';

const TIMEOUT_MS = 3_000;

/**
 * Asks a running daemon whether it is healthy: for containers, whose image has no shell and no curl.
 * @returns 0 healthy, 1 not
 */
export async function healthcheckCommand(url: string, io: Io): Promise<number> {
  try {
    const response = await withDeadline('healthcheck', TIMEOUT_MS, new AbortController().signal, (signal) =>
      fetch(new URL('/-/healthy', url), { signal, redirect: 'error' }),
    );
    await response.body?.cancel();
    if (response.ok) return 0;
    io.err(`keyvigil at ${url} answers ${response.status}\n`);
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    io.err(`keyvigil at ${url} does not answer: ${cause instanceof Error ? cause.message : String(cause)}\n`);
  }
  return 1;
}
