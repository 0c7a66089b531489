import { createHash } from 'node:crypto';
import { Hono } from 'hono';
import { compress } from 'hono/compress';
import { HTTPException } from 'hono/http-exception';
import { methodNotAllowed } from 'hono/method-not-allowed';
import { secureHeaders } from 'hono/secure-headers';
import { addAnswers, explanationOf } from './answers.ts';
import { addApi, eventsOf } from './api.ts';
import { addPosts } from './api-post.ts';
import { consumerPage, unknownConsumerPage } from './consumer.ts';
import type { WebDeps } from './deps.ts';
import { detailPage, unknownKeyPage } from './detail.ts';
import type { OwnNames } from './guard.ts';
import type { PageContext } from './layout.ts';
import { createOverviews } from './overview.ts';
import { mustBeOurs } from './refusal.ts';
import { RENEW_EVERY_SECONDS, statusPage } from './status.ts';
import { STYLE } from './style.ts';
import { readStatusQuery } from './tables.ts';
import { TREE_SHOWN } from './tree.ts';

/** Of the name of an alert: a longer one has no runbook, and would only trouble the file system. */
const MAX_ALERTNAME = 64;

/**
 * Every route but `/metrics`. `own` tells which names this server goes by, once it listens.
 */
export function createApp(deps: WebDeps, own: () => OwnNames): Hono {
  const app = new Hono();
  const overviews = createOverviews(deps.records);
  const overview = () => overviews(deps.snapshot());

  app.use(
    async (c, next) => {
      await next();
      // The operator's word, over our own.
      for (const [name, value] of deps.security?.current.headers ?? []) {
        if (value === '') c.res.headers.delete(name);
        else c.res.headers.set(name, value);
      }
    },
    compress(),
    secureHeaders({
      contentSecurityPolicy: {
        defaultSrc: ["'none'"],
        styleSrc: ["'self'"],
        imgSrc: ['data:'],
        formAction: ["'self'"],
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
      },
      xFrameOptions: 'DENY',
      // Not no-referrer: under that, browsers post our own form with `Origin: null`.
      referrerPolicy: 'same-origin',
      strictTransportSecurity: false,
    }),
    async (c, next) => {
      await next();
      if (!c.res.headers.has('cache-control')) c.header('Cache-Control', 'no-store');
    },
    methodNotAllowed({
      app,
      onMethodNotAllowed: (c, methods) =>
        c.json({ error: `method: must be ${methods.join(' or ')}` }, 405, { Allow: methods.join(', ') }),
    }),
  );

  app.get('/-/healthy', (c) => c.text('keyvigil is healthy\n'));
  app.get('/-/ready', (c) => {
    const { ready, reason } = deps.ready();
    return c.text(`${reason}\n`, ready ? 200 : 503);
  });

  app.post('/-/reload', async (c) => {
    mustBeOurs(c, own());
    const told = (await deps.reload?.()) ?? {
      outcome: 'refused',
      reason: 'there is no configuration file to read again',
    };
    if (told.outcome === 'refused') return c.text(`${told.reason}\n`, 400);
    return c.text(told.outcome === 'applied' ? 'the new configuration is in force\n' : 'nothing has changed\n');
  });

  const styleTag = `"${createHash('sha256').update(STYLE).digest('base64url').slice(0, 16)}"`;
  app.get('/style.css', (c) => {
    c.header('Cache-Control', 'no-cache');
    c.header('ETag', styleTag);
    if (c.req.header('if-none-match')?.includes(styleTag)) return c.body(null, 304);
    return c.body(STYLE, 200, { 'Content-Type': 'text/css; charset=utf-8' });
  });

  app.get('/', (c) => {
    const query = readStatusQuery(new URL(c.req.url).searchParams);
    if ('refused' in query) return c.text(`${query.refused}\n`, 400);
    if (Object.keys(query.values).length === 0) c.header('Refresh', String(RENEW_EVERY_SECONDS));
    const view = overview();
    return c.html(statusPage(view, query.values, pageContext('', view.snapshot.at)));
  });

  app.get('/keys/:resource{[\\s\\S]+}', async (c) => {
    const resource = c.req.param('resource');
    const view = overview();
    const context = pageContext('../', view.snapshot.at);
    const key = view.snapshot.byResource.get(resource);
    const events = (await eventsOf(deps, resource)).toReversed();
    if (key === undefined) return c.html(unknownKeyPage(resource, events, context), 404);
    const versions = await deps.versions(resource);
    const history = { versions, events };
    const told = explanationOf(key, overview(), { versions, events: events.toReversed() }, deps, TREE_SHOWN);
    return c.html(detailPage(key, told, view, history, context));
  });

  app.get('/consumers/:resource{[\\s\\S]+}', async (c) => {
    const resource = c.req.param('resource');
    const view = overview();
    const context = pageContext('../', view.snapshot.at);
    const consumer = view.consumersByResource.get(resource);
    const events = (await eventsOf(deps, resource)).toReversed();
    if (consumer === undefined) return c.html(unknownConsumerPage(resource, events, context), 404);
    const told = explanationOf(consumer, overview(), { versions: [], events: events.toReversed() }, deps, TREE_SHOWN);
    return c.html(consumerPage(consumer, told, view, events, context));
  });

  // As text: it is read on a phone at night, and needs nothing but itself.
  app.get('/runbooks/:file{[A-Za-z]+\\.md}', async (c) => {
    const alertname = c.req.param('file').slice(0, -'.md'.length);
    const text = alertname.length > MAX_ALERTNAME ? undefined : await deps.runbook?.(alertname);
    if (text === undefined) return c.json({ error: 'no such runbook' }, 404);
    return c.body(text, 200, { 'Content-Type': 'text/plain; charset=utf-8' });
  });

  addApi(app, deps, overview);
  addAnswers(app, deps, overview);
  addPosts(app, deps, overview, own);

  app.notFound((c) => c.json({ error: 'no such page' }, 404));
  app.onError((error, c) => {
    if (error instanceof HTTPException) return error.getResponse();
    deps.onError(error, `${c.req.method} ${c.req.routePath}`);
    return c.json({ error: 'internal error; the log has more' }, 500);
  });
  return app;

  function pageContext(base: PageContext['base'], at: number): PageContext {
    return { deps, base, now: deps.now(), at };
  }
}
