import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createOrdered, type Placed } from '../../src/core/ordered.ts';

type Node = Placed<string>;
const node = (resource: string): Node => ({ resource, view: resource, index: -1 });

/** `k` and numbers: as text, not as numbers, is the order. */
const some = (count: number, step: number) => Array.from({ length: count }, (_, n) => node(`k${(n * step) % count}`));

describe('views in order', () => {
  it.each([
    ['in order', 1],
    ['in disorder', 7_919],
  ])('are the same in steps as at once, when they come %s', (_how, step) => {
    const [slow, fast] = [createOrdered<string, Node>(), createOrdered<string, Node>()];
    for (const one of some(10_000, step)) fast.add(one);
    let steps = 0;
    for (const _ of slow.fill(some(10_000, step))) steps += 1;
    expect(steps).toBeGreaterThanOrEqual(5);
    expect(slow.views()).toEqual(fast.views());
    expect(fast.views()).toEqual(
      some(10_000, 1)
        .map(({ resource }) => resource)
        .sort(),
    );
  });

  it('are patched where one changed, and what was given out stays as it was', () => {
    const ordered = createOrdered<string, Node>();
    const [b, a] = [node('b'), node('a')];
    ordered.add(b);
    ordered.add(a);
    const first = ordered.views();
    b.view = 'B';
    ordered.changed(b);
    expect([first, ordered.views()]).toEqual([
      ['a', 'b'],
      ['a', 'B'],
    ]);
    expect(ordered.views()).toBe(ordered.views());
  });

  it('are in order whatever is added, removed and added again', () => {
    const name = fc.constantFrom('a', 'b', 'c', 'd', 'e');
    const turn = fc.record({ add: fc.uniqueArray(name), remove: fc.uniqueArray(name), look: fc.boolean() });
    fc.assert(
      fc.property(fc.array(turn), (turns) => {
        const ordered = createOrdered<string, Node>();
        const there = new Map<string, Node>();
        for (const { add, remove, look } of turns) {
          for (const one of remove) {
            const known = there.get(one);
            if (known) ordered.remove(known);
            there.delete(one);
          }
          for (const one of add.filter((resource) => !there.has(resource))) {
            const fresh = node(one);
            there.set(one, fresh);
            ordered.add(fresh);
          }
          if (look) expect(ordered.views()).toEqual([...there.keys()].sort());
        }
        expect(ordered.views()).toEqual([...there.keys()].sort());
      }),
      { seed: 20260101 },
    );
  });
});
