/** The rules, their tests and the configurations around them, judged by Prometheus and Alertmanager themselves. */
import { execFile, spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { ALERT_RULES } from '../rules/files.ts';
import { copy, keepShortest, missedIn, testAllRules, testRules } from './rule-tests.ts';
import { alertmanager, amtool, promtool, ROOT, spawnServer } from './tools.ts';

const run = promisify(execFile);
/** promtool counts minutes of every rule one by one. */
const PATIENCE_MS = 10 * 60_000;
const RULES = 'rules/keyvigil.yml';
const ALERTMANAGER = join(ROOT, 'config/alertmanager/alertmanager.yml');

test('promtool takes the rules and the configuration, and finds nothing twice', async () => {
  const check = spawnSync(await promtool(), ['check', 'config', join(ROOT, 'config/prometheus/prometheus.yml')], {
    encoding: 'utf8',
  });
  expect(check.status, check.stderr).toBe(0);
  expect(check.stdout).toMatch(/SUCCESS: \d+ rules found/);
  const rules = ['check', 'rules', '--lint=all', '--lint-fatal', join(ROOT, 'config/prometheus', RULES)];
  const lint = spawnSync(await promtool(), rules, { encoding: 'utf8' });
  expect(lint.status, `${lint.stdout}${lint.stderr}`).toBe(0);
});

test(
  'every rule passes its tests',
  async () => {
    const { passed, said } = await testAllRules(join(ROOT, 'config/prometheus'));
    expect(passed, said).toBe(true);
  },
  PATIENCE_MS,
);

test(
  'an alert that never fires fails a test, whichever it is',
  async () => {
    const names = [...new Set(ALERT_RULES.map(({ alert = '' }) => alert))].sort();
    expect(names.length).toBe(20);
    await using stack = new AsyncDisposableStack();
    const directory = await copy(stack);
    await keepShortest(directory, names);
    const text = await readFile(join(directory, RULES), 'utf8');
    // Under another name it is as good as gone; each is missed by its own name.
    await writeFile(join(directory, RULES), text.replaceAll(/- alert: (\w+)\n/g, '- alert: $1Mute\n'));
    const missed = missedIn((await testAllRules(directory)).said);
    expect(missed.filter((name) => names.includes(name))).toEqual(names);
    // And by no other's.
    await writeFile(join(directory, RULES), text.replaceAll('- alert: KeyvigilKeyExpired\n', '- alert: Mute\n'));
    expect(missedIn((await testRules(directory, ['findings'])).said)).toEqual(['KeyvigilKeyExpired']);
  },
  PATIENCE_MS,
);

test.concurrent.each<readonly [file: string, what: string, test: string, pattern: RegExp, replacement: string]>([
  [
    'outages',
    'loses what missed scrapes hide',
    'missed scrapes and a restart resolve nothing, and the first 1 resolves',
    /last_over_time\(keyvigil:key_inaccessible:time\[1h\]\)/g,
    'last_over_time(keyvigil:key_inaccessible:time[1m])',
  ],
  [
    'outages',
    'brings back what ended before an outage',
    'what ended before an outage does not come back because of it',
    /(keyvigil:key_inaccessible:time\[1h\]\)) == on \(instance, job\) group_left \(\)/g,
    '$1 and on (instance, job)',
  ],
  [
    'outages',
    'forgets that another daemon sees the key',
    'a daemon that comes back under another address goes on with the same alert',
    /unless on \(resource\) keyvigil_key_info/g,
    '',
  ],
  [
    'keys',
    'pages for everything behind a root',
    'a lost root is one alert, whatever it takes down',
    /unless on \(instance, job, resource\) keyvigil_key_root_cause/g,
    '',
  ],
  [
    'keys',
    'pages for what was dead before',
    'what was lost at first sight alerts only if something depends on it, or it is named',
    /unless on \(instance, job, resource\) \(keyvigil_key_baseline.*/g,
    '',
  ],
  [
    'keys',
    'forgets what the policy names',
    'severity goes by what depends on it, or by the policy',
    / or keyvigil_key_critical/g,
    '',
  ],
  [
    'outages',
    'tells each daemon by its address',
    'a daemon that comes back under another address goes on with the same alert',
    /max without \(instance, job, pod, /g,
    'max without (job, ',
  ],
  ['deletion', 'takes four days for three', 'so is one of a key that the policy names', /72 \* 3600/g, '96 * 3600'],
  [
    'deletion',
    'pages for every deletion',
    'so is one of a key that the policy names',
    /\{reason=~"pending_deletion\|soft_deleted"\}/g,
    '{reason="none"}',
  ],
  [
    'findings',
    'tells what had expired before',
    'an expired key is critical if something depends on it, a warning if it was seen expiring, else no news',
    /keyvigil:key_used or count_over_time\(keyvigil_key_finding\{[^}]*\}\[7d\]\)/g,
    'keyvigil_key_info',
  ],
  [
    'findings',
    'lets info alert',
    'findings alert on used keys and on consumers, at the severity of the finding, and info never does',
    /severity=~"warning\|critical"/g,
    'severity=~".+"',
  ],
  [
    'findings',
    'tells findings of unused keys',
    'findings alert on used keys and on consumers, at the severity of the finding, and info never does',
    /(finding!~[^}]*\}) and on \(instance, job, resource\) keyvigil:key_used/g,
    '$1',
  ],
  [
    'consumers',
    'tells consumers whose key is lost',
    'when its key is lost as well, the key is the cause',
    /keyvigil_consumer_reason\{reason="key_inaccessible"\}/g,
    'keyvigil_consumer_reason{reason="none"}',
  ],
  ['versions', 'tells a version for an hour', 'a new version is told for a quarter of an hour', /< 900/g, '< 3600'],
  ['sources', 'takes one failed sweep for an outage', 'one failed sweep is nothing', /for: 5m/g, 'for: 1m'],
  [
    'sources',
    'never gets louder',
    'one source that fails is a warning after five minutes, critical after thirty more or less, and over with the first success',
    /for: 30m/g,
    'for: 300m',
  ],
  [
    'blind',
    'tells each source of a blind target',
    'a target of which nothing can be read is one alert, whatever it watches',
    /unless on \(target\) ALERTS\{alertname="KeyvigilAccountBlind", alertstate="firing"\}/g,
    '',
  ],
  [
    'blind',
    'tells each key of a blind vault',
    'a vault that refuses is one alert, on the vault',
    /"\(https:\/\/\[\^\/\]\+\)\/keys\/\.\+"/g,
    '"(none)"',
  ],
  [
    'blind',
    'tells keys of a source that is down',
    'a source that is down gives way to its target when the last one falls, without a gap',
    /keyvigil_source_up == 1, "source"/g,
    'keyvigil_source_up, "source"',
  ],
  [
    'blind',
    'takes the tag service for the service',
    'a key that nobody can tell about says why',
    /source_service/g,
    'service',
  ],
  [
    'sources',
    'cries over one of five',
    'a small set that lost four of five is no warning, and what is shown again ends it',
    />= 5\n/g,
    '>= 1\n',
  ],
  [
    'daemon',
    'waits for nothing',
    'a receiver that accepts nothing while something waits is failing, and the others are not',
    /keyvigil_outbox_oldest_timestamp_seconds > 300/g,
    'keyvigil_outbox_oldest_timestamp_seconds > 3000',
  ],
  [
    'slo',
    'takes a daemon that is down for fresh',
    'a source that never succeeded is not fresh, and neither is one whose daemon is not scraped',
    /keyvigil:freshness:dark \* 0/g,
    'keyvigil:freshness:dark',
  ],
])('a mistake in the rules is found by %s: one that %s', async (file, what, name, pattern, replacement) => {
  await using stack = new AsyncDisposableStack();
  const directory = await copy(stack);
  const text = await readFile(join(directory, RULES), 'utf8');
  const broken = text.replace(pattern, replacement);
  expect(broken, what).not.toBe(text);
  await writeFile(join(directory, RULES), broken);
  const check = await run(await promtool(), ['check', 'rules', join(directory, RULES)]);
  expect(check.stdout).toContain('SUCCESS');
  // That one test alone, which passes where nothing is wrong: every file does. The others take their time and find it, too.
  const path = join(directory, 'tests', `${file}.yml`);
  const whole = parse(await readFile(path, 'utf8')) as { readonly tests: ReadonlyArray<{ readonly name: string }> };
  const tests = whole.tests.filter((one) => one.name === name);
  expect(tests, name).toHaveLength(1);
  await writeFile(path, JSON.stringify({ ...whole, tests }));
  expect((await testRules(directory, [file])).passed).toBe(false);
});

test('amtool takes the configuration and routes each severity, and refuses a mistake', async () => {
  const check = spawnSync(await amtool(), ['check-config', ALERTMANAGER], { encoding: 'utf8' });
  expect(check.status, check.stderr).toBe(0);
  const route = async (...labels: readonly string[]) => {
    const args = ['config', 'routes', 'test', `--config.file=${ALERTMANAGER}`, ...labels];
    return (await run(await amtool(), args)).stdout.trim();
  };
  expect(await route('alertname=KeyvigilKeyInaccessible', 'severity=critical', 'origin=push')).toBe('pager');
  expect(await route('alertname=KeyvigilKeyInaccessible', 'severity=critical', 'origin=rules')).toBe('pager');
  expect(await route('alertname=KeyvigilKeyExpiring', 'severity=warning', 'origin=rules')).toBe('chat');
  expect(await route('alertname=KeyvigilNewKeyVersion', 'severity=info', 'origin=push')).toBe('news');
  expect(await route('alertname=KeyvigilWatchdog', 'severity=none', 'origin=rules')).toBe('deadman');
  expect(await route('alertname=SomethingElse', 'severity=page')).toBe('chat');

  await using stack = new AsyncDisposableStack();
  const directory = await copy(stack);
  const broken = join(directory, 'alertmanager.yml');
  await writeFile(broken, (await readFile(ALERTMANAGER, 'utf8')).replace('receiver: pager', 'receiver: nobody'));
  expect(spawnSync(await amtool(), ['check-config', broken]).status).not.toBe(0);
});

test('a real Alertmanager silences the rule of what is pushed, and nothing else', async () => {
  await using stack = new AsyncDisposableStack();
  const directory = await copy(stack);
  const config = join(directory, 'alertmanager.yml');
  // Nobody listens: this is about what is silent, not about what is sent.
  const text = await readFile(ALERTMANAGER, 'utf8');
  await writeFile(config, text.replaceAll('http://sink:8080', 'http://127.0.0.1:9'));
  await using server = await spawnServer({
    command: await alertmanager(),
    args: (port) => [
      `--config.file=${config}`,
      `--storage.path=${join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--cluster.listen-address=',
    ],
    ready: async (url) => (await fetch(`${url}/-/ready`)).ok,
  });
  const key = { alertname: 'KeyvigilKeyInaccessible', severity: 'critical', account: '1', name: 'k' };
  const source = { severity: 'warning', location: 'eu', service: 'kms' };
  const alerts: ReadonlyArray<Readonly<Record<string, string>>> = [
    { ...key, resource: 'arn:1', origin: 'push' },
    { ...key, resource: 'arn:1', origin: 'rules' },
    { ...key, resource: 'arn:2', origin: 'rules' },
    { alertname: 'KeyvigilAccountBlind', severity: 'critical', target: 'video', origin: 'push' },
    { ...source, alertname: 'KeyvigilSourceDown', target: 'video', origin: 'rules' },
    { ...source, alertname: 'KeyvigilSourceDown', target: 'other', origin: 'rules' },
    { ...source, alertname: 'KeyvigilKeyMisconfigured', resource: 'arn:1', finding: 'a.b', origin: 'push' },
  ];
  const response = await fetch(`${server.url}/api/v2/alerts`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(alerts.map((labels) => ({ labels }))),
  });
  expect(response.status).toBe(200);
  // An alert is judged when it is asked for, once all are there.
  await expect
    .poll(
      async () => {
        const answer = await fetch(`${server.url}/api/v2/alerts`);
        const all = (await answer.json()) as ReadonlyArray<{
          readonly labels: Readonly<Record<string, string>>;
          readonly status: { readonly inhibitedBy: readonly string[] };
        }>;
        return all
          .filter(({ status }) => status.inhibitedBy.length > 0)
          .map(({ labels }) => `${labels.alertname} ${labels.origin} ${labels.resource ?? labels.target}`)
          .sort();
      },
      { timeout: 20_000 },
    )
    .toEqual([
      'KeyvigilKeyInaccessible rules arn:1',
      'KeyvigilKeyMisconfigured push arn:1',
      'KeyvigilSourceDown rules video',
    ]);
});
