import type { Verdict } from '../../../core/model.ts';
import type { InaccessibleReason } from '../../../core/reasons.ts';
import { failureVerdict } from '../../look.ts';
import type { Look } from '../../provider.ts';

const LOST: ReadonlyMap<string, InaccessibleReason> = new Map([
  ['Disabled', 'disabled'],
  ['PendingDeletion', 'pending_deletion'],
  ['PendingReplicaDeletion', 'pending_deletion'],
  ['PendingImport', 'pending_import'],
  ['Unavailable', 'store_unavailable'],
]);

/** The verdict table of KMS by key state: aws.md 2.1. A state that nobody knows yet is unknown, never healthy. */
export function verdict(look: Look): Verdict {
  if ('failure' in look) return failureVerdict(look.failure);
  const { state } = look.facts;
  if (state === 'Enabled' || state === 'Updating') return { status: 'accessible' };
  if (state === 'Creating') return { status: 'unknown', reason: 'transitional' };
  const reason = LOST.get(state);
  return reason ? { status: 'inaccessible', reason } : { status: 'unknown', reason: 'bad_response' };
}
