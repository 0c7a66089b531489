import { kmsError } from '../errors.ts';
import { text } from '../input.ts';
import type { Call } from '../world.ts';

/** The fields of a KMS list that say whether there is more. */
type Rest = { readonly NextMarker: string | undefined; readonly Truncated: boolean };

/** One page of a KMS list, by the request's Marker. `of` tells lists about different keys apart. Throws InvalidMarkerException. */
export function pageOf(
  call: Call,
  list: () => readonly string[],
  limit: number,
  of: string,
): { readonly ids: readonly string[]; readonly rest: Rest } {
  const owner = `${call.account}/${call.region}/kms/${call.operation}/${of}`;
  const page = call.world.pages.page(owner, list, limit, text(call.input, 'Marker'), call.paging);
  if (!page) throw kmsError('InvalidMarkerException', 'The marker is not valid.');
  return { ids: page.ids, rest: { NextMarker: page.next, Truncated: page.next !== undefined } };
}
