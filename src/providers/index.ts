/** The registry. A provider stands here, a service in its provider's list; nothing else has to know of either. */
import { aws } from './aws/index.ts';
import { azure } from './azure/index.ts';
import type { Provider, Service } from './provider.ts';

/** Every provider that is implemented. Loading this loads no cloud SDK. */
export const PROVIDERS: readonly Provider[] = [aws, azure];

/** Every service of every provider. */
export const SERVICES: readonly Service[] = PROVIDERS.flatMap(({ services }) => services);
