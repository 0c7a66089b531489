/** Key providers of the embedded cloud as the service sees them: its session, and flows that name what is to be probed. */
import { trustOf } from '../../../../src/app-trust.ts';
import type { ConsumerFacts, KeyFacts } from '../../../../src/core/model.ts';
import { stubOf } from '../../../../src/providers/aws/speke/facts.ts';
import type {
  Connection,
  ConnectOptions,
  Described,
  LookContext,
  ServiceSession,
  Undescribed,
} from '../../../../src/providers/provider.ts';
import { type Sandbox, startSandbox } from '../../../../src/sandbox/sandbox.ts';
import { ACCOUNT, connectTo, REGION } from '../../../fixtures/aws-wire.ts';
import { contextWith, plainContext } from '../../../fixtures/context.ts';

export interface Opened {
  readonly connection: Connection;
  readonly session: ServiceSession;
}

export interface Cloud extends AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly apiGateway: ReturnType<ReturnType<Sandbox['aws']['account']>['region']>['apiGateway'];
  /** The service with these options; the probe goes to the sandbox, and so do questions about names. */
  open(options?: Record<string, unknown>, connect?: Partial<ConnectOptions>): Promise<Opened>;
  /**
   * The service without any endpoint: everything goes by its real name, through the proxy that `env` names; what `NO_PROXY`
   * exempts, straight to wherever its name leads.
   */
  openReal(env: Record<string, string>, options?: Record<string, unknown>): Promise<Opened>;
}

export async function startCloud(): Promise<Cloud> {
  const sandbox = await startSandbox({ seed: 3 });
  const account = sandbox.aws.account(ACCOUNT);
  const { accessKeyId, secretAccessKey } = account.credentials;
  const stack = new AsyncDisposableStack();
  stack.use(sandbox);

  async function opened(speke: Record<string, unknown>, connect: Partial<ConnectOptions>, target: object) {
    const env = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, ...connect.env };
    const connection = await connectTo(
      sandbox,
      { speke },
      { ...target },
      { trust: trustOf(sandbox.apis.ca), ...connect, env },
    );
    stack.use(connection);
    await connection.identify(plainContext);
    return { connection, session: connection.open('speke', REGION) };
  }

  return {
    sandbox,
    apiGateway: account.region(REGION).apiGateway,
    async open(options = {}, connect = {}) {
      const { url, nameServer } = sandbox.apis;
      return await opened({ endpoint: url, nameservers: [nameServer], ...options }, connect, {});
    },
    openReal: (env, options = {}) => opened(options, { env }, { endpoint: undefined }),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** One look at a URL. @throws as the session does */
export async function look(
  { session }: Opened,
  url: string,
  known?: KeyFacts,
  context: LookContext = plainContext,
): Promise<Described | Undescribed> {
  const seen = await session.describe(stubOf(url, { account: ACCOUNT, region: REGION }), known, context);
  if ('foreign' in seen || 'consumer' in seen) throw new TypeError('that is no key');
  return seen;
}

/** Facts of a look that must succeed. */
export async function factsOf(opened: Opened, url: string, known?: KeyFacts): Promise<KeyFacts> {
  const seen = await look(opened, url, known);
  if ('failure' in seen) throw new Error(`the look failed: ${JSON.stringify(seen.failure)}`);
  return seen.facts;
}

/** What a look that must fail is called, by the look itself or by the connection. */
export async function failureOf(opened: Opened, url: string, known?: KeyFacts, signal?: AbortSignal) {
  try {
    const seen = await look(opened, url, known, signal ? contextWith(signal) : plainContext);
    if ('failure' in seen) return seen.failure;
  } catch (error) {
    return opened.connection.classify(error, 'Probe');
  }
  throw new Error('the look did not fail');
}

/** A flow that names these resources as SPEKE key providers. */
export function flow(resources: readonly string[], changed: Partial<ConsumerFacts> = {}): ConsumerFacts {
  return {
    resource: `arn:aws:mediaconnect:${REGION}:${ACCOUNT}:flow:1-a:main`,
    kind: 'mediaconnect-flow',
    name: 'main',
    provider: 'aws',
    account: ACCOUNT,
    location: REGION,
    tags: {},
    uses: resources.map((resource) => ({
      resource,
      role: 'entitlement-encryption',
      attributes: { keyType: 'speke' },
    })),
    attributes: {},
    ...changed,
  };
}
