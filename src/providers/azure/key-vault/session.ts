/** Key Vault in one subscription: what the engine asks for, put together from both planes. */
import type { ConsumerFacts, KeyFacts, Stub } from '../../../core/model.ts';
import { isConsumerStub } from '../../../core/model.ts';
import type { CallContext, ServiceSession } from '../../provider.ts';
import { vaultOf, vaultResource } from '../names.ts';
import type { ServiceEnv } from '../service.ts';
import { resourceManager } from './arm.ts';
import { withDetails } from './facts.ts';
import type { Options } from './index.ts';
import { listing, type Planes } from './listing.ts';
import { remember } from './memory.ts';
import { dataPlane } from './plane.ts';
import { roles } from './roles.ts';
import { detailKey } from './rules.ts';
import { tried } from './tried.ts';
import { lookAtKey, lookAtVault } from './witness.ts';

export function open(env: ServiceEnv): ServiceSession {
  const { vaults } = env.config as Options;
  const memory = remember(env);
  const arm = resourceManager(env, memory.urlOf);
  const configured = vaults && new Set(vaults.map(vaultResource));
  const planes: Planes = { env, arm, plane: dataPlane(env), roles: roles(arm), memory, configured };

  async function enrich(facts: KeyFacts, now: number, context: CallContext): Promise<KeyFacts> {
    // A soft-deleted key has no versions to list, and a vault has no details.
    if (facts.kind === 'azure-vault' || facts.state === 'SoftDeleted') {
      return { ...facts, detailKey: detailKey(facts), detailedAt: now };
    }
    const versions = await planes.plane.versions(facts, context);
    const policy = await tried('GetKeyRotationPolicy', () => planes.plane.policy(facts, context));
    if (policy.ok) return withDetails(facts, versions, policy.value.value, now);
    if (policy.failure.reason === 'not_found') return withDetails(facts, versions, 'none', now);
    if (policy.failure.reason === 'denied') return withDetails(facts, versions, undefined, now);
    throw policy.error;
  }

  return {
    list: (context) => listing(planes, context),
    async describe(stub: Stub, known: KeyFacts | ConsumerFacts | undefined, context: CallContext) {
      if (isConsumerStub(stub)) throw new TypeError(`${stub.kind} is none of Key Vault's`);
      const facts = known && 'dependsOn' in known ? known : undefined;
      const look = stub.kind === 'azure-vault' ? lookAtVault : lookAtKey;
      return await look(planes, stub, facts, context);
    },
    enrich,
    watches: ({ resource, account }) => account === env.subscription && (configured?.has(vaultOf(resource)) ?? true),
  };
}
