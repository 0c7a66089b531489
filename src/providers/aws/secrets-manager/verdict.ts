import type { Verdict } from '../../../core/model.ts';
import { failureVerdict } from '../../look.ts';
import type { Look } from '../../provider.ts';

/** The verdict table of Secrets Manager: aws.md 1.2 and 1.3. A state that is none of ours is unknown. */
export function verdict(look: Look): Verdict {
  if ('failure' in look) return failureVerdict(look.failure);
  const { state, attributes } = look.facts;
  switch (state) {
    case 'ScheduledForDeletion':
      return { status: 'inaccessible', reason: 'pending_deletion' };
    case 'NoCurrentVersion':
      return { status: 'inaccessible', reason: 'no_current_version' };
    case 'Active':
      if (attributes.readResult === 'decrypt_failed') return { status: 'inaccessible', reason: 'decrypt_failed' };
      return { status: 'accessible' };
    case 'NeverFilled':
      return { status: 'accessible' };
    default:
      return { status: 'unknown', reason: 'bad_response' };
  }
}
