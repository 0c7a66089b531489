import { type Input, record, records, text } from '../input.ts';
import type { SecretRead } from '../service-roles.ts';

/**
 * Reads `secret-id[:json-key[:version-stage[:version-id]]]`; the id may be a name or an ARN, whose own colons count. What is
 * between colons may be empty.
 */
export function parseReference(reference: string): SecretRead {
  const fields = reference.split(':');
  const isArn = fields[0] === 'arn';
  const SecretId = isArn ? fields.slice(0, 7).join(':') : (fields[0] ?? '');
  const [, stage = '', version = ''] = fields.slice(isArn ? 7 : 1);
  return {
    SecretId,
    ...(stage !== '' && { VersionStage: stage }),
    ...(version !== '' && { VersionId: version }),
  };
}

/** The references of the environment variables of a project or build. */
export function variableReferences(fields: Input): readonly string[] {
  const environment = record(fields, 'environment') ?? {};
  const variables = records(environment, 'environmentVariables') ?? [];
  const secrets = variables.filter((variable) => variable.type === 'SECRETS_MANAGER');
  return secrets.map((variable) => text(variable, 'value')).filter((value) => value !== undefined);
}
