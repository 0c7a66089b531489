/** Nobody is paged twice, nobody is not paged at all: the shipped configurations of Alertmanager and Prometheus. */
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { ALERT_NAMES } from '../../src/core/alert.ts';
import { configOf, inhibits, type Labels, receiverOf } from './alertmanager.ts';
import { read } from './files.ts';

const TEXT = read('config/alertmanager/alertmanager.yml');
const CONFIG = configOf(TEXT);
const ABOUT_PLACES = ['KeyvigilAccountBlind', 'KeyvigilSourceDown', 'KeyvigilCheckStale', 'KeyvigilKeySetShrank'];
const ABOUT_ITSELF = ['KeyvigilNotificationFailing', 'KeyvigilConfigReloadFailed'];

/** An alert with the labels that its kind has. */
function alert(alertname: string, origin: 'push' | 'rules', change: Labels = {}): Labels {
  const place = { target: 'video', ...(alertname !== 'KeyvigilAccountBlind' && { location: 'eu', service: 'kms' }) };
  const key = { resource: 'arn:1', kind: 'aws-kms-key', account: '1', location: 'eu', name: 'k' };
  const own: Labels = alertname === 'KeyvigilNotificationFailing' ? { name: 'pager' } : {};
  const about = ABOUT_PLACES.includes(alertname) ? place : ABOUT_ITSELF.includes(alertname) ? own : key;
  return { alertname, origin, severity: 'critical', ...about, ...change };
}

describe('inhibition', () => {
  test.each(ALERT_NAMES)('a rule that says %s is silent while it is pushed, and never the other way round', (name) => {
    expect(inhibits(CONFIG, alert(name, 'push'), alert(name, 'rules'))).toBe(true);
    expect(inhibits(CONFIG, alert(name, 'push', { severity: 'warning' }), alert(name, 'rules'))).toBe(true);
    expect(inhibits(CONFIG, alert(name, 'rules'), alert(name, 'push'))).toBe(false);
    expect(inhibits(CONFIG, alert(name, 'push'), alert(name, 'push'))).toBe(false);
    expect(inhibits(CONFIG, alert(name, 'rules'), alert(name, 'rules'))).toBe(false);
  });

  test.each(ALERT_NAMES.filter((name) => name !== 'KeyvigilConfigReloadFailed'))(
    '%s of something else is not silent',
    (name) => {
      const other = { resource: 'arn:2', target: 'other', name: 'chat' };
      const labels = Object.fromEntries(Object.entries(other).filter(([label]) => label in alert(name, 'rules')));
      expect(inhibits(CONFIG, alert(name, 'push'), alert(name, 'rules', labels))).toBe(false);
    },
  );

  test.each(['KeyvigilKeyInaccessible', 'KeyvigilConsumerImpaired'])('nothing but its own twin silences %s', (name) => {
    for (const source of [...ALERT_NAMES, 'KeyvigilAbsent', 'KeyvigilWatchdog']) {
      for (const origin of ['push', 'rules'] as const) {
        const same = { target: 'video', location: 'eu', service: 'kms', resource: 'arn:1' };
        expect([source, inhibits(CONFIG, alert(source, origin, same), alert(name, 'push', same))]).toEqual([
          source,
          false,
        ]);
        if (source === name) continue;
        expect([source, inhibits(CONFIG, alert(source, origin, same), alert(name, 'rules', same))]).toEqual([
          source,
          false,
        ]);
      }
    }
  });

  test('what is blind as a whole is said once, of that target only', () => {
    const blind = alert('KeyvigilAccountBlind', 'push');
    expect(inhibits(CONFIG, blind, alert('KeyvigilSourceDown', 'rules'))).toBe(true);
    expect(inhibits(CONFIG, blind, alert('KeyvigilCheckStale', 'push'))).toBe(true);
    expect(inhibits(CONFIG, blind, alert('KeyvigilSourceDown', 'push', { target: 'other' }))).toBe(false);
    const down = alert('KeyvigilSourceDown', 'rules');
    expect(inhibits(CONFIG, down, alert('KeyvigilCheckStale', 'push'))).toBe(true);
    expect(inhibits(CONFIG, down, alert('KeyvigilCheckStale', 'push', { service: 'secrets-manager' }))).toBe(false);
    expect(inhibits(CONFIG, down, blind)).toBe(false);
  });

  test('what does not work at all silences what else is wrong with it, and nothing about another key', () => {
    const lost = alert('KeyvigilKeyInaccessible', 'push');
    for (const name of [
      'KeyvigilKeyMisconfigured',
      'KeyvigilKeyExpiring',
      'KeyvigilRotationStuck',
      'KeyvigilKeyStatusUnknown',
    ]) {
      expect([name, inhibits(CONFIG, lost, alert(name, 'push'))]).toEqual([name, true]);
      expect([name, inhibits(CONFIG, lost, alert(name, 'push', { resource: 'arn:2' }))]).toEqual([name, false]);
    }
    expect(inhibits(CONFIG, lost, alert('KeyvigilNewKeyVersion', 'push'))).toBe(false);
  });

  test('a planted mistake is seen', () => {
    const loud = configOf(TEXT.replace('equal: [alertname, resource]', 'equal: [alertname]'));
    expect(
      inhibits(
        loud,
        alert('KeyvigilKeyInaccessible', 'push'),
        alert('KeyvigilKeyInaccessible', 'rules', { resource: 'arn:2' }),
      ),
    ).toBe(true);
    const swallowing = configOf(
      TEXT.replace('"KeyvigilSourceDown|KeyvigilCheckStale|KeyvigilKeyStatusUnknown", target != ""', '"Keyvigil.+"'),
    );
    expect(
      inhibits(
        swallowing,
        alert('KeyvigilAccountBlind', 'push', { target: '' }),
        alert('KeyvigilKeyInaccessible', 'push'),
      ),
    ).toBe(true);
  });
});

describe('routes', () => {
  test.each([
    ['critical', 'pager'],
    ['warning', 'chat'],
    ['info', 'news'],
    ['unheard-of', 'chat'],
  ])('%s goes to %s, pushed or not', (severity, receiver) => {
    for (const origin of ['push', 'rules'] as const) {
      expect(receiverOf(CONFIG.route, alert('KeyvigilKeyInaccessible', origin, { severity }))).toBe(receiver);
    }
  });

  test('the watchdog goes to the dead man switch, often, and nothing else does', () => {
    expect(receiverOf(CONFIG.route, { alertname: 'KeyvigilWatchdog', severity: 'none', origin: 'rules' })).toBe(
      'deadman',
    );
    const watchdog = CONFIG.route.routes?.find(({ receiver }) => receiver === 'deadman');
    expect(watchdog?.repeat_interval).toBe('1m');
    for (const name of ALERT_NAMES) expect(receiverOf(CONFIG.route, alert(name, 'push'))).not.toBe('deadman');
  });

  test('what a rule says waits for what is pushed', () => {
    const waits = (CONFIG.route.routes ?? []).filter(({ matchers = [] }) => matchers.includes('origin = "rules"'));
    expect(waits.map(({ group_wait: wait }) => wait)).toEqual(['45s', '45s', '45s']);
  });
});

test('every receiver is one address that can be replaced, and Prometheus scrapes, rules and alerts as the stack has it', () => {
  for (const { webhook_configs: hooks } of CONFIG.receivers) {
    expect(hooks.map(({ url }) => new URL(url).host)).toEqual(['sink:8080']);
  }
  const prometheus = parse(read('config/prometheus/prometheus.yml')) as {
    readonly rule_files: readonly string[];
    readonly scrape_configs: ReadonlyArray<{
      readonly job_name: string;
      readonly static_configs: readonly { readonly targets: readonly string[] }[];
    }>;
    readonly alerting: {
      readonly alertmanagers: ReadonlyArray<{
        readonly static_configs: readonly { readonly targets: readonly string[] }[];
      }>;
    };
  };
  expect(prometheus.rule_files).toEqual(['rules/keyvigil.yml']);
  expect(prometheus.alerting.alertmanagers[0]?.static_configs[0]?.targets).toEqual(['alertmanager:9093']);
  const job = prometheus.scrape_configs.find(({ job_name: name }) => name === 'keyvigil');
  expect(job?.static_configs[0]?.targets).toEqual(['keyvigil:10539']);
  expect(read('config/prometheus/rules/keyvigil.yml')).toContain('up{job="keyvigil"}');
});
