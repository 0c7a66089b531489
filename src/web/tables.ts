import { CONSUMER_KINDS, HEALTHS, KEY_KINDS, PROVIDERS } from '../core/model.ts';
import { displayName, keyUses, leadFinding, meaningOf } from '../core/readers.ts';
import type { ConsumerView, KeyView } from '../core/snapshot.ts';
import { counted, grouped, relative, utc } from '../core/text.ts';
import { HEALTH_WORDS, KIND_WORDS, REASON_WORDS } from '../core/words.ts';
import { type Base, badge, consumerLink, type Html, keyLink, markup, nothing } from './markup.ts';
import type { Overview } from './overview.ts';
import { type Filter, matcher, oneOf, type Refused, readQuery, text, wholeNumber } from './query.ts';

/** Rows of one table on one page, so that its size does not grow with the number of keys. */
const ROWS = 500;

/** What the address of the status page may ask for. */
export interface StatusQuery extends Filter {
  readonly page?: number;
  readonly refresh?: 'off';
}

export function readStatusQuery(params: URLSearchParams): { values: StatusQuery } | Refused {
  return readQuery<StatusQuery>(params, {
    health: oneOf(HEALTHS),
    kind: oneOf([...KEY_KINDS, ...CONSUMER_KINDS]),
    provider: oneOf(PROVIDERS),
    account: text,
    q: text,
    page: wholeNumber(1, 100_000),
    refresh: oneOf(['off']),
  });
}

/** Every key that matches, worst first, a page at a time, under the form that filters it. */
export function keysSection(overview: Overview, query: StatusQuery, now: number): Html {
  const matching = overview.keys.filter(matcher(query));
  const pages = Math.max(1, Math.ceil(matching.length / ROWS));
  const page = Math.min(query.page ?? 1, pages);
  const rows = matching.slice((page - 1) * ROWS, page * ROWS);
  const total = overview.keys.length;
  const count =
    matching.length === total ? counted(total, 'key') : `${grouped(matching.length)} of ${counted(total, 'key')}`;
  return markup`<section aria-labelledby="keys"><h2 id="keys">Keys</h2>
${filterForm(query)}
<p class="count">${count}${pages > 1 ? `, page ${grouped(page)} of ${grouped(pages)}` : ''}, worst first</p>
${rows.length === 0 ? markup`<p class="none">No key matches.</p>` : keyTable(rows, overview, '', now)}
${pages > 1 ? pager(query, page, pages) : nothing}
</section>`;
}

/** Keys as a table; also used for what depends on a key. */
export function keyTable(keys: readonly KeyView[], overview: Overview, base: Base, now: number): Html {
  return markup`<table class="list"><thead><tr><th scope="col">Health</th><th scope="col">Key</th><th scope="col">Where</th>
<th scope="col">Why</th><th scope="col">Since</th><th scope="col">Needed by</th></tr></thead><tbody>
${keys.map((key) => keyRow(key, overview, base, now))}</tbody></table>`;
}

function keyRow(key: KeyView, overview: Overview, base: Base, now: number): Html {
  return markup`<tr><td>${badge(key.health)}${key.blindSince === undefined ? nothing : markup` <span class="badge blind">blind</span>`}</td>
<td>${keyLink(base, key.resource, displayName(key))}<small>${KIND_WORDS[key.kind]}${key.critical ? ', critical' : ''}</small></td>
<td><bdi>${key.account}</bdi><small>${key.location}</small></td>
<td>${why(key, overview)}</td>
<td>${relative(key.since, now)}<small>${utc(key.since)}</small></td>
<td>${key.consumers === 0 ? '–' : grouped(key.consumers)}</td></tr>
`;
}

function why(key: KeyView, { snapshot }: Overview): Html {
  const blind =
    key.blindSince === undefined
      ? nothing
      : markup`<small>last known; ${key.blindReason === undefined ? 'cannot be seen' : REASON_WORDS[key.blindReason].brief}${key.blindRoots === undefined ? '' : ', through what holds it'}</small>`;
  if (key.rootCauses.length > 0 && key.reason !== undefined) {
    const [root = '', ...others] = key.rootCauses;
    const known = snapshot.byResource.get(root);
    const name = known === undefined ? root : displayName(known);
    return markup`${REASON_WORDS[key.reason].brief}<small><bdi>${name}</bdi>${others.length > 0 ? ` and ${grouped(others.length)} more` : ''}</small>${blind}`;
  }
  if (key.health === 'degraded') {
    const first = leadFinding(key);
    const more = key.findings.length - 1;
    return markup`${first?.summary ?? REASON_WORDS.finding.brief}${more > 0 ? ` (and ${grouped(more)} more)` : ''}${blind}`;
  }
  return markup`${key.reason === undefined ? '–' : REASON_WORDS[key.reason].brief}${blind}`;
}

/** Every consumer that matches, worst first, up to a page of them. */
export function consumersSection(overview: Overview, query: StatusQuery, now: number): Html {
  if (overview.consumers.length === 0) return nothing;
  // Keys and consumers have different words for health, so that filter is about keys alone.
  const matching = overview.consumers.filter(matcher({ ...query, health: undefined }));
  const total = overview.consumers.length;
  const count =
    matching.length === total
      ? counted(total, 'consumer')
      : `${grouped(matching.length)} of ${counted(total, 'consumer')}`;
  const cut = matching.length > ROWS ? `; the first ${grouped(ROWS)} are shown, narrow them with the form above` : '';
  return markup`<section aria-labelledby="consumers"><h2 id="consumers">Consumers</h2>
<p class="count">${count}, worst first${cut}</p>
${consumerTable(matching.slice(0, ROWS), '', now)}
</section>`;
}

/** Consumers as a table. */
export function consumerTable(consumers: readonly ConsumerView[], base: Base, now: number): Html {
  return markup`<table class="list consumers"><thead><tr><th scope="col">Health</th><th scope="col">Consumer</th><th scope="col">Where</th>
<th scope="col">Why</th><th scope="col">Since</th><th scope="col">Keys</th></tr></thead><tbody>
${consumers.map((consumer) => consumerRow(consumer, base, now))}</tbody></table>`;
}

function consumerRow(consumer: ConsumerView, base: Base, now: number): Html {
  const meaning = meaningOf(consumer);
  return markup`<tr><td>${badge(consumer.health)}</td>
<td>${consumerLink(base, consumer.resource, consumer.name)}<small>${KIND_WORDS[consumer.kind]}</small></td>
<td><bdi>${consumer.account}</bdi><small>${consumer.location}</small></td>
<td>${consumer.reason === undefined ? (leadFinding(consumer)?.summary ?? '–') : REASON_WORDS[consumer.reason].brief}${meaning === undefined ? nothing : markup`<small>${meaning.brief}</small>`}</td>
<td>${relative(consumer.since, now)}<small>${utc(consumer.since)}</small></td>
<td>${grouped(keyUses(consumer).length)}</td></tr>
`;
}

function filterForm(query: StatusQuery): Html {
  const kinds = [...KEY_KINDS, ...CONSUMER_KINDS].map((kind) => [kind, KIND_WORDS[kind]] as const);
  const healths = HEALTHS.map((health) => [health, HEALTH_WORDS[health].word] as const);
  const isFiltered = [query.health, query.kind, query.provider, query.account, query.q].some(Boolean);
  return markup`<form class="filter" method="get" action="./#keys" role="search">
<label>Search <input type="search" name="q" value="${query.q ?? ''}" placeholder="name, ARN, URL or tag"></label>
${select('Health', 'health', healths, query.health)}
${select('Kind', 'kind', kinds, query.kind)}
${select(
  'Cloud',
  'provider',
  PROVIDERS.map((provider) => [provider, CLOUDS[provider]]),
  query.provider,
)}
<label>Account <input name="account" value="${query.account ?? ''}" size="14"></label>
<button>Filter</button>${isFiltered ? markup` <a href="./#keys">clear</a>` : nothing}
</form>`;
}

const CLOUDS = { aws: 'AWS', azure: 'Azure' } as const;

function select(
  label: string,
  name: string,
  options: readonly (readonly [string, string])[],
  chosen: string | undefined,
): Html {
  const choices = options.map(([value, word]) =>
    value === chosen
      ? markup`<option value="${value}" selected>${word}</option>`
      : markup`<option value="${value}">${word}</option>`,
  );
  return markup`<label>${label} <select name="${name}"><option value="">any</option>${choices}</select></label>`;
}

function pager(query: StatusQuery, page: number, pages: number): Html {
  const link = (to: number, word: string) => {
    const params = new URLSearchParams();
    for (const [name, value] of Object.entries({ ...query, page: to })) {
      if (value !== undefined) params.set(name, String(value));
    }
    return markup`<a href="?${params.toString()}#keys">${word}</a>`;
  };
  return markup`<nav class="pager" aria-label="Pages">${page > 1 ? link(page - 1, '← worse') : nothing}
<span>page ${grouped(page)} of ${grouped(pages)}</span> ${page < pages ? link(page + 1, 'next →') : nothing}</nav>`;
}
