import type { View } from '../../table.ts';
import { accessDenied, secretsError } from '../errors.ts';
import { type Call, denialText, partitionOf, type RegionStore } from '../world.ts';

/** What a version holds. */
export type SecretValue = { readonly string: string } | { readonly binary: string };

/** One version of a secret. */
export type Version = {
  readonly id: string;
  /** Staging labels; a version without any is deprecated. */
  readonly stages: readonly string[];
  readonly createdAt: number;
  readonly accessedAt: number | undefined;
  /** ARNs of the keys it is encrypted under, oldest first; `DefaultEncryptionKey` for aws/secretsmanager. */
  readonly keys: readonly string[];
  /** Undefined: a rotation made the label before there was a value. */
  readonly value: SecretValue | undefined;
};

/** Rotation as it was configured, and how it went. */
export type Rotation = {
  readonly enabled: boolean;
  readonly lambdaArn: string | undefined;
  readonly rules: Readonly<Record<string, unknown>> | undefined;
  readonly lastAt: number | undefined;
  readonly nextAt: number | undefined;
};

/** How a replica is doing, as its primary tells it. */
export type Replica = {
  readonly region: string;
  readonly kmsKeyId: string;
  readonly status: 'InSync' | 'Failed';
  readonly message: string;
  /** When a value was last read there; a day, in ms. */
  readonly accessedAt: number | undefined;
};

/** A secret, immutable: a change makes a new value. */
export type Secret = {
  readonly arn: string;
  readonly name: string;
  readonly account: string;
  readonly region: string;
  readonly createdAt: number;
  readonly changedAt: number;
  readonly accessedAt: number | undefined;
  readonly description: string | undefined;
  /** As it was given: id, ARN, alias name or alias ARN. */
  readonly kmsKeyId: string | undefined;
  readonly type: string | undefined;
  readonly owningService: string | undefined;
  readonly tags: readonly { readonly Key: string; readonly Value: string }[] | undefined;
  readonly versions: readonly Version[];
  readonly rotation: Rotation | undefined;
  /** When DeleteSecret was called, and when the secret is gone for good. */
  readonly deletion: { readonly at: number; readonly goneAt: number; readonly forced: boolean } | undefined;
  readonly primaryRegion: string | undefined;
  readonly replicas: readonly Replica[];
  readonly resourcePolicy: string | undefined;
};

/** The word that stands for the AWS managed key in a version's list of keys. */
export const DEFAULT_KEY = 'DefaultEncryptionKey';

/** The secret as `view` sees it; undefined when there is none, or it is gone for good. */
export function findSecret(store: RegionStore, arn: string, view: View, now: number): Secret | undefined {
  const secret = store.secrets.get(arn, view);
  return secret?.deletion && secret.deletion.goneAt <= now ? undefined : secret;
}

/** "Secrets Manager can't find the specified secret." */
export function notFound(what = ''): Error {
  return secretsError('ResourceNotFoundException', `Secrets Manager can't find the specified secret${what || '.'}`);
}

/**
 * The secret that a name, an ARN or an ARN without its suffix names. A secret of another account needs a resource policy
 * there that names the caller's account.
 */
export function resolveSecret(call: Call, secretId: string, view: View = call.view): Secret {
  let store = call.store;
  let name = secretId;
  if (secretId.startsWith('arn:')) {
    const [, , , region, account = '', , ...rest] = secretId.split(':');
    if (region !== call.region) throw notFound();
    store = call.world.store(account, call.region);
    name = rest.join(':');
  }
  const secret = lookUp(call, store, secretId, name, view);
  if (store.account === call.account) {
    if (secret) return secret;
    throw notFound();
  }
  if (secret?.resourcePolicy?.includes(call.account)) return secret;
  const action = `secretsmanager:${call.operation}`;
  throw accessDenied(
    'secretsmanager',
    denialText(call, action, secretId, `no resource-based policy allows the ${action} action`),
  );
}

function lookUp(call: Call, store: RegionStore, id: string, name: string, view: View): Secret | undefined {
  const byArn = findSecret(store, id, view, call.now);
  if (byArn) return byArn;
  const arn = store.secretNames.get(name);
  return arn === undefined ? undefined : findSecret(store, arn, view, call.now);
}

/** Stores a changed secret; LastChangedDate becomes `now`. */
export function saveSecret(call: Call, secret: Secret): Secret {
  const changed = { ...secret, changedAt: call.now };
  call.world.store(secret.account, secret.region).secrets.put(secret.arn, changed, call.now);
  return changed;
}

/** Throws what AWS answers about a secret that is deleted. */
export function refuseDeleted(secret: Secret): void {
  if (!secret.deletion) return;
  const why = secret.deletion.forced ? 'was deleted' : 'was marked for deletion';
  throw secretsError('InvalidRequestException', `You can't perform this operation on the secret because it ${why}.`);
}

/** The secret for a change: it must be alive, and the primary when it is replicated. */
export function changeableSecret(call: Call, secretId: string): Secret {
  const secret = resolveSecret(call, secretId, 'latest');
  refuseDeleted(secret);
  if (secret.primaryRegion === undefined || secret.primaryRegion === secret.region) return secret;
  throw secretsError(
    'InvalidParameterException',
    "Operation not permitted on a replica secret. Call must be made in primary secret's region.",
  );
}

/** The version that carries a label. */
export function versionWith(secret: Secret, stage: string): Version | undefined {
  return secret.versions.find((version) => version.stages.includes(stage));
}

/** The ARN of a secret; `suffix` are the six characters that tell secrets of one name apart. */
export function secretArn(account: string, region: string, name: string, suffix: string): string {
  return `arn:${partitionOf(region)}:secretsmanager:${region}:${account}:secret:${name}-${suffix}`;
}
