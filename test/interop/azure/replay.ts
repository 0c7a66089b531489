/** Plays recorded answers on loopback to the real SDK clients and to keyvigil's own sessions, under the real host names. */

import { Agent } from 'node:https';
import { KeyVaultManagementClient, type Vault } from '@azure/arm-keyvault';
import {
  bearerTokenAuthenticationPolicy,
  createDefaultHttpClient,
  createEmptyPipeline,
  createPipelineRequest,
  type HttpMethods,
  type PipelinePolicy,
  RestError,
} from '@azure/core-rest-pipeline';
import { expect } from 'vitest';
import type { ConsumerFacts, ConsumerStub, Failure, KeyFacts, KeyStub } from '../../../src/core/model.ts';
import { ask } from '../../../src/providers/azure/ask.ts';
import { classify } from '../../../src/providers/azure/classify.ts';
import { keyVault } from '../../../src/providers/azure/key-vault/index.ts';
import { livingVault, vaultFacts } from '../../../src/providers/azure/key-vault/vault-facts.ts';
import { mediaServices } from '../../../src/providers/azure/media-services/index.ts';
import type { ConsumerJudgement, KeyLookup, Look, ServiceSession } from '../../../src/providers/provider.ts';
import { POLICY } from '../../core/support/looks.ts';
import { type Clients, clientsOf } from '../../fixtures/azure-clients.ts';
import {
  type Answer,
  type AzureWire,
  connectTo,
  startAzureWire,
  vaultError,
  type WireRequest,
} from '../../fixtures/azure-wire.ts';
import { plainContext } from '../../fixtures/context.ts';
import { type Exchange, exchangesOf } from './recordings.ts';

/** The subscription of every recording. */
export const SUBSCRIPTION = '00000000-0000-0000-0000-000000000000';
export const ARM = 'management.azure.com';

export { POLICY };

/** What keyvigil makes of one recording. */
export interface Story {
  /** What it becomes, as a sentence. */
  readonly says: string;
  /** Recordings of the same vault that answer too. */
  readonly with?: readonly string[];
  readonly renamed?: Readonly<Record<string, string>>;
  readonly run: (replay: Replay) => Promise<void>;
}

/** An answer; undefined leaves it to the recording. */
type Beside = Answer | (() => Answer | undefined);

export interface Replay extends AsyncDisposable {
  readonly wire: AzureWire;
  /** As keyvigil has them, which only reads: its transport takes a good answer without a body for none. */
  readonly clients: Clients;
  /** Of whoever deletes and recovers vaults. */
  readonly owner: KeyVaultManagementClient;
  readonly keyVault: ServiceSession;
  readonly media: ServiceSession;
  /** Recorded exchanges that nobody has asked for yet: `2: GET /keys`. */
  left(): readonly string[];
  /** Answers what is not in the recording. A text is the path without query, exact but for case and a slash at the end. */
  beside(method: string, host: string, path: string | RegExp, ...script: readonly Beside[]): void;
  /** One operation of an SDK client through the engine's context. @throws CallFailed */
  call<T>(operation: string, run: (options: object) => Promise<T>): Promise<T>;
  /** The named failure of an operation. @throws Error where it succeeds */
  failure(operation: string, run: (options: object) => Promise<unknown>): Promise<Failure>;
  /** A request that no client of ours has an operation for, through the pipeline and with a token. */
  send(exchange: Exchange): Promise<unknown>;
  /** One look at a key or vault: its facts, or its failure. */
  look(stub: KeyStub, known?: KeyFacts): Promise<Look>;
  account(stub: ConsumerStub): Promise<ConsumerFacts>;
}

/** Starts one; dispose it. */
export async function startReplay(
  name: string,
  { with: others = [], renamed = {} }: Partial<Story> = {},
): Promise<Replay> {
  await using starting = new AsyncDisposableStack();
  const wire = starting.use(await startAzureWire());
  const own = exchangesOf(name, renamed);
  const served = new Set<Exchange>();
  const all = [...own, ...others.flatMap((other) => exchangesOf(other, renamed))];
  const ruleOf = ({ request, response }: Exchange) => (response.status === 401 ? 'CHALLENGE' : request.method);
  const fitting = (method: string, host: string) =>
    all.filter((exchange) => exchange.request.host === host && ruleOf(exchange) === method);
  for (const exchange of all) {
    const [method, host] = [ruleOf(exchange), exchange.request.host];
    wire.on(method, host, /(?:)/, (request) => next(fitting(method, host), served, request));
  }
  const target = { subscription: SUBSCRIPTION };
  const clients = starting.use(await clientsOf(wire, target));
  const connection = starting.use(await connectTo(wire, { 'key-vault': {}, 'media-services': {} }, target));
  await connection.identify(plainContext);
  const keyVaultSession = connection.open('key-vault', 'global');
  const media = connection.open('media-services', 'global');

  async function call<T>(operation: string, run: (options: object) => Promise<T>): Promise<T> {
    const { value } = await ask(plainContext, operation, (options) => run({ ...options }));
    return value;
  }
  const replay: Replay = {
    wire,
    clients,
    owner: starting.adopt(ownerOf(wire, clients), ({ agent }) => agent.destroy()).arm,
    keyVault: keyVaultSession,
    media,
    left: () =>
      own.flatMap((exchange, index) =>
        served.has(exchange) ? [] : [`${index}: ${exchange.request.method} ${exchange.request.path}`],
      ),
    beside(method, host, path, ...script) {
      const scripted = script.map((one) => {
        if (typeof one !== 'function') return one;
        return (request: WireRequest) => one() ?? next(fitting(method, host), served, request);
      });
      wire.on(method, host, typeof path === 'string' ? new RegExp(`^${quoted(path)}/?$`, 'i') : path, ...scripted);
    },
    call,
    async failure(operation, run) {
      const error: unknown = await call(operation, run).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      if (error === undefined) throw new Error(`${operation} succeeded, where a failure was expected`);
      return classify(error, operation);
    },
    send: ({ request }) => call('Send', (options) => send(clients, request, options)),
    async look(stub, known) {
      try {
        const looked = await keyVaultSession.describe(stub, known, plainContext);
        if ('facts' in looked || 'failure' in looked) return looked;
      } catch (error) {
        return { failure: connection.classify(error, 'describe') };
      }
      throw new Error('neither facts nor a failure');
    },
    async account(stub) {
      const looked = await media.describe(stub, undefined, plainContext);
      if ('consumer' in looked) return looked.consumer;
      throw new Error('no facts of an account');
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
  const running = starting.move();
  return replay;
}

/** The next recorded answer to a request, the last one for ever. api-versions differ: the recordings are older than the clients. */
function next(exchanges: readonly Exchange[], served: Set<Exchange>, request: WireRequest): Answer {
  const asked = plain(`${request.path}?${request.query}`);
  // A vault challenges whoever comes without a token, whatever is asked.
  const fits = ({ request: { method, path }, response }: Exchange) =>
    response.status === 401 || (method === request.method && plain(path) === asked);
  const fitting = exchanges.filter(fits);
  const exchange = fitting.find((one) => !served.has(one)) ?? fitting.at(-1);
  if (!exchange) {
    const message = `${request.method} ${request.host}${asked} is not recorded`;
    return { status: 418, body: { error: { code: 'NotRecorded', message } } };
  }
  served.add(exchange);
  const { status, headers, body } = exchange.response;
  // The wire says JSON where nothing is said.
  return { status, headers: body === '' ? { 'content-type': 'text/plain', ...headers } : headers, body };
}

/** A path as it is compared: of the query only what tells one page from another. */
function plain(path: string): string {
  const { pathname, searchParams } = new URL(path.replace(/^\/+/, '/'), 'https://any');
  const token = searchParams.get('$skiptoken');
  const bare = decodeURIComponent(pathname)
    .toLowerCase()
    .replaceAll(/\/{2,}/g, '/')
    .replace(/\/$/, '');
  return token === null ? bare : `${bare}?${token}`;
}

function ownerOf({ env, ca }: AzureWire, { env: { credential } }: Clients) {
  const agent = new Agent({ proxyEnv: env, ca });
  const policy: PipelinePolicy = {
    name: 'proxy',
    sendRequest(request, next) {
      request.agent = agent;
      return next(request);
    },
  };
  const additionalPolicies = [{ policy, position: 'perRetry' as const }];
  return { agent, arm: new KeyVaultManagementClient(credential, SUBSCRIPTION, { additionalPolicies }) };
}

async function send(
  { env }: Clients,
  { method, host, path, body }: Exchange['request'],
  options: object,
): Promise<unknown> {
  const pipeline = createEmptyPipeline();
  for (const { policy } of env.client.additionalPolicies) pipeline.addPolicy(policy);
  const scopes = [host === ARM ? env.cloud.armScope : 'https://vault.azure.net/.default'];
  pipeline.addPolicy(bearerTokenAuthenticationPolicy({ credential: env.credential, scopes }));
  const request = createPipelineRequest({
    url: new URL(path, `https://${host}`).href,
    method: method as HttpMethods,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...options,
  });
  const response = await pipeline.sendRequest(createDefaultHttpClient(), request);
  if (response.status >= 400) {
    throw new RestError(`answered ${response.status}`, { statusCode: response.status, request, response });
  }
  return JSON.parse(response.bodyAsText || 'null');
}

/** A text as a regular expression of itself. */
export function quoted(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** `inaccessible: disabled`, by the table of the service. */
export function verdictOf(look: Look): string {
  const verdict = keyVault.keys?.verdict(look);
  if (!verdict) throw new Error('Key Vault has no verdict table');
  return verdict.status === 'accessible' ? verdict.status : `${verdict.status}: ${verdict.reason}`;
}

/** The facts of a look. @throws Error with its reason where it has none */
export function factsOf(look: Look): KeyFacts {
  if ('facts' in look) return look.facts;
  throw new Error(`a failed look: ${look.failure.reason} (${look.failure.evidence.message})`);
}

/** Ids and severities of what the rules say of a key: `key-vault.expired critical`. @param now ms */
export function findingsOf(facts: KeyFacts, now: number): readonly string[] {
  return told(keyVault.keys?.judge(facts, now, POLICY).findings ?? []);
}

export function judgeAccount(account: ConsumerFacts, keys: readonly KeyFacts[], now: number): ConsumerJudgement {
  const lookup: KeyLookup = (resource) => keys.find((key) => key.resource === resource);
  if (!mediaServices.consumers) throw new Error('Media Services has no rules');
  return mediaServices.consumers.judge(account, lookup, now, POLICY);
}

/** Sorted, so that the order of rules does not count. */
export function told(findings: ConsumerJudgement['findings']): readonly string[] {
  return findings.map(({ id, severity }) => `${id} ${severity}`).sort();
}

/** Facts of a vault as an operation of the client answers it that no look of ours asks. */
export function factsOfVault(vault: Vault): KeyFacts {
  const noUrl = () => {
    throw new Error('the URL of the vault was expected in the answer');
  };
  return vaultFacts(livingVault(vault, SUBSCRIPTION, noUrl), undefined, undefined);
}

export function keyStub(host: string, name: string, location: string): KeyStub {
  const resource = `https://${host}/keys/${name.toLowerCase()}`;
  return { resource, kind: 'azure-key', name, provider: 'azure', account: SUBSCRIPTION, location };
}

export function vaultStub(name: string, location: string): KeyStub {
  const resource = `https://${name}.vault.azure.net`;
  return { resource, kind: 'azure-vault', name, provider: 'azure', account: SUBSCRIPTION, location };
}

/** The challenge of a vault was read: the token is its tenant's. */
export function expectTokenOf({ wire }: Replay, tenant: string): void {
  expect(wire.tokens.map(({ path }) => path)).toContain(`/${tenant}/oauth2/v2.0/token`);
}

/** An answer that a list is empty. */
export const NOTHING: Answer = { body: { value: [] } };

/** As a key that is not there is told of; the words are recorded in key-not-found. */
export const keyNotFound = () => vaultError(404, 'KeyNotFound', undefined, 'A key was not found in this key vault.');
export const byRbac = () =>
  vaultError(403, 'Forbidden', 'ForbiddenByRbac', 'Caller is not authorized to perform action on resource.');

/** The rest of what a listing asks in a subscription without HSMs and without anything deleted. */
export function nothingElse(replay: Replay, ...vaults: readonly string[]): void {
  const base = `/subscriptions/${SUBSCRIPTION}/providers/Microsoft.KeyVault`;
  for (const list of ['managedHSMs', 'deletedVaults', 'deletedManagedHSMs']) {
    replay.beside('GET', ARM, `${base}/${list}`, NOTHING);
  }
  for (const host of vaults) replay.beside('GET', host, '/deletedkeys', { body: { value: [], nextLink: null } });
}
