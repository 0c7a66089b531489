import { badParameter } from './errors.ts';
import type { VaultRequest } from './wire.ts';

const MAX_PAGE = 25;

/**
 * The page of `ids` that a request asks for: up to 25, fewer by its `maxresults`, and a link to the next one or null. `ids`
 * are in ascending order, without regard to case, because the link names the id after which it goes on: what comes and goes
 * between two pages neither repeats nor hides anything else. Throws BadParameter.
 */
export function pageOf(
  request: VaultRequest,
  path: string,
  ids: readonly string[],
): { readonly ids: readonly string[]; readonly nextLink: string | null } {
  const asked = request.query.get('maxresults');
  if (asked !== null && !/^[1-9]\d{0,8}$/.test(asked)) throw badParameter('The parameter maxresults is not valid.');
  const limit = Math.min(asked === null ? MAX_PAGE : Number(asked), MAX_PAGE);
  const token = request.query.get('$skiptoken');
  const after = token === null ? undefined : opened(token);
  const rest = after === undefined ? ids : ids.filter((id) => id.toLowerCase() > after);
  const page = rest.slice(0, limit);
  const last = page.at(-1);
  if (last === undefined || page.length === rest.length) return { ids: page, nextLink: null };
  const version = request.query.get('api-version');
  const query = [
    ...(version === null ? [] : [`api-version=${encodeURIComponent(version)}`]),
    `$skiptoken=${sealed(last.toLowerCase())}`,
    ...(asked === null ? [] : [`maxresults=${asked}`]),
  ];
  return { ids: page, nextLink: `${withPort(request.base)}${path}?${query.join('&')}` };
}

/** Real vaults name their port here, and only here. */
function withPort(base: string): string {
  return /:\d+$/.test(base) ? base : `${base}:443`;
}

function sealed(id: string): string {
  return Buffer.from(JSON.stringify({ NextMarker: id, TargetLocation: 0 })).toString('base64url');
}

function opened(token: string): string {
  try {
    const { NextMarker } = JSON.parse(Buffer.from(token, 'base64url').toString());
    if (typeof NextMarker === 'string') return NextMarker;
  } catch {
    // Falls through to the same answer as a token of another making.
  }
  throw badParameter('The parameter $skiptoken is not valid.');
}
