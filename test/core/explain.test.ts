import { describe, expect, it } from 'vitest';
import type { NotificationRecord } from '../../src/core/alert.ts';
import type { AlertSources } from '../../src/core/alerting.ts';
import { type Explanation, explain } from '../../src/core/explain.ts';
import type { ConsumerRecord, KeyRecord, StoredEvent } from '../../src/core/model.ts';
import type { Policy } from '../../src/core/policy.ts';
import { relationsOf } from '../../src/core/relations.ts';
import { consumer, finding, graphOf, key, lostSince, neverKnown, OPTIONS } from './support/graphs.ts';
import { POLICY, T0 } from './support/looks.ts';

const MINUTE = 60_000;
const NOW = T0 + 10 * MINUTE;

interface Around {
  readonly policy?: Partial<Policy>;
  readonly notifications?: readonly NotificationRecord[];
  readonly events?: readonly StoredEvent[];
  readonly limit?: number;
}

/** What is told of the first of these keys, or of the first consumer if there is no key of that name. */
function told(
  resource: string,
  keys: readonly KeyRecord[],
  consumers: readonly ConsumerRecord[] = [],
  { policy = {}, notifications = [], events, limit = 100 }: Around = {},
): Explanation {
  const obeyed = { ...POLICY, ...policy };
  const remedy = (reason: string, { resource: lost }: { readonly resource: string }) => `undo ${reason} ${lost}`;
  const graph = graphOf(keys, consumers, { ...OPTIONS, policy: obeyed, remedy });
  const snapshot = graph.snapshot({ at: NOW, sources: [], storeUp: true });
  const relations = relationsOf(snapshot, { key: (one) => graph.records.get(one), resolve: graph.resolve });
  const view = snapshot.byResource.get(resource) ?? snapshot.consumers.find((one) => one.resource === resource);
  if (!view) throw new Error(`no ${resource}`);
  const context = { policy: obeyed, tagLabels: ['team'], statusUrl: 'http://kv', runbookUrl: 'http://kv/r', now: NOW };
  const alerts: AlertSources = { context, notifications, events: events ?? [] };
  return explain(view, relations, { tagLabels: ['team'], limit, versions: [], alerts, ...(events && { events }) });
}

describe('what is told of a key', () => {
  it('names the root of a derived loss, with the command that undoes it, and the alert that tells of it', () => {
    const explained = told(
      'secret',
      [key('secret', { needs: [['cmk']] }), key('cmk', { ...lostSince(T0 + MINUTE), facts: { kind: 'aws-kms-key' } })],
      [consumer('flow', [{ resource: 'secret', role: 'output-encryption', part: 'output Test' }])],
    );
    expect(explained).toMatchObject({
      health: 'inaccessible',
      reason: 'dependency',
      rootCauses: ['cmk'],
      verdict: { status: 'accessible' },
      needs: [{ role: 'decrypts', anyOf: [{ name: 'cmk', root: true, undo: 'undo disabled cmk' }] }],
      tree: [{ resource: 'flow', health: 'impaired', uses: [{ role: 'output-encryption', part: 'output Test' }] }],
      alerts: [{ name: 'KeyvigilKeyInaccessible', severity: 'critical', about: 'cmk', told: [] }],
    });
    expect(explained.undo).toBeUndefined();
    expect(explained.silence).toBeUndefined();
    expect(explained.meanings).toHaveLength(1);
  });

  it('says to whom its alert was told, who is still to be told, and who refused', () => {
    const keys = [key('cmk', lostSince(T0 + MINUTE)), key('secret', { needs: [['cmk']] })];
    const alert = {
      fingerprint: JSON.stringify(['KeyvigilKeyInaccessible', 'cmk']),
      labels: { alertname: 'KeyvigilKeyInaccessible', severity: 'critical' },
      annotations: {},
      startsAt: T0,
    } as const;
    const record = (receiver: string, parts: Partial<NotificationRecord>): NotificationRecord => {
      const { fingerprint } = alert;
      return { receiver, fingerprint, alert, status: 'firing', reason: 'first', attempts: 0, ...parts };
    };
    const notifications = [
      record('oncall', { sentAt: T0 + 2 * MINUTE }),
      record('chat', { queuedAt: T0 + 3 * MINUTE }),
      record('pager', { dead: { at: T0 + 4 * MINUTE, reason: 'refused' } }),
      record('old', { status: 'resolved', sentAt: T0 }),
    ];
    const { alerts } = told('cmk', keys, [], { notifications });
    expect(alerts).toMatchObject([{ name: 'KeyvigilKeyInaccessible', about: undefined }]);
    expect(alerts[0]?.told).toEqual([
      { receiver: 'oncall', state: 'told', at: new Date(T0 + 2 * MINUTE).toISOString() },
      { receiver: 'chat', state: 'waiting', at: new Date(T0 + 3 * MINUTE).toISOString() },
      { receiver: 'pager', state: 'refused', at: new Date(T0 + 4 * MINUTE).toISOString() },
    ]);
  });

  it('goes on telling of an alert whose end nobody has seen', () => {
    const alert = {
      fingerprint: JSON.stringify(['KeyvigilKeyStatusUnknown', 'cmk']),
      labels: { alertname: 'KeyvigilKeyStatusUnknown', severity: 'warning', name: 'cmk', resource: 'cmk' },
      annotations: { summary: 'keyvigil cannot tell.' },
      startsAt: T0,
    } as const;
    const notifications = [
      { receiver: 'oncall', fingerprint: alert.fingerprint, alert, status: 'firing', reason: 'first', attempts: 0 },
    ] as const;
    expect(told('cmk', [key('cmk')], [], { notifications }).alerts).toMatchObject([
      { name: 'KeyvigilKeyStatusUnknown', summary: 'keyvigil cannot tell.' },
    ]);
    expect(told('other', [key('other')], [], { notifications }).alerts).toEqual([]);
  });

  it.each<readonly [string, KeyRecord, string, RegExp]>([
    ['well', key('k'), 'well', /Nothing is wrong/],
    [
      'confirming',
      key('k', { pending: { verdict: { status: 'inaccessible', reason: 'disabled' }, seen: 1, firstAt: T0 } }),
      'confirming',
      /seen inaccessible 1 of 2 times, first at 2026-/,
    ],
    [
      'dead since first sight',
      key('k', { belief: { verdict: { status: 'inaccessible', reason: 'disabled' }, since: T0, baseline: true } }),
      'baseline',
      /already so when keyvigil first saw it, nothing depends on it/,
    ],
    [
      'blind for a short time',
      key('k', { blindSince: T0, blindReason: 'denied' }),
      'blind_for_short',
      /20 min from now/,
    ],
    ['never known', neverKnown('k'), 'never_known', /Nothing conclusive was ever known/],
    ['unused', key('k', { findings: [finding('warning', T0)] }), 'unused', /something depends on/],
    ['info only', key('k', { findings: [finding('info', T0)] }), 'info_only', /for information/],
  ])('says why no alert fires: %s', (_name, record, reason, text) => {
    const { alerts, silence } = told('k', [record]);
    expect([alerts, silence?.reason]).toEqual([[], reason]);
    expect(silence?.text).toMatch(text);
  });

  it.each([
    ['a lost one', key('k', lostSince(T0)), 'KeyvigilKeyInaccessible'],
    [
      'a baseline that something needs',
      key('k', { belief: { verdict: { status: 'inaccessible', reason: 'disabled' }, since: T0, baseline: true } }),
      'KeyvigilKeyInaccessible',
    ],
    ['a rule that is broken', key('k', { findings: [finding('warning', T0)] }), 'KeyvigilKeyMisconfigured'],
  ])('is silent no more once something uses it: %s', (_name, record, name) => {
    const { alerts, silence } = told('k', [record], [consumer('flow', ['k'])]);
    expect(alerts.map((alert) => alert.name)).toContain(name);
    expect(silence).toBeUndefined();
  });

  it('names the rules of its service that the policy has switched off, and no others', () => {
    const rules = {
      'secrets-manager.rotation-overdue': 'off',
      'kms.rotation': 'off',
      'secrets-manager.x': 'info',
    } as const;
    expect(told('k', [key('k')], [], { policy: { rules } }).rulesOff).toEqual(['secrets-manager.rotation-overdue']);
  });

  it('tells a new version while its alert runs, and its history', () => {
    const event: StoredEvent = {
      id: 1,
      at: NOW - MINUTE,
      type: 'new_version',
      resource: 'k',
      kind: 'aws-secret',
      from: 'v1',
      to: 'v2',
      version: 'v2',
    };
    const fresh = told('k', [key('k')], [], { events: [event] });
    expect(fresh).toMatchObject({ live: false, alerts: [{ name: 'KeyvigilNewKeyVersion' }], events: [{ to: 'v2' }] });
    const old = told('k', [key('k')], [], { events: [{ ...event, at: NOW - 20 * MINUTE }] });
    expect(old.alerts).toEqual([]);
    expect(told('k', [key('k')])).toMatchObject({ live: true, events: undefined });
  });

  it('owes its owners to the configured tags, else to a tag that names one', () => {
    const tagged = (tags: Readonly<Record<string, string>>) => told('k', [key('k', { facts: { tags } })]).owners;
    expect(tagged({ team: 'video', owner: 'ann' })).toEqual({ team: 'video' });
    expect(tagged({ Owner: 'ann', cost: '1' })).toEqual({ Owner: 'ann' });
    expect(tagged({ cost: '1' })).toBeUndefined();
  });
});

describe('the tree', () => {
  const crowd = Array.from({ length: 500 }, (_, at) => consumer(`flow-${String(at).padStart(3, '0')}`, ['k']));

  it('is cut to its size, and counts what it leaves out', () => {
    const explained = told('k', [key('k')], crowd, { limit: 20 });
    expect([explained.tree.length, explained.more, explained.dependents.consumers]).toEqual([20, 480, 500]);
  });

  it('shows a key that stands under two others once with what needs it', () => {
    const keys = [
      key('k'),
      key('a', { needs: [['k']] }),
      key('b', { needs: [['k']] }),
      key('deep', { needs: [['a'], ['b']] }),
    ];
    const { tree } = told('k', keys, [consumer('flow', ['deep'])]);
    const [first, second] = tree.map(({ children }) => children?.[0]);
    expect(first).toMatchObject({ resource: 'deep', children: [{ resource: 'flow' }] });
    expect(second).toMatchObject({ resource: 'deep', again: true });
    expect(second?.children).toBeUndefined();
  });

  it('ends where keys depend on one another in a circle', () => {
    const keys = [key('k', { needs: [['a']] }), key('a', { needs: [['k']] })];
    const explained = told('k', keys, [consumer('flow', ['a'])]);
    expect(explained.dependents).toEqual({ keys: 1, consumers: 1 });
    expect(explained.needs).toMatchObject([
      { anyOf: [{ name: 'a', needs: [{ anyOf: [{ name: 'k', again: true }] }] }] },
    ]);
  });

  it('says of what needs any of several keys which other it has, and what is not watched', () => {
    const keys = [key('k'), key('other'), key('secret', { needs: [['k', 'other', 'elsewhere']] })];
    expect(told('k', keys).tree).toMatchObject([{ resource: 'secret', fate: 'spared', instead: ['other'] }]);
    const up = told('secret', keys).needs;
    expect(up.map(({ anyOf }) => anyOf.map(({ name, key: one }) => [name, one?.health]))).toEqual([
      [
        ['k', 'accessible'],
        ['other', 'accessible'],
        ['elsewhere', undefined],
      ],
    ]);
    expect(up[0]?.anyOf[2]?.notWatched?.reason).toBe('unclear');
  });

  it('puts the broken needs of a consumer first', () => {
    const keys = [key('good'), key('bad', lostSince(T0))];
    const { needs } = told('flow', keys, [consumer('flow', ['good', 'bad'])]);
    expect(needs.map(({ anyOf }) => anyOf[0]?.name)).toEqual(['bad', 'good']);
  });
});

describe('what is told of a consumer', () => {
  it.each<readonly [string, ConsumerRecord, string]>([
    ['well', consumer('flow', ['k']), 'well'],
    ['on keys that nobody watches', consumer('flow', ['elsewhere']), 'not_watched'],
    ['about to be gone', consumer('flow', ['k'], { pending: { reason: 'gone', seen: 1, firstAt: T0 } }), 'never_known'],
  ])('says why no alert fires: %s', (_name, record, reason) => {
    expect(told('flow', [key('k')], [record])).toMatchObject({ alerts: [], silence: { reason } });
  });

  it('names the alert of the key that it cannot use', () => {
    const explained = told('flow', [key('k', lostSince(T0))], [consumer('flow', ['k'])]);
    expect(explained).toMatchObject({
      health: 'impaired',
      alerts: [{ name: 'KeyvigilKeyInaccessible', about: 'k' }],
      needs: [{ anyOf: [{ root: true, undo: 'undo disabled k' }] }],
      tree: [],
    });
  });

  it('has an alert of its own for trouble of its own', () => {
    const impairment = { reason: 'access_revoked', since: T0 } as const;
    const { alerts } = told('flow', [key('k')], [consumer('flow', ['k'], { impairment })]);
    expect(alerts).toMatchObject([{ name: 'KeyvigilConsumerImpaired', about: undefined }]);
  });
});
