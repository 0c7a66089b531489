import { describe, expect, it } from 'vitest';
import { createGraph } from '../../src/core/graph.ts';
import { change, consumer, consumerIn, graphOf, key, keyIn, lostSince, OPTIONS, snap } from './support/graphs.ts';
import { T0 } from './support/looks.ts';

describe('aliases', () => {
  it('resolve to the key that claims them; a full resource wins over an alias', () => {
    const graph = graphOf([key('k', { facts: { aliases: ['alias/x', 'other'] } }), key('other')]);
    expect(graph.resolve('k')).toBe('k');
    expect(graph.resolve('alias/x')).toBe('k');
    expect(graph.resolve('other')).toBe('other');
    expect(graph.resolve('nowhere')).toBeUndefined();
  });

  it('carry a loss, and stop to when they point elsewhere', () => {
    const claim = { facts: { aliases: ['alias/x'] } };
    const graph = graphOf([key('s', { needs: [['alias/x']] }), key('old', { ...claim, ...lostSince(T0) })]);
    expect(keyIn(graph, 's')).toMatchObject({ health: 'inaccessible', rootCauses: ['old'], dependsOn: ['old'] });

    graph.update(change({ upserts: [key('old', lostSince(T0)), key('new', claim)] }));
    expect(keyIn(graph, 's')).toMatchObject({ health: 'accessible', dependsOn: ['new'] });
    expect([graph.dependents('old'), graph.dependents('new')]).toEqual([0, 1]);
  });

  it('mean the key that was looked at last while two claim them', () => {
    const claim = (at: number) => ({ facts: { aliases: ['alias/x'] }, conclusiveAt: at });
    const graph = graphOf([key('a', claim(T0 + 1)), key('b', claim(T0 + 2))]);
    expect(graph.resolve('alias/x')).toBe('b');
    graph.update(change({ upserts: [key('s', { needs: [['alias/x']] }), key('a', claim(T0 + 3))] }));
    expect(graph.resolve('alias/x')).toBe('a');
    expect(keyIn(graph, 's').dependsOn).toEqual(['a']);
    graph.update(change({ deletes: ['a'] }));
    expect(keyIn(graph, 's').dependsOn).toEqual(['b']);
  });

  it('mean what still exists of two that had the name one after the other, however new the look at the dead one', () => {
    const claim = { facts: { aliases: ['secret:db'] } };
    const old = key('secret:db-OLD111', { ...claim, ...lostSince(T0, 'pending_deletion') });
    const graph = graphOf([old], [consumer('build', ['secret:db'])]);
    expect(consumerIn(graph, 'build')).toMatchObject({ health: 'impaired', rootCauses: [old.resource] });

    // A deletion that can still be undone keeps the name: nothing else can have it.
    graph.update(change({ upserts: [key('secret:db-NEW222', claim)] }));
    const gone = { since: T0 + 9, announced: true };
    graph.update(change({ upserts: [{ ...old, ...lostSince(T0, 'not_found'), gone, conclusiveAt: T0 + 9 }] }));
    expect(graph.resolve('secret:db')).toBe('secret:db-NEW222');
    expect(consumerIn(graph, 'build')).toMatchObject({ health: 'ok', rootCauses: [] });
    expect([graph.dependents(old.resource), graph.dependents('secret:db-NEW222')]).toEqual([0, 1]);

    graph.update(change({ deletes: ['secret:db-NEW222'] }));
    expect(graph.resolve('secret:db')).toBe(old.resource);
    graph.update(change({ deletes: [old.resource] }));
    expect(graph.resolve('secret:db')).toBeUndefined();
  });

  it('of three claimants each can go in any order', () => {
    const claim = (at: number) => ({ facts: { aliases: ['alias/x'] }, conclusiveAt: at });
    const graph = graphOf([key('a', claim(T0)), key('b', claim(T0 + 1)), key('c', claim(T0 + 2))]);
    for (const [gone, left] of [
      ['c', 'b'],
      ['a', 'b'],
      ['b', undefined],
    ] as const) {
      graph.update(change({ deletes: [gone] }));
      expect(graph.resolve('alias/x')).toBe(left);
    }
    graph.update(change({ upserts: [key('d', claim(T0))] }));
    expect(graph.resolve('alias/x')).toBe('d');
  });
});

describe('what depends on a key', () => {
  it('is counted once each, directly or through others, itself excluded', () => {
    const graph = graphOf(
      [
        key('root'),
        key('a', { needs: [['root']] }),
        key('b', { needs: [['root'], ['a']] }),
        key('c', { needs: [['b']] }),
      ],
      [consumer('flow', ['a', 'b']), consumer('build', ['root'])],
    );
    expect(keyIn(graph, 'root').consumers).toBe(5);
    expect(graph.dependents('a')).toBe(3);
    expect(graph.dependents('c')).toBe(0);
    graph.update(change({ deletes: ['b'], consumers: { upserts: [], deletes: ['build'] } }));
    expect(keyIn(graph, 'root').consumers).toBe(2);
  });

  it('is counted when somebody asks: users that come one by one cost no more the more there are', () => {
    const users = 20_000;
    const graph = graphOf([key('hub')]);
    // Counted at each step, this takes many times the time that a test has.
    for (let at = 0; at < users; at += 1) graph.update(change({ upserts: [key(`user-${at}`, { needs: [['hub']] })] }));
    expect(keyIn(graph, 'hub').consumers).toBe(users);
    graph.update(change({ deletes: ['user-7'] }));
    expect(graph.dependents('hub')).toBe(users - 1);
    expect(keyIn(graph, 'hub').consumers).toBe(users - 1);
  });

  it('is known of a key that is not watched, too', () => {
    const graph = graphOf([key('a', { needs: [['gone']] })], [consumer('flow', ['a'])]);
    expect(graph.dependents('gone')).toBe(2);
    expect(graph.dependents('nobody')).toBe(0);
    expect(graph.referenced()).toEqual(['gone', 'a']);
    graph.update(change({ deletes: ['a'] }));
    expect(graph.referenced()).toEqual(['a']);
  });

  it('is recounted along the whole chain when an edge far away goes', () => {
    const graph = graphOf(
      [key('a'), key('b', { needs: [['a']] }), key('c', { needs: [['b']] })],
      [consumer('flow', ['c'])],
    );
    expect(keyIn(graph, 'a').consumers).toBe(3);
    graph.update(change({ consumers: { upserts: [consumer('flow', [])], deletes: [] } }));
    expect(keyIn(graph, 'a').consumers).toBe(2);
  });
});

describe('snapshots', () => {
  it('are sorted by resource, whatever the order of arrival', () => {
    const graph = graphOf(['m', 'z', 'a'].map((resource) => key(resource)));
    graph.update(change({ upserts: [key('q'), key('b')] }));
    graph.update(change({ deletes: ['m'], upserts: [key('zz'), key('A')] }));
    const { keys, byResource } = snap(graph);
    expect(keys.map((view) => view.resource)).toEqual(['A', 'a', 'b', 'q', 'z', 'zz']);
    for (const view of keys) expect(byResource.get(view.resource)).toBe(view);
    expect(byResource.get('m')).toBeUndefined();
    expect(byResource.has('q')).toBe(true);
    expect(byResource.has('m')).toBe(false);
    expect(byResource.size).toBe(6);
    expect([...byResource.keys()]).toEqual([...new Map(byResource).keys()]);
    expect([...byResource.values()]).toEqual(keys);
    const seen: string[] = [];
    byResource.forEach((view, resource, map) => {
      if (map.get(resource) === view) seen.push(resource);
    });
    expect(seen).toHaveLength(6);
  });

  it('number themselves on from what the graph was told', () => {
    const graph = createGraph({ ...OPTIONS, revision: 41 });
    expect([snap(graph).revision, snap(graph).revision]).toEqual([42, 43]);
    expect(snap(createGraph(OPTIONS))).toMatchObject({ revision: 1, at: T0, keys: [], storeUp: true, incidents: [] });
  });

  it('never change afterwards', () => {
    const graph = graphOf([key('a'), key('s', { needs: [['a']] })], [consumer('flow', ['s'])]);
    const before = snap(graph);
    const copy = structuredClone({ keys: before.keys, consumers: before.consumers });
    graph.update(
      change({ upserts: [key('a', lostSince(T0)), key('b')], consumers: { upserts: [], deletes: ['flow'] } }),
    );
    snap(graph);
    expect({ keys: before.keys, consumers: before.consumers }).toEqual(copy);
    expect(before.byResource.get('b')).toBeUndefined();
    expect(before.byResource.get('a')?.health).toBe('accessible');
    expect(before.incidents).toEqual([]);
  });

  it('share every view about which nothing changed, and the lists too if nothing did at all', () => {
    const graph = graphOf([key('a'), key('b'), key('s', { needs: [['a']] })], [consumer('flow', ['b'])]);
    const first = snap(graph);
    graph.update(change({ upserts: [key('a', { checkedAt: T0 + 1 }), key('b')] }));
    const second = snap(graph);
    expect(second.keys[0]).not.toBe(first.keys[0]);
    expect(second.keys[1]).toBe(first.keys[1]);
    expect(second.keys[2]).toBe(first.keys[2]);
    expect(second.consumers).toBe(first.consumers);

    graph.update(change({ upserts: [key('a', { checkedAt: T0 + 1 })] }));
    const third = snap(graph);
    expect(third.keys).toBe(second.keys);
    expect(third.incidents).toBe(second.incidents);
  });

  it('carry the records by resource', () => {
    const record = key('a');
    const graph = graphOf([record]);
    expect(graph.records.get('a')).toBe(record);
    graph.update(change({ deletes: ['a'], upserts: [key('a')] }));
    expect(graph.records.size).toBe(0);
    expect(snap(graph).keys).toEqual([]);
  });

  it('show a key that ended and came again as new', () => {
    const graph = graphOf([key('a'), key('s', { needs: [['a']] })]);
    graph.update(change({ deletes: ['a'] }));
    graph.update(change({ upserts: [key('a', lostSince(T0 + 1))] }));
    expect(snap(graph).keys.map((view) => view.health)).toEqual(['inaccessible', 'inaccessible']);
    expect(graph.dependents('a')).toBe(1);
  });

  it('leave out what is not known', () => {
    const version = { id: 'v1', createdAt: T0 };
    const full = {
      spec: 'RSA',
      version,
      expiresAt: 1,
      deletionAt: 2,
      recoverableUntil: 3,
      lastRotatedAt: 4,
      nextRotationAt: 5,
    };
    const { version: _version, ...copied } = full;
    const graph = graphOf([key('full', { facts: full, versionDetectedAt: T0 }), key('bare')]);
    const expected = { ...copied, version: 'v1', versionCreatedAt: T0, versionDetectedAt: T0 };
    expect(keyIn(graph, 'full')).toMatchObject(expected);
    for (const field of Object.keys(expected)) expect(keyIn(graph, 'bare')).not.toHaveProperty(field);
  });
});
