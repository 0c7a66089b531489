/** MediaConnect at one region: the calls. */
import { matchesAny } from '../../../core/glob.ts';
import { type ConsumerFacts, isConsumerStub, type KeyFacts, type KeyUse, type Stub } from '../../../core/model.ts';
import {
  type CallContext,
  CallFailed,
  type DescribedConsumer,
  type ListContext,
  type Listed,
  type ListOutcome,
  type LookContext,
} from '../../provider.ts';
import { mustBeOf } from '../arn.ts';
import { withSimulation } from '../iam/uses.ts';
import { evidenceOf } from '../look.ts';
import { allPages, BadAnswer, pages } from '../paging.ts';
import { createRestClient } from '../rest.ts';
import type { AwsSession, ServiceEnv } from '../service.ts';
import { list as itemsOf, listedFlow } from './answer.ts';
import { FLOWS_PER_PAGE } from './calls.ts';
import { type Entitlements, flowFacts, originatorsOf, stubOf } from './facts.ts';
import type { Options } from './index.ts';

/** The API gives no more. */
const ENTITLEMENTS_PER_PAGE = 20;

export function open(env: ServiceEnv): AwsSession {
  const options = env.config as Options;
  const client = createRestClient(env, { name: 'mediaconnect', id: 'MediaConnect' });
  // What one sweep's listing told, for the looks that follow it.
  let entitlements: Entitlements = { originator: () => undefined };

  async function page(
    operation: string,
    path: string,
    maxResults: number,
    nextToken: string | undefined,
    context: CallContext,
  ) {
    const request = { path: ['v1', path], query: { maxResults, nextToken } };
    const { body } = await context.call(operation, (abortSignal) => client.send(request, { abortSignal }));
    return { items: itemsOf(body[path]), next: typeof body.nextToken === 'string' ? body.nextToken : undefined };
  }

  async function* list(context: ListContext): AsyncGenerator<readonly Listed[], ListOutcome> {
    let entitled = false;
    const listing = pages('ListFlows', (token) => page('ListFlows', 'flows', FLOWS_PER_PAGE, token, context));
    for await (const items of listing) {
      const flows = items.map(listedFlow);
      entitled ||= flows.some((flow) => flow.entitled);
      yield flows.map((flow) => {
        const stub = stubOf(flow);
        mustBeOf(env.account, stub);
        return { stub, digest: '' };
      });
    }
    const originators = originatorsOf(flowsOf(context));
    const granted = entitled ? await grantedTo(context) : undefined;
    entitlements = { originator: (arn) => originators.get(arn), ...(granted && { granted }) };
    return { complete: true, exclusive: false };
  }

  /** Entitlements that other accounts grant to this one; undefined where that cannot be read, which is no trouble of the flows. */
  async function grantedTo(context: CallContext): Promise<ReadonlySet<string> | undefined> {
    try {
      const all = await allPages('ListEntitlements', (token) =>
        page('ListEntitlements', 'entitlements', ENTITLEMENTS_PER_PAGE, token, context),
      );
      return new Set(all.flatMap((item) => (item as { entitlementArn?: string } | null)?.entitlementArn ?? []));
    } catch (error) {
      if (error instanceof CallFailed || error instanceof BadAnswer) return undefined;
      throw error;
    }
  }

  async function describe(
    stub: Stub,
    known: KeyFacts | ConsumerFacts | undefined,
    context: LookContext,
  ): Promise<DescribedConsumer> {
    if (!isConsumerStub(stub)) throw new TypeError(`${stub.resource} is no flow`);
    const request = { path: ['v1', 'flows', stub.resource] };
    const answer = await context.call('DescribeFlow', (abortSignal) => client.send(request, { abortSignal }));
    const facts = flowFacts(answer.body, stub, entitlements);
    const { simulation } = env;
    const consumer = await withSimulation(facts, { service: 'mediaconnect', simulation, roleOf, known }, context);
    return { consumer, evidence: evidenceOf('DescribeFlow', answer) };
  }

  return {
    list,
    describe,
    watches: ({ kind, name, account }) =>
      kind === 'mediaconnect-flow' &&
      account === env.account &&
      matchesAny(options.include, name) &&
      !matchesAny(options.exclude, name),
    destroy() {},
  };
}

/** Each use goes through a role of its own. */
function roleOf({ attributes }: KeyUse): string | undefined {
  return typeof attributes?.roleArn === 'string' ? attributes.roleArn : undefined;
}

function* flowsOf(context: ListContext): Iterable<ConsumerFacts> {
  for (const facts of context.consumers()) if (facts.kind === 'mediaconnect-flow') yield facts;
}
