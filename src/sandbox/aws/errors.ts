/** How a service spells the text of its error on the wire; `none` is an error that is only a code. */
type Spelling = 'Message' | 'message' | 'none';

/** An error as AWS answers it. Thrown by operations, written by the gateway. */
export class AwsError extends Error {
  readonly code: string;
  readonly status: number;
  readonly spelling: Spelling;

  constructor(code: string, message: string, spelling: Spelling, status = 400) {
    super(message);
    this.name = code;
    this.code = code;
    this.status = status;
    this.spelling = spelling;
  }
}

/** The services that the sandbox imitates, by their signing names. */
export type ServiceName = 'secretsmanager' | 'kms' | 'sts' | 'iam' | 'mediaconnect' | 'codebuild' | 'apigateway';

/** An error of Secrets Manager: `Message` with a capital M. */
export function secretsError(code: string, message: string): AwsError {
  return new AwsError(code, message, 'Message');
}

/** An error of KMS: `message`. */
export function kmsError(code: string, message: string): AwsError {
  return new AwsError(code, message, 'message');
}

/** A parameter that breaks a constraint of the API model, in the words that all services share. */
export function validationError(value: string, field: string, constraint: string): AwsError {
  return new AwsError(
    'ValidationException',
    `1 validation error detected: Value ${value} at '${field}' failed to satisfy constraint: Member must ${constraint}`,
    'message',
  );
}

/** Refused by IAM. STS and IAM itself call it AccessDenied and answer 403, REST services answer 403 too; the JSON services say 400. */
export function accessDenied(service: ServiceName, message: string): AwsError {
  if (service === 'sts' || service === 'iam') return new AwsError('AccessDenied', message, 'Message', 403);
  if (service === 'mediaconnect') return new AwsError('AccessDeniedException', message, 'message', 403);
  if (service === 'apigateway') return new AwsError('AccessDeniedException', message, 'Message', 403);
  return new AwsError('AccessDeniedException', message, 'Message');
}

type Trouble = 'throttle' | 'expired-token' | 'server-error' | 'unknown-key' | 'missing-token' | 'bad-signature';

type Wording = {
  readonly code: string;
  readonly message: string;
  readonly spelling: Spelling;
  readonly status: number;
};

const JSON_SERVICES: Record<Exclude<Trouble, 'throttle' | 'server-error'>, Wording> = {
  'expired-token': wording('ExpiredTokenException', 'The security token included in the request is expired'),
  'unknown-key': wording('UnrecognizedClientException', 'The security token included in the request is invalid.'),
  'missing-token': wording('MissingAuthenticationTokenException', 'Missing Authentication Token'),
  'bad-signature': wording(
    'InvalidSignatureException',
    'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
  ),
};

/** REST services say the same with HTTP statuses that mean something. */
const REST_SERVICES = {
  'expired-token': { ...JSON_SERVICES['expired-token'], status: 403 },
  'unknown-key': { ...JSON_SERVICES['unknown-key'], status: 403 },
  'missing-token': { ...JSON_SERVICES['missing-token'], status: 403 },
  'bad-signature': { ...JSON_SERVICES['bad-signature'], status: 403 },
} as const;

/** What speaks the Query protocol. */
const QUERY_SERVICES: Record<Trouble, Wording> = {
  throttle: wording('Throttling', 'Rate exceeded', 'Message'),
  'server-error': wording('InternalFailure', 'An internal error occurred.', 'Message', 500),
  'expired-token': wording('ExpiredToken', 'The security token included in the request is expired', 'Message', 403),
  'unknown-key': wording(
    'InvalidClientTokenId',
    'The security token included in the request is invalid.',
    'Message',
    403,
  ),
  'missing-token': wording('MissingAuthenticationToken', 'Request is missing Authentication Token', 'Message', 403),
  'bad-signature': wording('SignatureDoesNotMatch', JSON_SERVICES['bad-signature'].message, 'Message', 403),
};

const WORDINGS: Record<ServiceName, Record<Trouble, Wording>> = {
  secretsmanager: {
    ...JSON_SERVICES,
    throttle: wording('ThrottlingException', 'Rate exceeded'),
    'server-error': wording('InternalServiceError', 'An error occurred on the server side.', 'Message', 500),
  },
  kms: {
    ...JSON_SERVICES,
    throttle: wording(
      'ThrottlingException',
      'You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.',
    ),
    'server-error': wording('KMSInternalException', 'An internal exception occurred.', 'message', 500),
  },
  mediaconnect: {
    ...REST_SERVICES,
    throttle: wording('TooManyRequestsException', 'Too Many Requests', 'message', 429),
    'server-error': wording('InternalServerErrorException', 'Internal Server Error', 'message', 500),
  },
  apigateway: {
    ...REST_SERVICES,
    throttle: wording('TooManyRequestsException', 'Too Many Requests', 'message', 429),
    'server-error': wording('InternalServerErrorException', 'Internal server error', 'message', 500),
  },
  codebuild: {
    ...JSON_SERVICES,
    throttle: wording('ThrottlingException', 'Rate exceeded'),
    'server-error': wording('InternalFailure', 'An internal error occurred.', 'message', 500),
  },
  sts: QUERY_SERVICES,
  iam: { ...QUERY_SERVICES, 'server-error': wording('ServiceFailure', 'An error occurred.', 'Message', 500) },
};

function wording(code: string, message: string, spelling: Spelling = 'message', status = 400): Wording {
  return { code, message, spelling, status };
}

/** Trouble that every service has, with the code, text and status of this one. `message` replaces the usual text. */
export function serviceTrouble(service: ServiceName, trouble: Trouble, message?: string, status?: number): AwsError {
  const usual = WORDINGS[service][trouble];
  return new AwsError(usual.code, message ?? usual.message, usual.spelling, status ?? usual.status);
}
