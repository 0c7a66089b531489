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
  route('DeleteFlow', 'DELETE', '/v1/flows/{flowArn}', 202),
  route('StartFlow', 'POST', '/v1/flows/start/{flowArn}', 202),
  route('StopFlow', 'POST', '/v1/flows/stop/{flowArn}', 202),
  route('AddFlowSources', 'POST', '/v1/flows/{flowArn}/source', 201),
  route('UpdateFlowSource', 'PUT', '/v1/flows/{flowArn}/source/{sourceArn}', 202),
  route('RemoveFlowSource', 'DELETE', '/v1/flows/{flowArn}/source/{sourceArn}', 202),
  route('AddFlowOutputs', 'POST', '/v1/flows/{flowArn}/outputs', 201),
  route('UpdateFlowOutput', 'PUT', '/v1/flows/{flowArn}/outputs/{outputArn}', 202),
  route('RemoveFlowOutput', 'DELETE', '/v1/flows/{flowArn}/outputs/{outputArn}', 202),
  route('GrantFlowEntitlements', 'POST', '/v1/flows/{flowArn}/entitlements', 200),
  route('UpdateFlowEntitlement', 'PUT', '/v1/flows/{flowArn}/entitlements/{entitlementArn}', 202),
  route('RevokeFlowEntitlement', 'DELETE', '/v1/flows/{flowArn}/entitlements/{entitlementArn}', 202),
  route('ListEntitlements', 'GET', '/v1/entitlements', 200, PAGED),
  route('ListTagsForResource', 'GET', '/tags/{resourceArn}', 200),
  route('TagResource', 'POST', '/tags/{resourceArn}', 204),
  route('UntagResource', 'DELETE', '/tags/{resourceArn}', 204, { tagKeys: 'list' }),
];
