/** What breaks if a key goes away, and how far that can be known. Pure. */
import { type Blast, blastOf, type Fate } from './blast.ts';
import { type HarmBrief, harmOf } from './harm-brief.ts';
import type { ConsumerKind, KeyKind, ProviderName, SourceRecord } from './model.ts';
import { isRetired, keyUses } from './readers.ts';
import type { Relations } from './relations.ts';
import type { KeyView, Snapshot } from './snapshot.ts';
import { counted, iso } from './text.ts';
import { type Brief, briefOf, type Dependent, dependentsTree, type TreeOptions } from './tree.ts';
import { CONSUMER_WORDS, KIND_WORDS, REASON_WORDS } from './words.ts';

type Optional<T> = T | undefined;

/** `unknown`: nothing that is known breaks, but not everything is known. */
export const OUTCOMES = ['nothing', 'something', 'unknown'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/**
 * Why the answer may lack something. `source_down`, `source_stale`, `source_pending`: what would be seen there is not.
 * `unseen`: keys or consumers that nothing, or nothing new, is known of. `assumed`: keys whose own key is only taken from
 * what is configured. `not_watched`: the key itself.
 */
export const GAPS = ['source_down', 'source_stale', 'source_pending', 'unseen', 'assumed', 'not_watched'] as const;

export interface Gap {
  readonly kind: (typeof GAPS)[number];
  /** One plain sentence. */
  readonly text: string;
  /** Some of what it is about, by name. */
  readonly names?: Optional<readonly string[]>;
}

export type Tally = Readonly<Record<Fate, number>>;

/** What breaks if a key goes away. Times are ISO 8601. */
export interface Impact {
  /** When what it rests on was put together. */
  readonly at: string;
  /** It rests on a look of its own rather than on what a daemon knows. */
  readonly live: boolean;
  readonly resource: string;
  /** Absent: it is not watched, though something that is watched names it. */
  readonly key?: Optional<Brief>;
  readonly outcome: Outcome;
  readonly keys: Tally;
  readonly consumers: Tally;
  /** What it means that consumers of these kinds stop. */
  readonly meanings: readonly string[];
  /** When it begins to hurt them, worst first. */
  readonly harm: readonly HarmBrief[];
  readonly tree: readonly Dependent[];
  /** Direct dependents that the tree leaves out. */
  readonly more?: Optional<number>;
  readonly gaps: readonly Gap[];
  /** Sources that it rests on, by service. */
  readonly restsOn: readonly { readonly service: string; readonly objects: number }[];
}

export interface ImpactOptions extends TreeOptions {
  readonly now: number;
  readonly live: boolean;
  /** What was not looked at conclusively for longer is unseen, ms. */
  readonly staleAfterMs: number;
}

const NAMED = 5;

/** A source that has not told its detection bound yet is stale after this long, ms. */
const STALE_MS = 5 * 60_000;
/** As `KeyvigilCheckStale` has it. */
const STALE_BOUNDS = 3;

/** Kinds of keys that may need a key of this kind. */
const NEEDED_BY: Readonly<Record<KeyKind, readonly KeyKind[]>> = {
  'aws-kms-key': ['aws-secret', 'speke-provider'],
  'aws-secret': ['speke-provider'],
  'azure-vault': ['azure-key'],
  'azure-key': [],
  'speke-provider': [],
};

/** @param resource of a watched key, or a name that others name */
export function impactOf(resource: string, relations: Relations, options: ImpactOptions): Impact {
  const { snapshot } = relations;
  const key = snapshot.byResource.get(resource);
  const blast = blastOf(resource, relations);
  const keys = tally(blast.keys.values());
  const consumers = tally(blast.consumers.values());
  const provider = key?.provider ?? providerOf(resource);
  const gaps = [
    ...(key ? [] : [{ kind: 'not_watched', text: 'The key is not watched: what is told is what names it.' } as const]),
    ...sourceGaps(snapshot, provider, options.now),
    ...unseen(key, provider, relations, options),
  ];
  const hits = (one: Tally) => one.breaks + one.already + one.one_remove;
  const unsure = keys.unsure + consumers.unsure + gaps.length;
  const { children, more } = dependentsTree(blast, relations, options);
  return {
    at: iso(snapshot.at) ?? '',
    live: options.live,
    resource,
    key: key && briefOf(key, options.tagLabels),
    outcome: hits(keys) + hits(consumers) > 0 ? 'something' : unsure > 0 ? 'unknown' : 'nothing',
    keys,
    consumers,
    meanings: meaningsOf(blast),
    harm: harmOf(blast, relations, ['breaks', 'already']),
    tree: children,
    more,
    gaps,
    restsOn: restsOn(snapshot, provider),
  };
}

function tally(fates: Iterable<Fate>): Tally {
  const count: Record<Fate, number> = { breaks: 0, unsure: 0, already: 0, one_remove: 0, spared: 0 };
  for (const fate of fates) count[fate] += 1;
  return count;
}

function meaningsOf({ consumers }: Blast): readonly string[] {
  const kinds = new Set<ConsumerKind>();
  for (const [{ kind }, fate] of consumers) if (fate === 'breaks' || fate === 'already') kinds.add(kind);
  return [...kinds].map((kind) => `${KIND_WORDS[kind]}: ${CONSUMER_WORDS[kind].impaired.text}`);
}

function providerOf(resource: string): ProviderName | undefined {
  if (resource.startsWith('arn:')) return 'aws';
  return /^https:\/\/[^/]+\.(vault|managedhsm)\./.test(resource) ? 'azure' : undefined;
}

function sourceGaps({ sources }: Snapshot, provider: ProviderName | undefined, now: number): Gap[] {
  return sources.flatMap((source): Gap[] => {
    if ((provider !== undefined && source.provider !== provider) || isRetired(source)) return [];
    const place = `${source.service} of ${source.target} in ${source.location}`;
    if (source.up === undefined) return [{ kind: 'source_pending', text: `Not read yet: ${place}.` }];
    if (!source.up) {
      const why = source.reason === undefined ? '' : `: ${REASON_WORDS[source.reason].brief}`;
      return [{ kind: 'source_down', text: `Cannot be read: ${place}${why}.` }];
    }
    return isStale(source, now) ? [{ kind: 'source_stale', text: `Told nothing new for too long: ${place}.` }] : [];
  });
}

function isStale({ lastSuccessAt, detectionBoundMs }: SourceRecord, now: number): boolean {
  const bound = detectionBoundMs === undefined ? STALE_MS : STALE_BOUNDS * detectionBoundMs;
  return lastSuccessAt !== undefined && now - lastSuccessAt > bound;
}

/** What may need the key without anybody knowing. */
function unseen(
  key: KeyView | undefined,
  provider: ProviderName | undefined,
  { snapshot, records }: Relations,
  { staleAfterMs }: ImpactOptions,
): Gap[] {
  const kinds = key && NEEDED_BY[key.kind];
  const dark: string[] = [];
  const assumed: string[] = [];
  for (const other of snapshot.keys) {
    if (other === key || (provider !== undefined && other.provider !== provider)) continue;
    if (kinds && !kinds.includes(other.kind)) continue;
    // What was deleted for good needs nothing; what is lost is counted where it stands.
    const facts = records.key(other.resource)?.facts;
    if (!facts || other.blindSince !== undefined) dark.push(other.name);
    // A key serves its own Region alone.
    else if (key?.kind === 'aws-kms-key' && other.location === key.location) {
      if (facts.dependsOn.some((need) => need.assumed && !need.anyOf.includes(key.resource))) assumed.push(other.name);
    }
  }
  const consumers: string[] = [];
  for (const consumer of snapshot.consumers) {
    if (provider !== undefined && consumer.provider !== provider) continue;
    const { conclusiveAt, checkedAt } = consumer;
    const never = conclusiveAt === undefined && keyUses(consumer).length === 0;
    if (never || (conclusiveAt !== undefined && checkedAt - conclusiveAt > staleAfterMs)) consumers.push(consumer.name);
  }
  return [
    ...gap('unseen', dark, (count) => `Cannot be seen, or was not yet: ${counted(count, 'key')}.`),
    ...gap('unseen', consumers, (count) => `Cannot be seen, or was not yet: ${counted(count, 'consumer')}.`),
    ...gap(
      'assumed',
      assumed,
      (count) => `Encrypted with another key only as far as their settings tell: ${counted(count, 'secret')}.`,
    ),
  ];
}

function gap(kind: Gap['kind'], names: readonly string[], text: (count: number) => string): Gap[] {
  return names.length === 0 ? [] : [{ kind, text: text(names.length), names: names.slice(0, NAMED) }];
}

function restsOn({ sources }: Snapshot, provider: ProviderName | undefined): Impact['restsOn'] {
  const services = new Map<string, number>();
  for (const { service, objects = 0, up, provider: mine } of sources) {
    if (up !== true || (provider !== undefined && mine !== provider)) continue;
    services.set(service, (services.get(service) ?? 0) + objects);
  }
  return [...services].map(([service, objects]) => ({ service, objects }));
}
