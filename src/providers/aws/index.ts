/** AWS. Loading this loads no SDK: `connect` does. */
import type { Provider } from '../provider.ts';
import { codebuild } from './codebuild/index.ts';
import type { AwsTarget } from './connection.ts';
import { iam } from './iam/index.ts';
import { kms } from './kms/index.ts';
import { locate } from './locate.ts';
import { mediaConnect } from './mediaconnect/index.ts';
import { policyOf } from './policy.ts';
import { secretsManager } from './secrets-manager/index.ts';
import type { AwsService } from './service.ts';
import { speke } from './speke/index.ts';

/** The services that are swept. `iam` is none of them: it helps their looks. */
const SERVICES: readonly AwsService[] = [secretsManager, kms, mediaConnect, speke, codebuild];

export const aws: Provider = {
  name: 'aws',
  services: [...SERVICES, iam],
  policy: (target, account) => policyOf(SERVICES, target as AwsTarget, account),
  locations: (target) => (target as AwsTarget).regions,
  locate,
  async connect(target, options) {
    const config = target as AwsTarget;
    const wanted = SERVICES.filter(({ name }) => config.services[name] !== undefined);
    const [{ connectAws }, simulation, ...modules] = await Promise.all([
      import('./connection.ts'),
      config.services[iam.name] === undefined ? undefined : import('./iam/simulator.ts'),
      ...wanted.map((service) => service.load()),
    ]);
    const opened = new Map(modules.map((module, at) => [wanted[at]?.name ?? '', module]));
    return connectAws(config, options, opened, simulation);
  },
};
