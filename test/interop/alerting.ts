/**
 * The way of an alert with those who will carry it: two clustered Alertmanagers and a Prometheus on the configuration that we
 * ship, the daemon on the embedded cloud, and somebody who is told. Minutes are seconds; only addresses and waits differ.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { parse } from 'yaml';
import { type App, startApp } from '../../src/app.ts';
import { parseConfig } from '../../src/config/load.ts';
import { SERVICES } from '../../src/providers/index.ts';
import { startSandbox } from '../../src/sandbox/sandbox.ts';
import { company } from '../e2e/company.ts';
import { type Sink, startSink, type Told } from '../e2e/sink.ts';
import { alertmanager, freePort, prometheus, ROOT, type SpawnedServer, spawnServer } from './tools.ts';

const ACCOUNT = '111122223333';
const REGION = 'eu-west-1';
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** What is a minute in the files is two seconds here. */
const SCALE = 30;
/** How long the second peer waits for the first to have told: below group_interval, as the default is. */
const PEER_TIMEOUT = '1s';

/** An alert as `GET /api/v2/alerts` of Alertmanager gives it. */
export interface Held {
  readonly labels: Readonly<Record<string, string>>;
  readonly fingerprint: string;
  readonly endsAt: string;
  readonly updatedAt: string;
  readonly status: { readonly state: string; readonly inhibitedBy: readonly string[] };
}

export interface Surroundings extends AsyncDisposable {
  readonly sink: Sink;
  readonly region: ReturnType<ReturnType<Awaited<ReturnType<typeof startSandbox>>['aws']['account']>['region']>;
  /** Starts the daemon (again, on the same state file). `pushes`: it tells both Alertmanagers itself. */
  start(pushes: boolean): Promise<App>;
  stop(): Promise<void>;
  /** Both Alertmanagers run from the beginning; they keep what they wrote to disk. */
  startPeers(): Promise<void>;
  stopPeers(): Promise<void>;
  /** What was told under this name, in order. */
  of(alertname: string): Told[];
  /** What each Alertmanager holds under this name. */
  held(alertname: string): Promise<ReadonlyArray<readonly Held[]>>;
  /** Waits until `done`. Throws after `limitMs`, with what was told and logged. */
  until(what: string, limitMs: number, done: () => boolean | Promise<boolean>): Promise<void>;
}

type Tree = { [name: string]: unknown };

/** Prometheus writes durations of one unit in our files. */
function scaled(duration: string): string {
  const [, number, unit = ''] = /^(\d+)([a-z]+)$/.exec(duration) ?? [];
  const ms = UNITS[unit];
  if (number === undefined || ms === undefined) throw new Error(`not a duration of one unit: ${duration}`);
  return `${Math.ceil((Number(number) * ms) / SCALE)}ms`;
}

/** The tree with every duration under one of these names scaled. */
function faster(tree: unknown, names: readonly string[]): unknown {
  if (Array.isArray(tree)) return tree.map((one) => faster(one, names));
  if (typeof tree !== 'object' || tree === null) return tree;
  const entries = Object.entries(tree).map(([name, value]) => [
    name,
    names.includes(name) && typeof value === 'string' ? scaled(value) : faster(value, names),
  ]);
  return Object.fromEntries(entries);
}

async function shipped(path: string): Promise<string> {
  return await readFile(join(ROOT, 'config', path), 'utf8');
}

/** Reminders stay as far apart as they are: who is told twice was told twice by mistake. */
async function alertmanagerConfig(sink: string): Promise<string> {
  const text = (await shipped('alertmanager/alertmanager.yml')).replaceAll('http://sink:8080', new URL(sink).origin);
  return JSON.stringify(faster(parse(text), ['resolve_timeout', 'group_wait', 'group_interval']));
}

async function prometheusConfig(ports: {
  readonly own: number;
  readonly keyvigil: number;
  readonly alertmanagers: readonly number[];
}): Promise<string> {
  const peers = ports.alertmanagers.map((port) => `"127.0.0.1:${port}"`).join(', ');
  const text = (await shipped('prometheus/prometheus.yml'))
    .replaceAll('"alertmanager:9093"', peers)
    .replaceAll('"keyvigil:10539"', `"127.0.0.1:${ports.keyvigil}"`)
    .replaceAll('"localhost:9090"', `"127.0.0.1:${ports.own}"`);
  const config = faster(parse(text), ['scrape_interval', 'evaluation_interval']) as { scrape_configs: Tree[] };
  // The second keyvigil of a compose profile: there is no resolver here that knows its name.
  for (const job of config.scrape_configs) delete job.dns_sd_configs;
  return JSON.stringify(config);
}

const ready = async (url: string) => (await fetch(`${url}/-/ready`)).ok;

type Ports = { readonly web: number; readonly cluster: number };

async function startAlertmanagers(directory: string, config: string, ports: readonly Ports[]) {
  const started: SpawnedServer[] = [];
  for (const { web, cluster } of ports) {
    const others = ports
      .filter((other) => other.web !== web)
      .map((other) => `--cluster.peer=127.0.0.1:${other.cluster}`);
    const server = await spawnServer({
      command: await alertmanager(),
      args: () => [
        `--config.file=${config}`,
        `--storage.path=${join(directory, `alertmanager-${web}`)}`,
        `--web.listen-address=127.0.0.1:${web}`,
        `--cluster.listen-address=127.0.0.1:${cluster}`,
        '--cluster.settle-timeout=2s',
        `--cluster.peer-timeout=${PEER_TIMEOUT}`,
        '--cluster.reconnect-interval=1s',
        ...others,
      ],
      ready: () => ready(`http://127.0.0.1:${web}`),
    });
    started.push(server);
  }
  return started;
}

/** Starts everything but the daemon, on a cloud with keys and a secret behind each: `alias/key-N`, `prod/secret-N`. */
export async function startSurroundings(keys: number): Promise<Surroundings> {
  await using stack = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'keyvigil-alerting-'));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  const sink = stack.use(await startSink());
  const sandbox = stack.use(await startSandbox({ seed: 7 }));
  const account = sandbox.aws.account(ACCOUNT);
  const region = account.region(REGION);
  company(keys)(region);

  const config = join(directory, 'alertmanager.yml');
  await writeFile(config, await alertmanagerConfig(sink.url));
  const ports: Ports[] = [];
  while (ports.length < 2) ports.push({ web: await freePort(), cluster: await freePort() });
  const urls = ports.map(({ web }) => `http://127.0.0.1:${web}`);
  let peers: readonly SpawnedServer[] = [];
  const startPeers = async () => {
    peers = await startAlertmanagers(directory, config, ports);
  };
  const stopPeers = async () => {
    const stopping = peers;
    peers = [];
    await Promise.all(stopping.map((peer) => peer[Symbol.asyncDispose]()));
  };
  stack.defer(stopPeers);
  await startPeers();

  const own = await freePort();
  const port = await freePort();
  const rules = faster(parse(await shipped('prometheus/rules/keyvigil.yml')), ['interval', 'for']);
  await writeFile(join(directory, 'keyvigil-rules.yml'), JSON.stringify(rules));
  const prometheusFile = join(directory, 'prometheus.yml');
  const scraping = { own, keyvigil: port, alertmanagers: ports.map(({ web }) => web) };
  const text = (await prometheusConfig(scraping)).replaceAll('rules/keyvigil.yml', 'keyvigil-rules.yml');
  await writeFile(prometheusFile, text);
  const scraper = stack.use(
    await spawnServer({
      command: await prometheus(),
      args: () => [
        `--config.file=${prometheusFile}`,
        `--storage.tsdb.path=${join(directory, 'prometheus')}`,
        `--web.listen-address=127.0.0.1:${own}`,
      ],
      ready: () => ready(`http://127.0.0.1:${own}`),
    }),
  );

  const knows = async (expression: string) => {
    const answer = await fetch(`http://127.0.0.1:${own}/api/v1/query?query=${encodeURIComponent(expression)}`);
    const { data } = (await answer.json()) as { data: { result: unknown[] } };
    return data.result.length > 0;
  };

  const logged: string[] = [];
  let app: App | undefined;
  const stop = async () => {
    const stopping = app;
    app = undefined;
    await stopping?.[Symbol.asyncDispose]();
  };
  stack.defer(stop);

  async function until(what: string, limitMs: number, done: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = Date.now() + limitMs;
    while (!(await done())) {
      if (Date.now() >= deadline) {
        const told = sink.told.map(({ at, status, labels }) => `${at} ${status} ${JSON.stringify(labels)}`);
        const outputs = [...peers, scraper].map((server) => server.output().slice(-2_000));
        throw new Error([`${what}: not within ${limitMs} ms`, ...told, ...logged.slice(-20), ...outputs].join('\n'));
      }
      await sleep(50);
    }
  }
  const parts = stack.move();

  return {
    sink,
    region,
    async start(pushes) {
      const file = `
listen: 127.0.0.1:${port}
state: ${join(directory, 'state.db')}
schedule: "* * * * * *"
policy: { alertHold: 2m }
targets:
  - name: prod
    provider: aws
    regions: [${REGION}]
    endpoint: ${sandbox.url}
    services: { secrets-manager: {}, kms: {} }
${pushes ? `receivers: [{ name: oncall, alertmanager: { urls: ${JSON.stringify(urls)} } }]` : ''}
`;
      const env = {
        AWS_ACCESS_KEY_ID: account.credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: account.credentials.secretAccessKey,
      };
      const { config: parsed, issues } = parseConfig(file, join(directory, 'keyvigil.yml'), {
        env,
        services: SERVICES,
      });
      if (!parsed) throw new Error(issues.map(({ line, message }) => `${line}: ${message}`).join('\n'));
      const log = pino({ base: null, level: 'info' }, { write: (line: string) => void logged.push(line) });
      const started = await startApp({ config: parsed, env, log, version: '0.0.0-test' });
      app = started;
      const sweeps = () => started.snapshot.sources.length === 2 && started.snapshot.sources.every(({ up }) => up);
      await until('the first sweeps', 20_000, sweeps);
      await until('a look of Prometheus', 20_000, () => knows('keyvigil:scraped:time'));
      return started;
    },
    stop,
    startPeers,
    stopPeers,
    of: (alertname) => sink.told.filter(({ labels }) => labels.alertname === alertname),
    async held(alertname) {
      const filter = encodeURIComponent(`alertname="${alertname}"`);
      const asked = urls.map(async (url) => (await fetch(`${url}/api/v2/alerts?filter=${filter}`)).json());
      return (await Promise.all(asked)) as Held[][];
    },
    until,
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}
