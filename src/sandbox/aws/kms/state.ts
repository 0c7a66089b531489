import { type AwsError, kmsError } from '../errors.ts';
import { type Call, partitionOf, type World } from '../world.ts';

/** The states that the API model names. Scripts may set any other text, as AWS may. */
export type KeyStateName = string;

/** One generation of a key's material. */
export type Material = {
  /** 64 hex digits. */
  readonly id: string;
  readonly state: 'CURRENT' | 'NON_CURRENT' | 'PENDING_ROTATION';
  /** ms; undefined for the first material, which no rotation brought. */
  readonly rotatedAt: number | undefined;
  readonly rotation: 'AUTOMATIC' | 'ON_DEMAND' | undefined;
  /** False once imported material was deleted. */
  readonly present: boolean;
  /** ms; imported material only. */
  readonly validTo: number | undefined;
  readonly description: string | undefined;
};

/** A KMS key, immutable: a change makes a new value. */
export type Key = {
  readonly id: string;
  readonly arn: string;
  readonly account: string;
  readonly region: string;
  readonly createdAt: number;
  readonly description: string;
  readonly usage: string;
  readonly spec: string;
  readonly origin: 'AWS_KMS' | 'EXTERNAL' | 'AWS_CLOUDHSM' | 'EXTERNAL_KEY_STORE';
  readonly manager: 'AWS' | 'CUSTOMER';
  readonly customKeyStoreId: string | undefined;
  readonly multiRegion: { readonly primaryRegion: string; readonly replicaRegions: readonly string[] } | undefined;
  readonly disabled: boolean;
  /** ms; from ScheduleKeyDeletion on. */
  readonly deletionAt: number | undefined;
  /** Days; a primary that waits for its replicas to be deleted. */
  readonly deletionWaits: number | undefined;
  /** ms; a replica is `Creating` until then. */
  readonly creatingUntil: number;
  /** A state that a script forced, `Unavailable` for one. */
  readonly forcedState: KeyStateName | undefined;
  /** Newest last; empty for keys whose material has no id (asymmetric ones). */
  readonly materials: readonly Material[];
  readonly rotation: { readonly everyDays: number; readonly nextAt: number } | undefined;
  readonly onDemandRotations: number;
  readonly tags: readonly { readonly TagKey: string; readonly TagValue: string }[];
  readonly policy: string;
};

/** An alias. */
export type Alias = {
  readonly name: string;
  /** Undefined for an AWS service that was never used here. */
  readonly keyId: string | undefined;
  readonly createdAt: number;
  readonly updatedAt: number;
};

/** A day in ms. */
export const DAY_MS = 86_400_000;

/** The state of a key at `now`, from what was done to it. */
export function keyState(key: Key, now: number): KeyStateName {
  if (key.forcedState !== undefined) return key.forcedState;
  if (key.creatingUntil > now) return 'Creating';
  if (key.deletionWaits !== undefined) return 'PendingReplicaDeletion';
  if (key.deletionAt !== undefined) return 'PendingDeletion';
  if (key.origin === 'EXTERNAL' && !hasAllMaterial(key, now)) return 'PendingImport';
  return key.disabled ? 'Disabled' : 'Enabled';
}

/** True for material that was imported and is still there. */
export function isImported(material: Material, now: number): boolean {
  return material.present && (material.validTo === undefined || material.validTo > now);
}

function hasAllMaterial(key: Key, now: number): boolean {
  const used = key.materials.filter((material) => material.state !== 'PENDING_ROTATION');
  return used.length > 0 && used.every((material) => isImported(material, now));
}

const STATE_TEXT: Readonly<Record<string, string>> = {
  PendingDeletion: 'pending deletion',
  PendingReplicaDeletion: 'pending replica deletion',
  PendingImport: 'pending import',
  Unavailable: 'unavailable',
  Creating: 'creating',
};

/** The error of a key that cannot be used in its state, or undefined when it can. */
export function unusable(key: Key, now: number): AwsError | undefined {
  const state = keyState(key, now);
  if (state === 'Enabled' || state === 'Updating') return undefined;
  if (state === 'Disabled') return kmsError('DisabledException', `${key.arn} is disabled.`);
  return invalidState(key, state);
}

/** KMSInvalidStateException with the words for `state`. */
export function invalidState(key: Key, state: KeyStateName): AwsError {
  return kmsError('KMSInvalidStateException', `${key.arn} is ${STATE_TEXT[state] ?? state.toLowerCase()}.`);
}

/** The ARN of a key. */
export function keyArn(account: string, region: string, id: string): string {
  return `arn:${partitionOf(region)}:kms:${region}:${account}:key/${id}`;
}

/** The policy that a key gets when none is given: its account's IAM decides. */
export function defaultPolicy(account: string, region: string): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Id: 'key-default-1',
    Statement: [
      {
        Sid: 'Enable IAM User Permissions',
        Effect: 'Allow',
        Principal: { AWS: `arn:${partitionOf(region)}:iam::${account}:root` },
        Action: 'kms:*',
        Resource: '*',
      },
    ],
  });
}

/** A key with material of its own, enabled, without anything else. */
export function newKey(world: World, account: string, region: string, id: string, now: number): Key {
  return {
    id,
    arn: keyArn(account, region, id),
    account,
    region,
    createdAt: now,
    description: '',
    usage: 'ENCRYPT_DECRYPT',
    spec: 'SYMMETRIC_DEFAULT',
    origin: 'AWS_KMS',
    manager: 'CUSTOMER',
    customKeyStoreId: undefined,
    multiRegion: undefined,
    disabled: false,
    deletionAt: undefined,
    deletionWaits: undefined,
    creatingUntil: now,
    forcedState: undefined,
    materials: [newMaterial(world, 'CURRENT')],
    rotation: undefined,
    onDemandRotations: 0,
    tags: [],
    policy: defaultPolicy(account, region),
  };
}

/** Fresh material, not rotated in by anything. */
export function newMaterial(world: World, state: Material['state']): Material {
  return {
    id: world.random.hex(64),
    state,
    rotatedAt: undefined,
    rotation: undefined,
    present: true,
    validTo: undefined,
    description: undefined,
  };
}

/** Stores a changed key and gives it back; `now` is when it changed. */
export function saveKey(call: Pick<Call, 'world' | 'now'>, key: Key): Key {
  call.world.store(key.account, key.region).keys.put(key.id, key, call.now);
  return key;
}

/** The end of a waiting period of `days`: recorded answers name the midnight (UTC) that follows it. */
export function deletionMidnight(now: number, days: number): number {
  return Math.ceil((now + days * DAY_MS) / DAY_MS) * DAY_MS;
}
