/** Azure. Loading this loads no SDK: `connect` does. */
import type { Provider } from '../provider.ts';
import type { AzureTarget } from './connection.ts';
import { keyVault } from './key-vault/index.ts';
import { locate } from './locate.ts';
import { mediaServices } from './media-services/index.ts';
import { policyOf } from './policy.ts';
import type { AzureService } from './service.ts';

const SERVICES: readonly AzureService[] = [keyVault, mediaServices];

export const azure: Provider = {
  name: 'azure',
  services: SERVICES,
  policy: (target) => policyOf(SERVICES, target as AzureTarget),
  // One source per service and subscription: a vault's region is that of its keys.
  locations: () => ['global'],
  locate,
  async connect(target, options) {
    const config = target as AzureTarget;
    const wanted = SERVICES.filter(({ name }) => config.services[name] !== undefined);
    const [{ connectAzure }, ...modules] = await Promise.all([
      import('./connection.ts'),
      ...wanted.map((service) => service.load()),
    ]);
    return connectAzure(config, options, new Map(modules.map((module, at) => [wanted[at]?.name ?? '', module])));
  },
};
