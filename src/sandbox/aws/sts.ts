import { AwsError, accessDenied } from './errors.ts';
import { needText, text, whole } from './input.ts';
import { type Call, denialText, type Operations, type Principal, partitionOf } from './world.ts';

/** Who am I, and becoming somebody else. */
export const stsOperations: Operations = { GetCallerIdentity, AssumeRole };

/** The longest session of a role, and of a role that was assumed by a role, in seconds. */
const MAX_SESSION_S = 43_200;
const MAX_CHAINED_S = 3_600;

function GetCallerIdentity(call: Call) {
  const { caller } = call;
  return {
    Arn: caller?.arn ?? `arn:${partitionOf(call.region)}:iam::${call.account}:root`,
    UserId: caller?.userId ?? call.account,
    Account: call.account,
  };
}

function AssumeRole(call: Call) {
  const { input, world, caller, now } = call;
  const roleArn = needText(input, 'RoleArn');
  const sessionName = needText(input, 'RoleSessionName');
  const duration = whole(input, 'DurationSeconds', 900, MAX_SESSION_S) ?? MAX_CHAINED_S;
  if (caller?.sessionToken !== undefined && duration > MAX_CHAINED_S) {
    throw new AwsError(
      'ValidationError',
      'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining',
      'Message',
    );
  }
  const role = world.roles.get(roleArn);
  const trusted = role && (role.trusts?.includes(call.account) ?? true);
  const proven = role?.externalId === undefined || role.externalId === text(input, 'ExternalId');
  // AWS does not tell a missing role, a missing trust and a wrong ExternalId apart.
  if (!role || !trusted || !proven) throw accessDenied('sts', denialText(call, 'sts:AssumeRole', roleArn, ''));
  const session: Principal = {
    account: role.account,
    arn: `arn:${partitionOf(call.region)}:sts::${role.account}:assumed-role/${role.name}/${sessionName}`,
    userId: `${role.roleId}:${sessionName}`,
    accessKeyId: `ASIA${world.random.pick(16, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567')}`,
    secretAccessKey: world.random.hex(40),
    role: role.arn,
    sessionToken: `IQoJb3JpZ2luX2Vj${world.random.hex(64)}`,
    expiresAt: now + duration * 1000,
  };
  world.principals.set(session.accessKeyId, session);
  return {
    Credentials: {
      AccessKeyId: session.accessKeyId,
      SecretAccessKey: session.secretAccessKey,
      SessionToken: session.sessionToken,
      Expiration: new Date(now + duration * 1000).toISOString().replace(/\.\d{3}Z$/, 'Z'),
    },
    AssumedRoleUser: { AssumedRoleId: session.userId, Arn: session.arn },
  };
}
