import type { HttpRequest } from '../http.ts';
import { apiGatewayRoutes } from './apigateway/stages.ts';
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

const ROUTES: readonly Route[] = [...mediaConnectRoutes, ...apiGatewayRoutes];
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
  if (operation === undefined) return undefined;
  // The services of this protocol are told apart by the versions of their APIs.
  const service = QUERY_SERVICES.find(({ version }) => version === fields.Version)?.service ?? 'sts';
  return { service, operation, input: nested(fields), status: 200 };
}

const QUERY_SERVICES = [
  { service: 'sts', version: '2011-06-15' },
  { service: 'iam', version: '2010-05-08' },
] as const;

/** `ContextEntries.member.1.ContextKeyName` as the structure that it spells. */
function nested(fields: Readonly<Record<string, string>>): Input {
  const groups = new Map<string, Map<string, Record<string, string>>>();
  const input: Record<string, unknown> = Object.create(null);
  for (const [name, value] of Object.entries(fields)) {
    const match = /^(\w+)\.member\.(\d{1,4})(?:\.(.+))?$/.exec(name);
    if (!match) {
      input[name] = value;
      continue;
    }
    const [, list = '', index = '', rest = ''] = match;
    const members = groups.get(list) ?? new Map<string, Record<string, string>>();
    groups.set(list, members);
    const member = members.get(index) ?? Object.create(null);
    member[rest] = value;
    members.set(index, member);
  }
  for (const [list, members] of groups) {
    const ordered = [...members].toSorted(([one], [other]) => Number(one) - Number(other));
    input[list] = ordered.map(([, member]) => ('' in member ? member[''] : nested(member)));
  }
  return input;
}

function namespaceOf(service: ServiceName): string | undefined {
  const query = QUERY_SERVICES.find((one) => one.service === service);
  return query && `https://${service}.amazonaws.com/doc/${query.version}/`;
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
  const namespace = namespaceOf(asked.service);
  if (namespace === undefined) {
    const body = JSON.stringify(answer, asked.service === 'kms' ? scientificDates : undefined);
    return { contentType: JSON_TYPE, body };
  }
  const { operation } = asked;
  const result = xml({ [`${operation}Result`]: answer, ResponseMetadata: { RequestId: requestId } });
  return {
    contentType: 'text/xml',
    body: `<${operation}Response xmlns="${namespace}">${result}</${operation}Response>`,
  };
}

/** An error in its service's protocol. */
export function writeError(service: ServiceName, error: AwsError, requestId: string): Written {
  const namespace = namespaceOf(service);
  if (namespace !== undefined) {
    const fault = { Type: error.status < 500 ? 'Sender' : 'Receiver', Code: error.code, Message: error.message };
    const content = xml({ Error: fault, RequestId: requestId });
    return { contentType: 'text/xml', body: `<ErrorResponse xmlns="${namespace}">${content}</ErrorResponse>` };
  }
  const said = error.spelling === 'none' ? {} : { [error.spelling]: error.message };
  if (REST.has(service)) {
    const headers = { 'x-amzn-errortype': error.code };
    return { contentType: 'application/json', body: JSON.stringify(said), headers };
  }
  return { contentType: JSON_TYPE, body: JSON.stringify({ __type: error.code, ...said }) };
}

function xml(value: unknown): string {
  if (Array.isArray(value)) return value.map((item) => `<member>${xml(item)}</member>`).join('');
  if (!isRecord(value)) return escapeXml(String(value));
  return Object.entries(value)
    .filter(([, child]) => child !== undefined)
    .map(([name, child]) => `<${name}>${xml(child)}</${name}>`)
    .join('');
}

function escapeXml(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
