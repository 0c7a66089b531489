/** What becomes of what holds keys, and of consumers, in the ledger. */
import { beforeEach, describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE, POLICY, T0 } from '../core/support/looks.ts';
import { account, clearCloud, cloud, failsWith, key, signal, start } from './imagined.ts';

beforeEach(clearCloud);

describe('what holds keys, and is gone for good', () => {
  const held = { dependsOn: [{ anyOf: ['vaults/v'], role: 'holds' }] };

  it('ends with all that it held: nobody can look at that any more', async () => {
    const at = start();
    key('vaults/v');
    for (const name of ['v/1', 'v/2']) key(name, held);
    await at.sweep();
    cloud.keys.delete('vaults/v');
    cloud.unreadable.add('v');
    await at.sweep();
    await at.sweep();
    expect(at.key('v/1')).toMatchObject({ health: 'inaccessible', rootCauses: ['vaults/v'] });
    await at.sweep(POLICY.forgetAfterMs);
    expect(at.ledger.snapshot.keys).toEqual([]);
    const removed = cloud.events.map(({ type, resource }) => [type, resource]).sort();
    expect(removed).toEqual(['v/1', 'v/2', 'vaults/v'].map((resource) => ['removed', resource]));
  });

  it('stays as long as somebody needs one of its keys', async () => {
    const at = start();
    key('vaults/v');
    key('v/1', held);
    account('acc', ['v/1']);
    await at.sweep();
    cloud.keys.delete('vaults/v');
    cloud.unreadable.add('v');
    for (let day = 0; day < 10; day++) await at.sweep(DAY);
    expect(at.key('vaults/v')?.health).toBe('inaccessible');
    expect(at.consumer('acc')).toMatchObject({ health: 'impaired', rootCauses: ['vaults/v'] });
  });
});

describe('a consumer', () => {
  const wrongType = { id: 'media-services.key-type', severity: 'critical', summary: 'An EC key.' } as const;

  it('is judged again when a key that it uses changes, and when a date passes', async () => {
    cloud.judge = (_facts, lookup, now) => {
      if (lookup('a/1')?.spec === 'EC') return { findings: [wrongType] };
      return now < T0 + HOUR
        ? { findings: [], until: T0 + HOUR }
        : { findings: [{ ...wrongType, id: 'media-services.late' }] };
    };
    const at = start();
    account('acc', ['a/1']);
    key('a/1', { spec: 'EC' });
    await at.sweep();
    expect(at.consumer('acc')).toMatchObject({ health: 'at_risk', findings: [{ id: wrongType.id }] });
    expect(cloud.events.map(({ type }) => type)).toEqual(['first_seen', 'first_seen']);

    key('a/1', { spec: 'RSA' });
    await at.sweep();
    expect(cloud.events).toMatchObject([{ type: 'finding_closed', resource: 'acc', to: wrongType.id }]);
    expect(cloud.described).toEqual(['a/1']);

    cloud.now = T0 + HOUR;
    await at.ledger.tick();
    expect(at.consumer('acc')?.findings).toMatchObject([{ id: 'media-services.late', since: T0 + HOUR }]);
  });

  it('is looked at when its rules begin to suspect it, and believed impaired when looks confirm it', async () => {
    cloud.judge = (_facts, lookup) => {
      const state = lookup('a/1')?.attributes.grant;
      return { findings: [], ...(state === false && { impairment: 'access_revoked' as const }) };
    };
    const at = start();
    key('a/1');
    account('acc', ['a/1']);
    await at.sweep();
    key('a/1', { attributes: { grant: false } });
    await at.sweep();
    expect(cloud.wanted).toEqual(['acc']);
    expect(at.consumer('acc')?.health).toBe('ok');
    cloud.now += 1_000;
    await at.source.lookAt(['acc'], signal);
    // What its keys told is looked at again too, before it is believed.
    expect(cloud.wanted).toEqual(['acc', 'a/1']);
    cloud.now += 1_000;
    await at.source.lookAt(['acc'], signal);
    expect(at.consumer('acc')).toMatchObject({ health: 'impaired', reason: 'access_revoked', since: T0 + 2 * MINUTE });
  });

  it('is asked for as soon as its key seems lost, so that its own end comes before that loss', async () => {
    const at = start();
    key('a/1');
    account('acc', ['a/1']);
    await at.sweep();
    key('a/1', { state: 'Disabled' });
    await at.sweep();
    expect(cloud.wanted).toEqual(['acc']);
    cloud.consumers.set('acc', failsWith('not_found'));
    cloud.now += 1_000;
    await at.source.lookAt(['acc'], signal);
    expect(at.key('a/1')?.consumers).toBe(0);
    expect(await at.sweep(5_000)).toEqual(['a/1', 'acc']);
    expect(at.consumer('acc')).toBeUndefined();
    expect(at.ledger.snapshot.incidents).toMatchObject([{ root: 'a/1', consumers: [] }]);
  });

  it('tells the listing which versions are in use', async () => {
    const at = start();
    key('a/1');
    account('acc', [], { uses: [{ resource: 'a/1', role: 'encrypts', versionInUse: 'v1' }] });
    await at.sweep();
    expect(at.ledger.versionsInUse('a/1')).toEqual(['v1']);
    expect(at.ledger.versionsInUse('elsewhere')).toEqual([]);
  });
});
