import type { KeyFacts } from '../../../core/model.ts';
import type { KeyReason } from '../../../core/reasons.ts';
import { awsCommand } from '../arn.ts';

/** The exact command that undoes `reason` for this secret, where one does. */
export function remedy(reason: KeyReason, facts: KeyFacts): string | undefined {
  switch (reason) {
    case 'pending_deletion':
      return command(facts, 'restore-secret');
    case 'no_current_version': {
      const last = facts.previousVersion?.id;
      if (last === undefined) return undefined;
      return command(
        facts,
        'update-secret-version-stage',
        '--version-stage',
        'AWSCURRENT',
        '--move-to-version-id',
        last,
      );
    }
    default:
      // A refused decryption is undone at the KMS key, a purge by nothing.
      return undefined;
  }
}

/** An AWS CLI command about this very secret. */
export function command(facts: KeyFacts, name: string, ...options: readonly string[]): string {
  return awsCommand(facts.location, 'secretsmanager', name, '--secret-id', facts.resource, ...options);
}
