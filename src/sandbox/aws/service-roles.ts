import { AwsError, accessDenied } from './errors.ts';
import { resolveKey } from './kms/lookup.ts';
import { unusable } from './kms/state.ts';
import { readOperations } from './secrets/read.ts';
import { resolveSecret } from './secrets/state.ts';
import { type Call, denialText, partitionOf } from './world.ts';

/** The fields of GetSecretValue. */
export type SecretRead = { readonly SecretId: string; readonly VersionStage?: string; readonly VersionId?: string };

/**
 * The call with which a service acts as a role that was given to it, in the role's own account; undefined when there is no such
 * role or it does not trust the service (`mediaconnect.amazonaws.com`).
 */
export function asRole(call: Call, roleArn: string, service: string, session: string): Call | undefined {
  const role = call.world.roles.get(roleArn);
  if (!role || !(role.services?.includes(service) ?? true)) return undefined;
  const caller = {
    account: role.account,
    arn: `arn:${partitionOf(call.region)}:sts::${role.account}:assumed-role/${role.name}/${session}`,
    userId: `${role.roleId}:${session}`,
    accessKeyId: '',
    secretAccessKey: '',
    role: role.arn,
    sessionToken: undefined,
    expiresAt: undefined,
  };
  const store = call.world.store(role.account, call.region);
  return { ...call, caller, account: role.account, store, view: 'latest', paging: 'normal' };
}

/** Reads a secret's value as the role and forgets it; gives what Secrets Manager answers when it does not work. */
export function secretFailure(role: Call, read: SecretRead): AwsError | undefined {
  const call: Call = { ...role, service: 'secretsmanager', operation: 'GetSecretValue', input: read };
  try {
    refuseDenied(call, 'secretsmanager:GetSecretValue', read.SecretId, () => resolveSecret(call, read.SecretId).arn);
    readOperations.GetSecretValue?.(call);
    return undefined;
  } catch (error) {
    if (error instanceof AwsError) return error;
    throw error;
  }
}

/** Encrypts under a key as the role, and gives what KMS answers when it does not work. */
export function keyFailure(role: Call, keyId: string): AwsError | undefined {
  const call: Call = { ...role, service: 'kms', operation: 'GenerateDataKey', input: {} };
  try {
    const key = resolveKey(call, keyId);
    const action = 'kms:GenerateDataKey';
    refuseDenied(call, action, key.arn, () => key.arn);
    if (key.account === call.account || key.policy.includes(call.account)) return unusable(key, call.now);
    return accessDenied(
      'kms',
      denialText(call, action, key.arn, `no resource-based policy allows the ${action} action`),
    );
  } catch (error) {
    if (error instanceof AwsError) return error;
    throw error;
  }
}

/** IAM decides before the service looks; a denial may name the resource as it was asked for, or by its full ARN. */
function refuseDenied(call: Call, action: string, named: string, arn: () => string): void {
  let all = [named];
  try {
    all = [named, arn()];
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
  }
  const denial = call.world.denial(call, action, all);
  if (denial) throw accessDenied(call.service, denialText(call, action, named, denial.because));
}
