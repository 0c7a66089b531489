import { describe, expect, it } from 'vitest';
import { harmGroups, harmsOf, noReturnOf, onsetOf } from '../../src/core/harm.ts';
import type { ConsumerFacts, ConsumerRecord, KeyRecord } from '../../src/core/model.ts';
import type { KeyView, Snapshot } from '../../src/core/snapshot.ts';
import { firing, one, snapshotOf } from './support/alerts.ts';
import { consumer, finding, key, lostSince } from './support/graphs.ts';
import { HOUR, T0 } from './support/looks.ts';

const DAY = 24 * HOUR;
/** A date as it stands in a sentence. */
const IN_A_WEEK = '2026-01-08 00:00:00 UTC';

function keyOf(snapshot: Snapshot) {
  return (resource: string) => snapshot.byResource.get(resource);
}
function user(facts: Partial<ConsumerFacts>, parts: Partial<ConsumerRecord> = {}, uses = ['k']): ConsumerRecord {
  const record = consumer('user', uses, parts);
  if (!record.facts) throw new Error('no facts');
  return { ...record, facts: { ...record.facts, ...facts } };
}
/** What hits `user`. */
function harms(record: ConsumerRecord, keys: readonly KeyRecord[] = [key('k', lostSince(T0))]) {
  const snapshot = snapshotOf({ keys, consumers: [record] });
  const [view] = snapshot.consumers;
  return view ? harmsOf(view, keyOf(snapshot)) : [];
}

describe('harm begins', () => {
  it.each([
    [{ state: 'ACTIVE' }, 'next_use', 'Do not restart or change it before the key is back.'],
    [{ state: 'UPDATING' }, 'next_use', 'outputs that need the key are dropped without a word'],
    [{}, 'next_use', 'As long as it runs'],
    [{ state: 'STANDBY' }, 'next_start', 'when it is next started'],
    [{ state: 'ERROR' }, 'now', 'does not work already'],
  ] as const)('of a flow %j: %s', (facts, begins, text) => {
    expect(harms(user(facts))).toMatchObject([{ cause: 'k', begins, text: expect.stringContaining(text) }]);
  });

  it('now, for a flow that reports the trouble itself, running or not', () => {
    const impairment = { reason: 'reported_by_service', since: T0 } as const;
    const [harm] = harms(user({ state: 'STANDBY' }, { impairment }), [key('k')]);
    expect(harm).toMatchObject({ begins: 'now' });
    expect(harm).not.toHaveProperty('cause');
  });

  it.each([
    ['environment', 'next_build'],
    ['registry', 'next_build'],
    ['buildspec', 'next_build'],
    ['artifacts', 'now'],
    ['cache', 'now'],
    ['logs', 'now'],
    ['build-key', 'now'],
  ])('of a project whose %s needs the key: %s', (role, begins) => {
    const project = user({ kind: 'codebuild-project', uses: [{ resource: 'k', role }] });
    expect(harms(project)).toMatchObject([{ begins }]);
  });

  it('of a project by the use that the cause hits, through keys', () => {
    const uses = [
      { resource: 'secret', role: 'environment' },
      { resource: 'fine', role: 'artifacts' },
    ];
    const keys = [key('cmk', lostSince(T0)), key('secret', { needs: [['cmk']] }), key('fine')];
    expect(harms(user({ kind: 'codebuild-project', uses }), keys)).toMatchObject([
      { cause: 'cmk', begins: 'next_build' },
    ]);
  });

  it.each(['media-services-account', 'storage-account'] as const)('of a %s as soon as it notices', (kind) => {
    expect(harms(user({ kind }))).toMatchObject([{ begins: 'now', text: expect.stringContaining('as soon as') }]);
  });

  it('for each cause, and never for what works', () => {
    const keys = [key('k', lostSince(T0)), key('l', lostSince(T0)), key('m')];
    expect(harms(user({}, {}, ['k', 'l', 'm']), keys)).toMatchObject([{ cause: 'k' }, { cause: 'l' }]);
    expect(harms(user({}, {}, ['m']), keys)).toEqual([]);
  });

  it('at the date of a key that is about to expire, and not before', () => {
    const expiring = { ...finding('warning', T0), id: 'kms.material-expiring' };
    const cmk = key('k', { findings: [expiring], facts: { kind: 'aws-kms-key', expiresAt: T0 + 7 * DAY } });
    expect(harms(user({ state: 'STANDBY' }), [cmk])).toEqual([
      {
        cause: 'k',
        begins: 'later',
        at: T0 + 7 * DAY,
        text: `From ${IN_A_WEEK} on its key is unusable. It is not running: it will not work when it is next started.`,
      },
    ]);
    const other = key('k', { findings: [finding('warning', T0)], facts: { expiresAt: T0 + 7 * DAY } });
    expect(harms(user({}), [other])).toEqual([]);
  });

  it('of an Azure key that expires only for what is new', () => {
    const expired = { ...finding('critical', T0), id: 'key-vault.expired' };
    const facts = { kind: 'azure-key', expiresAt: T0 + 7 * DAY } as const;
    const [harm] = harms(user({ kind: 'media-services-account' }), [key('k', { findings: [expired], facts })]);
    expect(harm).toMatchObject({
      begins: 'later',
      text: expect.stringContaining('what is wrapped can still be unwrapped'),
    });
  });

  it('with its next version where only newer versions are disabled', () => {
    const versions = [
      { id: 'new', enabled: false },
      { id: 'old', enabled: true },
    ];
    const k = key('k', { ...lostSince(T0), facts: { version: { id: 'new' }, versions } });
    const uses = [{ resource: 'k', role: 'encrypts', versionInUse: 'old' }];
    expect(harms(user({ uses }), [k])).toMatchObject([{ begins: 'next_use', noReturn: { text: expect.any(String) } }]);
  });

  it('the same way in circles', () => {
    const keys = [key('k', { needs: [['l']] }), key('l', { needs: [['k']], ...lostSince(T0) })];
    expect(harms(user({ state: 'ACTIVE' }), keys)).toMatchObject([{ cause: 'l', begins: 'next_use' }]);
  });

  it('is told before anything is lost', () => {
    const snapshot = snapshotOf({ keys: [key('k')], consumers: [user({ state: 'STANDBY' })] });
    const [view] = snapshot.consumers;
    expect(view && onsetOf(view, 'k', keyOf(snapshot)).begins).toBe('next_start');
  });
});

describe('the way back ends', () => {
  const view = (parts: Parameters<typeof key>[1]): KeyView => {
    const found = snapshotOf({ keys: [key('k', parts)] }).byResource.get('k');
    if (!found) throw new Error('no view');
    return found;
  };
  const until = T0 + 7 * DAY;

  it.each([
    ['aws-kms-key', { deletionAt: until }, 'what was encrypted with it is lost for good'],
    ['aws-secret', { deletionAt: until, recoverableUntil: until }, 'its value is gone for good'],
  ] as const)('of a %s not before the date that AWS tells', (kind, facts, lost) => {
    expect(noReturnOf(view({ ...lostSince(T0, 'pending_deletion'), facts: { kind, ...facts } }))).toEqual({
      at: until,
      atLeast: true,
      text: `The deletion can be cancelled at least until ${IN_A_WEEK}; once it is done, ${lost}.`,
    });
  });

  it('of a primary key whose replicas go first on no date yet', () => {
    expect(noReturnOf(view(lostSince(T0, 'pending_deletion')))).toEqual({
      text: 'Its deletion can still be cancelled; no date is known yet.',
    });
  });

  it.each([
    ['a key that can be purged', { kind: 'azure-key', attributes: { recoveryLevel: 'Recoverable+Purgeable' } }, false],
    ['a key that cannot', { kind: 'azure-key', attributes: { recoveryLevel: 'Recoverable' } }, true],
    ['a vault with purge protection', { kind: 'azure-vault', attributes: { purgeProtection: true } }, true],
    ['a vault that says nothing of it', { kind: 'azure-vault', attributes: {} }, false],
  ] as const)('of %s with its purge', (_what, facts, isProtected) => {
    const told = noReturnOf(view({ ...lostSince(T0, 'soft_deleted'), facts: { ...facts, recoverableUntil: until } }));
    expect(told.at).toBe(until);
    expect(told.text).toContain(`It can be recovered until ${IN_A_WEEK}`);
    expect(told.text.includes('unless somebody purges it before')).toBe(!isProtected);
  });

  it.each([
    ['disabled', undefined, 'No time runs out'],
    ['pending_import', undefined, 'as long as somebody still has the original'],
    ['store_unavailable', undefined, 'No date is known'],
    ['decrypt_failed', undefined, 'No date is known'],
    ['no_current_version', undefined, 'No date is known'],
    ['purged', true, 'past undoing'],
    ['not_found', true, 'gone'],
  ] as const)('for %s without a date', (reason, passed, text) => {
    const told = noReturnOf(view(lostSince(T0, reason)));
    expect(told.text).toContain(text);
    expect([told.passed, told.at]).toEqual([passed, undefined]);
  });

  it('of an Azure key that is nowhere is not said to be over: it may have been deleted this minute', () => {
    const facts = { kind: 'azure-key', provider: 'azure' } as const;
    expect(noReturnOf(view({ ...lostSince(T0, 'not_found'), facts })).passed).toBeUndefined();
  });
});

describe('what is told of it', () => {
  const flow = (resource: string, state: string) => {
    const record = user({ state, resource });
    return { ...record, resource, stub: { ...record.stub, resource } };
  };
  const keys = [
    key('k', { ...lostSince(T0, 'pending_deletion'), facts: { kind: 'aws-kms-key', deletionAt: T0 + 7 * DAY } }),
  ];
  const consumers = [flow('a', 'ACTIVE'), flow('b', 'STANDBY'), flow('c', 'ACTIVE')];

  it('stands in the incident, in groups, what hurts first before the rest', () => {
    const { incidents } = snapshotOf({ keys, consumers });
    expect(incidents).toMatchObject([
      {
        harm: [
          { kind: 'mediaconnect-flow', begins: 'next_use', consumers: ['a', 'c'] },
          { kind: 'mediaconnect-flow', begins: 'next_start', consumers: ['b'] },
        ],
        noReturn: { at: T0 + 7 * DAY, atLeast: true },
      },
    ]);
  });

  it('stands in the alert, with the time that is left', () => {
    const { description } = one(firing({ keys, consumers }, T0 + DAY), 'KeyvigilKeyInaccessible').annotations;
    expect(description).toContain('2 MediaConnect flows: As long as it runs it may go on');
    expect(description).toContain('1 MediaConnect flow: It is not running');
    expect(description).toContain(
      `at least until ${IN_A_WEEK}; once it is done, what was encrypted with it is lost for good. At least 6 d left.`,
    );
  });

  it('stands in the alert of a consumer that no key explains', () => {
    const troubled = user({ state: 'ACTIVE' }, { impairment: { reason: 'reported_by_service', since: T0 } });
    const { description } = one(
      firing({ keys: [key('k')], consumers: [troubled] }),
      'KeyvigilConsumerImpaired',
    ).annotations;
    expect(description).toContain('The flow itself reports trouble');
  });

  it('groups by what is said', () => {
    const { consumers: views, ...snapshot } = snapshotOf({ keys, consumers });
    const groups = harmGroups(views, 'k', (resource) => snapshot.byResource.get(resource));
    expect(groups.map(({ consumers }) => consumers.length)).toEqual([2, 1]);
    expect(harmGroups([], 'k', () => undefined)).toEqual([]);
  });
});
