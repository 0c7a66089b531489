import { describe, expect, it } from 'vitest';
import type { ConsumerRecord, KeyRecord } from '../../src/core/model.ts';
import { firing, lines, one, snapshotOf } from './support/alerts.ts';
import { change, consumer, consumerIn, graphOf, key, keyIn, lostSince, neverKnown, snap } from './support/graphs.ts';
import { MINUTE, T0 } from './support/looks.ts';

const SECRETS = Array.from({ length: 40 }, (_, at) => `secret-${String(at).padStart(2, '0')}`);
const FLOWS = Array.from({ length: 12 }, (_, at) => `flow-${String(at).padStart(2, '0')}`);

/** 40 secrets under one KMS key, used by 12 flows: each flow needs a few of them, and all 40 are used. */
function channels(cmk: string): { readonly secrets: readonly KeyRecord[]; readonly flows: readonly ConsumerRecord[] } {
  const secrets = SECRETS.map((name) => key(name, { needs: [[cmk]] }));
  const flows = FLOWS.map((name, at) =>
    consumer(
      name,
      SECRETS.filter((_, index) => index % FLOWS.length === at),
    ),
  );
  return { secrets, flows };
}

describe('one KMS key disabled under 40 secrets used by 12 flows', () => {
  const { secrets, flows } = channels('cmk');
  const disabled = key('cmk', { ...lostSince(T0 + MINUTE), facts: { kind: 'aws-kms-key' } });

  it('is one incident with the key as its root and all 52 listed', () => {
    const { incidents } = snap(graphOf([...secrets, disabled], flows));
    expect(incidents).toMatchObject([
      { root: 'cmk', reason: 'disabled', since: T0 + MINUTE, keys: SECRETS, consumers: FLOWS },
    ]);
  });

  it('is one alert that names all 52, the flows first', () => {
    const alerts = firing({ keys: [...secrets, disabled], consumers: flows });
    expect(lines(alerts)).toEqual(['KeyInaccessible critical cmk']);
    const { affected, summary, description } = one(alerts, 'KeyvigilKeyInaccessible').annotations;
    expect(summary).toBe('KMS key cmk is unusable (disabled) and breaks 12 consumers and 40 keys.');
    expect(description).toContain('It is the root cause.');
    expect(affected).toMatch(/^MediaConnect flow flow-00, .*flow-11, secret secret-00, .* secret secret-39$/);
  });

  it('is known before: as many depend on the key while it works', () => {
    const { keys, incidents, byResource } = snap(graphOf([...secrets, key('cmk')], flows));
    expect(incidents).toEqual([]);
    expect(byResource.get('cmk')?.consumers).toBe(52);
    expect(keys.every(({ health }) => health === 'accessible')).toBe(true);
  });

  it('is the same in whatever order it becomes known, and is over when the key is back', () => {
    const graph = graphOf([], flows);
    graph.update(change({ upserts: [disabled] }));
    expect(snap(graph).incidents).toMatchObject([{ root: 'cmk', keys: [], consumers: [] }]);
    for (const secret of secrets.toReversed()) graph.update(change({ upserts: [secret] }));
    expect(snap(graph).incidents).toEqual(snap(graphOf([...secrets, disabled], flows)).incidents);
    graph.update(change({ upserts: [key('cmk')] }));
    expect(snap(graph).incidents).toEqual([]);
    expect(consumerIn(graph, 'flow-03')).toMatchObject({ health: 'ok', rootCauses: [] });
  });

  it('stays one while the reads of all secrets fail too, and flows report trouble themselves', () => {
    const failing = secrets.map((secret) => ({ ...secret, ...lostSince(T0 + 2 * MINUTE, 'decrypt_failed') }));
    const troubled = flows.map((flow) => ({
      ...flow,
      impairment: { reason: 'reported_by_service' as const, since: T0 + 3 * MINUTE },
    }));
    const world = { keys: [...failing, disabled], consumers: troubled };
    expect(lines(firing(world))).toEqual(['KeyInaccessible critical cmk']);
    expect(snapshotOf(world).incidents).toMatchObject([{ root: 'cmk', keys: SECRETS, consumers: FLOWS }]);
  });
});

describe('two causes at once', () => {
  const keys = [
    key('cmk-a', lostSince(T0)),
    key('cmk-b', lostSince(T0 + MINUTE, 'pending_deletion')),
    key('secret-a', { needs: [['cmk-a']] }),
    key('secret-b', { needs: [['cmk-b']] }),
    key('either', { needs: [['cmk-a', 'cmk-b']] }),
  ];
  const consumers = [
    consumer('flow-a', ['secret-a']),
    consumer('flow-b', ['secret-b']),
    consumer('flow-both', ['secret-a', 'secret-b']),
    consumer('flow-either', ['either']),
  ];

  it('stay two incidents, and a consumer that both hit names both and stands in both', () => {
    const graph = graphOf(keys, consumers);
    expect(snap(graph).incidents).toMatchObject([
      { root: 'cmk-a', keys: ['either', 'secret-a'], consumers: ['flow-a', 'flow-both', 'flow-either'] },
      { root: 'cmk-b', keys: ['either', 'secret-b'], consumers: ['flow-b', 'flow-both', 'flow-either'] },
    ]);
    expect(consumerIn(graph, 'flow-both')).toMatchObject({ since: T0, rootCauses: ['cmk-a', 'cmk-b'] });
    expect(consumerIn(graph, 'flow-either')).toMatchObject({ since: T0 + MINUTE, rootCauses: ['cmk-a', 'cmk-b'] });
  });

  it('are two alerts, each with what it breaks', () => {
    const alerts = firing({ keys, consumers });
    expect(lines(alerts)).toEqual(['KeyInaccessible critical cmk-a', 'KeyInaccessible critical cmk-b']);
    expect(alerts[0]?.annotations.affected).not.toContain('flow-b,');
    expect(alerts[1]?.annotations.affected).toContain('MediaConnect flow flow-b, MediaConnect flow flow-both');
  });

  it('end one by one: the consumer that both hit stays impaired by the other', () => {
    const graph = graphOf(keys, consumers);
    graph.update(change({ upserts: [key('cmk-a')] }));
    expect(snap(graph).incidents).toMatchObject([
      { root: 'cmk-b', keys: ['secret-b'], consumers: ['flow-b', 'flow-both'] },
    ]);
    expect(consumerIn(graph, 'flow-both')).toMatchObject({ since: T0 + MINUTE, rootCauses: ['cmk-b'] });
    expect(consumerIn(graph, 'flow-either').health).toBe('ok');
  });
});

describe('circles and names that lead nowhere', () => {
  it('cause nothing by themselves', () => {
    const graph = graphOf(
      [key('a', { needs: [['b']] }), key('b', { needs: [['a'], ['nowhere']] }), key('self', { needs: [['self']] })],
      [consumer('flow', ['a', 'nowhere', 'self'])],
    );
    expect(snap(graph).incidents).toEqual([]);
    expect(consumerIn(graph, 'flow')).toMatchObject({ health: 'ok', uses: [{ key: 'a' }, {}, { key: 'self' }] });
    expect(keyIn(graph, 'b').unwatched).toEqual(['nowhere']);
  });

  it('pass a cause on once, and let it go', () => {
    const circle = [key('a', { needs: [['b']] }), key('b', { needs: [['c'], ['root']] }), key('c', { needs: [['a']] })];
    const graph = graphOf([...circle, key('root', lostSince(T0))], [consumer('flow', ['c'])]);
    expect(snap(graph).incidents).toMatchObject([{ root: 'root', keys: ['a', 'b', 'c'], consumers: ['flow'] }]);
    graph.update(change({ upserts: [key('root')] }));
    expect(snap(graph).incidents).toEqual([]);
    expect(consumerIn(graph, 'flow').health).toBe('ok');
  });

  it('keep nothing lost that lost its root with the record', () => {
    const circle = [key('a', { needs: [['b'], ['root']] }), key('b', { needs: [['a']] })];
    const graph = graphOf([...circle, key('root', lostSince(T0))], [consumer('flow', ['b'])]);
    expect(snap(graph).incidents).toHaveLength(1);
    graph.update(change({ deletes: ['root'] }));
    expect(snap(graph).incidents).toEqual([]);
    expect(consumerIn(graph, 'flow').health).toBe('ok');
  });
});

describe('a flow in trouble under a secret whose KMS key nobody watches', () => {
  const flow = consumer('flow', ['secret'], { impairment: { reason: 'reported_by_service', since: T0 } });

  it('is in trouble of its own while nothing shows that the secret is lost', () => {
    const world = { keys: [key('secret', { needs: [['elsewhere']] })], consumers: [flow] };
    expect(snapshotOf(world).incidents).toEqual([]);
    const alerts = firing(world);
    expect(lines(alerts)).toEqual(['ConsumerImpaired critical flow']);
    expect(alerts[0]?.annotations.description).toContain('Not watched, so the cause may be there: elsewhere');
  });

  it('is explained by the secret as soon as a read of that fails', () => {
    const secret = key('secret', { needs: [['elsewhere']], ...lostSince(T0 + MINUTE, 'decrypt_failed') });
    const world = { keys: [secret], consumers: [flow] };
    expect(lines(firing(world))).toEqual(['KeyInaccessible critical secret']);
    expect(snapshotOf(world).incidents).toMatchObject([{ root: 'secret', consumers: ['flow'] }]);
  });

  it('is told once where the KMS key is watched but was never seen: the key is unknown, not lost', () => {
    const world = { keys: [neverKnown('cmk'), key('secret', { needs: [['cmk']] })], consumers: [flow] };
    expect(snapshotOf(world).byResource.get('secret')).toMatchObject({ health: 'unknown', rootCauses: ['cmk'] });
    expect(lines(firing(world))).toEqual(['ConsumerImpaired critical flow']);
  });
});
