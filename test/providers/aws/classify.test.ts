import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Failure, Verdict } from '../../../src/core/model.ts';
import { classify } from '../../../src/providers/aws/classify.ts';
import { secretsManager } from '../../../src/providers/aws/secrets-manager/index.ts';
import { CallFailed, type Connection } from '../../../src/providers/provider.ts';
import {
  type Answer,
  awsError,
  connectTo,
  openSession,
  REGION,
  startWire,
  type Wire,
} from '../../fixtures/aws-wire.ts';
import { contextWith, plainContext } from '../../fixtures/context.ts';

const SECRET = `arn:aws:secretsmanager:${REGION}:111122223333:secret:prod/db-AbCdEf`;
const KEY = `arn:aws:kms:${REGION}:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab`;
const stub = {
  resource: SECRET,
  kind: 'aws-secret',
  name: 'prod/db',
  provider: 'aws',
  account: '111122223333',
  location: REGION,
} as const;
const keyStub = { ...stub, kind: 'aws-kms-key', resource: KEY, name: KEY } as const;

let wire: Wire;
beforeEach(async () => {
  // The SDK waits a random part of a second before it asks again: the smallest one.
  vi.spyOn(Math, 'random').mockReturnValue(0);
  wire = await startWire();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await wire[Symbol.asyncDispose]();
});

/** What one look at a secret, or a key, comes to when its describe call is answered so. */
async function failureOf(service: 'secrets-manager' | 'kms', answer: Answer): Promise<Failure> {
  const { connection, session } = await openSession(wire, service);
  wire.on(service === 'kms' ? 'DescribeKey' : 'DescribeSecret', answer);
  try {
    await session.describe(service === 'kms' ? keyStub : stub, undefined, plainContext);
  } catch (error) {
    return connection.classify(error, 'outer');
  } finally {
    await connection[Symbol.asyncDispose]();
  }
  throw new Error('the look did not fail');
}

function verdictOf(failure: Failure): Verdict {
  return secretsManager.keys.verdict({ failure });
}

const KMS_SAYS = (text: string, code: string) =>
  `Secrets Manager can't decrypt the secret value: ${KEY} ${text} (Service: AWSKMS; Status Code: 400; Error Code: ${code}; Request ID: 1; Proxy: null)`;

describe('errors of Secrets Manager (aws.md 1.3), through the SDK', () => {
  it.each<[string, string | undefined, Failure['reason']]>([
    ['ResourceNotFoundException', "Secrets Manager can't find the specified secret.", 'not_found'],
    ['ResourceNotFoundException', 'Secrets Manager can’t find the specified secret.', 'not_found'],
    [
      'ResourceNotFoundException',
      "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT",
      'no_current_version',
    ],
    [
      'ResourceNotFoundException',
      "Secrets Manager can't find the specified secret value for staging label: AWSPENDING",
      'bad_response',
    ],
    [
      'ResourceNotFoundException',
      "Secrets Manager can't find the specified secret value for VersionId: abc",
      'bad_response',
    ],
    [
      'InvalidRequestException',
      "You can't perform this operation on the secret because it was marked for deletion.",
      'pending_deletion',
    ],
    [
      'InvalidRequestException',
      "You can't perform this operation on the secret that's currently marked deleted.",
      'pending_deletion',
    ],
    ['InvalidRequestException', 'You can’t perform this operation on the secret because it was deleted.', 'not_found'],
    [
      'InvalidRequestException',
      "You can't access a secret from a different AWS account if you encrypt the secret with the default KMS service key.",
      'denied',
    ],
    [
      'InvalidRequestException',
      'You provided a VersionStage that is not associated to the provided VersionId.',
      'bad_response',
    ],
    ['DecryptionFailure', KMS_SAYS('is disabled.', 'DisabledException'), 'decrypt_failed'],
    ['DecryptionFailure', KMS_SAYS('is pending deletion.', 'KMSInvalidStateException'), 'decrypt_failed'],
    ['DecryptionFailure', KMS_SAYS('is pending import.', 'KMSInvalidStateException'), 'decrypt_failed'],
    ['DecryptionFailure', KMS_SAYS('is unavailable.', 'KMSInvalidStateException'), 'decrypt_failed'],
    ['DecryptionFailure', KMS_SAYS('does not exist', 'NotFoundException'), 'decrypt_failed'],
    ['DecryptionFailure', undefined, 'decrypt_failed'],
    ['DecryptionFailure', KMS_SAYS('', 'AccessDeniedException'), 'denied'],
    ['DecryptionFailure', KMS_SAYS('', 'ThrottlingException'), 'throttled'],
    ['DecryptionFailure', KMS_SAYS('', 'KMSInternalException'), 'provider_error'],
    ['AccessDeniedException', 'Access to KMS is not allowed', 'denied'],
    [
      'AccessDeniedException',
      `User: arn:aws:iam::1:user/m is not authorized to perform: secretsmanager:DescribeSecret on resource: ${SECRET} because no identity-based policy allows the action`,
      'denied',
    ],
    [
      'AccessDeniedException',
      'Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants access.',
      'provider_error',
    ],
    ['InternalServiceError', 'An error occurred on the server side.', 'provider_error'],
    ['InvalidParameterException', 'The parameter name or value is invalid.', 'bad_response'],
    ['InvalidNextTokenException', 'The token is invalid.', 'bad_response'],
    ['SomethingNobodyKnows', 'No idea.', 'provider_error'],
  ])('%s "%s" is %s', async (code, message, reason) => {
    const failure = await failureOf('secrets-manager', awsError(code, message));
    expect(failure).toMatchObject({ reason, evidence: { operation: 'DescribeSecret', status: 400, code } });
  });

  it('names the KMS key that a refused decryption is about', async () => {
    const failure = await failureOf(
      'secrets-manager',
      awsError('DecryptionFailure', KMS_SAYS('is disabled.', 'DisabledException')),
    );
    expect(failure.names).toEqual([KEY]);
    expect(verdictOf(failure)).toEqual({ status: 'inaccessible', reason: 'decrypt_failed' });
  });
});

describe('errors of KMS (aws.md 2.1 and 2.3), through the SDK', () => {
  it.each<[string, string | undefined, Failure['reason']]>([
    ['NotFoundException', `Key '${KEY}' does not exist`, 'not_found'],
    ['NotFoundException', "Invalid keyId 'fake-key-id'", 'bad_response'],
    ['NotFoundException', 'Invalid arn us-east-1', 'bad_response'],
    ['NotFoundException', undefined, 'bad_response'],
    ['DisabledException', `${KEY} is disabled.`, 'disabled'],
    ['KMSInvalidStateException', `${KEY} is pending deletion.`, 'pending_deletion'],
    ['KMSInvalidStateException', `${KEY} is pending replica deletion.`, 'pending_deletion'],
    ['KMSInvalidStateException', `${KEY} is pending import.`, 'pending_import'],
    ['KMSInvalidStateException', `${KEY} is unavailable.`, 'store_unavailable'],
    ['KMSInvalidStateException', `${KEY} is creating.`, 'transitional'],
    ['KMSInvalidStateException', `${KEY} is dreaming.`, 'bad_response'],
    ['KeyUnavailableException', 'You can retry the request.', 'provider_error'],
    ['DependencyTimeoutException', 'The system timed out.', 'provider_error'],
    ['KMSInternalException', 'An internal exception occurred.', 'provider_error'],
    ['ConflictException', 'Try again.', 'provider_error'],
    ['InvalidArnException', 'The ARN is not valid.', 'bad_response'],
    ['InvalidCiphertextException', undefined, 'bad_response'],
    ['IncorrectKeyException', 'Another key.', 'bad_response'],
    ['InvalidKeyUsageException', 'Not for this.', 'bad_response'],
    ['InvalidGrantTokenException', 'Not valid.', 'bad_response'],
    ['InvalidMarkerException', 'Not valid.', 'bad_response'],
    ['UnsupportedOperationException', `${KEY} origin is EXTERNAL which is not valid.`, 'bad_response'],
    ['LimitExceededException', 'The on-demand rotations limit has been reached.', 'throttled'],
    ['DryRunOperationException', 'The request would have succeeded, but the DryRun option is set.', 'bad_response'],
    ['AccessDeniedException', `User: x is not authorized to perform: kms:DescribeKey on resource: ${KEY}`, 'denied'],
    ['ThrottlingException', 'You have exceeded the rate at which you may call KMS.', 'throttled'],
    ['ValidationException', 'Invalid.', 'bad_response'],
    ['ExpiredTokenException', 'The security token included in the request is expired', 'credentials'],
    ['UnrecognizedClientException', 'The security token included in the request is invalid.', 'credentials'],
  ])('%s "%s" is %s', async (code, message, reason) => {
    const failure = await failureOf('kms', awsError(code, message));
    expect(failure).toMatchObject({ reason, evidence: { operation: 'DescribeKey', status: 400, code } });
  });
});

describe('what says nothing about a key', () => {
  it.each([
    'InvalidSignatureException',
    'InvalidClientTokenId',
    'SignatureDoesNotMatch',
    'MissingAuthenticationToken',
    'MissingAuthenticationTokenException',
    'IncompleteSignatureException',
    'ExpiredToken',
    'RequestExpired',
    'RequestTimeTooSkewed',
  ])('%s: the credentials of the monitor', async (code) => {
    expect(await failureOf('secrets-manager', awsError(code, 'no', 403))).toMatchObject({ reason: 'credentials' });
  });

  it.each([
    'Throttling',
    'ThrottledException',
    'RequestThrottledException',
    'TooManyRequestsException',
    'ProvisionedThroughputExceededException',
    'RequestLimitExceeded',
    'SlowDown',
    'PriorRequestNotComplete',
  ])('%s: throttled, after the one retry', async (code) => {
    const failure = await failureOf('secrets-manager', awsError(code, 'Rate exceeded'));
    expect(failure).toMatchObject({ reason: 'throttled', evidence: { attempts: 2 } });
  });

  it.each<[string, Answer, Failure['reason']]>([
    ['XML 403', { status: 403, body: '<Error><Code>AccessDenied</Code></Error>' }, 'denied'],
    ['XML 401', { status: 401, body: '<Error/>' }, 'credentials'],
    ['HTML 404 of a proxy', { status: 404, body: '<html>Not here</html>' }, 'bad_response'],
    ['HTML 429', { status: 429, body: '<html>Slow down</html>' }, 'throttled'],
    ['HTML 500', { status: 500, body: '<html>Oops</html>' }, 'provider_error'],
    ['HTML 502 of a proxy', { status: 502, body: '<html>Bad gateway</html>' }, 'provider_error'],
    ['JSON 503', awsError('ServiceUnavailable', 'later', 503), 'provider_error'],
    ['an empty 500', { status: 500, body: '' }, 'provider_error'],
    ['an error cut off', { status: 400, body: '{"__type":"ResourceNotFoun' }, 'bad_response'],
    ['a good answer cut off', { status: 200, body: '{"ARN":"arn:aws:secre' }, 'bad_response'],
    ['a good answer that is HTML', { status: 200, body: '<html>Please log in</html>' }, 'bad_response'],
    ['a connection that dies within the body', { body: '{"ARN":', ending: 'reset' }, 'network'],
  ])('%s is no loss', async (_, answer, reason) => {
    const failure = await failureOf('secrets-manager', answer);
    expect(failure.reason).toBe(reason);
    expect(verdictOf(failure)).toEqual({ status: 'unknown', reason });
  });

  it('an answer about another secret is no loss and no news', async () => {
    const { connection, session } = await openSession(wire, 'secrets-manager');
    await using _ = connection;
    wire.on('DescribeSecret', { body: { ARN: SECRET.replace('AbCdEf', 'ZZZZZZ'), Name: 'prod/db' } }, { body: {} });
    await expect(session.describe(stub, undefined, plainContext)).rejects.toThrow('about another secret');
    await expect(session.describe(stub, undefined, plainContext)).rejects.toThrow('has no ARN');
  });
});

describe('trouble on the way', () => {
  async function refusedBy(connection: Connection): Promise<Failure> {
    const failed = await connection.identify(plainContext).catch((error: unknown) => error);
    return connection.classify(failed, 'outer');
  }

  it('nobody listens: network', async () => {
    await using connection = await connectTo({ url: 'http://127.0.0.1:1' }, { kms: {} });
    expect(await refusedBy(connection)).toMatchObject({
      reason: 'network',
      evidence: { operation: 'GetCallerIdentity', code: 'ECONNREFUSED', attempts: 2 },
    });
  });

  it('nobody speaks TLS: network', async () => {
    await using connection = await connectTo({ url: wire.url.replace('http:', 'https:') }, { kms: {} });
    expect(await refusedBy(connection)).toMatchObject({ reason: 'network' });
  });

  it('an aborted call with a stalled body ends at once and is a time-out', async () => {
    const { connection, session } = await openSession(wire, 'secrets-manager');
    await using _ = connection;
    wire.on('DescribeSecret', { body: '{"ARN":', ending: 'stall' });
    const control = new AbortController();
    const look = session.describe(stub, undefined, contextWith(control.signal)).catch((error: unknown) => error);
    await wire.stalled;
    control.abort();
    expect(connection.classify(await look, 'outer')).toMatchObject({ reason: 'timeout' });
  });

  it('a request without an answer is given up after half of the deadline, twice', async () => {
    await using connection = await connectTo(wire, { kms: {} }, {}, { callTimeoutMs: 100 });
    wire.on('GetCallerIdentity', { ending: 'silence' });
    const failure = await refusedBy(connection);
    expect(failure).toMatchObject({ reason: 'timeout', evidence: { attempts: 2 } });
  });

  it.each<[Error, Failure['reason']]>([
    [Object.assign(new Error('getaddrinfo ENOTFOUND x'), { code: 'ENOTFOUND' }), 'dns'],
    [Object.assign(new Error('getaddrinfo EAI_AGAIN x'), { code: 'EAI_AGAIN' }), 'dns'],
    [Object.assign(new Error('connect ETIMEDOUT'), { code: 'ETIMEDOUT' }), 'timeout'],
    [Object.assign(new Error('x'), { name: 'TimeoutError' }), 'timeout'],
    [Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' }), 'network'],
    [Object.assign(new Error('ENOENT: no such file'), { code: 'ENOENT', syscall: 'open' }), 'credentials'],
    [Object.assign(new Error('EISDIR: a directory, read'), { code: 'EISDIR', syscall: 'read' }), 'credentials'],
    [Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', name: 'TimeoutError' }), 'network'],
    [Object.assign(new Error('x'), { code: 'EHOSTUNREACH' }), 'network'],
    [Object.assign(new Error('expired'), { code: 'CERT_HAS_EXPIRED' }), 'network'],
    [Object.assign(new Error('x'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }), 'network'],
    [Object.assign(new Error('x'), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' }), 'network'],
    [Object.assign(new Error('x'), { code: 'HPE_INVALID_CONSTANT' }), 'bad_response'],
    [Object.assign(new Error('x'), { name: 'AbortError' }), 'timeout'],
    [Object.assign(new Error('none'), { name: 'CredentialsProviderError' }), 'credentials'],
    [new Error('Who knows'), 'provider_error'],
  ])('%s', (error, reason) => {
    expect(classify(new CallFailed('DescribeKey', error), 'outer')).toMatchObject({
      reason,
      evidence: { operation: 'DescribeKey' },
    });
  });
});

describe('classify', () => {
  it.each([undefined, null, 0, 'text', {}, { name: 1, $metadata: 'x' }])('is total: %j', (error) => {
    expect(classify(error, 'DescribeKey')).toMatchObject({ reason: 'provider_error' });
  });

  it('keeps the signed request, whose headers hold a session token, out of the evidence', () => {
    const message =
      'The request signature we calculated does not match.\n\nThe Canonical String for this request should have been\n' +
      "'POST\n/\n\nx-amz-security-token:CANARY-token'\n\nThe String-to-Sign should have been\n'AWS4-HMAC-SHA256'";
    const error = Object.assign(new Error(message), {
      name: 'SignatureDoesNotMatch',
      $metadata: { httpStatusCode: 403 },
    });
    const { reason, evidence } = classify(error, 'GetCallerIdentity');
    expect(reason).toBe('credentials');
    expect(evidence.message).toBe('The request signature we calculated does not match.');
  });

  it('never takes the failure of a listing for the loss of a key', () => {
    const error = Object.assign(new Error("Key 'x' does not exist"), { name: 'NotFoundException' });
    expect(classify(error, 'DescribeKey').reason).toBe('not_found');
    expect(classify(error, 'ListKeys').reason).toBe('bad_response');
  });

  it('keeps messages short and without control characters', () => {
    const error = Object.assign(new Error(`a\u0000\u001b[31mb\n${'x'.repeat(2000)}`), { name: 'Some\nthing' });
    const { code, message = '' } = classify(error, 'DescribeKey').evidence;
    expect(code).toBe('Some thing');
    expect(message).toMatch(/^a \[31mb x+$/);
    expect(message).toHaveLength(500);
  });

  it('quotes no body that could not be parsed, and no command line', () => {
    const parse = Object.assign(new SyntaxError('Unexpected token c, "canary" is not valid JSON'), {
      $metadata: { httpStatusCode: 200 },
    });
    const command = Object.assign(new Error('Command failed: helper --token canary'), {
      name: 'CredentialsProviderError',
    });
    expect(JSON.stringify([classify(parse, 'X'), classify(command, 'X')])).not.toContain('canary');
  });
});
