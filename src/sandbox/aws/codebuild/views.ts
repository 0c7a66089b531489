import { type Input, record } from '../input.ts';
import { type Call, partitionOf, seconds } from '../world.ts';
import type { Project } from './state.ts';

/** The key that a project has when it names none: the alias ARN of the AWS managed key of S3, as recordings show it. */
export function defaultKey(call: Pick<Call, 'account' | 'region'>): string {
  return `arn:${partitionOf(call.region)}:kms:${call.region}:${call.account}:alias/aws/s3`;
}

/** A project as every answer shows it: with what AWS fills in. */
export function projectView(call: Call, project: Project): Input {
  const { badgeEnabled, ...fields } = project.fields;
  const environment = record(fields, 'environment') ?? {};
  return {
    name: project.name,
    arn: project.arn,
    timeoutInMinutes: 60,
    queuedTimeoutInMinutes: 480,
    encryptionKey: defaultKey(call),
    cache: { type: 'NO_CACHE' },
    tags: [],
    projectVisibility: 'PRIVATE',
    ...fields,
    source: { gitCloneDepth: 1, insecureSsl: false, ...record(fields, 'source') },
    artifacts: { encryptionDisabled: false, ...record(fields, 'artifacts') },
    environment: {
      privilegedMode: false,
      imagePullCredentialsType: 'CODEBUILD',
      ...environment,
      environmentVariables: variables(environment),
    },
    created: seconds(project.createdAt),
    lastModified: seconds(project.changedAt),
    badge: { badgeEnabled: badgeEnabled === true },
  };
}

/** A variable without a type is plain text. */
function variables(environment: Input): readonly unknown[] {
  const given = environment.environmentVariables;
  return Array.isArray(given) ? given.map((variable) => ({ type: 'PLAINTEXT', ...variable })) : [];
}
