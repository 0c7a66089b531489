/** What a KMS key can be wrong in without being lost. Pure. */
import type { Finding, KeyFacts } from '../../../core/model.ts';
import type { Policy } from '../../../core/policy.ts';
import type { Judgement } from '../../provider.ts';
import { importMaterial, remedy } from './remedies.ts';

/** Less time than this until imported material expires is critical. */
const CRITICAL_MS = 3 * 86_400_000;

/** Every rule of KMS at `now`. */
export function judge(facts: KeyFacts, now: number, policy: Policy): Judgement {
  const expiry = material(facts, now, policy);
  const findings = [...expiry.findings, ...stillDisabled(facts)];
  return expiry.until === undefined ? { findings } : { findings, until: expiry.until };
}

function material(facts: KeyFacts, now: number, policy: Policy): Judgement {
  const { expiresAt, state } = facts;
  if (expiresAt === undefined || state === 'PendingDeletion' || state === 'PendingReplicaDeletion')
    return { findings: [] };
  const warnAt = expiresAt - policy.expiryWarningMs;
  const criticalAt = expiresAt - CRITICAL_MS;
  const until = [warnAt, criticalAt, expiresAt].filter((at) => at > now).sort((a, b) => a - b)[0];
  const finding = expiring(facts, now, { warnAt, criticalAt, expiresAt });
  const findings = finding ? [finding] : [];
  return until === undefined ? { findings } : { findings, until };
}

function expiring(
  facts: KeyFacts,
  now: number,
  at: { readonly warnAt: number; readonly criticalAt: number; readonly expiresAt: number },
): Finding | undefined {
  const undo = importMaterial(facts);
  if (now >= at.expiresAt) {
    const summary = 'Its imported key material has expired.';
    return { id: 'kms.material-expired', severity: 'critical', summary, remedy: undo };
  }
  // A short warning period does not silence the last days.
  if (now < Math.min(at.warnAt, at.criticalAt)) return undefined;
  const severity = now >= at.criticalAt ? 'critical' : 'warning';
  const summary = 'Its imported key material expires soon; the key is unusable from then on.';
  return { id: 'kms.material-expiring', severity, summary, remedy: undo };
}

function stillDisabled(facts: KeyFacts): Finding[] {
  if (facts.attributes.cancelledDeletion !== true) return [];
  const undo = remedy('disabled', facts);
  return [
    {
      id: 'kms.deletion-cancelled-still-disabled',
      severity: 'info',
      summary: 'Its deletion was cancelled, but that leaves a key disabled: it still refuses every use.',
      ...(undo === undefined ? {} : { remedy: undo }),
    },
  ];
}
