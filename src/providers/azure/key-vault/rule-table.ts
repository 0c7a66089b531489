/** Every rule of Key Vault, for people. What a service demands of its key is among the rules of that service. */
import type { RuleInfo } from '../../provider.ts';

export const RULES: readonly RuleInfo[] = [
  {
    id: 'key-vault.expiring',
    severity: 'warning, critical under 3 days',
    source: 'Key Vault, key attributes: exp',
    meaning:
      'The current version expires within policy.expiryWarning; from then on it wraps and encrypts nothing any more.',
    remedy: 'Make a new version with az keyvault key rotate, or set a later date.',
  },
  {
    id: 'key-vault.expired',
    severity: 'critical',
    source: 'Key Vault, key attributes: outside of nbf and exp a key only decrypts, unwraps and verifies',
    meaning: 'It has expired: what it wrapped can still be unwrapped, but nothing new is wrapped or encrypted with it.',
    remedy: 'Make a new version with az keyvault key rotate, or set a later date.',
  },
  {
    id: 'key-vault.not-yet-valid',
    severity: 'warning',
    source: 'Key Vault, key attributes: nbf',
    meaning:
      'The date from which the current version is valid is still to come: until then it wraps and encrypts nothing.',
    remedy: 'Set an earlier date with az keyvault key set-attributes --not-before.',
  },
  {
    id: 'key-vault.rotation-overdue',
    severity: 'warning',
    source: 'Key Vault, key rotation policy: lifetimeActions of type Rotate',
    meaning: 'The rotation policy demanded a new version more than a day ago, and there is none.',
    remedy: 'Rotate it with az keyvault key rotate.',
  },
  {
    id: 'key-vault.no-purge-protection',
    severity: 'info',
    source: 'Key Vault, purge protection: enablePurgeProtection of the vault',
    meaning: 'Whoever may purge can destroy deleted keys for good at once.',
    remedy: 'Turn purge protection on with az keyvault update; it cannot be turned off again.',
  },
  {
    id: 'key-vault.no-soft-delete',
    severity: 'info',
    source: 'Key Vault, soft delete: enableSoftDelete of the vault',
    meaning: 'A deleted key, or the vault itself, is gone at once and for good.',
    remedy: 'Turn soft delete on with az resource update.',
  },
  {
    id: 'key-vault.short-retention',
    severity: 'info',
    source: 'Key Vault, soft delete: softDeleteRetentionInDays, 7 to 90, fixed when the vault is created',
    meaning: 'A deletion can be undone for fewer than 30 days: a weekend and a holiday eat a good part of that.',
    remedy: 'Only a new vault can have another retention: create one with --retention-days 90 and move to it.',
  },
];
