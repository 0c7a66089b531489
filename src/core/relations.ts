/**
 * Who needs whom, for readers that ask in both directions: what a key needs with its any-of groups, and what needs it.
 * Made from a snapshot and the records behind it, which hold what the views leave out: names, groups, aliases.
 */
import { lazily } from './lazily.ts';
import type { KeyRecord, ProviderName } from './model.ts';
import { keyUses, resourceOf } from './readers.ts';
import type { ConsumerView, KeyView, Snapshot, UseView } from './snapshot.ts';

/** The records behind a snapshot. */
export interface Records {
  /** The record of a watched key. */
  key(resource: string): KeyRecord | undefined;
  /** The watched key that a full resource or an alias means; undefined: none. */
  resolve(name: string): string | undefined;
}

/** One of those that will do. Without `key` it is not watched. */
export interface Member {
  readonly name: string;
  /** Of whoever needs it: the grammar of the name is that cloud's. */
  readonly provider: ProviderName;
  readonly key?: KeyView;
}

/** Something that a key needs: any of the members will do. */
export interface Need {
  readonly role: string;
  /** It rests on what is configured rather than on what was seen to be used. */
  readonly assumed: boolean;
  readonly members: readonly Member[];
}

export interface Relations {
  readonly snapshot: Snapshot;
  readonly records: Records;
  consumer(resource: string): ConsumerView | undefined;
  needs(key: KeyView): readonly Need[];
  /** Keys that name this one (by its resource; what is not watched by its name), each once, itself excluded. */
  keysOn(resource: string): readonly KeyView[];
  /** Consumers that use it directly, each once. */
  consumersOn(resource: string): readonly ConsumerView[];
  /** Consumers that keep their data in this one. */
  storingIn(resource: string): readonly ConsumerView[];
}

/** The relations of a snapshot. Indexes are made when somebody asks: each takes one look at everything. */
export function relationsOf(snapshot: Snapshot, records: Records): Relations {
  const consumers = lazily(() => new Map(snapshot.consumers.map((one) => [one.resource, one])));
  const users = lazily(() => usersOf(snapshot));

  function needs(key: KeyView): readonly Need[] {
    const groups = records.key(key.resource)?.facts?.dependsOn ?? [];
    const { provider } = key;
    return groups.map(({ role, anyOf, assumed = false }) => {
      return { role, assumed, members: anyOf.map((name) => member(name, provider)) };
    });
  }

  function member(name: string, provider: ProviderName): Member {
    const resource = records.resolve(name);
    const key = resource === undefined ? undefined : snapshot.byResource.get(resource);
    return key ? { name, provider, key } : { name, provider };
  }

  return {
    snapshot,
    records,
    needs,
    consumer: (resource) => consumers().get(resource),
    keysOn: (resource) => users().keys.get(resource) ?? [],
    consumersOn: (resource) => users().consumers.get(resource) ?? [],
    storingIn: (resource) => users().stored.get(resource) ?? [],
  };
}

/** The uses of this key by the consumer. */
export function usesOf(consumer: ConsumerView, resource: string): readonly UseView[] {
  return keyUses(consumer).filter((use) => resourceOf(use) === resource);
}

/** The key of a use, as a member of what the consumer needs. */
export function memberOf({ provider }: ConsumerView, use: UseView, { snapshot }: Relations): Member {
  const key = use.key === undefined ? undefined : snapshot.byResource.get(use.key);
  return key ? { name: use.resource, provider, key } : { name: use.resource, provider };
}

interface Users {
  readonly keys: ReadonlyMap<string, readonly KeyView[]>;
  readonly consumers: ReadonlyMap<string, readonly ConsumerView[]>;
  readonly stored: ReadonlyMap<string, readonly ConsumerView[]>;
}

function usersOf(snapshot: Snapshot): Users {
  const users = { keys: new Map(), consumers: new Map(), stored: new Map() } as const satisfies Record<
    keyof Users,
    Map<string, unknown>
  >;
  for (const key of snapshot.keys) {
    for (const resource of key.dependsOn) append(users.keys, resource, key);
    for (const name of key.unwatched ?? []) append(users.keys, name, key);
  }
  for (const consumer of snapshot.consumers) {
    const used = keyUses(consumer);
    if (isLeaving(consumer)) continue;
    for (const use of used) append(users.consumers, resourceOf(use), consumer);
    if (used.length === consumer.uses.length) continue;
    for (const use of consumer.uses) if (!used.includes(use)) append(users.stored, use.resource, consumer);
  }
  return users;
}

/**
 * The last look said that it is gone: it still names its keys, but is linked to none of them. Of one that uses nothing that
 * is watched the reason says so.
 */
function isLeaving({ health, reason, uses }: ConsumerView): boolean {
  return health === 'unknown' && reason === undefined && uses.every(({ key }) => key === undefined);
}

/** One user after the other: whoever was entered last is the only one that could be entered twice. */
function append<T>(lists: Map<string, T[]>, name: string, item: T): void {
  const list = lists.get(name);
  if (list === undefined) lists.set(name, [item]);
  else if (list.at(-1) !== item) list.push(item);
}
