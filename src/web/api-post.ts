/** What the API changes: a look now, the end of a record. */
import type { Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { z } from 'zod';
import type { WebDeps } from './deps.ts';
import type { OwnNames } from './guard.ts';
import type { Overview } from './overview.ts';
import { readQuery, text } from './query.ts';
import { mustBeOurs, refusal } from './refusal.ts';

const MAX_BODY_BYTES = 64 * 1024;

const Resource = z.string().min(1).max(2048);
/** The body of `POST /api/v1/check`; without a resource it is everything. */
const CheckRequest = z.strictObject({ resource: Resource.optional() });
/** The body of `POST /api/v1/forget`. */
const ForgetRequest = z.strictObject({ resource: Resource });

/** Adds the POSTs of `/api/v1`. Each checks Host and Origin; a wrong body is a 400 that names what is wrong. */
export function addPosts(app: Hono, deps: WebDeps, overview: () => Overview, own: () => OwnNames): void {
  const limited = bodyLimit({
    maxSize: MAX_BODY_BYTES,
    onError: () => {
      throw refusal(413, `the body is larger than ${MAX_BODY_BYTES} bytes`);
    },
  });

  app.post('/api/v1/check', limited, async (c) => {
    mustBeOurs(c, own());
    const fromForm = typeOf(c) === 'application/x-www-form-urlencoded';
    const { resource } = fromForm ? checkForm(await c.req.text()) : await bodyOf(c, CheckRequest, {});
    const { snapshot, consumersByResource } = overview();
    const isConsumer = resource !== undefined && consumersByResource.has(resource);
    if (resource !== undefined && !isConsumer && !snapshot.byResource.has(resource)) throw unknownResource();
    const { started } = await deps.check(resource);
    if (!fromForm) return c.json({ started }, 202);
    // Relative, so that it holds under whatever path a proxy puts this server at.
    const page = isConsumer ? 'consumers' : 'keys';
    return c.redirect(resource === undefined ? '../../' : `../../${page}/${encodeURIComponent(resource)}`, 303);
  });

  app.post('/api/v1/forget', limited, async (c) => {
    mustBeOurs(c, own());
    const { resource } = await bodyOf(c, ForgetRequest);
    const told = (await deps.forget?.(resource)) ?? 'unknown';
    if (told === 'unknown') throw unknownResource();
    if (told === 'not_gone') {
      throw refusal(409, 'resource: is not gone as far as is known; only what is not_found or purged can be forgotten');
    }
    return c.json({ forgotten: resource });
  });
}

function unknownResource() {
  return refusal(404, 'resource: no such key or consumer is watched');
}

function typeOf(c: Context): string | undefined {
  return c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase();
}

function checkForm(body: string): { resource?: string | undefined } {
  const form = readQuery<{ resource?: string }>(new URLSearchParams(body), { resource: text });
  if ('refused' in form) throw refusal(400, form.refused);
  return form.values;
}

/** @param empty what no body at all means; absent: there must be one */
async function bodyOf<T>(c: Context, schema: z.ZodType<T>, empty?: T): Promise<T> {
  const body = await c.req.text();
  if (body.trim() === '' && empty !== undefined) return empty;
  if (typeOf(c) !== 'application/json') throw refusal(415, 'Content-Type: must be application/json');
  const parsed = schema.safeParse(parseJson(body));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw refusal(400, `${issue?.path.join('.') || 'body'}: ${issue?.message ?? 'not understood'}`);
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw refusal(400, 'body: is not JSON');
  }
}
