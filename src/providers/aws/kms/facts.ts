/** From what KMS answers to facts. Pure; types of the SDK only. */
import type { KeyMetadata, RotationsListEntry, Tag } from '@aws-sdk/client-kms';
import type { KeyFacts, KeyStub } from '../../../core/model.ts';
import { attributes, instant, present } from '../../look.ts';
import { arnIn } from '../arn.ts';
import { BadAnswer } from '../paging.ts';

/** Attributes that only details tell. */
const DETAILS = ['rotationPeriodDays', 'missingMaterials', 'rotationDenied', 'tagsDenied'] as const;

/** Identity of a key that was listed or named. @throws BadAnswer where it has none */
export function stubOf(arn: string | undefined, aliases: readonly string[]): KeyStub {
  const { account, region } = arnIn(arn, 'a listed key');
  return {
    resource: arn ?? '',
    kind: 'aws-kms-key',
    name: nameOf(arn ?? '', aliases),
    provider: 'aws',
    account,
    location: region,
  };
}

/** The bare id: what every operation takes, in the cloud and in imitations of it. */
export function keyIdOf(arn: string): string {
  return arn.slice(arn.lastIndexOf(':key/') + ':key/'.length);
}

/**
 * Facts of one described key. What `known` holds of details is carried over: they age, but none of them turns wrong.
 * @param aliases alias ARNs that point to it, sorted; undefined while they were never listed
 * @throws BadAnswer where the answer is about another key or about none
 */
export function keyFacts(
  metadata: KeyMetadata | undefined,
  stub: KeyStub,
  aliases: readonly string[] | undefined,
  known: KeyFacts | undefined,
): KeyFacts {
  const { account, region } = arnIn(metadata?.Arn, 'a described key');
  if (!metadata?.KeyState || metadata.Arn !== stub.resource)
    throw new BadAnswer('DescribeKey answered about another key');
  const names = aliases ?? known?.aliases ?? [];
  const current = metadata.CurrentKeyMaterialId;
  const expires = metadata.ExpirationModel === 'KEY_MATERIAL_EXPIRES' ? instant(metadata.ValidTo) : undefined;
  const deletion = instant(metadata.DeletionDate);
  const state: string = metadata.KeyState;
  return {
    resource: metadata.Arn,
    kind: 'aws-kms-key',
    name: nameOf(metadata.Arn, names),
    provider: 'aws',
    account,
    location: region,
    state,
    tags: known?.tags ?? {},
    aliases: names,
    ...present({
      spec: metadata.KeySpec ?? metadata.CustomerMasterKeySpec,
      // Deleted material keeps its id (aws.md 0.6): the version says which material it is, the state whether it is there.
      version: current === undefined ? undefined : known?.version?.id === current ? known.version : { id: current },
      createdAt: instant(metadata.CreationDate),
      expiresAt: expires,
      deletionAt: deletion,
      recoverableUntil: deletion,
      rotationEnabled: known?.rotationEnabled,
      lastRotatedAt: known?.lastRotatedAt,
      nextRotationAt: known?.nextRotationAt,
      versions: known?.versions,
      detailKey: known?.detailKey,
      detailedAt: known?.detailedAt,
    }),
    dependsOn: [],
    attributes: attributes({
      ...Object.fromEntries(DETAILS.map((name) => [name, known?.attributes[name]])),
      origin: metadata.Origin,
      keyManager: metadata.KeyManager,
      keyUsage: metadata.KeyUsage,
      enabled: metadata.Enabled,
      multiRegion: metadata.MultiRegion,
      multiRegionType: metadata.MultiRegionConfiguration?.MultiRegionKeyType,
      primaryKey: metadata.MultiRegionConfiguration?.PrimaryKey?.Arn,
      customKeyStoreId: metadata.CustomKeyStoreId,
      pendingDeletionWindowDays: metadata.PendingDeletionWindowInDays,
      cancelledDeletion: wasCancelled(state, known) || undefined,
    }),
  };
}

/** A cancelled deletion leaves the key disabled, and people think it is back (aws.md 2.1). */
function wasCancelled(state: string, known: KeyFacts | undefined): boolean {
  if (state !== 'Disabled' || !known) return false;
  return known.state === 'PendingDeletion' || known.attributes.cancelledDeletion === true;
}

/** Details are good for one generation of material. */
export function detailKey(facts: KeyFacts): string {
  return facts.version?.id ?? '';
}

/** What the calls for details answered; undefined where one was refused, `none` where the key has no such thing. */
export interface Details {
  readonly status:
    | {
        readonly KeyRotationEnabled?: boolean | undefined;
        readonly NextRotationDate?: Date | undefined;
        readonly RotationPeriodInDays?: number | undefined;
      }
    | 'none'
    | undefined;
  readonly rotations: readonly RotationsListEntry[] | 'none' | undefined;
  readonly tags: readonly Tag[] | undefined;
}

/** The facts with details. What was refused stays as it was known, and is marked. */
export function withDetails(facts: KeyFacts, { status, rotations, tags }: Details, now: number): KeyFacts {
  const { rotationEnabled, lastRotatedAt, nextRotationAt, ...rest } = facts;
  const told = status === 'none' || status === undefined ? undefined : status;
  const entries = rotations === 'none' ? [] : rotations;
  const dates = entries?.flatMap(({ RotationDate }) => instant(RotationDate) ?? []);
  return {
    ...rest,
    tags: tags
      ? Object.fromEntries(tags.flatMap(({ TagKey, TagValue }) => (TagKey ? [[TagKey, TagValue ?? '']] : [])))
      : facts.tags,
    ...present({
      version: dated(facts, entries),
      versions: generations(entries) ?? facts.versions,
      rotationEnabled: status === undefined ? rotationEnabled : told?.KeyRotationEnabled,
      nextRotationAt: status === undefined ? nextRotationAt : instant(told?.NextRotationDate),
      lastRotatedAt: dates === undefined ? lastRotatedAt : dates.length > 0 ? Math.max(...dates) : undefined,
    }),
    attributes: attributes({
      ...facts.attributes,
      rotationPeriodDays: status === undefined ? facts.attributes.rotationPeriodDays : told?.RotationPeriodInDays,
      missingMaterials: entries?.filter(({ ImportState }) => ImportState === 'PENDING_IMPORT').length || undefined,
      rotationDenied: status === undefined || rotations === undefined || undefined,
      tagsDenied: tags === undefined || undefined,
    }),
    detailKey: detailKey(facts),
    detailedAt: now,
  };
}

/** A key rotates at most ten times on demand, and then once in 90 days: what came and went in a downtime is among these. */
const VERSIONS_KEPT = 20;

/** Material that rotations made current, newest first; undefined where none is told. */
function generations(rotations: readonly RotationsListEntry[] | undefined): KeyFacts['versions'] {
  const made = rotations?.flatMap(({ KeyMaterialId: id, RotationDate }) => {
    const createdAt = instant(RotationDate);
    return id === undefined || createdAt === undefined ? [] : { id, createdAt };
  });
  if (!made || made.length === 0) return undefined;
  return made.sort((left, right) => right.createdAt - left.createdAt).slice(0, VERSIONS_KEPT);
}

/** Material is as old as the rotation that made it current; without any rotation, as the key (unless it was imported). */
function dated(facts: KeyFacts, rotations: readonly RotationsListEntry[] | undefined): KeyFacts['version'] {
  const { version } = facts;
  if (!version || !rotations) return version;
  const made = rotations.find(({ KeyMaterialId, RotationDate }) => KeyMaterialId === version.id && RotationDate);
  const born = rotations.length === 0 && facts.attributes.origin === 'AWS_KMS' ? facts.createdAt : undefined;
  return { id: version.id, ...present({ createdAt: instant(made?.RotationDate) ?? born ?? version.createdAt }) };
}

function nameOf(arn: string, aliases: readonly string[]): string {
  const [first] = aliases;
  return first === undefined ? keyIdOf(arn) : first.slice(first.lastIndexOf(':alias/') + 1);
}
