import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { CLOUDS } from './clouds.ts';
import type { Principal } from './directory.ts';
import { AzureError, authorityError } from './errors.ts';
import { record } from './json.ts';
import type { AzureWorld } from './world.ts';

/** What the authority is asked. */
export type AuthorityRequest = {
  readonly method: string;
  readonly url: URL;
  /** Of the form. */
  readonly form: URLSearchParams;
};

/** The operation that a path of the authority names, and the tenant in it. */
export type AuthorityRoute = {
  readonly operation: 'Discovery' | 'OpenIdConfiguration' | 'Token';
  readonly tenant: string;
};

type Answer = { readonly status: number; readonly body: unknown };

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
/** What tokens of other issuers must be meant for. */
const FEDERATED_AUDIENCE = 'api://AzureADTokenExchange';

/** Finds the operation; undefined for paths that the authority does not have. */
export function authorityRoute(method: string, pathname: string): AuthorityRoute | undefined {
  const [tenant = '', ...rest] = pathname.split('/').filter((part) => part !== '');
  const path = rest.join('/').toLowerCase();
  if (method === 'GET' && path === 'discovery/instance') return { operation: 'Discovery', tenant };
  if (method === 'GET' && path.endsWith('.well-known/openid-configuration')) {
    return { operation: 'OpenIdConfiguration', tenant };
  }
  if (method === 'POST' && (path === 'oauth2/v2.0/token' || path === 'oauth2/token')) {
    return { operation: 'Token', tenant };
  }
  return undefined;
}

/** Answers one request to the authority. Throws AzureError. */
export function answerAuthority(world: AzureWorld, route: AuthorityRoute, request: AuthorityRequest): Answer {
  if (route.operation === 'Discovery') return discovery(request.url);
  const tenant = route.tenant.toLowerCase();
  if (route.operation === 'OpenIdConfiguration') {
    const known = world.directory.knowsTenant(tenant) || tenant === 'common' || tenant === 'organizations';
    if (!known) throw unknownTenant(route.tenant);
    return { status: 200, body: configuration(request.url.origin, route.tenant) };
  }
  if (!world.directory.knowsTenant(tenant)) throw unknownTenant(route.tenant);
  return token(world, tenant, request);
}

function discovery(url: URL): Answer {
  const endpoint = url.searchParams.get('authorization_endpoint') ?? '';
  const host = URL.canParse(endpoint) ? new URL(endpoint).hostname : '';
  const clouds = Object.values(CLOUDS);
  if (!clouds.some((cloud) => cloud.authorities.includes(host))) {
    throw new AzureError(400, 'AADSTS50049', {
      error: 'invalid_instance',
      error_description: 'AADSTS50049: Unknown or invalid instance.',
      error_codes: [50049],
    });
  }
  const tenant = new URL(endpoint).pathname.split('/')[1] ?? 'common';
  return {
    status: 200,
    body: {
      tenant_discovery_endpoint: `https://${host}/${tenant}/v2.0/.well-known/openid-configuration`,
      'api-version': '1.1',
      metadata: clouds.map(({ authorities }) => ({
        preferred_network: authorities[0],
        preferred_cache: authorities[0],
        aliases: authorities,
      })),
    },
  };
}

function configuration(origin: string, tenant: string): object {
  return {
    token_endpoint: `${origin}/${tenant}/oauth2/v2.0/token`,
    token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt', 'client_secret_basic'],
    jwks_uri: `${origin}/${tenant}/discovery/v2.0/keys`,
    response_types_supported: ['code', 'id_token', 'code id_token', 'id_token token'],
    subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['RS256'],
    issuer: `${origin}/${tenant}/v2.0`,
    authorization_endpoint: `${origin}/${tenant}/oauth2/v2.0/authorize`,
    end_session_endpoint: `${origin}/${tenant}/oauth2/v2.0/logout`,
    device_authorization_endpoint: `${origin}/${tenant}/oauth2/v2.0/devicecode`,
    scopes_supported: ['openid', 'profile', 'email', 'offline_access'],
    tenant_region_scope: 'EU',
  };
}

function token(world: AzureWorld, tenant: string, { form, url }: AuthorityRequest): Answer {
  const clientId = form.get('client_id') ?? '';
  const principal = world.directory.byClient(clientId);
  if (principal?.tenant !== tenant || principal.secret === undefined) {
    throw authorityError(
      400,
      'unauthorized_client',
      700016,
      `Application with identifier '${clientId}' was not found in the directory '${tenant}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.`,
    );
  }
  if (form.get('grant_type') !== 'client_credentials') {
    throw authorityError(400, 'unsupported_grant_type', 70003, 'The app requested an unsupported grant type.');
  }
  prove(world, principal, form, `${url.origin}${url.pathname}`);
  const resource = form.get('resource') ?? (form.get('scope') ?? '').replace(/\/\.default$/, '');
  return { status: 200, body: tokenAnswer(world, principal, resource) };
}

/** The body with which a token is handed out. Throws AzureError for a resource that no token can be for. */
export function tokenAnswer(world: AzureWorld, principal: Principal, resource: string) {
  if (!isKnownResource(resource)) {
    throw authorityError(
      400,
      'invalid_resource',
      500011,
      `The resource principal named ${resource} was not found in the tenant named ${principal.tenant}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant.`,
    );
  }
  const { tokenLifetimeMs } = world.settings;
  const seconds = Math.floor(tokenLifetimeMs / 1000) - 1;
  return {
    token_type: 'Bearer',
    expires_in: seconds,
    ext_expires_in: seconds,
    access_token: world.directory.mint(principal, resource, world.now(), tokenLifetimeMs),
  };
}

function isKnownResource(resource: string): boolean {
  const bare = resource.replace(/\/$/, '');
  return Object.values(CLOUDS).some(
    (cloud) =>
      bare === `https://${cloud.vault}` || bare === `https://${cloud.hsm}` || cloud.armAudiences.includes(bare),
  );
}

function prove(world: AzureWorld, principal: Principal, form: URLSearchParams, endpoint: string): void {
  const assertion = form.get('client_assertion');
  if (assertion !== null && form.get('client_assertion_type') === ASSERTION_TYPE) {
    proveAssertion(world, principal, assertion, endpoint);
    return;
  }
  const secret = form.get('client_secret');
  if (secret === null) {
    throw authorityError(
      401,
      'invalid_client',
      7000218,
      "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
    );
  }
  if (secret !== principal.secret) {
    throw authorityError(
      401,
      'invalid_client',
      7000215,
      `Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '${principal.clientId}'.`,
    );
  }
}

function proveAssertion(world: AzureWorld, principal: Principal, assertion: string, endpoint: string): void {
  const [header = '', payload = '', signature = ''] = assertion.split('.');
  const claims = json(payload);
  const algorithm = json(header)?.alg;
  if (!claims || typeof algorithm !== 'string') {
    throw authorityError(401, 'invalid_client', 50027, 'JWT token is invalid or malformed.');
  }
  const now = world.now() / 1000;
  if (typeof claims.exp === 'number' && claims.exp < now) {
    throw authorityError(
      401,
      'invalid_client',
      700024,
      'Client assertion is not within its valid time range. Please review the documentation at https://docs.microsoft.com/azure/active-directory/develop/active-directory-certificate-credentials .',
    );
  }
  const signed = `${header}.${payload}`;
  if (claims.iss === principal.clientId) {
    // The endpoint, or the issuer of the same tenant.
    if (typeof claims.aud !== 'string' || !claims.aud.startsWith(endpoint.replace(/\/oauth2.*$/, ''))) {
      throw authorityError(401, 'invalid_client', 50192, 'Invalid audience in the client assertion.');
    }
    if (principal.keys.some((key) => signatureFits(key, algorithm, signed, signature))) return;
    throw authorityError(
      401,
      'invalid_client',
      700027,
      'The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was not found.]',
    );
  }
  const trusted = principal.issuers.filter(({ issuer, subject }) => issuer === claims.iss && subject === claims.sub);
  const meant = [claims.aud].flat().includes(FEDERATED_AUDIENCE);
  if (meant && trusted.some(({ key }) => signatureFits(key, algorithm, signed, signature))) return;
  throw authorityError(
    401,
    'invalid_client',
    700213,
    `No matching federated identity record found for presented assertion subject '${JSON.stringify(claims.sub)}'. Please check your federated identity credential Subject, Audience and Issuer against the presented assertion.`,
  );
}

const PADDINGS: Readonly<Record<string, object>> = {
  RS256: {},
  // RSA_PKCS1_PSS_PADDING with a salt as long as the digest
  PS256: { padding: 6, saltLength: 32 },
  ES256: { dsaEncoding: 'ieee-p1363' },
};

function signatureFits(key: KeyObject, algorithm: string, signed: string, signature: string): boolean {
  const padding = Object.hasOwn(PADDINGS, algorithm) ? PADDINGS[algorithm] : undefined;
  if (!padding) return false;
  return verify('sha256', Buffer.from(signed), { key, ...padding }, Buffer.from(signature, 'base64url'));
}

function json(part: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return record(JSON.parse(Buffer.from(part, 'base64url').toString()));
  } catch {
    return undefined;
  }
}

function unknownTenant(tenant: string): AzureError {
  return authorityError(
    400,
    'invalid_request',
    90002,
    `Tenant '${tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.`,
  );
}

/** Makes an application accept tokens of another issuer. Throws for what is no public key (PEM). */
export function trustIssuer(
  principal: Principal,
  trust: { readonly issuer: string; readonly subject: string; readonly publicKey: string },
): void {
  principal.issuers.push({ issuer: trust.issuer, subject: trust.subject, key: createPublicKey(trust.publicKey) });
}
