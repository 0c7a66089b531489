import type { Faults } from '../faults.ts';
import { type HttpAnswer, type HttpRequest, serveHttp } from '../http.ts';
import { serveProxy, type TunnelVerdict } from '../proxy.ts';
import type { RequestLog } from '../requests.ts';
import { makeTlsIdentity } from '../tls.ts';
import { answerIdentity } from './authority-front.ts';
import { certificateNames, hostRole } from './clouds.ts';
import { AzureGateway } from './gateway.ts';
import type { AzureCloud, Reach, Subscription } from './handles.ts';
import { subscriptionHandle } from './subscription.ts';
import type { AzureWorld } from './world.ts';

/** The subscription that is meant when none is named. */
const SUBSCRIPTION = '11111111-2222-3333-4444-555555555555';

/** A running imitation of Azure. */
export type RunningAzure = { readonly cloud: AzureCloud; readonly [Symbol.asyncDispose]: () => Promise<void> };

/**
 * Starts the TLS server of every imitated host on `host` (loopback) and the proxy that leads to it, on free ports. Throws what
 * listening throws.
 */
export async function startAzure(options: {
  readonly host: string;
  readonly world: AzureWorld;
  readonly faults: Faults;
  readonly requests: RequestLog;
}): Promise<RunningAzure> {
  const { host, world } = options;
  await using starting = new AsyncDisposableStack();
  const identity = makeTlsIdentity(certificateNames(), ['127.0.0.1']);
  const gateway = new AzureGateway(options);
  const server = starting.use(await serveHttp({ host, port: 0, tls: identity }, (request) => gateway.answer(request)));
  const reaches = new Map<string, Reach>();
  const subscriptions = new Map<string, Subscription>();
  let machine: string | undefined;
  const proxy = starting.use(
    await serveProxy({
      host,
      target: server.port,
      judge: (name, port) => {
        // Clients that have the proxy for everything reach the server by its address too.
        if (port === server.port && (name === '127.0.0.1' || name === 'localhost')) return 'open';
        return judge(world, reaches, name, port);
      },
      plain: (request) => {
        const first = subscriptions.values().next().value;
        return plain(world, request, machine ?? first?.monitor.clientId);
      },
    }),
  );
  const cloud: AzureCloud = {
    url: server.url,
    proxyUrl: proxy.url,
    identityUrl: proxy.url,
    ca: identity.ca,
    settings: world.settings,
    subscription: (id = SUBSCRIPTION, made = {}) => {
      const name = id.toLowerCase();
      const handle = subscriptions.get(name) ?? subscriptionHandle(world, world.subscription(name, made), proxy.cut);
      subscriptions.set(name, handle);
      return handle;
    },
    reach: (name, reach) => {
      reaches.set(name.toLowerCase(), reach);
      if (reach !== 'open') proxy.cut(name.toLowerCase());
    },
    expireTokens: () => world.directory.expireAll(),
    setMachineIdentity: (clientId) => {
      machine = clientId;
    },
  };
  const running = starting.move();
  return { cloud, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

function judge(world: AzureWorld, reaches: ReadonlyMap<string, Reach>, host: string, port: number): TunnelVerdict {
  const role = hostRole(host);
  if (role === undefined || port !== 443) return 'foreign';
  const reach = reaches.get(host) ?? 'open';
  if (role !== 'vault' || reach !== 'open') return reach;
  const vault = world.vaultAt(host);
  if (!vault || vault.unresolvable || vault.readyAt > world.now()) return 'unresolvable';
  return vault.deletedAt === undefined || world.settings.deletedVaultHost === 'not-found' ? 'open' : 'unresolvable';
}

/** What is asked of the proxy itself: the managed identity endpoint, and nothing else. */
function plain(world: AzureWorld, request: HttpRequest, machine: string | undefined): HttpAnswer {
  const { status, body } = request.path.startsWith('/')
    ? answerIdentity(world, request, machine)
    : { status: 403, body: { error: 'this proxy leads nowhere else' } };
  const headers = { 'content-type': 'application/json; charset=utf-8', date: new Date(world.now()).toUTCString() };
  return { status, headers, body: JSON.stringify(body), manner: 'whole', delayMs: 0 };
}
