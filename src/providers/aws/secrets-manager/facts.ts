/** From what Secrets Manager answers to facts. Pure; types of the SDK only. */
import { hash } from 'node:crypto';
import type {
  DescribeSecretResponse,
  ReplicationStatusType,
  SecretListEntry,
  SecretVersionsListEntry,
  Tag,
} from '@aws-sdk/client-secrets-manager';
import type { Dependency, KeyFacts, KeyStub, Version } from '../../../core/model.ts';
import { attributes, instant, present } from '../../look.ts';
import { arnIn, customerKeyArn, type Home } from '../arn.ts';
import { BadAnswer } from '../paging.ts';
import { nameArnOf } from '../secret-names.ts';

const DAY_MS = 86_400_000;
/** The shortest window in which a deletion can be undone. Which one was chosen (7 to 30 days) is in no answer: aws.md 0.1. */
const SHORTEST_WINDOW_MS = 7 * DAY_MS;
/**
 * The cloud tells when a deletion was asked for, emulators when it completes, days ahead. What is no further ahead than
 * this is a clock that is behind.
 */
const CLOCK_SLACK_MS = 3_600_000;

type Stages = Readonly<Record<string, string[]>> | undefined;

/** What a listing tells of one secret. @throws BadAnswer where it has no identity */
export function stubOf(entry: SecretListEntry): KeyStub {
  const { account, region } = arnIn(entry.ARN, 'a listed secret');
  return {
    resource: entry.ARN ?? '',
    kind: 'aws-secret',
    name: entry.Name ?? entry.ARN ?? '',
    provider: 'aws',
    account,
    location: region,
  };
}

/**
 * Changes with everything that a listing tells of a secret, except when somebody last read it. Runs for every secret in
 * every sweep, so it sorts only what has no order of its own.
 */
export function digestOf(entry: SecretListEntry): string {
  let canonical = '';
  for (const [field, value] of Object.entries(entry).sort(byName)) {
    if (field === 'LastAccessedDate') continue;
    if (field === 'SecretVersionsToStages') canonical += `${field}=${stagesText(value as Stages)}\n`;
    else if (field === 'Tags')
      canonical += `${field}=${JSON.stringify(Object.entries(tagsOf(value as Tag[])).sort(byName))}\n`;
    else canonical += `${field}=${value instanceof Date ? value.getTime() : JSON.stringify(value)}\n`;
  }
  return hash('sha256', canonical, 'base64url').slice(0, 22);
}

function stagesText(stages: Stages): string {
  const labelled = Object.entries(stages ?? {}).map(([id, labels]) => `${id}:${[...labels].sort().join(',')}`);
  return labelled.sort().join(' ');
}

function byName(a: readonly [string, unknown], b: readonly [string, unknown]): number {
  return a[0] < b[0] ? -1 : 1;
}

/**
 * Facts of one described secret. What `known` holds of details is carried over while it still applies.
 * @throws BadAnswer where the answer is about another secret or about none
 */
export function secretFacts(
  answer: DescribeSecretResponse,
  stub: KeyStub,
  known: KeyFacts | undefined,
  now: number,
): KeyFacts {
  const home = arnIn(answer.ARN, 'a described secret');
  if (answer.ARN !== stub.resource) throw new BadAnswer('DescribeSecret answered about another secret');
  const stages = answer.VersionIdsToStages;
  const version = versionOf(holder(stages, 'AWSCURRENT'), known);
  const pending = holder(stages, 'AWSPENDING');
  // After a good rotation the label may stay where it is: on what is current by now (aws.md 0.3).
  const pendingVersion = pending === version?.id ? undefined : versionOf(pending, known);
  const deletion = deletionOf(instant(answer.DeletedDate), now);
  const facts: KeyFacts = {
    resource: answer.ARN,
    kind: 'aws-secret',
    name: answer.Name ?? stub.name,
    provider: 'aws',
    account: home.account,
    location: home.region,
    state: stateOf(deletion !== undefined, stages, version, known?.version !== undefined),
    tags: tagsOf(answer.Tags),
    ...present({
      aliases: aliasesOf(answer.ARN, answer.Name ?? stub.name),
      version,
      previousVersion: versionOf(holder(stages, 'AWSPREVIOUS'), known),
      pendingVersion,
      createdAt: instant(answer.CreatedDate),
      changedAt: instant(answer.LastChangedDate),
      deletionAt: deletion?.completesAt,
      recoverableUntil: deletion?.completesAt,
      rotationEnabled: answer.RotationEnabled,
      lastRotatedAt: instant(answer.LastRotatedDate),
      nextRotationAt: instant(answer.NextRotationDate),
    }),
    dependsOn: decryptedBy([answer.KmsKeyId], home, true),
    attributes: attributes({
      kmsKeyId: answer.KmsKeyId,
      owningService: answer.OwningService,
      primaryRegion: answer.PrimaryRegion,
      type: answer.Type,
      rotationDuration: answer.RotationRules?.Duration,
      deletionRequestedAt: deletion?.requestedAt,
      pendingSince: pendingVersion && pendingSince(pendingVersion, known, now),
      customStages: customStages(stages),
      ...replicationOf(answer.ReplicationStatus),
    }),
  };
  const applies = known?.detailKey !== undefined && known.detailKey === detailKey(facts);
  if (!applies) return facts;
  return {
    ...facts,
    dependsOn: known.dependsOn,
    ...present({ versions: known.versions, detailKey: known.detailKey, detailedAt: known.detailedAt }),
  };
}

/** Details are good for one current version under one configured key: a new key re-encrypts what is labelled. */
export function detailKey(facts: KeyFacts): string {
  return `${facts.version?.id ?? ''} ${facts.attributes.kmsKeyId ?? ''}`;
}

/** A secret has at most about a hundred versions; what came and went in a downtime is among the newest. */
export const VERSIONS_KEPT = 20;

/**
 * The facts with what the list of versions adds: the keys that really encrypted the current version, and when versions
 * were made. An answer that tells no keys (moto) leaves the edge that was assumed.
 * @throws BadAnswer where the current version is not among them
 */
export function withVersions(facts: KeyFacts, versions: readonly SecretVersionsListEntry[], now: number): KeyFacts {
  const entry = (id: string | undefined) => versions.find((candidate) => candidate.VersionId === id);
  const dated = (version: Version | undefined): Version | undefined =>
    version && {
      id: version.id,
      ...present({ createdAt: instant(entry(version.id)?.CreatedDate) ?? version.createdAt }),
    };
  const current = entry(facts.version?.id);
  // Rotated in between, or the list lags behind: next time.
  if (!current) throw new BadAnswer('ListSecretVersionIds does not know the current version');
  const keys = current.KmsKeyIds ?? [];
  return {
    ...facts,
    ...present({
      version: dated(facts.version),
      previousVersion: dated(facts.previousVersion),
      pendingVersion: dated(facts.pendingVersion),
    }),
    versions: newest(versions, facts.pendingVersion?.id),
    dependsOn: keys.length === 0 ? facts.dependsOn : decryptedBy(keys, arnIn(facts.resource, 'a secret'), false),
    detailKey: detailKey(facts),
    detailedAt: now,
  };
}

/** The newest generations, newest first. One that is on its way in was never current. */
function newest(versions: readonly SecretVersionsListEntry[], pending: string | undefined): readonly Version[] {
  return versions
    .flatMap(({ VersionId: id, CreatedDate }) => {
      const createdAt = instant(CreatedDate);
      return id === undefined || id === pending || createdAt === undefined ? [] : { id, createdAt };
    })
    .sort((left, right) => right.createdAt - left.createdAt)
    .slice(0, VERSIONS_KEPT);
}

/** Any of the keys will do; with the default key among them nothing that can be watched decides. */
function decryptedBy(keys: ReadonlyArray<string | undefined>, home: Home, assumed: boolean): readonly Dependency[] {
  const arns = keys.map((key) => customerKeyArn(key, home));
  const anyOf = [...new Set(arns)].filter((arn) => arn !== undefined);
  if (arns.includes(undefined)) return [];
  return [assumed ? { anyOf, role: 'decrypts', assumed } : { anyOf, role: 'decrypts' }];
}

/** What a name, and an ARN without its random suffix, mean. */
function aliasesOf(arn: string, name: string): readonly string[] | undefined {
  const alias = nameArnOf(arn, name);
  return alias === undefined ? undefined : [alias];
}

const AWS_STAGES: readonly string[] = ['AWSCURRENT', 'AWSPREVIOUS', 'AWSPENDING'];

/** Labels of one's own with the versions that carry them, `blue=1111… green=2222…`: a consumer may ask for one. */
function customStages(stages: Stages): string | undefined {
  const own = Object.entries(stages ?? {}).flatMap(([id, labels]) =>
    labels.filter((label) => !AWS_STAGES.includes(label)).map((label) => `${label}=${id}`),
  );
  return own.length === 0 ? undefined : own.sort().join(' ');
}

function holder(stages: Stages, label: string): string | undefined {
  return Object.entries(stages ?? {}).find(([, labels]) => labels.includes(label))?.[0];
}

/** A version never changes: what is known of when it was made stays true. */
function versionOf(id: string | undefined, known: KeyFacts | undefined): Version | undefined {
  if (id === undefined) return undefined;
  const versions = [known?.version, known?.previousVersion, known?.pendingVersion];
  return versions.find((version) => version?.id === id) ?? { id };
}

function pendingSince(pending: Version, known: KeyFacts | undefined, now: number): number {
  const since = known?.pendingVersion?.id === pending.id ? known.attributes.pendingSince : undefined;
  return typeof since === 'number' ? since : now;
}

/** @param hadVersion whether a current version was known before */
function stateOf(deleted: boolean, stages: Stages, version: Version | undefined, hadVersion: boolean): string {
  if (deleted) return 'ScheduledForDeletion';
  if (version) return 'Active';
  // A secret that never got a value has no labels at all (aws.md 0.3); one that had a value and lost them all is another thing.
  const labelled = Object.values(stages ?? {}).some((labels) => labels.length > 0);
  return labelled || hadVersion ? 'NoCurrentVersion' : 'NeverFilled';
}

function deletionOf(at: number | undefined, now: number): { completesAt: number; requestedAt?: number } | undefined {
  if (at === undefined) return undefined;
  if (at > now + CLOCK_SLACK_MS) return { completesAt: at };
  return { completesAt: at + SHORTEST_WINDOW_MS, requestedAt: at };
}

function replicationOf(replicas: readonly ReplicationStatusType[] | undefined) {
  const all = replicas ?? [];
  const failed = all.filter(({ Status }) => Status === 'Failed');
  if (all.length === 0) return {};
  const regions = (some: readonly ReplicationStatusType[]) => some.map(({ Region }) => Region ?? '?').join(' ');
  const [first] = failed;
  if (!first)
    return {
      replicas: regions(all),
      replication: all.every(({ Status }) => Status === 'InSync') ? 'InSync' : 'InProgress',
    };
  return {
    replicas: regions(all),
    replication: 'Failed',
    replicationFailed: regions(failed),
    replicationMessage: first.StatusMessage,
  };
}

function tagsOf(tags: readonly Tag[] | undefined): Record<string, string> {
  return Object.fromEntries((tags ?? []).flatMap(({ Key, Value }) => (Key === undefined ? [] : [[Key, Value ?? '']])));
}
