/** One AWS target, connected: credentials, the socket pool, and one client per service and region. Loads the SDK. */
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { fromIni, fromNodeProviderChain, fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import type { CallContext, Connection, ConnectOptions } from '../provider.ts';
import { arnIn } from './arn.ts';
import { classify } from './classify.ts';
import { createPool } from './http.ts';
import type { Options as IamOptions } from './iam/index.ts';
import type { OpenSimulation } from './iam/simulator.ts';
import { BadAnswer } from './paging.ts';
import type { AwsSession, ClientSettings, ServiceModule, SimulationModule } from './service.ts';

/** An AWS target as its configuration was parsed; see `AwsTargetFields`. */
export interface AwsTarget {
  readonly regions: readonly string[];
  readonly profile?: string;
  readonly roleArn?: string;
  readonly externalId?: string;
  readonly endpoint?: string;
  readonly services: Readonly<Record<string, { readonly endpoint?: string }>>;
}

/** Where IAM of a partition signs (its endpoint rules). */
const IAM_REGIONS: Readonly<Record<string, string>> = {
  aws: 'us-east-1',
  'aws-cn': 'cn-north-1',
  'aws-us-gov': 'us-gov-west-1',
};

interface Identity {
  readonly account: string;
  readonly partition: string;
}

type Credentials = ClientSettings['credentials'];
/** As `memoizeIdentityProvider` of the SDK makes it. */
type RememberedCredentials = (request?: { readonly forceRefresh?: boolean }) => Promise<unknown>;

/** How long keys of a file hold. The SDK asks for new ones five minutes before their end. */
const REREAD_MS = 10 * 60_000;
/** What the chain has to say it would say on the console, past the log; a failure is told by the calls that it fails. */
const SILENT = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

/**
 * Connects without a call. `modules` are the SDK halves of the services that the target has on, by service name; `simulation`
 * is there where it has policy simulation on.
 */
export function connectAws(
  target: AwsTarget,
  options: ConnectOptions,
  modules: ReadonlyMap<string, ServiceModule>,
  simulation?: SimulationModule,
): Connection {
  const pool = createPool(options);
  const region = target.regions[0];
  if (region === undefined) throw new TypeError('an AWS target has at least one region');
  const settings = {
    ...(target.profile === undefined ? {} : { profile: target.profile }),
    ...at(target.endpoint),
    requestHandler: pool.handler,
    maxAttempts: 2,
    retryMode: 'standard' as const,
    cacheMiddleware: true,
  };
  const sts = new STSClient({
    ...settings,
    region,
    credentials: credentialsOf(target, options, { ...settings, region }),
  });
  // What the client made of the provider: remembered until five minutes before it expires, shared by every other client.
  const remembered = sts.config.credentials as RememberedCredentials;
  let refused = false;
  const recall: RememberedCredentials = (request) => {
    const forceRefresh = refused;
    refused = false;
    return remembered(forceRefresh ? { ...request, forceRefresh } : request);
  };
  // With its marks, or every client would remember what it gave by itself.
  const credentials = Object.assign(recall, remembered) as Credentials;
  const { useFipsEndpoint, useDualstackEndpoint } = sts.config;
  const sessions = new Map<string, AwsSession>();
  let simulating: OpenSimulation | undefined;
  let identity: Identity | undefined;
  let asking: Promise<Identity> | undefined;

  function settingsOf(service: string, location: string): ClientSettings {
    const endpoint = target.services[service]?.endpoint ?? target.endpoint;
    return {
      ...settings,
      region: location,
      credentials,
      useFipsEndpoint,
      useDualstackEndpoint,
      ...at(endpoint),
    };
  }

  /** One for all Regions: roles are the account's. */
  function openedSimulation({ account, partition }: Identity): OpenSimulation | undefined {
    simulating ??= simulation?.openSimulation({
      account,
      partition,
      every: (target.services.iam as IamOptions).every,
      // A client behind an endpoint of one's own signs for the Region that it is given.
      iam: settingsOf('iam', IAM_REGIONS[partition] ?? region ?? ''),
      regional: settingsOf,
    });
    return simulating;
  }

  async function ask(context: CallContext): Promise<Identity> {
    const answer = await context.call('GetCallerIdentity', (abortSignal) =>
      sts.send(new GetCallerIdentityCommand({}), { abortSignal }),
    );
    const { partition, account } = arnIn(answer.Arn, 'the identity of the monitor');
    if (account === '') throw new BadAnswer('the identity of the monitor has no account');
    return { account, partition };
  }

  return {
    async identify(context) {
      if (identity) return identity;
      asking ??= ask(context).finally(() => {
        asking = undefined;
      });
      identity = await asking;
      return identity;
    },

    open(service, location) {
      if (!identity) throw new TypeError('open before identify');
      const module = modules.get(service);
      if (!module) throw new TypeError(`${service} is no service of this target`);
      const key = `${location}/${service}`;
      const opened = sessions.get(key);
      if (opened) return opened;
      const config = target.services[service];
      const client = settingsOf(service, location);
      const helper = openedSimulation(identity);
      const { env, trust } = options;
      const session = module.open({
        ...identity,
        region: location,
        client,
        env,
        config,
        ...(trust && { trust }),
        ...(helper && { simulation: helper }),
      });
      sessions.set(key, session);
      return session;
    },

    classify,

    renew() {
      refused = true;
    },

    async [Symbol.asyncDispose]() {
      for (const session of sessions.values()) session.destroy();
      simulating?.destroy();
      sts.destroy();
      pool[Symbol.dispose]();
    },
  };
}

/** Settings for an address that is configured: it is asked as it is. The SDK would refuse to, where FIPS or IPv6 is wanted. */
function at(endpoint: string | undefined) {
  if (endpoint === undefined) return {};
  const never = async () => false;
  return { endpoint, useFipsEndpoint: never, useDualstackEndpoint: never };
}

/**
 * The default chain, or the target's profile alone: who names a profile that is not there would else be taken for whatever
 * identity the machine has. On top of it the target's role. Beyond the first link all of it is the SDK's, which reads the
 * environment of the process and not the one that was handed in.
 */
function credentialsOf(
  target: AwsTarget,
  options: ConnectOptions,
  settings: Pick<ClientSettings, 'region' | 'requestHandler'>,
): Credentials {
  // No region here: SSO lives in one of its own, which only the profile knows.
  const common = { clientConfig: { requestHandler: settings.requestHandler }, logger: SILENT, ignoreCache: true };
  const files = fromIni({ ...(target.profile === undefined ? {} : { profile: target.profile }), ...common });
  const chain = target.profile === undefined ? fromNodeProviderChain(common) : files;
  const master = staticCredentials(target, options.env) ?? rereading(chain, files);
  if (target.roleArn === undefined) return master;
  return fromTemporaryCredentials({
    masterCredentials: master,
    params: {
      RoleArn: target.roleArn,
      RoleSessionName: 'keyvigil',
      ...(target.externalId === undefined ? {} : { ExternalId: target.externalId }),
    },
    clientConfig: { ...settings },
  });
}

type Provider = ReturnType<typeof fromIni>;

/**
 * Keys that stand in a file have no end, and are replaced one day all the same: they get one, and the file is read `again`
 * by then. While it cannot be read, what it said holds.
 */
function rereading(first: Provider, again: Provider): Provider {
  let source = first;
  let endless: Awaited<ReturnType<Provider>> | undefined;
  return async (properties) => {
    const before = endless;
    const found = await (before ? source(properties).catch(() => before) : source(properties));
    if (found.expiration !== undefined) {
      endless = undefined;
      return found;
    }
    endless = found;
    source = again;
    return { ...found, expiration: new Date(Date.now() + REREAD_MS) };
  };
}

/**
 * The first link of the default chain, read from the environment that was handed in: the demo and the tests bring their own.
 * A profile comes first, as in the chain.
 */
function staticCredentials(target: AwsTarget, env: ConnectOptions['env']): Credentials | undefined {
  const accessKeyId = env.AWS_ACCESS_KEY_ID;
  const secretAccessKey = env.AWS_SECRET_ACCESS_KEY;
  if (target.profile ?? env.AWS_PROFILE) return undefined;
  if (!accessKeyId || !secretAccessKey) return undefined;
  const sessionToken = env.AWS_SESSION_TOKEN;
  return { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) };
}
