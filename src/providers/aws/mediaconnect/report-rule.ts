/** What MediaConnect says of a key, and what that proves. */
import type { KeyFacts } from '../../../core/model.ts';
import { visible } from '../../../core/text.ts';
import { awsCommand, parseArn } from '../arn.ts';
import type { Edge, Rule } from './edge.ts';

/** What the role of a flow needs on its secret (user guide, "Setting up static key encryption", step 2). */
const ON_SECRET = ['GetResourcePolicy', 'GetSecretValue', 'DescribeSecret', 'ListSecretVersionIds'].map(
  (action) => `secretsmanager:${action}`,
);

/**
 * A refusal is the loss of the flow's own access only where everything else is known to be in order: MediaConnect says
 * "Permission denied" of a secret whose KMS key is disabled too, and of one that is gone.
 */
export function reported(edge: Edge): ReturnType<Rule> {
  const { reported: kind, reportedText } = edge.told;
  if (kind === undefined) return undefined;
  const revoked = kind === 'denied' && isKnownToWork(edge);
  return {
    rule: 'mediaconnect.reported',
    said: `MediaConnect says: "${visible(String(reportedText)).replace(/\.$/, '')}"`,
    remedy: kind === 'denied' ? allow(edge) : 'Compare the key, its type and the algorithm at both ends.',
    impairs: revoked ? 'access_revoked' : 'reported_by_service',
  };
}

/** The secret has a current value, and every KMS key that could decrypt it is watched and enabled, or is the default key. */
function isKnownToWork({ secret, protectors }: Edge): boolean {
  if (secret?.state !== 'Active' || secret.attributes.readResult === 'decrypt_failed') return false;
  return protectors.every(({ facts }) => isEnabled(facts));
}

function isEnabled(key: KeyFacts | undefined): boolean {
  return key?.state === 'Enabled';
}

function allow({ use, told, flow, protectors }: Edge): string {
  const role = parseArn(String(told.roleArn ?? ''))
    ?.resource.split('/')
    .at(-1);
  const may = (Action: readonly string[], Resource: readonly string[]) => ({ Effect: 'Allow', Action, Resource });
  const keys = protectors.map(({ facts, name }) => facts?.resource ?? name);
  const Statement = [may(ON_SECRET, [use.resource]), ...(keys.length > 0 ? [may(['kms:Decrypt'], keys)] : [])];
  return awsCommand(
    flow.location,
    ...['iam', 'put-role-policy', '--role-name', role ?? 'ROLE', '--policy-name', 'mediaconnect-key'],
    ...['--policy-document', JSON.stringify({ Version: '2012-10-17', Statement })],
  );
}
