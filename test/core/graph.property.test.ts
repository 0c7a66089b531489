import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { GraphChange } from '../../src/core/graph.ts';
import type { ConsumerRecord, KeyRecord } from '../../src/core/model.ts';
import { isTroubled } from '../../src/core/snapshot.ts';
import { firing, snapshotOf } from './support/alerts.ts';
import { change, consumer, finding, graphOf, key, lostSince, neverKnown, snap } from './support/graphs.ts';
import { T0 } from './support/looks.ts';
import { reference } from './support/reference.ts';

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
  .record({
    resource: fc.constantFrom('flow-1', 'flow-2'),
    names: fc.uniqueArray(fc.oneof({ weight: 6, arbitrary: ref }, { weight: 2, arbitrary: fc.constant('s') }), {
      maxLength: 3,
    }),
    trouble: fc.constantFrom('none', 'none', 'reported', 'finding'),
    since: fc.integer({ min: T0, max: T0 + 5 }),
  })
  .map(({ resource, names, trouble, since }) =>
    consumer(resource, names, {
      ...(trouble === 'reported' && { impairment: { reason: 'reported_by_service', since } }),
      ...(trouble === 'finding' && { findings: [finding('warning', since)] }),
    }),
  );

/**
 * Secrets whose reads fail. Nothing but consumers depends on a secret, so there is no circle of keys that all do no more
 * than fail with one another.
 */
const symptom: fc.Arbitrary<KeyRecord> = fc
  .record({ resource: fc.constantFrom('s', 't'), needs, since: fc.integer({ min: T0, max: T0 + 5 }) })
  .map(({ resource, needs, since }) => key(resource, { needs, ...lostSince(since, 'decrypt_failed') }));

const graphs = fc.uniqueArray(fc.oneof({ weight: 6, arbitrary: record }, { weight: 1, arbitrary: symptom }), {
  maxLength: 9,
  selector: (key) => key.resource,
});
const changes: fc.Arbitrary<readonly GraphChange[]> = fc.array(
  fc
    .record({
      upserts: graphs,
      deletes: fc.uniqueArray(name, { maxLength: 2 }),
      consumers: fc.record({
        upserts: fc.uniqueArray(uses, { maxLength: 2, selector: (consumer) => consumer.resource }),
        deletes: fc.subarray(['flow-1', 'flow-2'], { maxLength: 1 }),
      }),
    })
    .map(change),
  { minLength: 1, maxLength: 6 },
);
const users = fc.uniqueArray(uses, { maxLength: 2, selector: (one) => one.resource });

describe('for every graph, cycles and dangling names included', () => {
  it('losses, ignorance and roots are what the rules say', () => {
    fc.assert(
      fc.property(graphs, (records) => {
        const graph = graphOf(records);
        const expected = reference(records, [], graph.resolve).keys;
        for (const { resource, health, rootCauses } of snap(graph).keys) {
          const state = health === 'inaccessible' ? 'lost' : health === 'unknown' ? 'unknown' : 'fine';
          expect({ resource, state, roots: rootCauses }).toEqual({ resource, ...expected.get(resource) });
        }
      }),
      SEEDED,
    );
  });

  it('consumers are what the rules say, and name every root that hits them', () => {
    fc.assert(
      fc.property(graphs, users, (records, consumers) => {
        const graph = graphOf(records, consumers);
        const expected = reference(records, consumers, graph.resolve).consumers;
        for (const { resource, health, reason, rootCauses } of snap(graph).consumers) {
          expect({ resource, health, reason, roots: rootCauses }).toEqual({ resource, ...expected.get(resource) });
        }
      }),
      SEEDED,
    );
  });

  it('each cause is one incident, and what several hit stands in all of them', () => {
    fc.assert(
      fc.property(graphs, users, (records, consumers) => {
        const graph = graphOf(records, consumers);
        const { incidents } = snap(graph);
        const told = incidents.map(({ root, keys, consumers }) => ({ root, keys, consumers }));
        expect(told).toEqual(reference(records, consumers, graph.resolve).incidents);
      }),
      SEEDED,
    );
  });

  it('there is one alert for each cause, and none for what is lost through others', () => {
    fc.assert(
      fc.property(graphs, users, (keys, consumers) => {
        const { incidents } = snapshotOf({ keys, consumers });
        const paged = firing({ keys, consumers }).filter(
          ({ labels }) => labels.alertname === 'KeyvigilKeyInaccessible',
        );
        expect(paged.map(({ labels }) => labels.resource)).toEqual(incidents.map(({ root }) => root));
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
        expect(left.troubled).toEqual(left.keys.filter(isTroubled));
        expect([...graph.referenced()].sort()).toEqual([...fresh.referenced()].sort());
        for (const resource of [...names, 'unwatched']) {
          expect(graph.dependents(resource)).toBe(fresh.dependents(resource));
        }
      }),
      SEEDED,
    );
  });

  it('loading everything in steps gives what telling it at once gives, and goes on from there', () => {
    fc.assert(
      fc.property(graphs, users, changes, (records, consumers, later) => {
        const [loaded, told] = [graphOf([]), graphOf(records, consumers)];
        for (const _ of loaded.load({ upserts: records, consumers: { upserts: consumers, deletes: [] } }));
        for (const step of [change({}), ...later]) {
          for (const graph of [loaded, told]) graph.update(step);
          const [left, right] = [snap(loaded), snap(told)];
          expect(left.keys).toEqual(right.keys);
          expect(left.consumers).toEqual(right.consumers);
          expect(left.incidents).toEqual(right.incidents);
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
