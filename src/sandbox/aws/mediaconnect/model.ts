import type { Input } from '../input.ts';
import { ServiceModel } from '../models.ts';
import type { Operations, World } from '../world.ts';
import { readKeys } from './keys.ts';
import { resolveFlow } from './lookup.ts';
import { type Flow, type Part, saveFlow } from './state.ts';

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

/** A source of a flow; any other field of the API may stand beside. */
export type NewSource = Input & { readonly name?: string; readonly decryption?: NewEncryption };

/** An output of a flow. */
export type NewOutput = Input & { readonly name?: string; readonly encryption?: NewEncryption };

/** An entitlement of a flow, and the accounts it is granted to. */
export type NewEntitlement = Input & {
  readonly name?: string;
  readonly subscribers: readonly string[];
  readonly encryption?: NewEncryption;
};

/** What `createFlow` takes: the fields of CreateFlow. */
export type NewFlow = Input & {
  readonly name: string;
  readonly source?: NewSource;
  readonly sources?: readonly NewSource[];
  readonly outputs?: readonly NewOutput[];
  readonly entitlements?: readonly NewEntitlement[];
};

/** MediaConnect of one region, for scripts. Every flow and part is named by its ARN. */
export class MediaConnectModel extends ServiceModel {
  constructor(world: World, operations: Operations, account: string, region: string) {
    super(world, 'mediaconnect', operations, account, region);
  }

  /** Makes a flow (STANDBY) and gives its ARN. */
  createFlow(flow: NewFlow): string {
    return (this.call('CreateFlow', flow).flow as { flowArn: string }).flowArn;
  }

  /** Starts a flow; it is ACTIVE after `settings.flowChangeMs`. */
  start(flowArn: string): void {
    this.call('StartFlow', { flowArn });
  }

  /** Makes a flow ACTIVE at once: it reads its keys now. */
  activate(flowArn: string): void {
    this.#change(flowArn, (flow, now) => ({ ...flow, status: 'ACTIVE', change: undefined, activeAt: now }));
    this.readKeys(flowArn);
  }

  /** Stops a flow. */
  stop(flowArn: string): void {
    this.call('StopFlow', { flowArn });
  }

  /** Deletes a flow that does not run. */
  delete(flowArn: string): void {
    this.call('DeleteFlow', { flowArn });
  }

  /** Adds an output and gives its ARN. */
  addOutput(flowArn: string, output: NewOutput): string {
    const { outputs } = this.call('AddFlowOutputs', { flowArn, outputs: [output] });
    return (outputs as readonly { outputArn: string }[])[0]?.outputArn ?? '';
  }

  /** Grants an entitlement and gives its ARN. */
  grant(flowArn: string, entitlement: NewEntitlement): string {
    const { entitlements } = this.call('GrantFlowEntitlements', { flowArn, entitlements: [entitlement] });
    return (entitlements as readonly { entitlementArn: string }[])[0]?.entitlementArn ?? '';
  }

  /** Lets a flow that runs read its keys now instead of at the end of its period. */
  readKeys(flowArn: string): void {
    this.#change(flowArn, (flow, now) =>
      flow.activeAt === undefined ? flow : readKeys(this.prepare('DescribeFlow', {}), flow, now),
    );
  }

  /** ARNs of the parts that are taken off now because their key cannot be read. */
  takenOff(flowArn: string): readonly string[] {
    return this.#flow(flowArn).troubles.map((trouble) => trouble.part);
  }

  /** Forces a status that nothing else here leads to (`ERROR`, or one nobody knows); undefined lifts it. */
  forceStatus(flowArn: string, status: string | undefined): void {
    this.#change(flowArn, (flow) => ({ ...flow, forcedStatus: status }));
  }

  /** Lets a flow tell these errors beside those about its keys; an empty list ends it. */
  say(flowArn: string, errors: readonly string[]): void {
    this.#change(flowArn, (flow) => ({ ...flow, said: errors }));
  }

  /** Changes fields of a source, output or entitlement without asking whether the API would take them. */
  force(flowArn: string, partArn: string, fields: Input): void {
    const forced = (part: Part) => (part.arn === partArn ? { ...part, fields: { ...part.fields, ...fields } } : part);
    this.#change(flowArn, (flow) => ({
      ...flow,
      sources: flow.sources.map(forced),
      outputs: flow.outputs.map(forced),
      entitlements: flow.entitlements.map(forced),
    }));
  }

  /** DescribeFlow's answer. */
  describe(flowArn: string): Readonly<Record<string, unknown>> {
    return this.call('DescribeFlow', { flowArn });
  }

  #flow(flowArn: string): Flow {
    return resolveFlow(this.prepare('DescribeFlow', {}), flowArn);
  }

  #change(flowArn: string, change: (flow: Flow, now: number) => Flow): void {
    const call = this.prepare('DescribeFlow', {});
    saveFlow(call, change(this.#flow(flowArn), call.now), call.now);
  }
}
