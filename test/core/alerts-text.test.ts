import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { alertsOfEvents } from '../../src/core/alerts/index.ts';
import type { KeyEvent } from '../../src/core/model.ts';
import { context, firing, one, snapshotOf } from './support/alerts.ts';
import { consumer, key, lostSince } from './support/graphs.ts';
import { MINUTE, T0 } from './support/looks.ts';

const HOSTILE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/u;

describe('the labels of an alert', () => {
  it('are exactly those of the contract, with the tags that are configured and there', () => {
    const lost = key('arn', {
      ...lostSince(T0),
      facts: { name: 'prod/db', tags: { CostCenter: '42', team: 'video', x: '1' } },
    });
    const alert = one(
      firing({ keys: [lost] }, T0, { tagLabels: ['CostCenter', 'team', 'absent'] }),
      'KeyvigilKeyInaccessible',
    );
    expect(alert.labels).toEqual({
      alertname: 'KeyvigilKeyInaccessible',
      severity: 'warning',
      origin: 'push',
      resource: 'arn',
      kind: 'aws-secret',
      provider: 'aws',
      account: '1',
      location: 'eu-west-1',
      name: 'prod/db',
      cost_center: '42',
      team: 'video',
    });
  });

  it('leave out what is empty', () => {
    const lost = key('arn', { ...lostSince(T0), facts: { account: '', tags: { team: '' } } });
    const { labels } = one(firing({ keys: [lost] }, T0, { tagLabels: ['team'] }), 'KeyvigilKeyInaccessible');
    expect(labels).not.toHaveProperty('account');
    expect(labels).not.toHaveProperty('team');
  });
});

describe('what an alert says', () => {
  it('names owners where a tag tells who that is', () => {
    const owned = consumer('live', ['root']);
    const consumers = [{ ...owned, facts: { ...owned.facts!, tags: { Team: 'video', Owner: 'ann' } } }];
    const alert = one(firing({ keys: [key('root', lostSince(T0))], consumers }), 'KeyvigilKeyInaccessible');
    expect(alert.annotations.affected).toBe('MediaConnect flow live (owner: ann)');
  });

  it('says what it means that a consumer does not work, once for each kind', () => {
    const consumers = [consumer('a', ['root']), consumer('b', ['root'])];
    const { annotations } = one(firing({ keys: [key('root', lostSince(T0))], consumers }), 'KeyvigilKeyInaccessible');
    expect(annotations.description?.match(/Whatever needs the key stops/g)).toHaveLength(1);
  });

  it('does not change with the time but where it says how long is left', () => {
    const dying = key('a', { ...lostSince(T0, 'soft_deleted'), facts: { deletionAt: T0 + 100 * 60 * MINUTE } });
    const world = { keys: [dying], consumers: [consumer('flow', ['a'])] };
    const [now] = firing(world, T0 + MINUTE);
    const [later] = firing(world, T0 + 60 * MINUTE);
    expect({ ...later, annotations: { ...later?.annotations, description: '' } }).toEqual({
      ...now,
      annotations: { ...now?.annotations, description: '' },
    });
  });

  it('drops a command that is too long to be whole', () => {
    const finding = { id: 'key-vault.not-yet-valid', severity: 'warning', summary: 'No.', since: T0 } as const;
    const told = (remedy: string) =>
      firing({ keys: [key('a', { findings: [{ ...finding, remedy }] })], critical: ['a'] })[0]?.annotations.undo;
    expect(told('x'.repeat(4000))).toHaveLength(4000);
    expect(told('x'.repeat(4001))).toBeUndefined();
  });

  it('is inert and bounded whatever names and tags hold', () => {
    const text = fc.string({
      unit: fc.constantFrom(
        'a',
        '\n',
        '\u0000',
        '\u202e',
        '\ud800',
        '🔑',
        '<!channel>',
        '"',
        '\u2028',
        '\u200b',
        '\ue000',
      ),
      maxLength: 5000,
    });
    fc.assert(
      fc.property(text, text, text, (name, tag, resource) => {
        const facts = { name, tags: { owner: tag, team: tag } };
        const keys = [
          key(`root${resource}`, { ...lostSince(T0), facts }),
          key('b', { facts, needs: [[`root${resource}`]] }),
        ];
        const alert = one(firing({ keys }, T0, { tagLabels: ['team'] }), 'KeyvigilKeyInaccessible');
        for (const value of Object.values(alert.labels)) expect(value).not.toMatch(HOSTILE);
        for (const [annotation, value] of Object.entries(alert.annotations)) {
          expect(value.replaceAll('\n', annotation === 'description' ? '' : '\n')).not.toMatch(HOSTILE);
        }
        expect(Array.from(alert.labels.name ?? '').length).toBeLessThanOrEqual(256);
        expect(Array.from(alert.labels.resource ?? '').length).toBeLessThanOrEqual(2048);
        expect(Array.from(alert.annotations.summary ?? '').length).toBeLessThanOrEqual(300);
        expect(Array.from(alert.annotations.affected ?? '').length).toBeLessThanOrEqual(1500);
        expect(Array.from(alert.annotations.description ?? '').length).toBeLessThanOrEqual(3000);
      }),
      { seed: 5, numRuns: 200 },
    );
  });

  it('gives two resources two fingerprints', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.string({ minLength: 1 }), (a, b) => {
        fc.pre(a !== b);
        const alerts = firing({ keys: [key(a, lostSince(T0)), key(b, lostSince(T0))] });
        expect(new Set(alerts.map(({ fingerprint }) => fingerprint)).size).toBe(2);
      }),
      { seed: 6, numRuns: 200 },
    );
  });

  it('comes sorted by fingerprint', () => {
    const prints = firing({ keys: ['b', 'c', 'a'].map((name) => key(name, lostSince(T0))) }).map(
      (one) => one.fingerprint,
    );
    expect(prints).toEqual(prints.toSorted());
    expect(prints).toHaveLength(3);
  });
});

describe('KeyvigilNewKeyVersion', () => {
  const event: KeyEvent = {
    at: T0,
    type: 'new_version',
    resource: 'a',
    kind: 'aws-secret',
    from: 'v1',
    to: 'v2',
    version: 'v2',
  };
  const use = { resource: 'a', role: 'decrypts', versionInUse: 'v1' };
  const snapshot = snapshotOf({
    keys: [key('a', { facts: { version: { id: 'v2', createdAt: T0 - MINUTE } } })],
    consumers: [consumer('old', [use]), consumer('new', [{ ...use, versionInUse: 'v2' }])],
  });

  it('is an event that ends 15 minutes after it was detected, and names who still uses another version', () => {
    const [alert] = alertsOfEvents([event], snapshot, context());
    expect(alert).toMatchObject({
      fingerprint: '["KeyvigilNewKeyVersion","a","v2"]',
      startsAt: T0,
      endsAt: T0 + 15 * MINUTE,
      labels: { alertname: 'KeyvigilNewKeyVersion', severity: 'info', version: 'v2', resource: 'a' },
      annotations: { summary: 'Secret a has a new version, v2.', affected: 'MediaConnect flow old' },
    });
  });

  it('tells a rollback as one', () => {
    const [alert] = alertsOfEvents([{ ...event, type: 'rolled_back' }], snapshot, context());
    expect(alert?.annotations.summary).toBe('Secret a went back to version v2.');
  });

  it('is not made of other events, of consumers, or of keys that are watched no more', () => {
    expect(alertsOfEvents([{ ...event, type: 'transition' }], snapshot, context())).toEqual([]);
    expect(alertsOfEvents([{ ...event, kind: 'mediaconnect-flow' }], snapshot, context())).toEqual([]);
    expect(alertsOfEvents([{ ...event, resource: 'gone' }], snapshot, context())).toEqual([]);
  });

  it('goes over everything that depends on something once, however many versions come at once', () => {
    let looks = 0;
    const counted = {
      ...snapshot,
      get keys() {
        looks += 1;
        return snapshot.keys;
      },
    };
    const events = Array.from({ length: 100 }, (_, at) => ({ ...event, version: `v${at}` }));
    expect(alertsOfEvents(events, counted, context())).toHaveLength(100);
    expect(looks).toBe(1);
  });
});
