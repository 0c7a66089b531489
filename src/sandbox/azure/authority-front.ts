import { answerAuthority, authorityRoute, tokenAnswer } from './authority.ts';
import { AzureError, authorityError } from './errors.ts';
import type { Asked, PlaneRequest, Trouble } from './plane.ts';
import type { AzureWorld } from './world.ts';

/** Understands a request to the authority (login.microsoftonline.com). */
export function askAuthority(world: AzureWorld, request: PlaneRequest): Asked {
  const route = authorityRoute(request.method, request.url.pathname);
  const form = new URLSearchParams(request.text);
  const client = form.get('client_id') ?? undefined;
  return {
    service: 'authority',
    operation: route?.operation ?? 'unknown',
    account: undefined,
    region: undefined,
    resource: client ?? request.url.pathname,
    link: 'nextLink',
    headers: { 'x-ms-request-id': world.random.uuid(), 'cache-control': 'no-store, no-cache' },
    answer: (refused) => {
      try {
        if (!route) throw authorityError(404, 'invalid_request', 900144, 'The request path is not known.');
        if (refused === 'expired-token') throw expiredSecret(client);
        if (refused === 'access-denied') throw blocked();
        return answerAuthority(world, route, { method: request.method, url: request.url, form });
      } catch (error) {
        throw error instanceof AzureError ? stamped(world, error) : error;
      }
    },
    trouble: (trouble) => stamped(world, troubled(trouble)),
  };
}

function expiredSecret(client: string | undefined): AzureError {
  return authorityError(
    401,
    'invalid_client',
    7000222,
    `The provided client secret keys for app '${client}' are expired.`,
  );
}

function blocked(): AzureError {
  const text =
    'Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.';
  return authorityError(400, 'invalid_grant', 53003, text);
}

function troubled(trouble: Trouble): AzureError {
  if (trouble.kind === 'error') {
    return authorityError(trouble.status ?? 400, trouble.code, 0, trouble.message ?? trouble.code);
  }
  if (trouble.kind === 'server-error') {
    const text = 'The service is temporarily unavailable. Please retry later.';
    return authorityError(trouble.status ?? 500, 'temporarily_unavailable', 90033, text);
  }
  const { status, code, body } = authorityError(429, 'temporarily_unavailable', 90055, 'There are too many requests.');
  return new AzureError(status, code, body, { 'retry-after': String(trouble.retryAfterS) });
}

/** Every error of the authority says when it was, and gives ids for support. */
function stamped(world: AzureWorld, error: AzureError): AzureError {
  const body = error.body as { readonly error_description: string };
  const [trace, correlation] = [world.random.uuid(), world.random.uuid()];
  const timestamp = new Date(world.now())
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d{3}Z$/, 'Z');
  const ids = ` Trace ID: ${trace} Correlation ID: ${correlation} Timestamp: ${timestamp}`;
  const description = `${body.error_description}${ids}`;
  return new AzureError(
    error.status,
    error.code,
    { ...body, error_description: description, timestamp, trace_id: trace, correlation_id: correlation },
    error.headers,
  );
}

/**
 * Answers the endpoint at which the machine's managed identity gets its tokens (IMDS): plain HTTP, a header instead of a
 * secret. `machine` is the client id of the identity that the machine has.
 */
export function answerIdentity(
  world: AzureWorld,
  request: { readonly method: string; readonly path: string; readonly headers: Readonly<Record<string, string>> },
  machine: string | undefined,
): { readonly status: number; readonly body: unknown } {
  const url = new URL(request.path.startsWith('/') ? request.path : '/', 'http://localhost');
  if (request.method !== 'GET' || url.pathname !== '/metadata/identity/oauth2/token') {
    return { status: 404, body: { error: 'not_found' } };
  }
  if (request.headers.metadata?.toLowerCase() !== 'true') {
    return {
      status: 400,
      body: { error: 'invalid_request', error_description: 'Required metadata header not specified' },
    };
  }
  const wanted = url.searchParams.get('client_id') ?? machine;
  const principal = wanted === undefined || wanted !== machine ? undefined : world.directory.byClient(wanted);
  if (!principal) {
    return { status: 400, body: { error: 'invalid_request', error_description: 'Identity not found' } };
  }
  const resource = url.searchParams.get('resource') ?? '';
  try {
    const { access_token, expires_in } = tokenAnswer(world, principal, resource);
    const expiresOn = Math.floor(world.now() / 1000) + expires_in;
    return {
      status: 200,
      body: {
        access_token,
        client_id: principal.clientId,
        expires_in: String(expires_in),
        expires_on: String(expiresOn),
        ext_expires_in: String(expires_in),
        not_before: String(Math.floor(world.now() / 1000)),
        resource,
        token_type: 'Bearer',
      },
    };
  } catch (error) {
    if (!(error instanceof AzureError)) throw error;
    return { status: error.status, body: error.body };
  }
}
