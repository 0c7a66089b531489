/** What a key or a vault can be wrong in without being lost. Pure; azure.md 2. */
import type { Finding, KeyFacts, Severity } from '../../../core/model.ts';
import type { Policy } from '../../../core/policy.ts';
import type { Judgement } from '../../provider.ts';
import { protectFromDeletion, protectFromPurge, rotate, setAttributes } from './remedies.ts';

const DAY_MS = 86_400_000;
/** Less time than this until a key expires is critical. */
const CRITICAL_MS = 3 * DAY_MS;
/** Rotations are not to the minute: this late they did not happen. */
const ROTATION_GRACE_MS = DAY_MS;
/** Fewer days to notice and undo a deletion than this are said. The least that Azure allows is 7. */
const SHORT_RETENTION_DAYS = 30;

interface Ruling {
  readonly finding?: Finding;
  /** When this rule may say something else, ms. */
  readonly until?: number;
}

/** Every rule of Key Vault at `now`. What a service demands of its key is judged on the edge, where the demand is. */
export function judge(facts: KeyFacts, now: number, policy: Policy): Judgement {
  if (facts.state === 'SoftDeleted') return { findings: [] };
  const rulings =
    facts.kind === 'azure-vault'
      ? [noPurgeProtection(facts), noSoftDelete(facts), shortRetention(facts)]
      : [expiry(facts, now, policy), notYetValid(facts, now), rotationOverdue(facts, now)];
  const findings = rulings.flatMap(({ finding }) => finding ?? []);
  const until = Math.min(...rulings.map((ruling) => ruling.until ?? Number.POSITIVE_INFINITY));
  return Number.isFinite(until) ? { findings, until } : { findings };
}

/** Versions and policy are good for one version, as long as nobody touches it. A vault has no details. */
export function detailKey(facts: KeyFacts): string {
  return facts.kind === 'azure-vault' ? '' : `${facts.version?.id ?? ''} ${facts.changedAt ?? ''} ${facts.state}`;
}

function expiry(facts: KeyFacts, now: number, policy: Policy): Ruling {
  const { expiresAt } = facts;
  if (expiresAt === undefined) return {};
  // A short warning period does not silence the last days.
  const criticalAt = expiresAt - CRITICAL_MS;
  const warnAt = Math.min(expiresAt - policy.expiryWarningMs, criticalAt);
  const renew = typeof facts.attributes.rotateBeforeExpiry === 'string' ? rotate(facts) : extend(facts);
  if (now >= expiresAt) {
    const summary =
      'It has expired: what it wrapped can still be unwrapped, but it wraps and encrypts nothing any more.';
    return { finding: { id: 'key-vault.expired', severity: 'critical', summary, remedy: renew } };
  }
  if (now < warnAt) return { until: warnAt };
  const severity: Severity = now >= criticalAt ? 'critical' : 'warning';
  const summary = 'It expires soon; from then on it wraps and encrypts nothing any more.';
  return {
    finding: { id: 'key-vault.expiring', severity, summary, remedy: renew },
    until: severity === 'critical' ? expiresAt : criticalAt,
  };
}

function extend(facts: KeyFacts): string {
  return `${rotate(facts)}, or ${setAttributes(facts, '--expires', 'YYYY-MM-DDTHH:MM:SSZ')}`;
}

function notYetValid(facts: KeyFacts, now: number): Ruling {
  const { notBefore } = facts.attributes;
  if (typeof notBefore !== 'number' || now >= notBefore) return {};
  return {
    finding: {
      id: 'key-vault.not-yet-valid',
      severity: 'warning',
      summary: 'It is not valid yet: it wraps and encrypts nothing until then.',
      remedy: setAttributes(facts, '--not-before', new Date(now).toISOString().replace(/\.\d+Z$/, 'Z')),
    },
    until: notBefore,
  };
}

function rotationOverdue(facts: KeyFacts, now: number): Ruling {
  const { nextRotationAt } = facts;
  if (nextRotationAt === undefined || facts.rotationEnabled !== true || facts.state !== 'Enabled') return {};
  const dueBy = nextRotationAt + ROTATION_GRACE_MS;
  if (now < dueBy) return { until: dueBy };
  return {
    finding: {
      id: 'key-vault.rotation-overdue',
      severity: 'warning',
      summary: 'Its rotation policy demanded a new version that was never made.',
      remedy: rotate(facts),
    },
  };
}

function noPurgeProtection(facts: KeyFacts): Ruling {
  const { resourceId, purgeProtection } = facts.attributes;
  // A vault that Resource Manager does not show tells nothing of itself; one that it shows says it only where it is on.
  if (resourceId === undefined || purgeProtection === true) return {};
  return {
    finding: {
      id: 'key-vault.no-purge-protection',
      severity: 'info',
      summary: 'Purge protection is off: whoever may purge can destroy deleted keys for good at once.',
      remedy: protectFromPurge(facts),
    },
  };
}

function noSoftDelete(facts: KeyFacts): Ruling {
  const { resourceId, softDelete } = facts.attributes;
  // A managed HSM always has it (azure.md 3.5).
  if (resourceId === undefined || softDelete === true || facts.spec === 'hsm') return {};
  const remedy = protectFromDeletion(facts);
  return {
    finding: {
      id: 'key-vault.no-soft-delete',
      severity: 'info',
      summary: 'Soft delete is off: a deleted key, or the vault, is gone at once and for good.',
      ...(remedy === undefined ? {} : { remedy }),
    },
  };
}

function shortRetention(facts: KeyFacts): Ruling {
  const { retentionDays } = facts.attributes;
  if (typeof retentionDays !== 'number' || retentionDays >= SHORT_RETENTION_DAYS) return {};
  return {
    finding: {
      id: 'key-vault.short-retention',
      severity: 'info',
      summary: `A deletion can be undone for ${retentionDays} days only; that is fixed when a vault is created.`,
    },
  };
}
