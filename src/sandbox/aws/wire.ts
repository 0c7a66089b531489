import type { HttpRequest } from '../http.ts';
import type { AwsError, ServiceName } from './errors.ts';
import { type Input, isRecord } from './input.ts';
import { mediaConnectRoutes } from './mediaconnect/routes.ts';
import { matchRoute, type Route } from './rest.ts';

/** What a request asks for, as far as its protocol says: JSON 1.1 with a target header, REST by method and path, or the form of the Query protocol. */
export type Asked = {
  readonly service: ServiceName;
  readonly operation: string;
  readonly input: Input | undefined;
  /** HTTP status of the answer when all goes well. */
  readonly status: number;
};

const TARGETS: Readonly<Record<string, ServiceName>> = {
  secretsmanager: 'secretsmanager',
  TrentService: 'kms',
  CodeBuild_20161006: 'codebuild',
};

const ROUTES: readonly Route[] = mediaConnectRoutes;
const REST: ReadonlySet<ServiceName> = new Set(ROUTES.map((route) => route.service));

/** Reads operation and input; undefined when the request speaks none of the protocols. An input that is no JSON object is undefined. */
export function parseRequest(request: HttpRequest): Asked | undefined {
  const target = request.headers['x-amz-target'];
  if (target !== undefined) {
    const [prefix = '', operation = ''] = target.split('.');
    const service = Object.hasOwn(TARGETS, prefix) ? TARGETS[prefix] : undefined;
    return service && { service, operation, input: parseJson(request.body.toString()), status: 200 };
  }
  const found = matchRoute(ROUTES, request);
  if (found) {
    const { service, operation, status } = found.route;
    const body = parseJson(request.body.toString());
    // What the path names, no field of the body can rename.
    return { service, operation, input: body && { ...body, ...found.input }, status };
  }
  const fields = Object.fromEntries(new URLSearchParams(request.body.toString()));
  const operation = fields.Action;
  return operation === undefined ? undefined : { service: 'sts', operation, input: fields, status: 200 };
}

function parseJson(body: string): Input | undefined {
  try {
    const value: unknown = body === '' ? {} : JSON.parse(body);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A body with its content type, and headers that the protocol adds. */
export type Written = {
  readonly contentType: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
};

const JSON_TYPE = 'application/x-amz-json-1.1';
const STS_NAMESPACE = 'https://sts.amazonaws.com/doc/2011-06-15/';

/** Not in the types of the language yet. */
const { rawJSON } = JSON as unknown as { rawJSON: (text: string) => object };

/** KMS writes dates as Java prints doubles: 1.752878128036E9. */
function scientificDates(name: string, value: unknown): unknown {
  if (typeof value !== 'number' || !(name.endsWith('Date') || name.endsWith('ValidTo'))) return value;
  return rawJSON(value.toExponential().replace('e+', 'E'));
}

/** The answer of an operation in its service's protocol. */
export function writeAnswer(asked: Asked, answer: unknown, requestId: string): Written {
  if (asked.status === 204) return { contentType: '', body: '' };
  if (REST.has(asked.service)) return { contentType: 'application/json', body: JSON.stringify(answer) };
  if (asked.service !== 'sts') {
    const body = JSON.stringify(answer, asked.service === 'kms' ? scientificDates : undefined);
    return { contentType: JSON_TYPE, body };
  }
  const { operation } = asked;
  const result = xml({ [`${operation}Result`]: answer, ResponseMetadata: { RequestId: requestId } });
  return {
    contentType: 'text/xml',
    body: `<${operation}Response xmlns="${STS_NAMESPACE}">${result}</${operation}Response>`,
  };
}

/** An error in its service's protocol. */
export function writeError(service: ServiceName, error: AwsError, requestId: string): Written {
  if (service === 'sts') {
    const fault = { Type: error.status < 500 ? 'Sender' : 'Receiver', Code: error.code, Message: error.message };
    const content = xml({ Error: fault, RequestId: requestId });
    return { contentType: 'text/xml', body: `<ErrorResponse xmlns="${STS_NAMESPACE}">${content}</ErrorResponse>` };
  }
  const said = error.spelling === 'none' ? {} : { [error.spelling]: error.message };
  if (REST.has(service)) {
    const headers = { 'x-amzn-errortype': error.code };
    return { contentType: 'application/json', body: JSON.stringify(said), headers };
  }
  return { contentType: JSON_TYPE, body: JSON.stringify({ __type: error.code, ...said }) };
}

function xml(value: unknown): string {
  if (!isRecord(value)) return escapeXml(String(value));
  return Object.entries(value)
    .filter(([, child]) => child !== undefined)
    .map(([name, child]) => `<${name}>${xml(child)}</${name}>`)
    .join('');
}

function escapeXml(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
