import { type ApiFront, startApiFront } from './aws/apigateway/start.ts';
import { AwsCloud } from './aws/cloud.ts';
import { Gateway } from './aws/gateway.ts';
import { allOperations } from './aws/operations.ts';
import { World } from './aws/world.ts';
import type { AzureCloud } from './azure/handles.ts';
import { startAzure } from './azure/start.ts';
import { AzureWorld } from './azure/world.ts';
import { Faults } from './faults.ts';
import { type HttpRequest, serveHttp } from './http.ts';
import { seeded } from './random.ts';
import { RequestLog } from './requests.ts';

/** A running sandbox. */
export type Sandbox = {
  /** The endpoint of every AWS service: give it to any client as endpoint URL. Azure's are in `azure`. */
  readonly url: string;
  readonly aws: AwsCloud;
  readonly azure: AzureCloud;
  /** Where APIs of API Gateway are called, by their real names. */
  readonly apis: ApiFront;
  readonly faults: Faults;
  /** What was asked over the wire. */
  readonly requests: RequestLog;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
};

/** How a sandbox is started. */
export type SandboxOptions = {
  /** 127.0.0.1 unless given. */
  readonly host?: string;
  /** 0, a free one, unless given. */
  readonly port?: number;
  /** The sandbox's time in ms; the machine's clock unless given. Requests signed more than 5 minutes away from it are refused. */
  readonly now?: () => number;
  /** Ids, tokens and probabilities follow from it. */
  readonly seed?: number;
};

/** How many requests the log keeps. */
const LOGGED_REQUESTS = 5_000;

/**
 * Starts an imitation of AWS Secrets Manager, KMS, STS, MediaConnect and CodeBuild that speaks their real wire protocols on one
 * port, the APIs of API Gateway by their real names on another, and Azure's Key Vault, Resource Manager, Media Services accounts and
 * token endpoint behind TLS, with faults that can be scripted. Throws what listening throws.
 */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const random = seeded(options.seed ?? 1);
  const world = new World(random, options.now ?? Date.now);
  const faults = new Faults(seeded((options.seed ?? 1) + 1));
  const requests = new RequestLog(LOGGED_REQUESTS);
  const operations = allOperations();
  const gateway = new Gateway({ world, faults, requests, operations });
  const host = options.host ?? '127.0.0.1';
  await using starting = new AsyncDisposableStack();
  const server = starting.use(await serveHttp({ host, port: options.port ?? 0 }, (request) => gateway.answer(request)));
  const answer = (request: HttpRequest) => gateway.answer(request);
  const apis = starting.use(await startApiFront({ host: '127.0.0.1', gateways: world.gateways, answer }));
  // Its own generator: what happens in one cloud does not change the ids of the other.
  const azureWorld = new AzureWorld(seeded((options.seed ?? 1) + 2), options.now ?? Date.now);
  const azure = starting.use(await startAzure({ host: '127.0.0.1', world: azureWorld, faults, requests }));
  const running = starting.move();
  return {
    url: server.url,
    aws: new AwsCloud(world, operations),
    azure: azure.cloud,
    apis,
    faults,
    requests,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
