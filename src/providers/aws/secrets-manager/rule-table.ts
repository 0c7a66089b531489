/** Every rule of Secrets Manager, for people. */
import type { RuleInfo } from '../../provider.ts';

export const RULES: readonly RuleInfo[] = [
  {
    id: 'secrets-manager.rotation-overdue',
    severity: 'warning',
    source: 'DescribeSecret: NextRotationDate, "The next rotation is scheduled to occur on or before this date"',
    meaning:
      'The scheduled rotation did not happen within its window, an hour at least. Whatever was to be replaced is still in use.',
    remedy: 'Rotate it now with rotate-secret; if that fails, the log of the rotation function says why.',
  },
  {
    id: 'secrets-manager.rotation-stuck',
    severity: 'warning',
    source: 'Rotation by Lambda functions: AWSPENDING is moved off its version only when a rotation ends well',
    meaning:
      'A rotation began more than 6 hours ago and never ended: AWSPENDING is apart from AWSCURRENT, and every later rotation fails.',
    remedy: 'Take AWSPENDING from the stuck version with update-secret-version-stage, then rotate-secret.',
  },
  {
    id: 'secrets-manager.never-filled',
    severity: 'info',
    source: 'DescribeSecret: a secret without a value has no VersionIdsToStages',
    meaning: 'It was made and never given a value: whoever reads it gets ResourceNotFoundException.',
    remedy: 'Give it a value with put-secret-value, or delete it.',
  },
  {
    id: 'secrets-manager.replication-failed',
    severity: 'warning',
    source: 'DescribeSecret: ReplicationStatus, Status Failed',
    meaning: 'Its copy in another Region is not kept up to date: a rotation here is not one there.',
    remedy:
      'Replicate it again with replicate-secret-to-regions; the message of the status says what stood in the way.',
  },
  {
    id: 'secrets-manager.read-denied',
    severity: 'info',
    source: 'GetSecretValue: AccessDeniedException, where access is read',
    meaning: 'keyvigil itself may not read it, so nothing proves that it can be decrypted.',
    remedy: 'Allow secretsmanager:GetSecretValue on it and kms:Decrypt on its key, or set access to metadata.',
  },
];
