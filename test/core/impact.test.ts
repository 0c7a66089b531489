import { describe, expect, it } from 'vitest';
import { blastOf } from '../../src/core/blast.ts';
import { type Impact, impactOf } from '../../src/core/impact.ts';
import type { ConsumerRecord, KeyRecord, SourceRecord } from '../../src/core/model.ts';
import { relationsOf } from '../../src/core/relations.ts';
import { down, source } from './support/alerts.ts';
import { consumer, graphOf, key, lostSince, neverKnown, OPTIONS } from './support/graphs.ts';
import { HOUR, MINUTE, T0 } from './support/looks.ts';

const NOW = T0 + HOUR;
const FRESH = [source({ lastSuccessAt: NOW - MINUTE })];
const cmk = (resource: string, parts: Parameters<typeof key>[1] = {}) =>
  key(resource, { ...parts, facts: { kind: 'aws-kms-key', ...parts.facts } });
const user = (resource: string, uses: Parameters<typeof consumer>[1], parts: Partial<ConsumerRecord> = {}) =>
  consumer(resource, uses, { conclusiveAt: T0, ...parts });

function impact(
  resource: string,
  keys: readonly KeyRecord[],
  consumers: readonly ConsumerRecord[] = [],
  sources: readonly SourceRecord[] = FRESH,
  limit = 100,
): Impact {
  const locate = (_provider: string, name: string) =>
    name === 'aws-managed' ? ({ what: 'KMS key', cloudManaged: true } as const) : undefined;
  const graph = graphOf(keys, consumers, { ...OPTIONS, coverage: { watches: [], locate } });
  const snapshot = graph.snapshot({ at: NOW, sources, storeUp: true });
  const relations = relationsOf(snapshot, { key: (one) => graph.records.get(one), resolve: graph.resolve });
  return impactOf(resource, relations, { now: NOW, live: false, staleAfterMs: 5 * MINUTE, tagLabels: [], limit });
}

describe('what breaks if a key goes away', () => {
  it('is all of one KMS key under 40 secrets that 12 flows use, each once', () => {
    const secrets = Array.from({ length: 40 }, (_, at) => key(`secret-${at}`, { needs: [['cmk']] }));
    const flows = Array.from({ length: 12 }, (_, at) => user(`flow-${at}`, [`secret-${at}`, `secret-${at + 12}`]));
    const told = impact('cmk', [cmk('cmk'), ...secrets], flows);
    expect(told).toMatchObject({ outcome: 'something', keys: { breaks: 40 }, consumers: { breaks: 12 }, gaps: [] });
    expect(told.meanings).toHaveLength(1);
    expect(told.tree).toHaveLength(40);
  });

  it('spares a secret that another KMS key can decrypt, and says which', () => {
    const keys = [cmk('cmk'), cmk('other'), key('secret', { needs: [['cmk', 'other']] })];
    const told = impact('cmk', keys, [user('flow', ['secret'])]);
    expect(told).toMatchObject({ outcome: 'nothing', keys: { breaks: 0, spared: 1 }, gaps: [] });
    expect(told.tree).toMatchObject([{ fate: 'spared', instead: ['other'] }]);
    // And no more once that one is lost.
    const [first, , secret] = keys;
    const lost = impact('cmk', [first!, cmk('other', lostSince(T0)), secret!], [user('flow', ['secret'])]);
    expect(lost).toMatchObject({ outcome: 'something', keys: { breaks: 1 }, consumers: { breaks: 1 } });
  });

  it.each([
    ['is not watched', [], 'elsewhere'],
    ['was never seen to work', [neverKnown('elsewhere')], 'elsewhere'],
    ['cannot be seen any more', [cmk('elsewhere', { blindSince: T0, blindReason: 'denied' })], 'elsewhere'],
  ])('does not know where the other key %s: that is no leave', (_name, others, name) => {
    const told = impact(
      'cmk',
      [cmk('cmk'), ...others, key('secret', { needs: [['cmk', name]] })],
      [user('flow', ['secret'])],
    );
    expect(told).toMatchObject({ outcome: 'unknown', keys: { unsure: 1 }, consumers: { unsure: 1 } });
    expect(told.tree).toMatchObject([{ fate: 'unsure', instead: [name], children: [{ fate: 'unsure' }] }]);
  });

  it('trusts a key that the cloud manages itself', () => {
    const told = impact('cmk', [cmk('cmk'), key('secret', { needs: [['cmk', 'aws-managed']] })]);
    expect(told).toMatchObject({ outcome: 'nothing', keys: { spared: 1 } });
  });

  it('tells what is broken already, and lets nobody delete its key for that', () => {
    const told = impact(
      'cmk',
      [cmk('cmk', lostSince(T0)), key('secret', { needs: [['cmk']] })],
      [user('flow', ['secret'])],
    );
    expect(told).toMatchObject({
      outcome: 'something',
      key: { health: 'inaccessible' },
      keys: { breaks: 0, already: 1 },
      consumers: { breaks: 0, already: 1 },
    });
  });

  it('takes along a consumer that goes on with an older version while the newest is disabled', () => {
    const versions = [
      { id: 'v2', enabled: false },
      { id: 'v1', enabled: true },
    ];
    const disabled = key('k', { ...lostSince(T0), facts: { version: { id: 'v2' }, versions } });
    const told = impact('k', [disabled], [user('account', [{ resource: 'k', role: 'encrypts', versionInUse: 'v1' }])]);
    expect(told).toMatchObject({ outcome: 'something', consumers: { breaks: 1, already: 0 } });
  });

  it('goes one step on: to what keeps its data in a consumer that breaks', () => {
    const told = impact(
      'k',
      [key('k')],
      [
        user('storage', ['k']),
        user('media', [{ resource: 'storage', role: 'stores' }]),
        user('elsewhere', [{ resource: 'other-storage', role: 'stores' }]),
      ],
    );
    expect(told).toMatchObject({ consumers: { breaks: 1, one_remove: 1 } });
    expect(told.tree).toMatchObject([{ resource: 'storage', children: [{ resource: 'media', fate: 'one_remove' }] }]);
  });

  it('tells of a key that is not watched what names it, and never that nothing breaks', () => {
    const keys = [key('secret', { needs: [['foreign']] })];
    expect(impact('foreign', keys, [user('flow', ['secret'])])).toMatchObject({
      key: undefined,
      outcome: 'something',
      keys: { breaks: 1 },
      consumers: { breaks: 1 },
      gaps: [{ kind: 'not_watched' }],
    });
    expect(impact('unheard-of', keys).outcome).toBe('unknown');
  });

  it('cuts its tree, not its counts', () => {
    const flows = Array.from({ length: 300 }, (_, at) => user(`flow-${at}`, ['k']));
    const told = impact('k', [key('k')], flows, FRESH, 50);
    expect([told.tree.length, told.more, told.consumers.breaks]).toEqual([50, 250, 300]);
  });
});

describe('what keeps "nothing breaks" from being sure', () => {
  const quiet = { provider: 'azure', service: 'key-vault' } as const;
  it.each<readonly [string, readonly SourceRecord[], readonly string[]]>([
    ['nothing', FRESH, []],
    ['a source that is down', [...FRESH, down(T0)], ['source_down']],
    [
      'a source that nobody has read yet',
      [...FRESH, { ...source(), up: undefined } as unknown as SourceRecord],
      ['source_pending'],
    ],
    ['a source that tells nothing new', [source({ lastSuccessAt: NOW - 7 * MINUTE })], ['source_stale']],
    ['nothing: another cloud is down', [...FRESH, down(T0, quiet)], []],
    ['nothing: what the cloud retired', [...FRESH, source({ reason: 'provider_retired', lastSuccessAt: T0 })], []],
  ])('%s', (_name, sources, gaps) => {
    const told = impact('cmk', [cmk('cmk')], [], sources);
    expect(told.gaps.map(({ kind }) => kind)).toEqual(gaps);
    expect(told.outcome).toBe(gaps.length === 0 ? 'nothing' : 'unknown');
  });

  const assumed = key('secret', { facts: { dependsOn: [{ anyOf: ['other'], role: 'decrypts', assumed: true }] } });
  const neverSeen = user('flow', [], { conclusiveAt: undefined } as unknown as Partial<ConsumerRecord>);
  it.each<readonly [string, readonly KeyRecord[], readonly ConsumerRecord[], readonly string[]]>([
    ['a secret of which nothing is known', [neverKnown('secret')], [], ['unseen']],
    ['a secret that cannot be seen any more', [key('s', { blindSince: T0, blindReason: 'denied' })], [], ['unseen']],
    ['a secret whose key is only assumed', [cmk('other'), assumed], [], ['assumed']],
    [
      'nothing: a KMS key that cannot be seen needs no other',
      [cmk('x', { blindSince: T0, blindReason: 'denied' })],
      [],
      [],
    ],
    ['a consumer of which nothing is known', [], [neverSeen], ['unseen']],
    ['a consumer that was not seen for long', [], [user('flow', ['s'], { checkedAt: T0 + 6 * MINUTE })], ['unseen']],
    ['nothing: one look that told nothing', [], [user('flow', ['s'], { checkedAt: T0 + MINUTE })], []],
  ])('%s', (_name, keys, consumers, gaps) => {
    const told = impact('cmk', [cmk('cmk'), ...keys], consumers);
    expect(told.gaps.map(({ kind }) => kind)).toEqual(gaps);
    expect(told.outcome).toBe(gaps.length === 0 ? 'nothing' : 'unknown');
  });

  it('does not hide what breaks for sure', () => {
    expect(impact('k', [key('k')], [user('flow', ['k'])], [down(T0)]).outcome).toBe('something');
  });
});

it('tells of 20,000 dependents in a moment, and in a tree of a fixed size', () => {
  const secrets = Array.from({ length: 10_000 }, (_, at) => key(`secret-${at}`, { needs: [['cmk']] }));
  const flows = Array.from({ length: 10_000 }, (_, at) => user(`flow-${at}`, [`secret-${at}`]));
  const graph = graphOf([cmk('cmk'), ...secrets], flows);
  const snapshot = graph.snapshot({ at: NOW, sources: [], storeUp: true });
  const relations = relationsOf(snapshot, { key: (one) => graph.records.get(one), resolve: graph.resolve });
  const blast = blastOf('cmk', relations);
  expect([blast.keys.size, blast.consumers.size]).toEqual([10_000, 10_000]);
  const options = { now: NOW, live: false, staleAfterMs: MINUTE, tagLabels: [], limit: 200 };
  expect(JSON.stringify(impactOf('cmk', relations, options)).length).toBeLessThan(200_000);
});
