import { AwsError } from '../errors.ts';
import { type Input, isRecord, text } from '../input.ts';
import { type Call, type Operations, partitionOf, type World } from '../world.ts';
import { parsePolicy } from './policy.ts';

/** A role as IAM knows it. */
export type IamRole = {
  readonly arn: string;
  readonly name: string;
  readonly path: string;
  readonly roleId: string;
  readonly createdAt: number;
  /** JSON */
  readonly trust: string;
  /** Inline policies by name, each as JSON. */
  readonly policies: ReadonlyMap<string, string>;
};

/** Roles by account and name: there is one of a name, whatever its path. Every region sees the same. */
export type IamRoles = Map<string, IamRole>;

export const roleOperations: Operations = {
  CreateRole,
  GetRole,
  DeleteRole,
  UpdateAssumeRolePolicy,
  PutRolePolicy,
  GetRolePolicy,
  ListRolePolicies,
  DeleteRolePolicy,
};

/** An error of IAM. */
export function iamError(code: string, message: string, status = 400): AwsError {
  return new AwsError(code, message, 'Message', status);
}

/** A text that must be there. */
export function need(input: Input, name: string): string {
  const value = text(input, name);
  if (value) return value;
  const field = name.slice(0, 1).toLowerCase() + name.slice(1);
  throw iamError(
    'ValidationError',
    `1 validation error detected: Value null at '${field}' failed to satisfy constraint: Member must not be null`,
  );
}

function keyOf(account: string, name: string): string {
  return `${account}/${name}`;
}

/** The role of this name in the account, throws NoSuchEntity where there is none. */
export function resolveRole({ world, account }: Pick<Call, 'world' | 'account'>, name: string): IamRole {
  const role = world.iamRoles.get(keyOf(account, name)) ?? scriptedRole(world, account, name);
  if (role) return role;
  throw iamError('NoSuchEntity', `The role with name ${name} cannot be found.`, 404);
}

/** A role that a script of the sandbox made: it trusts whom the script said and may do everything that is not denied. */
function scriptedRole(world: World, account: string, name: string): IamRole | undefined {
  const role = [...world.roles.values()].find((one) => one.account === account && one.name === name);
  if (!role) return undefined;
  const partition = role.arn.split(':')[1] ?? 'aws';
  const accounts = role.trusts?.map((id) => `arn:${partition}:iam::${id}:root`) ?? '*';
  const principal = { AWS: accounts, Service: role.services ?? ACTING_SERVICES };
  const trust = { Effect: 'Allow', Principal: principal, Action: 'sts:AssumeRole' };
  return {
    arn: role.arn,
    name,
    path: '/',
    roleId: role.roleId,
    createdAt: 0,
    trust: JSON.stringify({ Version: '2012-10-17', Statement: [trust] }),
    policies: new Map([['Everything', ALLOW_ALL]]),
  };
}

/** The services that act as roles here. */
const ACTING_SERVICES = ['codebuild.amazonaws.com', 'mediaconnect.amazonaws.com'];

const ALLOW_ALL = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }],
});

/** What a denial of an IAM call can hit, and what AWS names in its text: `role NAME` for a name, an ARN as it was given. */
export function iamResource(
  { world, account }: Call,
  named: string | undefined,
): { readonly shown: string | undefined; readonly all: readonly string[] } {
  if (named === undefined) return { shown: undefined, all: ['*'] };
  if (named.startsWith('arn:')) return { shown: named, all: [named] };
  const arn = (world.iamRoles.get(keyOf(account, named)) ?? scriptedRole(world, account, named))?.arn;
  return { shown: `role ${named}`, all: arn === undefined ? [named] : [named, arn] };
}

/** Keeps a role, and lets the services that it trusts act as it. */
function save({ world, account }: Call, role: IamRole): void {
  world.iamRoles.set(keyOf(account, role.name), role);
  const { arn, name, roleId } = role;
  const known = world.roles.get(arn) ?? { arn, account, name, roleId, externalId: undefined, trusts: [] };
  world.roles.set(arn, { ...known, services: ACTING_SERVICES.filter((service) => lets(role.trust, service)) });
}

function lets(trust: string, service: string): boolean {
  const statements = parsePolicy(trust) ?? [];
  return statements.some(({ Effect, Principal, Condition }) => {
    const named = isRecord(Principal) ? Principal.Service : undefined;
    return Effect === 'Allow' && Condition === undefined && [named].flat().includes(service);
  });
}

function policyDocument(input: Input, name: string): string {
  const document = need(input, name);
  if (parsePolicy(document)) return document;
  throw iamError('MalformedPolicyDocument', 'Syntax errors in policy.');
}

/** RFC 3986, as IAM writes policy documents into its answers. */
function encoded(document: string): string {
  return encodeURIComponent(document).replaceAll(
    /[!'()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function isoSeconds(at: number): string {
  return new Date(at).toISOString().replace(/\.\d{3}Z$/, 'Z');
}

function roleView(role: IamRole) {
  return {
    Path: role.path,
    RoleName: role.name,
    RoleId: role.roleId,
    Arn: role.arn,
    CreateDate: isoSeconds(role.createdAt),
    AssumeRolePolicyDocument: encoded(role.trust),
    MaxSessionDuration: 3600,
  };
}

function CreateRole(call: Call) {
  const { input, world, account, region, now } = call;
  const name = need(input, 'RoleName');
  const path = text(input, 'Path') ?? '/';
  const trust = policyDocument(input, 'AssumeRolePolicyDocument');
  if (!/^[\w+=,.@-]{1,64}$/.test(name)) {
    throw iamError('ValidationError', 'The specified value for roleName is invalid.');
  }
  if (!/^\/$|^\/[!-~]{1,510}\/$/.test(path)) {
    throw iamError('ValidationError', 'The specified value for path is invalid. It must begin and end with /.');
  }
  if (world.iamRoles.has(keyOf(account, name)) || scriptedRole(world, account, name)) {
    throw iamError('EntityAlreadyExists', `Role with name ${name} already exists.`, 409);
  }
  const role: IamRole = {
    arn: `arn:${partitionOf(region)}:iam::${account}:role${path}${name}`,
    name,
    path,
    roleId: `AROA${world.random.pick(17, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567')}`,
    createdAt: now,
    trust,
    policies: new Map(),
  };
  save(call, role);
  return { Role: roleView(role) };
}

function GetRole(call: Call) {
  return { Role: { ...roleView(resolveRole(call, need(call.input, 'RoleName'))), RoleLastUsed: {} } };
}

function DeleteRole(call: Call) {
  const role = resolveRole(call, need(call.input, 'RoleName'));
  if (role.policies.size > 0 && call.world.iamRoles.has(keyOf(call.account, role.name))) {
    throw iamError('DeleteConflict', 'Cannot delete entity, must delete policies first.', 409);
  }
  call.world.iamRoles.delete(keyOf(call.account, role.name));
  call.world.roles.delete(role.arn);
  return {};
}

function UpdateAssumeRolePolicy(call: Call) {
  const role = resolveRole(call, need(call.input, 'RoleName'));
  save(call, { ...role, trust: policyDocument(call.input, 'PolicyDocument') });
  return {};
}

function PutRolePolicy(call: Call) {
  const role = resolveRole(call, need(call.input, 'RoleName'));
  const name = need(call.input, 'PolicyName');
  const document = policyDocument(call.input, 'PolicyDocument');
  save(call, { ...role, policies: new Map([...role.policies, [name, document]]) });
  return {};
}

/** The inline policy that a request names. */
function namedPolicy(call: Call): { readonly role: IamRole; readonly name: string; readonly document: string } {
  const role = resolveRole(call, need(call.input, 'RoleName'));
  const name = need(call.input, 'PolicyName');
  const document = role.policies.get(name);
  if (document !== undefined) return { role, name, document };
  throw iamError('NoSuchEntity', `The role policy with name ${name} cannot be found.`, 404);
}

function GetRolePolicy(call: Call) {
  const { role, name, document } = namedPolicy(call);
  return { RoleName: role.name, PolicyName: name, PolicyDocument: encoded(document) };
}

function ListRolePolicies(call: Call) {
  const { policies } = resolveRole(call, need(call.input, 'RoleName'));
  return { PolicyNames: [...policies.keys()].toSorted(), IsTruncated: false };
}

function DeleteRolePolicy(call: Call) {
  const { role, name } = namedPolicy(call);
  save(call, { ...role, policies: new Map([...role.policies].filter(([known]) => known !== name)) });
  return {};
}
