/** What every request passes first: the rate limit, then the question who is there. Answers those that do not pass. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { WebFile } from '../config/web-file.ts';
import { createAuthenticator } from './auth.ts';
import { createComparer } from './bcrypt.ts';
import { createRateLimiter } from './rate.ts';

/**
 * What costs nothing to refuse is refused this much later, ms: a connection asks for nothing else meanwhile, so that a
 * flood of passwords is as slow as it has connections, and leaves the event loop to those who may come in.
 */
const PAUSE_MS = 500;

/** The way in. */
export interface Door extends AsyncDisposable {
  /**
   * @returns whether the request may go on; if not, it is answered
   * @throws when passwords cannot be compared
   */
  pass(request: IncomingMessage, response: ServerResponse, web: WebFile): boolean | Promise<boolean>;
}

/** Makes the way in. */
export function createDoor(): Door {
  const comparer = createComparer();
  const authenticator = createAuthenticator(comparer);
  const limiter = createRateLimiter();

  return {
    pass(request, response, web) {
      if (web.rateLimit && !limiter.allow(performance.now(), web.rateLimit)) {
        return refuse(response, web, 429, 'Too Many Requests', { 'Retry-After': '1' });
      }
      if (web.users.size === 0) return true;
      const { authorization } = request.headers;
      const verdict = authenticator.check(authorization, request.socket.remoteAddress, web.users);
      const pass = (known: Awaited<typeof verdict>): boolean => {
        if (known === 'allowed') return true;
        if (known === 'busy') return refuse(response, web, 429, 'Too Many Requests', { 'Retry-After': '1' });
        return refuse(response, web, 401, 'Unauthorized', {
          'WWW-Authenticate': 'Basic realm="keyvigil", charset="UTF-8"',
        });
      };
      if (verdict instanceof Promise) return verdict.then(pass);
      // Whoever tries passwords is told at once only what took its time anyway, or needed no look at any password.
      if (verdict === 'allowed' || authorization === undefined) return pass(verdict);
      return pause(response).then(() => pass(verdict));
    },
    [Symbol.asyncDispose]: () => comparer[Symbol.asyncDispose](),
  };
}

/** Ends after a while, or when nobody waits for the answer any more. */
function pause(response: ServerResponse): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, PAUSE_MS);
  response.once('close', () => {
    clearTimeout(timer);
    resolve();
  });
  return promise;
}

/** Headers as the file has them; those that are empty there are for others to leave out. */
export function setHeaders(response: ServerResponse, { headers }: WebFile): void {
  for (const [name, value] of headers) if (value !== '') response.setHeader(name, value);
}

function refuse(
  response: ServerResponse,
  web: WebFile,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>>,
): false {
  if (response.destroyed) return false;
  response.setHeader('X-Content-Type-Options', 'nosniff');
  setHeaders(response, web);
  response
    .writeHead(status, { ...headers, 'Cache-Control': 'no-store', 'Content-Type': 'text/plain; charset=utf-8' })
    .end(`${text}\n`);
  return false;
}
