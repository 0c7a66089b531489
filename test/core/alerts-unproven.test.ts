import { describe, expect, it } from 'vitest';
import type { NotificationRecord } from '../../src/core/alert.ts';
import { type AlertContext, alertsFrom, isUnproven } from '../../src/core/alerts/index.ts';
import { due } from '../../src/core/due.ts';
import { blindSince, context, down, KMS, snapshotOf, source, type World } from './support/alerts.ts';
import { key } from './support/graphs.ts';
import { DAY, HOUR, MINUTE, SECOND, T0 } from './support/looks.ts';

/** What one receiver hears as the world goes on: `firing SourceDown`, each in a line; all of it is acknowledged. */
function listener() {
  const sent = new Map<string, NotificationRecord>();
  return (world: World, now: number, parts: Partial<AlertContext> = {}): readonly string[] => {
    const snapshot = snapshotOf(world);
    const whole = context({ now, ...parts });
    const goesOn = (alert: NotificationRecord['alert']) => isUnproven(alert, snapshot, whole);
    const { upserts, deletes } = due(alertsFrom(snapshot, whole), sent, { name: 'pager' }, now, { goesOn });
    for (const fingerprint of deletes) sent.delete(fingerprint);
    for (const { queuedAt: _told, ...record } of upserts) sent.set(record.fingerprint, { ...record, sentAt: now });
    return upserts.map(({ status, alert }) => `${status} ${alert.labels.alertname.replace('Keyvigil', '')}`).sort();
  };
}

const LOUD = T0 + 30 * MINUTE;
const CODEBUILD = { ...KMS, service: 'codebuild' };

describe('a source that is down', () => {
  it('is not told as resolved when the others of its target fail too, and is once it is read again', () => {
    const hears = listener();
    expect(hears({ sources: [down(T0), source(KMS)] }, LOUD)).toEqual(['firing SourceDown']);
    const all = [down(T0), down(LOUD + MINUTE, KMS)];
    expect(hears({ sources: all }, LOUD + 2 * MINUTE)).toEqual([]);
    expect(hears({ sources: all }, LOUD + 2 * HOUR)).toEqual(['firing AccountBlind']);
    expect(hears({ sources: [down(T0), source(KMS)] }, LOUD + 3 * HOUR)).toEqual(['resolved AccountBlind']);
    expect(hears({ sources: [source(), source(KMS)] }, LOUD + 4 * HOUR)).toEqual(['resolved SourceDown']);
  });

  it('is resolved when it is watched no more, or was read in between', () => {
    const hears = listener();
    const world = { sources: [down(T0), source(KMS), down(T0, CODEBUILD)] };
    expect(hears(world, LOUD)).toEqual(['firing SourceDown', 'firing SourceDown']);
    expect(hears({ sources: [source(KMS), down(LOUD + 1, CODEBUILD)] }, LOUD + MINUTE)).toEqual([
      'resolved SourceDown',
      'resolved SourceDown',
    ]);
  });
});

it('a short listing is told once, though its target turns blind in between', () => {
  const hears = listener();
  const short = { shrank: { from: 100, to: 60, at: T0 } };
  expect(hears({ sources: [source(short)] }, T0)).toEqual(['firing KeySetShrank']);
  expect(hears({ sources: [down(T0 + MINUTE, short)] }, LOUD)).toEqual(['firing AccountBlind']);
  expect(hears({ sources: [source(short)] }, LOUD + MINUTE)).toEqual(['resolved AccountBlind']);
  expect(hears({ sources: [source()] }, LOUD + HOUR)).toEqual(['resolved KeySetShrank']);
});

describe('a key that cannot be seen', () => {
  it('is told once, though a sweep of its source fails in between', () => {
    const hears = listener();
    const keys = [key('a', blindSince(T0))];
    expect(hears({ keys, sources: [source(), source(KMS)] }, LOUD)).toEqual(['firing KeyStatusUnknown']);
    const failed = { keys, sources: [down(LOUD + 1), source(KMS)] };
    expect(hears(failed, LOUD + MINUTE)).toEqual([]);
    expect(hears({ keys, sources: [source(), source(KMS)] }, LOUD + 2 * MINUTE)).toEqual([]);
    expect(hears({ keys: [key('a')], sources: [source(), source(KMS)] }, LOUD + 3 * MINUTE)).toEqual([
      'resolved KeyStatusUnknown',
    ]);
  });

  it('is resolved when it is watched no more', () => {
    const hears = listener();
    hears({ keys: [key('a', blindSince(T0))], sources: [source()] }, LOUD);
    expect(hears({ sources: [source()] }, LOUD + MINUTE)).toEqual(['resolved KeyStatusUnknown']);
  });
});

describe('a daemon that begins again', () => {
  it('neither ends nor repeats what was told of a target that it has not asked yet', () => {
    const hears = listener();
    // Told between two attempts: the last of them came before the time was up.
    const sources = [down(T0, { lastAttemptAt: T0 + 4 * MINUTE })];
    expect(hears({ sources }, T0 + 5 * MINUTE, { startedAt: T0 - DAY })).toEqual(['firing AccountBlind']);
    const startedAt = T0 + 5 * MINUTE + SECOND;
    expect(hears({ sources }, startedAt, { startedAt })).toEqual([]);
    const again = [down(T0, { lastAttemptAt: startedAt + MINUTE })];
    expect(hears({ sources: again }, startedAt + MINUTE, { startedAt })).toEqual([]);
    expect(hears({ sources: [source()] }, startedAt + HOUR, { startedAt })).toEqual(['resolved AccountBlind']);
  });

  it('does not end what was told of a sweep that does not end', () => {
    const hears = listener();
    const sources = [source({ lastSuccessAt: T0, detectionBoundMs: MINUTE })];
    expect(hears({ sources }, T0 + 3 * MINUTE)).toEqual(['firing CheckStale']);
    const startedAt = T0 + 4 * MINUTE;
    expect(hears({ sources }, startedAt, { startedAt })).toEqual([]);
    expect(hears({ sources }, startedAt + HOUR, { startedAt })).toEqual([]);
    const ended = [source({ lastSuccessAt: startedAt + HOUR, detectionBoundMs: MINUTE })];
    expect(hears({ sources: ended }, startedAt + HOUR, { startedAt })).toEqual(['resolved CheckStale']);
  });

  it('tries a receiver for five minutes of its own before it says that it fails, and ends nothing by that', () => {
    const failingReceivers = [{ receiver: 'chat', since: T0 }];
    const startedAt = T0 + DAY;
    expect(listener()({}, startedAt, { startedAt, failingReceivers })).toEqual([]);
    const hears = listener();
    expect(hears({}, T0 + 5 * MINUTE, { failingReceivers })).toEqual(['firing NotificationFailing']);
    expect(hears({}, startedAt, { startedAt, failingReceivers })).toEqual([]);
    expect(hears({}, startedAt + MINUTE, { startedAt })).toEqual(['resolved NotificationFailing']);
  });
});
