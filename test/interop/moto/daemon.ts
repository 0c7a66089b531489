/** The real daemon in front of moto, on real time: what it shows is read from its port, as its users read it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, vi } from 'vitest';
import { type App, startApp } from '../../../src/app.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { SERVICES } from '../../../src/providers/index.ts';
import { parseExposition, type Series } from '../../metrics/exposition.ts';
import { type Cloud, CREDENTIALS, REGION } from './cloud.ts';

/** Far above what anything here takes: a slow machine is no failure. */
const DEADLINE_MS = 60_000;
const POLL_MS = 100;

export const ENV = {
  AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
  AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
  AWS_EC2_METADATA_DISABLED: 'true',
};

/** A key as `/api/v1/keys` lists it, as far as these tests read it. */
export interface ListedKey {
  readonly resource: string;
  readonly name: string;
  readonly account: string;
  readonly location: string;
  readonly targets: readonly string[];
  readonly health: string;
  readonly reason?: string;
  readonly since: string;
  readonly version?: string;
  readonly deletionAt?: string;
  readonly recoverableUntil?: string;
  readonly rootCauses: readonly string[];
  readonly consumers: number;
  readonly findings: ReadonlyArray<{ readonly id: string }>;
}

/** A consumer as `/api/v1/consumers` lists it, as far as these tests read it. */
export interface ListedConsumer {
  readonly resource: string;
  readonly kind: string;
  readonly name: string;
  readonly account: string;
  readonly location: string;
  readonly health: string;
  readonly reason?: string;
  readonly rootCauses: readonly string[];
  readonly uses: ReadonlyArray<{ readonly resource: string; readonly role: string; readonly versionInUse?: string }>;
  readonly findings: ReadonlyArray<{
    readonly id: string;
    readonly severity: string;
    readonly summary: string;
    readonly remedy?: string;
  }>;
}

export interface ListedEvent {
  readonly id: number;
  readonly type: string;
  readonly resource: string;
  readonly from?: string;
  readonly to?: string;
  readonly reason?: string;
  readonly version?: string;
}

export interface DaemonOptions {
  /** YAML of `targets`; one target `prod` in one region otherwise. */
  readonly targets?: string;
  /** Every second otherwise. */
  readonly schedule?: string;
  /** YAML beside the targets. */
  readonly yaml?: string;
}

export interface Daemon extends AsyncDisposable {
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Every key, page by page. */
  keys(): Promise<ListedKey[]>;
  /** The one key with this name or resource; fails when there is none. */
  key(name: string): Promise<ListedKey>;
  /** The one consumer with this resource; fails when there is none. */
  consumer(resource: string): Promise<ListedConsumer>;
  /** `GET /api/v1/keys/{resource}`. */
  detail(resource: string): Promise<{ readonly undo?: string; readonly attributes: Record<string, unknown> }>;
  /** Every consumer, page by page. */
  consumers(): Promise<ListedConsumer[]>;
  /** Every answer that users read, as text. */
  texts(): Promise<string>;
  events(): Promise<ListedEvent[]>;
  metrics(): Promise<Page>;
  /** Sweeps everything now. */
  check(): Promise<void>;
  /** Waits until every source ended this many more sweeps: enough for what would be told twice to be told twice. */
  sweeps(count: number): Promise<void>;
}

/** A page of metrics that was read strictly. */
export interface Page {
  /** Value of the one series with these labels; undefined: there is none. */
  value(name: string, labels?: Readonly<Record<string, string>>): number | undefined;
  all(name: string): readonly Series[];
}

/** Polls until `assert` passes; fails with what it said last. */
export async function eventually<T>(assert: () => Promise<T>): Promise<T> {
  return await vi.waitFor(assert, { timeout: DEADLINE_MS, interval: POLL_MS });
}

/** A directory that is gone in the end, with the configuration in it. */
export async function configFor(cloud: Cloud, options: DaemonOptions = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'keyvigil-moto-'));
  const file = join(directory, 'keyvigil.yml');
  await writeFile(
    file,
    `
listen: 127.0.0.1:0
schedule: "${options.schedule ?? '* * * * * *'}"
targets:
${options.targets ?? target('prod', cloud.url)}
${options.yaml ?? ''}
`,
  );
  return { file, [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }) };
}

/** One target in YAML: secrets and KMS keys, unless `yaml` says which services. */
export function target(name: string, endpoint: string, more: { regions?: readonly string[]; yaml?: string } = {}) {
  const { regions = [REGION] } = more;
  const given = more.yaml ?? '';
  const yaml = given.includes('services:') ? given : `${given}, services: { secrets-manager: {}, kms: {} }`;
  return `  - { name: ${name}, provider: aws, regions: [${regions.join(', ')}], endpoint: "${endpoint}"${yaml} }`;
}

/** Starts the daemon and waits until it is ready: every source finished its first sweep. */
export async function startDaemon(cloud: Cloud, options: DaemonOptions = {}): Promise<Daemon> {
  await using stack = new AsyncDisposableStack();
  const { file } = stack.use(await configFor(cloud, options));
  let app: App | undefined;

  async function get(path: string): Promise<Response> {
    if (!app) throw new Error('the daemon is not running');
    return await fetch(new URL(path, app.url));
  }

  async function json<T>(path: string): Promise<T> {
    const response = await get(path);
    expect(response.status, path).toBe(200);
    return (await response.json()) as T;
  }

  async function paged<T>(path: string, field: string): Promise<T[]> {
    const all: T[] = [];
    let cursor: unknown;
    do {
      const query = cursor === undefined ? '' : `&cursor=${encodeURIComponent(String(cursor))}`;
      const page = await json<Record<string, unknown>>(`${path}?limit=100${query}`);
      all.push(...(page[field] as T[]));
      cursor = page.next;
    } while (cursor !== undefined);
    return all;
  }

  const daemon: Daemon = {
    async start() {
      const { config } = await loadConfig(file, { env: ENV, services: SERVICES });
      app = await startApp({ config, env: ENV, log: pino({ level: 'silent' }), version: '0.0.0-test' });
      await eventually(async () => expect((await get('/-/ready')).status).toBe(200));
    },
    async stop() {
      const stopping = app;
      app = undefined;
      await stopping?.[Symbol.asyncDispose]();
    },
    keys: () => paged('/api/v1/keys', 'keys'),
    async key(name) {
      const found = (await daemon.keys()).filter((key) => key.name === name || key.resource === name);
      expect(found, name).toHaveLength(1);
      return found[0] as ListedKey;
    },
    async consumer(resource) {
      const found = (await daemon.consumers()).find((consumer) => consumer.resource === resource);
      if (!found) throw new Error(`there is no consumer ${resource}`);
      return found;
    },
    detail: (resource) => json(`/api/v1/keys/${encodeURIComponent(resource)}`),
    consumers: () => paged('/api/v1/consumers', 'consumers'),
    async texts() {
      const paths = ['/', '/metrics', '/api/v1/keys', '/api/v1/consumers', '/api/v1/sources', '/api/v1/events'];
      const pages = (await daemon.consumers()).map(({ resource }) => `/consumers/${encodeURIComponent(resource)}`);
      const answers = await Promise.all([...paths, ...pages].map(async (path) => (await get(path)).text()));
      return answers.join('\n');
    },
    events: () => paged('/api/v1/events', 'events'),
    async metrics() {
      const families = parseExposition(await (await get('/metrics')).text());
      const all = (name: string) => families.find((family) => family.name === name)?.series ?? [];
      return {
        all,
        value(name, labels = {}) {
          const wanted = Object.entries(labels);
          const found = all(name).filter((one) => wanted.every(([label, value]) => one.labels[label] === value));
          expect(found.length, `series of ${name} ${JSON.stringify(labels)}`).toBeLessThanOrEqual(1);
          return found[0]?.value;
        },
      };
    },
    async check() {
      if (!app) throw new Error('the daemon is not running');
      const { status } = await fetch(new URL('/api/v1/check', app.url), { method: 'POST' });
      expect(status).toBeLessThan(300);
    },
    async sweeps(count) {
      const seen = new Map<string, number>();
      const left = new Map<string, number>();
      await eventually(async () => {
        for (const { labels, value } of (await daemon.metrics()).all(
          'keyvigil_source_last_success_timestamp_seconds',
        )) {
          const source = `${labels.target}/${labels.location}/${labels.service}`;
          // The sweep that was under way at first may have begun before: it does not count.
          if (seen.get(source) !== value) left.set(source, (left.get(source) ?? count + 2) - 1);
          seen.set(source, value);
        }
        expect([...left].filter(([, sweeps]) => sweeps > 0)).toEqual([]);
      });
    },
    async [Symbol.asyncDispose]() {
      await daemon.stop();
      await parts.disposeAsync();
    },
  };
  const parts = stack.move();
  try {
    await daemon.start();
  } catch (error) {
    await daemon[Symbol.asyncDispose]();
    throw error;
  }
  return daemon;
}
