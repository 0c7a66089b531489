/** The control plane: what Resource Manager tells of vaults, of managed HSMs and, as a second witness, of keys. */
import { type Key as ArmKey, KeyVaultManagementClient } from '@azure/arm-keyvault';
import { createDefaultHttpClient, createPipelineRequest, RestError } from '@azure/core-rest-pipeline';
import type { CallContext } from '../../provider.ts';
import { type Answer, ask, askPages, BadAnswer } from '../ask.ts';
import type { ServiceEnv } from '../service.ts';
import {
  type ArmId,
  type DeadVault,
  deadVault,
  type LivingVault,
  livingHsm,
  livingVault,
  type UrlOf,
  type VaultType,
} from './vault-facts.ts';

export interface ResourceManager {
  vaults(type: VaultType, context: CallContext): Promise<readonly LivingVault[]>;
  deleted(type: VaultType, context: CallContext): Promise<readonly DeadVault[]>;
  vault(type: VaultType, arm: ArmId, context: CallContext): Promise<Answer<LivingVault>>;
  /** @param location normalised */
  deletedVault(type: VaultType, name: string, location: string, context: CallContext): Promise<Answer<DeadVault>>;
  key(type: VaultType, arm: ArmId, name: string, context: CallContext): Promise<Answer<ArmKey>>;
  /**
   * GET of what this SDK has no operation for, as JSON.
   * @param target a path that begins with a slash, or a link of Resource Manager's own
   */
  get(operation: string, target: string, context: CallContext): Promise<unknown>;
}

/**
 * Every call throws `CallFailed`; listings also `BadAnswer`.
 * @param urlOf the URL of a vault that is deleted: nobody tells it any more
 */
export function resourceManager(env: ServiceEnv, urlOf: UrlOf): ResourceManager {
  const { subscription, cloud } = env;
  const http = createDefaultHttpClient();
  const client = new KeyVaultManagementClient(env.credential, subscription, {
    ...env.client,
    endpoint: cloud.arm,
    credentials: { scopes: [cloud.armScope] },
  });

  return {
    async vaults(type, context) {
      const found: LivingVault[] = [];
      if (type === 'vault') {
        const pages = askPages(context, 'Vaults.ListBySubscription', (options) =>
          client.vaults.listBySubscription({ ...options }),
        );
        for await (const { value } of pages)
          found.push(...value.map((vault) => livingVault(vault, subscription, urlOf)));
      } else {
        const pages = askPages(context, 'ManagedHsms.ListBySubscription', (options) =>
          client.managedHsms.listBySubscription({ ...options }),
        );
        for await (const { value } of pages) found.push(...value.map((hsm) => livingHsm(hsm, subscription, urlOf)));
      }
      return found;
    },
    async deleted(type, context) {
      const found: DeadVault[] = [];
      const pages =
        type === 'vault'
          ? askPages(context, 'Vaults.ListDeleted', (options) => client.vaults.listDeleted({ ...options }))
          : askPages(context, 'ManagedHsms.ListDeleted', (options) => client.managedHsms.listDeleted({ ...options }));
      for await (const { value } of pages) {
        found.push(...value.map((one) => deadVault(type, one, subscription, urlOf)));
      }
      return found;
    },
    async vault(type, { group, name }, context) {
      if (type === 'hsm') {
        const told = await ask(context, 'ManagedHsms.Get', (options) => client.managedHsms.get(group, name, options));
        return { ...told, value: livingHsm(told.value, subscription, urlOf) };
      }
      const told = await ask(context, 'Vaults.Get', (options) => client.vaults.get(group, name, { ...options }));
      return { ...told, value: livingVault(told.value, subscription, urlOf) };
    },
    async deletedVault(type, name, location, context) {
      const told =
        type === 'hsm'
          ? await ask(context, 'ManagedHsms.GetDeleted', (options) =>
              client.managedHsms.getDeleted(name, location, { ...options }),
            )
          : await ask(context, 'Vaults.GetDeleted', (options) =>
              client.vaults.getDeleted(name, location, { ...options }),
            );
      return { ...told, value: deadVault(type, told.value, subscription, urlOf) };
    },
    key: (type, { group, name: vault }, name, context) =>
      ask(context, 'Keys.Get', (options) =>
        (type === 'hsm' ? client.managedHsmKeys : client.keys).get(group, vault, name, { ...options }),
      ),
    async get(operation, target, context) {
      const url = new URL(target, cloud.arm);
      if (url.host !== new URL(cloud.arm).host) throw new BadAnswer(`${operation} leads to another host`);
      const { value } = await ask(context, operation, async ({ abortSignal }) => {
        const request = createPipelineRequest({ url: url.href, abortSignal });
        const response = await client.pipeline.sendRequest(http, request);
        if (response.status === 200) return JSON.parse(response.bodyAsText ?? '') as unknown;
        throw new RestError(`${operation} answered ${response.status}`, {
          statusCode: response.status,
          request,
          response,
        });
      });
      return value;
    },
  };
}
