import { allowedBy } from '../access.ts';
import { CLOUDS } from '../clouds.ts';
import type { Claims } from '../directory.ts';
import { armError, gatewayError } from '../errors.ts';
import { record } from '../json.ts';
import { type Asked, bearerOf, jsonOf, type PlaneRequest, type Reply, type Trouble } from '../plane.ts';
import type { SubscriptionState } from '../state.ts';
import type { AzureWorld } from '../world.ts';
import type { ArmRoute } from './call.ts';
import { deletedRoutes } from './deleted.ts';
import { hsmRoutes } from './hsms.ts';
import { keyRoutes } from './keys.ts';
import { mediaRoutes } from './media.ts';
import { roleRoutes } from './roles.ts';
import { storageRoutes } from './storage.ts';
import { vaultRoutes } from './vaults.ts';

type Compiled = { readonly route: ArmRoute; readonly pattern: RegExp };
type Match = { readonly route: ArmRoute; readonly params: Readonly<Record<string, string>> };

const ROUTES: readonly Compiled[] = [
  ...vaultRoutes,
  ...deletedRoutes,
  ...hsmRoutes,
  ...keyRoutes,
  ...mediaRoutes,
  ...storageRoutes,
  ...roleRoutes,
].map((route) => ({ route, pattern: compiled(route.path) }));

function compiled(path: string): RegExp {
  const source = path
    .replace(/\./g, '\\.')
    .replace('{scope}', '(?<scope>.*?)')
    .replace(/\{(\w+)\}/g, '(?<$1>[^/]+)');
  return new RegExp(`^${source}/?$`, 'i');
}

function match(method: string, path: string): Match | undefined {
  for (const { route, pattern } of ROUTES) {
    const groups = route.method === method ? pattern.exec(path)?.groups : undefined;
    if (!groups) continue;
    const params = Object.entries(groups).map(([name, value]) => [name, decoded(value)]);
    return { route, params: Object.fromEntries(params) };
  }
  return undefined;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

const PROVIDER = { 'x-ms-keyvault-service-version': '1.5.1361.0' };

/** Understands a request to Resource Manager. */
export function askArm(world: AzureWorld, request: PlaneRequest): Asked {
  const path = request.url.pathname;
  const found = match(request.method, path);
  const named = /^\/subscriptions\/([^/]+)/i.exec(path)?.[1]?.toLowerCase();
  const media = /\/providers\/Microsoft\.Media\//i.test(path);
  const vaults = /\/providers\/Microsoft\.KeyVault\//i.test(path);
  return {
    service: 'arm',
    operation: found?.route.operation ?? 'unknown',
    account: named,
    region: undefined,
    resource: path,
    link: media ? '@odata.nextLink' : 'nextLink',
    headers: { 'x-ms-request-id': world.random.uuid(), 'x-ms-ratelimit-remaining-subscription-reads': '11999' },
    answer: (refused) => {
      const reply = answer(world, request, found, named, refused);
      // Only what the provider itself answers says which version of it did.
      return vaults ? { ...reply, headers: { ...PROVIDER, ...reply.headers } } : reply;
    },
    trouble: (trouble) => troubled(trouble, named),
  };
}

function answer(
  world: AzureWorld,
  request: PlaneRequest,
  found: Match | undefined,
  named: string | undefined,
  refused: 'access-denied' | 'expired-token' | undefined,
): Reply {
  const claims = authenticate(world, request, refused === 'expired-token');
  const apiVersion = apiVersionOf(request.url.searchParams);
  const subscription = subscriptionOf(world, claims, named);
  if (!found) throw unknownType(request.url.pathname);
  const { route, params } = found;
  const scope = scopeOf(params, request.url.pathname);
  const { objectId, clientId } = claims.principal;
  const assignment = allowedBy(world, objectId, route.action, scope, 'control');
  const barred = subscription.monitorDenied && objectId === subscription.monitor.objectId;
  if (assignment === undefined || barred || refused === 'access-denied') {
    throw gatewayError(
      403,
      'AuthorizationFailed',
      `The client '${clientId}' with object id '${objectId}' does not have authorization to perform action '${route.action}' over scope '${scope}' or the scope is invalid. If access was recently granted, please refresh your credentials.`,
    );
  }
  const body = jsonOf(request.text);
  if (body === 'broken') {
    throw gatewayError(400, 'InvalidRequestContent', 'The request content was invalid and could not be deserialized.');
  }
  return route.run({
    world,
    subscription,
    params,
    query: request.url.searchParams,
    apiVersion,
    body: record(body.value),
    base: request.url.origin,
    path: request.url.pathname,
    caller: objectId,
    now: world.now(),
  });
}

function authenticate(world: AzureWorld, request: PlaneRequest, expired: boolean): Claims {
  const token = bearerOf(request);
  const refuse = (code: string, message: string) =>
    armError(401, code, message, {
      'www-authenticate': `Bearer authorization_uri="https://login.microsoftonline.com/", error="invalid_token", error_description="${message.replace(/"/g, "'")}"`,
    });
  if (token === undefined) {
    throw refuse('AuthenticationFailed', "Authentication failed. The 'Authorization' header is missing.");
  }
  const claims = world.directory.read(token);
  if (!claims) throw refuse('InvalidAuthenticationToken', 'The access token is invalid.');
  const now = world.now();
  if (claims.expiresAt <= now || expired) {
    const [then, current] = [claims.expiresAt, now].map((ms) => new Date(ms).toUTCString());
    const message = `The access token expiry UTC time '${then}' is earlier than current UTC time '${current}'.`;
    throw refuse('ExpiredAuthenticationToken', message);
  }
  const audiences = Object.values(CLOUDS).flatMap((cloud) => cloud.armAudiences);
  if (!audiences.includes(claims.audience.replace(/\/$/, ''))) {
    const message = `The access token has been obtained for wrong audience or resource '${claims.audience}'. It should exactly match with one of the allowed audiences '${audiences.join("','")}'.`;
    throw refuse('InvalidAuthenticationTokenAudience', message);
  }
  return claims;
}

function apiVersionOf(query: URLSearchParams): string {
  const version = query.get('api-version');
  if (version === null) {
    const message = 'The api-version query parameter (?api-version=) is required for all requests.';
    throw gatewayError(400, 'MissingApiVersionParameter', message);
  }
  if (!/^\d{4}-\d{2}-\d{2}(-[a-z]+)?$/i.test(version)) {
    throw gatewayError(400, 'InvalidApiVersionParameter', `The api-version '${version}' is invalid.`);
  }
  return version;
}

/** The subscription that the path names; tenant-wide requests count for any one of the caller's tenant. */
function subscriptionOf(world: AzureWorld, claims: Claims, named: string | undefined): SubscriptionState {
  const { tenant } = claims.principal;
  if (named === undefined) {
    const any = [...world.subscriptions.values()].find((one) => one.tenant === tenant);
    if (any) return any;
    throw gatewayError(404, 'SubscriptionNotFound', 'The tenant has no subscription.');
  }
  const found = world.subscriptions.get(named);
  if (!found) throw gatewayError(404, 'SubscriptionNotFound', `The subscription '${named}' could not be found.`);
  if (found.tenant === tenant) return found;
  throw armError(
    401,
    'InvalidAuthenticationTokenTenant',
    `The access token is from the wrong issuer 'https://sts.windows.net/${tenant}/'. It must match the tenant 'https://sts.windows.net/${found.tenant}/' associated with this subscription. Please use the authority (URL) 'https://login.windows.net/${found.tenant}' to get the token.`,
  );
}

function unknownType(path: string) {
  const [, namespace, type] = /\/providers\/([^/]+)\/([^/]+)/i.exec(path) ?? [];
  if (namespace === undefined || !/^Microsoft\.(KeyVault|Media|Storage|Authorization|Resources)$/i.test(namespace)) {
    const message = `The resource namespace '${namespace ?? ''}' is invalid.`;
    return gatewayError(404, 'InvalidResourceNamespace', message);
  }
  const message = `The resource type '${type}' could not be found in the namespace '${namespace}'.`;
  return gatewayError(404, 'InvalidResourceType', message);
}

/** What rights are looked for at: the resource, its group, or the subscription. */
function scopeOf(params: Readonly<Record<string, string>>, path: string): string {
  if (params.scope !== undefined) return params.scope === '' ? '/' : params.scope;
  const resource = /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/[^/]+\/[^/]+\/[^/]+/i.exec(path)?.[0];
  const around = /^\/subscriptions\/[^/]+(\/resourceGroups\/[^/]+)?/i.exec(path)?.[0];
  return resource ?? around ?? '/';
}

function troubled(trouble: Trouble, subscription: string | undefined) {
  if (trouble.kind === 'error') return armError(trouble.status ?? 400, trouble.code, trouble.message ?? '');
  if (trouble.kind === 'server-error') {
    const message = 'Encountered internal server error. Diagnostic information: sandbox.';
    return armError(trouble.status ?? 500, 'InternalServerError', message);
  }
  const message = `Number of requests for subscription '${subscription}' exceeded the limit. Please try again after '${trouble.retryAfterS}' seconds.`;
  return armError(429, 'SubscriptionRequestsThrottled', message, { 'retry-after': String(trouble.retryAfterS) });
}
