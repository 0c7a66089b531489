/** What gives a role what it lacks: exact commands that take nothing away that others need. Pure. */
import { createHash } from 'node:crypto';
import { shellCommand } from '../../shell.ts';
import { awsCommand, parseArn } from '../arn.ts';
import { servicePrincipal } from './trust.ts';
import type { Denier } from './words.ts';

/** One thing that a role may not do. */
export interface Lack {
  /** ARN. */
  readonly role: string;
  /** ARN. */
  readonly resource: string;
  readonly actions: readonly string[];
  readonly by: Denier;
  readonly explicit: boolean;
}

type Statement = Readonly<Record<string, unknown>>;

/** The name of a role is the last part of its ARN, whatever its path. */
export function roleName(role: string): string {
  return role.slice(role.lastIndexOf('/') + 1);
}

function documentOf(...statements: readonly Statement[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: statements });
}

function trustOf(service: string): Statement {
  return { Effect: 'Allow', Principal: { Service: servicePrincipal(service) }, Action: 'sts:AssumeRole' };
}

/** Adds a statement to the policy that a command prints. There may be one statement without a list around it. */
function adding(print: string, statement: Statement): string {
  const program = `.Statement = ([.Statement] | flatten) + [${JSON.stringify(statement)}]`;
  return `"$(${print} | ${shellCommand('jq', '-c', program)})"`;
}

/** Makes the role, with the trust that its service needs and nothing else. */
export function createRole(region: string, role: string, service: string): string {
  const path = parseArn(role)?.resource.slice('role'.length, -roleName(role).length) ?? '/';
  const trust = ['--assume-role-policy-document', documentOf(trustOf(service))];
  return awsCommand(region, 'iam', 'create-role', '--role-name', roleName(role), '--path', path, ...trust);
}

/** Adds the service to those that the role trusts. */
export function trustService(region: string, role: string, service: string): string {
  const name = ['--role-name', roleName(role)];
  const query = ['--query', 'Role.AssumeRolePolicyDocument', '--output', 'json'];
  const print = awsCommand(region, 'iam', 'get-role', ...name, ...query);
  return `${awsCommand(region, 'iam', 'update-assume-role-policy', ...name)} --policy-document ${adding(print, trustOf(service))}`;
}

/** Shows the trust policy, in which a statement denies the service. */
export function showTrust(region: string, role: string): string {
  const show = awsCommand(
    region,
    'iam',
    'get-role',
    '--role-name',
    roleName(role),
    '--query',
    'Role.AssumeRolePolicyDocument',
  );
  return `Take the statement that denies it out of the trust policy: ${show}`;
}

/** What lets the role do it, or shows what stands in the way where only people can decide. */
export function permit(region: string, lack: Lack): string {
  const { role, by, explicit } = lack;
  if (by === 'organization') {
    const account = parseArn(role)?.account ?? '';
    const target = ['--target-id', account, '--filter', 'SERVICE_CONTROL_POLICY'];
    return `A policy of the organization stands against it: ${awsCommand(region, 'organizations', 'list-policies-for-target', ...target)}`;
  }
  if (by === 'resource') return explicit ? showPolicy(region, lack) : allowInPolicy(region, lack);
  if (explicit) {
    const asked = ['--action-names', ...lack.actions, '--resource-arns', lack.resource];
    const query = ['--query', 'EvaluationResults[].MatchedStatements[]'];
    const show = awsCommand(
      region,
      'iam',
      'simulate-principal-policy',
      '--policy-source-arn',
      role,
      ...asked,
      ...query,
    );
    return `Take out the statement that denies it: ${show}`;
  }
  if (by === 'boundary') {
    const show = awsCommand(
      region,
      'iam',
      'get-role',
      '--role-name',
      roleName(role),
      '--query',
      'Role.PermissionsBoundary',
    );
    return `Let its permissions boundary allow it: ${show}`;
  }
  return allowRole(region, lack);
}

/**
 * A policy of its own for what is missing. Its name follows from what is in it: putting it replaces no other policy of the
 * role, and putting it twice changes nothing.
 */
function allowRole(region: string, { role, actions, resource }: Lack): string {
  const document = documentOf({ Effect: 'Allow', Action: actions, Resource: resource });
  const name = `keyvigil-${createHash('sha256').update(document).digest('hex').slice(0, 12)}`;
  const policy = ['--policy-name', name, '--policy-document', document];
  return awsCommand(region, 'iam', 'put-role-policy', '--role-name', roleName(role), ...policy);
}

function printPolicy({ resource }: Lack): string {
  const { service, region = '' } = parseArn(resource) ?? {};
  return service === 'kms'
    ? awsCommand(region, 'kms', 'get-key-policy', '--key-id', resource, '--policy-name', 'default', '--output', 'text')
    : awsCommand(region, 'secretsmanager', 'get-resource-policy', '--secret-id', resource, '--output', 'json');
}

function showPolicy(_region: string, lack: Lack): string {
  return `Take the statement that denies it out of the policy of ${isKey(lack) ? 'the key' : 'the secret'}: ${printPolicy(lack)}`;
}

function allowInPolicy(_region: string, lack: Lack): string {
  const { role, actions, resource } = lack;
  const { region = '' } = parseArn(resource) ?? {};
  const statement = { Effect: 'Allow', Principal: { AWS: role }, Action: actions, Resource: '*' };
  if (isKey(lack)) {
    const put = awsCommand(region, 'kms', 'put-key-policy', '--key-id', resource, '--policy-name', 'default');
    return `${put} --policy ${adding(printPolicy(lack), statement)}`;
  }
  // Most secrets have no policy of their own.
  const empty = JSON.stringify(documentOf());
  const none = shellCommand('jq', '-c', `(.ResourcePolicy // ${empty}) | fromjson`);
  const put = awsCommand(region, 'secretsmanager', 'put-resource-policy', '--secret-id', resource);
  return `${put} --resource-policy ${adding(`${printPolicy(lack)} | ${none}`, statement)}`;
}

function isKey({ resource }: Lack): boolean {
  return parseArn(resource)?.service === 'kms';
}
