import { type Input, record } from '../input.ts';
import { type Call, partitionOf, seconds } from '../world.ts';
import type { Project } from './state.ts';

/** The key that a project has when it names none: the alias ARN of the AWS managed key of S3, as recordings show it. */
function defaultKey(call: Pick<Call, 'account' | 'region'>): string {
  return `arn:${partitionOf(call.region)}:kms:${call.region}:${call.account}:alias/aws/s3`;
}

/** A project as every answer shows it. */
export function projectView(call: Call, project: Project): Input {
  return {
    name: project.name,
    arn: project.arn,
    ...settingsView(call, project.fields),
    created: seconds(project.createdAt),
    lastModified: seconds(project.changedAt),
    badge: { badgeEnabled: project.fields.badgeEnabled === true },
    projectVisibility: 'PRIVATE',
  };
}

/** What a project and its builds show alike, with what AWS fills in. */
export function settingsView(call: Call, given: Input): Input {
  const { badgeEnabled: _badge, ...fields } = given;
  const environment = record(fields, 'environment') ?? {};
  return {
    timeoutInMinutes: 60,
    queuedTimeoutInMinutes: 480,
    cache: { type: 'NO_CACHE' },
    encryptionKey: defaultKey(call),
    tags: [],
    ...fields,
    source: { insecureSsl: false, ...record(fields, 'source') },
    artifacts: artifactsView(record(fields, 'artifacts') ?? {}),
    environment: {
      privilegedMode: false,
      imagePullCredentialsType: 'CODEBUILD',
      ...environment,
      environmentVariables: variables(environment),
    },
  };
}

/** Only artifacts that go to S3 say whether they are encrypted; recordings of others do not. */
function artifactsView(artifacts: Input): Input {
  return artifacts.type === 'S3' ? { encryptionDisabled: false, ...artifacts } : artifacts;
}

/** A variable without a type is plain text. */
function variables(environment: Input): readonly unknown[] {
  const given = environment.environmentVariables;
  return Array.isArray(given) ? given.map((variable) => ({ type: 'PLAINTEXT', ...variable })) : [];
}
