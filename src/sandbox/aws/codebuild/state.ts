import { AwsError } from '../errors.ts';
import type { Input } from '../input.ts';
import { type Call, partitionOf } from '../world.ts';

/** A project, immutable: a change makes a new value. */
export type Project = {
  readonly name: string;
  readonly arn: string;
  readonly createdAt: number;
  readonly changedAt: number;
  /** The fields of CreateProject, as the API took them. */
  readonly fields: Input;
};

/** InvalidInputException: the request itself is wrong. */
export function invalidInput(message: string): AwsError {
  return new AwsError('InvalidInputException', message, 'message');
}

/** ResourceNotFoundException. */
export function notFound(message: string): AwsError {
  return new AwsError('ResourceNotFoundException', message, 'message');
}

/** The ARN of a project of the caller. */
export function projectArn(call: Pick<Call, 'account' | 'region'>, name: string): string {
  return `arn:${partitionOf(call.region)}:codebuild:${call.region}:${call.account}:project/${name}`;
}

/** The caller's project that a name or an ARN names; undefined when there is none. Projects of others are not shared here. */
export function findProject(call: Call, id: string): Project | undefined {
  const prefix = projectArn(call, '');
  const name = id.startsWith(prefix) ? id.slice(prefix.length) : id;
  return call.store.projects.get(name, call.view);
}

/** The names by which a denial can hit a CodeBuild call, and the one that its text names. */
export function projectResource(call: Call): { readonly shown: string; readonly all: readonly string[] } {
  const { name, projectName, names } = call.input;
  const first = name ?? projectName ?? (Array.isArray(names) ? names[0] : undefined);
  if (typeof first !== 'string') return { shown: projectArn(call, '*'), all: ['*', projectArn(call, '*')] };
  const arn = first.startsWith('arn:') ? first : projectArn(call, first);
  return { shown: arn, all: [arn, first] };
}
