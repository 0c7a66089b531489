import { describe, expect, it } from 'vitest';
import { nextAlertChange } from '../../src/core/alerts/index.ts';
import { blindSince, context, down, firing, KMS, lines, SECRETS, snapshotOf, source } from './support/alerts.ts';
import { key } from './support/graphs.ts';
import { DAY, HOUR, MINUTE, T0 } from './support/looks.ts';

const STALE = T0 + 5 * MINUTE;
const LOUD = T0 + 30 * MINUTE;

describe('KeyvigilSourceDown', () => {
  const world = { sources: [down(T0), source(KMS)] };

  it('fires once a source failed for staleAfter while another of its target works, and is critical after 30 minutes', () => {
    expect(firing(world, STALE - 1)).toEqual([]);
    const [alert, ...others] = firing(world, STALE);
    expect(others).toEqual([]);
    expect(alert?.labels).toEqual({
      alertname: 'KeyvigilSourceDown',
      severity: 'warning',
      origin: 'push',
      ...SECRETS,
    });
    expect(alert).toMatchObject({ startsAt: T0, annotations: { reason: 'timeout' } });
    expect(lines(firing(world, LOUD - 1))).toEqual(['SourceDown warning prod']);
    expect(lines(firing(world, LOUD))).toEqual(['SourceDown critical prod']);
    expect(nextAlertChange(snapshotOf(world), context({ now: T0 }))).toBe(STALE);
    expect(nextAlertChange(snapshotOf(world), context({ now: STALE }))).toBe(LOUD);
  });

  it('gives a source time to follow the first of its target that works again when an outage ends', () => {
    const ending = { sources: [down(T0), source({ ...KMS, upSince: LOUD })] };
    expect(firing(ending, LOUD)).toEqual([]);
    expect(nextAlertChange(snapshotOf(ending), context({ now: LOUD }))).toBe(LOUD + (STALE - T0));
    expect(lines(firing(ending, LOUD + (STALE - T0)))).toEqual(['SourceDown critical prod']);
  });

  it('is the one alert of an outage over a thousand keys', () => {
    const keys = Array.from({ length: 1000 }, (_, at) => key(`key-${at}`));
    expect(lines(firing({ ...world, keys }, LOUD))).toEqual(['SourceDown critical prod']);
  });

  it('does not fire for a service that the cloud has retired', () => {
    expect(firing({ sources: [down(T0, { reason: 'provider_retired' }), source(KMS)] }, LOUD)).toEqual([]);
  });
});

describe('KeyvigilAccountBlind', () => {
  it('is one alert for a target of which every source fails, since the last of them does', () => {
    const sources = [down(T0 - DAY), down(T0, KMS), source({ service: 'codebuild', reason: 'provider_retired' })];
    expect(firing({ sources }, STALE - 1)).toEqual([]);
    const alerts = firing({ sources }, STALE);
    expect(lines(alerts)).toEqual(['AccountBlind warning prod']);
    expect(alerts[0]?.labels).toEqual({
      alertname: 'KeyvigilAccountBlind',
      severity: 'warning',
      origin: 'push',
      target: 'prod',
    });
    expect(alerts[0]?.startsAt).toBe(T0);
    expect(lines(firing({ sources }, LOUD))).toEqual(['AccountBlind critical prod']);
  });

  it('tells targets apart', () => {
    const sources = [down(T0), down(T0, { target: 'other' })];
    expect(lines(firing({ sources }, STALE))).toEqual(['AccountBlind warning other', 'AccountBlind warning prod']);
  });

  const keysBlind = (blind: number, all: number, apart = 0) =>
    Array.from({ length: all }, (_, at) =>
      key(
        `key-${at}`,
        at < blind ? blindSince(T0 + at * apart) : { witnesses: [{ ...SECRETS, at: T0, conclusive: true }] },
      ),
    );

  it('fires when half of the keys of a source, and at least 3, turn blind in one sweep', () => {
    const world = (blind: number, all: number) => ({ keys: keysBlind(blind, all), sources: [source()] });
    expect(lines(firing(world(3, 6), STALE))).toEqual(['AccountBlind warning prod']);
    expect(firing(world(3, 6), STALE - 1)).toEqual([]);
    expect(firing(world(3, 7), STALE)).toEqual([]);
    expect(firing(world(2, 2), STALE)).toEqual([]);
    expect(lines(firing(world(500, 1000), LOUD))).toEqual(['AccountBlind critical prod']);
  });

  it('does not fire for keys that turned blind one by one', () => {
    const world = { keys: keysBlind(3, 3, HOUR), sources: [source()] };
    expect(lines(firing(world, T0 + DAY))).toEqual([
      'KeyStatusUnknown warning key-0',
      'KeyStatusUnknown warning key-1',
      'KeyStatusUnknown warning key-2',
    ]);
  });

  it('counts a vault and the keys in it once', () => {
    const vault = key('vault', blindSince(T0));
    const held = Array.from({ length: 9 }, (_, at) =>
      key(`key-${at}`, { ...blindSince(T0), needs: [['vault']], role: 'holds' }),
    );
    expect(firing({ keys: [vault, ...held], sources: [source()] }, STALE)).toEqual([]);
  });

  it('silences stale, down and shrunken sources of its target', () => {
    const shrank = { from: 10, to: 2, at: T0 };
    const sources = [source({ shrank }), source({ ...KMS, lastSuccessAt: T0 }), down(T0, { service: 'codebuild' })];
    expect(lines(firing({ keys: keysBlind(3, 3), sources }, LOUD))).toEqual(['AccountBlind critical prod']);
  });
});

describe('KeyvigilCheckStale', () => {
  const stale = { sources: [source({ lastSuccessAt: T0, detectionBoundMs: MINUTE })] };

  it('fires after three times the detection bound without a sweep that ended', () => {
    expect(firing(stale, T0 + 3 * MINUTE - 1)).toEqual([]);
    expect(lines(firing(stale, T0 + 3 * MINUTE))).toEqual(['CheckStale warning prod']);
    expect(nextAlertChange(snapshotOf(stale), context({ now: T0 }))).toBe(T0 + 3 * MINUTE);
  });

  it('does not count the time in which the daemon was down', () => {
    const startedAt = T0 + 3 * DAY;
    expect(firing(stale, startedAt + 3 * MINUTE - 1, { startedAt })).toEqual([]);
    expect(lines(firing(stale, startedAt + 3 * MINUTE, { startedAt }))).toEqual(['CheckStale warning prod']);
  });

  it('does not fire for a source that fails, was retired, or never ended a sweep', () => {
    expect(firing({ sources: [source({ lastSuccessAt: T0, reason: 'provider_retired' })] }, T0 + DAY)).toEqual([]);
    const { lastSuccessAt: _never, ...fresh } = source();
    expect(firing({ sources: [fresh] }, T0 + DAY)).toEqual([]);
    expect(lines(firing({ sources: [down(T0, { lastSuccessAt: T0 }), source(KMS)] }, LOUD))).toEqual([
      'SourceDown critical prod',
    ]);
  });
});

describe('after days of downtime', () => {
  const startedAt = T0 + 3 * DAY;

  it('a failure that had just begun is not told before it was seen again', () => {
    const sources = [down(T0, { lastAttemptAt: T0 + MINUTE })];
    expect(firing({ sources }, startedAt, { startedAt })).toEqual([]);
    const again = [down(T0, { lastAttemptAt: startedAt + 1 })];
    expect(lines(firing({ sources: again }, startedAt + 1, { startedAt }))).toEqual(['AccountBlind critical prod']);
  });

  it('a failure that was told is still told', () => {
    const sources = [down(T0, { lastAttemptAt: STALE })];
    expect(lines(firing({ sources }, startedAt, { startedAt }))).toEqual(['AccountBlind warning prod']);
  });
});

it('KeyvigilKeySetShrank fires while the source remembers that it shrank', () => {
  const alerts = firing({ sources: [source({ shrank: { from: 100, to: 60, at: T0 } })] });
  expect(lines(alerts)).toEqual(['KeySetShrank warning prod']);
  expect(alerts[0]).toMatchObject({
    startsAt: T0,
    annotations: { summary: 'secrets-manager in eu-west-1 of prod suddenly lists 60 objects instead of 100.' },
  });
});

it('KeyvigilNotificationFailing fires after 5 minutes, one for each receiver', () => {
  const failingReceivers = [
    { receiver: 'chat', since: T0 },
    { receiver: 'pager', since: T0 + 1 },
  ];
  expect(firing({}, STALE - 1, { failingReceivers })).toEqual([]);
  expect(lines(firing({}, STALE, { failingReceivers }))).toEqual(['NotificationFailing critical chat']);
  expect(nextAlertChange(snapshotOf({}), context({ now: STALE, failingReceivers }))).toBe(STALE + 1);
  expect(firing({}, STALE + 1, { failingReceivers })).toHaveLength(2);
});

it('KeyvigilConfigReloadFailed fires while the last reload was refused', () => {
  const [alert, ...others] = firing({}, T0, { reloadFailedSince: T0 - 1 });
  expect(others).toEqual([]);
  expect(alert).toMatchObject({
    startsAt: T0 - 1,
    labels: { alertname: 'KeyvigilConfigReloadFailed', severity: 'warning' },
  });
});
