import type { KeyFacts } from '../../../core/model.ts';
import type { KeyReason } from '../../../core/reasons.ts';
import { awsCommand, customerKeyArn, parseArn } from '../arn.ts';

/** The exact command that undoes `reason` for this secret, where one does. */
export function remedy(reason: KeyReason, facts: KeyFacts): string | undefined {
  switch (reason) {
    case 'pending_deletion':
      return command(facts, 'restore-secret');
    case 'no_current_version':
      return labelAgain(facts);
    case 'not_found':
      return makeAgain(facts);
    case 'decrypt_failed':
      return enableKey(facts);
    default:
      return undefined;
  }
}

function labelAgain(facts: KeyFacts): string {
  const last = facts.previousVersion?.id;
  // Without a version to go back to only a new value helps.
  if (last === undefined) return command(facts, 'put-secret-value', '--secret-string', 'file://value');
  const stage = ['--version-stage', 'AWSCURRENT', '--move-to-version-id', last];
  return command(facts, 'update-secret-version-stage', ...stage);
}

/** Nothing brings a secret back that is gone, except for a replica: its primary secret still has the value. */
function makeAgain(facts: KeyFacts): string {
  const { primaryRegion, kmsKeyId } = facts.attributes;
  if (typeof primaryRegion === 'string' && primaryRegion !== facts.location) {
    const primary = facts.resource.replace(`:${facts.location}:`, `:${primaryRegion}:`);
    const words = ['--secret-id', primary, '--add-replica-regions', `Region=${facts.location}`];
    return awsCommand(primaryRegion, 'secretsmanager', 'replicate-secret-to-regions', ...words);
  }
  const key = typeof kmsKeyId === 'string' ? ['--kms-key-id', kmsKeyId] : [];
  const words = ['create-secret', '--name', facts.name, ...key, '--secret-string', 'file://value'];
  return `It has another ARN once it is made again: ${awsCommand(facts.location, 'secretsmanager', ...words)}`;
}

/** What refuses to decrypt it is its KMS key; the state of that says which of the commands is the right one. */
function enableKey({ attributes, dependsOn, location, resource }: KeyFacts): string | undefined {
  const home = parseArn(resource);
  const configured = typeof attributes.kmsKeyId === 'string' ? attributes.kmsKeyId : undefined;
  const key = dependsOn[0]?.anyOf[0] ?? (home && customerKeyArn(configured, home));
  if (key === undefined) return undefined;
  // A key may be replicated or shared: its own ARN says where it is asked.
  const region = parseArn(key)?.region ?? location;
  const about = (name: string) => awsCommand(region, 'kms', name, '--key-id', key);
  return `${about('describe-key')} tells its state; if it is disabled: ${about('enable-key')}`;
}

/** An AWS CLI command about this very secret. */
export function command(facts: KeyFacts, name: string, ...options: readonly string[]): string {
  return awsCommand(facts.location, 'secretsmanager', name, '--secret-id', facts.resource, ...options);
}
