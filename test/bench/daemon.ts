/**
 * The whole daemon over 100,000 keys, as a process of its own, with the cloud in another: processor, memory, scrapes every
 * fifteen seconds and pages, beside a daemon over 1,000 keys. `BENCH_MINUTES` says how long it is watched.
 */
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { median, row } from './measure.ts';
import type { BenchRow } from './row.ts';

const MINUTES = Number(process.env.BENCH_MINUTES ?? 10);
const SCRAPE_EVERY_MS = 15_000;
const PAGE_ROUNDS = 9;
const MIB = 1024 * 1024;
const ROOT = join(import.meta.dirname, '..', '..');
/** First sight of everything, ms: the budget of the APIs sets the pace. */
const PATIENCE_MS = 20 * 60_000;

interface Daemon extends AsyncDisposable {
  readonly url: string;
  /** Of the processor since the process began, seconds (proc(5): fields 14 and 15, in hundredths). */
  cpuSeconds(): number;
  rssMib(): number;
}

interface Fetched {
  /** To the first byte of the body, and to the last, ms. */
  readonly firstMs: number;
  readonly ms: number;
  readonly bytes: number;
  readonly text: string;
}

function fetched(url: string, headers: Record<string, string> = {}): Promise<Fetched> {
  const from = performance.now();
  return new Promise((resolve, reject) => {
    get(url, { agent: false, headers }, (response) => {
      const chunks: Buffer[] = [];
      let firstMs = Number.NaN;
      response.on('data', (chunk: Buffer) => {
        if (chunks.length === 0) firstMs = performance.now() - from;
        chunks.push(chunk);
      });
      response.on('error', reject);
      response.on('end', () => {
        const body = Buffer.concat(chunks);
        if (response.statusCode !== 200) reject(new Error(`${url}: ${response.statusCode}`));
        resolve({ firstMs, ms: performance.now() - from, bytes: body.length, text: body.toString() });
      });
    }).on('error', reject);
  });
}

/** Starts a cloud and a daemon that watches it, and waits until all of it was seen. */
async function start(secrets: number, keys: number): Promise<Daemon> {
  await using stack = new AsyncDisposableStack();
  const directory = stack.adopt(mkdtempSync(join(tmpdir(), 'keyvigil-bench-')), (path) =>
    rmSync(path, { recursive: true, force: true }),
  );
  const cloud = fork(join(import.meta.dirname, 'cloud.ts'), [`${secrets}`, `${keys}`], { execArgv: [] });
  stack.defer(() => cloud.disconnect());
  const [{ url: endpoint, credentials }] = (await once(cloud, 'message')) as [
    { url: string; credentials: { accessKeyId: string; secretAccessKey: string } },
  ];
  writeFileSync(
    join(directory, 'keyvigil.yml'),
    `
listen: 127.0.0.1:0
targets: [{ name: bench, provider: aws, regions: [eu-west-1], endpoint: "${endpoint}", services: { secrets-manager: {}, kms: {} } }]
`,
  );
  const { accessKeyId, secretAccessKey } = credentials;
  const child = spawn(process.execPath, [join(ROOT, 'src', 'main.ts'), 'serve'], {
    cwd: directory,
    env: {
      PATH: process.env.PATH ?? '',
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_EC2_METADATA_DISABLED: 'true',
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  stack.defer(async () => {
    const exit = once(child, 'exit');
    if (child.kill('SIGTERM')) await exit;
  });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log = `${log}${text}`.slice(0, 100_000);
  });
  const until = async <T>(what: string, probe: () => Promise<T | undefined>): Promise<T> => {
    for (const from = performance.now(); performance.now() - from < PATIENCE_MS; await sleep(1_000)) {
      const found = await probe().catch(() => undefined);
      if (found !== undefined) return found;
      if (child.exitCode !== null) break;
    }
    throw new Error(`${what}: not within ${PATIENCE_MS} ms\n${log}`);
  };
  const url = await until('its address', async () => /"url":"(http:[^"]+)"/.exec(log)?.[1]);
  await until('everything to be seen', async () => {
    const { text } = await fetched(`${url}/api/v1/sources`);
    const { sources } = JSON.parse(text) as { sources: readonly { objects?: number }[] };
    const seen = sources.reduce((sum, { objects = 0 }) => sum + objects, 0);
    return seen >= secrets + keys ? true : undefined;
  });
  const stat = () => readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  const owned = stack.move();
  return {
    url,
    cpuSeconds: () => (Number(stat()[11]) + Number(stat()[12])) / 100,
    rssMib: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Value of one metric of the process itself. */
function own(page: string, name: string): number {
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(page)?.[1]);
}

function slope(values: readonly number[]): number {
  const half = Math.floor(values.length / 2);
  return median(values.slice(half)) - median(values.slice(0, half));
}

export async function benchDaemon(): Promise<BenchRow[]> {
  await using large = await start(95_000, 5_000);
  // What the first sight left behind is collected, and what is done once was done.
  await sleep(60_000);
  const scrapes: Fetched[] = [];
  const packed: Fetched[] = [];
  const rss: number[] = [];
  const lags: number[] = [];
  const cpuBefore = large.cpuSeconds();
  const from = performance.now();
  for (let at = 0; at < (MINUTES * 60_000) / SCRAPE_EVERY_MS; at += 1) {
    await sleep(Math.max(0, from + at * SCRAPE_EVERY_MS - performance.now()));
    // As Prometheus does it, and now and then as a person.
    packed.push(await fetched(`${large.url}/metrics`, { 'accept-encoding': 'gzip' }));
    if (at % 4 === 3) scrapes.push(await fetched(`${large.url}/metrics`));
    const plain = scrapes.at(-1);
    if (plain) lags.push(own(plain.text, 'nodejs_eventloop_lag_max_seconds') * 1000);
    rss.push(large.rssMib());
  }
  const seconds = (performance.now() - from) / 1000;
  const share = (large.cpuSeconds() - cpuBefore) / seconds;

  await using small = await start(950, 50);
  const name = (daemon: Daemon) => `${daemon.url}/keys/${encodeURIComponent('bench/secret-7')}`;
  const detail = async (daemon: Daemon) => {
    const { text } = await fetched(`${daemon.url}/api/v1/keys?q=bench/secret-7&limit=1`);
    const [key] = (JSON.parse(text) as { keys: { resource: string }[] }).keys;
    return key ? `${daemon.url}/keys/${encodeURIComponent(key.resource)}` : name(daemon);
  };
  const pages: readonly (readonly [string, (daemon: Daemon) => Promise<string>])[] = [
    ['the status page', async (daemon) => `${daemon.url}/`],
    ['a search on it', async (daemon) => `${daemon.url}/?q=secret-77`],
    ['the page of a key', detail],
    ['a page of the API', async (daemon) => `${daemon.url}/api/v1/keys?limit=100`],
    ['a search in the API', async (daemon) => `${daemon.url}/api/v1/keys?q=secret-77&limit=100`],
  ];
  const paints: BenchRow[] = [];
  for (const [what, path] of pages) {
    const [at, beside] = [await path(large), await path(small)];
    const times: { large: number[]; small: number[] } = { large: [], small: [] };
    for (let round = 0; round < PAGE_ROUNDS; round += 1) {
      times.large.push((await fetched(at)).firstMs);
      times.small.push((await fetched(beside)).firstMs);
    }
    const ratio = median(times.large) / median(times.small);
    paints.push(
      row('G16', `${what}, 100k keys against 1k: first paint`, ratio, 'x', 3),
      row('', `${what}, 100k keys: first paint`, median(times.large), 'ms'),
    );
  }
  const sorted = packed.map(({ ms }) => ms).sort((a, b) => a - b);
  return [
    row('G17', `processor of the whole daemon at 100k keys, ${MINUTES} min`, share, 'cores', 0.25),
    row('G17', `memory: second half against the first, of ${rss.length} readings`, slope(rss), 'MiB', 10),
    row('', 'memory at most, scrapes included', Math.max(...rss), 'MiB', 400),
    row('', 'gzip scrape: the slowest', sorted.at(-1) ?? Number.NaN, 'ms', 500),
    row('', 'gzip scrape: median', median(sorted), 'ms'),
    row('', 'gzip scrape: body', median(packed.map(({ bytes }) => bytes)) / MIB, 'MiB'),
    row('', 'plain scrape: median', median(scrapes.map(({ ms }) => ms)), 'ms'),
    row('', 'longest block of the event loop between two scrapes: median', median(lags), 'ms', 100),
    row('', 'longest block of the event loop between two scrapes: worst', Math.max(...lags), 'ms'),
    ...paints,
  ];
}
