/** AWS CLI commands about the keys of a flow. */
import { type Arn, awsCommand } from '../arn.ts';
import type { Edge } from './edge.ts';

/** Stands where only the command before it tells the ARN. */
const NEW_SECRET = 'ARN_OF_THE_NEW_SECRET';

/** Puts the key into a new secret beside the flow, and the flow onto that. */
export function newSecret(edge: Edge): string {
  const name = secretName(edge.arn);
  const region = edge.flow.location;
  const create = awsCommand(region, 'secretsmanager', 'create-secret', '--name', name, '--secret-string', 'file://key');
  return `${create} && ${useSecret(edge, NEW_SECRET)}`;
}

/** Puts the flow onto another secret and leaves everything else of this use as it is. */
export function useSecret(edge: Edge, secretArn: string): string {
  return setEncryption(edge, { SecretArn: secretArn });
}

/** Sets this use anew: what is told of it, with these changes; undefined takes a field away. */
export function setEncryption(edge: Edge, changes: Readonly<Record<string, string | undefined>>): string {
  const { use, told, flow } = edge;
  const isTransit = use.role === 'transit-encryption';
  const kind = kindOf(edge);
  const speke = told.keyType === 'speke';
  const fields = speke
    ? {
        Url: use.resource,
        Region: told.spekeRegion,
        ResourceId: told.resourceId,
        DeviceId: told.deviceId,
        // Never kept: whoever runs the command has to put it in again.
        ConstantInitializationVector: told.hasIv === true ? 'THE_INITIALIZATION_VECTOR' : undefined,
      }
    : { SecretArn: use.resource };
  const known = isTransit ? {} : { Algorithm: told.algorithm, KeyType: told.keyType };
  const encryption = { ...known, ...fields, RoleArn: told.roleArn, ...changes };
  const [option, value] = isTransit
    ? [`--router-integration-transit-${kind === 'source' ? 'decryption' : 'encryption'}`, transit(encryption)]
    : [kind === 'source' ? '--decryption' : '--encryption', encryption];
  const which = [`--${kind}-arn`, String(told.partArn ?? `ARN_OF_${kind.toUpperCase()}`)];
  const command = ['mediaconnect', `update-flow-${kind}`, '--flow-arn', flow.resource, ...which];
  return awsCommand(flow.location, ...command, option, JSON.stringify(value));
}

/** A command about the secret, where it lives; a copy in another Region is changed where it was copied from. */
export function aboutSecret({ arn, secret, use }: Edge, name: string, ...options: readonly string[]): string {
  const primary = secret?.attributes.primaryRegion;
  const region = typeof primary === 'string' ? primary : (arn?.region ?? '');
  const resource = arn ? inRegion(arn, region) : use.resource;
  return awsCommand(region, 'secretsmanager', name, '--secret-id', resource, ...options);
}

/** The same resource in another Region: a copy of a secret has the ARN of the original but for the Region. */
export function inRegion({ partition, service, account, resource }: Arn, region: string): string {
  return `arn:${partition}:${service}:${region}:${account}:${resource}`;
}

/** Name of a secret by its ARN, without the six characters that AWS adds. */
export function secretName(arn: Arn | undefined): string {
  return (arn?.resource ?? '').replace(/^secret:/, '').replace(/-[A-Za-z0-9]{6}$/, '') || 'NAME';
}

function transit(encryption: Readonly<Record<string, unknown>>) {
  return { EncryptionKeyType: 'SECRETS_MANAGER', EncryptionKeyConfiguration: { SecretsManager: encryption } };
}

function kindOf({ use, told }: Edge): 'source' | 'output' | 'entitlement' {
  if (use.role === 'source-decryption' || /:source:/.test(String(told.partArn))) return 'source';
  return use.role === 'entitlement-encryption' ? 'entitlement' : 'output';
}
