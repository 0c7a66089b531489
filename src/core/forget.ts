/** When the record of a key that is gone may end. */
import { unsettled } from './health.ts';
import type { KeyRecord } from './model.ts';
import type { Policy } from './policy.ts';

export type ForgetReason = 'announced_deletion_completed' | 'forget_after';

/**
 * Why the record of a gone key may end (event `removed`), or undefined: it must stay. Never while something depends on
 * it, while it is blind, or while it may be coming back; and `forgetAfter` counts only as far as looks confirmed it.
 * @param dependents consumers and keys that depend on it, directly or through others (`Graph.dependents`)
 */
export function forgettable(
  record: KeyRecord,
  now: number,
  policy: Policy,
  dependents: number,
): ForgetReason | undefined {
  const { gone, conclusiveAt } = record;
  if (!gone || conclusiveAt === undefined || dependents > 0 || unsettled(record)) return undefined;
  if (gone.announced) return 'announced_deletion_completed';
  return Math.min(now, conclusiveAt) - gone.since >= policy.forgetAfterMs ? 'forget_after' : undefined;
}
