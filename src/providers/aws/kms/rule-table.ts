/** Every rule of KMS, for people. */
import type { RuleInfo } from '../../provider.ts';

export const RULES: readonly RuleInfo[] = [
  {
    id: 'kms.material-expiring',
    severity: 'warning, critical under 3 days',
    source:
      'DescribeKey: ValidTo, "When a key material expires, KMS deletes the key material and the KMS key becomes unusable"',
    meaning: 'Imported key material has a date within policy.expiryWarning; from that date on the key is unusable.',
    remedy: 'Import the same material again, without an expiry or with a later one.',
  },
  {
    id: 'kms.material-expired',
    severity: 'critical',
    source: 'DescribeKey: ValidTo',
    meaning: 'The date of the imported material has passed: KMS deletes it, and the key refuses every use.',
    remedy: 'Import the same material again: only that decrypts what was encrypted with it.',
  },
  {
    id: 'kms.deletion-cancelled-still-disabled',
    severity: 'info',
    source: 'CancelKeyDeletion leaves the key in the state Disabled',
    meaning: 'A scheduled deletion was cancelled, which many take for the end of it; the key still refuses every use.',
    remedy: 'Enable it with enable-key.',
  },
];
