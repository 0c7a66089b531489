/** The dependency tree of a key or consumer as plain values, cut to a size: downward what needs it, upward what it needs. */
import { type Blast, FATES, type Fate } from './blast.ts';
import type { ConsumerKind, KeyKind } from './model.ts';
import type { NotWatched } from './not-watched.ts';
import { displayName, keyUses } from './readers.ts';
import type { KeyReason } from './reasons.ts';
import { type Member, memberOf, type Need, type Relations, usesOf } from './relations.ts';
import type { ConsumerView, KeyView, UseView } from './snapshot.ts';
import { iso } from './text.ts';

type Optional<T> = T | undefined;

/** One object of a tree. Times are ISO 8601. */
export interface Brief {
  readonly resource: string;
  readonly kind: KeyKind | ConsumerKind;
  readonly name: string;
  readonly account: string;
  readonly location: string;
  readonly health: KeyView['health'] | ConsumerView['health'];
  readonly reason?: Optional<KeyReason | ConsumerView['reason']>;
  readonly since?: Optional<string>;
  readonly blindSince?: Optional<string>;
  /** Whom to ask: the configured tag labels that it has, else a tag that names an owner. */
  readonly owners?: Optional<Readonly<Record<string, string>>>;
}

/** How a consumer uses a key. */
export interface UseBrief {
  readonly role: string;
  readonly part?: Optional<string>;
  readonly versionInUse?: Optional<string>;
  readonly pinned?: Optional<boolean>;
  readonly outdatedSince?: Optional<string>;
}

/** Something that needs what stands above it. */
export interface Dependent extends Brief {
  readonly fate: Fate;
  /** Names of what a key could be used with instead. */
  readonly instead?: Optional<readonly string[]>;
  /** Of a key: its need of the one above is taken from what is configured, and may be out of date. */
  readonly assumed?: Optional<boolean>;
  /** Of a consumer: what it does with the key above. */
  readonly uses?: Optional<readonly UseBrief[]>;
  /** What needs it in turn. */
  readonly children?: Optional<readonly Dependent[]>;
  /** Children that are not listed, for want of room. */
  readonly more?: Optional<number>;
  /** It stands in the tree already, with its children there. */
  readonly again?: Optional<boolean>;
}

/** Something that is needed: any of the members will do. */
export interface Needed {
  readonly role: string;
  readonly assumed?: Optional<boolean>;
  /** Of a consumer: the part that needs it, and the version. */
  readonly use?: Optional<UseBrief>;
  readonly anyOf: readonly NeededKey[];
}

/** A key that is needed. Without `key` it is not watched. */
export interface NeededKey {
  readonly name: string;
  readonly key?: Optional<Brief>;
  /** Why it is not watched, in a sentence, and what to configure. */
  readonly notWatched?: Optional<NotWatched>;
  /** To blame for the trouble of what the tree is about. */
  readonly root?: Optional<boolean>;
  readonly undo?: Optional<string>;
  readonly recoverableUntil?: Optional<string>;
  readonly needs?: Optional<readonly Needed[]>;
  readonly again?: Optional<boolean>;
}

/** Tag keys that say whom to call where no tag label is configured, or none is set. */
const OWNER_TAGS = ['owner', 'team', 'contact'];

/** A chain of keys longer than this is cut: no cloud has any. */
const MAX_DEPTH = 12;

export function briefOf(view: KeyView | ConsumerView, tagLabels: readonly string[]): Brief {
  const isKey = 'dependsOn' in view;
  return {
    resource: view.resource,
    kind: view.kind,
    name: isKey ? displayName(view) : view.name,
    account: view.account,
    location: view.location,
    health: view.health,
    reason: view.reason,
    since: iso(view.since),
    blindSince: isKey ? iso(view.blindSince) : undefined,
    owners: ownersOf(view.tags, tagLabels),
  };
}

/** The tags that say whose it is; undefined: none does. */
function ownersOf(
  tags: Readonly<Record<string, string>>,
  tagLabels: readonly string[],
): Readonly<Record<string, string>> | undefined {
  const configured = tagLabels.flatMap((tag) => (Object.hasOwn(tags, tag) && tags[tag] ? [[tag, tags[tag]]] : []));
  if (configured.length > 0) return Object.fromEntries(configured) as Record<string, string>;
  const owner = Object.entries(tags).find(([tag, value]) => OWNER_TAGS.includes(tag.toLowerCase()) && value !== '');
  return owner && { [owner[0]]: owner[1] };
}

export interface TreeOptions {
  readonly tagLabels: readonly string[];
  /** How many objects a tree lists at most. */
  readonly limit: number;
}

/** What needs the resource of the blast, worst first, each key with what needs it below. */
export function dependentsTree(
  blast: Blast,
  relations: Relations,
  options: TreeOptions,
): { readonly children: readonly Dependent[]; readonly more?: number | undefined } {
  let room = options.limit;
  const shown = new Set<KeyView>();

  function below(resource: string, depth: number): { children: Dependent[]; more?: number } {
    const consumers = relations.consumersOn(resource).flatMap((view) => {
      const fate = blast.consumers.get(view);
      return fate ? [{ view, fate }] : [];
    });
    const keys = relations.keysOn(resource).flatMap((view) => {
      const fate = blast.keys.get(view);
      return fate ? [{ view, fate }] : [];
    });
    const children: Dependent[] = [];
    for (const { view, fate } of consumers.sort(worstFirst)) {
      if (room <= 0) break;
      room -= 1;
      children.push(consumerNode(view, fate, resource));
    }
    for (const { view, fate } of keys.sort(worstFirst)) {
      if (room <= 0) break;
      room -= 1;
      children.push(keyNode(view, fate, resource, depth));
    }
    const more = consumers.length + keys.length - children.length;
    return { children, ...(more > 0 && { more }) };
  }

  function keyNode(view: KeyView, fate: Fate, above: string, depth: number): Dependent {
    const instead = fate === 'spared' || fate === 'unsure' ? blast.instead(view) : undefined;
    const node = { ...briefOf(view, options.tagLabels), fate, instead, assumed: isAssumed(view, above) };
    if (shown.has(view)) return { ...node, again: true };
    shown.add(view);
    if (fate === 'spared') return node;
    if (depth >= MAX_DEPTH) {
      const more = relations.keysOn(view.resource).length + relations.consumersOn(view.resource).length;
      return more > 0 ? { ...node, more } : node;
    }
    const { children, more } = below(view.resource, depth + 1);
    return { ...node, ...(children.length > 0 && { children }), more };
  }

  function consumerNode(view: ConsumerView, fate: Fate, above: string): Dependent {
    const stored = relations.storingIn(view.resource).filter((one) => blast.consumers.get(one) === 'one_remove');
    const children = stored.slice(0, Math.max(0, room)).map((one) => {
      return { ...briefOf(one, options.tagLabels), fate: 'one_remove' as const };
    });
    room -= children.length;
    const more = stored.length - children.length;
    const uses = usesOf(view, above).map(useBrief);
    return {
      ...briefOf(view, options.tagLabels),
      fate,
      uses,
      ...(children.length > 0 && { children }),
      ...(more > 0 && { more }),
    };
  }

  function isAssumed(key: KeyView, above: string): true | undefined {
    const named = relations.needs(key).filter(({ members }) => members.some((one) => resourceOfMember(one) === above));
    return named.length > 0 && named.every(({ assumed }) => assumed) ? true : undefined;
  }

  return below(blast.resource, 1);
}

/** What a key or consumer needs, what is broken first, each with what it needs in turn. */
export function needsTree(
  view: KeyView | ConsumerView,
  relations: Relations,
  options: TreeOptions,
): { readonly needs: readonly Needed[]; readonly more?: number | undefined } {
  const roots = new Set(view.rootCauses);
  const shown = new Set<string>([view.resource]);
  let room = options.limit;

  function ofKey(key: KeyView, depth: number): Needed[] {
    return take(relations.needs(key).toSorted((a, b) => trouble(a.members) - trouble(b.members))).map((need) => ({
      role: need.role,
      ...(need.assumed && { assumed: true }),
      anyOf: need.members.map((member) => node(member, depth)),
    }));
  }

  function node({ name, key, provider }: Member, depth: number): NeededKey {
    if (!key) return { name, notWatched: relations.snapshot.notWatched(provider, name) };
    const told: NeededKey = {
      name: displayName(key),
      key: briefOf(key, options.tagLabels),
      ...(roots.has(key.resource) && { root: true, undo: key.undo, recoverableUntil: iso(key.recoverableUntil) }),
    };
    if (shown.has(key.resource)) return { ...told, again: true };
    shown.add(key.resource);
    const needs = depth < MAX_DEPTH ? ofKey(key, depth + 1) : [];
    return needs.length > 0 ? { ...told, needs } : told;
  }

  function take<T>(all: readonly T[]): readonly T[] {
    const taken = all.slice(0, Math.max(0, room));
    room -= taken.length;
    return taken;
  }

  if ('dependsOn' in view) {
    const needs = ofKey(view, 1);
    const more = relations.needs(view).length - needs.length;
    return { needs, ...(more > 0 && { more }) };
  }
  const uses = keyUses(view).map((use) => ({ use, member: memberOf(view, use, relations) }));
  const shownUses = take(uses.toSorted((a, b) => trouble([a.member]) - trouble([b.member])));
  const needs = shownUses.map(({ use, member }) => ({
    role: use.role,
    use: useBrief(use),
    anyOf: [node(member, 1)],
  }));
  const more = uses.length - needs.length;
  return { needs, ...(more > 0 && { more }) };
}

function resourceOfMember({ name, key }: Member): string {
  return key?.resource ?? name;
}

function useBrief({ role, part, versionInUse, pinned, outdatedSince }: UseView): UseBrief {
  return { role, part, versionInUse, pinned, outdatedSince: iso(outdatedSince) };
}

/** 0 what is broken, 2 what works. */
function trouble(members: Need['members']): number {
  if (members.length > 0 && members.every(({ key }) => key?.health === 'inaccessible')) return 0;
  return members.every(({ key }) => key?.health === 'accessible') ? 2 : 1;
}

const HEALTH_RANK = ['inaccessible', 'impaired', 'unknown', 'at_risk', 'degraded', 'ok', 'accessible'];

interface Ranked {
  readonly view: KeyView | ConsumerView;
  readonly fate: Fate;
}

function worstFirst(a: Ranked, b: Ranked): number {
  return (
    FATES.indexOf(a.fate) - FATES.indexOf(b.fate) ||
    HEALTH_RANK.indexOf(a.view.health) - HEALTH_RANK.indexOf(b.view.health) ||
    (a.view.name === b.view.name ? (a.view.resource < b.view.resource ? -1 : 1) : a.view.name < b.view.name ? -1 : 1)
  );
}
