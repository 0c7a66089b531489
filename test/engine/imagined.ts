/** A cloud of the tests' own, to say anything that a provider could, and the real source and ledger that watch it. */
import { z } from 'zod';
import type { ConsumerFacts, Failure, KeyEvent, KeyFacts, SourceRecord, Stub } from '../../src/core/model.ts';
import type { UnknownReason } from '../../src/core/reasons.ts';
import { createBudget, createGate } from '../../src/engine/budget.ts';
import { createSource } from '../../src/engine/source.ts';
import {
  CallFailed,
  type Connection,
  type ConsumerJudgement,
  type KeyLookup,
  type Listed,
  type ListOutcome,
  type Service,
  type ServiceSession,
} from '../../src/providers/provider.ts';
import { MINUTE, POLICY, T0 } from '../core/support/looks.ts';
import { plainLedger } from '../fixtures/ledger.ts';

export const signal = new AbortController().signal;

/** What the imagined cloud holds, and what the imagined service says of it. */
export const cloud = {
  keys: new Map<string, KeyFacts | Failure>(),
  consumers: new Map<string, ConsumerFacts | Failure>(),
  /** Parts (the first segment of a name) that cannot be read. */
  unreadable: new Set<string>(),
  failed: undefined as UnknownReason | undefined,
  listingFails: undefined as UnknownReason | undefined,
  judge: ((_facts, _key, _now) => ({ findings: [] })) as (
    facts: ConsumerFacts,
    key: KeyLookup,
    now: number,
  ) => ConsumerJudgement,
  described: [] as string[],
  wanted: [] as string[],
  events: [] as KeyEvent[],
  now: T0,
};

/** Empties it; before each test. */
export function clearCloud(): void {
  cloud.keys.clear();
  cloud.consumers.clear();
  cloud.unreadable.clear();
  cloud.failed = undefined;
  cloud.listingFails = undefined;
  cloud.judge = () => ({ findings: [] });
  for (const list of [cloud.described, cloud.wanted, cloud.events]) list.length = 0;
  cloud.now = T0;
}

const PLACE = { provider: 'azure', account: 's', location: 'westeurope' } as const;

export function key(resource: string, more: Partial<KeyFacts> = {}): void {
  const facts = { resource, kind: 'azure-key', name: resource, ...PLACE, state: 'Enabled' } as const;
  cloud.keys.set(resource, { ...facts, tags: {}, dependsOn: [], attributes: {}, ...more });
}

export function account(resource: string, uses: readonly string[], more: Partial<ConsumerFacts> = {}): void {
  const facts = { resource, kind: 'media-services-account', name: resource, ...PLACE } as const;
  const named = uses.map((use) => ({ resource: use, role: 'encrypts' }));
  cloud.consumers.set(resource, { ...facts, tags: {}, uses: named, attributes: {}, ...more });
}

export function failsWith(reason: Failure['reason']): Failure {
  return { reason, evidence: { operation: 'Get' } };
}

const partOf = (resource: string) => resource.split('/')[0] ?? '';

const session: ServiceSession = {
  async *list(): AsyncGenerator<readonly Listed[], ListOutcome> {
    if (cloud.listingFails) throw new CallFailed('List', cloud.listingFails);
    for (const [resource, facts] of [...cloud.keys, ...cloud.consumers]) {
      if ('reason' in facts || cloud.unreadable.has(partOf(resource))) continue;
      yield [{ stub: facts, digest: JSON.stringify(facts) }];
    }
    return {
      complete: true,
      exclusive: false,
      covers: ({ resource }: Stub) => !cloud.unreadable.has(partOf(resource)),
      ...(cloud.failed && { failed: new CallFailed('List', cloud.failed) }),
    };
  },
  async describe(stub) {
    cloud.described.push(stub.resource);
    const evidence = { operation: 'Get', status: 200 };
    const consumer = cloud.consumers.get(stub.resource);
    if (consumer) return 'reason' in consumer ? { failure: consumer } : { consumer, evidence };
    const facts = cloud.keys.get(stub.resource) ?? failsWith('not_found');
    return 'reason' in facts ? { failure: facts } : { facts, evidence };
  },
  watches: () => true,
};

const connection: Connection = {
  identify: async () => ({ account: 's', partition: 'public' }),
  open: () => session,
  classify: (error, operation) => ({ reason: error as UnknownReason, evidence: { operation } }),
  [Symbol.asyncDispose]: async () => undefined,
};

const service: Service = {
  name: 'key-vault',
  provider: 'azure',
  title: 'imagined',
  kinds: ['azure-key', 'media-services-account'],
  listing: 'state',
  config: z.object({}),
  permissions: [],
  apis: { List: { quotaPerSecond: 1000, usdPer10k: 0 }, Get: { quotaPerSecond: 1000, usdPer10k: 0 } },
  describeOperation: 'Get',
  calls: { steady: () => ({}), assumes: [] },
  keys: {
    uniqueNames: false,
    versionsCanReturn: true,
    verdict(look) {
      if ('failure' in look) {
        const { reason } = look.failure;
        return reason === 'not_found' ? { status: 'inaccessible', reason } : { status: 'unknown', reason: 'dns' };
      }
      return look.facts.state === 'Enabled' ? { status: 'accessible' } : { status: 'inaccessible', reason: 'disabled' };
    },
    judge: () => ({ findings: [] }),
    remedy: () => undefined,
  },
  consumers: { judge: (facts, lookup, now) => cloud.judge(facts, lookup, now) },
};

export function start() {
  let monotonic = 0;
  const records: SourceRecord[] = [];
  const ledger = plainLedger({
    serviceOf: () => service,
    now: () => cloud.now,
    wanted: (resources) => void cloud.wanted.push(...resources),
    onEvents: (events) => void cloud.events.push(...events),
  });
  const source = createSource({
    id: { target: 'prod', location: 'global', service: 'key-vault' },
    provider: 'azure',
    service,
    connection: { get: async () => connection, current: connection, [Symbol.asyncDispose]: async () => undefined },
    ledger,
    caller: {
      budget: createBudget(1, () => monotonic),
      gate: createGate(4),
      timeoutMs: 5_000,
      monotonic: () => monotonic,
      observe: () => undefined,
    },
    budgetShare: 1,
    intervalMs: MINUTE,
    pauseMs: MINUTE,
    describeEveryMs: POLICY.describeEveryMs,
    critical: () => false,
    now: () => cloud.now,
    named: () => undefined,
    onDetailsFailed: () => undefined,
    onChange: (record) => void records.push(record),
  });
  return {
    ledger,
    records,
    source,
    async sweep(afterMs = MINUTE) {
      cloud.now += afterMs;
      monotonic += afterMs;
      cloud.described.length = 0;
      cloud.events.length = 0;
      cloud.wanted.length = 0;
      await source.sweep(signal);
      return [...cloud.described].sort();
    },
    key: (resource: string) => ledger.snapshot.byResource.get(resource),
    consumer: (resource: string) => ledger.snapshot.consumers.find((one) => one.resource === resource),
  };
}
