import { beforeEach, describe, expect, it } from 'vitest';
import type { KeyFacts, Observation, SourceRecord } from '../../src/core/model.ts';
import { createLedger } from '../../src/engine/apply.ts';
import { SERVICES } from '../../src/providers/index.ts';
import { type Change, type Store, StoreError } from '../../src/store/store.ts';
import { failed, look, lost, MINUTE, OK, POLICY, RESOURCE, SOURCE, T0 } from '../core/support/looks.ts';

/** What was reported as a bug. */
const errors: unknown[] = [];
beforeEach(() => {
  errors.length = 0;
});

describe('the sources of a snapshot', () => {
  it('stand in one order, whichever ended its sweep first', async () => {
    const ledger = createLedger({
      policy: POLICY,
      serviceOf: () => undefined,
      configured: () => true,
      watched: () => true,
      now: () => 0,
      wanted: () => undefined,
      onEvents: () => undefined,
      onStore: () => undefined,
      onError: (error: unknown) => void errors.push(error),
    });
    const common = { provider: 'aws', failures: {}, transitions: {} } as const;
    const ended: SourceRecord[] = [
      { ...common, target: 'video', location: 'eu-west-1', service: 'secrets-manager' },
      { ...common, target: 'video', location: 'eu-west-1', service: 'kms' },
      { ...common, target: 'audio', location: 'us-east-1', service: 'kms' },
    ];
    for (const source of ended) await ledger.source(source);
    expect(ledger.snapshot.sources).toEqual(ended.toReversed());
  });
});

describe('everything judged again', () => {
  it('follows another policy without a look, in slices, and writes nothing that stays as it was', async () => {
    const secrets = SERVICES.find(({ name }) => name === 'secrets-manager')!;
    const common = {
      serviceOf: () => secrets,
      configured: () => true,
      watched: () => true,
      now: () => T0,
      wanted: () => undefined,
      onStore: () => undefined,
      onError: (error: unknown) => void errors.push(error),
    };
    const first = createLedger({ ...common, policy: POLICY, onEvents: () => undefined });
    const names = Array.from({ length: 2_500 }, (_, at) => `${RESOURCE}-${at}`);
    const batch = names.map((resource) => {
      const { facts, ...rest } = look(T0, OK, { resource, name: resource, state: 'NeverFilled' });
      return { observation: { ...rest, resource, facts: facts! } };
    });
    await first.observe(batch, secrets);
    expect(first.snapshot.keys[0]?.findings).toMatchObject([{ id: 'secrets-manager.never-filled' }]);

    const closed: string[] = [];
    const rules = { ...POLICY.rules, 'secrets-manager.never-filled': 'off' } as const;
    const onEvents = (events: readonly { type: string }[]) => void closed.push(...events.map(({ type }) => type));
    const next = createLedger({ ...common, policy: { ...POLICY, rules }, onEvents });
    await next.load(await first.handOver());
    await next.judgeAll(new AbortController().signal);
    expect(next.snapshot.keys.every(({ findings }) => findings.length === 0)).toBe(true);
    expect(closed).toEqual(names.map(() => 'finding_closed'));
    await next.judgeAll(new AbortController().signal);
    expect(closed).toHaveLength(names.length);
  });
});

describe('an object that is listed but gone', () => {
  const secrets = SERVICES.find(({ name }) => name === 'secrets-manager')!;
  const gone = (at: number) => ({ observation: failed(at, { status: 'inaccessible', reason: 'not_found' }) });

  function ledgerAt(clock: { now: number }) {
    const types: string[] = [];
    const ledger = createLedger({
      policy: POLICY,
      serviceOf: () => secrets,
      configured: () => true,
      watched: () => true,
      now: () => clock.now,
      wanted: () => undefined,
      onEvents: (events) => void types.push(...events.map(({ type }) => type)),
      onStore: () => undefined,
      onError: (error: unknown) => void errors.push(error),
    });
    const observe = async (at: number, ...batch: Parameters<typeof ledger.observe>[0]) => {
      clock.now = at;
      return ledger.observe(batch, secrets);
    };
    return { ledger, types, observe };
  }

  it('leaves no record if it was gone before it was ever seen', async () => {
    const { ledger, types, observe } = ledgerAt({ now: T0 });
    await observe(T0, gone(T0));
    expect(ledger.snapshot.keys).toEqual([]);
    expect(types).toEqual([]);
  });

  it('does not come back after its announced deletion was completed and told', async () => {
    const { ledger, types, observe } = ledgerAt({ now: T0 });
    await observe(T0, { observation: look(T0, lost('pending_deletion')) });
    await observe(T0 + 1, gone(T0 + 1));
    await observe(T0 + 2, gone(T0 + 2));
    expect(types).toEqual(['first_seen', 'removed']);
    await observe(T0 + MINUTE, gone(T0 + MINUTE));
    expect(types).toEqual(['first_seen', 'removed']);
    expect(ledger.snapshot.keys).toEqual([]);
  });

  it('is lost all the same if something depends on it', async () => {
    const { ledger, observe } = ledgerAt({ now: T0 });
    const user = look(T0, OK, { resource: `${RESOURCE}-user`, dependsOn: [{ anyOf: [RESOURCE], role: 'decrypts' }] });
    await observe(T0, { observation: { ...user, resource: `${RESOURCE}-user`, source: SOURCE } });
    await observe(T0 + 1, gone(T0 + 1));
    await observe(T0 + 2, gone(T0 + 2));
    expect(ledger.snapshot.byResource.get(`${RESOURCE}-user`)).toMatchObject({
      health: 'inaccessible',
      rootCauses: [RESOURCE],
    });
  });
});

describe('what the ledger writes', () => {
  const secrets = SERVICES.find(({ name }) => name === 'secrets-manager')!;

  function written() {
    const tries: Array<Change & { refused?: boolean }> = [];
    const disk = { full: false, refuses: '' };
    const store: Store = {
      load: async () => ({ records: [], consumers: [], notifications: [], sources: [] }),
      async commit(change) {
        const refused = change.upserts.some(({ stub }) => stub.name === disk.refuses);
        tries.push({ ...change, events: [...change.events], refused });
        if (refused) throw new StoreError('rejected', 'this value cannot be stored');
        if (disk.full) throw new StoreError('full', 'the disk is full');
      },
      events: async () => [],
      versions: async () => [],
      prune: async () => 0,
      [Symbol.asyncDispose]: async () => undefined,
    };
    const ledger = createLedger({
      policy: POLICY,
      store,
      serviceOf: () => secrets,
      configured: () => true,
      watched: () => true,
      now: () => T0,
      wanted: () => undefined,
      onEvents: () => undefined,
      onStore: () => undefined,
      onError: (error: unknown) => void errors.push(error),
    });
    return { ledger, tries, disk };
  }
  const named = (name: string): { readonly observation: Observation } => {
    const resource = `${RESOURCE}-${name}`;
    return { observation: { ...look(T0, OK, { resource, name }), resource } };
  };

  it('is all that it did, also if a rule throws on the way', async () => {
    const { ledger, tries } = written();
    const strange = {
      ...secrets,
      keys: {
        ...secrets.keys!,
        judge(facts: KeyFacts) {
          if (facts.name === 'strange') throw new TypeError('a bug');
          return { findings: [] };
        },
      },
    };
    await ledger.observe([named('fine'), named('strange'), named('next')], strange);
    expect(errors.map(String)).toEqual(['TypeError: a bug']);
    expect(ledger.snapshot.keys.map(({ name }) => name)).toEqual(['fine', 'next']);
    expect(tries).toHaveLength(1);
    expect(tries[0]?.upserts.map(({ stub }) => stub.name)).toEqual(['fine', 'next']);
    expect(tries[0]?.events).toHaveLength(2);
  });

  it('leaves out one record that the store refuses, and says so', async () => {
    const { ledger, tries, disk } = written();
    disk.refuses = 'poison';
    await ledger.observe([named('fine'), named('poison'), named('next')], secrets);
    const stored = tries
      .filter(({ refused }) => !refused)
      .flatMap(({ upserts }) => upserts.map(({ stub }) => stub.name));
    expect(stored).toEqual(['fine', 'next']);
    expect(tries.filter(({ refused }) => !refused).flatMap(({ events }) => events)).toHaveLength(3);
    expect(errors).toMatchObject([{ reason: 'rejected' }]);
    expect(ledger.snapshot.storeUp).toBe(true);
    const before = tries.length;
    await ledger.tick();
    expect(tries).toHaveLength(before);
  });

  it('goes over to the next ledger with everything that the store has not taken', async () => {
    const { ledger, disk } = written();
    disk.full = true;
    await ledger.observe([named('lost'), named('kept')], secrets);
    const held = await ledger.handOver();
    const next = written();
    next.disk.full = true;
    await next.ledger.load(held);
    expect(next.ledger.snapshot).toMatchObject({ storeUp: false, keys: [{ name: 'kept' }, { name: 'lost' }] });
    next.disk.full = false;
    await next.ledger.tick();
    expect(next.tries.at(-1)).toMatchObject({ upserts: [{}, {}], events: [{}, {}] });
    expect(next.ledger.snapshot.storeUp).toBe(true);
  });

  it('is not offered to a failing store at every change, but by every tick, whole', async () => {
    const { ledger, tries, disk } = written();
    disk.full = true;
    for (let at = 0; at < 50; at += 1) await ledger.observe([named(String(at))], secrets);
    expect(tries).toHaveLength(1);
    await ledger.tick();
    expect(tries).toHaveLength(2);
    expect(ledger.snapshot.storeUp).toBe(false);
    disk.full = false;
    await ledger.tick();
    expect(ledger.snapshot.storeUp).toBe(true);
    expect(tries.at(-1)?.upserts).toHaveLength(50);
    expect(tries.at(-1)?.events).toHaveLength(50);
  });
});
