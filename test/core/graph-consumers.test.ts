import { describe, expect, it } from 'vitest';
import type { Place } from '../../src/core/not-watched.ts';
import {
  change,
  consumer,
  consumerIn,
  finding,
  graphOf,
  key,
  keyIn,
  lostSince,
  neverKnown,
  OPTIONS,
  snap,
} from './support/graphs.ts';
import { T0 } from './support/looks.ts';

describe('a consumer', () => {
  it('is ok while what it uses is', () => {
    const graph = graphOf([key('k')], [consumer('flow', ['k']), consumer('idle', [])]);
    expect(consumerIn(graph, 'flow')).toMatchObject({ health: 'ok', since: T0, rootCauses: [] });
    expect(consumerIn(graph, 'idle').health).toBe('ok');
  });

  it('is impaired by the root of a lost key, or by the key itself', () => {
    const graph = graphOf(
      [key('kms', lostSince(T0 + 3)), key('s', { needs: [['kms']] }), key('ok')],
      [consumer('flow', ['s', 'ok']), consumer('build', ['kms'])],
    );
    for (const resource of ['flow', 'build']) {
      expect(consumerIn(graph, resource)).toMatchObject({
        health: 'impaired',
        reason: 'key_inaccessible',
        since: T0 + 3,
        rootCauses: ['kms'],
      });
    }
  });

  it('is impaired by what its own service says, unless a watched key explains it', () => {
    const impairment = { reason: 'access_revoked', since: T0 + 1 } as const;
    const graph = graphOf([key('k')], [consumer('flow', ['k'], { impairment })]);
    expect(consumerIn(graph, 'flow')).toMatchObject({ health: 'impaired', ...impairment, rootCauses: [] });
    graph.update(change({ upserts: [key('k', lostSince(T0 + 2))] }));
    expect(consumerIn(graph, 'flow')).toMatchObject({ reason: 'key_inaccessible', since: T0 + 1, rootCauses: ['k'] });
  });

  it('is at risk by a degraded key, an announced deletion or its own finding', () => {
    const graph = graphOf(
      [
        key('weak', { findings: [finding('warning', T0 + 4)] }),
        key('doomed', { facts: { deletionAt: T0 + 9 } }),
        key('k'),
      ],
      [
        consumer('a', ['weak', 'k']),
        consumer('b', ['doomed']),
        consumer('c', ['k'], { findings: [finding('warning', T0 + 5)] }),
        consumer('d', ['k'], { findings: [finding('info', T0 + 5)] }),
      ],
    );
    expect(snap(graph).consumers.map(({ health, since }) => [health, since])).toEqual([
      ['at_risk', T0 + 4],
      ['at_risk', T0],
      ['at_risk', T0 + 5],
      ['ok', T0],
    ]);
  });

  it('is unknown only if nothing is known of anything that it uses', () => {
    const graph = graphOf(
      [neverKnown('u'), key('k')],
      [consumer('a', ['elsewhere']), consumer('b', ['u', 'elsewhere']), consumer('c', ['u', 'k'])],
    );
    expect(consumerIn(graph, 'a')).toMatchObject({ health: 'unknown', reason: 'not_watched' });
    expect(consumerIn(graph, 'b')).toMatchObject({ health: 'unknown', rootCauses: ['u'] });
    expect(consumerIn(graph, 'b')).not.toHaveProperty('reason');
    expect(consumerIn(graph, 'c').health).toBe('ok');
    graph.update(change({ upserts: [key('elsewhere')] }));
    expect(consumerIn(graph, 'a').health).toBe('ok');
  });

  it('needs nothing that can be lost where the cloud manages all its keys', () => {
    const locate = (_provider: string, name: string): Place =>
      name === 'm' ? { what: 'key', cloudManaged: true } : { what: 'key' };
    const consumers = [consumer('a', ['m']), consumer('b', ['m', 'elsewhere']), consumer('c', ['m', 'lost'])];
    const graph = graphOf([key('lost', lostSince(T0))], consumers, { ...OPTIONS, coverage: { watches: [], locate } });
    expect(snap(graph).consumers.map(({ health }) => health)).toEqual(['ok', 'unknown', 'impaired']);
  });

  it('goes when it is deleted', () => {
    const graph = graphOf([key('k')], [consumer('flow', ['k'])]);
    graph.update(change({ consumers: { upserts: [], deletes: ['flow', 'unheard-of'] } }));
    expect(snap(graph).consumers).toEqual([]);
    expect(graph.dependents('k')).toBe(0);
  });
});

describe('a use of a key', () => {
  const versions = (...enabled: boolean[]) =>
    enabled.map((on, at) => ({ id: `v${enabled.length - at}`, enabled: on, createdAt: T0 - at }));
  const use = (versionInUse: string) => ({ resource: 'k', role: 'encrypts', versionInUse });

  it('tells which watched key it means, and since when there is a newer version', () => {
    const graph = graphOf(
      [key('k', { facts: { aliases: ['alias/k'], version: { id: 'v2', createdAt: T0 + 5 } } })],
      [
        consumer('old', [use('v1')]),
        consumer('new', [use('v2')]),
        consumer('by-alias', [{ ...use('v1'), resource: 'alias/k' }]),
        consumer('elsewhere', ['other']),
      ],
    );
    expect(consumerIn(graph, 'old').uses).toEqual([{ ...use('v1'), key: 'k', outdatedSince: T0 + 5 }]);
    expect(consumerIn(graph, 'new').uses).toEqual([{ ...use('v2'), key: 'k' }]);
    expect(consumerIn(graph, 'by-alias').uses[0]).toMatchObject({ key: 'k', outdatedSince: T0 + 5 });
    expect(consumerIn(graph, 'elsewhere').uses).toEqual([{ resource: 'other', role: 'decrypts' }]);
    expect(graph.versionsInUse('k').toSorted()).toEqual(['v1', 'v2']);
    expect(keyIn(graphOf([key('k', { facts: { versions: versions(true, false) } })]), 'k').versions).toHaveLength(2);
  });

  it('survives the loss of a newer version, as a risk', () => {
    const disabled = lostSince(T0 + 3);
    const graph = graphOf(
      [key('k', { ...disabled, facts: { version: { id: 'v2' }, versions: versions(false, true) } })],
      [consumer('old', [use('v1')]), consumer('new', [use('v2')]), consumer('unsaid', ['k'])],
    );
    expect(consumerIn(graph, 'old')).toMatchObject({ health: 'at_risk', rootCauses: [] });
    expect(consumerIn(graph, 'new')).toMatchObject({ health: 'impaired', rootCauses: ['k'] });
    expect(consumerIn(graph, 'unsaid').health).toBe('impaired');
    // The list of versions may be older than the look that found the current one disabled.
    const late = key('k', { ...disabled, facts: { version: { id: 'v2' }, versions: versions(true, true) } });
    graph.update(change({ upserts: [late] }));
    expect(consumerIn(graph, 'new')).toMatchObject({ health: 'impaired', reason: 'key_inaccessible' });
    graph.update(
      change({ upserts: [key('k', { ...lostSince(T0 + 3, 'soft_deleted'), facts: { versions: versions(true) } })] }),
    );
    expect(consumerIn(graph, 'old').health).toBe('impaired');
  });

  it('does not survive the loss of what holds the key', () => {
    const graph = graphOf(
      [
        key('vault', lostSince(T0, 'soft_deleted')),
        key('k', { ...lostSince(T0), needs: [['vault']], role: 'holds', facts: { versions: versions(false, true) } }),
      ],
      [consumer('old', [use('v1')])],
    );
    expect(consumerIn(graph, 'old').health).toBe('impaired');
  });

  it('of what it merely stores its data in is no use of a key', () => {
    const stores = { resource: '/storage', role: 'stores' };
    const graph = graphOf([key('k')], [consumer('plain', [stores]), consumer('with', [stores, 'k'])]);
    expect(consumerIn(graph, 'plain')).toMatchObject({ health: 'ok', uses: [stores] });
    expect(consumerIn(graph, 'with').health).toBe('ok');
    expect(graph.referenced()).toEqual(['k']);
  });

  it('ends with the first look that says that the consumer is gone', () => {
    const pending = { reason: 'gone', seen: 1, firstAt: T0 + 1 } as const;
    const graph = graphOf([key('k', lostSince(T0))], [consumer('flow', ['k'], { pending })]);
    expect(consumerIn(graph, 'flow')).toMatchObject({ health: 'unknown', since: T0 + 1 });
    expect(snap(graph).incidents).toMatchObject([{ root: 'k', consumers: [] }]);
    expect(graph.dependents('k')).toBe(0);
  });
});

describe('an incident', () => {
  it('is one per root, with every key lost through it and every consumer that it impairs', () => {
    const graph = graphOf(
      [
        key('kms', lostSince(T0 + 3)),
        key('s1', { needs: [['kms']] }),
        key('s2', { needs: [['s1']] }),
        key('unrelated'),
        key('alone', lostSince(T0 + 1, 'not_found')),
      ],
      [consumer('flow', ['s2']), consumer('fine', ['unrelated'])],
    );
    expect(snap(graph).incidents).toMatchObject([
      { root: 'alone', reason: 'not_found', since: T0 + 1, keys: [], consumers: [] },
      { root: 'kms', reason: 'disabled', since: T0 + 3, keys: ['s1', 's2'], consumers: ['flow'] },
    ]);
  });

  it('stays apart from another one that hits the same key', () => {
    const graph = graphOf([key('a', lostSince(T0)), key('b', lostSince(T0)), key('s', { needs: [['a'], ['b']] })]);
    expect(snap(graph).incidents).toMatchObject([
      { root: 'a', keys: ['s'] },
      { root: 'b', keys: ['s'] },
    ]);
  });

  it('does not list a key that is lost by itself under another root', () => {
    const graph = graphOf([key('a', lostSince(T0)), key('s', { needs: [['a']], ...lostSince(T0) })]);
    expect(snap(graph).incidents).toMatchObject([
      { root: 'a', keys: [] },
      { root: 's', keys: [] },
    ]);
  });

  it('is over when its root is accessible again', () => {
    const graph = graphOf([key('a', lostSince(T0)), key('s', { needs: [['a']] })]);
    expect(snap(graph).incidents).toHaveLength(1);
    graph.update(change({ upserts: [key('a')] }));
    expect(snap(graph).incidents).toEqual([]);
  });
});
