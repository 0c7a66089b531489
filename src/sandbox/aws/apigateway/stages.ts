import { needText } from '../input.ts';
import type { Route } from '../rest.ts';
import { type Call, type Operations, seconds } from '../world.ts';
import { notFound } from './state.ts';

/** Stages of REST APIs. */
export const stageOperations: Operations = { GetStage };

/** Method, path and status as the API model (2015-07-09) gives them. */
export const apiGatewayRoutes: readonly Route[] = [
  {
    service: 'apigateway',
    operation: 'GetStage',
    method: 'GET',
    path: '/restapis/{restApiId}/stages/{stageName}',
    status: 200,
  },
];

function GetStage(call: Call) {
  const id = needText(call.input, 'restApiId');
  const api = call.world.gateways.get(id);
  if (!api || api.account !== call.account || api.region !== call.region) {
    throw notFound(`Invalid API identifier specified ${call.account}:${id}`);
  }
  const name = needText(call.input, 'stageName');
  const stage = api.stages.find((one) => one.name === name);
  if (!stage) throw notFound('Invalid stage identifier specified');
  const { executionLog, accessLog, dataTrace } = stage;
  return {
    stageName: name,
    deploymentId: 'dep001',
    createdDate: seconds(call.now),
    lastUpdatedDate: seconds(call.now),
    cacheClusterEnabled: false,
    tracingEnabled: false,
    methodSettings:
      executionLog === 'OFF' && !dataTrace
        ? {}
        : {
            '*/*': {
              metricsEnabled: false,
              loggingLevel: executionLog,
              dataTraceEnabled: dataTrace,
              throttlingBurstLimit: 5000,
              throttlingRateLimit: 10000,
              cachingEnabled: false,
              cacheTtlInSeconds: 300,
              cacheDataEncrypted: false,
              requireAuthorizationForCacheControl: true,
              unauthorizedCacheControlHeaderStrategy: 'SUCCEED_WITH_RESPONSE_HEADER',
            },
          },
    ...(accessLog !== undefined && { accessLogSettings: { format: '$context.requestId', destinationArn: accessLog } }),
    variables: {},
    tags: {},
  };
}
