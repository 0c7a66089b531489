import type { FaultCall, Faults } from '../../faults.ts';
import type { HttpAnswer, HttpRequest } from '../../http.ts';
import type { LoggedRequest } from '../../requests.ts';
import { shaped } from '../../shape.ts';
import { AwsError, serviceTrouble } from '../errors.ts';
import { type Gateways, isApiHost, type RestApi } from './state.ts';

/** A request to an API rather than to AWS itself: its host says so. `api` is undefined where there is none any more. */
export type Invocation = { readonly host: string; readonly api: RestApi | undefined };

/** The API that a request is for; undefined where its host is none of an API. */
export function invocationOf(gateways: Gateways, request: HttpRequest): Invocation | undefined {
  const host = (request.headers.host ?? '').replace(/:\d+$/, '').replace(/\.$/, '').toLowerCase();
  const api = gateways.at(host);
  return api || isApiHost(host) ? { host, api } : undefined;
}

/** What API Gateway answers, and the line of the log. Faults of service `execute-api`, operation `Invoke`, hit it. */
export function answerInvocation(
  { host, api }: Invocation,
  request: HttpRequest,
  faults: Faults,
  { now, requestId }: { readonly now: number; readonly requestId: string },
): { readonly answer: HttpAnswer; readonly line: LoggedRequest } {
  const [path = '/'] = request.path.split('?');
  const resource = `${host}${path}`;
  const input = { method: request.method, path: request.path };
  const about: FaultCall = {
    service: 'execute-api',
    operation: 'Invoke',
    account: api?.account ?? '',
    region: api?.region ?? '',
    resource,
    input,
  };
  const effects = faults.hit(about);
  const refusal = effects.map(troubleOf).find((trouble) => trouble !== undefined) ?? refusalOf(api, request);
  const body = JSON.stringify({ message: refusal?.message ?? '' });
  const headers = {
    date: new Date(now).toUTCString(),
    'x-amzn-requestid': requestId,
    ...(refusal && refusal.code !== '' && { 'x-amzn-errortype': refusal.code }),
  };
  const answer = shaped({ status: refusal?.status ?? 200, contentType: 'application/json', body }, effects, headers);
  const { account, region, operation, service } = about;
  const unanswered = answer.manner === 'silence' || answer.manner === 'reset';
  const line = {
    at: now,
    service,
    operation,
    target: `${request.method} ${path}`,
    account,
    region,
    resource,
    status: unanswered ? undefined : answer.status,
    code: refusal?.code,
  };
  return { answer, line };
}

function troubleOf(effect: ReturnType<Faults['hit']>[number]): AwsError | undefined {
  if (effect.kind === 'throttle') return serviceTrouble('apigateway', 'throttle');
  if (effect.kind === 'server-error') return serviceTrouble('apigateway', 'server-error', undefined, effect.status);
  if (effect.kind === 'error') return new AwsError(effect.code, effect.message ?? '', 'message', effect.status ?? 400);
  return undefined;
}

/** Only what nobody signed is imitated: behind a signature stands somebody's key provider, who is not part of AWS. */
function refusalOf(api: RestApi | undefined, request: HttpRequest): AwsError | undefined {
  if (!api) return new AwsError('ForbiddenException', 'Forbidden', 'message', 403);
  if (request.headers.authorization !== undefined) {
    return new AwsError(
      'AccessDeniedException',
      'User is not authorized to access this resource with an explicit deny',
      'message',
      403,
    );
  }
  if (api.unsigned < 300) return undefined;
  // API Gateway names no error type for what an integration answers.
  return api.unsigned === 403
    ? new AwsError('MissingAuthenticationTokenException', 'Missing Authentication Token', 'message', 403)
    : new AwsError('', 'answered by the integration', 'message', api.unsigned);
}
