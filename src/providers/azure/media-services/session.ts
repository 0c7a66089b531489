/** Media Services of one subscription: the calls. */
import { hash, randomUUID } from 'node:crypto';
import { AzureMediaServices } from '@azure/arm-mediaservices';
import { isConsumerStub, type Stub } from '../../../core/model.ts';
import type {
  CallContext,
  DescribedConsumer,
  ListContext,
  Listed,
  ListOutcome,
  ServiceSession,
} from '../../provider.ts';
import { ask, askPages, BadAnswer } from '../ask.ts';
import type { ServiceEnv } from '../service.ts';
import { type Account, accountFacts, placeOf, stubOf } from './facts.ts';
import type { Options } from './index.ts';
import { statusPattern } from './pattern.ts';

export function open(env: ServiceEnv): ServiceSession {
  const { inaccessibleStatus } = env.config as Options;
  const inaccessible = statusPattern(inaccessibleStatus);
  const client = new AzureMediaServices(env.credential, env.subscription, {
    ...env.client,
    endpoint: env.cloud.arm,
    $host: env.cloud.arm,
    credentialScopes: env.cloud.armScope,
  });

  async function* list(context: ListContext): AsyncGenerator<readonly Listed[], ListOutcome> {
    const pages = askPages(context, 'mediaservices.listBySubscription', (options) =>
      client.mediaservices.listBySubscription(options),
    );
    for await (const { value } of pages) yield value.map(listed);
    return { complete: true, exclusive: false };
  }

  function listed(account: Account): Listed {
    const stub = stubOf(account);
    if (stub.account !== env.subscription) throw new BadAnswer('the listing is of another subscription');
    // A listing may leave out the encryption (published example); what cannot be read is not unchanged.
    if (!account.encryption) return { stub, digest: `unread ${randomUUID()}` };
    return { stub, digest: digestOf(accountFacts(account, stub, inaccessible)) };
  }

  async function describe(stub: Stub, _known: unknown, context: CallContext): Promise<DescribedConsumer> {
    const place = placeOf(stub.resource);
    if (!isConsumerStub(stub) || !place) throw new TypeError(`${stub.resource} is no account`);
    const { value, evidence } = await ask(context, 'mediaservices.get', (options) =>
      client.mediaservices.get(place.resourceGroup, place.name, options),
    );
    return { consumer: accountFacts(value, stub, inaccessible), evidence };
  }

  return {
    list,
    describe,
    watches: ({ kind, account }) => kind === 'media-services-account' && account === env.subscription,
  };
}

/** Changes with every fact, a changed pattern included: what the facts do not hold decides nothing. */
function digestOf({ tags, ...facts }: ReturnType<typeof accountFacts>): string {
  const sorted = Object.entries(tags).sort(([a], [b]) => (a < b ? -1 : 1));
  return hash('sha256', JSON.stringify([facts, sorted]), 'base64url').slice(0, 22);
}
