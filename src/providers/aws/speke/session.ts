/** SPEKE key providers of one Region: what flows name, the probe, and what API Gateway says of the stage. */
import { createSecureContext } from 'node:tls';
import type { KeyFacts, KeyStub } from '../../../core/model.ts';
import {
  type CallContext,
  CallFailed,
  type Described,
  type ListContext,
  type Listed,
  type ListOutcome,
  type Undescribed,
} from '../../provider.ts';
import { classify } from '../classify.ts';
import { createRestClient } from '../rest.ts';
import type { AwsSession, ServiceEnv } from '../service.ts';
import {
  ANSWERING,
  evidenceOf,
  NOT_PROBED,
  providerFacts,
  providersOf,
  REFUSED,
  type Stage,
  stageSettings,
  stubOf,
  withStage,
} from './facts.ts';
import { refusalOfAddress, refusalOfUrl } from './guard.ts';
import type { Options } from './index.ts';
import { type Knocked, knock } from './knock.ts';
import { NameUnresolved, nameServers } from './names.ts';
import { gatewayOf, hostOf, regionalNames } from './url.ts';
import { proofOf } from './verdict.ts';
import { proxyFor, type Way } from './way.ts';

export function open(env: ServiceEnv): AwsSession {
  const { probe, nameservers } = env.config as Options;
  const { account, region } = env;
  const names = nameServers(nameservers);
  const regional = regionalNames(region, env.partition);
  const apiGateway = createRestClient(env, { name: 'apigateway', id: 'API Gateway' });
  const endpoint = env.client.endpoint === undefined ? undefined : new URL(env.client.endpoint);
  const trust = env.trust ?? createSecureContext();

  async function* list(context: ListContext): AsyncGenerator<readonly Listed[], ListOutcome> {
    const urls = providersOf(context.consumers(), { account, region });
    yield urls.map((url) => ({ stub: stubOf(url, { account, region }), digest: '' }));
    // What no flow names any more is nobody's provider.
    return { complete: true, exclusive: true };
  }

  async function describe(
    stub: KeyStub,
    known: KeyFacts | undefined,
    context: CallContext,
  ): Promise<Described | Undescribed> {
    if (!probe) {
      const evidence = { operation: 'Probe', message: 'not probed: the configuration says so' };
      return { facts: providerFacts(stub, { state: NOT_PROBED }, known), evidence };
    }
    const url = new URL(stub.resource);
    const refusal = refusalOfUrl(url);
    if (refusal !== undefined) {
      const evidence = { operation: 'Probe', code: refusal, message: 'not called: the guard refuses the URL' };
      return { facts: providerFacts(stub, { state: REFUSED, refusal }, known), evidence };
    }
    const way = await wayTo(url, known, context);
    if ('failure' in way) return way;
    if (way.via === 'direct' && way.addresses.some(refusalOfAddress)) return keptFrom(stub, known);
    return await probed(stub, known, { url, way }, context);
  }

  /** The way to the endpoint, or the proof that there is no such name. */
  async function wayTo(url: URL, known: KeyFacts | undefined, context: CallContext): Promise<Way | Undescribed> {
    const host = hostOf(url);
    const proxy = endpoint === undefined ? proxyFor(host, env.env) : undefined;
    if (proxy) return { via: 'proxy', proxy };
    // An endpoint of one's own needs no name; whoever configures name servers wants the name to be looked up all the same.
    if (endpoint && !nameservers) return { via: 'endpoint', endpoint };
    try {
      const addresses = await resolve(host, context);
      return endpoint ? { via: 'endpoint', endpoint, addresses } : { via: 'direct', addresses };
    } catch (error) {
      const neighbour = isNoName(error) ? await neighbourOf(url.href, known, context) : undefined;
      if (neighbour === undefined) throw error;
      const message = `there is no name ${host}, while ${neighbour} is found`;
      return { failure: { reason: 'unreachable', evidence: { operation: 'Resolve', code: 'ENOTFOUND', message } } };
    }
  }

  /**
   * A name that this very name server still finds, which makes its word on a missing one count. The name of an API is found wherever
   * that of all APIs of the Region is. Any other name may be hidden from here on purpose, as it may be in a private zone, unless
   * it was found from here before.
   */
  async function neighbourOf(url: string, known: KeyFacts | undefined, context: CallContext) {
    const before = known?.attributes.nameFound === true;
    const gateway = gatewayOf(url);
    const apis = gateway ? regionalNames(gateway.region, env.partition).apis : regional.apis;
    const candidates = [...(gateway || before ? [apis] : []), ...(before ? [regional.service] : [])];
    for (const host of candidates) {
      if (await isFound(host, context)) return host;
    }
    return undefined;
  }

  async function isFound(host: string, context: CallContext): Promise<boolean> {
    try {
      return (await resolve(host, context)).length > 0;
    } catch (error) {
      if (!(error instanceof CallFailed)) throw error;
      return false;
    }
  }

  function resolve(host: string, context: CallContext): Promise<readonly string[]> {
    return context.call('Resolve', (signal) => names.addressesOf(host, signal));
  }

  async function probed(
    stub: KeyStub,
    known: KeyFacts | undefined,
    { url, way }: { readonly url: URL; readonly way: Way },
    context: CallContext,
  ): Promise<Described | Undescribed> {
    try {
      const knocked = await context.call('Probe', async (signal) =>
        mustBeThere(await knock(url, way, { trust, signal })),
      );
      const facts = providerFacts(stub, { state: ANSWERING, way, knocked }, known);
      return { facts, evidence: evidenceOf(knocked) };
    } catch (error) {
      const cause = error instanceof CallFailed ? error.cause : undefined;
      const proof = proofOf(cause, way.via, Date.now());
      if (proof === undefined) throw error;
      const { evidence } = classify(error, 'Probe');
      return { failure: { reason: 'unreachable', evidence: { ...evidence, message: proof } } };
    }
  }

  async function enrich(facts: KeyFacts, now: number, context: CallContext): Promise<KeyFacts> {
    return withStage(facts, await stageOf(facts.resource, context), now);
  }

  /** Undefined where the URL tells no API to ask about. */
  async function stageOf(url: string, context: CallContext): Promise<Stage | undefined> {
    const gateway = gatewayOf(url);
    if (!gateway) return undefined;
    const { id, stage } = gateway;
    if (gateway.region !== region) return { seen: 'elsewhere' };
    if (stage === undefined) return { seen: 'unnamed' };
    try {
      const answer = await context.call('GetStage', (abortSignal) =>
        apiGateway.send({ path: ['restapis', id, 'stages', stage] }, { abortSignal }),
      );
      return { seen: 'yes', settings: stageSettings(answer.body) };
    } catch (error) {
      if (!(error instanceof CallFailed)) throw error;
      const { reason, evidence } = classify(error, 'GetStage');
      if (reason === 'denied') return { seen: 'denied' };
      if (evidence.code === 'NotFoundException') return { seen: 'not_found' };
      throw error;
    }
  }

  return {
    list,
    describe,
    enrich,
    watches: () => true,
    // Its sockets live no longer than a probe.
    destroy: () => undefined,
  };
}

/**
 * Its name leads into a private network, if only from here: that proves nothing, and is no trouble of the source either. What
 * the guard found is told beside it.
 */
function keptFrom(stub: KeyStub, known: KeyFacts | undefined): Undescribed {
  const told = providerFacts(stub, { state: REFUSED, refusal: 'private_address' }, known);
  const message = 'not called: its name leads to a private address';
  return {
    failure: { reason: 'never_checked', evidence: { operation: 'Probe', code: 'private_address', message }, told },
  };
}

function isNoName(error: unknown): boolean {
  return error instanceof CallFailed && error.cause instanceof NameUnresolved && error.cause.code === 'ENOTFOUND';
}

/** Anything that answers HTTP is there, but a throttled or failing gateway shows neither that it works nor that it is lost. */
function mustBeThere(knocked: Knocked): Knocked {
  const { status, requestId } = knocked;
  if (status !== 429 && status < 500) return knocked;
  const error = new Error(`the endpoint answered ${status}`);
  error.name = 'ProbeAnswer';
  throw Object.assign(error, { $metadata: { httpStatusCode: status, ...(requestId !== undefined && { requestId }) } });
}
