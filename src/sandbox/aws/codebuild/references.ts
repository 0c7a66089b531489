import { parse } from 'yaml';
import { type Input, isRecord, record, records, text } from '../input.ts';
import type { SecretRead } from '../service-roles.ts';

/** A secret that a build reads before its commands run. */
export type SecretReference = SecretRead;

/**
 * Reads `secret-id[:json-key[:version-stage[:version-id]]]`; the id may be a name or an ARN, whose own colons count. What is
 * between colons may be empty.
 */
export function parseReference(reference: string): SecretReference {
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

/** What a buildspec says that matters here: the secrets of `env`, or that it is no YAML. */
export type Buildspec = { readonly ok: true; readonly secrets: readonly string[] } | { readonly ok: false };

/** Reads an inline buildspec. One without a line break names a file of the source, which is not imitated: it has no secrets. */
export function parseBuildspec(buildspec: string): Buildspec {
  if (!buildspec.includes('\n')) return { ok: true, secrets: [] };
  try {
    const document: unknown = parse(buildspec);
    if (!isRecord(document)) return { ok: false };
    const env = isRecord(document.env) ? document.env : {};
    const secrets = isRecord(env['secrets-manager']) ? Object.values(env['secrets-manager']) : [];
    return { ok: true, secrets: secrets.filter((value) => typeof value === 'string') };
  } catch {
    return { ok: false };
  }
}

/** The references of the environment variables of a project or build. */
export function variableReferences(fields: Input): readonly string[] {
  const environment = record(fields, 'environment') ?? {};
  const variables = records(environment, 'environmentVariables') ?? [];
  const secrets = variables.filter((variable) => variable.type === 'SECRETS_MANAGER');
  return secrets.map((variable) => text(variable, 'value')).filter((value) => value !== undefined);
}
