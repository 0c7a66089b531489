/** The configurations of the stack, read by keyvigil itself, and the two programs beside it. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from '../../src/config/load.ts';
import { SERVICES } from '../../src/providers/index.ts';
import { manifests } from './kubernetes.ts';
import { ROOT, read } from './project.ts';

const SINK = join(ROOT, 'config/stack/sink.mjs');

async function temporary(name: string, text: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'keyvigil-stack-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  await writeFile(join(directory, name), text, { mode: 0o600 });
  return join(directory, name);
}

/** What compose and `demo` set for these files. */
const envOf = (ca: string): Readonly<Record<string, string>> => ({
  KEYVIGIL_DEMO_LISTEN: '0.0.0.0:10539',
  KEYVIGIL_DEMO_STATE: '/tmp/demo.db',
  KEYVIGIL_DEMO_AWS: 'http://127.0.0.1:1',
  KEYVIGIL_DEMO_SUBSCRIPTION: '00000000-0000-0000-0000-000000000000',
  KEYVIGIL_DEMO_CA: ca,
  KEYVIGIL_LISTEN: '0.0.0.0:10539',
  KEYVIGIL_STATE: '/data/keyvigil.db',
  KEYVIGIL_MOTO_URL: 'http://moto:5000',
  KEYVIGIL_ALERTMANAGER_URL: 'http://alertmanager:9093',
  KEYVIGIL_EXTERNAL_URL: 'http://localhost:10539',
});

test('the demo of the stack is the demo, with somebody to tell', () => {
  const { receivers, web, ...demo } = parse(read('config/stack/demo.yaml'));
  const { web: plainWeb, ...plain } = parse(read('config/demo.yaml'));
  expect(demo).toEqual(plain);
  expect(web).toEqual({ ...plainWeb, externalUrl: `\${KEYVIGIL_EXTERNAL_URL}` });
  expect(receivers).toEqual([{ name: 'alertmanager', alertmanager: { urls: [`\${KEYVIGIL_ALERTMANAGER_URL}`] } }]);
});

test('keyvigil takes every configuration of the stack as it is', async () => {
  const ca = await temporary('ca.pem', 'a certificate');
  const env = envOf(ca);
  for (const file of ['demo.yaml', 'moto.yaml']) {
    const { config } = await loadConfig(join(ROOT, 'config/stack', file), { env, services: SERVICES });
    expect(config.receivers.map(({ type }) => type)).toEqual(['alertmanager']);
    expect(config.listen.port).toBe(10539);
  }
  const [map] = manifests(read('config/kubernetes/base/configmap.yaml'));
  const file = await temporary('keyvigil.yml', map?.data?.['keyvigil.yml'] ?? '');
  const { config } = await loadConfig(file, { env: {}, services: SERVICES });
  expect(config).toMatchObject({ state: '/data/keyvigil.db', listen: { host: '0.0.0.0', port: 10539 } });
});

test('what the README adds to a copy of the demo makes it tell an Alertmanager of one’s own', async () => {
  const [, line = ''] = /^echo '(receivers: .*)' >> my-demo\.yaml$/m.exec(read('README.md')) ?? [];
  const ca = await temporary('ca.pem', 'a certificate');
  const file = await temporary('my-demo.yaml', `${read('config/demo.yaml')}${line}\n`);
  const { config, warnings } = await loadConfig(file, { env: envOf(ca), services: SERVICES });
  expect(config.receivers).toMatchObject([
    { name: 'oncall', type: 'alertmanager', options: { urls: ['http://127.0.0.1:9093'] } },
  ]);
  expect(warnings).toEqual([]);
});

/** The sink on a port of its own, and what it prints. */
async function sink(): Promise<{ readonly url: string; readonly printed: () => string }> {
  const child = spawn(process.execPath, [SINK], {
    env: { SINK_LISTEN: '127.0.0.1:0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  onTestFinished(async () => {
    child.kill();
    await ended;
  });
  const printed: string[] = [];
  const lines = createInterface(child.stdout);
  const first = new Promise<string>((resolve) => lines.once('line', resolve));
  lines.on('line', (line) => printed.push(line));
  const [, address] = / on (\S+)$/.exec(await first) ?? [];
  return { url: `http://${address}`, printed: () => printed.join('\n') };
}

test('the sink prints what is told, takes names as data, and remembers it', async () => {
  const { url, printed } = await sink();
  const labels = { alertname: 'KeyvigilKeyInaccessible', severity: 'critical', name: 'a\u001b[2Jb', origin: 'push' };
  const annotations = { summary: 'Gone.', undo: 'aws kms enable-key' };
  const alerts = [
    { status: 'firing', labels, annotations },
    { status: 'resolved', labels, annotations },
    { status: 'firing', labels: { alertname: 'KeyvigilWatchdog' } },
  ];
  const post = (body: string) => fetch(`${url}/pager`, { method: 'POST', body });
  expect((await post(JSON.stringify({ version: '4', receiver: 'pager', alerts }))).status).toBe(200);
  const remembered = (await (await fetch(url)).json()) as { readonly alerts: readonly object[] };
  expect(remembered.alerts).toMatchObject(alerts.map((alert) => ({ ...alert, path: '/pager', receiver: 'pager' })));
  await expect
    .poll(printed)
    .toMatch(/FIRING critical.*KeyvigilKeyInaccessible {2}a \[2Jb.*push[\s\S]*undo: aws kms enable-key[\s\S]*RESOLVED/);
  expect(printed()).not.toContain('Watchdog');
  for (const body of ['', 'null', '{}', '{"alerts":[null]}', '{"alerts":{}}'])
    expect((await post(body)).status).toBe(400);
  expect((await fetch(`${url}/-/healthy`)).status).toBe(200);
});
