/**
 * Names an error that an Azure SDK threw (azure.md 1.5 and 3.3), in this order: the way there, the monitor's own
 * credentials, throttling, the monitor's rights, what the cloud says of the object. Only the last is conclusive. Pure and
 * total.
 */
import type { Failure } from '../../core/model.ts';
import type { InaccessibleReason, UnknownReason } from '../../core/reasons.ts';
import { isConclusive, present } from '../look.ts';
import { CallFailed } from '../provider.ts';
import { type Seen, see } from './seen.ts';
import { tellable } from './tellable.ts';

type Reason = InaccessibleReason | UnknownReason;

const DNS = /^(ENOTFOUND|EAI_\w+|EDNS\w*|ESERVFAIL|ENODATA)$/;
const TIMEOUT = /^(ETIMEDOUT|ESOCKETTIMEDOUT|ETIME|UND_ERR_\w*TIMEOUT)$/;
/** Codes of Node that are about what was answered, not about the way there. */
const BAD_HTTP = /^(HPE_|ERR_HTTP_|ERR_INVALID_|ERR_STREAM_|Z_)/;
/** Codes of sockets, TLS and proxies. */
const NETWORK =
  /^(E(CONN|PIPE|HOST|NET|ADDR|PROTO|ALREADY|ISCONN|SOCKET)\w*|CERT_\w+|UNABLE_TO_\w+|(DEPTH_ZERO_)?SELF_SIGNED_\w+|HOSTNAME_MISMATCH|INVALID_CA|ERR_(TLS|SSL|PROXY)_\w+|REQUEST_SEND_ERROR|UND_ERR_\w+)$/;

/** What @azure/identity and the library below it throw when there is no token. */
const NO_TOKEN: ReadonlySet<string> = new Set([
  'NoToken',
  'CredentialUnavailableError',
  'AuthenticationError',
  'AggregateAuthenticationError',
  'AuthenticationRequiredError',
  'AuthError',
  'ClientAuthError',
  'ClientConfigurationError',
  'InteractionRequiredAuthError',
  'ServerError',
  'NetworkError',
  'ManagedIdentityError',
]);

/** The tenant or the token is wrong; says nothing about any object. */
const CREDENTIALS: ReadonlySet<string> = new Set([
  'AuthenticationFailed',
  'AuthenticationFailedMissingToken',
  'AuthenticationFailedInvalidHeader',
  'ExpiredAuthenticationToken',
  'InvalidAuthenticationInfo',
  'InvalidAuthenticationToken',
  'InvalidAuthenticationTokenAudience',
  'InvalidAuthenticationTokenTenant',
  'TenantNotFound',
]);

/** The monitor may not. A subscription that it cannot see is one of its own rights, not a loss of what is in it. */
const DENIED: ReadonlySet<string> = new Set([
  'AccessDenied',
  'AuthorizationFailed',
  'DisabledSubscription',
  'ForbiddenByPolicy',
  'ForbiddenByRbac',
  'LinkedAuthorizationFailed',
  'ReadOnlyDisabledSubscription',
  'SubscriptionNotFound',
]);

/** The network rules of a vault keep the monitor out. */
const FENCED: ReadonlySet<string> = new Set([
  'ForbiddenByConnection',
  'ForbiddenByFirewall',
  'ForbiddenByNetworkSecurityPerimeter',
]);

/** Nobody serves this any more, or it was never registered here. */
const RETIRED: ReadonlySet<string> = new Set([
  'DisallowedProvider',
  'InvalidResourceNamespace',
  'InvalidResourceType',
  'MissingSubscriptionRegistration',
  'NoRegisteredProviderFound',
]);

const THROTTLED: ReadonlySet<string> = new Set([
  'OperationsQuotaExceeded',
  'ResourceRequestsThrottled',
  'SubscriptionRequestsThrottled',
  'TenantRequestsThrottled',
  'Throttled',
  'TooManyRequests',
]);

const TRANSITIONAL: ReadonlySet<string> = new Set(['ObjectIsBeingDeleted', 'ObjectIsBeingRecovered']);

/** Operations that are about no single object: what they say can make a source fail, but no key lost. */
const OBJECTLESS = /(^|\W)list|^(GetToken|Knock)$/i;

/**
 * Names `error`, which the SDK threw during `operation`; a `CallFailed` around it is taken off. Whatever it cannot tell is
 * `provider_error`. The evidence holds the cloud's own words without the caller's ids and addresses.
 */
export function classify(error: unknown, operation: string): Failure {
  if (error instanceof CallFailed) return classify(error.cause, error.operation);
  const seen = see(error);
  const named = reasonOf(seen);
  const reason = isConclusive(named) && OBJECTLESS.test(operation) ? 'bad_response' : named;
  const evidence = present({
    operation,
    status: seen.status,
    code: codeOf(seen),
    message: tellable(seen) || undefined,
    requestId: seen.headers['x-ms-request-id']?.slice(0, 100),
    attempts: seen.attempts,
  });
  return { reason, evidence };
}

function reasonOf(seen: Seen): Reason {
  return (
    ownToken(seen) ??
    transport(seen) ??
    unreadable(seen) ??
    saidOfMonitor(seen) ??
    saidOfObject(seen) ??
    byStatus(seen.status) ??
    (seen.ofSdk ? 'bad_response' : 'provider_error')
  );
}

/** No token was had. What stands behind that may be the way to the authority, or the authority itself. */
function ownToken(seen: Seen): Reason | undefined {
  if (!NO_TOKEN.has(seen.name)) return undefined;
  for (const behind of seen.behind) {
    const reason = wayTo(behind);
    if (reason !== undefined) return reason;
    // The transport's word for a connection that broke within a body.
    if (behind === 'PARSE_ERROR') return 'network';
  }
  if (seen.status === 429) return 'throttled';
  return seen.status !== undefined && seen.status >= 500 ? 'provider_error' : 'credentials';
}

function transport({ name, code, status, cutOff }: Seen): Reason | undefined {
  if (name === 'AbortError' || name === 'TimeoutError' || name === 'DeadlineExceeded') return 'timeout';
  if (cutOff) return 'network';
  return status === undefined ? wayTo(code) : undefined;
}

/** What a code of the machine says about the way to the cloud. */
function wayTo(code: string): UnknownReason | undefined {
  if (DNS.test(code)) return 'dns';
  if (TIMEOUT.test(code)) return 'timeout';
  if (BAD_HTTP.test(code)) return 'bad_response';
  return NETWORK.test(code) ? 'network' : undefined;
}

/** A body that is no JSON, and a good answer that could not be read. */
function unreadable({ status, readable }: Seen): Reason | undefined {
  if (readable && (status === undefined || status >= 300)) return undefined;
  if (status === 401) return 'credentials';
  if (status === 403) return 'denied';
  return byStatus(status) ?? 'bad_response';
}

function saidOfMonitor({ codes, status }: Seen): Reason | undefined {
  const said = (known: ReadonlySet<string>) => codes.some((code) => known.has(code));
  if (said(RETIRED)) return 'provider_retired';
  if (said(THROTTLED) || status === 429) return 'throttled';
  if (said(FENCED)) return 'network';
  if (said(DENIED)) return 'denied';
  return said(CREDENTIALS) || status === 401 ? 'credentials' : undefined;
}

function saidOfObject(seen: Seen): Reason | undefined {
  const { codes, status } = seen;
  if (codes.some((code) => TRANSITIONAL.has(code))) return 'transitional';
  if (codes.includes('ObjectIsDeletedButRecoverable')) return 'soft_deleted';
  if (status === 403) return refusal(seen);
  // The codes of a missing object all end so; a 404 with any other, or with none, is not the API's word on it.
  if (status === 404) return codes.some((code) => /NotFound$/i.test(code)) ? 'not_found' : 'bad_response';
  return undefined;
}

/** A 403 that let the caller in speaks of the object, not of the monitor (azure.md 0a.2). */
function refusal({ codes, headers, message }: Seen): Reason {
  const disabled = /^(Key|Secret|Certificate)Disabled$/;
  if (codes.some((code) => disabled.test(code)) || /not allowed on a disabled/i.test(message)) return 'disabled';
  const ofObject =
    headers['x-ms-keyvault-rbac-assignment-id'] !== undefined ||
    codes.some((code) => /^Key(Expired|NotYetValid)$/.test(code)) ||
    /\b(expired|not yet valid)\b|not permitted on this key/i.test(message);
  // Expiry and refused operations are no loss: unwrapping goes on (azure.md 3.3).
  return ofObject ? 'bad_response' : 'denied';
}

function byStatus(status: number | undefined): UnknownReason | undefined {
  if (status === undefined) return undefined;
  if (status === 401) return 'credentials';
  if (status === 408) return 'timeout';
  if (status === 429) return 'throttled';
  if (status >= 500 || status === 409) return 'provider_error';
  return 'bad_response';
}

/** The code that says most: the innermost of the cloud, else the machine's, else the name of the error. */
function codeOf({ codes, code, behind, name, message }: Seen): string | undefined {
  const entra = NO_TOKEN.has(name) ? /\bAADSTS\d+/.exec(message)?.[0] : undefined;
  const found = entra ?? codes.at(-1) ?? (code || behind.find((inner) => wayTo(inner)) || name);
  if (found === 'RestError' || found === 'Error') return undefined;
  return found.replace(/[^\w.-]+/g, ' ').slice(0, 100) || undefined;
}
