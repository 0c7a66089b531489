/** The consumers of the ledger: what a look, a listing, a key or time makes of a record, in the graph and in the draft. */
import { type ConsumerStep, type ConsumerStepRules, rejudgeConsumer, stepConsumer } from '../core/consumers.ts';
import type { Graph } from '../core/graph.ts';
import type { ConsumerObservation, ConsumerRecord, KeyEvent, KeyFacts, SourceId } from '../core/model.ts';
import type { Policy } from '../core/policy.ts';
import type { Service } from '../providers/provider.ts';
import type { Draft } from './draft.ts';
import type { Suspect } from './key-book.ts';
import type { Seen } from './seen.ts';
import { createShelf, dropWitness, withoutStaleDigest } from './shelf.ts';

export interface ConsumerBookOptions {
  readonly policy: Policy;
  readonly graph: Graph;
  readonly seen: Seen;
  /** Records whose newest look was never written. */
  readonly unwritten: Set<string>;
  serviceOf(record: ConsumerRecord): Service | undefined;
  now(): number;
  /** Somebody should look at these now. */
  wanted(resources: readonly string[]): void;
}

export interface ConsumerBook {
  take(
    observation: ConsumerObservation,
    digest: string | undefined,
    service: Service,
    draft: Draft,
    suspects: Suspect[],
  ): readonly KeyEvent[];
  /** Judges these again, because a key that they use changed. `quiet`: what opens is the baseline, not news. */
  judge(users: readonly ConsumerRecord[], draft: Draft, quiet: boolean): void;
  age(record: ConsumerRecord, now: number, draft: Draft): void;
  /** Facts of the watched key that a name means. */
  keyFacts(ref: string): KeyFacts | undefined;
  dropWitness(record: ConsumerRecord, id: SourceId, draft: Draft): void;
}

export function createConsumerBook(options: ConsumerBookOptions): ConsumerBook {
  const { graph, policy, seen, unwritten } = options;
  const { put, drop } = createShelf<ConsumerRecord>({
    seen,
    unwritten,
    upsert: (record) => graph.update({ upserts: [], deletes: [], consumers: { upserts: [record], deletes: [] } }),
    remove: (resource) => graph.update({ upserts: [], deletes: [], consumers: { upserts: [], deletes: [resource] } }),
    part: ({ consumerUpserts, consumerDeletes }) => ({ upserts: consumerUpserts, deletes: consumerDeletes }),
  });

  function rulesFor(service: Service, digest?: string): ConsumerStepRules {
    const { consumers, name } = service;
    if (!consumers) throw new TypeError(`${name} tells of a consumer, and has no rules for consumers`);
    return {
      policy,
      judge: (facts, now) => consumers.judge(facts, keyFacts, now, policy),
      ...(digest === undefined ? {} : { digest }),
    };
  }

  function keyFacts(ref: string): KeyFacts | undefined {
    const resource = graph.resolve(ref);
    return resource === undefined ? undefined : graph.records.get(resource)?.facts;
  }

  /** Most trouble of a consumer is that of its key: then that is told, and not both. */
  function askKeys({ facts }: ConsumerRecord): void {
    const keys = facts?.uses.flatMap(({ resource }) => graph.resolve(resource) ?? []) ?? [];
    const holders = keys.flatMap((key) => graph.records.get(key)?.facts?.dependsOn ?? []);
    const known = holders.flatMap(({ anyOf }) => anyOf.flatMap((name) => graph.resolve(name) ?? []));
    if (keys.length > 0) options.wanted([...new Set([...keys, ...known])]);
  }

  /** Judged again without a look: what is newly suspected, somebody must look at. */
  function again(record: ConsumerRecord, now: number, draft: Draft, quiet = false): void {
    const service = options.serviceOf(record);
    if (!service) return;
    const result: ConsumerStep = rejudgeConsumer(record, rulesFor(service), now);
    if (result.record === record) return;
    put(draft, record, result.record);
    if (!quiet) draft.events.push(...result.events);
    if (result.suspect && result.record.pending !== record.pending) options.wanted([record.resource]);
  }

  return {
    take(observation, digest, service, draft, suspects) {
      const before = graph.consumers.get(observation.resource);
      // A listing that lags may show what is gone by now.
      if (!before && observation.consumer === undefined && observation.failure.reason === 'not_found') return [];
      const result = stepConsumer(before, observation, rulesFor(service, digest), options.now());
      if (result.ended) {
        if (before) drop(draft, before);
      } else put(draft, before, digest === undefined ? withoutStaleDigest(before, result.record) : result.record);
      if (result.suspect) suspects.push({ resource: observation.resource, why: result.suspect });
      if (!result.ended && begins(before, result.record)) askKeys(result.record);
      draft.events.push(...result.events);
      return result.events;
    },

    judge(users, draft, quiet) {
      for (const { resource } of users) {
        const record = graph.consumers.get(resource);
        if (record) again(record, options.now(), draft, quiet);
      }
    },

    age(record, now, draft) {
      if (record.judgeAt !== undefined && record.judgeAt <= now) again(record, now, draft);
    },

    keyFacts,

    dropWitness(record, id, draft) {
      dropWitness(record, id, { put: (left) => put(draft, record, left), drop: () => drop(draft, record) });
    },
  };
}

/** Whether this look is the first to say that the consumer is in trouble. */
function begins(before: ConsumerRecord | undefined, { pending, impairment }: ConsumerRecord): boolean {
  if (before?.impairment) return false;
  if (impairment) return before === undefined;
  return pending !== undefined && pending.seen === 1 && pending.reason !== 'none' && pending.reason !== 'gone';
}
