import { describe, expect, it } from 'vitest';
import { change, finding, graphOf, key, keyIn, lostSince, neverKnown, OPTIONS, snap } from './support/graphs.ts';
import { T0 } from './support/looks.ts';

describe('a key by itself', () => {
  it('is accessible since it is believed to be', () => {
    expect(keyIn(graphOf([key('k')]), 'k')).toMatchObject({
      health: 'accessible',
      since: T0,
      own: { status: 'accessible', since: T0 },
      rootCauses: [],
    });
    expect(keyIn(graphOf([key('k')]), 'k')).not.toHaveProperty('reason');
  });

  it('is inaccessible by its own reason, with the command that undoes it', () => {
    const options = {
      ...OPTIONS,
      remedy: (reason: string, facts: { name: string }) => `undo ${reason} of ${facts.name}`,
    };
    const graph = graphOf([key('k', lostSince(T0 + 1)), key('s', { needs: [['k']] })], [], options);
    expect(keyIn(graph, 'k')).toMatchObject({
      health: 'inaccessible',
      reason: 'disabled',
      since: T0 + 1,
      own: { status: 'inaccessible', reason: 'disabled', since: T0 + 1 },
      rootCauses: [],
      undo: 'undo disabled of k',
    });
    expect(keyIn(graph, 's')).not.toHaveProperty('undo');
  });

  it('is unknown with the reason of its last look if nothing conclusive was ever known', () => {
    expect(keyIn(graphOf([neverKnown('k', 'throttled')]), 'k')).toMatchObject({
      health: 'unknown',
      reason: 'throttled',
      since: T0,
      rootCauses: [],
    });
    const { inconclusiveReason, ...untouched } = neverKnown('k');
    const view = keyIn(graphOf([untouched]), 'k');
    expect(view).toMatchObject({ health: 'unknown', reason: 'never_checked' });
    expect(view).not.toHaveProperty('own');
  });

  it('is degraded since its first finding that is more than information', () => {
    const findings = [finding('info', T0 - 5), finding('critical', T0 + 3), finding('warning', T0 + 2)];
    expect(keyIn(graphOf([key('k', { findings })]), 'k')).toMatchObject({
      health: 'degraded',
      reason: 'finding',
      since: T0 + 2,
    });
    expect(keyIn(graphOf([key('k', { findings: [finding('info', T0)] })]), 'k').health).toBe('accessible');
  });

  it('stays what is believed while it is blind', () => {
    const blind = { blindSince: T0 + 5, blindReason: 'timeout', inconclusive: 3 } as const;
    const graph = graphOf([key('a', blind), key('b', { ...blind, ...lostSince(T0) })]);
    expect(keyIn(graph, 'a')).toMatchObject({ health: 'accessible', blindSince: T0 + 5, blindReason: 'timeout' });
    expect(keyIn(graph, 'b')).toMatchObject({ health: 'inaccessible', blindSince: T0 + 5, blindReason: 'timeout' });
    expect(keyIn(graph, 'a')).not.toHaveProperty('blindRoots');
  });

  it('is critical if policy names it, and knows its targets', () => {
    const witness = { service: 'kms', location: 'eu-west-1', at: T0, conclusive: true };
    const witnesses = ['b', 'a', 'b'].map((target) => ({ ...witness, target }));
    const options = { ...OPTIONS, policy: { ...OPTIONS.policy, critical: ['prod/*'] } };
    const graph = graphOf([key('prod/k', { witnesses }), key('test/k')], [], options);
    expect(keyIn(graph, 'prod/k')).toMatchObject({ critical: true, targets: ['a', 'b'] });
    expect(keyIn(graph, 'test/k').critical).toBe(false);
  });
});

describe('a key that needs another', () => {
  const lost = key('k', lostSince(T0 + 7));

  it('is inaccessible by dependency while that one is lost, and says since when and why', () => {
    expect(keyIn(graphOf([key('s', { needs: [['k']] }), lost]), 's')).toMatchObject({
      health: 'inaccessible',
      reason: 'dependency',
      since: T0 + 7,
      rootCauses: ['k'],
      own: { status: 'accessible' },
      dependsOn: ['k'],
    });
  });

  it('names the root, not what lies in between', () => {
    const graph = graphOf([key('a', { needs: [['b']] }), key('b', { needs: [['k']] }), lost]);
    expect(keyIn(graph, 'a')).toMatchObject({ health: 'inaccessible', rootCauses: ['k'] });
  });

  it('keeps its own reason if it is lost by itself too', () => {
    expect(keyIn(graphOf([key('s', { needs: [['k']], ...lostSince(T0 + 1, 'not_found') }), lost]), 's')).toMatchObject({
      reason: 'not_found',
      since: T0 + 1,
      rootCauses: [],
    });
  });

  it('is inaccessible even if it was never known itself', () => {
    const { facts } = key('s', { needs: [['k']] });
    const graph = graphOf([neverKnown('s', 'denied', { ...(facts && { facts }) }), lost]);
    expect(keyIn(graph, 's')).toMatchObject({ health: 'inaccessible', reason: 'dependency' });
  });

  it('is unknown while that one was never known, with its reason', () => {
    const graph = graphOf([
      key('s', { needs: [['k']], findings: [finding('critical', T0)] }),
      neverKnown('k', 'denied'),
    ]);
    expect(keyIn(graph, 's')).toMatchObject({ health: 'unknown', reason: 'denied', rootCauses: ['k'] });
  });

  it('follows that one when its looks fail for another reason', () => {
    const graph = graphOf([key('s', { needs: [['k']] }), neverKnown('k', 'denied')]);
    graph.update({ upserts: [neverKnown('k', 'throttled')], deletes: [] });
    expect(keyIn(graph, 's').reason).toBe('throttled');
  });

  it('is no worse for one that is merely degraded, blind or not watched', () => {
    const blind = { blindSince: T0, blindReason: 'denied', inconclusive: 3 } as const;
    const graph = graphOf([
      key('a', { needs: [['degraded'], ['blind'], ['someone-elses']] }),
      key('degraded', { findings: [finding('critical', T0)] }),
      key('blind', blind),
    ]);
    expect(keyIn(graph, 'a')).toMatchObject({ health: 'accessible', dependsOn: ['degraded', 'blind'] });
    expect(keyIn(graph, 'a')).not.toHaveProperty('blindSince');
  });
});

describe('a key that needs any one of several', () => {
  const one = key('one', lostSince(T0 + 1));
  const two = key('two', lostSince(T0 + 2));
  const secret = key('s', { needs: [['one', 'two']] });

  it('is lost once all of them are, since the last one went, with all their roots', () => {
    expect(keyIn(graphOf([secret, one, two]), 's')).toMatchObject({
      health: 'inaccessible',
      since: T0 + 2,
      rootCauses: ['one', 'two'],
    });
  });

  it('is accessible while one of them is', () => {
    expect(keyIn(graphOf([secret, one, key('two')]), 's').health).toBe('accessible');
  });

  it('is accessible while one of them is not watched: nothing speaks against that one', () => {
    expect(keyIn(graphOf([secret, one]), 's').health).toBe('accessible');
    expect(keyIn(graphOf([secret, neverKnown('one')]), 's').health).toBe('accessible');
  });

  it('is unknown, because of that one, while the last hope was never known', () => {
    const graph = graphOf([secret, one, neverKnown('two', 'denied')]);
    expect(keyIn(graph, 's')).toMatchObject({ health: 'unknown', reason: 'denied', rootCauses: ['two'] });
  });

  it('is not lost by an empty group', () => {
    expect(keyIn(graphOf([key('s', { needs: [[]] })]), 's').health).toBe('accessible');
  });

  it('is lost since the first of its needs could not be met', () => {
    const graph = graphOf([key('s', { needs: [['two'], ['one']] }), one, two]);
    expect(keyIn(graph, 's')).toMatchObject({ since: T0 + 1, rootCauses: ['one', 'two'] });
  });
});

describe('cycles and dangling names', () => {
  it('do no harm by themselves', () => {
    const graph = graphOf([
      key('a', { needs: [['b']] }),
      key('b', { needs: [['a']] }),
      key('self', { needs: [['self']] }),
      key('dangling', { needs: [['nowhere']] }),
    ]);
    for (const resource of ['a', 'b', 'self', 'dangling']) expect(keyIn(graph, resource).health).toBe('accessible');
    expect(keyIn(graph, 'self').dependsOn).toEqual([]);
    expect(keyIn(graph, 'a').consumers).toBe(1);
  });

  it('spread a loss to the whole cycle once, with the right root', () => {
    const needs = { a: [['b']], b: [['c']], c: [['a'], ['k']] };
    const cycle = Object.entries(needs).map(([resource, needs]) => key(resource, { needs }));
    const graph = graphOf([...cycle, key('k', lostSince(T0 + 9))]);
    for (const resource of ['a', 'b', 'c']) {
      expect(keyIn(graph, resource)).toMatchObject({ health: 'inaccessible', since: T0 + 9, rootCauses: ['k'] });
    }
    graph.update({ upserts: [key('k')], deletes: [] });
    for (const resource of ['a', 'b', 'c']) expect(keyIn(graph, resource).health).toBe('accessible');
  });
});

describe('a key held by a vault', () => {
  const vault = key('vault', { blindSince: T0 + 5, blindReason: 'denied', inconclusive: 3 });
  const held = (parts = {}) => key('k', { needs: [['vault']], role: 'holds', ...parts });

  it('is blind through it, with its root there', () => {
    expect(keyIn(graphOf([vault, held()]), 'k')).toMatchObject({
      health: 'accessible',
      blindSince: T0 + 5,
      blindReason: 'denied',
      blindRoots: ['vault'],
    });
  });

  it('is not blind if it was seen since', () => {
    expect(keyIn(graphOf([vault, held({ conclusiveAt: T0 + 6 })]), 'k')).not.toHaveProperty('blindSince');
  });

  it('says since when it is blind itself, and still names the vault', () => {
    const own = { blindSince: T0 + 6, blindReason: 'timeout', inconclusive: 3, conclusiveAt: T0 + 5 } as const;
    expect(keyIn(graphOf([vault, held(own)]), 'k')).toMatchObject({
      blindSince: T0 + 6,
      blindReason: 'timeout',
      blindRoots: ['vault'],
    });
    expect(keyIn(graphOf([key('vault'), held(own)]), 'k')).not.toHaveProperty('blindRoots');
  });

  it('sees again when the vault does', () => {
    const graph = graphOf([vault, held()]);
    graph.update({ upserts: [key('vault')], deletes: [] });
    expect(keyIn(graph, 'k')).not.toHaveProperty('blindSince');
  });
});

describe('a failed decryption', () => {
  const failed = (parts = {}) => key('s', { needs: [['k']], ...lostSince(T0 + 9, 'decrypt_failed'), ...parts });

  it('is the symptom of a lost key, which then is the one root and the one incident', () => {
    const graph = graphOf([key('k', lostSince(T0 + 1)), failed()]);
    expect(keyIn(graph, 's')).toMatchObject({ reason: 'dependency', rootCauses: ['k'], since: T0 + 1 });
    expect(snap(graph).incidents).toMatchObject([{ root: 'k', keys: ['s'] }]);
  });

  it('is a loss by itself while the key looks well or cannot be seen', () => {
    for (const graph of [graphOf([key('k'), failed()]), graphOf([failed()]), graphOf([neverKnown('k'), failed()])]) {
      expect(keyIn(graph, 's')).toMatchObject({ health: 'inaccessible', reason: 'decrypt_failed', rootCauses: [] });
      expect(snap(graph).incidents).toMatchObject([{ root: 's' }]);
    }
  });

  it('becomes a root of its own, and a symptom again, as its own reason changes', () => {
    const graph = graphOf([key('k', lostSince(T0 + 1)), failed()]);
    graph.update(change({ upserts: [failed(lostSince(T0 + 9, 'pending_deletion'))] }));
    expect(keyIn(graph, 's')).toMatchObject({ reason: 'pending_deletion', rootCauses: [] });
    expect(snap(graph).incidents.map(({ root }) => root)).toEqual(['k', 's']);
    graph.update(change({ upserts: [failed()] }));
    expect(keyIn(graph, 's')).toMatchObject({ reason: 'dependency', rootCauses: ['k'] });
    expect(snap(graph).incidents.map(({ root }) => root)).toEqual(['k']);
  });
});
