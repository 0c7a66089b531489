/** What a source of several parts, or of a retired service, makes of a sweep. */
import { beforeEach, describe, expect, it } from 'vitest';
import { DAY, HOUR } from '../core/support/looks.ts';
import { account, clearCloud, cloud, failsWith, key, start } from './imagined.ts';

beforeEach(clearCloud);

describe('a listing of states', () => {
  it('counts as a look at everything that it shows unchanged', async () => {
    const at = start();
    key('a/1');
    account('acc', ['a/1']);
    expect(await at.sweep()).toEqual(['a/1', 'acc']);
    expect(await at.sweep()).toEqual([]);
    for (const view of [at.key('a/1'), at.consumer('acc')]) {
      expect(view).toMatchObject({ checkedAt: cloud.now, conclusiveAt: cloud.now });
    }
    key('a/1', { state: 'Disabled' });
    expect(await at.sweep()).toEqual(['a/1']);
  });

  it('does not count as a look at what it cannot settle', async () => {
    const at = start();
    key('a/1');
    await at.sweep();
    const seen = at.key('a/1')?.checkedAt;
    cloud.unreadable.add('a');
    await at.sweep();
    expect(at.key('a/1')).toMatchObject({ checkedAt: seen, health: 'accessible' });
  });
});

describe('a part that cannot be read', () => {
  it('proves nothing missing, while the others go on', async () => {
    const at = start();
    for (const name of ['a/1', 'a/2', 'b/1']) key(name);
    await at.sweep();
    cloud.unreadable.add('a');
    cloud.keys.delete('a/1');
    cloud.keys.delete('b/1');
    expect(await at.sweep()).toEqual(['b/1']);
    expect(at.records.at(-1)?.up).toBe(true);
    expect(at.key('a/1')?.health).toBe('accessible');
  });

  it('does not end the source, however many looks at it fail on the way', async () => {
    const at = start();
    for (const name of ['a/1', 'a/2', 'a/3', 'a/4', 'b/1']) key(name);
    await at.sweep();
    for (const name of ['a/1', 'a/2', 'a/3', 'a/4']) cloud.keys.set(name, failsWith('dns'));
    await at.sweep();
    await at.sweep();
    await at.sweep();
    expect(at.records.at(-1)?.up).toBe(true);
    expect(at.key('a/1')).toMatchObject({ health: 'accessible', blindReason: 'dns' });
    expect(at.key('b/1')?.blindSince).toBeUndefined();
  });

  it('that is the whole source makes it down, and what else was listed is looked at all the same', async () => {
    const at = start();
    key('a/1');
    await at.sweep();
    key('a/1', { state: 'Disabled' });
    cloud.failed = 'denied';
    expect(await at.sweep()).toEqual(['a/1']);
    expect(at.records.at(-1)).toMatchObject({ up: false, reason: 'denied' });
    await at.sweep();
    expect(at.key('a/1')?.health).toBe('inaccessible');
  });
});

describe('a source that fails and works again', () => {
  it('says since when it works', async () => {
    const at = start();
    await at.sweep();
    expect(at.records.at(-1)).not.toHaveProperty('upSince');
    cloud.listingFails = 'timeout';
    await at.sweep();
    cloud.listingFails = undefined;
    await at.sweep();
    const since = cloud.now;
    await at.sweep();
    expect(at.records.at(-1)).toMatchObject({ up: true, upSince: since });
  });
});

describe('a service that the cloud has retired', () => {
  it('is no trouble: the source is up, with nothing in it, and asks once a day', async () => {
    const at = start();
    cloud.listingFails = 'provider_retired';
    await at.sweep();
    const said = { up: true, reason: 'provider_retired', objects: 0, detectionBoundMs: DAY };
    expect(at.records).toMatchObject([said]);
    await at.sweep();
    expect(at.records).toMatchObject([said, said]);
    for (let hour = 1; hour < 24; hour += 1) await at.sweep(HOUR);
    expect(at.records).toHaveLength(2);
    await at.sweep(HOUR);
    expect(at.records).toHaveLength(3);
    cloud.listingFails = undefined;
    key('a/1');
    await at.sweep(DAY);
    expect(at.records.at(-1)).toMatchObject({ up: true, objects: 1 });
    expect(at.records.at(-1)).not.toHaveProperty('reason');
  });

  it('is believed only where nothing was listed: what is there is not retired', async () => {
    const at = start();
    key('a/1');
    await at.sweep();
    cloud.failed = 'provider_retired';
    for (let times = 0; times < 3; times++) await at.sweep();
    expect(at.records.at(-1)).toMatchObject({ up: false, reason: 'provider_retired' });
    expect(at.key('a/1')).toMatchObject({ health: 'accessible', checkedAt: cloud.now });
  });

  it('takes its records along only when it says so twice', async () => {
    const at = start();
    account('acc', []);
    await at.sweep();
    cloud.listingFails = 'provider_retired';
    await at.sweep();
    expect(at.consumer('acc')).toBeDefined();
    await at.sweep();
    expect(at.consumer('acc')).toBeUndefined();
    expect(cloud.events).toEqual([]);
  });
});
