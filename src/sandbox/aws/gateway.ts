import type { FaultEffect, Faults } from '../faults.ts';
import type { HttpAnswer, HttpRequest } from '../http.ts';
import type { LoggedRequest, RequestLog } from '../requests.ts';
import { type Effect, shaped } from '../shape.ts';
import type { View } from '../table.ts';
import { answerInvocation, invocationOf } from './apigateway/invoke.ts';
import { projectResource } from './codebuild/state.ts';
import { AwsError, accessDenied, type ServiceName, serviceTrouble } from './errors.ts';
import { iamResource } from './iam/roles.ts';
import { kmsResource } from './kms/lookup.ts';
import { type Authorization, parseAuthorization, SignatureChecker } from './signature.ts';
import { type Asked, parseRequest, type Written, writeAnswer, writeError } from './wire.ts';
import { type Call, denialText, type Operations, type Principal, partitionOf, type World } from './world.ts';

type Parts = {
  readonly world: World;
  readonly faults: Faults;
  readonly requests: RequestLog;
  readonly operations: Readonly<Record<ServiceName, Operations>>;
};

/** What came out of a request, before faults of the transport touch it. */
type Outcome = Written & { readonly status: number; readonly code: string | undefined };

/** The front door: who calls, may they, which operation, which fault; then the answer in the service's protocol. */
export class Gateway {
  readonly #parts: Parts;
  readonly #signatures = new SignatureChecker();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Answers one HTTP request. Never throws what an operation threw on purpose. */
  answer(request: HttpRequest): HttpAnswer {
    const { world, requests } = this.#parts;
    const now = world.now();
    const requestId = world.random.uuid();
    const headers = { date: new Date(now).toUTCString(), 'x-amzn-requestid': requestId };
    const invocation = invocationOf(world.gateways, request);
    if (invocation) {
      const { answer, line } = answerInvocation(invocation, request, this.#parts.faults, { now, requestId });
      requests.add(line);
      return answer;
    }
    const asked = parseRequest(request);
    if (!asked) {
      const error = new AwsError('UnknownOperationException', '', 'none');
      const { contentType, body } = writeError('secretsmanager', error, requestId);
      return { status: 400, headers: { ...headers, 'content-type': contentType }, body, manner: 'whole', delayMs: 0 };
    }
    const authorization = parseAuthorization(request.headers.authorization);
    const caller = authorization && world.principals.get(authorization.accessKeyId);
    const effects = this.#effects(asked, authorization, caller);
    const outcome = this.#outcome(request, asked, authorization, effects, now, requestId);
    const answer = shaped(outcome, effects, { ...headers, ...outcome.headers });
    requests.add(logged(request, asked, authorization, caller, outcome, answer, now));
    return answer;
  }

  #effects(asked: Asked, authorization: Authorization | undefined, caller: Principal | undefined) {
    return this.#parts.faults.hit({
      service: asked.service,
      operation: asked.operation,
      account: caller?.account ?? '',
      region: authorization?.region ?? '',
      resource: namedResource(asked),
      input: asked.input ?? {},
    });
  }

  #outcome(
    request: HttpRequest,
    asked: Asked,
    authorization: Authorization | undefined,
    effects: readonly FaultEffect[],
    now: number,
    requestId: string,
  ): Outcome {
    try {
      const caller = this.#authenticate(request, asked.service, authorization, now);
      const call = this.#call(asked, caller, authorization?.region ?? '', effects, now, requestId);
      refuse(call, effects);
      let result: unknown = perform(call, this.#parts.operations[asked.service]);
      for (const effect of effects) {
        if (effect.kind === 'rewrite') result = effect.change(JSON.parse(JSON.stringify(result)));
      }
      return { status: asked.status, code: undefined, ...writeAnswer(asked, result, requestId) };
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      return { status: error.status, code: error.code, ...writeError(asked.service, error, requestId) };
    }
  }

  #authenticate(
    request: HttpRequest,
    service: ServiceName,
    authorization: Authorization | undefined,
    now: number,
  ): Principal {
    if (!authorization) throw serviceTrouble(service, 'missing-token');
    const principal = this.#parts.world.principals.get(authorization.accessKeyId);
    if (!principal || principal.sessionToken !== request.headers['x-amz-security-token']) {
      throw serviceTrouble(service, 'unknown-key');
    }
    if (authorization.service !== service) {
      throw serviceTrouble(service, 'bad-signature', `Credential should be scoped to correct service: '${service}'. `);
    }
    const check = this.#signatures.check(request, authorization, principal.secretAccessKey, now);
    if (!check.ok) throw serviceTrouble(service, 'bad-signature', check.because === 'skew' ? check.message : undefined);
    if (principal.expiresAt !== undefined && principal.expiresAt <= now) throw serviceTrouble(service, 'expired-token');
    return principal;
  }

  #call(
    asked: Asked,
    caller: Principal,
    region: string,
    effects: readonly FaultEffect[],
    now: number,
    requestId: string,
  ): Call {
    if (!asked.input) throw new AwsError('SerializationException', '', 'none');
    const { world } = this.#parts;
    const { account } = caller;
    const stale = effects.find((effect) => effect.kind === 'stale');
    const view: View = stale ? (stale.ms === undefined ? 'previous' : { asOf: now - stale.ms }) : 'latest';
    const loop = effects.some((effect) => effect.kind === 'token-loop');
    const empty = effects.some((effect) => effect.kind === 'empty-page');
    return {
      world,
      service: asked.service,
      operation: asked.operation,
      caller,
      account,
      region,
      store: world.store(account, region),
      input: asked.input,
      now,
      requestId,
      view,
      paging: loop ? 'loop' : empty ? 'empty' : 'normal',
    };
  }
}

/** Throws what a fault or a denial answers instead of the operation. */
function refuse(call: Call, effects: readonly FaultEffect[]): void {
  for (const effect of effects) {
    if (effect.kind === 'throttle') throw serviceTrouble(call.service, 'throttle');
    if (effect.kind === 'expired-token') throw serviceTrouble(call.service, 'expired-token');
    if (effect.kind === 'server-error') throw serviceTrouble(call.service, 'server-error', undefined, effect.status);
    if (effect.kind === 'error') throw scripted(call, effect);
  }
  // IAM knows the operations of API Gateway by their HTTP methods.
  const action = call.service === 'apigateway' ? 'apigateway:GET' : `${call.service}:${call.operation}`;
  const resource = authorizedResource(call);
  const denial = call.world.denial(call, action, resource.all);
  const refused = denial !== undefined || effects.some((effect) => effect.kind === 'access-denied');
  if (refused) throw accessDenied(call.service, denialText(call, action, resource.shown, denial?.because));
}

function scripted(call: Call, effect: Effect<'error'>): AwsError {
  const lower = call.service === 'kms' || call.service === 'mediaconnect' || call.service === 'codebuild';
  const spelling = effect.message === undefined ? 'none' : lower ? 'message' : 'Message';
  return new AwsError(effect.code, effect.message ?? '', spelling, effect.status ?? 400);
}

/** What IAM decides about, and what its text names: KMS the key's ARN, Secrets Manager the id as it was given. */
function authorizedResource(call: Call): { readonly shown: string | undefined; readonly all: readonly string[] } {
  const named = namedResource(call);
  if (call.service === 'kms') return kmsResource(call, named);
  if (call.service === 'codebuild') return projectResource(call);
  if (call.service === 'iam') return iamResource(call, named);
  if (call.service === 'apigateway') return stageResource(call);
  if (named === undefined) return { shown: call.service === 'mediaconnect' ? '*' : undefined, all: ['*'] };
  const arn = call.service === 'secretsmanager' ? call.store.secretNames.get(named) : undefined;
  return { shown: named, all: arn === undefined ? [named] : [named, arn] };
}

function stageResource({ region, input }: Call): { readonly shown: string; readonly all: readonly string[] } {
  const arn = `arn:${partitionOf(region)}:apigateway:${region}::/restapis/${input.restApiId}/stages/${input.stageName}`;
  return { shown: arn, all: [arn] };
}

const NAMING_FIELDS = [
  ...['SecretId', 'KeyId', 'TargetKeyId', 'RoleArn', 'RoleName', 'PolicySourceArn'],
  ...['flowArn', 'resourceArn', 'projectName', 'name', 'restApiId'],
];

function namedResource(asked: Pick<Asked, 'input'>): string | undefined {
  for (const field of NAMING_FIELDS) {
    const value = asked.input?.[field];
    if (typeof value === 'string') return value;
  }
  return undefined;
}

function perform(call: Call, operations: Operations): unknown {
  const operation = Object.hasOwn(operations, call.operation) ? operations[call.operation] : undefined;
  if (operation) return operation(call);
  if (call.service === 'sts' || call.service === 'iam')
    throw new AwsError('InvalidAction', `Could not find operation ${call.operation}`, 'Message');
  throw new AwsError('UnknownOperationException', '', 'none');
}

function logged(
  request: HttpRequest,
  asked: Asked,
  authorization: Authorization | undefined,
  caller: Principal | undefined,
  outcome: Outcome,
  answer: HttpAnswer,
  now: number,
): LoggedRequest {
  const unanswered = answer.manner === 'silence' || answer.manner === 'reset';
  return {
    at: now,
    service: asked.service,
    operation: asked.operation,
    target: request.headers['x-amz-target'] ?? asked.operation,
    account: caller?.account,
    region: authorization?.region,
    resource: namedResource(asked),
    status: unanswered ? undefined : answer.status,
    code: outcome.code,
  };
}
