import { describe, expect, it } from 'vitest';
import type { ConsumerRecord, Finding, OpenFinding } from '../../src/core/model.ts';
import type { ConsumerReason } from '../../src/core/reasons.ts';
import { firing, lines, one } from './support/alerts.ts';
import { consumer, key, lostSince } from './support/graphs.ts';
import { MINUTE, SECOND, T0 } from './support/looks.ts';

function open(id: string, severity: Finding['severity'] = 'critical'): OpenFinding {
  return { id, severity, summary: 'Its identity may not use the key.', remedy: 'grant it', since: T0 };
}
function impairs(id: string, reason: ConsumerReason): OpenFinding {
  return { ...open(id), impairs: reason };
}
function impaired(reason: ConsumerReason, parts: Partial<ConsumerRecord> = {}): ConsumerRecord {
  return consumer('account', ['cmk'], { impairment: { reason, since: T0 }, ...parts });
}
function losing(firstAt: number) {
  return { pending: { verdict: { status: 'inaccessible', reason: 'disabled' }, seen: 1, firstAt } } as const;
}

describe('KeyvigilConsumerImpaired', () => {
  it.each([
    ['reported_by_service', 'media-services.status'],
    ['access_revoked', 'media-services.access'],
    ['version_in_use_disabled', 'media-services.version-in-use-disabled'],
  ] as const)('pages once for %s, with what undoes it', (reason, id) => {
    const world = { keys: [key('cmk')], consumers: [impaired(reason, { findings: [impairs(id, reason)] })] };
    const alerts = firing(world);
    expect(lines(alerts)).toEqual(['ConsumerImpaired critical account']);
    expect(alerts[0]?.labels).toMatchObject({ resource: 'account', kind: 'mediaconnect-flow', name: 'account' });
    expect(alerts[0]?.annotations).toMatchObject({
      reason,
      undo: 'grant it',
      status_url: 'https://keyvigil.example.com/consumers/account',
    });
    expect(alerts[0]?.annotations.description).toContain('secret cmk (accessible)');
  });

  it('names what the consumer needs and nobody watches, through its keys too', () => {
    const key2 = key('secret', { needs: [['arn:aws:kms:eu-west-1:444455556666:key/1']] });
    const flow = consumer('flow', ['secret', 'elsewhere'], {
      impairment: { reason: 'reported_by_service', since: T0 },
    });
    const [alert] = firing({ keys: [key2], consumers: [flow] });
    expect(alert?.annotations.description).toContain(
      'Not watched, so the cause may be there: elsewhere (The reference does not tell where it leads.), ' +
        'arn:aws:kms:eu-west-1:444455556666:key/1 (The reference does not tell where it leads.).',
    );
    expect(firing({ keys: [key('cmk')], consumers: [impaired('reported_by_service')] })[0]?.annotations).toMatchObject({
      description: expect.not.stringContaining('Not watched'),
    });
  });

  it('leaves the page to the key that explains it', () => {
    const world = { keys: [key('cmk', lostSince(T0))], consumers: [impaired('reported_by_service')] };
    expect(lines(firing(world))).toEqual(['KeyInaccessible critical cmk']);
  });

  it('waits while a loss of its key, or of what holds that, is being confirmed', () => {
    const consumers = [impaired('reported_by_service')];
    expect(firing({ keys: [key('cmk', losing(T0 - 5 * SECOND))], consumers })).toEqual([]);
    expect(firing({ keys: [key('cmk', losing(T0 + 15 * SECOND))], consumers })).toEqual([]);
    const held = key('cmk', { needs: [['vault']], role: 'holds' });
    expect(firing({ keys: [held, key('vault', losing(T0))], consumers })).toEqual([]);
  });

  it('does not wait for a loss that showed up long after, nor for one that nobody can confirm', () => {
    const consumers = [impaired('reported_by_service')];
    expect(firing({ keys: [key('cmk', losing(T0 + 15 * SECOND + 1))], consumers })).toHaveLength(1);
    const blind = { ...losing(T0), blindSince: T0, blindReason: 'timeout' } as const;
    expect(firing({ keys: [key('cmk', blind)], consumers })).toHaveLength(1);
  });

  it('gives the service time to notice that its key, or what holds that, is back', () => {
    const back = (since: number) =>
      ({ belief: { verdict: { status: 'accessible' }, since, baseline: false } }) as const;
    const consumers = [impaired('reported_by_service')];
    const at = T0 + 10 * MINUTE;
    const later = (ms: number, ...keys: ReturnType<typeof key>[]) => firing({ keys, consumers }, at + ms);
    expect(later(15 * MINUTE - 1, key('cmk', back(at)))).toEqual([]);
    expect(later(15 * MINUTE, key('cmk', back(at)))).toHaveLength(1);
    const held = key('cmk', { needs: [['vault']], role: 'holds' });
    expect(later(0, held, key('vault', back(at)))).toEqual([]);
    expect(later(0, key('cmk', back(T0 - 1)))).toHaveLength(1);
  });

  it('does not fire for a consumer that is merely at risk, nor for findings whose impairment is not confirmed', () => {
    expect(firing({ keys: [key('cmk')], consumers: [consumer('account', ['cmk'])] })).toEqual([]);
    const suspected = consumer('account', ['cmk'], { findings: [impairs('media-services.access', 'access_revoked')] });
    expect(firing({ keys: [key('cmk')], consumers: [suspected] })).toEqual([]);
  });
});

describe('a finding of a consumer', () => {
  const found = (...findings: OpenFinding[]) => [consumer('account', ['cmk'], { findings })];

  it('alerts whether anything else depends on it or not', () => {
    const alerts = firing({ keys: [key('cmk')], consumers: found(open('media-services.key-type')) });
    expect(lines(alerts)).toEqual(['KeyMisconfigured critical account']);
    expect(alerts[0]?.labels.finding).toBe('media-services.key-type');
  });

  it('of a rotation that it has not picked up is a warning of its own', () => {
    const consumers = found(open('media-services.rotation-lag'));
    expect(lines(firing({ keys: [key('cmk')], consumers }))).toEqual(['RotationNotPropagated warning account']);
  });

  it('of severity info is silent', () => {
    expect(firing({ keys: [key('cmk')], consumers: found(open('media-services.pinned-version', 'info')) })).toEqual([]);
  });

  const date = (id: string, severity: Finding['severity']) => ({ findings: [open(id, severity)] });

  it('of a date that its key alerts about already is not told twice', () => {
    const consumers = found(open('media-services.key-expiring', 'warning'));
    expect(lines(firing({ keys: [key('cmk', date('key-vault.expiring', 'warning'))], consumers }))).toEqual([
      'KeyExpiring warning cmk',
    ]);
    expect(lines(firing({ keys: [key('cmk', date('key-vault.expired', 'critical'))], consumers }))).toEqual([
      'KeyExpired critical cmk',
    ]);
  });

  it('of a date that is further gone than that of its key is told', () => {
    const consumers = found(open('media-services.key-expired', 'critical'));
    expect(lines(firing({ keys: [key('cmk', date('key-vault.expiring', 'warning'))], consumers }))).toEqual([
      'KeyExpired critical account',
      'KeyExpiring warning cmk',
    ]);
    expect(lines(firing({ keys: [key('cmk')], consumers }))).toEqual(['KeyExpired critical account']);
  });
});

it('two findings of one consumer are two alerts', () => {
  const findings = [open('media-services.key-type'), open('media-services.key-size')];
  const alerts = firing({ consumers: [consumer('account', ['cmk'], { findings })] });
  expect(new Set(alerts.map(({ fingerprint }) => fingerprint)).size).toBe(2);
  expect(() => one(alerts, 'KeyvigilKeyMisconfigured')).toThrow();
});
