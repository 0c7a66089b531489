/** Commands that undo what a rule found. */
import type { ConsumerFacts } from '../../../core/model.ts';
import { awsCommand, parseArn } from '../arn.ts';
import { looksComplete } from '../secret-names.ts';

/** An AWS CLI command about this very project. */
export function command(project: ConsumerFacts, name: string, ...options: readonly string[]): string {
  return awsCommand(project.location, 'codebuild', name, ...options);
}

/** Parts of a project that `update-project` replaces whole, and its option for each. */
const PARTS = {
  environment: '--environment',
  artifacts: '--artifacts',
  secondaryArtifacts: '--secondary-artifacts',
  logsConfig: '--logs-config',
  source: '--source',
} as const;

/** How to change a field of a part: a part can only be replaced whole, so that it is fetched, edited and put back. */
export function edit(project: ConsumerFacts, part: keyof typeof PARTS, what: string): string {
  const file = `${part}.json`;
  const query = ['--names', project.name, '--query', `projects[0].${part}`, '--output', 'json'];
  const fetch = command(project, 'batch-get-projects', ...query);
  const put = command(project, 'update-project', '--name', project.name, PARTS[part], `file://${file}`);
  return `${fetch} > ${file}; in that file ${what}; ${put}`;
}

/** An AWS CLI command about a secret, in the Region where that is. */
export function secretCommand(arn: string, name: string, ...options: readonly string[]): string {
  return awsCommand(parseArn(arn)?.region ?? '', 'secretsmanager', name, '--secret-id', arn, ...options);
}

/** Lets the role of a project read a secret; undefined where the project has no role that can be named. */
export function allowRead(project: ConsumerFacts, secret: string): string | undefined {
  const role = /:role\/(?:.*\/)?([^/]+)$/.exec(String(project.attributes.serviceRole ?? ''))?.[1];
  if (role === undefined) return undefined;
  // A policy needs the complete ARN, or a wildcard for each of the six random characters.
  const Resource = looksComplete(secret) ? secret : `${secret}-??????`;
  const Statement = [{ Effect: 'Allow', Action: 'secretsmanager:GetSecretValue', Resource }];
  const policy = JSON.stringify({ Version: '2012-10-17', Statement });
  const options = ['--role-name', role, '--policy-name', 'read-secret', '--policy-document', policy];
  return awsCommand(project.location, 'iam', 'put-role-policy', ...options);
}
