import type { SecureContext } from 'node:tls';
import type { STSClientConfig } from '@aws-sdk/client-sts';
import type { NodeHttpHandler } from '@smithy/node-http-handler';
import type { ConnectOptions, Service, ServiceSession } from '../provider.ts';
import type { OpenSimulation, SimulationEnv } from './iam/simulator.ts';
import type { Simulation } from './iam/words.ts';

/** Settings that every SDK client of one connection is made with: spread them into the constructor. */
export interface ClientSettings {
  readonly region: string;
  readonly profile?: string;
  readonly endpoint?: string;
  /** One provider for all clients of the connection, so that a role is assumed once and not once per client. */
  readonly credentials: NonNullable<STSClientConfig['credentials']>;
  /** One socket pool for all clients of the connection. */
  readonly requestHandler: NodeHttpHandler;
  readonly maxAttempts: number;
  readonly retryMode: 'standard';
  readonly cacheMiddleware: boolean;
  /** What the environment and the profile say of endpoints; resolved once for all clients. */
  readonly useFipsEndpoint: () => Promise<boolean>;
  readonly useDualstackEndpoint: () => Promise<boolean>;
}

/** What a service needs in order to work at one location. */
export interface ServiceEnv {
  readonly account: string;
  readonly partition: string;
  readonly region: string;
  readonly client: ClientSettings;
  /** Environment of the daemon, for clients that are not the SDK's. */
  readonly env: ConnectOptions['env'];
  /** What connections trust, for what goes past the socket pool. */
  readonly trust?: SecureContext;
  /** Parsed configuration of the service (`Service.config`). */
  readonly config: unknown;
  /** What policies say of the roles of consumers; absent where the target does not ask for it (`services.iam`). */
  readonly simulation?: Simulation;
}

/** The half of policy simulation that needs the SDK. */
export interface SimulationModule {
  openSimulation(env: SimulationEnv): OpenSimulation;
}

/** A session that owns SDK clients. */
export interface AwsSession extends ServiceSession {
  /** Closes its clients; no call is under way any more. */
  destroy(): void;
}

/** The half of a service that needs the SDK. */
export interface ServiceModule {
  open(env: ServiceEnv): AwsSession;
}

/** An AWS service: its declaration, and the way to the half that loads the SDK. */
export interface AwsService extends Service {
  load(): Promise<ServiceModule>;
}

/** An AWS service of keys. */
export type AwsKeyService = AwsService & Required<Pick<AwsService, 'keys'>>;
