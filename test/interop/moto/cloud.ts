/**
 * AWS as moto imitates it, filled through the real SDK.
 *
 * What moto does not have, or has wrong, is tested on the embedded sandbox instead (test/sandbox, test/e2e,
 * test/providers/aws), which recordings of AWS and boto3 hold to the original (test/interop/sandbox):
 * - no CurrentKeyMaterialId: new key material as a new version of a KMS key;
 * - ListSecretVersionIds without KmsKeyIds, with the time of the call as the creation date of every version, and without
 *   paging: the edge from a secret to the keys that really encrypted it (here it stays the assumed one), ages of versions;
 * - no DecryptionFailure, no key states PendingImport and Unavailable, no throttling, errors of permission as XML only;
 * - ListKeys and ListAliases answer everything on one page: paging of keys;
 * - DeletedDate of a secret is the end of its window, not the moment of the call;
 * - CodeBuild drops `encryptionKey`, has no UpdateProject, says nothing of what BatchGetProjects did not find, and StartBuild
 *   answers what the SDK cannot read: the key of a project, changes and builds.
 */
import {
  BatchGetProjectsCommand,
  CodeBuildClient,
  CreateProjectCommand,
  DeleteProjectCommand,
  type ProjectEnvironment,
} from '@aws-sdk/client-codebuild';
import {
  CancelKeyDeletionCommand,
  CreateAliasCommand,
  CreateKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  KMSClient,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  PutSecretValueCommand,
  RestoreSecretCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { startMoto } from '../tools.ts';

export const REGION = 'eu-west-1';
/** The account that moto gives whoever comes with keys of no role. */
export const ACCOUNT = '123456789012';
/** What the monitor and the seeding start from; moto takes any. */
export const CREDENTIALS = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'moto' };
/** Requests of the seeding under way at once: more only queue up in moto. */
const AT_ONCE = 8;

export interface Key {
  readonly id: string;
  readonly arn: string;
}

/** One region of one account. Keys are named by their bare id: moto answers 500 to an ARN in these operations. */
export interface Region {
  /** A customer-managed key, with an alias where `alias` is given. */
  createKey(alias?: string): Promise<Key>;
  disable(key: Key): Promise<void>;
  enable(key: Key): Promise<void>;
  scheduleDeletion(key: Key): Promise<void>;
  cancelDeletion(key: Key): Promise<void>;
  /** Returns the ARN. `kmsKeyId` in any of its forms; absent: the default key. */
  createSecret(name: string, kmsKeyId?: string): Promise<string>;
  /** Returns the id of the new version, which gets AWSCURRENT or the labels given. */
  putValue(name: string, stages?: readonly string[]): Promise<string>;
  moveCurrent(name: string, from: string, to: string): Promise<void>;
  deleteSecret(name: string): Promise<void>;
  restoreSecret(name: string): Promise<void>;
  /** A CodeBuild project; returns its ARN. */
  createProject(name: string, project?: NewProject): Promise<string>;
  deleteProject(name: string): Promise<void>;
}

export interface NewProject {
  readonly environment?: Partial<ProjectEnvironment>;
  readonly buildspec?: string;
}

export interface Cloud extends AsyncDisposable {
  readonly url: string;
  /** A region of the account of `CREDENTIALS`, or of another one through a role in it. */
  region(name?: string, account?: string): Promise<Region>;
  /** Forgets everything in every account. */
  reset(): Promise<void>;
}

export function roleIn(account: string): string {
  return `arn:aws:iam::${account}:role/keyvigil`;
}

/** Starts a moto of its own. Throws, rather than skips, where there is none to be had. */
export async function startCloud(): Promise<Cloud> {
  const stack = new AsyncDisposableStack();
  const { url } = stack.use(await startMoto());

  async function credentialsIn(account: string | undefined) {
    if (account === undefined) return CREDENTIALS;
    const sts = new STSClient({ endpoint: url, region: REGION, credentials: CREDENTIALS });
    try {
      const command = new AssumeRoleCommand({ RoleArn: roleIn(account), RoleSessionName: 'seed' });
      const { Credentials } = await sts.send(command);
      return {
        accessKeyId: Credentials?.AccessKeyId ?? '',
        secretAccessKey: Credentials?.SecretAccessKey ?? '',
        sessionToken: Credentials?.SessionToken ?? '',
      };
    } finally {
      sts.destroy();
    }
  }

  return {
    url,
    async region(name = REGION, account) {
      const settings = { endpoint: url, region: name, credentials: await credentialsIn(account) };
      const kms = new KMSClient(settings);
      const secrets = new SecretsManagerClient(settings);
      const builds = new CodeBuildClient(settings);
      stack.defer(() => {
        kms.destroy();
        secrets.destroy();
        builds.destroy();
      });
      return { ...regionOf(kms, secrets), ...projectsOf(builds) };
    },
    async reset() {
      const { ok } = await fetch(`${url}/moto-api/reset`, { method: 'POST' });
      if (!ok) throw new Error('moto cannot be reset');
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

function projectsOf(builds: CodeBuildClient): Pick<Region, 'createProject' | 'deleteProject'> {
  return {
    async createProject(name, { environment, buildspec } = {}) {
      await builds.send(
        new CreateProjectCommand({
          name,
          source: { type: 'S3', location: 'bucket/source.zip', buildspec },
          artifacts: { type: 'NO_ARTIFACTS' },
          environment: {
            type: 'LINUX_CONTAINER',
            image: 'aws/codebuild/standard:7.0',
            computeType: 'BUILD_GENERAL1_SMALL',
            ...environment,
          },
          serviceRole: `arn:aws:iam::${ACCOUNT}:role/build`,
        }),
      );
      const { projects } = await builds.send(new BatchGetProjectsCommand({ names: [name] }));
      return told(projects?.[0]?.arn);
    },
    async deleteProject(name) {
      await builds.send(new DeleteProjectCommand({ name }));
    },
  };
}

function regionOf(kms: KMSClient, secrets: SecretsManagerClient): Omit<Region, 'createProject' | 'deleteProject'> {
  return {
    async createKey(alias) {
      const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
      const id = told(KeyMetadata?.KeyId);
      if (alias !== undefined) await kms.send(new CreateAliasCommand({ AliasName: alias, TargetKeyId: id }));
      return { id, arn: told(KeyMetadata?.Arn) };
    },
    async disable({ id }) {
      await kms.send(new DisableKeyCommand({ KeyId: id }));
    },
    async enable({ id }) {
      await kms.send(new EnableKeyCommand({ KeyId: id }));
    },
    async scheduleDeletion({ id }) {
      await kms.send(new ScheduleKeyDeletionCommand({ KeyId: id, PendingWindowInDays: 7 }));
    },
    async cancelDeletion({ id }) {
      await kms.send(new CancelKeyDeletionCommand({ KeyId: id }));
    },
    async createSecret(Name, KmsKeyId) {
      const { ARN } = await secrets.send(new CreateSecretCommand({ Name, KmsKeyId, SecretString: `value of ${Name}` }));
      return told(ARN);
    },
    async putValue(SecretId, VersionStages) {
      const SecretString = `another value of ${SecretId}`;
      const stages = VersionStages === undefined ? {} : { VersionStages: [...VersionStages] };
      const { VersionId } = await secrets.send(new PutSecretValueCommand({ SecretId, SecretString, ...stages }));
      return told(VersionId);
    },
    async moveCurrent(SecretId, RemoveFromVersionId, MoveToVersionId) {
      const move = { SecretId, VersionStage: 'AWSCURRENT', RemoveFromVersionId, MoveToVersionId };
      await secrets.send(new UpdateSecretVersionStageCommand(move));
    },
    async deleteSecret(SecretId) {
      await secrets.send(new DeleteSecretCommand({ SecretId, RecoveryWindowInDays: 7 }));
    },
    async restoreSecret(SecretId) {
      await secrets.send(new RestoreSecretCommand({ SecretId }));
    },
  };
}

function told(value: string | undefined): string {
  if (value === undefined) throw new Error('moto did not say what it made');
  return value;
}

/** Runs `make` for 0 … count-1, a few at once, and returns what it made in that order. */
export async function many<T>(count: number, make: (at: number) => Promise<T>): Promise<T[]> {
  const made: T[] = [];
  let next = 0;
  async function worker(): Promise<void> {
    for (let at = next++; at < count; at = next++) made[at] = await make(at);
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return made;
}
