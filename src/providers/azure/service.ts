import type { TokenCredential } from '@azure/core-auth';
import type { PipelinePolicy } from '@azure/core-rest-pipeline';
import type { Service, ServiceSession } from '../provider.ts';

/** One Azure cloud: where its planes are, and for whom tokens are made. */
export interface AzureCloud {
  readonly name: 'public' | 'china' | 'government';
  /** Resource Manager, no slash at the end. */
  readonly arm: string;
  /** Scope of a token for Resource Manager; stays the cloud's own where `arm` is another endpoint. */
  readonly armScope: string;
  readonly authority: string;
  /** `vault.azure.net` */
  readonly vaultSuffix: string;
  /** `managedhsm.azure.net` */
  readonly hsmSuffix: string;
}

/** Options that every SDK client of one connection is made with: spread them into the constructor. */
export interface ClientOptions {
  readonly retryOptions: {
    readonly maxRetries: number;
    readonly retryDelayInMs: number;
    readonly maxRetryDelayInMs: number;
  };
  /** One socket pool with the private CA and the proxy, and what makes errors readable. */
  readonly additionalPolicies: { policy: PipelinePolicy; position: 'perCall' | 'perRetry' }[];
}

/** What a service needs in order to work in one subscription. */
export interface ServiceEnv {
  /** Lower case. */
  readonly subscription: string;
  readonly cloud: AzureCloud;
  readonly credential: TokenCredential;
  readonly client: ClientOptions;
  /** Parsed configuration of the service (`Service.config`). */
  readonly config: unknown;
}

/** The half of a service that needs the SDK. */
export interface ServiceModule {
  open(env: ServiceEnv): ServiceSession;
}

/** An Azure service: its declaration, and the way to the half that loads the SDK. */
export interface AzureService extends Service {
  load(): Promise<ServiceModule>;
}
