import type { HttpRequest } from '../http.ts';
import type { ServiceName } from './errors.ts';
import type { Input } from './input.ts';

/** One operation of a REST service: method and path, and the HTTP status of its answer. */
export type Route = {
  readonly service: ServiceName;
  readonly operation: string;
  readonly method: string;
  /** `/v1/flows/{flowArn}`: a name in braces stands for one segment, which becomes a field of the input. */
  readonly path: string;
  readonly status: number;
  /** Query parameters that become fields of the input: texts, whole numbers, or lists of texts. */
  readonly query?: Readonly<Record<string, 'text' | 'whole' | 'list'>>;
};

/** The route of a request with what its path and query say; undefined when no route fits. */
export function matchRoute(
  routes: readonly Route[],
  request: Pick<HttpRequest, 'method' | 'path'>,
): { readonly route: Route; readonly input: Input } | undefined {
  const [path = '', query = ''] = request.path.split('?', 2);
  const segments = path.split('/').map(decoded);
  for (const route of routes) {
    if (route.method !== request.method) continue;
    const named = pathInput(route.path.split('/'), segments);
    if (named) return { route, input: { ...named, ...queryInput(route, query) } };
  }
  return undefined;
}

function pathInput(pattern: readonly string[], segments: readonly (string | undefined)[]): Input | undefined {
  if (pattern.length !== segments.length) return undefined;
  const input: Record<string, unknown> = {};
  for (const [index, part] of pattern.entries()) {
    const segment = segments[index];
    if (segment === undefined) return undefined;
    const name = /^\{(\w+)\}$/.exec(part)?.[1];
    if (name === undefined && part !== segment) return undefined;
    if (name !== undefined && segment === '') return undefined;
    if (name !== undefined) input[name] = segment;
  }
  return input;
}

function queryInput(route: Route, query: string): Input {
  const input: Record<string, unknown> = {};
  const parameters = new URLSearchParams(query);
  for (const name of new Set(parameters.keys())) {
    const kind = route.query && Object.hasOwn(route.query, name) ? route.query[name] : 'text';
    const value = parameters.get(name) ?? '';
    // Not a number: it stays text, and the operation's own check refuses it.
    if (kind === 'whole') input[name] = /^-?\d{1,9}$/.test(value) ? Number(value) : value;
    else input[name] = kind === 'list' ? parameters.getAll(name) : value;
  }
  return input;
}

function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
