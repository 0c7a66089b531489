/**
 * One server to scrape, in a process of its own, driven over IPC by `scrape.ts`. Argument: `keyvigil`, `prom-client` or
 * `frozen`, then the number of keys. A frozen server is given its bytes as a file.
 */
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Writable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { Counter, Gauge, Registry } from 'prom-client';
import { emptySnapshot, type KeyView, type Snapshot } from '../../src/core/snapshot.ts';
import { createMetrics } from '../../src/metrics/registry.ts';
import { keyLines } from '../../src/metrics/render.ts';
import type { KeyRow } from '../../src/metrics/row.ts';
import { nextRuns, type Run } from '../../src/metrics/runs.ts';
import { TABLE } from '../../src/metrics/table.ts';

/** What a server is asked, and what it answers: milliseconds, bytes. */
export type Question =
  | { readonly ask: 'start' | 'stop' | 'full-identity' }
  | { readonly ask: 'render'; readonly file: string }
  | { readonly ask: 'change' };
export type Answer = Readonly<Record<string, number>>;

const KEY_ROWS = TABLE.filter((row): row is KeyRow => row.source === 'key');
const AT = 1_700_000_000_000;

/** A key with ten series: info, accessible and eight more. `round` changes three of them. */
function benchKey(index: number, round: number): KeyView {
  const name = `prod/service-${index % 997}/${index.toString(36)}`;
  return {
    resource: `arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/${String(index).padStart(7, '0')}-AbCdEf`,
    kind: 'aws-secret',
    name,
    provider: 'aws',
    account: '111122223333',
    location: 'eu-west-1',
    targets: ['video-prod'],
    tags: {},
    health: 'accessible',
    since: AT,
    own: { status: 'accessible', since: AT },
    baseline: false,
    critical: true,
    state: 'Enabled',
    version: `${index.toString(16).padStart(8, '0')}-1111-4222-8333-444455556666`,
    versionCreatedAt: AT + index * 1001,
    versionDetectedAt: AT + index * 1000 + 30_000 * (round + 1),
    versionChanges: round,
    expiresAt: AT + 1e10 + index * 1000,
    lastRotatedAt: AT + index * 1000,
    nextRotationAt: AT + 5e9 + index * 1000,
    rootCauses: [],
    consumers: (index + round) % 7,
    dependsOn: [],
    findings: [],
    checkedAt: AT + round,
    evidence: { operation: 'DescribeSecret' },
    attributes: {},
  };
}

function benchSnapshot(count: number, round: number): Snapshot {
  // Through JSON, because strings that came out of an answer are flat, and concatenated ones are not.
  const keys = Array.from(
    { length: count },
    (_, index) => JSON.parse(JSON.stringify(benchKey(index, round))) as KeyView,
  );
  return { ...emptySnapshot(AT), revision: round, keys, byResource: new Map(keys.map((key) => [key.resource, key])) };
}

function discard(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() });
}

function keyvigil(count: number): { server: Server; answer(question: Question): Promise<Answer> } {
  const metrics = createMetrics({ version: 'bench', tagLabels: [], onError: console.error });
  // Made beforehand: what a sweep allocates is no part of a scrape.
  let [snapshot, other] = [benchSnapshot(count, 0), benchSnapshot(count, 1)];
  let bytes: Buffer | undefined;
  let copy: Buffer | undefined;
  const server = createServer((request, response) => {
    if (request.url === '/streaming-gzip') {
      const gzip = createGzip({ level: 1 });
      gzip.pipe(response);
      void metrics.write(snapshot, gzip, { gzip: false });
      return;
    }
    const gzip = request.headers['accept-encoding'] === 'gzip';
    void metrics.write(snapshot, response, { gzip });
  });
  async function answer(question: Question): Promise<Answer> {
    if (question.ask === 'change') [snapshot, other] = [other, snapshot];
    if (question.ask === 'render') {
      bytes ??= readFileSync(question.file);
      copy ??= Buffer.alloc(bytes.length, 1);
      const start = process.cpuUsage();
      await metrics.write(snapshot, discard(), { gzip: false });
      const middle = process.cpuUsage();
      bytes.copy(copy);
      const end = process.cpuUsage(middle);
      const rendered = process.cpuUsage(start);
      return { copy: cpuMs(end), render: cpuMs(rendered) - cpuMs(end) };
    }
    if (question.ask === 'full-identity') {
      const runs = await nextRuns(
        [],
        snapshot.keys,
        { rows: KEY_ROWS, tags: [], onError: console.error },
        async () => {},
      );
      const length = (row: KeyRow, family: number, { labels, columns }: Run) => {
        const column = columns[family];
        return column ? keyLines(row, labels, column).length : 0;
      };
      let ours = 0;
      let full = 0;
      for (const [family, row] of KEY_ROWS.entries()) {
        for (const run of runs) {
          ours += length(row, family, run);
          full += length({ ...row, identity: true }, family, run);
        }
      }
      return { ours, full };
    }
    return {};
  }
  return { server, answer };
}

/** The same series with prom-client's own gauges and counters. */
function stock(count: number): Server {
  const registry = new Registry();
  const registers = [registry];
  const { keys } = benchSnapshot(count, 0);
  const identity = ['provider', 'account', 'location', 'kind', 'resource', 'name'] as const;
  for (const row of KEY_ROWS) {
    const base = row.identity ? identity : (['resource'] as const);
    const labelNames = [...base, ...row.labels];
    const options = { name: row.name, help: row.help, labelNames, registers };
    const gauge = row.type === 'gauge' ? new Gauge(options) : undefined;
    const counter = row.type === 'counter' ? new Counter(options) : undefined;
    for (const key of keys) {
      const value = 'value' in row ? row.value(key) : undefined;
      const samples = 'value' in row ? (value === undefined ? [] : [{ labels: [], value }]) : row.series(key);
      for (const sample of samples) {
        const labels: Record<string, string> = {};
        for (const label of base) labels[label] = key[label];
        for (const [index, label] of row.labels.entries()) {
          const text = sample.labels[index];
          if (text) labels[label] = text;
        }
        gauge?.set(labels, sample.value);
        counter?.inc(labels, sample.value);
      }
    }
  }
  return createServer(async (_request, response) => response.end(await registry.metrics()));
}

function cpuMs({ user, system }: NodeJS.CpuUsage): number {
  return (user + system) / 1000;
}

async function main(kind: string, count: number, file: string | undefined): Promise<void> {
  const own = kind === 'keyvigil' ? keyvigil(count) : undefined;
  const frozen = file ? readFileSync(file) : undefined;
  const server = own?.server ?? (frozen ? createServer((_, response) => response.end(frozen)) : stock(count));
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  let before = process.cpuUsage();
  process.on('message', async (question: Question) => {
    let answer: Answer = {};
    if (question.ask === 'start') {
      // No forced collection before: it throws compiled code away, and every other scrape would take twice as long.
      delay.reset();
      before = process.cpuUsage();
    } else if (question.ask === 'stop') {
      const cpu = cpuMs(process.cpuUsage(before));
      await new Promise((resolve) => setTimeout(resolve, 5));
      answer = { cpu, block: delay.max / 1e6, rss: process.memoryUsage.rss() };
    } else {
      answer = (await own?.answer(question)) ?? {};
    }
    process.send?.(answer);
  });
  process.on('disconnect', () => process.exit());
  server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
}

if (import.meta.main) await main(process.argv[2] ?? '', Number(process.argv[3]), process.argv[4]);
