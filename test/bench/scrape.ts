/**
 * Scrapes of 1k, 10k and 100k keys with ten series each, over loopback HTTP: ours against prom-client with the same series
 * and against a server that writes one frozen buffer of the same bytes. All in one run, interleaved, medians. Each server is
 * a process of its own, and so is the client (curl, or this one).
 */
import { type ChildProcess, execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { BenchRow } from './row.ts';
import type { Answer, Question } from './scrape-server.ts';

const ROUNDS = 5;
const SERIES = 10;

interface Peer {
  readonly url: string;
  ask(question: Question): Promise<Answer>;
  /** Runs `scrape` and tells the server's cpu and its longest event-loop block, ms, beside what `scrape` gives. */
  measured<T extends object>(scrape: () => Promise<T>): Promise<T & { cpu: number; block: number; rss: number }>;
  stop(): Promise<void>;
}

async function start(...args: string[]): Promise<Peer> {
  const child: ChildProcess = fork(join(import.meta.dirname, 'scrape-server.ts'), args, { execArgv: [] });
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  async function ask(question: Question): Promise<Answer> {
    const answer = once(child, 'message');
    child.send(question);
    return (await answer)[0] as Answer;
  }
  return {
    url: `http://127.0.0.1:${port}`,
    ask,
    async measured(scrape) {
      await ask({ ask: 'start' });
      const result = await scrape();
      const { cpu = 0, block = 0, rss = 0 } = await ask({ ask: 'stop' });
      return { ...result, cpu, block, rss };
    },
    async stop() {
      const exit = once(child, 'exit');
      child.disconnect();
      await exit;
    },
  };
}

/** One scrape by curl: time to the last byte, ms, and bytes. */
async function curl(url: string, gzip = false): Promise<{ ms: number; bytes: number }> {
  const encoding = gzip ? ['-H', 'Accept-Encoding: gzip'] : [];
  const format = '%{time_total} %{size_download} %{http_code}';
  const { stdout } = await promisify(execFile)('curl', ['-sS', '-o', '/dev/null', '-w', format, ...encoding, url]);
  const [seconds, bytes, status] = stdout.split(' ').map(Number);
  if (status !== 200 || !bytes || !seconds) throw new Error(`curl: ${stdout}`);
  return { ms: seconds * 1000, bytes };
}

/** The same by node:http. */
async function node(url: string): Promise<{ ms: number; body: Buffer }> {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    get(url, { agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => resolve({ ms: performance.now() - started, body: Buffer.concat(chunks) }));
    }).on('error', reject);
  });
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

/** Figures by name, one per round. */
class Figures {
  readonly #values = new Map<string, number[]>();
  add(name: string, value: number | undefined): void {
    if (value === undefined) throw new Error(`no figure for ${name}`);
    this.#values.set(name, [...(this.#values.get(name) ?? []), value]);
  }
  median(name: string): number {
    return median(this.#values.get(name) ?? []);
  }
  max(name: string): number {
    return Math.max(...(this.#values.get(name) ?? [Number.NaN]));
  }
}

async function benchSize(count: number, directory: string): Promise<BenchRow[]> {
  const size = `${count / 1000}k keys`;
  const large = count === 100_000;
  const figures = new Figures();
  const ours = await start('keyvigil', `${count}`);
  const file = join(directory, `${count}.txt`);
  const { body } = await node(ours.url);
  await writeFile(file, body);
  const frozen = await start('frozen', `${count}`, file);
  const stock = await start('prom-client', `${count}`);
  try {
    // prom-client needs seconds for 100k keys: one round says enough.
    const stockRounds = large ? 1 : ROUNDS;
    for (let round = 0; round < ROUNDS; round += 1) {
      const plain = await ours.measured(() => curl(ours.url));
      figures.add('ours', plain.ms);
      figures.add('ours cpu', plain.cpu);
      figures.add('block', plain.block);
      figures.add('frozen', (await frozen.measured(() => curl(frozen.url))).ms);
      figures.add('ours node', (await ours.measured(() => node(ours.url))).ms);
      figures.add('frozen node', (await frozen.measured(() => node(frozen.url))).ms);
      if (round < stockRounds) {
        const slow = await stock.measured(() => curl(stock.url));
        figures.add('stock', slow.ms);
        figures.add('stock block', slow.block);
      }
      const rendered = await ours.ask({ ask: 'render', file });
      figures.add('render', rendered.render);
      figures.add('copy', rendered.copy);
    }
    const rows = plainRows(figures, size, count, large, stockRounds);
    if (count === 1000) return rows;
    rows.push(...(await benchGzip(ours, size, large)));
    if (!large) return rows;
    const { ours: bytes = Number.NaN, full = Number.NaN } = await ours.ask({ ask: 'full-identity' });
    rows.push({
      goal: 'G18',
      name: `${size}: bytes of the table / full identity on all`,
      ...held(bytes / full, 'x', 1 / 3),
    });
    return rows;
  } finally {
    await Promise.all([ours.stop(), frozen.stop(), stock.stop()]);
  }
}

function plainRows(figures: Figures, size: string, count: number, large: boolean, stockRounds: number): BenchRow[] {
  const ratio = (a: string, b: string) => figures.median(a) / figures.median(b);
  const goal = (bound: number) => (large ? bound : undefined);
  const rounds = stockRounds === 1 ? ', one round' : '';
  return [
    { goal: 'G1', name: `${size}: scrape`, ...held(figures.median('ours'), 'ms') },
    { goal: 'G1', name: `${size}: prom-client's scrape${rounds}`, ...held(figures.median('stock'), 'ms') },
    {
      goal: 'G1',
      name: `${size}: scrape / prom-client's${rounds}`,
      ...held(ratio('ours', 'stock'), 'x', goal(1 / 15)),
    },
    { goal: 'G2', name: `${size}: scrape / frozen buffer, curl`, ...held(ratio('ours', 'frozen'), 'x', goal(4)) },
    {
      goal: 'G2',
      name: `${size}: scrape / frozen buffer, node`,
      ...held(ratio('ours node', 'frozen node'), 'x', goal(2)),
    },
    { goal: 'G4', name: `${size}: render cpu / copy of the bytes`, ...held(ratio('render', 'copy'), 'x', goal(8)) },
    {
      goal: 'G4',
      name: `${size}: server cpu per series`,
      ...held((figures.median('ours cpu') * 1000) / (count * SERIES), 'us', goal(0.6)),
    },
    { goal: 'G5', name: `${size}: longest block, plain scrape`, ...held(figures.max('block'), 'ms', goal(25)) },
    { goal: 'G5', name: `${size}: prom-client's longest block`, ...held(figures.max('stock block'), 'ms') },
  ];
}

async function benchGzip(ours: Peer, size: string, large: boolean): Promise<BenchRow[]> {
  const figures = new Figures();
  const first = await ours.measured(() => curl(ours.url, true));
  figures.add('block', first.block);
  for (let round = 0; round < ROUNDS; round += 1) {
    const streaming = await ours.measured(() => curl(`${ours.url}/streaming-gzip`));
    figures.add('streaming', streaming.ms);
    figures.add('streaming cpu', streaming.cpu);
    figures.add('streaming bytes', streaming.bytes);
    const unchanged = await ours.measured(() => curl(ours.url, true));
    figures.add('unchanged', unchanged.ms);
    figures.add('bytes', unchanged.bytes);
    await ours.ask({ ask: 'change' });
    const changed = await ours.measured(() => curl(ours.url, true));
    figures.add('changed', changed.ms);
    figures.add('changed cpu', changed.cpu);
    figures.add('unchanged cpu', unchanged.cpu);
    figures.add('block', unchanged.block);
    figures.add('block', changed.block);
  }
  const ratio = (a: string, b: string) => figures.median(a) / figures.median(b);
  const goal = (bound: number) => (large ? bound : undefined);
  return [
    { goal: 'G6', name: `${size}: streaming gzip-1`, ...held(figures.median('streaming'), 'ms') },
    { goal: 'G6', name: `${size}: first gzip scrape`, ...held(first.ms, 'ms') },
    {
      goal: 'G6',
      name: `${size}: gzip, nothing changed / streaming gzip-1`,
      ...held(ratio('unchanged', 'streaming'), 'x', goal(1 / 15)),
    },
    {
      goal: 'G6',
      name: `${size}: gzip, 30 % of families changed / streaming gzip-1`,
      ...held(ratio('changed', 'streaming'), 'x', goal(1 / 3)),
    },
    {
      goal: 'G6',
      name: `${size}: the same, cpu, nothing changed`,
      ...held(ratio('unchanged cpu', 'streaming cpu'), 'x'),
    },
    { goal: 'G6', name: `${size}: the same, cpu, 30 % changed`, ...held(ratio('changed cpu', 'streaming cpu'), 'x') },
    {
      goal: 'G6',
      name: `${size}: gzip bytes / streaming gzip-1`,
      ...held(ratio('bytes', 'streaming bytes'), 'x', goal(1.05)),
    },
    { goal: 'G5', name: `${size}: longest block, gzip scrape`, ...held(figures.max('block'), 'ms', goal(25)) },
  ];
}

function held(value: number, unit: string, bound?: number): Omit<BenchRow, 'goal' | 'name'> {
  return bound === undefined ? { value, unit } : { value, unit, bound, holds: value <= bound };
}

/** Runs the whole benchmark; takes about two minutes. */
export async function benchScrape(): Promise<BenchRow[]> {
  const directory = await mkdtemp(join(tmpdir(), 'keyvigil-bench-'));
  try {
    const rows: BenchRow[] = [];
    for (const count of [1000, 10_000, 100_000]) rows.push(...(await benchSize(count, directory)));
    return rows;
  } finally {
    await rm(directory, { recursive: true });
  }
}

if (import.meta.main) {
  for (const { goal, name, value, unit, bound, holds } of await benchScrape()) {
    const verdict = bound === undefined ? '' : `  (at most ${bound.toFixed(2)}: ${holds ? 'holds' : 'MISSED'})`;
    console.log(`${goal.padEnd(4)}${name.padEnd(62)}${value.toFixed(3).padStart(10)} ${unit}${verdict}`);
  }
}
