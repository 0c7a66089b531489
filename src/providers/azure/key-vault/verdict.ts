import type { Verdict } from '../../../core/model.ts';
import { failureVerdict } from '../../look.ts';
import type { Look } from '../../provider.ts';

/** States of a vault on its way; the last four are a managed HSM's (KnownProvisioningState of arm-keyvault 5). */
const PASSING: readonly string[] = ['RegisteringDns', 'Provisioning', 'Deleting', 'Restoring', 'SecurityDomainRestore'];
/** States of a managed HSM that works. */
const WORKING: readonly string[] = ['Available', 'Enabled', 'Activated', 'Updating'];

/**
 * The verdict table of keys and vaults: azure.md 3.4. An expired key is accessible: it still unwraps (0.5), so its expiry
 * is a finding. A state that nobody knows yet is unknown, never healthy.
 */
export function verdict(look: Look): Verdict {
  if ('failure' in look) return failureVerdict(look.failure);
  const { state } = look.facts;
  if (WORKING.includes(state)) return { status: 'accessible' };
  if (state === 'Disabled') return { status: 'inaccessible', reason: 'disabled' };
  if (state === 'SoftDeleted') return { status: 'inaccessible', reason: 'soft_deleted' };
  if (PASSING.includes(state)) return { status: 'unknown', reason: 'transitional' };
  return { status: 'unknown', reason: state === 'Failed' ? 'provider_error' : 'bad_response' };
}
