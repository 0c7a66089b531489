import type { Input } from '../input.ts';
import { ServiceModel } from '../models.ts';
import type { Operations, World } from '../world.ts';

/** An encryption as the API takes it. */
export type NewEncryption = {
  readonly roleArn: string;
  readonly keyType?: 'static-key' | 'srt-password' | 'speke';
  readonly algorithm?: 'aes128' | 'aes192' | 'aes256';
  readonly secretArn?: string;
  readonly url?: string;
  readonly region?: string;
  readonly resourceId?: string;
  readonly deviceId?: string;
  readonly constantInitializationVector?: string;
};

/** What `createFlow` takes: the fields of CreateFlow that matter here; anything else that the API knows may stand beside. */
export type NewFlow = Input & {
  readonly name: string;
  readonly source?: NewSource;
  readonly sources?: readonly NewSource[];
  readonly outputs?: readonly NewOutput[];
  readonly entitlements?: readonly NewEntitlement[];
};

/** A source of a new flow. */
export type NewSource = Input & { readonly name?: string; readonly decryption?: NewEncryption };

/** An output of a flow. */
export type NewOutput = Input & { readonly name?: string; readonly encryption?: NewEncryption };

/** An entitlement of a flow, and the accounts it is granted to. */
export type NewEntitlement = Input & {
  readonly name?: string;
  readonly subscribers: readonly string[];
  readonly encryption?: NewEncryption;
};

/** MediaConnect of one region, for scripts. Every flow is named by its ARN. */
export class MediaConnectModel extends ServiceModel {
  constructor(world: World, operations: Operations, account: string, region: string) {
    super(world, 'mediaconnect', operations, account, region);
  }

  /** Makes a flow (STANDBY) and gives its ARN. */
  createFlow(flow: NewFlow): string {
    return (this.call('CreateFlow', flow).flow as { flowArn: string }).flowArn;
  }

  /** DescribeFlow's answer. */
  describe(flowArn: string): Readonly<Record<string, unknown>> {
    return this.call('DescribeFlow', { flowArn });
  }
}
