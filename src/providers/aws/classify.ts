/**
 * Names an error that the AWS SDK threw, in the order of aws.md 1.3: the way there, the monitor's own credentials,
 * throttling, its rights, what the cloud says of the object. Only the last is conclusive. Pure and total.
 */
import type { Evidence, Failure } from '../../core/model.ts';
import type { InaccessibleReason, UnknownReason } from '../../core/reasons.ts';
import { isConclusive, present } from '../look.ts';
import { CallFailed } from '../provider.ts';

type Reason = InaccessibleReason | UnknownReason;

/** The parts of an error that decide; '' where it has none. */
interface Seen {
  /** The code of the cloud: the SDK puts it into the error's name. */
  readonly name: string;
  /** The code of a socket, TLS or DNS error. */
  readonly code: string;
  /** What the system was asked for: `connect`, `open`. */
  readonly syscall: string;
  readonly message: string;
  readonly status: number | undefined;
  readonly operation: string;
}

const DNS = /^(ENOTFOUND|EAI_\w+|EDNS\w*|ESERVFAIL|ENODATA)$/;
const TIMEOUT = /^(ETIMEDOUT|ESOCKETTIMEDOUT|ETIME|UND_ERR_\w*TIMEOUT)$/;
/** Codes of Node that are about what was answered, not about the way there. */
const BAD_HTTP = /^(HPE_|ERR_HTTP_|ERR_INVALID_|ERR_STREAM_|Z_)/;

/** The monitor's credentials are missing, expired, unknown, or its clock is wrong. Says nothing about any key. */
const CREDENTIALS: ReadonlySet<string> = new Set([
  'CredentialsProviderError',
  'TokenProviderError',
  'ExpiredToken',
  'ExpiredTokenException',
  'RequestExpired',
  'RequestTimeTooSkewed',
  'UnrecognizedClientException',
  'UnrecognizedClient',
  'InvalidClientTokenId',
  'InvalidAccessKeyId',
  'InvalidSignatureException',
  'InvalidSignature',
  'SignatureDoesNotMatch',
  'IncompleteSignature',
  'IncompleteSignatureException',
  'MissingAuthenticationToken',
  'MissingAuthenticationTokenException',
  'AuthFailure',
  'OptInRequired',
  // STS, where the monitor takes on its role.
  'RegionDisabledException',
  'InvalidIdentityToken',
  'InvalidIdentityTokenException',
  'IDPRejectedClaim',
  'IDPRejectedClaimException',
  'IDPCommunicationError',
]);

/** The names that AWS lists for retry with a longer delay (aws.md 1.1, `@smithy/core` THROTTLING_ERROR_CODES). */
const THROTTLED: ReadonlySet<string> = new Set([
  'BandwidthLimitExceeded',
  'EC2ThrottledException',
  'LimitExceededException',
  'PriorRequestNotComplete',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'RequestThrottled',
  'RequestThrottledException',
  'SlowDown',
  'ThrottledException',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
  'TransactionInProgressException',
]);

const DENIED: ReadonlySet<string> = new Set([
  'AccessDenied',
  'AccessDeniedException',
  'ForbiddenException',
  'NotAuthorized',
  'UnauthorizedOperation',
  'SubscriptionRequiredException',
]);

/** Trouble of the service itself; it may pass. */
const PROVIDER: ReadonlySet<string> = new Set([
  'InternalServiceError',
  'InternalFailure',
  'InternalServerError',
  'InternalServerErrorException',
  'PolicyEvaluationException',
  'ServiceFailureException',
  'ServiceUnavailable',
  'ServiceUnavailableException',
  'KMSInternalException',
  'DependencyTimeoutException',
  'KeyUnavailableException',
  'ConflictException',
]);

/** The request was wrong, or its success cannot be told: nothing about the object. */
const BAD_REQUEST: ReadonlySet<string> = new Set([
  'BadAnswer',
  'BadRequestException',
  'DryRunOperationException',
  'InvalidInputException',
  'InvalidParameterException',
  'InvalidRequestException',
  'InvalidNextTokenException',
  'InvalidMarkerException',
  'InvalidArnException',
  'InvalidCiphertextException',
  'IncorrectKeyException',
  'InvalidKeyUsageException',
  'InvalidGrantTokenException',
  'UnsupportedOperationException',
  'UnknownOperationException',
  'ValidationException',
  'SerializationException',
]);

/** Calls that are about no single object: what they say can make a source fail, but no key lost. */
const OBJECTLESS: ReadonlySet<string> = new Set([
  'ListSecrets',
  'ListKeys',
  'ListAliases',
  'ListProjects',
  'BatchGetProjects',
  'ListFlows',
  'ListEntitlements',
  'GetCallerIdentity',
  'AssumeRole',
]);

/** Calls of services that say `NotFoundException` of the object alone, in whatever words. */
const NAMES_ITS_OBJECT: ReadonlySet<string> = new Set(['DescribeFlow']);

/** IAM speaks the protocol of STS, and spells its errors alike. */
const OF_IAM: ReadonlySet<string> = new Set(['GetRole', 'SimulatePrincipalPolicy']);

const KMS_NAMES = /arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:(?:key|alias)\/[\w/-]+/g;

/**
 * Names `error`, which the SDK threw during `operation`; a `CallFailed` around it is taken off. Whatever it cannot tell is
 * `provider_error`. The evidence holds the cloud's own words, except where they could quote an answer's body.
 */
export function classify(error: unknown, operation: string): Failure {
  if (error instanceof CallFailed) return classify(error.cause, error.operation);
  const seen = see(error, operation);
  const named = reasonOf(seen);
  const reason = isConclusive(named) && OBJECTLESS.has(operation) ? 'bad_response' : named;
  const evidence = evidenceOf(error, seen);
  const names = seen.name === 'DecryptionFailure' ? [...new Set(seen.message.match(KMS_NAMES))] : [];
  return names.length > 0 ? { reason, evidence, names } : { reason, evidence };
}

function reasonOf(seen: Seen): Reason {
  return (
    transport(seen) ??
    unreadable(seen) ??
    credentials(seen) ??
    throttled(seen) ??
    denied(seen) ??
    decryption(seen) ??
    ofObject(seen) ??
    rest(seen)
  );
}

function transport({ name, code, syscall }: Seen): Reason | undefined {
  // The only files that a call may need are those of its credentials: a token, a profile.
  if (/^(open|access|stat|spawn)\b/.test(syscall) || code === 'EISDIR') return 'credentials';
  // The SDK's handler renames a reset connection and a broken pipe to TimeoutError; the code still says what it was.
  if (name === 'TimeoutError' && /^(ECONNRESET|EPIPE)$/.test(code)) return 'network';
  if (name === 'AbortError' || name === 'TimeoutError' || name === 'DeadlineExceeded' || TIMEOUT.test(code))
    return 'timeout';
  if (code === '') return undefined;
  if (DNS.test(code)) return 'dns';
  return BAD_HTTP.test(code) ? 'bad_response' : 'network';
}

/** An error body that is no JSON (XML, HTML of a proxy, cut off), and a good answer that could not be read. */
function unreadable({ name, status }: Seen): Reason | undefined {
  if (name !== 'SyntaxError' && !isSuccess(status)) return undefined;
  if (status === 401) return 'credentials';
  if (status === 403) return 'denied';
  return byStatus(status) ?? 'bad_response';
}

function credentials({ name, message, operation }: Seen): Reason | undefined {
  if (CREDENTIALS.has(name)) return 'credentials';
  // Only STS spells these two so, and IAM: the monitor may not take on its role, or the role is none.
  const ofSts = name === 'AccessDenied' || name === 'ValidationError';
  if (ofSts && !OF_IAM.has(operation)) return 'credentials';
  const ofRole = operation === 'GetCallerIdentity' || /\bsts:(AssumeRole|TagSession|SetSourceIdentity)/.test(message);
  return DENIED.has(name) && ofRole ? 'credentials' : undefined;
}

function throttled({ name, status }: Seen): Reason | undefined {
  return THROTTLED.has(name) || status === 429 ? 'throttled' : undefined;
}

function denied({ name, message, status }: Seen): Reason | undefined {
  // Secrets Manager says so when a rotation function refuses *it* (aws.md 0.4): not about the monitor.
  if (DENIED.has(name)) return /Lambda function/i.test(message) ? 'provider_error' : 'denied';
  if (/different AWS account if you encrypt/.test(message)) return 'denied';
  return status === 403 ? 'denied' : undefined;
}

/** What KMS said to Secrets Manager stands inside the message: `Error Code: DisabledException`. */
function decryption({ name, message, operation, status }: Seen): Reason | undefined {
  if (name !== 'DecryptionFailure') return undefined;
  const inner = /Error Code: (\w+)/.exec(message)?.[1] ?? '';
  const nested = { name: inner, code: '', syscall: '', message, operation, status };
  return throttled(nested) ?? denied(nested) ?? (PROVIDER.has(inner) ? 'provider_error' : 'decrypt_failed');
}

function ofObject({ name, message, operation }: Seen): Reason | undefined {
  switch (name) {
    case 'ResourceNotFoundException':
      // One exception for a lost secret, a lost label and a lost version (aws.md 0.7).
      if (/staging label: AWSCURRENT\b/.test(message)) return 'no_current_version';
      return /staging label|version ?id/i.test(message) ? 'bad_response' : 'not_found';
    case 'NoSuchEntityException':
      return 'not_found';
    case 'NotFoundException':
      if (NAMES_ITS_OBJECT.has(operation)) return 'not_found';
      // Also said of mistakes of the caller: "Invalid keyId", "Invalid arn" (aws.md 0.5).
      return /^Key\b.*does not exist/s.test(message) ? 'not_found' : 'bad_response';
    case 'DisabledException':
      return 'disabled';
    case 'KMSInvalidStateException':
      return ofKeyState(message);
    case 'InvalidRequestException':
      if (/marked (for deletion|deleted)/.test(message)) return 'pending_deletion';
      return /was deleted/.test(message) ? 'not_found' : undefined;
    default:
      return undefined;
  }
}

function ofKeyState(message: string): Reason {
  if (/\bis disabled\b/.test(message)) return 'disabled';
  if (/pending (replica )?deletion/.test(message)) return 'pending_deletion';
  if (/pending import/.test(message)) return 'pending_import';
  if (/is unavailable/.test(message)) return 'store_unavailable';
  return /is creating/.test(message) ? 'transitional' : 'bad_response';
}

function rest({ name, status }: Seen): Reason {
  if (name === 'RequestTimeout' || name === 'RequestTimeoutException') return 'timeout';
  if (PROVIDER.has(name)) return 'provider_error';
  if (BAD_REQUEST.has(name)) return 'bad_response';
  if (status === 401) return 'credentials';
  return byStatus(status) ?? 'provider_error';
}

function byStatus(status: number | undefined): Reason | undefined {
  if (status === 429) return 'throttled';
  return status !== undefined && status >= 500 ? 'provider_error' : undefined;
}

function isSuccess(status: number | undefined): boolean {
  return status !== undefined && status >= 200 && status < 300;
}

function see(error: unknown, operation: string): Seen {
  const fields = typeof error === 'object' && error !== null ? (error as Record<string, unknown>) : {};
  const status = metadataOf(fields).httpStatusCode;
  return {
    name: text(fields.name),
    code: text(fields.code),
    syscall: text(fields.syscall),
    message: text(fields.message),
    status: typeof status === 'number' ? status : undefined,
    operation,
  };
}

function evidenceOf(error: unknown, seen: Seen): Evidence {
  const metadata = metadataOf(error as Record<string, unknown>);
  const { requestId, attempts } = metadata;
  return present({
    operation: seen.operation,
    status: seen.status,
    code: clean(seen.code || seen.name, 100) || undefined,
    message: clean(tellable(seen), 500) || undefined,
    requestId: typeof requestId === 'string' ? clean(requestId, 100) : undefined,
    attempts: typeof attempts === 'number' ? attempts : undefined,
  });
}

/** The message, unless it could quote what was answered, a command line of the machine, or the signed request with its token. */
function tellable({ name, message, status }: Seen): string {
  if (name === 'SyntaxError' || isSuccess(status)) return 'the answer could not be read';
  if (name === 'CredentialsProviderError' && /^Command failed/.test(message)) return 'the credential process failed';
  return message.split(/the (canonical string|string-to-sign)/i)[0] ?? '';
}

function metadataOf(fields: Record<string, unknown> | null | undefined): Record<string, unknown> {
  const metadata = fields?.$metadata;
  return typeof metadata === 'object' && metadata !== null ? (metadata as Record<string, unknown>) : {};
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** One line of at most `length` characters without control characters. */
function clean(value: string, length: number): string {
  return value
    .replace(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(0, length);
}
