/** One Azure target, connected: credential, socket pools, and one session per service. Loads the SDK. */
import type { Connection, ConnectOptions } from '../provider.ts';
import { BadAnswer } from './ask.ts';
import { classify } from './classify.ts';
import { cloudOf, type Endpoints } from './clouds.ts';
import { credentialOf, type TargetCredential } from './credential.ts';
import { createTransport } from './http.ts';
import type { AzureCloud, ServiceModule } from './service.ts';

/** An Azure target as its configuration was resolved; see `AzureTargetFields`. */
export interface AzureTarget {
  readonly subscription: string;
  readonly tenant?: string;
  readonly credential?: TargetCredential;
  readonly cloud: AzureCloud['name'];
  readonly endpoints?: Endpoints;
  readonly services: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

type Session = ReturnType<ServiceModule['open']>;

/** Connects without a call. `modules` are the SDK halves of the services that the target has on, by service name. */
export function connectAzure(
  target: AzureTarget,
  options: ConnectOptions,
  modules: ReadonlyMap<string, ServiceModule>,
): Connection {
  const transport = createTransport(options);
  const cloud = cloudOf(target.cloud, { ...ofEnvironment(target, options.env), ...target.endpoints });
  const credential = credentialOf({
    ...(target.tenant === undefined ? {} : { tenant: target.tenant }),
    ...(target.credential === undefined ? {} : { credential: target.credential }),
    authority: cloud.authority,
    env: options.env,
    timeoutMs: options.callTimeoutMs,
    transport: transport.credential,
  });
  const subscription = target.subscription.toLowerCase();
  const identity = { account: subscription, partition: cloud.name };
  const sessions = new Map<string, Session>();
  let identified = false;

  return {
    async identify(context) {
      if (identified) return identity;
      // The options of the SDK's clients, so that this is the token that they use.
      const token = await context.call('GetToken', () => credential.getToken(cloud.armScope, { enableCae: true }));
      if (token === null) throw new BadAnswer('the credential yields no token');
      identified = true;
      return identity;
    },

    open(service) {
      if (!identified) throw new TypeError('open before identify');
      const module = modules.get(service);
      if (!module) throw new TypeError(`${service} is no service of this target`);
      const opened = sessions.get(service);
      if (opened) return opened;
      const config = target.services[service];
      const session = module.open({ subscription, cloud, credential, client: transport.client, config });
      sessions.set(service, session);
      return session;
    },

    classify,

    async [Symbol.asyncDispose]() {
      transport[Symbol.dispose]();
    },
  };
}

/** The environment says where its own identity is at home; a client of the target's own belongs to the target's cloud. */
function ofEnvironment(target: AzureTarget, env: ConnectOptions['env']): Endpoints {
  const authority = env.AZURE_AUTHORITY_HOST;
  if (!authority || target.credential !== undefined || target.cloud !== 'public') return {};
  return { authority };
}
