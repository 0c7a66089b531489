import { describe, expect, it } from 'vitest';
import { nextAlertChange } from '../../src/core/alerts/index.ts';
import type { Finding, OpenFinding } from '../../src/core/model.ts';
import { blindSince, context, down, firing, KMS, lines, one, SECRETS, snapshotOf, source } from './support/alerts.ts';
import { consumer, key, lostSince, neverKnown } from './support/graphs.ts';
import { DAY, HOUR, MINUTE, POLICY, SECOND, T0 } from './support/looks.ts';

function open(id: string, severity: Finding['severity'] = 'warning', since = T0): OpenFinding {
  return { id, severity, summary: 'It breaks a rule.', remedy: 'fix it', since };
}
const baseline = { belief: { ...lostSince(T0).belief, baseline: true } };

describe('KeyvigilKeyInaccessible', () => {
  it('is critical where something depends on the key or the policy names it, else a warning', () => {
    const lost = key('a', lostSince(T0));
    expect(lines(firing({ keys: [lost] }))).toEqual(['KeyInaccessible warning a']);
    expect(lines(firing({ keys: [lost], consumers: [consumer('flow', ['a'])] }))).toEqual([
      'KeyInaccessible critical a',
    ]);
    expect(lines(firing({ keys: [lost], critical: ['a'] }))).toEqual(['KeyInaccessible critical a']);
  });

  it('says how many more there are than a page can list', () => {
    const secrets = Array.from({ length: 1_000 }, (_, at) => key(`secret-${at}`, { needs: [['root']] }));
    const [alert] = firing({ keys: [key('root', lostSince(T0)), ...secrets] });
    expect(alert?.annotations.affected).toMatch(/^secret secret-0, .* and \d{3} more$/);
  });

  it('is one alert for a root that breaks 40 secrets and 12 flows, and names what it breaks', () => {
    const secrets = Array.from({ length: 40 }, (_, at) => key(`secret-${at}`, { needs: [['root']] }));
    const flows = Array.from({ length: 12 }, (_, at) => consumer(`flow-${at}`, [`secret-${at}`]));
    const alerts = firing({ keys: [key('root', lostSince(T0 + 7)), ...secrets], consumers: flows });
    expect(lines(alerts)).toEqual(['KeyInaccessible critical root']);
    const [alert] = alerts;
    expect(alert?.startsAt).toBe(T0 + 7);
    expect(alert?.annotations.summary).toBe('Secret root is unusable (disabled) and breaks 12 consumers and 40 keys.');
    const named = alert?.annotations.affected?.split(', ') ?? [];
    expect(named.sort()).toEqual(
      [
        ...flows.map(({ resource }) => `MediaConnect flow ${resource}`),
        ...secrets.map((one) => `secret ${one.resource}`),
      ].sort(),
    );
    expect(alert?.annotations).toMatchObject({
      reason: 'disabled',
      undo: 'undo disabled',
      since: new Date(T0 + 7).toISOString(),
      runbook_url: 'https://example.com/docs/runbooks/KeyvigilKeyInaccessible.md#disabled',
      status_url: 'https://keyvigil.example.com/keys/root',
    });
  });

  it('fires for what was dead at first sight only if something depends on it or it is critical', () => {
    expect(firing({ keys: [key('a', baseline)] })).toEqual([]);
    expect(firing({ keys: [key('a', baseline)], consumers: [consumer('flow', ['a'])] })).toHaveLength(1);
    expect(firing({ keys: [key('a', baseline)], critical: ['a'] })).toHaveLength(1);
  });

  it('does not fire while the loss is not confirmed', () => {
    const pending = { verdict: { status: 'inaccessible', reason: 'disabled' }, seen: 1, firstAt: T0 } as const;
    expect(firing({ keys: [key('a', { pending })], consumers: [consumer('flow', ['a'])] })).toEqual([]);
  });

  it('goes on firing while the key is blind, whatever alerts about its source', () => {
    const blind = key('a', { ...lostSince(T0), ...blindSince(T0 + MINUTE) });
    const alerts = firing({ keys: [blind], sources: [down(T0)] });
    expect(lines(alerts)).toEqual(['AccountBlind critical prod', 'KeyInaccessible warning a']);
    expect(one(alerts, 'KeyvigilKeyInaccessible').annotations.description).toContain('Nothing conclusive has come in');
  });

  it('has the deadline of a deletion once something depends on the key', () => {
    const facts = { deletionAt: T0 + 2 * DAY, recoverableUntil: T0 + DAY };
    const dying = key('a', { ...lostSince(T0, 'pending_deletion'), facts });
    const alert = one(firing({ keys: [dying], consumers: [consumer('flow', ['a'])] }), 'KeyvigilKeyInaccessible');
    expect(alert.labels.severity).toBe('critical');
    expect(alert.annotations.recoverable_until).toBe(new Date(T0 + DAY).toISOString());
    expect(alert.annotations.description).toContain('23 h left');
  });
});

describe('KeyvigilKeyDeletionScheduled', () => {
  const dying = (reason: 'pending_deletion' | 'soft_deleted') =>
    key('a', { ...lostSince(T0, reason), facts: { deletionAt: T0 + 10 * DAY } });

  it.each(['pending_deletion', 'soft_deleted'] as const)('fires for %s that nothing depends on', (reason) => {
    expect(lines(firing({ keys: [dying(reason)] }))).toEqual(['KeyDeletionScheduled warning a']);
  });

  it('gives way to KeyvigilKeyDeletionImminent one millisecond after 72 hours are left', () => {
    const at = T0 + 7 * DAY;
    expect(lines(firing({ keys: [dying('soft_deleted')] }, at))).toEqual(['KeyDeletionScheduled warning a']);
    expect(lines(firing({ keys: [dying('soft_deleted')] }, at + 1))).toEqual(['KeyDeletionImminent warning a']);
    expect(nextAlertChange(snapshotOf({ keys: [dying('soft_deleted')] }), context({ now: at }))).toBe(at + 1);
    expect(nextAlertChange(snapshotOf({ keys: [dying('soft_deleted')] }), context({ now: at + 1 }))).toBeUndefined();
  });

  it('does not fire for what was scheduled at first sight', () => {
    const belief = { ...lostSince(T0, 'pending_deletion').belief, baseline: true };
    expect(firing({ keys: [key('a', { belief })] })).toEqual([]);
  });
});

describe('an alert of a finding', () => {
  const used = (finding: OpenFinding, parts = {}) => ({
    keys: [key('a', { findings: [finding], ...parts })],
    consumers: [consumer('flow', ['a'])],
  });

  it.each([
    ['kms.material-expiring', 'KeyExpiring'],
    ['key-vault.expiring', 'KeyExpiring'],
    ['kms.material-expired', 'KeyExpired'],
    ['key-vault.expired', 'KeyExpired'],
    ['key-vault.rotation-overdue', 'RotationOverdue'],
    ['secrets-manager.rotation-overdue', 'RotationOverdue'],
    ['secrets-manager.rotation-stuck', 'RotationStuck'],
    ['secrets-manager.replication-failed', 'KeyMisconfigured'],
    ['key-vault.not-yet-valid', 'KeyMisconfigured'],
  ])('%s is %s', (id, name) => {
    const [alert, ...others] = firing(used(open(id)));
    expect(lines([alert!])).toEqual([`${name} warning a`]);
    expect(others).toEqual([]);
    expect(alert?.labels.finding).toBe(id);
    expect(alert?.annotations.undo).toBe('fix it');
  });

  it('of configuration or rotation needs a dependent or a critical key', () => {
    for (const id of [
      'secrets-manager.rotation-overdue',
      'secrets-manager.rotation-stuck',
      'key-vault.not-yet-valid',
    ]) {
      expect(firing({ keys: [key('a', { findings: [open(id)] })] })).toEqual([]);
      expect(firing({ keys: [key('a', { findings: [open(id)] })], critical: ['a'] })).toHaveLength(1);
    }
  });

  it('of severity info never alerts', () => {
    expect(firing(used(open('key-vault.expiring', 'info')))).toEqual([]);
    expect(firing(used(open('secrets-manager.never-filled', 'info')))).toEqual([]);
  });

  it('of a date is critical only with dependents', () => {
    const soon = open('key-vault.expiring', 'critical');
    expect(lines(firing({ keys: [key('a', { findings: [soon] })] }))).toEqual(['KeyExpiring warning a']);
    expect(lines(firing(used(soon)))).toEqual(['KeyExpiring critical a']);
  });

  it('of a date that had passed at first sight needs a dependent', () => {
    const expired = { findings: [open('key-vault.expired', 'critical')] };
    expect(firing({ keys: [key('a', { ...expired, facts: { expiresAt: T0 } })] })).toEqual([]);
    expect(lines(firing({ keys: [key('a', { ...expired, facts: { expiresAt: T0 + 1 } })] }))).toEqual([
      'KeyExpired warning a',
    ]);
    expect(lines(firing(used(open('key-vault.expired', 'critical'), { facts: { expiresAt: T0 } })))).toEqual([
      'KeyExpired critical a',
    ]);
  });

  it('of a date does not page beside the loss that it led to', () => {
    const findings = [open('kms.material-expired', 'critical')];
    const world = {
      keys: [key('a', { ...lostSince(T0, 'pending_import'), findings })],
      consumers: [consumer('flow', ['a'])],
    };
    expect(lines(firing(world))).toEqual(['KeyInaccessible critical a']);
  });

  it('of a rotation is a warning unless the policy says how loud it is', () => {
    const loud = used(open('secrets-manager.rotation-stuck', 'critical'));
    expect(lines(firing(loud))).toEqual(['RotationStuck warning a']);
    const policy = { ...POLICY, rules: { 'secrets-manager.rotation-stuck': 'critical' } } as const;
    expect(lines(firing(loud, T0, { policy }))).toEqual(['RotationStuck critical a']);
  });
});

describe('KeyvigilKeyStatusUnknown', () => {
  const blind = { keys: [key('a', blindSince(T0))], sources: [source()] };
  const at = T0 + 30 * MINUTE;

  it('fires once a key was blind for 30 minutes by itself', () => {
    expect(firing(blind, at - 1)).toEqual([]);
    expect(lines(firing(blind, at))).toEqual(['KeyStatusUnknown warning a']);
    expect(nextAlertChange(snapshotOf(blind), context({ now: T0 }))).toBe(at);
  });

  it('fires for a key of which nothing was ever known', () => {
    const keys = [neverKnown('a', 'denied', blindSince(T0))];
    expect(lines(firing({ keys, sources: [source()] }, at))).toEqual(['KeyStatusUnknown warning a']);
  });

  it('is silent while its source is down, stale, or its account is blind', () => {
    const other = source(KMS);
    expect(lines(firing({ ...blind, sources: [down(T0), other] }, at))).toEqual(['SourceDown critical prod']);
    expect(lines(firing({ ...blind, sources: [source({ lastSuccessAt: T0 })] }, at))).toEqual([
      'CheckStale warning prod',
    ]);
    expect(lines(firing({ ...blind, sources: [down(T0), down(T0, KMS)] }, at))).toEqual(['AccountBlind critical prod']);
  });

  it('fires on a vault alone, never on the keys in it', () => {
    const vault = key('vault', blindSince(T0));
    const held = Array.from({ length: 50 }, (_, index) =>
      key(`key-${index}`, {
        ...(index % 2 ? blindSince(T0) : {}),
        needs: [['vault']],
        role: 'holds',
        conclusiveAt: T0 - 1,
      }),
    );
    expect(lines(firing({ keys: [vault, ...held], sources: [source()] }, at))).toEqual([
      'KeyStatusUnknown warning vault',
    ]);
  });

  it('does not fire for a service that the cloud has retired', () => {
    expect(firing({ ...blind, sources: [source({ reason: 'provider_retired' })] }, at)).toEqual([]);
  });

  it('says nothing new of what nobody has looked at since the daemon began', () => {
    const frozen = { keys: blind.keys, sources: [source({ lastAttemptAt: T0 + 10 * MINUTE })] };
    const startedAt = T0 + 3 * DAY;
    expect(firing(frozen, startedAt, { startedAt })).toEqual([]);
    const told = { keys: blind.keys, sources: [source({ lastAttemptAt: at })] };
    expect(lines(firing(told, startedAt, { startedAt }))).toEqual(['KeyStatusUnknown warning a']);
  });
});

describe('a lost vault', () => {
  it('is one alert, on the vault', () => {
    const vault = key('vault', lostSince(T0, 'soft_deleted'));
    const held = Array.from({ length: 50 }, (_, index) => key(`key-${index}`, { needs: [['vault']], role: 'holds' }));
    expect(lines(firing({ keys: [vault, ...held] }))).toEqual(['KeyInaccessible critical vault']);
  });
});

it('a healthy world is silent', () => {
  const world = { keys: [key('a')], consumers: [consumer('flow', ['a'])], sources: [source(SECRETS), source(KMS)] };
  expect(firing(world, T0 + SECOND)).toEqual([]);
  expect(nextAlertChange(snapshotOf(world), context({ now: T0 + 2000 * HOUR }))).toBeUndefined();
});
