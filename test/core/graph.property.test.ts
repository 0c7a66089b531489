import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { GraphChange } from '../../src/core/graph.ts';
import type { ConsumerRecord, KeyRecord } from '../../src/core/model.ts';
import { change, consumer, finding, graphOf, key, lostSince, neverKnown, snap } from './support/graphs.ts';
import { T0 } from './support/looks.ts';

const SEEDED = { seed: 20260101, numRuns: 400 } as const;

const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
const name = fc.constantFrom(...names);
const ref = fc.oneof({ weight: 6, arbitrary: name }, { weight: 1, arbitrary: fc.constantFrom('alias/x', 'unwatched') });
const needs = fc.array(fc.uniqueArray(ref, { minLength: 1, maxLength: 3 }), { maxLength: 2 });

const record: fc.Arbitrary<KeyRecord> = fc
  .record({
    resource: name,
    needs,
    role: fc.constantFrom('decrypts', 'holds'),
    state: fc.constantFrom('ok', 'ok', 'lost', 'lost', 'unknown', 'degraded', 'blind'),
    since: fc.integer({ min: T0, max: T0 + 5 }),
    claims: fc.boolean(),
  })
  .map(({ resource, needs, role, state, since, claims }) => {
    const parts = { needs, role, checkedAt: since, facts: claims ? { aliases: ['alias/x'] } : {} };
    if (state === 'lost') return key(resource, { ...parts, ...lostSince(since) });
    if (state === 'degraded') return key(resource, { ...parts, findings: [finding('warning', since)] });
    if (state === 'blind')
      return key(resource, { ...parts, blindSince: since, blindReason: 'denied', inconclusive: 3 });
    if (state === 'unknown') return neverKnown(resource, 'denied', { firstSeenAt: since });
    return key(resource, parts);
  });
const uses: fc.Arbitrary<ConsumerRecord> = fc
  .tuple(fc.constantFrom('flow-1', 'flow-2'), fc.uniqueArray(ref, { maxLength: 3 }))
  .map(([resource, names]) => consumer(resource, names));

const changes: fc.Arbitrary<readonly GraphChange[]> = fc.array(
  fc
    .record({
      upserts: fc.uniqueArray(record, { maxLength: 7, selector: (key) => key.resource }),
      deletes: fc.uniqueArray(name, { maxLength: 2 }),
      consumers: fc.record({
        upserts: fc.uniqueArray(uses, { maxLength: 2, selector: (consumer) => consumer.resource }),
        deletes: fc.subarray(['flow-1', 'flow-2'], { maxLength: 1 }),
      }),
    })
    .map(change),
  { minLength: 1, maxLength: 6 },
);
const graphs = fc.uniqueArray(record, { maxLength: 7, selector: (key) => key.resource });

interface Expected {
  readonly state: 'lost' | 'unknown' | 'fine';
  readonly roots: readonly string[];
}

/** The rules by the book: apply all of them to everything until nothing changes any more. */
function reference(records: readonly KeyRecord[], resolve: (ref: string) => string | undefined): Map<string, Expected> {
  const own = (key: KeyRecord) => key.belief?.verdict.status;
  const groupsOf = (key: KeyRecord) =>
    (key.facts?.dependsOn ?? []).map(({ anyOf }) => anyOf.map(resolve)).filter((members) => members.length > 0);
  const lost = new Set(records.filter((key) => own(key) === 'inaccessible').map((key) => key.resource));
  const unknown = new Set<string>();
  const has = (set: ReadonlySet<string>, member: string | undefined) => member !== undefined && set.has(member);
  const isLost = (group: readonly (string | undefined)[]) => group.every((member) => has(lost, member));
  const isUnknown = (group: readonly (string | undefined)[]) =>
    group.some((member) => has(unknown, member)) && group.every((member) => has(lost, member) || has(unknown, member));
  grow(lost, records, (key) => groupsOf(key).some(isLost));
  grow(unknown, records, (key) => !lost.has(key.resource) && (!key.belief || groupsOf(key).some(isUnknown)));

  const roots = new Map(records.map((key) => [key.resource, new Set<string>()]));
  for (let size = -1; size !== total(roots); ) {
    size = total(roots);
    for (const key of records) {
      const mine = roots.get(key.resource);
      if (own(key) === 'inaccessible' || (unknown.has(key.resource) && !key.belief)) mine?.add(key.resource);
      else {
        const fallen = groupsOf(key).filter(lost.has(key.resource) ? isLost : isUnknown);
        for (const member of fallen.flat()) {
          if (!lost.has(key.resource) && !has(unknown, member)) continue;
          for (const root of roots.get(member ?? '') ?? []) mine?.add(root);
        }
      }
    }
  }
  return new Map(
    records.map(({ resource }) => {
      const state = lost.has(resource) ? 'lost' : unknown.has(resource) ? 'unknown' : 'fine';
      const others = [...(roots.get(resource) ?? [])].filter((root) => root !== resource).sort();
      return [resource, { state, roots: state === 'fine' ? [] : others }];
    }),
  );
}

function grow(set: Set<string>, records: readonly KeyRecord[], belongs: (key: KeyRecord) => boolean): void {
  for (let size = -1; size !== set.size; ) {
    size = set.size;
    for (const key of records) if (belongs(key)) set.add(key.resource);
  }
}

function total(sets: ReadonlyMap<string, ReadonlySet<string>>): number {
  return [...sets.values()].reduce((sum, set) => sum + set.size, 0);
}

describe('for every graph, cycles and dangling names included', () => {
  it('losses, ignorance and roots are what the rules say', () => {
    fc.assert(
      fc.property(graphs, (records) => {
        const graph = graphOf(records);
        const expected = reference(records, graph.resolve);
        for (const { resource, health, rootCauses } of snap(graph).keys) {
          const state = health === 'inaccessible' ? 'lost' : health === 'unknown' ? 'unknown' : 'fine';
          expect({ resource, state, roots: rootCauses }).toEqual({ resource, ...expected.get(resource) });
        }
      }),
      SEEDED,
    );
  });

  it('nothing is lost without a root that is lost by itself, nor before that one was', () => {
    fc.assert(
      fc.property(graphs, (records) => {
        const { keys, byResource, incidents } = snap(graphOf(records));
        for (const { resource, reason, rootCauses, since } of keys) {
          if (reason !== 'dependency') continue;
          expect(rootCauses.length).toBeGreaterThan(0);
          const roots = rootCauses.map((root) => byResource.get(root));
          expect(roots.map((root) => root?.own?.status)).toEqual(roots.map(() => 'inaccessible'));
          expect(roots.map((root) => root?.since)).toContain(since);
          const listing = incidents.filter((incident) => incident.keys.includes(resource));
          expect(listing.map((incident) => incident.root)).toEqual(rootCauses);
        }
      }),
      SEEDED,
    );
  });

  it('one more member that works in every group saves every key that is not lost by itself', () => {
    fc.assert(
      fc.property(graphs, (records) => {
        const saved = records.map((record) => {
          const dependsOn = record.facts?.dependsOn.map((group) => ({ ...group, anyOf: [...group.anyOf, 'spare'] }));
          return record.facts && dependsOn ? { ...record, facts: { ...record.facts, dependsOn } } : record;
        });
        for (const view of snap(graphOf([...saved, key('spare')])).keys) {
          expect(view.reason).not.toBe('dependency');
          expect(view.rootCauses).toEqual([]);
        }
      }),
      SEEDED,
    );
  });

  it('updating step by step gives what computing everything from scratch gives', () => {
    fc.assert(
      fc.property(changes, fc.boolean(), (steps, lookEachTime) => {
        const graph = graphOf([]);
        const consumers = new Map<string, ConsumerRecord>();
        for (const step of steps) {
          graph.update(step);
          for (const record of step.consumers?.upserts ?? []) consumers.set(record.resource, record);
          for (const resource of step.consumers?.deletes ?? []) consumers.delete(resource);
          if (lookEachTime) snap(graph);
        }
        const fresh = graphOf([...graph.records.values()].reverse(), [...consumers.values()].reverse());
        const [left, right] = [snap(graph), snap(fresh)];
        expect(left.keys).toEqual(right.keys);
        expect(left.consumers).toEqual(right.consumers);
        expect(left.incidents).toEqual(right.incidents);
        expect([...graph.referenced()].sort()).toEqual([...fresh.referenced()].sort());
        for (const resource of [...names, 'unwatched']) {
          expect(graph.dependents(resource)).toBe(fresh.dependents(resource));
        }
      }),
      SEEDED,
    );
  });

  it('telling the same records again changes no view', () => {
    fc.assert(
      fc.property(graphs, (records) => {
        const graph = graphOf(records);
        const before = snap(graph);
        graph.update(change({ upserts: records.map((record) => structuredClone(record)) }));
        expect(snap(graph).keys).toBe(before.keys);
      }),
      SEEDED,
    );
  });

  it('every view that a step did not concern is the same object after it', () => {
    fc.assert(
      fc.property(graphs, record, (records, changed) => {
        const graph = graphOf(records);
        const before = snap(graph);
        graph.update(change({ upserts: [changed] }));
        for (const view of snap(graph).keys) {
          const old = before.byResource.get(view.resource);
          if (old && JSON.stringify(old) === JSON.stringify(view)) expect(view).toBe(old);
        }
      }),
      SEEDED,
    );
  });
});
