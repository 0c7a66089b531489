/**
 * What becomes of everything behind a key if that key goes away, given what is known now. The same rules as the graph's:
 * a key falls when some group of what it needs has no member left, a consumer when a key that it uses falls. Pure.
 */
import { keyUses } from './readers.ts';
import { type Member, memberOf, type Relations } from './relations.ts';
import type { ConsumerView, KeyView, UseView } from './snapshot.ts';

/**
 * `breaks`: it works as far as is known, and would not any more. `unsure`: whether it goes on rests on something that is
 * not watched or cannot be seen. `already`: it is lost or impaired as it is. `one_remove`: it keeps its data in a consumer
 * that breaks. `spared`: it has another key, or uses a version that goes on.
 */
export const FATES = ['breaks', 'unsure', 'already', 'one_remove', 'spared'] as const;
export type Fate = (typeof FATES)[number];

export interface Blast {
  readonly resource: string;
  /** Everything behind the key, itself excluded. */
  readonly keys: ReadonlyMap<KeyView, Fate>;
  readonly consumers: ReadonlyMap<ConsumerView, Fate>;
  /** What a spared or unsure key could be used with instead, as it is named. */
  instead(key: KeyView): readonly string[];
}

/** @param resource of a watched key, or a name that is not watched but that others name */
export function blastOf(resource: string, relations: Relations): Blast {
  // What is lost with the key for sure, and what is lost with it if everything that cannot be told is lost as well.
  const surely = fallWith(resource, relations, isLost);
  const perhaps = fallWith(resource, relations, (member) => isLost(member) || !isProven(member, relations));
  const fallen = (member: Member) => isIn(surely, member) || isLost(member);

  const keys = new Map<KeyView, Fate>();
  const consumers = new Map<ConsumerView, Fate>();
  const waiting = [resource];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const consumer of relations.consumersOn(next)) {
      if (!consumers.has(consumer)) consumers.set(consumer, fateOfConsumer(consumer));
    }
    for (const key of relations.keysOn(next)) {
      if (key.resource === resource || keys.has(key)) continue;
      const fate = fateOfKey(key);
      keys.set(key, fate);
      // Behind what goes on nothing changes.
      if (fate !== 'spared') waiting.push(key.resource);
    }
  }
  for (const [consumer, fate] of [...consumers]) {
    if (fate !== 'breaks') continue;
    for (const other of relations.storingIn(consumer.resource)) {
      if (!consumers.has(other) && other.health !== 'impaired') consumers.set(other, 'one_remove');
    }
  }

  function fateOfKey(key: KeyView): Fate {
    if (key.health === 'inaccessible') return 'already';
    if (surely.has(key.resource)) return 'breaks';
    return perhaps.has(key.resource) ? 'unsure' : 'spared';
  }

  function fateOfConsumer(consumer: ConsumerView): Fate {
    if (consumer.health === 'impaired') return 'already';
    const uses = keyUses(consumer).map((use) => ({ use, member: memberOf(consumer, use, relations) }));
    if (uses.some(({ use, member }) => fallen(member) && !goesOn(consumer, use, member))) return 'breaks';
    return uses.some(({ member }) => !fallen(member) && isIn(perhaps, member)) ? 'unsure' : 'spared';
  }

  /** Whether only newer versions of the key are disabled, as the graph has it. The key that goes away takes all along. */
  function goesOn(consumer: ConsumerView, use: UseView, { key }: Member): boolean {
    if (!key || key.resource === resource || key.own?.reason !== 'disabled') return false;
    if (relations.needs(key).some(({ members }) => members.every(fallen))) return false;
    const older = (key.versions ?? []).filter(({ id, enabled }) => id !== key.version && enabled === true);
    return consumer.uses
      .filter((one) => one.resource === use.resource)
      .every(({ versionInUse }) => older.some(({ id }) => id === versionInUse));
  }

  return {
    resource,
    keys,
    consumers,
    instead(key) {
      const others = relations
        .needs(key)
        .filter(({ members }) => members.some((member) => isIn(perhaps, member)))
        .flatMap(({ members }) => members.filter((member) => !fallen(member)));
      const proven = others.filter((member) => !isIn(perhaps, member) && isProven(member, relations));
      return [...new Set((proven.length > 0 ? proven : others).map(({ name, key: one }) => one?.name ?? name))];
    },
  };
}

function isLost({ key }: Member): boolean {
  return key?.health === 'inaccessible';
}

/**
 * Whether it was seen to work, and still is seen, and so is what it needs. What the cloud manages itself nobody can lose.
 * @param above what asks: a cycle by itself causes no doubt
 */
function isProven({ name, provider, key }: Member, relations: Relations, above: readonly KeyView[] = []): boolean {
  if (!key) return relations.snapshot.notWatched(provider, name).reason === 'cloud_managed';
  if (key.health === 'unknown' || key.blindSince !== undefined) return false;
  if (above.includes(key)) return true;
  const path = [...above, key];
  return relations
    .needs(key)
    .every(({ members }) => members.length === 0 || members.some((member) => isProven(member, relations, path)));
}

function isIn(resources: ReadonlySet<string>, { name, key }: Member): boolean {
  return resources.has(key?.resource ?? name);
}

/** Resources of the keys that fall with this one, itself included, those that are lost as it is excluded. */
function fallWith(resource: string, relations: Relations, isDown: (member: Member) => boolean): ReadonlySet<string> {
  const down = new Set([resource]);
  const waiting = [resource];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const key of relations.keysOn(next)) {
      if (down.has(key.resource) || key.health === 'inaccessible') continue;
      const hit = relations.needs(key).some(({ members }) => {
        const touched = members.some((member) => isIn(down, member));
        return touched && members.every((member) => isIn(down, member) || isDown(member));
      });
      if (!hit) continue;
      down.add(key.resource);
      waiting.push(key.resource);
    }
  }
  return down;
}
