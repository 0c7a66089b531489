import { keyAccess } from './access.ts';
import { CLOUDS } from './clouds.ts';
import type { Claims, Principal } from './directory.ts';
import { type AzureError, vaultError } from './errors.ts';
import { type Asked, bearerOf, jsonOf, type PlaneRequest, type Reply, type Trouble } from './plane.ts';
import { dataAction } from './roles.ts';
import { type VaultState, vaultId } from './state.ts';
import { answerKeys, routeOf, type VaultRoute } from './vault/operations.ts';
import type { AzureWorld } from './world.ts';

/** The address that callers seem to have; reserved for documentation. */
const CLIENT_ADDRESS = '203.0.113.10';

/** Understands a request to the host of a vault or HSM. */
export function askVault(world: AzureWorld, request: PlaneRequest): Asked {
  const vault = world.vaultAt(request.host);
  const route = routeOf(request.method, request.url.pathname);
  const named = [route?.name, route?.version].filter((part) => part !== undefined);
  const collection = route?.operation.includes('Deleted') ? 'deletedkeys' : 'keys';
  return {
    service: 'key-vault',
    // What comes without a token is answered with a challenge, whatever it asks.
    operation: bearerOf(request) === undefined ? 'Challenge' : (route?.operation ?? 'unknown'),
    account: vault?.subscription,
    region: vault?.location,
    resource: [`https://${request.host}`, ...(named.length > 0 ? [collection, ...named] : [])].join('/'),
    link: 'nextLink',
    headers: {
      ...(vault ? { 'x-ms-keyvault-region': vault.location } : {}),
      'x-ms-keyvault-service-version': '1.9.2164.1',
      'x-ms-keyvault-network-info': `conn_type=Ipv4;addr=${CLIENT_ADDRESS};act_addr_fam=InterNetwork;`,
      'x-ms-request-id': world.random.uuid(),
    },
    answer: (refused) => answer(world, request, vault, route, refused),
    trouble: troubled,
  };
}

function answer(
  world: AzureWorld,
  request: PlaneRequest,
  vault: VaultState | undefined,
  route: VaultRoute | undefined,
  refused: 'access-denied' | 'expired-token' | undefined,
): Reply {
  if (!vault || vault.deletedAt !== undefined) {
    const name = request.host.split('.')[0];
    throw vaultError(404, 'VaultNotFound', `The vault '${name}' was not found.`);
  }
  const { principal } = authenticate(world, request, vault, refused === 'expired-token');
  guard(vault, principal);
  if (!request.url.searchParams.has('api-version')) {
    throw vaultError(400, 'BadParameter', 'api-version must be specified');
  }
  if (!route) {
    const operation = request.url.pathname.split('/').at(-1);
    throw vaultError(400, 'BadParameter', `Method ${request.method} does not allow operation '${operation}'`);
  }
  const deleted = route.operation.includes('Deleted');
  const access = keyAccess(world, vault, principal.objectId, route.permission, { key: route.name, deleted });
  if (!access || refused === 'access-denied') throw denied(vault, principal, route, deleted);
  const body = jsonOf(request.text);
  if (body === 'broken') throw vaultError(400, 'BadParameter', 'The request body is not valid JSON.');
  const result = answerKeys(vault.keys, route, {
    query: request.url.searchParams,
    body: body.value,
    base: request.url.origin,
  });
  return { ...result, headers: access.by === 'role' ? assignmentHeaders(access.assignment) : {} };
}

/** Recorded on every answer, errors too, that a role let through. */
function assignmentHeaders(assignment: string): Record<string, string> {
  return {
    'x-ms-keyvault-rbac-assignment-id': assignment.replaceAll('-', ''),
    'x-ms-keyvault-rbac-cache': 'ra_age=505;da_age=745;rd_age=745;brd_age=20065;ra_notif_age=880;dec_lev=1;',
  };
}

function authenticate(world: AzureWorld, request: PlaneRequest, vault: VaultState, expired: boolean): Claims {
  const { cloud } = world.subscription(vault.subscription);
  const { authorities, vault: vaults, hsm } = CLOUDS[cloud];
  const resource = `https://${vault.kind === 'hsm' ? hsm : vaults}`;
  const challenge = `Bearer authorization="https://${authorities[0]}/${vault.tenant}", resource="${resource}"`;
  const refuse = (message: string) =>
    vaultError(401, 'Unauthorized', message, undefined, { 'www-authenticate': challenge });
  const token = bearerOf(request);
  if (token === undefined) throw refuse('AKV10000: Request is missing a Bearer or PoP token.');
  const claims = world.directory.read(token);
  if (!claims) throw refuse("[BearerReadAccessTokenFailed] Error validating token: 'S2S12005'.");
  if (claims.expiresAt <= world.now() || expired) {
    throw refuse("[TokenExpired] Error validating token: 'S2S12086'.");
  }
  if (claims.audience.replace(/\/$/, '') !== resource) {
    throw refuse(`AKV10022: Invalid audience. Expected ${resource}, found: ${claims.audience}.`);
  }
  if (claims.principal.tenant !== vault.tenant) {
    throw refuse(
      `AKV10032: Invalid issuer. Expected one of https://sts.windows.net/${vault.tenant}/, found https://sts.windows.net/${claims.principal.tenant}/.`,
    );
  }
  return claims;
}

/** Network rules; texts as users quote them. */
function guard(vault: VaultState, principal: Principal): void {
  const who = `Caller: ${caller(principal)}\r\nVault: ${place(vault)}\r\n`;
  if (vault.publicNetworkAccess === 'Disabled') {
    const message = `Public network access is disabled and request is not from a trusted service nor via an approved private link.\r\n${who}`;
    throw vaultError(403, 'Forbidden', message, 'ForbiddenByConnection');
  }
  const rules = vault.networkAcls;
  if (rules?.defaultAction !== 'Deny' || rules.ipRules.some(({ value }) => admits(value))) return;
  const why =
    rules.bypass === 'None'
      ? 'Client address is not authorized and caller was ignored because bypass is set to None.'
      : 'Client address is not authorized and caller is not a trusted service.';
  const message = `${why}\r\nClient address: ${CLIENT_ADDRESS}\r\n${who}`;
  throw vaultError(403, 'Forbidden', message, 'ForbiddenByFirewall');
}

/** Whether an IP rule (an address or a CIDR range) lets the callers' address in. */
function admits(rule: string): boolean {
  const [address = '', bits = '32'] = rule.split('/');
  const [ours, theirs] = [CLIENT_ADDRESS, address].map((text) =>
    text.split('.').reduce((number, part) => number * 256 + Number(part), 0),
  );
  const size = 2 ** (32 - Number(bits));
  return Math.floor((ours ?? 0) / size) === Math.floor((theirs ?? 0) / size);
}

function denied(vault: VaultState, principal: Principal, route: VaultRoute, deleted: boolean): AzureError {
  const hsm = vault.kind === 'hsm';
  if (!vault.rbac && !hsm) {
    const message = `The user, group or application '${caller(principal)}' does not have keys ${route.permission} permission on key vault '${place(vault)}'. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125287`;
    return vaultError(403, 'Forbidden', message, 'AccessDenied');
  }
  const action = dataAction(route.permission, hsm, deleted);
  const key = route.name === undefined ? '' : `/keys/${route.name.toLowerCase()}`;
  const lines = [
    'Caller is not authorized to perform action on resource.',
    'If role assignments, deny assignments or role definitions were changed recently, please observe propagation time.',
    `Caller: ${caller(principal)}`,
    `Action: '${action}'`,
    `Resource: '${vaultId(vault).toLowerCase()}${key}'`,
    'Assignment: (not found)',
    'DenyAssignmentId: null',
    "DecisionReason: 'DeniedWithNoValidRBAC'",
    `Vault: ${place(vault)}`,
    '',
  ];
  return vaultError(403, 'Forbidden', lines.join('\r\n'), 'ForbiddenByRbac');
}

function caller(principal: Principal): string {
  return `appid=${principal.clientId};oid=${principal.objectId};iss=https://sts.windows.net/${principal.tenant}/`;
}

function place(vault: VaultState): string {
  return `${vault.name};location=${vault.location}`;
}

function troubled(trouble: Trouble): AzureError {
  if (trouble.kind === 'error') return vaultError(trouble.status ?? 400, trouble.code, trouble.message ?? '');
  if (trouble.kind === 'server-error') {
    return vaultError(trouble.status ?? 500, 'InternalServerError', 'An internal server error occurred.');
  }
  const headers = { 'retry-after': String(trouble.retryAfterS) };
  const message =
    'Request was not processed because too many requests were received. Reason: VaultRequestTypeLimitReached';
  return vaultError(429, 'Throttled', message, 'VaultRequestTypeLimitReached', headers);
}
