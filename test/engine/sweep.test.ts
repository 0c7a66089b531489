import { describe, expect, it } from 'vitest';
import type { KeyEvent, SourceRecord } from '../../src/core/model.ts';
import { createLedger, type Ledger } from '../../src/engine/apply.ts';
import { createBudget, createGate } from '../../src/engine/budget.ts';
import { createSource, type Source } from '../../src/engine/source.ts';
import { PROVIDERS, SERVICES } from '../../src/providers/index.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { type Change, type Store, StoreError } from '../../src/store/store.ts';
import { POLICY } from '../core/support/looks.ts';

const ACCOUNT = '111122223333';
const REGION = 'eu-west-1';
const signal = new AbortController().signal;

interface Bench extends AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly kms: ReturnType<ReturnType<Sandbox['aws']['account']>['region']>['kms'];
  readonly source: Source;
  readonly ledger: Ledger;
  readonly events: KeyEvent[];
  readonly named: string[];
  /** Details that could not be had, as `resource reason`. */
  readonly detailsFailed: string[];
  readonly changes: Array<readonly [boolean | undefined, SourceRecord['reason']]>;
}

async function bench(keys: number, store?: Store): Promise<Bench> {
  const stack = new AsyncDisposableStack();
  const sandbox = stack.use(await startSandbox({ seed: 11 }));
  const account = sandbox.aws.account(ACCOUNT);
  const { kms } = account.region(REGION);
  for (let at = 0; at < keys; at += 1) kms.createKey();
  const { accessKeyId, secretAccessKey } = account.credentials;
  const target = { regions: [REGION], endpoint: sandbox.url, services: { kms: { discover: 'all' } } };
  const env = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
  const connection = stack.use(await PROVIDERS[0]!.connect(target, { callTimeoutMs: 5_000, env }));
  const service = SERVICES.find(({ name }) => name === 'kms')!;
  const events: KeyEvent[] = [];
  const named: string[] = [];
  const detailsFailed: string[] = [];
  const changes: Bench['changes'] = [];
  const ledger = createLedger({
    policy: POLICY,
    ...(store ? { store } : {}),
    serviceOf: () => service,
    configured: () => true,
    watched: () => true,
    now: () => Date.now(),
    wanted: () => undefined,
    onEvents: (some) => void events.push(...some),
    onStore: () => undefined,
    onError: (error) => {
      throw error;
    },
  });
  const source = createSource({
    id: { target: 'prod', location: REGION, service: 'kms' },
    provider: 'aws',
    service,
    connection: { get: async () => connection, current: connection, [Symbol.asyncDispose]: async () => undefined },
    ledger,
    caller: {
      budget: createBudget(1, () => performance.now()),
      gate: createGate(4),
      timeoutMs: 5_000,
      monotonic: () => performance.now(),
      observe: () => undefined,
    },
    budgetShare: 1,
    intervalMs: 60_000,
    pauseMs: 60_000,
    describeEveryMs: 900_000,
    critical: () => false,
    now: () => Date.now(),
    named: (resources) => void named.push(...resources),
    onDetailsFailed: (resource, { reason }) => void detailsFailed.push(`${resource} ${reason}`),
    onChange: ({ up, reason }) => void changes.push([up, reason]),
  });
  return {
    sandbox,
    kms,
    source,
    ledger,
    events,
    named,
    detailsFailed,
    changes,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

describe('a sweep in which looks fail on the way', () => {
  it('is a source that is down from half of the looks on, and no look at any key', async () => {
    await using at = await bench(10);
    await at.source.sweep(signal);
    const half = at.ledger.snapshot.keys.slice(0, 5).map((key) => key.resource.split('/')[1]);
    at.sandbox.faults.add(
      { kind: 'throttle' },
      { operation: 'DescribeKey', when: ({ resource }) => half.includes(resource) },
    );
    const suspects = await at.source.sweep(signal);
    expect(at.changes.at(-1)).toEqual([false, 'throttled']);
    expect(suspects).toEqual([]);
    expect(at.ledger.snapshot.keys.every((key) => at.ledger.record(key.resource)?.inconclusive === 0)).toBe(true);
  });

  it('stays up below that, and those few keys are suspects', async () => {
    await using at = await bench(10);
    await at.source.sweep(signal);
    const [first, second] = at.ledger.snapshot.keys;
    for (const key of [first!, second!]) {
      at.sandbox.faults.add({ kind: 'throttle' }, { operation: 'DescribeKey', resource: key.resource.split('/')[1]! });
    }
    const suspects = await at.source.sweep(signal);
    expect(at.changes.at(-1)).toEqual([true, undefined]);
    expect(suspects.map(({ resource, why }) => [resource, why]).sort()).toEqual([
      [first!.resource, 'inconclusive'],
      [second!.resource, 'inconclusive'],
    ]);
  });

  it('stops asking when the first ten looks all fail', async () => {
    await using at = await bench(200);
    at.sandbox.faults.add({ kind: 'server-error' }, { operation: 'DescribeKey' });
    await at.source.sweep(signal);
    expect(at.changes.at(-1)).toEqual([false, 'provider_error']);
    // Each look is asked twice (the SDK's one retry); sixteen are under way when the tenth fails.
    expect(at.sandbox.requests.count('kms:DescribeKey')).toBeLessThanOrEqual(2 * 30);
  });

  it('neither ends nor fails over keys that failed before: they turn blind, and the others are looked at', async () => {
    await using at = await bench(60);
    await at.source.sweep(signal);
    const resources = at.ledger.snapshot.keys.map((key) => key.resource);
    const strange = new Set(resources.slice(0, 28));
    at.sandbox.faults.add(
      { kind: 'body', body: 'truncated' },
      { operation: 'DescribeKey', when: ({ resource }) => [...strange].some((one) => one.endsWith(`/${resource}`)) },
    );
    const dead = resources[40]!;
    for (const round of [1, 2, 3]) {
      await at.source.sweep(signal);
      expect(at.changes.at(-1)).toEqual([true, undefined]);
      if (round === 1) at.kms.disable(dead);
    }
    expect(at.ledger.snapshot.byResource.get(dead)?.health).toBe('inaccessible');
    const blind = at.ledger.snapshot.keys.filter((key) => key.blindReason === 'bad_response');
    expect(new Set(blind.map((key) => key.resource))).toEqual(strange);
  });

  it('still counts a loss that it saw', async () => {
    await using at = await bench(8);
    await at.source.sweep(signal);
    const dead = at.ledger.snapshot.keys[0]!.resource;
    at.kms.disable(dead);
    at.sandbox.faults.add(
      { kind: 'throttle' },
      { operation: 'DescribeKey', when: ({ resource }) => !dead.endsWith(resource ?? '?') },
    );
    const suspects = await at.source.sweep(signal);
    expect(at.changes.at(-1)).toEqual([false, 'throttled']);
    expect(suspects).toEqual([{ resource: dead, why: 'pending' }]);
    await at.source.lookAt([dead], signal);
    expect(at.ledger.snapshot.byResource.get(dead)?.health).toBe('inaccessible');
  });
});

describe('details that cannot be had', () => {
  it('are told with their reason, are not asked for again at once, and change nothing of the key', async () => {
    await using at = await bench(2);
    await at.source.sweep(signal);
    at.sandbox.faults.add({ kind: 'server-error' }, { operation: 'ListKeyRotations' });
    await at.source.details(signal);
    const keys = at.ledger.snapshot.keys.map(({ resource }) => resource);
    expect(at.detailsFailed.sort()).toEqual(keys.map((resource) => `${resource} provider_error`));
    expect(at.ledger.snapshot.keys.every(({ health }) => health === 'accessible')).toBe(true);
    await at.source.details(signal);
    expect(at.detailsFailed).toHaveLength(2);
  });
});

describe('a second look at suspects', () => {
  it('says nothing of a key when it fails on the way: whether the source is down only a sweep can tell', async () => {
    await using at = await bench(5);
    await at.source.sweep(signal);
    const { resource } = at.ledger.snapshot.keys[0]!;
    at.kms.disable(resource);
    expect(await at.source.sweep(signal)).toEqual([{ resource, why: 'pending' }]);
    const fault = at.sandbox.faults.add({ kind: 'throttle' });
    expect(await at.source.lookAt([resource], signal)).toEqual([]);
    expect(at.ledger.record(resource)).toMatchObject({ inconclusive: 0, pending: { seen: 1 } });
    fault.remove();
    await at.source.sweep(signal);
    expect(at.ledger.snapshot.byResource.get(resource)?.health).toBe('inaccessible');
  });
});

describe('the ledger over a store that fails', () => {
  function failingStore() {
    const committed: Change[] = [];
    let broken = false;
    const store: Store = {
      load: async () => ({ records: [], consumers: [], notifications: [], sources: [] }),
      async commit(change) {
        if (broken) throw new StoreError('full', 'the disk is full');
        committed.push(change);
      },
      events: async () => [],
      versions: async () => [],
      prune: async () => 0,
      [Symbol.asyncDispose]: async () => undefined,
    };
    const setBroken = (now: boolean) => {
      broken = now;
    };
    return { store, committed, setBroken };
  }

  it('goes on from memory, says so, and loses no event when it works again', async () => {
    const { store, committed, setBroken } = failingStore();
    await using at = await bench(3, store);
    await at.source.sweep(signal);
    const { resource } = at.ledger.snapshot.keys[0]!;
    setBroken(true);
    at.kms.disable(resource);
    await at.source.sweep(signal);
    await at.source.lookAt([resource], signal);
    expect(at.ledger.snapshot).toMatchObject({ storeUp: false });
    expect(at.ledger.snapshot.byResource.get(resource)?.health).toBe('inaccessible');
    expect(committed.flatMap(({ events }) => events).map(({ type }) => type)).not.toContain('transition');

    setBroken(false);
    await at.ledger.tick();
    expect(at.ledger.snapshot.storeUp).toBe(true);
    const last = committed.at(-1)!;
    expect(last.events).toMatchObject([{ type: 'transition', resource, to: 'inaccessible' }]);
    expect(last.upserts.map((record) => record.resource)).toContain(resource);
  });

  it('writes nothing for looks that changed nothing, until it is flushed', async () => {
    const { store, committed } = failingStore();
    await using at = await bench(5, store);
    await at.source.sweep(signal);
    await at.source.sweep(signal);
    const before = committed.flatMap(({ upserts }) => upserts).length;
    await at.source.sweep(signal);
    expect(committed.flatMap(({ upserts }) => upserts)).toHaveLength(before);
    await at.ledger.flush();
    expect(committed.at(-1)!.upserts).toHaveLength(5);
  });
});
