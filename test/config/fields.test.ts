import { describe, expect, it } from 'vitest';
import { parseDuration } from '../../src/config/duration.ts';
import { isLoopback, parseListen } from '../../src/config/listen.ts';
import { parseConfig } from '../../src/config/load.ts';
import { nextRuns } from '../../src/config/schedule.ts';
import { SERVICES } from '../../src/providers/index.ts';
import { configOf, messagesOf, TARGETS } from './files.ts';

describe('durations', () => {
  it.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['5m', 300_000],
    ['36h', 129_600_000],
    ['30d', 2_592_000_000],
  ])('%s is %d ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each(['', '30', '-5m', '1.5h', '5 m', '5M', '1w', '1h30m', '٣m'])('%j is none', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });
});

describe('listen', () => {
  it.each([
    ['127.0.0.1:10539', '127.0.0.1', 10539, true],
    ['127.8.9.1:0', '127.8.9.1', 0, true],
    ['localhost:80', 'localhost', 80, true],
    ['[::1]:10539', '::1', 10539, true],
    ['[::ffff:127.0.0.1]:1', '::ffff:127.0.0.1', 1, true],
    ['0.0.0.0:10539', '0.0.0.0', 10539, false],
    ['[::]:10539', '::', 10539, false],
    ['10.0.0.1:10539', '10.0.0.1', 10539, false],
    ['keyvigil.example.com:443', 'keyvigil.example.com', 443, false],
    ['localhost.example.com:443', 'localhost.example.com', 443, false],
  ])('%s is host %s, port %d, loopback %s', (text, host, port, loopback) => {
    expect(parseListen(text)).toEqual({ host, port });
    expect(isLoopback(host)).toBe(loopback);
  });

  it.each([
    '',
    '10539',
    ':10539',
    '::1:10539',
    '[::1]',
    '127.0.0.1',
    '127.0.0.1:',
    '127.0.0:1',
    '256.0.0.1:1',
    '[x]:1',
    'a b:1',
    'a:70000',
    '[127.0.0.1]:1',
  ])('%j is no address', (text) => {
    expect(parseListen(text)).toBeUndefined();
  });

  it('may be open to other machines only if that is said, or if web.configFile asks for proof', () => {
    const open = 'listen: 0.0.0.0:1\n';
    const message = expect.stringContaining('listen: every machine that reaches this address could read everything');
    expect(messagesOf(`${open}${TARGETS}`)).toEqual([message]);
    expect(configOf(`${open}${TARGETS}web: { allowUnauthenticated: true }`).listen).toEqual({
      host: '0.0.0.0',
      port: 1,
    });
    // What stands in that file is not known yet.
    const { issues, unlessAuthenticated } = parseConfig(`${open}${TARGETS}web: { configFile: web.yml }`, 'k.yml', {
      env: {},
      services: SERVICES,
    });
    expect(issues).toEqual([]);
    expect(unlessAuthenticated).toEqual([{ file: 'k.yml', line: 1, column: 9, message }]);
  });
});

describe('schedules', () => {
  it.each(['0 * * * * *', '*/5 * * * * *', '* * * * *', '@hourly', '0 0 0 29 2 *', '0 0 9 * * mon-fri'])(
    '%j is one',
    (text) => {
      expect(configOf(`${TARGETS}schedule: "${text}"`).schedule).toBe(text);
    },
  );

  it('tell their next runs in their time zone', () => {
    const [first, second] = nextRuns('0 30 12 * * *', 'Asia/Kolkata', 2);
    expect(first?.toISOString().slice(11)).toBe('07:00:00.000Z');
    expect(Number(second) - Number(first)).toBe(86_400_000);
  });
});

describe('names', () => {
  it('of keys that every object has are as unknown as others', () => {
    for (const key of ['__proto__', 'constructor', 'toString']) {
      expect(messagesOf(`${TARGETS}${key}: { polluted: true }`)).toEqual([expect.stringMatching(/^unknown key/)]);
      expect(messagesOf(`${TARGETS}policy: { ${key}: 1 }`)).toEqual([expect.stringMatching(/^unknown key/)]);
    }
    expect({}).not.toHaveProperty('polluted');
  });

  it('may be given by aliases, and errors behind one are shown where it is anchored', () => {
    const text = `labels: &labels [team]\npolicy: { critical: *labels }\n${TARGETS}`;
    expect(configOf(text).policy.critical).toEqual(['team']);
    expect(messagesOf(text.replace('[team]', '[team, ""]'))).toEqual([
      'policy.critical[1]: must not be empty',
      'labels[1]: must not be empty',
    ]);
  });
});

describe('what alerts are told with', () => {
  it('holds them for longer than an Alertmanager waits to be told again', () => {
    expect(messagesOf(`${TARGETS}\npolicy: { alertHold: 119s }`)).toEqual([
      'policy.alertHold: expected a duration of at least 2m: what fires is told again only once a minute',
    ]);
    expect(configOf(`${TARGETS}\npolicy: { alertHold: 2m }`).policy.alertHold).toBe(120_000);
  });

  it('reminds people, and no Alertmanager, which reminds them itself', () => {
    const [chat] = configOf(
      `${TARGETS}\nreceivers: [{ name: chat, slack: { url: "https://example.com", remindEvery: 1d } }]`,
    ).receivers;
    expect(chat?.options.remindEvery).toBe(86_400_000);
    const alertmanager = 'alertmanager: { urls: ["http://127.0.0.1:9093"], remindEvery: 1d }';
    expect(messagesOf(`${TARGETS}\nreceivers: [{ name: oncall, ${alertmanager} }]`)).toHaveLength(1);
    expect(messagesOf(`${TARGETS}\nreceivers: [{ name: p, pagerduty: { routingKey: k, remindEvery: 9m } }]`)).toEqual([
      'receivers[0].pagerduty.remindEvery: expected a duration of at least 10m',
    ]);
  });
});
