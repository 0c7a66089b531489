/**
 * What the last builds of a project tell of its keys. Pure. A build quotes commands, values and logs: what is kept of it is
 * whether a key failed it, the code of that error and the ARN of a secret.
 */
import type { Build, PhaseContext } from '@aws-sdk/client-codebuild';
import { instant, present } from '../../look.ts';
import { type Home, parseArn } from '../arn.ts';
import { secretReference } from './references.ts';

/** What the newest build that tells anything says. */
export interface BuildNews {
  /** The code of the error that a key or secret failed it with: `AccessDeniedException`; absent: none did. */
  readonly error?: string;
  /** ARN of the secret that the error names; without its random suffix where it only has the name. */
  readonly key?: string;
  /** When that build ended, or began if it goes on, ms. */
  readonly at?: number;
}

/** One build, reduced. */
export interface SeenBuild extends BuildNews {
  readonly project: string;
  readonly number: number;
  /** Whether it came far enough to show that its keys work, or failed for one of them. */
  readonly tells: boolean;
}

/** As `phases[].contexts[].statusCode` spells it (aws.md 4.2). */
const SECRETS_ERROR = 'Secrets Manager Error';
const SECRET_ARN = /\barn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@!-]+/;
/** "is not authorized to perform: secretsmanager:GetSecretValue on resource: prod/db because …": as it was asked for. */
const ON_RESOURCE = /\bsecretsmanager:\w+ on resource: ([\w/+=.@!-]+)(?:\s|$)/;

export function seenBuild(build: Build): SeenBuild {
  const { arn, projectName, buildNumber, buildComplete, endTime, startTime, phases } = build;
  const contexts = (phases ?? []).flatMap((phase) => phase.contexts ?? []);
  const failures = contexts.flatMap((context) => failureOf(context, parseArn(arn ?? '')) ?? []);
  const fetched = phases?.some(
    ({ phaseType, phaseStatus }) => phaseType === 'DOWNLOAD_SOURCE' && phaseStatus === 'SUCCEEDED',
  );
  const [failure] = failures;
  return {
    project: projectName ?? '',
    number: buildNumber ?? 0,
    tells: failure !== undefined || (buildComplete === true && fetched === true),
    ...(failure && { ...failure, ...present({ at: instant(endTime) ?? instant(startTime) }) }),
  };
}

function failureOf(
  { statusCode, message = '' }: PhaseContext,
  home: Home | undefined,
): { error: string; key?: string } | undefined {
  if (statusCode === SECRETS_ERROR) {
    const error = /^\s*(\w{1,60})(?=:)/.exec(message)?.[1] ?? 'unknown';
    return { error, ...present({ key: SECRET_ARN.exec(message)?.[0] ?? namedBy(message, home) }) };
  }
  // An upload that S3 refuses because of the key quotes the error of KMS.
  const refused = /\bKMS\.(\w{1,50}Exception)\b/.exec(message)?.[0];
  return refused === undefined ? undefined : { error: refused };
}

function namedBy(message: string, home: Home | undefined): string | undefined {
  const name = ON_RESOURCE.exec(message)?.[1];
  return home && name !== undefined ? secretReference(name, home)?.resource : undefined;
}

/** News of each project by its name; a project none of whose builds tells anything has none. */
export function newsOf(builds: readonly SeenBuild[]): ReadonlyMap<string, BuildNews> {
  const newest = new Map<string, SeenBuild>();
  for (const build of builds) {
    if (build.tells && build.number >= (newest.get(build.project)?.number ?? 0)) newest.set(build.project, build);
  }
  return new Map([...newest].map(([project, { error, key, at }]) => [project, present({ error, key, at })]));
}
