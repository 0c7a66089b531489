/** Answers that refuse, as JSON, thrown from wherever it is found out. */
import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { type OwnNames, refusePost } from './guard.ts';

export function refusal(status: 400 | 403 | 404 | 409 | 413 | 415, error: string): HTTPException {
  return new HTTPException(status, { res: Response.json({ error }, { status }) });
}

/** For requests that change something. @throws HTTPException where another site or another name sent it */
export function mustBeOurs(c: Context, own: OwnNames): void {
  const refused = refusePost({ host: c.req.header('host'), origin: c.req.header('origin') }, own);
  if (refused === 'foreign_host') {
    throw refusal(403, 'Host: not a name of this server; behind a proxy set web.externalUrl');
  }
  if (refused === 'foreign_origin') throw refusal(403, 'Origin: requests of other sites change nothing here');
}
