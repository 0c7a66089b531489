import { degrades } from '../core/findings.ts';
import { displayName } from '../core/readers.ts';
import type { ConsumerView, Incident, KeyView } from '../core/snapshot.ts';
import { counted, grouped } from '../core/text.ts';
import { HEALTH_WORDS, KIND_WORDS, REASON_WORDS } from '../core/words.ts';
import { freshness, headline } from './headline.ts';
import { layout, type PageContext } from './layout.ts';
import { badge, command, consumerLink, type Html, keyLink, markup, nothing, when } from './markup.ts';
import type { Overview } from './overview.ts';
import { deadline, harmGroupsList, meanings } from './parts.ts';
import { consumersSection, keysSection, type StatusQuery } from './tables.ts';

const INCIDENTS_SHOWN = 50;
const AFFECTED_SHOWN = 12;
const SOURCES_SHOWN = 8;
export const RENEW_EVERY_SECONDS = 60;

/** The status page: is anything wrong, what and why, then everything, worst first. */
export function statusPage(overview: Overview, query: StatusQuery, context: PageContext): Html {
  const { now } = context;
  const head = headline(overview, now);
  const { incidents, longDead, unexplained } = overview;
  const cards = [
    ...incidents.slice(0, INCIDENTS_SHOWN).map((incident) => incidentCard(incident, overview, now)),
    ...unexplained.slice(0, INCIDENTS_SHOWN).map((consumer) => consumerCard(consumer, now)),
  ];
  const hidden = incidents.length + unexplained.length - cards.length;
  const renewal =
    Object.keys(query).length === 0
      ? markup`Renews itself every ${RENEW_EVERY_SECONDS} s (<a href="?refresh=off">hold</a>).`
      : markup`On hold (<a href="./">renew</a>).`;
  const body = markup`<section class="hero ${head.level}" aria-label="Summary">
<h1><i aria-hidden="true">${HERO_ICONS[head.level]}</i> ${head.title}</h1>
${head.details.map((line) => markup`<p>${line}</p>`)}
${overview.keys.length === 0 ? nothing : tiles(overview)}
</section>
${banners(overview)}
${cards.length === 0 ? nothing : markup`<section aria-labelledby="incidents"><h2 id="incidents">What is wrong</h2>${cards}</section>`}
${hidden > 0 ? markup`<p>And ${grouped(hidden)} more: see the table.</p>` : nothing}
${longDead.length === 0 ? nothing : longDeadSection(longDead, overview)}
${sourcesSection(overview, now)}
${overview.keys.length === 0 ? nothing : keysSection(overview, query, now)}
${consumersSection(overview, query, now)}`;
  return layout(`${HERO_ICONS[head.level]} ${head.title} · keyvigil`, body, context, renewal);
}

const HERO_ICONS = { bad: '✖', unsure: '?', warn: '▲', good: '✔', empty: '…' } as const;

function tiles({ keyCounts, consumerCounts, snapshot }: Overview): Html {
  const keys = (['inaccessible', 'unknown', 'degraded', 'accessible'] as const).map(
    (health) =>
      markup`<li class="${keyCounts[health] > 0 ? health : 'none'}"><a href="?health=${health}#keys"><b>${grouped(keyCounts[health])}</b> ${HEALTH_WORDS[health].icon} ${HEALTH_WORDS[health].word}</a></li>`,
  );
  const consumers = snapshot.consumers.length;
  const impaired = consumerCounts.impaired;
  return markup`<ul class="tiles" aria-label="Counts">${keys}${
    consumers === 0
      ? nothing
      : markup`<li class="${impaired > 0 ? 'impaired' : 'none'}"><a href="#consumers"><b>${grouped(impaired)}</b> of ${counted(consumers, 'consumer')} impaired</a></li>`
  }</ul>`;
}

function banners({ snapshot }: Overview): Html {
  if (snapshot.storeUp) return nothing;
  return markup`<p class="banner" role="alert"><b>The state file cannot be written.</b> What is shown is current, but a change is not
recorded, and nothing is sent about it, until it can be again.</p>`;
}

function incidentCard(incident: Incident, overview: Overview, now: number): Html {
  const root = overview.snapshot.byResource.get(incident.root);
  const words = REASON_WORDS[incident.reason];
  const keys = incident.keys.map((resource) => affectedKey(overview.snapshot.byResource.get(resource), resource));
  const consumers = incident.consumers.map((resource) => affectedConsumer(overview, resource));
  const affected = [...consumers.slice(0, AFFECTED_SHOWN), ...keys.slice(0, AFFECTED_SHOWN)].slice(0, AFFECTED_SHOWN);
  const rest = keys.length + consumers.length - affected.length;
  const hit = incident.consumers.flatMap((resource) => overview.consumersByResource.get(resource) ?? []);
  const title = root === undefined ? markup`<bdi>${incident.root}</bdi>` : keyTitle(root);
  return markup`<article class="card">
<h3>${badge('inaccessible')} ${title}</h3>
<p class="why"><b>${words.text}</b></p>
<p>Since ${when(incident.since, now)}</p>
${root === undefined ? nothing : deadline(root, now)}
${
  affected.length === 0
    ? markup`<p>Nothing that keyvigil knows of depends on it.</p>`
    : markup`<p>Takes down ${tally(incident)}:</p><ul class="affected">${affected}${rest > 0 ? markup`<li>${root === undefined ? `and ${grouped(rest)} more` : keyLink('', root.resource, `and ${grouped(rest)} more`)}</li>` : nothing}</ul>`
}
${meanings(hit)}
${harmGroupsList(incident.harm ?? [])}
${root?.undo === undefined ? nothing : markup`<p class="label">Undo</p>${command(root.undo)}`}
</article>`;
}

function tally(incident: Incident): string {
  const parts = [
    incident.consumers.length > 0 && counted(incident.consumers.length, 'consumer'),
    incident.keys.length > 0 && counted(incident.keys.length, 'key'),
  ];
  return parts.filter(Boolean).join(' and ');
}

function keyTitle(key: KeyView): Html {
  return markup`<span class="kind">${KIND_WORDS[key.kind]}</span> ${keyLink('', key.resource, displayName(key))}
<small><bdi>${key.account}</bdi> / ${key.location}${key.critical ? ' · critical' : ''}</small>`;
}

function affectedKey(key: KeyView | undefined, resource: string): Html {
  if (key === undefined) return markup`<li><bdi>${resource}</bdi></li>`;
  return markup`<li>${KIND_WORDS[key.kind]} ${keyLink('', key.resource, displayName(key))}</li>`;
}

function affectedConsumer(overview: Overview, resource: string): Html {
  const consumer = overview.consumersByResource.get(resource);
  if (consumer === undefined) return markup`<li><bdi>${resource}</bdi></li>`;
  return markup`<li>${KIND_WORDS[consumer.kind]} ${consumerLink('', resource, consumer.name)}</li>`;
}

function consumerCard(consumer: ConsumerView, now: number): Html {
  const remedies = consumer.findings.filter(degrades).flatMap(({ remedy }) => remedy ?? []);
  return markup`<article class="card">
<h3>${badge(consumer.health)} <span class="kind">${KIND_WORDS[consumer.kind]}</span> ${consumerLink('', consumer.resource, consumer.name)} <small><bdi>${consumer.account}</bdi> / ${consumer.location}</small></h3>
<p class="why"><b>${consumer.reason === undefined ? 'It is impaired.' : REASON_WORDS[consumer.reason].text}</b></p>
<p>Since ${when(consumer.since, now)}</p>
${consumer.state === undefined ? nothing : markup`<p>Its service says of it: <bdi class="quote">${consumer.state}</bdi></p>`}
${meanings([consumer])}
${remedies.length === 0 ? nothing : markup`<p class="label">What to do</p>${remedies.map(command)}`}
</article>`;
}

function longDeadSection(incidents: readonly Incident[], overview: Overview): Html {
  const shown = incidents.slice(0, INCIDENTS_SHOWN).map(({ root, reason }) => {
    const key = overview.snapshot.byResource.get(root);
    return markup`<li>${key === undefined ? root : keyLink('', root, displayName(key))}: ${REASON_WORDS[reason].brief}</li>`;
  });
  const rest = incidents.length - shown.length;
  return markup`<details><summary>${counted(incidents.length, 'key')} unusable since before anybody watched, with nothing depending on ${incidents.length === 1 ? 'it' : 'them'}</summary>
<ul class="affected">${shown}${rest > 0 ? markup`<li>and ${grouped(rest)} more</li>` : nothing}</ul></details>`;
}

const FRESHNESS_ICONS = { up: '✔', retired: '–', pending: '…', stale: '▲', down: '✖' } as const;
const FRESHNESS_ORDER = { down: 0, stale: 1, pending: 2, up: 3, retired: 4 } as const;

function sourcesSection({ sourcesInOrder }: Overview, now: number): Html {
  const rows = sourcesInOrder
    .map((source) => ({ source, fresh: freshness(source, now) }))
    .toSorted((a, b) => FRESHNESS_ORDER[a.fresh.level] - FRESHNESS_ORDER[b.fresh.level]);
  const item = ({ source, fresh }: (typeof rows)[number]) =>
    markup`<li class="${fresh.level}"><b><i aria-hidden="true">${FRESHNESS_ICONS[fresh.level]}</i> ${source.service}</b>
<span><bdi>${source.target}</bdi> / ${source.location}</span>
<span>${fresh.level === 'up' ? '' : `${fresh.level}: `}${fresh.text}${source.objects === undefined ? '' : ` · ${counted(source.objects, 'object')}`}</span></li>`;
  const bad = rows.filter(({ fresh }) => FRESHNESS_ORDER[fresh.level] < FRESHNESS_ORDER.up).length;
  const open = Math.max(SOURCES_SHOWN, bad);
  return markup`<section aria-labelledby="sources"><h2 id="sources">Sources</h2>
${rows.length === 0 ? markup`<p>None is configured: add a target to the configuration.</p>` : markup`<ul class="sources">${rows.slice(0, open).map(item)}</ul>`}
${rows.length > open ? markup`<details><summary>${counted(rows.length - open, 'more source')}, all fresh or retired</summary><ul class="sources">${rows.slice(open).map(item)}</ul></details>` : nothing}
</section>`;
}
