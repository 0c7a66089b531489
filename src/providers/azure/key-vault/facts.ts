/** From what a vault, or Resource Manager for it, answers of a key to facts. Pure; types of the SDKs only. */
import type { Key as ArmKey } from '@azure/arm-keyvault';
import type { DeletedKey, KeyProperties, KeyRotationPolicy, KeyVaultKey } from '@azure/keyvault-keys';
import type { KeyFacts, KeyStub, Version } from '../../../core/model.ts';
import { attributes, instant, present } from '../../look.ts';
import { BadAnswer } from '../ask.ts';
import { vaultOf } from '../names.ts';
import { shifted } from './periods.ts';
import { detailKey } from './rules.ts';

/** What was told of the current version of a key, by whichever witness. Bits, days; instants in ms. */
interface Told {
  readonly version?: string;
  readonly keyType?: string;
  readonly bits?: number;
  readonly curve?: string;
  readonly operations?: readonly string[];
  readonly enabled?: boolean;
  readonly createdAt?: number;
  readonly updatedAt?: number;
  readonly notBeforeAt?: number;
  readonly expiresAt?: number;
  readonly recoveryLevel?: string;
  readonly recoverableDays?: number;
  readonly managed?: boolean;
  readonly hsmPlatform?: string;
  readonly tags?: Readonly<Record<string, string>>;
}

/**
 * Changes whenever anything changes that a list item tells.
 * @param used what is known of older versions that are still used (`usedDigest`)
 */
export function digestOf(properties: KeyProperties, used: string): string {
  return JSON.stringify([fieldsOf(properties), used]);
}

/** Changes whenever a version that is used changes, or goes; '' where only the newest one is used. */
export function usedDigest(used: readonly string[], versions: readonly KeyProperties[]): string {
  const age = (version: KeyProperties) => instant(version.createdOn) ?? 0;
  const newest = versions.reduce<KeyProperties | undefined>((a, b) => (a && age(a) >= age(b) ? a : b), undefined);
  const older = used.filter((id) => id !== newest?.version).sort();
  if (older.length === 0) return '';
  const found = (id: string) => versions.find(({ version }) => version === id);
  return JSON.stringify(older.map((id) => [id, mapped(found(id))]));
}

function mapped(version: KeyProperties | undefined): Told | 'gone' {
  return version ? told(version) : 'gone';
}

/** Changes whenever a deleted key is another one, or its purge is. */
export function deletedDigestOf({ properties }: DeletedKey): string {
  const { deletedOn, scheduledPurgeDate } = properties;
  return JSON.stringify(['deleted', told(properties), instant(deletedOn), instant(scheduledPurgeDate)]);
}

/** Facts of a key as its vault answers. @throws BadAnswer where the answer is about another key */
export function keyFacts(stub: KeyStub, key: KeyVaultKey, known: KeyFacts | undefined): KeyFacts {
  return factsOf(stub, bundle(stub, key), undefined, known);
}

/** Facts of a soft-deleted key. @throws BadAnswer where the answer is about another key */
export function deletedKeyFacts(stub: KeyStub, key: DeletedKey, known: KeyFacts | undefined): KeyFacts {
  return factsOf(stub, bundle(stub, key), { purgeAt: instant(key.properties.scheduledPurgeDate) }, known);
}

/** Facts of a key as Resource Manager answers, which tells less: the rest stands as it was known. */
export function armKeyFacts(stub: KeyStub, key: ArmKey, known: KeyFacts | undefined): KeyFacts {
  const { attributes: own } = key;
  const seconds = (at: number | undefined) => (at === undefined ? undefined : at * 1000);
  const before = known?.attributes ?? {};
  return factsOf(
    stub,
    present({
      version: key.keyUriWithVersion?.split('/').pop(),
      keyType: key.kty,
      bits: key.keySize,
      curve: key.curveName,
      operations: key.keyOps,
      enabled: own?.enabled,
      createdAt: seconds(own?.created),
      updatedAt: seconds(own?.updated),
      notBeforeAt: seconds(own?.notBefore),
      expiresAt: seconds(own?.expires),
      recoveryLevel: own?.recoveryLevel,
      recoverableDays: numeric(before.recoverableDays),
      managed: before.managed === true ? true : undefined,
      hsmPlatform: typeof before.hsmPlatform === 'string' ? before.hsmPlatform : undefined,
      tags: key.tags ?? known?.tags,
    }),
    undefined,
    known,
  );
}

function bundle(stub: KeyStub, key: KeyVaultKey | DeletedKey): Told {
  if (key.name.toLowerCase() !== stub.name.toLowerCase()) throw new BadAnswer('a vault answered about another key');
  const { keyType, keyOperations, properties } = key;
  const curve = key.key?.crv;
  return {
    ...told(properties),
    ...present({ version: properties.version, keyType, bits: bitsOf(key.key?.n), curve, operations: keyOperations }),
  };
}

function told(properties: KeyProperties): Told {
  return present(fieldsOf(properties));
}

/** In the order of digests, which leave out what is undefined by themselves. */
function fieldsOf(properties: KeyProperties) {
  const { enabled, recoveryLevel, recoverableDays, managed, hsmPlatform, tags } = properties;
  return {
    enabled,
    createdAt: instant(properties.createdOn),
    updatedAt: instant(properties.updatedOn),
    notBeforeAt: instant(properties.notBefore),
    expiresAt: instant(properties.expiresOn),
    recoveryLevel,
    recoverableDays,
    managed: managed || undefined,
    hsmPlatform,
    tags: tags === undefined ? undefined : sorted(tags),
  };
}

function factsOf(
  stub: KeyStub,
  now: Told,
  deleted: { readonly purgeAt: number | undefined } | undefined,
  known: KeyFacts | undefined,
): KeyFacts {
  const { keyType, bits, curve, enabled } = now;
  const same = now.version !== undefined && known?.version?.id === now.version;
  const policy = policyIn(known);
  const version = now.version === undefined ? undefined : versionOf(now.version, now);
  return {
    resource: stub.resource,
    kind: 'azure-key',
    name: stub.name,
    provider: 'azure',
    account: stub.account,
    location: stub.location,
    // No word on it is no proof that it works: an unknown state is unknown.
    state: deleted ? 'SoftDeleted' : enabled === true ? 'Enabled' : enabled === false ? 'Disabled' : 'Unknown',
    tags: now.tags ?? {},
    ...present({
      spec: specOf(keyType, bits ?? curve),
      version,
      versions: known?.versions,
      createdAt: known?.createdAt,
      changedAt: now.updatedAt,
      expiresAt: now.expiresAt,
      deletionAt: deleted?.purgeAt,
      recoverableUntil: deleted?.purgeAt,
      rotationEnabled: known?.rotationEnabled,
      lastRotatedAt: same ? known?.lastRotatedAt : undefined,
      nextRotationAt: nextRotation(version, policy),
      detailKey: known?.detailKey,
      detailedAt: known?.detailedAt,
    }),
    dependsOn: [{ anyOf: [vaultOf(stub.resource)], role: 'holds' }],
    attributes: attributes({
      ...policy,
      policyDenied: known?.attributes.policyDenied,
      keyType,
      keySize: bits,
      curve,
      operations: now.operations?.join(','),
      recoveryLevel: now.recoveryLevel,
      recoverableDays: now.recoverableDays,
      managed: now.managed,
      hsmPlatform: now.hsmPlatform,
      notBefore: now.notBeforeAt,
    }),
  };
}

/** The facts with every version of the key, newest first. @throws BadAnswer where there is none: azure.md 0.3 */
export function withVersions(facts: KeyFacts, listed: readonly KeyProperties[]): KeyFacts {
  const versions = listed
    .flatMap((properties) => (properties.version ? [versionOf(properties.version, told(properties))] : []))
    .sort((a, b) => (b.createdAt ?? 0) - (a.createdAt ?? 0) || (a.id < b.id ? -1 : 1));
  // A missing key has an empty list of versions with status 200: never a healthy key with none.
  if (versions.length === 0) throw new BadAnswer('a key that is there has no versions');
  const first = versions.at(-1)?.createdAt;
  const rotated = versions.length > 1 ? facts.version?.createdAt : undefined;
  const { lastRotatedAt, createdAt, ...rest } = facts;
  return {
    ...rest,
    versions,
    ...present({ createdAt: first ?? createdAt, lastRotatedAt: rotated }),
  };
}

/** The facts with details; `policy` is undefined where the monitor may not read it: what was known of it stands. */
export function withDetails(
  facts: KeyFacts,
  versions: readonly KeyProperties[],
  policy: KeyRotationPolicy | 'none' | undefined,
  now: number,
): KeyFacts {
  const { rotationEnabled, nextRotationAt, ...rest } = withVersions(facts, versions);
  const rotation = policy === undefined ? policyIn(facts) : policyOf(policy);
  const enabled = policy === undefined ? rotationEnabled : Object.keys(rotation).length > 0;
  const { rotateAfterCreate, rotateBeforeExpiry, policyDenied, ...others } = rest.attributes;
  return {
    ...rest,
    ...present({ rotationEnabled: enabled, nextRotationAt: nextRotation(facts.version, rotation) }),
    attributes: attributes({ ...others, ...rotation, policyDenied: policy === undefined ? true : undefined }),
    detailKey: detailKey(facts),
    detailedAt: now,
  };
}

interface Rotation {
  /** ISO 8601 periods. */
  readonly rotateAfterCreate?: string;
  readonly rotateBeforeExpiry?: string;
}

/** What a policy says of rotating; one that was never set only notifies (azure.md 0a.7). */
function policyOf(policy: KeyRotationPolicy | 'none'): Rotation {
  const rotate = policy === 'none' ? undefined : policy.lifetimeActions?.find(({ action }) => action === 'Rotate');
  return present({ rotateAfterCreate: rotate?.timeAfterCreate, rotateBeforeExpiry: rotate?.timeBeforeExpiry });
}

function policyIn(facts: KeyFacts | undefined): Rotation {
  const { rotateAfterCreate, rotateBeforeExpiry } = facts?.attributes ?? {};
  return present({
    rotateAfterCreate: typeof rotateAfterCreate === 'string' ? rotateAfterCreate : undefined,
    rotateBeforeExpiry: typeof rotateBeforeExpiry === 'string' ? rotateBeforeExpiry : undefined,
  });
}

function nextRotation(version: Version | undefined, policy: Rotation): number | undefined {
  const { rotateAfterCreate, rotateBeforeExpiry } = policy;
  const { createdAt, expiresAt } = version ?? {};
  if (rotateAfterCreate !== undefined && createdAt !== undefined) return shifted(createdAt, rotateAfterCreate, 1);
  if (rotateBeforeExpiry !== undefined && expiresAt !== undefined) return shifted(expiresAt, rotateBeforeExpiry, -1);
  return undefined;
}

function versionOf(id: string, { createdAt, enabled, notBeforeAt, expiresAt }: Told): Version {
  return { id, ...present({ createdAt, enabled, notBeforeAt, expiresAt }) };
}

function specOf(keyType: string | undefined, size: string | number | undefined): string | undefined {
  if (keyType === undefined) return undefined;
  return size === undefined ? keyType : `${keyType}_${size}`;
}

/** Bits of an RSA modulus; some encoders put a zero byte before it. */
function bitsOf(modulus: Uint8Array | undefined): number | undefined {
  if (!modulus || modulus.length === 0) return undefined;
  const zeros = modulus.findIndex((byte) => byte !== 0);
  return zeros === -1 ? undefined : (modulus.length - zeros) * 8;
}

function sorted(tags: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(tags).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function numeric(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
