/** `explain` and `impact` over HTTP: the same objects as the commands print. */
import type { Hono } from 'hono';
import { type Explanation, explain } from '../core/explain.ts';
import { find, notFound } from '../core/find.ts';
import { impactOf } from '../core/impact.ts';
import type { StoredEvent } from '../core/model.ts';
import { generations } from '../core/readers.ts';
import type { ConsumerView, KeyView } from '../core/snapshot.ts';
import { DEFAULT_LIMIT, eventsOf, MAX_LIMIT, read } from './api.ts';
import type { SeenVersion, WebDeps } from './deps.ts';
import type { Overview } from './overview.ts';
import { text, wholeNumber } from './query.ts';
import { refusal } from './refusal.ts';

interface Asked {
  readonly resource?: string;
  /** How many objects the tree lists at most. */
  readonly limit?: number;
}

/** Adds `/api/v1/explain` and `/api/v1/impact`. A name that means nothing, or more than one thing, is a 404 that says what may be meant. */
export function addAnswers(app: Hono, deps: WebDeps, overview: () => Overview): void {
  app.get('/api/v1/explain', async (c) => {
    const { resource, limit } = asked(c.req.url);
    const found = find(resource, overview().relations);
    if (found.outcome !== 'key' && found.outcome !== 'consumer')
      return c.json(notFound(resource, found, overview().snapshot), 404);
    const known = found.outcome === 'key' ? found.key : found.consumer;
    const [events, versions] = await Promise.all([
      eventsOf(deps, known.resource),
      found.outcome === 'key' ? deps.versions(known.resource) : [],
    ]);
    return c.json(explanationOf(known, overview(), { events, versions }, deps, limit));
  });

  app.get('/api/v1/impact', (c) => {
    const { resource, limit } = asked(c.req.url);
    const { relations } = overview();
    const found = find(resource, relations);
    if (found.outcome === 'consumer') {
      throw refusal(400, 'resource: is a consumer, which no key goes away with; explain tells which keys it needs');
    }
    if (found.outcome !== 'key' && found.outcome !== 'named')
      return c.json(notFound(resource, found, overview().snapshot), 404);
    const meant = found.outcome === 'key' ? found.key.resource : found.resource;
    const { policy, tagLabels } = deps.alertContext();
    const { staleAfterMs } = policy;
    return c.json(impactOf(meant, relations, { now: deps.now(), live: false, staleAfterMs, tagLabels, limit }));
  });
}

function asked(url: string): Required<Asked> {
  const { resource, limit = DEFAULT_LIMIT } = read<Asked>(url, { resource: text, limit: wholeNumber(1, MAX_LIMIT) });
  if (resource === undefined) throw refusal(400, 'resource: is missing; give an identity, an alias or a name');
  return { resource, limit };
}

/**
 * All that the daemon knows of a key or consumer. The state may have changed while its history was read: what stands now
 * is explained.
 */
export function explanationOf(
  known: KeyView | ConsumerView,
  { snapshot, relations, consumersByResource }: Overview,
  history: { readonly events: readonly StoredEvent[]; readonly versions: readonly SeenVersion[] },
  deps: WebDeps,
  limit: number,
): Explanation {
  const view = snapshot.byResource.get(known.resource) ?? consumersByResource.get(known.resource) ?? known;
  const { events, versions } = history;
  const context = { ...deps.alertContext(), now: deps.now() };
  return explain(view, relations, {
    tagLabels: context.tagLabels,
    limit,
    events,
    versions: 'dependsOn' in view ? generations(view, versions) : [],
    alerts: { context, notifications: deps.notifications(), events },
  });
}
