import { describe, expect, it } from 'vitest';
import type { KeyRecord, KeyStub } from '../../src/core/model.ts';
import { startChoice } from '../../src/engine/choose.ts';
import { detectionBoundMs, lookCapacity, roundsOf } from '../../src/engine/detection.ts';

const MINUTE = 60_000;
const HOUR = 3_600_000;
const watch = {
  objects: 10,
  capacity: 100,
  intervalMs: MINUTE,
  pauseMs: MINUTE,
  sweepMs: 2_000,
  describeEveryMs: 15 * MINUTE,
};

describe('the worst detection time', () => {
  it.each([
    ['state', watch, MINUTE + 17_000],
    ['lagging', watch, MINUTE + 17_000 + 5 * MINUTE],
    ['lagging', { ...watch, describeEveryMs: 2 * MINUTE }, MINUTE + 17_000 + 2 * MINUTE],
    ['ids', watch, MINUTE + 17_000],
    ['ids', { ...watch, objects: 100 }, MINUTE + 17_000],
    ['ids', { ...watch, objects: 101 }, 2 * MINUTE + 17_000],
    ['ids', { ...watch, objects: 190 }, 10 * MINUTE + 17_000],
    ['ids', { ...watch, sweepMs: 90_000 }, 90_000 + 90_000 + 15_000],
    ['state', { ...watch, objects: 1_000_000 }, MINUTE + 17_000],
    ['state', { ...watch, pauseMs: 16 * HOUR }, 16 * HOUR + 17_000],
    ['ids', { ...watch, objects: 101, pauseMs: 16 * HOUR }, 16 * HOUR + MINUTE + 17_000],
    ['state', { ...watch, sweepMs: 90_000 }, 90_000 + 90_000 + 15_000],
  ] as const)('by a listing of %s', (listing, at, ms) => {
    expect(detectionBoundMs({ listing, ...at })).toBe(ms);
  });

  it('takes nine tenths of the budget for looks', () => {
    expect(lookCapacity(2000, 0.2, MINUTE)).toBe(21_600);
    expect(lookCapacity(0.01, 0.2, 1_000)).toBe(1);
  });
});

/** Sweeps `objects` keys of which the first `used` matter more, and gives the most sweeps that any went without a look. */
function longestUnseen(objects: number, capacity: number, used: number, sweeps: number): number {
  const stubs = Array.from({ length: objects }, (_, at): KeyStub => {
    const resource = `arn:aws:kms:eu-west-1:111122223333:key/${at}`;
    return {
      resource,
      kind: 'aws-kms-key',
      name: `${at}`,
      provider: 'aws',
      account: '111122223333',
      location: 'eu-west-1',
    };
  });
  const seen = new Map(stubs.map(({ resource }) => [resource, 0]));
  let longest = 0;
  for (let sweep = 1; sweep <= sweeps; sweep += 1) {
    const choice = startChoice({
      listing: 'ids',
      known: (resource) => recordOf(stubs, resource, seen.get(resource) ?? 0),
      critical: () => false,
      dependents: (resource) => (Number(resource.split('/')[1]) < used ? 1 : 0),
      describeEveryMs: MINUTE,
      capacity,
      now: sweep,
    });
    choice.page(stubs.map((stub) => ({ stub, digest: '' })));
    const looks = choice.looks([]);
    expect(looks.length).toBe(Math.min(objects, capacity));
    for (const { stub } of looks) seen.set(stub.resource, sweep);
    for (const at of seen.values()) longest = Math.max(longest, sweep - at);
  }
  // A key that was looked at in the sweep before is one sweep away from its next look.
  return longest + 1;
}

function recordOf(stubs: readonly KeyStub[], resource: string, checkedAt: number): KeyRecord {
  const stub = stubs[Number(resource.split('/')[1])]!;
  return {
    resource,
    stub,
    firstSeenAt: 0,
    belief: { verdict: { status: 'accessible' }, since: 0, baseline: false },
    inconclusive: 0,
    versionChanges: 0,
    pastVersions: [],
    findings: [],
    checkedAt,
    conclusiveAt: checkedAt,
    evidence: { operation: 'DescribeKey' },
    witnesses: [],
    digest: '',
  };
}

describe('the number of sweeps that every key has its turn in', () => {
  const cases = [1, 3, 9, 10, 25].flatMap((capacity) =>
    [capacity, capacity + 1, 2 * capacity, 3 * capacity + 1].flatMap((objects) =>
      [0, 1, Math.floor(0.9 * capacity), objects - 1, objects].map((used) => [objects, capacity, used] as const),
    ),
  );

  it.each(cases)('%i keys, %i looks, %i of the keys used', (objects, capacity, used) => {
    const rounds = roundsOf(objects, capacity);
    expect(longestUnseen(objects, capacity, used, 3 * rounds + 20)).toBeLessThanOrEqual(rounds);
  });

  it('is reached where the used ones take all that they may', () => {
    const [objects, capacity] = [48, 20];
    expect(longestUnseen(objects, capacity, 18, 100)).toBe(roundsOf(objects, capacity));
  });
});
