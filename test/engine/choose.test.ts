import { describe, expect, it } from 'vitest';
import type { KeyRecord, KeyStub } from '../../src/core/model.ts';
import { type ChooseInput, startChoice } from '../../src/engine/choose.ts';

const NOW = Date.UTC(2026, 10, 22);
const MINUTE = 60_000;

function stub(name: string): KeyStub {
  const resource = `arn:aws:kms:eu-west-1:111122223333:key/${name}`;
  return { resource, kind: 'aws-kms-key', name, provider: 'aws', account: '111122223333', location: 'eu-west-1' };
}

function record(name: string, overrides: Partial<KeyRecord> = {}): KeyRecord {
  return {
    resource: stub(name).resource,
    stub: stub(name),
    firstSeenAt: NOW - 100 * MINUTE,
    belief: { verdict: { status: 'accessible' }, since: NOW - 100 * MINUTE, baseline: false },
    inconclusive: 0,
    versionChanges: 0,
    pastVersions: [],
    findings: [],
    checkedAt: NOW - MINUTE,
    conclusiveAt: NOW - MINUTE,
    evidence: { operation: 'DescribeKey' },
    witnesses: [],
    digest: 'same',
    ...overrides,
  };
}

function choose(
  listing: ChooseInput['listing'],
  listed: string[],
  records: KeyRecord[],
  rest: Partial<ChooseInput> = {},
) {
  const known = new Map(records.map((one) => [one.resource, one]));
  const choice = startChoice({
    listing,
    known: (resource) => known.get(resource),
    critical: () => false,
    dependents: () => 0,
    describeEveryMs: 15 * MINUTE,
    capacity: 1_000,
    now: NOW,
    ...rest,
  });
  // In two pages, as listings come.
  const items = listed.map((name) => ({ stub: stub(name), digest: 'same' }));
  choice.page(items.slice(0, 1));
  choice.page(items.slice(1));
  const missing = records.filter(({ resource }) => !choice.listed.has(resource));
  return choice.looks(missing).map((look) => `${look.stub.name} ${look.why}`);
}

describe('what a sweep describes', () => {
  it('is, by a listing of ids, everything', () => {
    expect(choose('ids', ['a', 'b'], [record('a'), record('b')])).toEqual(['a in_turn', 'b in_turn']);
  });

  it.each(['state', 'lagging'] as const)(
    'is, by a %s listing, only what is new, changed, suspect or missing',
    (listing) => {
      const records = [
        record('calm'),
        record('changed', { digest: 'before' }),
        record('doubtful', { inconclusive: 1, inconclusiveReason: 'timeout' }),
        record('pending', {
          pending: { verdict: { status: 'inaccessible', reason: 'disabled' }, seen: 1, firstAt: NOW - MINUTE },
        }),
        record('gone'),
      ];
      expect(choose(listing, ['calm', 'changed', 'doubtful', 'pending', 'fresh'], records).sort()).toEqual([
        'changed changed',
        'doubtful suspect',
        'fresh new',
        'gone missing',
        'pending suspect',
      ]);
    },
  );

  it('is, by a lagging listing, also what is critical and what was not seen for a while', () => {
    const records = [record('calm'), record('critical'), record('long-ago', { checkedAt: NOW - 15 * MINUTE })];
    const critical = ({ name }: KeyStub) => name === 'critical';
    const names = ['calm', 'critical', 'long-ago'];
    expect(choose('lagging', names, records, { critical })).toEqual(['critical critical', 'long-ago in_turn']);
    expect(choose('state', names, records, { critical })).toEqual([]);
  });

  it('includes a blind key every time, because no listing says that it can be seen again', () => {
    const blind = record('blind', { inconclusive: 5, blindSince: NOW - MINUTE, blindReason: 'denied' });
    expect(choose('state', ['blind'], [blind])).toEqual(['blind unsettled']);
  });

  it('takes suspects and missing keys first, then what matters, then turns, longest unseen first', () => {
    const records = [
      record('turn-late', { checkedAt: NOW - 2 * MINUTE }),
      record('turn-early', { checkedAt: NOW - 9 * MINUTE }),
      record('used'),
      record('critical'),
      record('suspect', { inconclusive: 1, inconclusiveReason: 'denied' }),
      record('missing'),
    ];
    const order = choose('ids', ['turn-late', 'turn-early', 'used', 'critical', 'suspect', 'new'], records, {
      critical: ({ name }) => name === 'critical',
      dependents: (resource) => (resource.endsWith('/used') ? 3 : 0),
    });
    expect(order).toEqual([
      'suspect suspect',
      'missing missing',
      'new new',
      'critical critical',
      'used used',
      'turn-early in_turn',
      'turn-late in_turn',
    ]);
  });

  it('stays within the budget, but never leaves out a suspect or a missing key', () => {
    const records = Array.from({ length: 10 }, (_, at) => record(`k${at}`, { checkedAt: NOW - at * MINUTE }));
    const names = records.map((one) => one.stub.name);
    expect(choose('ids', names, records, { capacity: 3 })).toEqual(['k9 in_turn', 'k8 in_turn', 'k7 in_turn']);
    const suspects = records.map((one) => ({ ...one, inconclusive: 1, inconclusiveReason: 'timeout' as const }));
    expect(choose('ids', names, suspects, { capacity: 3 })).toHaveLength(10);
    expect(choose('ids', [], records, { capacity: 3 })).toHaveLength(10);
  });

  it('comes round to every key within as many sweeps as the budget needs', () => {
    let records = Array.from({ length: 100 }, (_, at) => record(`k${at}`));
    const seen = new Set<string>();
    for (let round = 0; round < 10; round += 1) {
      const looks = choose(
        'ids',
        records.map((one) => one.stub.name),
        records,
        { capacity: 10 },
      );
      for (const look of looks) seen.add(look.split(' ')[0] ?? '');
      records = records.map((one) =>
        looks.includes(`${one.stub.name} in_turn`) ? { ...one, checkedAt: NOW + round } : one,
      );
    }
    expect(seen.size).toBe(100);
  });

  it('comes round to what nothing depends on, too, where the budget does not reach for what is used', () => {
    let records = Array.from({ length: 60 }, (_, at) => record(`k${at}`));
    const unused = records.slice(50).map((one) => one.resource);
    const seen = new Set<string>();
    for (let round = 1; round <= 30; round += 1) {
      const names = records.map((one) => one.stub.name);
      const dependents = (resource: string) => (unused.includes(resource) ? 0 : 1);
      const looks = choose('ids', names, records, { capacity: 20, dependents });
      expect(looks).toHaveLength(20);
      expect(looks.filter((look) => look.endsWith(' used')).length).toBeGreaterThanOrEqual(18);
      for (const look of looks) seen.add(look.split(' ')[0] ?? '');
      const looked = new Set(looks.map((look) => look.split(' ')[0]));
      records = records.map((one) => (looked.has(one.stub.name) ? { ...one, checkedAt: NOW + round } : one));
    }
    expect(seen.size).toBe(60);
  });

  it('describes an object once that a listing shows twice', () => {
    expect(choose('ids', ['a', 'a'], [])).toEqual(['a new']);
  });
});

describe('a listing that tells all that a look would', () => {
  const facts = (name: string) => ({
    consumer: { ...stub(name), kind: 'codebuild-project' as const, tags: {}, uses: [], attributes: {} },
    evidence: { operation: 'BatchGetProjects' },
  });
  const input: ChooseInput = {
    listing: 'state',
    known: (resource) =>
      [record('same'), record('changed'), record('suspect', { inconclusive: 1 })].find(
        (one) => one.resource === resource,
      ),
    critical: () => false,
    dependents: () => 0,
    describeEveryMs: 15 * MINUTE,
    capacity: 1,
    now: NOW,
  };
  const names = ['same', 'changed', 'suspect', 'new', 'new2'];
  const page = (told: boolean) =>
    names.map((name) => ({
      stub: stub(name),
      digest: name === 'changed' ? 'other' : 'same',
      ...(told && { told: facts(name) }),
    }));

  it('costs no look, whatever the capacity, and what did not change is unchanged all the same', () => {
    const choice = startChoice(input);
    const { unchanged, told } = choice.page(page(true));
    expect(unchanged).toEqual([stub('same').resource]);
    expect(told.map((one) => one.stub.name)).toEqual(['changed', 'suspect', 'new', 'new2']);
    expect(told[0]).toEqual({ stub: stub('changed'), digest: 'other', told: facts('changed') });
    expect(choice.looks([record('missing')]).map((look) => look.why)).toEqual(['missing']);
    // Listed twice, told once.
    expect(choice.page(page(true)).told).toEqual([]);
  });

  it('that does not costs the looks', () => {
    const choice = startChoice(input);
    expect(choice.page(page(false)).told).toEqual([]);
    expect(choice.looks([]).map((look) => look.why)).toEqual(['suspect']);
  });
});
