import type { ServiceName } from './errors.ts';
import type { Input } from './input.ts';
import { resolveKey } from './kms/lookup.ts';
import { type KeyStateName, saveKey } from './kms/state.ts';
import { resolveSecret } from './secrets/state.ts';
import type { Call, Operations, World } from './world.ts';

/** Runs operations as the owner of the sandbox: the same code as behind the wire, without signature, denial or fault. */
export class ServiceModel {
  readonly #world: World;
  readonly #service: ServiceName;
  readonly #operations: Operations;
  protected readonly account: string;
  protected readonly region: string;

  constructor(world: World, service: ServiceName, operations: Operations, account: string, region: string) {
    this.#world = world;
    this.#service = service;
    this.#operations = operations;
    this.account = account;
    this.region = region;
  }

  /** Any operation by its name, with the fields of its API. Throws AwsError as the wire would answer it. */
  call(operation: string, input: Input): Readonly<Record<string, unknown>> {
    const run = this.#operations[operation];
    if (!run) throw new Error(`the sandbox has no operation ${this.#service}:${operation}`);
    return run(this.prepare(operation, input));
  }

  protected prepare(operation: string, input: Input): Call {
    return {
      world: this.#world,
      service: this.#service,
      operation,
      caller: undefined,
      account: this.account,
      region: this.region,
      store: this.#world.store(this.account, this.region),
      input,
      now: this.#world.now(),
      requestId: this.#world.random.uuid(),
      view: 'latest',
      paging: 'normal',
    };
  }
}

/** A policy document: as JSON, or as the object that becomes it. */
type PolicyDocument = string | Readonly<Record<string, unknown>>;

/** IAM of one account, for scripts. */
export class IamModel extends ServiceModel {
  constructor(world: World, operations: Operations, account: string, region: string) {
    super(world, 'iam', operations, account, region);
  }

  /** Makes a role that trusts these services (`mediaconnect.amazonaws.com`) and may do nothing yet; gives its ARN. */
  createRole(name: string, services: readonly string[], path = '/'): string {
    const trust = { Effect: 'Allow', Principal: { Service: services }, Action: 'sts:AssumeRole' };
    const document = text({ Version: '2012-10-17', Statement: [trust] });
    const made = this.call('CreateRole', { RoleName: name, Path: path, AssumeRolePolicyDocument: document });
    return (made.Role as { readonly Arn: string }).Arn;
  }

  /** Replaces the trust policy of a role. */
  trust(role: string, document: PolicyDocument): void {
    this.call('UpdateAssumeRolePolicy', { RoleName: role, PolicyDocument: text(document) });
  }

  /** Gives a role an inline policy, or replaces the one of that name. */
  putRolePolicy(role: string, policy: string, document: PolicyDocument): void {
    this.call('PutRolePolicy', { RoleName: role, PolicyName: policy, PolicyDocument: text(document) });
  }

  /** Takes an inline policy away. */
  deleteRolePolicy(role: string, policy: string): void {
    this.call('DeleteRolePolicy', { RoleName: role, PolicyName: policy });
  }

  /** Deletes a role without inline policies. */
  deleteRole(role: string): void {
    this.call('DeleteRole', { RoleName: role });
  }
}

function text(document: PolicyDocument): string {
  return typeof document === 'string' ? document : JSON.stringify(document);
}

/** Tags as Secrets Manager spells them. */
type SecretTags = readonly { readonly Key: string; readonly Value: string }[];

/** What `create` of secrets takes: the fields of CreateSecret. Without a value the secret is made empty. */
export type NewSecret = {
  readonly Name: string;
  readonly SecretString?: string;
  readonly Description?: string;
  readonly KmsKeyId?: string;
  readonly Tags?: SecretTags;
};

/** Secrets Manager of one region, for scripts. Every secret is named by name or ARN. */
export class SecretsModel extends ServiceModel {
  constructor(world: World, operations: Operations, account: string, region: string) {
    super(world, 'secretsmanager', operations, account, region);
  }

  /** Makes a secret; gives its ARN and the id of its first version ("" without a value). */
  create(secret: NewSecret): { readonly arn: string; readonly versionId: string } {
    const { ARN, VersionId } = this.call('CreateSecret', secret);
    return { arn: String(ARN), versionId: String(VersionId ?? '') };
  }

  /** Writes a new version with these labels (AWSCURRENT unless given) and gives its id. */
  putValue(secretId: string, value: string, stages?: readonly string[]): string {
    const labels = stages ? { VersionStages: stages } : {};
    return String(this.call('PutSecretValue', { SecretId: secretId, SecretString: value, ...labels }).VersionId);
  }

  /** Changes the fields of UpdateSecret: Description, KmsKeyId, SecretString. */
  update(secretId: string, change: { Description?: string; KmsKeyId?: string; SecretString?: string }): void {
    this.call('UpdateSecret', { SecretId: secretId, ...change });
  }

  /** Moves a label to a version, whoever has it now: AWSCURRENT to an older version is a rollback. */
  moveStage(secretId: string, stage: string, versionId: string): void {
    const { versions } = resolveSecret(this.prepare('DescribeSecret', {}), secretId);
    const holder = versions.find((version) => version.stages.includes(stage));
    const from = holder ? { RemoveFromVersionId: holder.id } : {};
    const move = { SecretId: secretId, VersionStage: stage, MoveToVersionId: versionId, ...from };
    this.call('UpdateSecretVersionStage', move);
  }

  /** Schedules the deletion (30 days unless given), or deletes at once. */
  delete(secretId: string, how: { RecoveryWindowInDays?: number; ForceDeleteWithoutRecovery?: boolean } = {}): void {
    this.call('DeleteSecret', { SecretId: secretId, ...how });
  }

  /** Takes a scheduled deletion back. */
  restore(secretId: string): void {
    this.call('RestoreSecret', { SecretId: secretId });
  }

  /** Configures rotation by a function of `rotationFunction` and rotates now; gives the id of the new version. */
  rotate(secretId: string, how: { RotationLambdaARN?: string; RotationRules?: Input } = {}): string {
    return String(this.call('RotateSecret', { SecretId: secretId, ...how }).VersionId);
  }

  /** Adds or replaces tags. */
  tag(secretId: string, tags: SecretTags): void {
    this.call('TagResource', { SecretId: secretId, Tags: tags });
  }

  /** Copies the secret to other regions. */
  replicate(secretId: string, regions: readonly { readonly Region: string; readonly KmsKeyId?: string }[]): void {
    this.call('ReplicateSecretToRegions', { SecretId: secretId, AddReplicaRegions: regions });
  }

  /** DescribeSecret's answer. */
  describe(secretId: string): Readonly<Record<string, unknown>> {
    return this.call('DescribeSecret', { SecretId: secretId });
  }
}

/** What `createKey` takes: the fields of CreateKey that matter here. */
export type NewKey = {
  readonly Description?: string;
  readonly KeySpec?: string;
  readonly KeyUsage?: string;
  readonly Origin?: string;
  readonly MultiRegion?: boolean;
  readonly CustomKeyStoreId?: string;
  readonly Policy?: string;
  readonly Tags?: readonly { readonly TagKey: string; readonly TagValue: string }[];
};

/** KMS of one region, for scripts. Every key is named by id, ARN or alias. */
export class KmsModel extends ServiceModel {
  constructor(world: World, operations: Operations, account: string, region: string) {
    super(world, 'kms', operations, account, region);
  }

  /** Makes a key. */
  createKey(key: NewKey = {}): { readonly arn: string; readonly keyId: string } {
    const metadata = this.call('CreateKey', key).KeyMetadata as { Arn: string; KeyId: string };
    return { arn: metadata.Arn, keyId: metadata.KeyId };
  }

  /** Switches a key off. */
  disable(keyId: string): void {
    this.call('DisableKey', { KeyId: keyId });
  }

  /** Switches a key on. */
  enable(keyId: string): void {
    this.call('EnableKey', { KeyId: keyId });
  }

  /** Schedules the deletion of a key, 30 days ahead unless given. */
  scheduleDeletion(keyId: string, days?: number): void {
    this.call('ScheduleKeyDeletion', { KeyId: keyId, ...(days === undefined ? {} : { PendingWindowInDays: days }) });
  }

  /** Takes a scheduled deletion back; the key stays disabled. */
  cancelDeletion(keyId: string): void {
    this.call('CancelKeyDeletion', { KeyId: keyId });
  }

  /** Points an alias (`alias/x`) at a key, whether it exists or not. */
  alias(name: string, keyId: string): void {
    const known = this.prepare('ListAliases', {}).store.aliases.get(name);
    this.call(known ? 'UpdateAlias' : 'CreateAlias', { AliasName: name, TargetKeyId: keyId });
  }

  /** Brings new material into a key: a new version of it. */
  rotate(keyId: string): void {
    this.call('RotateKeyOnDemand', { KeyId: keyId });
  }

  /** Forces a state that nothing else here leads to (`Unavailable`, or one nobody knows); undefined lifts it. */
  forceState(keyId: string, state: KeyStateName | undefined): void {
    const call = this.prepare('DescribeKey', {});
    saveKey(call, { ...resolveKey(call, keyId), forcedState: state });
  }

  /** DescribeKey's KeyMetadata. */
  describe(keyId: string): Readonly<Record<string, unknown>> {
    return this.call('DescribeKey', { KeyId: keyId }).KeyMetadata as Readonly<Record<string, unknown>>;
  }
}
