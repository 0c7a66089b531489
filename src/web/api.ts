import type { Hono } from 'hono';
import {
  consumerDetailJson,
  consumerJson,
  eventJson,
  type JsonObject,
  keyDetailJson,
  keyJson,
  sourceJson,
} from '../core/json.ts';
import {
  CONSUMER_HEALTHS,
  CONSUMER_KINDS,
  EVENT_TYPES,
  HEALTHS,
  KEY_KINDS,
  PROVIDERS,
  type ProviderName,
  type StoredEvent,
  sourceKey,
} from '../core/model.ts';
import { generations } from '../core/readers.ts';
import type { WebDeps } from './deps.ts';
import type { Overview } from './overview.ts';
import {
  cursor,
  encodeCursor,
  type Filter,
  matcher,
  oneOf,
  type Page,
  pageOf,
  readQuery,
  text,
  wholeNumber,
} from './query.ts';
import { refusal } from './refusal.ts';

export const DEFAULT_LIMIT = 1_000;
export const MAX_LIMIT = 10_000;
/** Events that one request reads through at most when a filter leaves few of them. */
const MAX_EVENTS_READ = 50_000;
const EVENTS_PER_READ = 5_000;
/** Events that stand on the own answer of a key or consumer. */
const EVENTS_OF_ONE = 100;

interface Paging {
  readonly limit?: number;
  readonly cursor?: string;
}
const paging = { limit: wholeNumber(1, MAX_LIMIT), cursor };

/** Adds `/api/v1` to the app. Field names are the contract of `core/json.ts`; a wrong parameter is a 400 that names it. */
export function addApi(app: Hono, deps: WebDeps, overview: () => Overview): void {
  app.get('/api/v1/keys', (c) => {
    const query = read<Filter & Paging>(c.req.url, {
      ...paging,
      health: oneOf(HEALTHS),
      kind: oneOf(KEY_KINDS),
      provider: oneOf(PROVIDERS),
      account: text,
      q: text,
    });
    return c.json(answer('keys', pageOf(deps.snapshot().keys, byResource, matcher(query), ask(query)), keyJson));
  });

  app.get('/api/v1/consumers', (c) => {
    const query = read<Filter & Paging>(c.req.url, {
      ...paging,
      health: oneOf(CONSUMER_HEALTHS),
      kind: oneOf(CONSUMER_KINDS),
      provider: oneOf(PROVIDERS),
      account: text,
      q: text,
    });
    const page = pageOf(overview().consumersInOrder, byResource, matcher(query), ask(query));
    return c.json(answer('consumers', page, (view) => consumerJson(view, overview().snapshot)));
  });

  app.get('/api/v1/sources', (c) => {
    const query = read<Pick<Filter, 'provider' | 'account' | 'q'> & Paging>(c.req.url, {
      ...paging,
      provider: oneOf(PROVIDERS),
      account: text,
      q: text,
    });
    const matches = matcher(query);
    const page = pageOf(
      overview().sourcesInOrder,
      sourceKey,
      (source) =>
        matches({
          ...source,
          resource: sourceKey(source),
          name: '',
          kind: '',
          account: source.account ?? '',
          health: '',
        }),
      ask(query),
    );
    return c.json(answer('sources', page, sourceJson));
  });

  app.get('/api/v1/events', async (c) => {
    const query = read<EventFilter & Paging>(c.req.url, {
      ...paging,
      health: oneOf([...new Set([...HEALTHS, ...CONSUMER_HEALTHS])]),
      kind: oneOf([...KEY_KINDS, ...CONSUMER_KINDS]),
      provider: oneOf(PROVIDERS),
      account: text,
      q: text,
      type: oneOf(EVENT_TYPES),
      resource: text,
    });
    const page = await eventsPage(deps, overview(), query);
    return c.json(answer('events', page, eventJson));
  });

  app.get('/api/v1/keys/:resource{[\\s\\S]+}', async (c) => {
    const resource = c.req.param('resource');
    const snapshot = deps.snapshot();
    const view = snapshot.byResource.get(resource);
    if (view === undefined) return c.json({ error: 'resource: no such key is watched' }, 404);
    const [versions, events] = await Promise.all([deps.versions(resource), eventsOf(deps, resource)]);
    return c.json(keyDetailJson(view, overview().dependents(resource), generations(view, versions), events, snapshot));
  });

  app.get('/api/v1/consumers/:resource{[\\s\\S]+}', async (c) => {
    const resource = c.req.param('resource');
    const view = overview().consumersByResource.get(resource);
    if (view === undefined) return c.json({ error: 'resource: no such consumer is watched' }, 404);
    return c.json(consumerDetailJson(view, await eventsOf(deps, resource), deps.snapshot()));
  });
}

/** The newest events of one key or consumer, newest last. */
export function eventsOf(deps: WebDeps, resource: string): Promise<readonly StoredEvent[]> {
  return deps.events({ resource, order: 'newest', limit: EVENTS_OF_ONE });
}

export function read<T extends object>(url: string, readers: Parameters<typeof readQuery<T>>[1]): T {
  const query = readQuery<T>(new URL(url).searchParams, readers);
  if ('refused' in query) throw refusal(400, query.refused);
  return query.values;
}

function byResource(item: { readonly resource: string }): string {
  return item.resource;
}

function ask(query: Paging): { limit: number; after: string | undefined } {
  return { limit: query.limit ?? DEFAULT_LIMIT, after: query.cursor };
}

function answer<T>(name: string, page: Page<T>, json: (item: T) => JsonObject): JsonObject {
  return { [name]: page.items.map(json), next: page.next };
}

/** The cloud of a key or consumer that is gone. */
const CLOUD_OF: Readonly<Record<StoredEvent['kind'], ProviderName>> = {
  'aws-secret': 'aws',
  'aws-kms-key': 'aws',
  'azure-key': 'azure',
  'azure-vault': 'azure',
  'speke-provider': 'aws',
  'mediaconnect-flow': 'aws',
  'codebuild-project': 'aws',
  'media-services-account': 'azure',
  'storage-account': 'azure',
};

type EventFilter = Filter & {
  readonly type?: StoredEvent['type'];
  readonly resource?: string;
  readonly kind?: StoredEvent['kind'];
};

/**
 * The newest events that match, newest last; the cursor leads to older ones. What an event does not carry itself
 * (account, name, tags) is looked up on the key or consumer, so one that is gone matches by its resource and cloud alone.
 */
async function eventsPage(
  deps: WebDeps,
  { snapshot, consumersByResource }: Overview,
  query: EventFilter & Paging,
): Promise<Page<StoredEvent>> {
  const limit = query.limit ?? DEFAULT_LIMIT;
  const { resource, kind, type, health, provider, account, q } = query;
  const filter = { health, provider, account, q };
  const isFiltered = Object.values(filter).some((value) => value !== undefined);
  // Unfiltered, one read is enough: the page, and one more to know that there is more.
  const perRead = isFiltered ? EVENTS_PER_READ : limit + 1;
  const matches = matcher(filter);
  const isWanted = (event: StoredEvent) => {
    const about = snapshot.byResource.get(event.resource) ?? consumersByResource.get(event.resource);
    return matches({
      resource: event.resource,
      kind: event.kind,
      name: about?.name ?? '',
      provider: about?.provider ?? CLOUD_OF[event.kind],
      account: about?.account ?? '',
      tags: about?.tags ?? {},
      health: event.to ?? '',
    });
  };
  const found: StoredEvent[] = [];
  let before = query.cursor === undefined ? undefined : eventPosition(query.cursor);
  for (let seen = 0; seen < MAX_EVENTS_READ; seen += perRead) {
    const events = await deps.events({
      order: 'newest',
      limit: perRead,
      ...(before !== undefined && { before }),
      ...(resource !== undefined && { resource }),
      ...(kind !== undefined && { kind }),
      ...(type !== undefined && { type }),
    });
    for (const event of events.toReversed()) {
      if (!isWanted(event)) continue;
      const last = found.at(-1);
      if (found.length === limit && last !== undefined) return eventPage(found, last.id);
      found.push(event);
    }
    before = events[0]?.id;
    if (events.length < perRead) return eventPage(found, undefined);
  }
  return eventPage(found, before);
}

function eventPage(newestFirst: readonly StoredEvent[], before: number | undefined): Page<StoredEvent> {
  const items = newestFirst.toReversed();
  return before === undefined ? { items } : { items, next: encodeCursor(String(before)) };
}

function eventPosition(position: string): number {
  const id = wholeNumber(1, Number.MAX_SAFE_INTEGER)(position);
  if ('refused' in id) throw refusal(400, 'cursor: is not a cursor of this API');
  return id.value;
}
