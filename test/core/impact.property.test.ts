import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blastOf, type Fate } from '../../src/core/blast.ts';
import { impactOf } from '../../src/core/impact.ts';
import type { ConsumerRecord, KeyRecord, KeyUse } from '../../src/core/model.ts';
import type { ConsumerView, KeyView } from '../../src/core/snapshot.ts';
import { consumer, finding, graphOf, key, lostSince, neverKnown, snap } from './support/graphs.ts';
import { T0 } from './support/looks.ts';
import { relationsIn } from './support/relations.ts';

const SEEDED = { seed: 20260606, numRuns: 600 } as const;
const OPTIONS = { now: T0, live: false, staleAfterMs: 300_000, tagLabels: [], limit: 1_000 };

const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
const name = fc.constantFrom(...names);
const ref = fc.oneof({ weight: 6, arbitrary: name }, { weight: 1, arbitrary: fc.constantFrom('alias/x', 'unwatched') });
const needs = fc.array(fc.uniqueArray(ref, { minLength: 1, maxLength: 3 }), { maxLength: 2 });
const versions = [
  { id: 'v2', enabled: false },
  { id: 'v1', enabled: true },
];

const record: fc.Arbitrary<KeyRecord> = fc
  .record({
    resource: name,
    needs,
    state: fc.constantFrom('ok', 'ok', 'ok', 'lost', 'gone', 'unknown', 'degraded', 'blind'),
    claims: fc.boolean(),
  })
  .map(({ resource, needs, state, claims }) => {
    const facts = { version: { id: 'v2' }, versions, ...(claims ? { aliases: ['alias/x'] } : {}) };
    const parts = { needs, facts };
    if (state === 'lost') return key(resource, { ...parts, ...lostSince(T0) });
    if (state === 'gone') return key(resource, { ...parts, ...lostSince(T0, 'not_found') });
    if (state === 'degraded') return key(resource, { ...parts, findings: [finding('warning', T0)] });
    if (state === 'blind') return key(resource, { ...parts, blindSince: T0, blindReason: 'denied', inconclusive: 3 });
    return state === 'unknown' ? neverKnown(resource) : key(resource, parts);
  });
const use: fc.Arbitrary<KeyUse> = fc
  .record({ resource: ref, versionInUse: fc.constantFrom('v1', 'v2', undefined) })
  .map(({ resource, versionInUse }) => ({ resource, role: 'decrypts', ...(versionInUse && { versionInUse }) }));
const user: fc.Arbitrary<ConsumerRecord> = fc
  .record({
    resource: fc.constantFrom('flow-1', 'flow-2', 'flow-3'),
    uses: fc.array(use, { maxLength: 3 }),
    gone: fc.boolean(),
    impaired: fc.constantFrom(true, false, false),
  })
  .map(({ resource, uses, gone, impaired }) =>
    consumer(resource, uses, {
      conclusiveAt: T0,
      ...(gone && { pending: { reason: 'gone', seen: 1, firstAt: T0 } }),
      ...(impaired && { impairment: { reason: 'access_revoked', since: T0 } }),
    }),
  );
const worlds = fc.record({
  keys: fc.uniqueArray(record, { minLength: 5, maxLength: 7, selector: ({ resource }) => resource }),
  users: fc.uniqueArray(user, { minLength: 1, maxLength: 3, selector: ({ resource }) => resource }),
  resource: fc.oneof({ weight: 8, arbitrary: name }, { weight: 1, arbitrary: fc.constant('unwatched') }),
});

function having(fates: ReadonlyMap<KeyView | ConsumerView, Fate>, ...wanted: readonly Fate[]): string[] {
  return [...fates].flatMap(([view, fate]) => (wanted.includes(fate) ? [view.resource] : [])).sort();
}

/** The same world once the key is gone, as the graph has it. */
function without(resource: string, keys: readonly KeyRecord[], users: readonly ConsumerRecord[]) {
  const { belief } = lostSince(T0 + 1, 'purged');
  const isKnown = keys.some((one) => one.resource === resource);
  const lost = keys.map((one) => (one.resource === resource ? { ...one, belief } : one));
  return snap(graphOf(isKnown ? lost : [...keys, key(resource, { belief })], users));
}

describe('what is told to break, before the key goes away', () => {
  it('is what the graph says is lost and impaired once it is gone', () => {
    let broken = 0;
    fc.assert(
      fc.property(worlds, ({ keys, users, resource }) => {
        const graph = graphOf(keys, users);
        const before = snap(graph);
        fc.pre(graph.resolve(resource) === resource || !graph.resolve(resource));
        const blast = blastOf(resource, relationsIn(graph));
        const after = without(resource, keys, users);
        const fell = after.keys.filter(
          (view) =>
            view.resource !== resource &&
            view.health === 'inaccessible' &&
            before.byResource.get(view.resource)?.health !== 'inaccessible',
        );
        const wasImpaired = new Set(
          before.consumers.filter(({ health }) => health === 'impaired').map((view) => view.resource),
        );
        const hit = after.consumers.filter((view) => view.health === 'impaired' && !wasImpaired.has(view.resource));
        expect(having(blast.keys, 'breaks')).toEqual(fell.map((view) => view.resource));
        expect(having(blast.consumers, 'breaks')).toEqual(hit.map((view) => view.resource));
        broken += fell.length + hit.length;
      }),
      SEEDED,
    );
    // Worlds in which nothing ever broke would prove nothing.
    expect(broken).toBeGreaterThan(100);
  });

  it('leaves out nothing that falls once everything that could not be told turns out to be lost', () => {
    let unsure = 0;
    fc.assert(
      fc.property(worlds, ({ keys, users, resource }) => {
        fc.pre(resource !== 'unwatched');
        const graph = graphOf(keys, users);
        fc.pre(graph.records.has(resource));
        const blast = blastOf(resource, relationsIn(graph));
        // What is unknown, blind or not watched is lost after all, before the key is.
        const isDark = ({ belief, blindSince }: KeyRecord) => !belief || blindSince !== undefined;
        const dark = keys.map((one) => (isDark(one) ? { ...one, ...lostSince(T0, 'purged') } : one));
        const worst = [...dark, key('unwatched', lostSince(T0, 'purged')), ...claimed(graph, dark)];
        const before = graphOf(worst, users);
        const lostBefore = new Set(
          snap(before)
            .keys.filter(({ health }) => health === 'inaccessible')
            .map((one) => one.resource),
        );
        const told = new Set(having(blast.keys, 'breaks', 'unsure', 'already'));
        for (const view of without(resource, worst, users).keys) {
          if (view.health !== 'inaccessible' || lostBefore.has(view.resource) || view.resource === resource) continue;
          expect(told).toContain(view.resource);
        }
        unsure += having(blast.keys, 'unsure').length;
      }),
      SEEDED,
    );
    expect(unsure).toBeGreaterThan(20);
  });

  it('says nothing only where nothing is touched, and counts what its tree lists', () => {
    fc.assert(
      fc.property(worlds, ({ keys, users, resource }) => {
        const graph = graphOf(keys, users);
        const impact = impactOf(resource, relationsIn(graph), OPTIONS);
        const hits = [impact.keys, impact.consumers].map((one) => one.breaks + one.already + one.one_remove);
        const doubts = impact.keys.unsure + impact.consumers.unsure + impact.gaps.length;
        if (impact.outcome === 'nothing') expect([hits, doubts]).toEqual([[0, 0], 0]);
        if (impact.outcome === 'unknown') expect(doubts).toBeGreaterThan(0);
        if (impact.outcome !== 'something') expect(hits).toEqual([0, 0]);
        const listed = new Map<string, Fate>();
        const walk = (nodes: typeof impact.tree): void => {
          for (const node of nodes) {
            expect(listed.get(node.resource) ?? node.fate).toBe(node.fate);
            listed.set(node.resource, node.fate);
            walk(node.children ?? []);
          }
        };
        walk(impact.tree);
        const total = [...Object.values(impact.keys), ...Object.values(impact.consumers)].reduce((a, b) => a + b, 0);
        expect(listed.size).toBe(total);
      }),
      SEEDED,
    );
  });
});

/** A stand-in for an alias that nobody claims, lost. */
function claimed(graph: ReturnType<typeof graphOf>, keys: readonly KeyRecord[]): KeyRecord[] {
  const isClaimed = keys.some(({ facts }) => facts?.aliases?.includes('alias/x'));
  return isClaimed || graph.resolve('alias/x') ? [] : [key('alias/x', lostSince(T0, 'purged'))];
}
