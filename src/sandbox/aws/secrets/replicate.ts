import { secretsError } from '../errors.ts';
import { type Input, needText, records, text, texts } from '../input.ts';
import type { Call, Operations } from '../world.ts';
import { encryptionKey } from './keys.ts';
import { changeableSecret, findSecret, type Replica, type Secret, saveSecret, secretArn } from './state.ts';
import { replicationStatus } from './views.ts';

/** Copies of a secret in other regions. */
export const replicationOperations: Operations = { ReplicateSecretToRegions, RemoveRegionsFromReplication };

function ReplicateSecretToRegions(call: Call) {
  const secret = changeableSecret(call, needText(call.input, 'SecretId'));
  const saved = addReplicas(call, secret, records(call.input, 'AddReplicaRegions') ?? []);
  return { ARN: saved.arn, ReplicationStatus: replicationStatus(saved) };
}

/** Replicates to each of the regions (`{Region, KmsKeyId?}`) and gives the primary as it is afterwards. */
export function addReplicas(call: Call, secret: Secret, regions: readonly Input[]): Secret {
  if (regions.length === 0) return secret;
  const added = regions.map((region) => replicate(call, secret, region));
  const kept = secret.replicas.filter((replica) => !added.some((other) => other.region === replica.region));
  return saveSecret(call, { ...secret, primaryRegion: secret.region, replicas: [...kept, ...added] });
}

function replicate(call: Call, secret: Secret, wanted: Input): Replica {
  const region = needText(wanted, 'Region');
  if (region === secret.region) {
    throw secretsError('InvalidParameterException', `You can't replicate a secret to its primary region ${region}.`);
  }
  const kmsKeyId = text(wanted, 'KmsKeyId') ?? 'alias/aws/secretsmanager';
  const store = call.world.store(secret.account, region);
  const known = store.secretNames.get(secret.name);
  if (known !== undefined && findSecret(store, known, 'latest', call.now)) {
    const message = `Replication failed: Secret name ${secret.name} already exists in region ${region}.`;
    return { region, kmsKeyId, status: 'Failed', message, accessedAt: undefined };
  }
  const suffix = secret.arn.slice(-6);
  const copy: Secret = {
    ...secret,
    arn: secretArn(secret.account, region, secret.name, suffix),
    region,
    createdAt: call.now,
    kmsKeyId,
    tags: undefined,
    rotation: undefined,
    primaryRegion: secret.region,
    replicas: [],
    resourcePolicy: undefined,
    versions: copied(call, secret, region, kmsKeyId),
  };
  store.secretNames.set(secret.name, copy.arn);
  store.secrets.put(copy.arn, copy, call.now);
  return { region, kmsKeyId, status: 'InSync', message: 'Replication succeeded', accessedAt: undefined };
}

/** The versions, encrypted under the replica's own key. */
function copied(call: Call, secret: Secret, region: string, kmsKeyId: string): Secret['versions'] {
  const there: Call = { ...call, region, store: call.world.store(secret.account, region) };
  return secret.versions.map((version) => ({ ...version, keys: [encryptionKey(there, kmsKeyId)] }));
}

/** Brings the replicas of a primary up to date after its versions changed. */
export function syncReplicas(call: Call, secret: Secret): void {
  for (const replica of secret.replicas) {
    if (replica.status !== 'InSync') continue;
    const arn = secretArn(secret.account, replica.region, secret.name, secret.arn.slice(-6));
    const copy = call.world.store(secret.account, replica.region).secrets.get(arn);
    if (copy) saveSecret(call, { ...copy, versions: copied(call, secret, replica.region, replica.kmsKeyId) });
  }
}

function RemoveRegionsFromReplication(call: Call) {
  const secret = changeableSecret(call, needText(call.input, 'SecretId'));
  const regions = texts(call.input, 'RemoveReplicaRegions') ?? [];
  for (const replica of secret.replicas) {
    if (!regions.includes(replica.region) || replica.status !== 'InSync') continue;
    const arn = secretArn(secret.account, replica.region, secret.name, secret.arn.slice(-6));
    call.world.store(secret.account, replica.region).secrets.put(arn, undefined, call.now);
  }
  const saved = saveSecret(call, {
    ...secret,
    replicas: secret.replicas.filter((replica) => !regions.includes(replica.region)),
  });
  return { ARN: saved.arn, ReplicationStatus: replicationStatus(saved) ?? [] };
}
