import { isDeepStrictEqual } from 'node:util';
import { secretsError } from '../errors.ts';
import { flag, type Input, needText, records, text, texts, whole } from '../input.ts';
import type { Call, Operations } from '../world.ts';
import { encryptionKey } from './keys.ts';
import { addReplicas, syncReplicas } from './replicate.ts';
import { dropStage, moveStages } from './stages.ts';
import {
  changeableSecret,
  findSecret,
  notFound,
  refuseDeleted,
  resolveSecret,
  type Secret,
  type SecretValue,
  saveSecret,
  secretArn,
  type Version,
  versionWith,
} from './state.ts';
import { replicationStatus } from './views.ts';

const DAY_MS = 86_400_000;
const SUFFIX_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
/** How long a secret that was deleted by force is still described, in ms. Recorded: between two and five seconds. */
const FORCED_LINGER_MS = 4_000;

/** Creating, changing and deleting secrets and their versions. */
export const writeOperations: Operations = {
  CreateSecret,
  PutSecretValue,
  UpdateSecret,
  UpdateSecretVersionStage,
  DeleteSecret,
  RestoreSecret,
  TagResource,
  UntagResource,
  PutResourcePolicy,
};

function readValue(input: Input): SecretValue | undefined {
  const string = text(input, 'SecretString');
  const binary = text(input, 'SecretBinary');
  if (string !== undefined && binary !== undefined) {
    throw secretsError(
      'InvalidParameterException',
      "You can't specify both a binary secret value and a string secret value in the same secret.",
    );
  }
  if (string !== undefined) return { string };
  return binary === undefined ? undefined : { binary };
}

/** The id of a version that a request makes: its idempotency token. */
function versionId(call: Call): string {
  const token = text(call.input, 'ClientRequestToken') ?? call.world.random.uuid();
  if (token.length >= 32 && token.length <= 64) return token;
  throw secretsError('InvalidParameterException', 'ClientRequestToken must be 32-64 characters long.');
}

function CreateSecret(call: Call) {
  const { input, store, now } = call;
  const name = needText(input, 'Name');
  const known = store.secretNames.get(name);
  const taken = known === undefined ? undefined : findSecret(store, known, 'latest', now);
  if (taken?.deletion) {
    throw secretsError(
      'InvalidRequestException',
      "You can't create this secret because a secret with this name is already scheduled for deletion.",
    );
  }
  if (taken)
    throw secretsError('ResourceExistsException', `The operation failed because the secret ${name} already exists.`);
  const kmsKeyId = text(input, 'KmsKeyId');
  const value = readValue(input);
  const id = value && versionId(call);
  const key = value && encryptionKey(call, kmsKeyId);
  const secret: Secret = {
    arn: secretArn(call.account, call.region, name, call.world.random.pick(6, SUFFIX_ALPHABET)),
    name,
    account: call.account,
    region: call.region,
    createdAt: now,
    changedAt: now,
    accessedAt: undefined,
    description: text(input, 'Description'),
    kmsKeyId,
    type: text(input, 'Type'),
    owningService: undefined,
    tags: input.Tags === undefined ? undefined : readTags(call),
    versions:
      id && key ? [{ id, stages: ['AWSCURRENT'], createdAt: now, accessedAt: undefined, keys: [key], value }] : [],
    rotation: undefined,
    deletion: undefined,
    primaryRegion: undefined,
    replicas: [],
    resourcePolicy: undefined,
  };
  store.secretNames.set(name, secret.arn);
  const saved = addReplicas(call, saveSecret(call, secret), records(input, 'AddReplicaRegions') ?? []);
  return { ARN: saved.arn, Name: name, VersionId: id, ReplicationStatus: replicationStatus(saved) };
}

/** Adds a version, or recognises the same request sent twice. Gives the version as it is afterwards. */
function putVersion(
  call: Call,
  secret: Secret,
  value: SecretValue,
  stages: readonly string[],
): { saved: Secret; version: Version } {
  const id = versionId(call);
  const known = secret.versions.find((version) => version.id === id);
  if (known?.value) {
    if (isDeepStrictEqual(known.value, value)) return { saved: secret, version: known };
    throw secretsError(
      'ResourceExistsException',
      `You can't use ClientRequestToken ${id} because that value is already in use for a version of secret ${secret.arn}.`,
    );
  }
  const keys = [encryptionKey(call, secret.kmsKeyId)];
  const fresh: Version = { id, stages: known?.stages ?? [], createdAt: call.now, accessedAt: undefined, keys, value };
  const others = secret.versions.filter((version) => version.id !== id);
  // The first value of a secret is its current one, whatever label the request asks for.
  const labels = versionWith(secret, 'AWSCURRENT') ? stages : [...new Set(['AWSCURRENT', ...stages])];
  const saved = saveSecret(call, { ...secret, versions: moveStages([...others, fresh], id, labels) });
  syncReplicas(call, saved);
  return { saved, version: saved.versions.find((version) => version.id === id) ?? fresh };
}

function PutSecretValue(call: Call) {
  const secret = changeableSecret(call, needText(call.input, 'SecretId'));
  const value = readValue(call.input);
  if (!value) throw secretsError('InvalidRequestException', 'You must provide either SecretString or SecretBinary.');
  const { version } = putVersion(call, secret, value, texts(call.input, 'VersionStages') ?? ['AWSCURRENT']);
  return { ARN: secret.arn, Name: secret.name, VersionId: version.id, VersionStages: version.stages };
}

function UpdateSecret(call: Call) {
  const { input } = call;
  const secret = changeableSecret(call, needText(input, 'SecretId'));
  const kmsKeyId = text(input, 'KmsKeyId');
  const changed = saveSecret(call, {
    ...secret,
    description: text(input, 'Description') ?? secret.description,
    kmsKeyId: kmsKeyId ?? secret.kmsKeyId,
    versions: kmsKeyId === undefined ? secret.versions : reEncrypted(call, secret, kmsKeyId),
  });
  const value = readValue(input);
  if (!value) return { ARN: secret.arn, Name: secret.name };
  const { version } = putVersion(call, changed, value, ['AWSCURRENT']);
  return { ARN: secret.arn, Name: secret.name, VersionId: version.id };
}

/** The versions that a rotation works with get the new key beside their old ones: either opens them. */
function reEncrypted(call: Call, secret: Secret, kmsKeyId: string): Secret['versions'] {
  const key = encryptionKey(call, kmsKeyId);
  const labels = ['AWSCURRENT', 'AWSPENDING', 'AWSPREVIOUS'];
  return secret.versions.map((version) => {
    if (!version.value || !version.stages.some((stage) => labels.includes(stage))) return version;
    return { ...version, keys: [...version.keys.filter((other) => other !== key), key] };
  });
}

function UpdateSecretVersionStage(call: Call) {
  const { input } = call;
  const secret = changeableSecret(call, needText(input, 'SecretId'));
  const stage = needText(input, 'VersionStage');
  const from = text(input, 'RemoveFromVersionId');
  const to = text(input, 'MoveToVersionId');
  const holder = versionWith(secret, stage);
  if (holder && holder.id !== to && holder.id !== from) {
    throw secretsError(
      'InvalidParameterException',
      `The parameter RemoveFromVersionId can't be empty. Staging label ${stage} is currently attached to version ${holder.id}, so you must explicitly reference that version in RemoveFromVersionId.`,
    );
  }
  if (to !== undefined && !secret.versions.some((version) => version.id === to)) {
    throw notFound(` value for VersionId: ${to}`);
  }
  if (to === undefined && stage === 'AWSCURRENT') {
    throw secretsError(
      'InvalidParameterException',
      'You can only move staging label AWSCURRENT to a different secret version. It can’t be completely removed.',
    );
  }
  const versions = to === undefined ? dropStage(secret.versions, stage) : moveStages(secret.versions, to, [stage]);
  syncReplicas(call, saveSecret(call, { ...secret, versions }));
  return { ARN: secret.arn, Name: secret.name };
}

function DeleteSecret(call: Call) {
  const { input, now } = call;
  const secret = resolveSecret(call, needText(input, 'SecretId'), 'latest');
  const forced = flag(input, 'ForceDeleteWithoutRecovery');
  const days = whole(input, 'RecoveryWindowInDays', 7, 30);
  if (forced && days !== undefined) {
    throw secretsError(
      'InvalidParameterException',
      "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
    );
  }
  if (!forced) refuseDeleted(secret);
  if (!secret.deletion) changeableSecret(call, secret.arn);
  if (secret.replicas.length > 0) {
    const regions = secret.replicas.map((replica) => replica.region).join(', ');
    throw secretsError(
      'InvalidParameterException',
      `You can't delete secret ${secret.name} that still has replica regions [${regions}]`,
    );
  }
  const deletionDate = now + (forced ? 0 : (days ?? 30) * DAY_MS);
  const goneAt = forced ? now + FORCED_LINGER_MS : deletionDate;
  const rotation = secret.rotation && { ...secret.rotation, enabled: false, nextAt: undefined };
  saveSecret(call, { ...secret, rotation, deletion: { at: now, goneAt, forced } });
  return { ARN: secret.arn, Name: secret.name, DeletionDate: deletionDate / 1000 };
}

function RestoreSecret(call: Call) {
  const secret = resolveSecret(call, needText(call.input, 'SecretId'), 'latest');
  if (secret.deletion?.forced) refuseDeleted(secret);
  if (secret.deletion) saveSecret(call, { ...secret, deletion: undefined });
  return { ARN: secret.arn, Name: secret.name };
}

function readTags(call: Call): readonly { readonly Key: string; readonly Value: string }[] {
  return (records(call.input, 'Tags') ?? []).map((tag) => ({
    Key: needText(tag, 'Key'),
    Value: text(tag, 'Value') ?? '',
  }));
}

function TagResource(call: Call) {
  const secret = changeableSecret(call, needText(call.input, 'SecretId'));
  const added = readTags(call);
  const kept = (secret.tags ?? []).filter((tag) => !added.some((other) => other.Key === tag.Key));
  saveSecret(call, { ...secret, tags: [...kept, ...added] });
  return {};
}

function UntagResource(call: Call) {
  const secret = changeableSecret(call, needText(call.input, 'SecretId'));
  const names = texts(call.input, 'TagKeys') ?? [];
  saveSecret(call, { ...secret, tags: (secret.tags ?? []).filter((tag) => !names.includes(tag.Key)) });
  return {};
}

function PutResourcePolicy(call: Call) {
  const secret = changeableSecret(call, needText(call.input, 'SecretId'));
  const resourcePolicy = needText(call.input, 'ResourcePolicy');
  if (!isJson(resourcePolicy)) {
    throw secretsError('MalformedPolicyDocumentException', 'This resource policy contains invalid Json.');
  }
  saveSecret(call, { ...secret, resourcePolicy });
  return { ARN: secret.arn, Name: secret.name };
}

function isJson(value: string): boolean {
  try {
    JSON.parse(value);
    return true;
  } catch {
    return false;
  }
}
