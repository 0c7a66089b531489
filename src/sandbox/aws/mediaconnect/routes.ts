import type { Route } from '../rest.ts';

const PAGED = { maxResults: 'whole', nextToken: 'text' } as const;

function route(operation: string, method: string, path: string, status: number, query?: Route['query']): Route {
  return { service: 'mediaconnect', operation, method, path, status, ...(query && { query }) };
}

/** Method, path and status of every operation, as the API model (2018-11-14) gives them. */
export const mediaConnectRoutes: readonly Route[] = [
  route('ListFlows', 'GET', '/v1/flows', 200, PAGED),
  route('CreateFlow', 'POST', '/v1/flows', 201),
  route('DescribeFlow', 'GET', '/v1/flows/{flowArn}', 200),
];
