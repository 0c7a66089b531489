/** Where the names of Azure lead, as far as they tell. The URL of a vault does not say in which subscription it is. */
import type { Place } from '../../core/not-watched.ts';

const UNKNOWN_SUBSCRIPTION = '00000000-0000-0000-0000-000000000000';

/** The place that the URL of a key or vault, or an id of Resource Manager, leads to; undefined where it is neither. */
export function locate(name: string): Place | undefined {
  const [, subscription, type] = /^\/subscriptions\/([^/]+)\/.*\/providers\/([^/]+\/[^/]+)\//i.exec(`${name}/`) ?? [];
  if (subscription !== undefined) {
    return { what: `resource of type ${type}`, account: subscription.toLowerCase() };
  }
  const url = URL.parse(name);
  if (url?.protocol !== 'https:') return undefined;
  const [, collection] = url.pathname.toLowerCase().split('/');
  if (collection !== undefined && collection !== '' && collection !== 'keys') return { what: `vault ${collection}` };
  return {
    what: collection === 'keys' ? 'vault key' : 'key vault',
    service: 'key-vault',
    location: 'global',
    names: [`https://${url.host}`],
    target: { subscription: UNKNOWN_SUBSCRIPTION },
  };
}
