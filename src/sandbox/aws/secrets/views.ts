import { seconds } from '../world.ts';
import type { Replica, Secret, Version } from './state.ts';

type Wire = Readonly<Record<string, unknown>>;

/** What DescribeSecret and ListSecrets have in common. Fields without a value are undefined and not sent. */
function common(secret: Secret): Record<string, unknown> {
  const { rotation } = secret;
  return {
    ARN: secret.arn,
    Name: secret.name,
    Type: secret.type,
    Description: secret.description,
    KmsKeyId: secret.kmsKeyId,
    RotationEnabled: rotation?.enabled,
    RotationLambdaARN: rotation?.lambdaArn,
    RotationRules: rotation?.rules,
    LastRotatedDate: date(rotation?.lastAt),
    LastChangedDate: seconds(secret.changedAt),
    LastAccessedDate: date(secret.accessedAt),
    DeletedDate: date(secret.deletion?.at),
    NextRotationDate: date(rotation?.nextAt),
    Tags: secret.tags,
    OwningService: secret.owningService,
    CreatedDate: seconds(secret.createdAt),
    PrimaryRegion: secret.primaryRegion,
  };
}

/** The answer of DescribeSecret. */
export function describedSecret(secret: Secret): Wire {
  const answer = common(secret);
  answer.VersionIdsToStages = labelled(secret);
  answer.ReplicationStatus = replicationStatus(secret);
  return answer;
}

/** An entry of ListSecrets. */
export function listedSecret(secret: Secret): Wire {
  const answer = common(secret);
  answer.SecretVersionsToStages = labelled(secret);
  return answer;
}

/** ReplicationStatus of a primary; undefined where there is nothing to tell. */
export function replicationStatus(secret: Secret): readonly Wire[] | undefined {
  if (secret.replicas.length === 0) return undefined;
  return secret.replicas.map((replica: Replica) => ({
    Region: replica.region,
    KmsKeyId: replica.kmsKeyId,
    Status: replica.status,
    StatusMessage: replica.message,
    LastAccessedDate: date(replica.accessedAt),
  }));
}

function labelled(secret: Secret): Wire | undefined {
  const stages: Record<string, readonly string[]> = {};
  let any = false;
  for (const version of secret.versions) {
    if (version.stages.length === 0) continue;
    stages[version.id] = version.stages;
    any = true;
  }
  return any ? stages : undefined;
}

/** An entry of ListSecretVersionIds. */
export function listedVersion(version: Version): Wire {
  return {
    VersionId: version.id,
    VersionStages: version.stages.length > 0 ? version.stages : undefined,
    LastAccessedDate: date(version.accessedAt),
    CreatedDate: seconds(version.createdAt),
    KmsKeyIds: version.value === undefined ? undefined : version.keys,
  };
}

/** The answer of GetSecretValue. */
export function readAnswer(secret: Secret, version: Version): Wire {
  const { value } = version;
  return {
    ARN: secret.arn,
    Name: secret.name,
    VersionId: version.id,
    ...(value && ('string' in value ? { SecretString: value.string } : { SecretBinary: value.binary })),
    VersionStages: version.stages.length > 0 ? version.stages : undefined,
    CreatedDate: seconds(version.createdAt),
  };
}

function date(at: number | undefined): number | undefined {
  return at === undefined ? undefined : seconds(at);
}
