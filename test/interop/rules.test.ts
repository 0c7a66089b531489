/** The rules, their tests and the configurations around them, judged by Prometheus and Alertmanager themselves. */
import { execFile, spawnSync } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { ALERT_RULES } from '../rules/files.ts';
import { alertmanager, amtool, promtool, ROOT, spawnServer } from './tools.ts';

const run = promisify(execFile);
/** promtool counts minutes of every rule one by one. */
const PATIENCE_MS = 10 * 60_000;
const RULES = 'rules/keyvigil.yml';
const ALERTMANAGER = join(ROOT, 'config/alertmanager/alertmanager.yml');

/** A copy of config/prometheus, for mistakes to be planted in. */
async function copy(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'keyvigil-rules-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  await cp(join(ROOT, 'config/prometheus'), directory, { recursive: true });
  return directory;
}

interface Judged {
  readonly passed: boolean;
  readonly said: string;
}

/** What promtool says of one file of tests. */
async function testRules(directory: string, file: string): Promise<Judged> {
  return await run(await promtool(), ['test', 'rules', join(directory, 'tests', `${file}.yml`)]).then(
    ({ stdout }) => ({ passed: true, said: stdout }),
    (error: { readonly code?: unknown; readonly stdout?: string; readonly stderr?: string }) => {
      // 1: a test failed. Anything else is no judgement.
      if (error.code !== 1) throw error;
      return { passed: false, said: `${error.stdout}${error.stderr}` };
    },
  );
}

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
    const directory = join(ROOT, 'config/prometheus');
    const files = (await readdir(join(directory, 'tests'))).map((name) => name.replace(/\.yml$/, '')).sort();
    expect(files.length).toBeGreaterThan(5);
    for (const file of files) {
      const { passed, said } = await testRules(directory, file);
      expect(passed, said).toBe(true);
    }
  },
  PATIENCE_MS,
);

/** Where the tests of an alert are. */
const TESTED_IN: ReadonlyArray<readonly [RegExp, string]> = [
  [/KeyInaccessible/, 'keys'],
  [/Deletion/, 'deletion'],
  [/Expir|Overdue|Stuck|Misconfigured/, 'findings'],
  [/Consumer|Propagated/, 'consumers'],
  [/NewKeyVersion/, 'versions'],
  [/Notification|Config|Absent|Watchdog/, 'daemon'],
  [/Blind|Unknown/, 'blind'],
  [/.*/, 'sources'],
];

test(
  'an alert that never fires fails its tests, whichever it is',
  async () => {
    const names = [...new Set(ALERT_RULES.map(({ alert = '' }) => alert))];
    expect(names.length).toBe(20);
    const directory = await copy();
    const text = await readFile(join(directory, RULES), 'utf8');
    for (const name of names) {
      // Under another name it is as good as gone.
      const mute = text.replaceAll(`- alert: ${name}\n`, `- alert: ${name}Mute\n`);
      expect(mute).not.toBe(text);
      await writeFile(join(directory, RULES), mute);
      const file = TESTED_IN.find(([alerts]) => alerts.test(name))?.[1] ?? '';
      expect([name, (await testRules(directory, file)).passed]).toEqual([name, false]);
    }
  },
  PATIENCE_MS,
);

test.each([
  [
    'outages',
    'loses what missed scrapes hide',
    /last_over_time\(keyvigil:key_inaccessible:time\[1h\]\)/g,
    'last_over_time(keyvigil:key_inaccessible:time[1m])',
  ],
  [
    'outages',
    'brings back what ended before an outage',
    /(keyvigil:key_inaccessible:time\[1h\]\)) == on \(instance, job\) group_left \(\)/g,
    '$1 and on (instance, job)',
  ],
  ['outages', 'forgets that another daemon sees the key', /unless on \(resource\) keyvigil_key_info/g, ''],
  ['keys', 'pages for everything behind a root', /unless on \(instance, job, resource\) keyvigil_key_root_cause/g, ''],
  ['keys', 'pages for what was dead before', /unless on \(instance, job, resource\) \(keyvigil_key_baseline.*/g, ''],
  ['keys', 'forgets what the policy names', / or keyvigil_key_critical/g, ''],
  ['outages', 'tells each daemon by its address', /max without \(instance, job, pod, /g, 'max without (job, '],
  ['deletion', 'takes four days for three', /72 \* 3600/g, '96 * 3600'],
  ['deletion', 'pages for every deletion', /\{reason=~"pending_deletion\|soft_deleted"\}/g, '{reason="none"}'],
  [
    'findings',
    'tells what had expired before',
    /keyvigil:key_used or count_over_time\(keyvigil_key_finding\{[^}]*\}\[7d\]\)/g,
    'keyvigil_key_info',
  ],
  ['findings', 'lets info alert', /severity=~"warning\|critical"/g, 'severity=~".+"'],
  [
    'findings',
    'tells findings of unused keys',
    /(finding!~[^}]*\}) and on \(instance, job, resource\) keyvigil:key_used/g,
    '$1',
  ],
  [
    'consumers',
    'tells consumers whose key is lost',
    /keyvigil_consumer_reason\{reason="key_inaccessible"\}/g,
    'keyvigil_consumer_reason{reason="none"}',
  ],
  ['versions', 'tells a version for an hour', /< 900/g, '< 3600'],
  ['sources', 'takes one failed sweep for an outage', /for: 5m/g, 'for: 1m'],
  ['sources', 'never gets louder', /for: 30m/g, 'for: 300m'],
  [
    'blind',
    'tells each source of a blind target',
    /unless on \(target\) ALERTS\{alertname="KeyvigilAccountBlind", alertstate="firing"\}/g,
    '',
  ],
  ['blind', 'tells each key of a blind vault', /"\(https:\/\/\[\^\/\]\+\)\/keys\/\.\+"/g, '"(none)"'],
  [
    'blind',
    'tells keys of a source that is down',
    /keyvigil_source_up == 1, "source"/g,
    'keyvigil_source_up, "source"',
  ],
  ['blind', 'takes the tag service for the service', /source_service/g, 'service'],
  ['sources', 'cries over one of five', />= 5\n/g, '>= 1\n'],
  [
    'daemon',
    'waits for nothing',
    /keyvigil_outbox_oldest_timestamp_seconds > 300/g,
    'keyvigil_outbox_oldest_timestamp_seconds > 3000',
  ],
  ['slo', 'takes a daemon that is down for fresh', /keyvigil:freshness:dark \* 0/g, 'keyvigil:freshness:dark'],
])('a mistake in the rules is found by %s: one that %s', async (file, _, pattern, replacement) => {
  const directory = await copy();
  const text = await readFile(join(directory, RULES), 'utf8');
  const broken = text.replace(pattern, replacement);
  expect(broken).not.toBe(text);
  await writeFile(join(directory, RULES), broken);
  const check = spawnSync(await promtool(), ['check', 'rules', join(directory, RULES)], { encoding: 'utf8' });
  expect(check.status, check.stderr).toBe(0);
  expect((await testRules(directory, file)).passed).toBe(false);
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

  const directory = await copy();
  const broken = join(directory, 'alertmanager.yml');
  await writeFile(broken, (await readFile(ALERTMANAGER, 'utf8')).replace('receiver: pager', 'receiver: nobody'));
  expect(spawnSync(await amtool(), ['check-config', broken]).status).not.toBe(0);
});

test('a real Alertmanager silences the rule of what is pushed, and nothing else', async () => {
  const directory = await copy();
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
