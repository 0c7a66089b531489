/** The page of one key. */
import type { Explanation } from '../core/explain.ts';
import type { StoredEvent } from '../core/model.ts';
import { displayName, type Generation, generations, resourceOf } from '../core/readers.ts';
import type { ConsumerView, KeyView } from '../core/snapshot.ts';
import { counted, grouped } from '../core/text.ts';
import { KIND_WORDS, REASON_WORDS } from '../core/words.ts';
import type { SeenVersion } from './deps.ts';
import { layout, type PageContext } from './layout.ts';
import { badge, command, consumerLink, type Html, keyLink, markup, nothing, when } from './markup.ts';
import type { Overview } from './overview.ts';
import { deadline, definitions, events, evidence, extras, findings, meanings, rootCauses } from './parts.ts';
import { alertsSection, dependentsList, harmLines, needsList } from './tree.ts';

/** Consumers that are named beside the version that they use. */
const USERS_SHOWN = 12;

export interface History {
  /** Oldest first. */
  readonly versions: readonly SeenVersion[];
  /** Newest first. */
  readonly events: readonly StoredEvent[];
}

/**
 * Everything about one key: verdict, evidence, what it takes down, what undoes it, which alert fires, and how it came to that.
 * @param told its trees list at most `TREE_SHOWN` objects each
 */
export function detailPage(
  key: KeyView,
  told: Explanation,
  overview: Overview,
  history: History,
  context: PageContext,
): Html {
  const { now } = context;
  const words = key.reason === undefined ? undefined : REASON_WORDS[key.reason];
  const isLost = key.health === 'inaccessible';
  const body = markup`<nav aria-label="Back"><a href="../">← all keys</a></nav>
<section class="hero ${key.health}" aria-label="Summary">
<h1><bdi>${key.name}</bdi></h1>
<p>${badge(key.health)} <span class="kind">${KIND_WORDS[key.kind]}</span>${key.critical ? ' · critical' : ''}${key.blindSince === undefined ? nothing : markup` <span class="badge blind">blind</span>`}${heldIn(key, overview)}</p>
<p class="why"><b>${words?.text ?? 'It can be used.'}</b></p>
<p>Since ${when(key.since, now)}</p>
${key.baseline ? markup`<p>It was already so when keyvigil first saw it.</p>` : nothing}
${blindness(key, overview, now)}
${deadline(key, now)}
${key.undo === undefined ? nothing : markup`<p class="label">Undo</p>${command(key.undo)}`}
</section>
${rootCauses(key.rootCauses, overview, now)}
${findings(key.findings, now)}
${alertsSection(told, now)}
${dependents(key, told, overview)}
${dependencies(told)}
<section aria-labelledby="evidence"><h2 id="evidence">${isLost ? 'Evidence' : 'Last look'}</h2>${evidence(key, now, [['Own verdict', key.own === undefined ? 'nothing conclusive is known' : ownVerdict(key.own)]])}</section>
<section aria-labelledby="facts"><h2 id="facts">Facts</h2>${facts(key, now)}</section>
${key.kind === 'azure-vault' ? nothing : markup`<section aria-labelledby="versions"><h2 id="versions">Versions</h2>${versions(key, history.versions, overview, now)}</section>`}
<section aria-labelledby="events"><h2 id="events">Events</h2>${events(history.events, now)}</section>
<p><a href="../api/v1/keys/${encodeURIComponent(key.resource.toWellFormed())}">This key as JSON</a></p>`;
  return layout(`${key.name} · keyvigil`, body, { ...context, resource: key.resource });
}

/** A key that is not watched (any more), with what the log still tells of it. */
export function unknownKeyPage(resource: string, log: readonly StoredEvent[], context: PageContext): Html {
  const body = markup`<nav aria-label="Back"><a href="../">← all keys</a></nav>
<section class="hero empty"><h1>No such key is watched</h1><p class="resource">${resource}</p></section>
${log.length === 0 ? nothing : markup`<section aria-labelledby="events"><h2 id="events">Events</h2>${events(log, context.now)}</section>`}`;
  return layout('No such key · keyvigil', body, context);
}

/** The vault of a vault key. */
function heldIn(key: KeyView, overview: Overview): Html {
  const vaults = key.dependsOn
    .flatMap((resource) => overview.snapshot.byResource.get(resource) ?? [])
    .filter(({ kind }) => kind === 'azure-vault');
  if (vaults.length === 0) return nothing;
  return markup` · in ${vaults.map((vault) => markup`${KIND_WORDS[vault.kind]} ${keyLink('../', vault.resource, vault.name)} `)}`;
}

function blindness(key: KeyView, overview: Overview, now: number): Html {
  if (key.blindSince === undefined) return nothing;
  const because = key.blindReason === undefined ? 'the looks prove nothing.' : REASON_WORDS[key.blindReason].text;
  const through = (key.blindRoots ?? []).map((resource) => {
    const root = overview.snapshot.byResource.get(resource);
    if (root === undefined) return markup`<bdi>${resource}</bdi> `;
    return markup`${KIND_WORDS[root.kind]} ${keyLink('../', resource, displayName(root))} `;
  });
  const via = through.length === 0 ? nothing : markup` It cannot be seen because what holds it cannot: ${through}.`;
  return markup`<p>Nothing conclusive has come in since ${when(key.blindSince, now)}: ${because}${via} What is shown here is what was last known.</p>`;
}

function dependents(key: KeyView, told: Explanation, overview: Overview): Html {
  const { keys, consumers } = overview.dependents(key.resource);
  const total = keys.length + consumers.length;
  const title = key.health === 'inaccessible' ? 'What it takes down' : 'What would break without it';
  return markup`<section aria-labelledby="dependents"><h2 id="dependents">${title}</h2>
${total === 0 ? markup`<p>Nothing that keyvigil knows of depends on it.</p>` : markup`<p class="count">${counted(consumers.length, 'consumer')}, ${counted(keys.length, 'key')}, directly or through others</p>`}
${meanings(consumers)}
${harmLines(told)}
${dependentsList(told)}</section>`;
}

function dependencies(told: Explanation): Html {
  if (told.needs.length === 0) return nothing;
  return markup`<section aria-labelledby="needs"><h2 id="needs">What it depends on</h2>${needsList(told)}</section>`;
}

function ownVerdict(own: NonNullable<KeyView['own']>): string {
  return own.reason === undefined ? own.status : `${own.status}: ${REASON_WORDS[own.reason].brief}`;
}

function facts(key: KeyView, now: number): Html {
  const at = (instant: number | undefined) => (instant === undefined ? undefined : when(instant, now));
  return definitions([
    ['Resource', key.resource],
    ['Account', key.account],
    ['Location', key.location],
    ['Targets', key.targets.join(', ')],
    ['State', key.state],
    ['Spec', key.spec],
    ['Version', key.version],
    ['Version created', at(key.versionCreatedAt)],
    ['Version detected', at(key.versionDetectedAt)],
    ['Last rotated', at(key.lastRotatedAt)],
    ['Next rotation', at(key.nextRotationAt)],
    ['Expires', at(key.expiresAt)],
    ['Deletion', at(key.deletionAt)],
    ['Recoverable until', at(key.recoverableUntil)],
    ...extras(key, now),
  ]);
}

function versions(key: KeyView, seen: readonly SeenVersion[], overview: Overview, now: number): Html {
  const all = generations(key, seen).toReversed();
  if (all.length === 0) return markup`<p class="none">None was seen yet.</p>`;
  const users = usersOf(key, overview);
  const items = all.map(
    (
      one,
    ) => markup`<li><code>${one.version}</code>${one.version === key.version ? ' (current)' : ''} ${condition(one, now)}
<small>${dates(one, now)}</small>${usedBy(users.get(one.version) ?? [])}</li>`,
  );
  return markup`<ol class="timeline">${items}</ol>`;
}

/** What keeps a version from being used in full, where its cloud tells. */
function condition({ enabled, notBeforeAt, expiresAt }: Generation, now: number): Html {
  if (enabled === false) return markup`<span class="badge inaccessible">disabled</span>`;
  if (notBeforeAt !== undefined && notBeforeAt > now) return markup`<span class="badge degraded">not valid yet</span>`;
  if (expiresAt !== undefined && expiresAt <= now) return markup`<span class="badge degraded">expired</span>`;
  return nothing;
}

function dates(one: Generation, now: number): Html {
  const named = [
    ['created', one.createdAt],
    ['seen', one.detectedAt],
    ['not valid before', one.notBeforeAt],
    ['expires', one.expiresAt],
  ] as const;
  const known = named.flatMap(([word, at]) => (at === undefined ? [] : [markup`${word} ${when(at, now)}`]));
  return markup`${known.map((date, at) => markup`${at === 0 ? '' : ', '}${date}`)}`;
}

/** Consumers by the version of this key that they use. */
function usersOf(key: KeyView, overview: Overview): ReadonlyMap<string, readonly ConsumerView[]> {
  const users = new Map<string, ConsumerView[]>();
  for (const consumer of overview.dependents(key.resource).consumers) {
    for (const use of consumer.uses) {
      if (resourceOf(use) !== key.resource || use.versionInUse === undefined) continue;
      users.set(use.versionInUse, [...(users.get(use.versionInUse) ?? []), consumer]);
    }
  }
  return users;
}

function usedBy(consumers: readonly ConsumerView[]): Html {
  if (consumers.length === 0) return nothing;
  const unique = [...new Set(consumers)];
  const rest = unique.length - USERS_SHOWN;
  const shown = unique
    .slice(0, USERS_SHOWN)
    .map(({ resource, name }) => markup`${consumerLink('../', resource, name)} `);
  return markup`<small>in use by ${shown}${rest > 0 ? `and ${grouped(rest)} more` : ''}</small>`;
}
