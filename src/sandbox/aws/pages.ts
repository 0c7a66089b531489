import type { Random } from '../random.ts';

/** How a list answers: as usual, with a token that leads to the same page, or with an empty page and a token. */
export type Paging = 'normal' | 'loop' | 'empty';

/** One page of ids. `next` is absent on the last page; `undefined` instead of a page means that the token is not known. */
export type Page = { readonly ids: readonly string[]; readonly next: string | undefined };

type Listing = { readonly owner: string; readonly ids: readonly string[] };

/** Listings that are kept for their next pages; the oldest go first, and their tokens become invalid. */
const KEPT = 64;

/**
 * Cuts listings into pages. The ids of a listing are fixed by its first page, so that a page costs the page and not the
 * whole list, and nothing is listed twice or left out when objects come and go in between.
 */
export class Pages {
  readonly #random: Random;
  readonly #listings = new Map<string, Listing>();

  constructor(random: Random) {
    this.#random = random;
  }

  /**
   * The page that `token` names, or the first. `owner` says whose token it is (account, region, operation): a token of
   * another list is not known. `list` gives all ids and is called for the first page only.
   */
  page(
    owner: string,
    list: () => readonly string[],
    size: number,
    token: string | undefined,
    paging: Paging,
  ): Page | undefined {
    const found = token === undefined ? this.#open(owner, list(), size, paging) : this.#find(owner, token);
    if (!found) return undefined;
    const { name, offset, listing } = found;
    if (paging === 'empty') return { ids: [], next: `${name}.${offset}` };
    const end = offset + size;
    const ids = listing.ids.slice(offset, end);
    if (paging === 'loop') return { ids, next: `${name}.${offset}` };
    if (end < listing.ids.length) return { ids, next: `${name}.${end}` };
    return { ids, next: undefined };
  }

  #open(owner: string, ids: readonly string[], size: number, paging: Paging) {
    const listing = { owner, ids };
    if (ids.length <= size && paging === 'normal') return { name: '', offset: 0, listing };
    const name = this.#random.hex(24);
    this.#listings.set(name, listing);
    const oldest = this.#listings.keys().next().value;
    if (this.#listings.size > KEPT && oldest !== undefined) this.#listings.delete(oldest);
    return { name, offset: 0, listing };
  }

  #find(owner: string, token: string) {
    const [name = '', position = ''] = token.split('.');
    const listing = this.#listings.get(name);
    if (listing?.owner !== owner || !/^\d+$/.test(position)) return undefined;
    return { name, offset: Number(position), listing };
  }
}
