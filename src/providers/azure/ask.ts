/** The one way from a service to an SDK client of Azure: every operation is one call of the engine's context. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Evidence } from '../../core/model.ts';
import { present } from '../look.ts';
import type { CallContext } from '../provider.ts';

/** An answer that is not what the API says it is. It proves nothing about any key: `classify` names it `bad_response`. */
export class BadAnswer extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'BadAnswer';
  }
}

/** What an HTTP answer said besides its body. */
export interface Answer<T> {
  readonly value: T;
  readonly evidence: Evidence;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Options for any SDK operation: spread them into its own. */
export interface AskOptions {
  readonly abortSignal: AbortSignal;
  readonly onResponse: (raw: RawAnswer) => void;
}

/** The part of an SDK's raw response that is read. */
interface RawAnswer {
  readonly status: number;
  readonly headers: { toJSON(): Record<string, string> };
}

/** The last answer of an exchange, as it was on the wire. */
export interface Told {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly host: string;
}

/** The requests of one call, retries and the challenge of a vault included. Written by the transport policy (`http.ts`). */
export interface Exchange {
  readonly signal: AbortSignal;
  attempts: number;
  told?: Told;
}

/**
 * Which call a request belongs to. The pagers of the SDKs fetch every page but the first without the options that they were
 * given, abort signal included, and errors of paging lose the body: only the asynchronous context reaches those requests.
 */
const CURRENT = new AsyncLocalStorage<Exchange>();
const FAILED = new WeakMap<object, Exchange>();

/** The call that is under way here, if any. */
export function exchange(): Exchange | undefined {
  return CURRENT.getStore();
}

/** What was sent and answered before `error` was thrown. */
export function exchangeOf(error: unknown): Exchange | undefined {
  return typeof error === 'object' && error !== null ? FAILED.get(error) : undefined;
}

/**
 * One call of an SDK operation: budget, deadline and metrics are the context's.
 * @param operation a key of `Service.apis`
 * @throws CallFailed; the abort reason at shutdown
 */
export async function ask<T>(
  context: CallContext,
  operation: string,
  run: (options: AskOptions) => Promise<T>,
): Promise<Answer<T>> {
  const { answer } = await context.call(operation, async (signal) => {
    const current: Exchange = { signal, attempts: 0 };
    let raw: RawAnswer | undefined;
    const options: AskOptions = {
      abortSignal: signal,
      onResponse: (response) => {
        raw = response;
      },
    };
    try {
      const value = await CURRENT.run(current, () => run(options));
      const headers = current.told?.headers ?? raw?.headers.toJSON() ?? {};
      const status = current.told?.status ?? raw?.status;
      const attempts = current.attempts || undefined;
      const evidence = present({ operation, status, requestId: headers['x-ms-request-id'], attempts });
      // The engine reads the number of requests here.
      return { $metadata: { attempts }, answer: { value, evidence, headers } };
    } catch (error) {
      if (typeof error === 'object' && error !== null) FAILED.set(error, current);
      throw error;
    }
  });
  return answer;
}

/** The pager that every SDK operation returns that lists. */
interface Pager<T> {
  byPage(settings?: { continuationToken?: string }): AsyncIterableIterator<readonly T[]>;
}

/** Far above any real listing, far below for ever. */
const MAX_PAGES = 10_000;

/**
 * Pages of a listing, one `ask` each. Empty pages go on: only a missing link to the next one ends a listing.
 * @throws BadAnswer when a link comes back a second time or leads to another host (its port may differ: Key Vault writes
 * `:443`), when a page is no list, and when the pages do not end; CallFailed
 */
export async function* askPages<T>(
  context: CallContext,
  operation: string,
  pager: (options: AskOptions) => Pager<T>,
): AsyncGenerator<Answer<readonly T[]>, void> {
  const seen = new Set<string>();
  let next: string | undefined;
  do {
    const link = next;
    let told: Told | undefined;
    const answer = await ask(context, operation, async (options) => {
      const page = await pager(options)
        .byPage(link === undefined ? {} : { continuationToken: link })
        .next();
      told = exchange()?.told;
      return page.done ? [] : page.value;
    });
    if (told === undefined) throw new TypeError(`${operation} was asked by a client without the transport policy`);
    const page = pageIn(told, operation);
    yield answer;
    next = page.next;
    if (next === undefined) return;
    if (hostOf(next) !== page.host) throw new BadAnswer(`${operation} leads to another host`);
    if (seen.has(next)) throw new BadAnswer(`${operation} goes in a circle: a link to a page came back`);
    seen.add(next);
  } while (seen.size < MAX_PAGES);
  throw new BadAnswer(`${operation} does not end after ${MAX_PAGES} pages`);
}

/** The link of the next page is read off the wire: each SDK keeps it elsewhere, and takes a body without a list for an empty one. */
function pageIn(told: Told, operation: string): { readonly next: string | undefined; readonly host: string } {
  const body: unknown = JSON.parse(told.body);
  const fields = typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
  if (!Array.isArray(fields.value)) throw new BadAnswer(`${operation} answered with something that is no list`);
  const link = fields.nextLink ?? fields['@odata.nextLink'] ?? fields['odata.nextLink'];
  if (link === undefined || link === null || link === '') return { next: undefined, host: told.host };
  if (typeof link !== 'string') throw new BadAnswer(`${operation} links to something that is no address`);
  return { next: link, host: told.host };
}

function hostOf(link: string): string | undefined {
  return URL.parse(link)?.hostname;
}
