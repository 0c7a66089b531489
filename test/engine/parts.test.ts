/** What a source of several parts, of consumers, or of a retired service makes of a sweep; its provider is the test's own. */
import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { ConsumerFacts, Failure, KeyEvent, KeyFacts, SourceRecord, Stub } from '../../src/core/model.ts';
import type { UnknownReason } from '../../src/core/reasons.ts';
import { createLedger } from '../../src/engine/apply.ts';
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
import { DAY, HOUR, MINUTE, POLICY, T0 } from '../core/support/looks.ts';

const signal = new AbortController().signal;

/** What the imagined cloud holds, and what the imagined service says of it. */
const cloud = {
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

beforeEach(() => {
  cloud.keys.clear();
  cloud.consumers.clear();
  cloud.unreadable.clear();
  cloud.failed = undefined;
  cloud.listingFails = undefined;
  cloud.judge = () => ({ findings: [] });
  for (const list of [cloud.described, cloud.wanted, cloud.events]) list.length = 0;
  cloud.now = T0;
});

const PLACE = { provider: 'azure', account: 's', location: 'westeurope' } as const;

function key(resource: string, more: Partial<KeyFacts> = {}): void {
  const facts = { resource, kind: 'azure-key', name: resource, ...PLACE, state: 'Enabled' } as const;
  cloud.keys.set(resource, { ...facts, tags: {}, dependsOn: [], attributes: {}, ...more });
}

function account(resource: string, uses: readonly string[], more: Partial<ConsumerFacts> = {}): void {
  const facts = { resource, kind: 'media-services-account', name: resource, ...PLACE } as const;
  const named = uses.map((use) => ({ resource: use, role: 'encrypts' }));
  cloud.consumers.set(resource, { ...facts, tags: {}, uses: named, attributes: {}, ...more });
}

function failsWith(reason: Failure['reason']): Failure {
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

function start() {
  let monotonic = 0;
  const records: SourceRecord[] = [];
  const ledger = createLedger({
    policy: POLICY,
    serviceOf: () => service,
    configured: () => true,
    watched: () => true,
    now: () => cloud.now,
    wanted: (resources) => void cloud.wanted.push(...resources),
    onEvents: (events) => void cloud.events.push(...events),
    onStore: () => undefined,
    onError: (error) => {
      throw error;
    },
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

describe('a listing of states', () => {
  it('counts as a look at everything that it shows unchanged', async () => {
    const at = start();
    key('a/1');
    account('acc', ['a/1']);
    expect(await at.sweep()).toEqual(['a/1', 'acc']);
    expect(await at.sweep()).toEqual([]);
    for (const view of [at.key('a/1'), at.consumer('acc')]) {
      expect(view).toMatchObject({ checkedAt: cloud.now, conclusiveAt: cloud.now });
    }
    key('a/1', { state: 'Disabled' });
    expect(await at.sweep()).toEqual(['a/1']);
  });

  it('does not count as a look at what it cannot settle', async () => {
    const at = start();
    key('a/1');
    await at.sweep();
    const seen = at.key('a/1')?.checkedAt;
    cloud.unreadable.add('a');
    await at.sweep();
    expect(at.key('a/1')).toMatchObject({ checkedAt: seen, health: 'accessible' });
  });
});

describe('a part that cannot be read', () => {
  it('proves nothing missing, while the others go on', async () => {
    const at = start();
    for (const name of ['a/1', 'a/2', 'b/1']) key(name);
    await at.sweep();
    cloud.unreadable.add('a');
    cloud.keys.delete('a/1');
    cloud.keys.delete('b/1');
    expect(await at.sweep()).toEqual(['b/1']);
    expect(at.records.at(-1)?.up).toBe(true);
    expect(at.key('a/1')?.health).toBe('accessible');
  });

  it('does not end the source, however many looks at it fail on the way', async () => {
    const at = start();
    for (const name of ['a/1', 'a/2', 'a/3', 'a/4', 'b/1']) key(name);
    await at.sweep();
    for (const name of ['a/1', 'a/2', 'a/3', 'a/4']) cloud.keys.set(name, failsWith('dns'));
    await at.sweep();
    await at.sweep();
    await at.sweep();
    expect(at.records.at(-1)?.up).toBe(true);
    expect(at.key('a/1')).toMatchObject({ health: 'accessible', blindReason: 'dns' });
    expect(at.key('b/1')?.blindSince).toBeUndefined();
  });

  it('that is the whole source makes it down, and what else was listed is looked at all the same', async () => {
    const at = start();
    key('a/1');
    await at.sweep();
    key('a/1', { state: 'Disabled' });
    cloud.failed = 'denied';
    expect(await at.sweep()).toEqual(['a/1']);
    expect(at.records.at(-1)).toMatchObject({ up: false, reason: 'denied' });
    await at.sweep();
    expect(at.key('a/1')?.health).toBe('inaccessible');
  });
});

describe('a source that fails and works again', () => {
  it('says since when it works', async () => {
    const at = start();
    await at.sweep();
    expect(at.records.at(-1)).not.toHaveProperty('upSince');
    cloud.listingFails = 'timeout';
    await at.sweep();
    cloud.listingFails = undefined;
    await at.sweep();
    const since = cloud.now;
    await at.sweep();
    expect(at.records.at(-1)).toMatchObject({ up: true, upSince: since });
  });
});

describe('a service that the cloud has retired', () => {
  it('is no trouble: the source is up, with nothing in it, and asks once a day', async () => {
    const at = start();
    cloud.listingFails = 'provider_retired';
    await at.sweep();
    const said = { up: true, reason: 'provider_retired', objects: 0, detectionBoundMs: DAY };
    expect(at.records).toMatchObject([said]);
    await at.sweep();
    expect(at.records).toMatchObject([said, said]);
    for (let hour = 1; hour < 24; hour += 1) await at.sweep(HOUR);
    expect(at.records).toHaveLength(2);
    await at.sweep(HOUR);
    expect(at.records).toHaveLength(3);
    cloud.listingFails = undefined;
    key('a/1');
    await at.sweep(DAY);
    expect(at.records.at(-1)).toMatchObject({ up: true, objects: 1 });
    expect(at.records.at(-1)).not.toHaveProperty('reason');
  });

  it('is believed only where nothing was listed: what is there is not retired', async () => {
    const at = start();
    key('a/1');
    await at.sweep();
    cloud.failed = 'provider_retired';
    for (let times = 0; times < 3; times++) await at.sweep();
    expect(at.records.at(-1)).toMatchObject({ up: false, reason: 'provider_retired' });
    expect(at.key('a/1')).toMatchObject({ health: 'accessible', checkedAt: cloud.now });
  });

  it('takes its records along only when it says so twice', async () => {
    const at = start();
    account('acc', []);
    await at.sweep();
    cloud.listingFails = 'provider_retired';
    await at.sweep();
    expect(at.consumer('acc')).toBeDefined();
    await at.sweep();
    expect(at.consumer('acc')).toBeUndefined();
    expect(cloud.events).toEqual([]);
  });
});

describe('what holds keys, and is gone for good', () => {
  const held = { dependsOn: [{ anyOf: ['vaults/v'], role: 'holds' }] };

  it('ends with all that it held: nobody can look at that any more', async () => {
    const at = start();
    key('vaults/v');
    for (const name of ['v/1', 'v/2']) key(name, held);
    await at.sweep();
    cloud.keys.delete('vaults/v');
    cloud.unreadable.add('v');
    await at.sweep();
    await at.sweep();
    expect(at.key('v/1')).toMatchObject({ health: 'inaccessible', rootCauses: ['vaults/v'] });
    await at.sweep(POLICY.forgetAfterMs);
    expect(at.ledger.snapshot.keys).toEqual([]);
    const removed = cloud.events.map(({ type, resource }) => [type, resource]).sort();
    expect(removed).toEqual(['v/1', 'v/2', 'vaults/v'].map((resource) => ['removed', resource]));
  });

  it('stays as long as somebody needs one of its keys', async () => {
    const at = start();
    key('vaults/v');
    key('v/1', held);
    account('acc', ['v/1']);
    await at.sweep();
    cloud.keys.delete('vaults/v');
    cloud.unreadable.add('v');
    for (let day = 0; day < 10; day++) await at.sweep(DAY);
    expect(at.key('vaults/v')?.health).toBe('inaccessible');
    expect(at.consumer('acc')).toMatchObject({ health: 'impaired', rootCauses: ['vaults/v'] });
  });
});

describe('a consumer', () => {
  const wrongType = { id: 'media-services.key-type', severity: 'critical', summary: 'An EC key.' } as const;

  it('is judged again when a key that it uses changes, and when a date passes', async () => {
    cloud.judge = (_facts, lookup, now) => {
      if (lookup('a/1')?.spec === 'EC') return { findings: [wrongType] };
      return now < T0 + HOUR
        ? { findings: [], until: T0 + HOUR }
        : { findings: [{ ...wrongType, id: 'media-services.late' }] };
    };
    const at = start();
    account('acc', ['a/1']);
    key('a/1', { spec: 'EC' });
    await at.sweep();
    expect(at.consumer('acc')).toMatchObject({ health: 'at_risk', findings: [{ id: wrongType.id }] });
    expect(cloud.events.map(({ type }) => type)).toEqual(['first_seen', 'first_seen']);

    key('a/1', { spec: 'RSA' });
    await at.sweep();
    expect(cloud.events).toMatchObject([{ type: 'finding_closed', resource: 'acc', to: wrongType.id }]);
    expect(cloud.described).toEqual(['a/1']);

    cloud.now = T0 + HOUR;
    await at.ledger.tick();
    expect(at.consumer('acc')?.findings).toMatchObject([{ id: 'media-services.late', since: T0 + HOUR }]);
  });

  it('is looked at when its rules begin to suspect it, and believed impaired when looks confirm it', async () => {
    cloud.judge = (_facts, lookup) => {
      const state = lookup('a/1')?.attributes.grant;
      return { findings: [], ...(state === false && { impairment: 'access_revoked' as const }) };
    };
    const at = start();
    key('a/1');
    account('acc', ['a/1']);
    await at.sweep();
    key('a/1', { attributes: { grant: false } });
    await at.sweep();
    expect(cloud.wanted).toEqual(['acc']);
    expect(at.consumer('acc')?.health).toBe('ok');
    cloud.now += 1_000;
    await at.source.lookAt(['acc'], signal);
    // What its keys told is looked at again too, before it is believed.
    expect(cloud.wanted).toEqual(['acc', 'a/1']);
    cloud.now += 1_000;
    await at.source.lookAt(['acc'], signal);
    expect(at.consumer('acc')).toMatchObject({ health: 'impaired', reason: 'access_revoked', since: T0 + 2 * MINUTE });
  });

  it('is asked for as soon as its key seems lost, so that its own end comes before that loss', async () => {
    const at = start();
    key('a/1');
    account('acc', ['a/1']);
    await at.sweep();
    key('a/1', { state: 'Disabled' });
    await at.sweep();
    expect(cloud.wanted).toEqual(['acc']);
    cloud.consumers.set('acc', failsWith('not_found'));
    cloud.now += 1_000;
    await at.source.lookAt(['acc'], signal);
    expect(at.key('a/1')?.consumers).toBe(0);
    expect(await at.sweep(5_000)).toEqual(['a/1', 'acc']);
    expect(at.consumer('acc')).toBeUndefined();
    expect(at.ledger.snapshot.incidents).toMatchObject([{ root: 'a/1', consumers: [] }]);
  });

  it('tells the listing which versions are in use', async () => {
    const at = start();
    key('a/1');
    account('acc', [], { uses: [{ resource: 'a/1', role: 'encrypts', versionInUse: 'v1' }] });
    await at.sweep();
    expect(at.ledger.versionsInUse('a/1')).toEqual(['v1']);
    expect(at.ledger.versionsInUse('elsewhere')).toEqual([]);
  });
});
