/** Which permissions a configuration needs. Pure. */
import type { Permission, Service } from './provider.ts';

type Services = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/**
 * The permissions of the services that are on. A feature is `base`, `option: value` of the service's own configuration, or
 * the name of another service that must be on too.
 */
export function neededPermissions(services: readonly Service[], configured: Services): readonly Permission[] {
  return services.flatMap(({ name, permissions }) => {
    const options = configured[name];
    return options ? permissions.filter(({ feature }) => isOn(feature, options, configured)) : [];
  });
}

function isOn(feature: string, options: Readonly<Record<string, unknown>>, configured: Services): boolean {
  if (feature === 'base') return true;
  const [option = '', value] = feature.split(': ');
  return value === undefined ? configured[option] !== undefined : String(options[option]) === value;
}
