/** What every reader of a snapshot (page, API, terminal) asks of it in the same way. Pure. */
import { degrades } from './findings.ts';
import { type OpenFinding, type SourceRecord, STORES } from './model.ts';
import type { NotWatched } from './not-watched.ts';
import type { ConsumerView, KeyView, Snapshot, UseView } from './snapshot.ts';
import { CONSUMER_WORDS, type Words } from './words.ts';

/** Whether the cloud has retired what a source watches: it was asked with success, and there is nothing to read. */
export function isRetired(source: Pick<SourceRecord, 'up' | 'reason'>): boolean {
  return source.up === true && source.reason === 'provider_retired';
}

/** A name that tells keys apart: the same key name stands in many a vault, so `contoso/cmk` for one of a vault. */
export function displayName({ kind, name, resource }: Pick<KeyView, 'kind' | 'name' | 'resource'>): string {
  const vault = kind === 'azure-key' ? /^https:\/\/([^/.:]+)/.exec(resource)?.[1] : undefined;
  return vault === undefined ? name : `${vault}/${name}`;
}

/** What it means that this consumer does not work; undefined while it does. */
export function meaningOf({ health, kind }: Pick<ConsumerView, 'health' | 'kind'>): Words | undefined {
  return health === 'impaired' ? CONSUMER_WORDS[kind].impaired : undefined;
}

/** The finding that says most where there is room for one: the first that degrades, else the first. */
export function leadFinding({ findings }: Pick<KeyView, 'findings'>): OpenFinding | undefined {
  return findings.find(degrades) ?? findings[0];
}

/** The keys that a consumer uses, without what it keeps its data in. */
export function keyUses({ uses }: Pick<ConsumerView, 'uses'>): readonly UseView[] {
  return uses.filter((use) => use.role !== STORES);
}

/** The resource of a use: that of the watched key that its name means, else the name itself. */
export function resourceOf(use: UseView): string {
  return use.key ?? use.resource;
}

/** Why nothing that is watched has the name of this use; undefined: something has, or it is no key. */
export function notWatchedOf(
  { provider }: Pick<ConsumerView, 'provider'>,
  use: UseView,
  { notWatched }: Pick<Snapshot, 'notWatched'>,
): NotWatched | undefined {
  return use.key !== undefined || use.role === STORES ? undefined : notWatched(provider, use.resource);
}

/**
 * Everything that a consumer needs, directly or through keys, and that is not watched: what trouble may come from without
 * anybody seeing it. What the cloud manages itself is no such thing. Each name once.
 */
export function unwatchedBehind(
  consumer: Pick<ConsumerView, 'provider' | 'uses'>,
  snapshot: Pick<Snapshot, 'byResource' | 'notWatched'>,
): ReadonlyMap<string, NotWatched> {
  const found = new Map<string, NotWatched>();
  const note = (name: string, why: NotWatched) => {
    if (why.reason !== 'cloud_managed') found.set(name, why);
  };
  const reached = new Set<string>();
  for (const use of keyUses(consumer)) {
    const why = notWatchedOf(consumer, use, snapshot);
    if (why) note(use.resource, why);
    else reached.add(resourceOf(use));
  }
  // What is reached while it runs is looked at too.
  for (const resource of reached) {
    const key = snapshot.byResource.get(resource);
    for (const name of key?.unwatched ?? []) note(name, snapshot.notWatched(key?.provider ?? consumer.provider, name));
    for (const needed of key?.dependsOn ?? []) reached.add(needed);
  }
  return found;
}

/** Whether a version other than the current one is in use. */
export function isOutdated(use: UseView): use is UseView & { readonly outdatedSince: number } {
  return use.outdatedSince !== undefined;
}

/** One generation of a key: what its cloud still tells of it, and when it was seen to become the current one. */
export interface Generation {
  readonly version: string;
  readonly createdAt?: number | undefined;
  readonly detectedAt?: number | undefined;
  readonly enabled?: boolean | undefined;
  readonly notBeforeAt?: number | undefined;
  readonly expiresAt?: number | undefined;
}

/**
 * The generations of a key, oldest first: those that were seen and those that its cloud lists, each once.
 * @param seen oldest first; instants in ms
 */
export function generations(
  view: Pick<KeyView, 'versions'>,
  seen: readonly { readonly version: string; readonly createdAt?: number; readonly detectedAt: number }[],
): readonly Generation[] {
  const { versions = [] } = view;
  if (versions.length === 0) return seen;
  const all = new Map<string, Generation>(seen.map((one) => [one.version, one]));
  for (const { id, createdAt, enabled, notBeforeAt, expiresAt } of versions.toReversed()) {
    const known = all.get(id);
    all.set(id, { ...known, version: id, createdAt: createdAt ?? known?.createdAt, enabled, notBeforeAt, expiresAt });
  }
  const bornAt = (one: Generation) => one.createdAt ?? one.detectedAt ?? 0;
  return [...all.values()].toSorted((a, b) => bornAt(a) - bornAt(b));
}
