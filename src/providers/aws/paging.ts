/** How every listing of AWS is paged: one place for the tokens that loop and the pages that are no pages. */

/** An answer that is not what the API says it is. It proves nothing about any key: `classify` names it `bad_response`. */
export class BadAnswer extends Error {
  /** @param message must hold nothing that could be a value of a secret */
  constructor(message: string) {
    super(message);
    this.name = 'BadAnswer';
  }
}

/** One page, and the token of the next; a missing or empty token ends the listing (moto answers ''). */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | undefined;
}

/** Far above any real listing (10,000 pages of 100 are twice the quota of secrets), far below for ever. */
const MAX_PAGES = 10_000;

/**
 * Fetches page after page. Empty pages are allowed in the middle.
 * @throws BadAnswer when a token comes back a second time or the pages do not end; what `fetch` throws
 */
export async function* pages<T>(
  operation: string,
  fetch: (token: string | undefined) => Promise<Page<T>>,
): AsyncGenerator<readonly T[], void> {
  const seen = new Set<string>();
  let token: string | undefined;
  do {
    const page = await fetch(token);
    yield page.items;
    token = page.next;
    if (!token) return;
    if (seen.has(token)) throw new BadAnswer(`${operation} goes in a circle: a paging token came back`);
    seen.add(token);
  } while (seen.size < MAX_PAGES);
  throw new BadAnswer(`${operation} does not end after ${MAX_PAGES} pages`);
}

/** All pages as one list. @throws as `pages` does */
export async function allPages<T>(
  operation: string,
  fetch: (token: string | undefined) => Promise<Page<T>>,
): Promise<T[]> {
  const items: T[] = [];
  for await (const page of pages(operation, fetch)) items.push(...page);
  return items;
}

/**
 * The marker of the next page in the manner of KMS.
 * @throws BadAnswer when more is announced but not how to get it: the listing would look complete
 */
export function nextMarker(
  operation: string,
  answer: { readonly Truncated?: boolean | undefined; readonly NextMarker?: string | undefined },
): string | undefined {
  if (!answer.Truncated) return undefined;
  if (!answer.NextMarker) throw new BadAnswer(`${operation} announces more without a marker`);
  return answer.NextMarker;
}
