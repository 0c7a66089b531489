/** Arithmetic that the services share to say how many calls a sweep makes. Pure. */
import type { Holding } from './provider.ts';

/** Objects of every kind together. */
export function objectsOf({ objects }: Pick<Holding, 'objects'>): number {
  return Object.values(objects).reduce((sum, count) => sum + count, 0);
}

/** Pages of a listing: there is one even of nothing. */
export function pagesOf(items: number, pageSize: number): number {
  return Math.max(1, Math.ceil(items / pageSize));
}

/**
 * How many times per sweep something happens that a sweep does whenever it was last done at least `everyMs` ago: it waits for
 * the next sweep, so once in 15 minutes by sweeps of four minutes is once in 16.
 */
export function perSweep(everyMs: number, intervalMs: number): number {
  return 1 / Math.max(1, Math.ceil(everyMs / intervalMs));
}
