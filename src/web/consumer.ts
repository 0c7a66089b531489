/** The page of one consumer. */
import type { Explanation } from '../core/explain.ts';
import { harmsOf } from '../core/harm.ts';
import type { StoredEvent } from '../core/model.ts';
import { displayName, isOutdated, keyUses, meaningOf, notWatchedOf, resourceOf } from '../core/readers.ts';
import type { ConsumerView, UseView } from '../core/snapshot.ts';
import { KIND_WORDS } from '../core/words.ts';
import { layout, type PageContext } from './layout.ts';
import { badge, consumerLink, type Html, keyLink, markup, nothing, when } from './markup.ts';
import type { Overview } from './overview.ts';
import { definitions, events, evidence, extras, findings, harm, notWatched, rootCauses } from './parts.ts';
import { alertsSection, needsList } from './tree.ts';

/** What does not work of it, since when, because of which keys, what to do, and how it came to that. `log`: newest first. */
export function consumerPage(
  consumer: ConsumerView,
  told: Explanation,
  overview: Overview,
  log: readonly StoredEvent[],
  context: PageContext,
): Html {
  const { now } = context;
  const meaning = meaningOf(consumer);
  const body = markup`<nav aria-label="Back"><a href="../#consumers">← all consumers</a></nav>
<section class="hero ${consumer.health}" aria-label="Summary">
<h1><bdi>${consumer.name}</bdi></h1>
<p>${badge(consumer.health)} <span class="kind">${KIND_WORDS[consumer.kind]}</span></p>
<p class="why"><b>${told.why}</b></p>
<p>Since ${when(consumer.since, now)}</p>
${stale(consumer, now)}
${meaning === undefined ? nothing : markup`<p class="meaning"><b>What that means:</b> ${meaning.text}</p>`}
${consumer.state === undefined ? nothing : markup`<p>Its service says of it: <bdi class="quote">${consumer.state}</bdi></p>`}
</section>
${rootCauses(consumer.rootCauses, overview, now)}
${harm(
  harmsOf(consumer, (resource) => overview.snapshot.byResource.get(resource)),
  overview,
)}
${findings(consumer.findings, now)}
${alertsSection(told, now)}
${uses(consumer, overview, now)}
${needs(told)}
${stores(consumer, overview)}
<section aria-labelledby="evidence"><h2 id="evidence">${consumer.health === 'impaired' ? 'Evidence' : 'Last look'}</h2>${evidence(consumer, now)}</section>
<section aria-labelledby="facts"><h2 id="facts">Facts</h2>${facts(consumer, now)}</section>
<section aria-labelledby="events"><h2 id="events">Events</h2>${events(log, now)}</section>
<p><a href="../api/v1/consumers/${encodeURIComponent(consumer.resource.toWellFormed())}">This consumer as JSON</a></p>`;
  return layout(`${consumer.name} · keyvigil`, body, { ...context, resource: consumer.resource });
}

/** A consumer that is not watched (any more), with what the log still tells of it. */
export function unknownConsumerPage(resource: string, log: readonly StoredEvent[], context: PageContext): Html {
  const body = markup`<nav aria-label="Back"><a href="../#consumers">← all consumers</a></nav>
<section class="hero empty"><h1>No such consumer is watched</h1><p class="resource">${resource}</p></section>
${log.length === 0 ? nothing : markup`<section aria-labelledby="events"><h2 id="events">Events</h2>${events(log, context.now)}</section>`}`;
  return layout('No such consumer · keyvigil', body, context);
}

/** The last look failed, or was the first and did. */
function stale({ conclusiveAt, checkedAt }: ConsumerView, now: number): Html {
  if (conclusiveAt === undefined) return markup`<p>No look at it has told anything yet: see the evidence below.</p>`;
  if (conclusiveAt >= checkedAt) return nothing;
  return markup`<p>The last look told nothing of it: what is shown here is what was known ${when(conclusiveAt, now)}.</p>`;
}

function uses(consumer: ConsumerView, overview: Overview, now: number): Html {
  const used = keyUses(consumer);
  const rows = used.map((use) => useRow(consumer, use, overview, now));
  return markup`<section aria-labelledby="uses"><h2 id="uses">Keys that it uses</h2>
${
  used.length === 0
    ? markup`<p>None that keyvigil knows of.</p>`
    : markup`<table class="list uses"><thead><tr><th scope="col">Health</th><th scope="col">Key</th><th scope="col">Role</th>
<th scope="col">Version in use</th><th scope="col">Current version</th><th scope="col">Outdated</th></tr></thead><tbody>${rows}</tbody></table>`
}</section>`;
}

/** Only where its keys need something in turn: the keys themselves stand in the table. */
function needs(told: Explanation): Html {
  if (!told.needs.some(({ anyOf }) => anyOf.some((one) => one.needs !== undefined))) return nothing;
  return markup`<section aria-labelledby="needs"><h2 id="needs">What those depend on</h2>${needsList(told)}</section>`;
}

function useRow(consumer: ConsumerView, use: UseView, overview: Overview, now: number): Html {
  const key = overview.snapshot.byResource.get(resourceOf(use));
  const name =
    key === undefined
      ? markup`<bdi>${use.resource}</bdi>${notWatched(notWatchedOf(consumer, use, overview.snapshot))}`
      : markup`${keyLink('../', key.resource, displayName(key))}<small>${KIND_WORDS[key.kind]}</small>`;
  return markup`<tr><td>${key === undefined ? '–' : badge(key.health)}</td><td>${name}</td><td>${use.role}</td>
<td>${version(use.versionInUse)}${use.pinned === undefined ? nothing : markup`<small>${use.pinned ? 'pinned: never moves by itself' : 'follows the newest'}</small>`}</td>
<td>${version(key?.version)}${key?.versionCreatedAt === undefined ? nothing : markup`<small>created ${when(key.versionCreatedAt, now)}</small>`}</td>
<td>${isOutdated(use) ? markup`since ${when(use.outdatedSince, now)}` : '–'}</td></tr>
`;
}

function version(id: string | undefined): Html {
  return id === undefined ? markup`–` : markup`<code>${id}</code>`;
}

function stores(consumer: ConsumerView, overview: Overview): Html {
  const keys = new Set(keyUses(consumer));
  const items = consumer.uses
    .filter((use) => !keys.has(use))
    .map(({ resource }) => {
      const watched = overview.consumersByResource.get(resource);
      return markup`<li>${watched === undefined ? markup`<bdi>${resource}</bdi>` : consumerLink('../', resource, watched.name)}</li>`;
    });
  if (items.length === 0) return nothing;
  return markup`<section aria-labelledby="stores"><h2 id="stores">Where it keeps its data</h2><ul class="affected">${items}</ul></section>`;
}

function facts(consumer: ConsumerView, now: number): Html {
  return definitions([
    ['Resource', consumer.resource],
    ['Account', consumer.account],
    ['Location', consumer.location],
    ['Targets', consumer.targets.join(', ')],
    ['State', consumer.state],
    ...extras(consumer, now),
  ]);
}
