import { armError, gatewayError } from '../errors.ts';
import { text } from '../json.ts';
import type { SubscriptionState } from '../state.ts';
import type { AzureWorld } from '../world.ts';

/** What an operation of ARM gets, after the caller was found to be allowed. */
export type ArmCall = {
  readonly world: AzureWorld;
  readonly subscription: SubscriptionState;
  /** Parts of the path by name, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly apiVersion: string;
  /** Parsed body; an empty object when there was none. */
  readonly body: Readonly<Record<string, unknown>>;
  /** As it was asked, for links: `https://host` and the path. */
  readonly base: string;
  readonly path: string;
  /** Object id of who asks. */
  readonly caller: string;
  readonly now: number;
};

/** What it answers; without a body nothing follows the headers. */
export type ArmAnswer = {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
};

/** One operation of ARM. */
export type ArmRoute = {
  readonly method: string;
  /** With `{names}` for segments; case does not count. `{scope}` stands for any start. */
  readonly path: string;
  /** The operation id of Azure's specifications, e.g. `Vaults_Get`. */
  readonly operation: string;
  /** What a role must allow. */
  readonly action: string;
  readonly run: (call: ArmCall) => ArmAnswer;
};

/** A segment of the path. Throws for a name that the route does not have, which is a bug. */
export function param(call: ArmCall, name: string): string {
  const value = call.params[name];
  if (value === undefined) throw new Error(`the route has no {${name}}`);
  return value;
}

/** The resource group of the path in its own spelling. Throws AzureError when there is none. */
export function existingGroup(call: ArmCall): string {
  const name = param(call, 'group');
  const known = call.subscription.groups.get(name.toLowerCase());
  if (known === undefined) {
    throw gatewayError(404, 'ResourceGroupNotFound', `Resource group '${name}' could not be found.`);
  }
  return known;
}

/** 200 with a body. */
export function ok(body: unknown): ArmAnswer {
  return { status: 200, body };
}

/** The location of a PUT. Throws AzureError when it lacks one. */
export function locationOf(call: ArmCall): string {
  const location = text(call.body.location);
  if (location === undefined) {
    throw armError(400, 'LocationRequired', 'The location property is required for this definition.');
  }
  return location;
}

/** Cuts a sorted list into pages as ARM does: the skip token names the last item that was given. */
export function page<T>(
  call: ArmCall,
  items: readonly { readonly place: string; readonly item: T }[],
  options: { readonly link?: 'nextLink' | '@odata.nextLink'; readonly emptyEnd?: boolean } = {},
): ArmAnswer {
  const { pageSize, emptyPages } = call.world.settings;
  const token = Buffer.from(call.query.get('$skiptoken') ?? '', 'base64').toString();
  const opened = token.endsWith(OPENED);
  const after = opened ? token.slice(0, -OPENED.length) : token;
  const rest = items.filter(({ place }) => place > after);
  const ends = options.emptyEnd === true && after !== '';
  if (emptyPages && !opened && (rest.length > 0 || ends)) return linked(call, [], `${after}${OPENED}`, options);
  const top = Number(call.query.get('$top') ?? pageSize);
  const given = rest.slice(0, top >= 1 ? Math.min(Math.floor(top), pageSize) : pageSize);
  const last = given.at(-1)?.place;
  // Recorded lists of vaults end with a link to an empty page.
  const more = given.length < rest.length || (options.emptyEnd === true && last !== undefined);
  return linked(
    call,
    given.map(({ item }) => item),
    more ? last : undefined,
    options,
  );
}

/** Ends the token of a page whose empty page before it was given. */
const OPENED = '|*';

function linked(
  call: ArmCall,
  value: readonly unknown[],
  token: string | undefined,
  options: { readonly link?: 'nextLink' | '@odata.nextLink' },
): ArmAnswer {
  if (token === undefined) return ok({ value });
  const filter = call.query.get('$filter');
  const kept = filter === null ? '' : `&$filter=${encodeURIComponent(filter)}`;
  const skip = encodeURIComponent(Buffer.from(token).toString('base64'));
  const link = `${call.base}${call.path}?api-version=${call.apiVersion}${kept}&$skiptoken=${skip}`;
  return ok({ value, [options.link ?? 'nextLink']: link });
}
