import type { AwsError } from '../errors.ts';
import { type Input, record, records, text } from '../input.ts';
import { asRole, keyFailure, secretFailure } from '../service-roles.ts';
import { type Call, denialText } from '../world.ts';
import { parseBuildspec } from './buildspec.ts';
import { parseReference, variableReferences } from './references.ts';

/** The phases of a build, in their order. */
export const PHASES = [
  ...([
    'SUBMITTED',
    'QUEUED',
    'PROVISIONING',
    'DOWNLOAD_SOURCE',
    'INSTALL',
    'PRE_BUILD',
    'BUILD',
    'POST_BUILD',
  ] as const),
  ...(['UPLOAD_ARTIFACTS', 'FINALIZING', 'COMPLETED'] as const),
];

/** One of the phases. */
export type PhaseName = (typeof PHASES)[number];

/** Where a build fails, and what its phase says about it. */
export type Failure = { readonly phase: PhaseName; readonly statusCode: string; readonly message: string };

/**
 * How a build with these fields (those of a project) will end, from the secrets and keys as they are now: the first failure, or
 * undefined. `id` is the build's own, which its role's session carries.
 */
export function failureOf(call: Call, fields: Input, id: string): Failure | undefined {
  const roleArn = text(fields, 'serviceRole') ?? '';
  const role = asRole(call, roleArn, 'codebuild.amazonaws.com', `AWSCodeBuild-${id}`);
  if (!role) {
    const message = denialText(call, 'sts:AssumeRole', roleArn, '');
    return { phase: 'SUBMITTED', statusCode: 'ACCESS_DENIED', message };
  }
  return registryFailure(role, fields) ?? sourceFailure(role, fields) ?? uploadFailure(role, fields);
}

function registryFailure(role: Call, fields: Input): Failure | undefined {
  const credential = record(record(fields, 'environment') ?? {}, 'registryCredential');
  const SecretId = credential && text(credential, 'credential');
  const error = SecretId === undefined ? undefined : secretFailure(role, { SecretId });
  return (
    error && {
      phase: 'PROVISIONING',
      statusCode: 'BUILD_CONTAINER_UNABLE_TO_PULL_IMAGE',
      message: `Unable to pull customer's container image. ${told(role, error)}`,
    }
  );
}

function sourceFailure(role: Call, fields: Input): Failure | undefined {
  const phase = 'DOWNLOAD_SOURCE';
  const buildspec = parseBuildspec(text(record(fields, 'source') ?? {}, 'buildspec') ?? '');
  if (!buildspec.ok) return { phase, statusCode: 'YAML_FILE_ERROR', message: 'The buildspec is not valid YAML' };
  for (const reference of [...variableReferences(fields), ...buildspec.secrets]) {
    const error = secretFailure(role, parseReference(reference));
    if (error) return { phase, statusCode: 'Secrets Manager Error', message: told(role, error) };
  }
  return undefined;
}

/** Artifacts go to S3 under the build's key, unless their encryption is switched off. */
function uploadFailure(role: Call, fields: Input): Failure | undefined {
  const artifacts = [record(fields, 'artifacts') ?? {}, ...(records(fields, 'secondaryArtifacts') ?? [])];
  const sealed = artifacts.some(({ type, encryptionDisabled }) => type === 'S3' && encryptionDisabled !== true);
  const key = text(fields, 'encryptionKey');
  const error = sealed && key !== undefined ? keyFailure(role, key) : undefined;
  if (!error) return undefined;
  const message = `Failed to upload artifacts: KMS.${error.code}: ${error.message}`;
  return { phase: 'UPLOAD_ARTIFACTS', statusCode: 'CLIENT_ERROR', message };
}

/** As the agent of CodeBuild prints an error of a service. */
function told(call: Call, error: AwsError): string {
  const details = `status code: ${error.status}, request id: ${call.world.random.uuid()}`;
  return `${error.code}: ${error.message}\n\t${details}`;
}
