/**
 * Parts of the configuration that are validated but not active in this version: a file written for what is coming is
 * checked in full today, and `inactiveParts` says which of it does nothing yet. A service that the registry declares
 * takes the place of its plan here.
 */
import type { Service } from '../providers/provider.ts';

/** What the configuration needs to know of a service. */
export type ServiceDeclaration = Pick<Service, 'name' | 'provider' | 'config' | 'rules' | 'optIn'> &
  Partial<Pick<Service, 'kinds'>>;

/** Services whose code comes with a later version. */
export const PLANNED_SERVICES: readonly ServiceDeclaration[] = [];
