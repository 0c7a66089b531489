/** The real daemon against the embedded cloud on a simulated clock: minutes pass in the time that the work itself takes. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { vi } from 'vitest';
import { type App, startApp } from '../../src/app.ts';
import type { Reloaded } from '../../src/app-reload.ts';
import type { Config } from '../../src/config/config.ts';
import { ConfigError, type LoadedConfig, parseConfig } from '../../src/config/load.ts';
import type { ConsumerView, KeyView } from '../../src/core/snapshot.ts';
import { SERVICES } from '../../src/providers/index.ts';
import { isSource } from '../../src/providers/provider.ts';
// Loaded here, for no counter sees how long a start takes to load it while the simulated clock goes on.
import '../../src/providers/aws/codebuild/session.ts';
import '../../src/providers/aws/iam/simulator.ts';
import type { Subscription } from '../../src/sandbox/azure/handles.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { settle, watchActivity } from './activity.ts';

export const ACCOUNT = '111122223333';
export const REGION = 'eu-west-1';
/** A start loads modules and threads, which no counter sees. */
const START_REST_MS = 60;
const START = Date.UTC(2026, 10, 22, 10, 0, 0, 500);

export interface World extends AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly region: ReturnType<ReturnType<Sandbox['aws']['account']>['region']>;
  readonly subscription: Subscription;
  readonly directory: string;
  /** Everything that the daemon logged. */
  readonly logged: string[];
  readonly app: App;
  /** Starts the daemon (again, on the same state file). */
  start(changed?: WorldOptions): Promise<App>;
  /** What the daemon is started with, for other commands on the same clouds. */
  configured(): { readonly config: Config; readonly env: Readonly<Record<string, string>> };
  /** Changes the configuration and has the daemon read it again. */
  reload(changed: WorldOptions): Promise<Reloaded>;
  /** Stops it in order. */
  stop(): Promise<void>;
  /** Lets time pass. */
  pass(ms: number): Promise<void>;
  /** Lets time pass until `done`, and says how many ms that took. Throws after `limitMs`. */
  until(what: string, limitMs: number, done: () => boolean): Promise<number>;
  /** By name or resource. */
  key(name: string): KeyView | undefined;
  consumer(name: string): ConsumerView | undefined;
  metrics(): Promise<string>;
  get(path: string): Promise<Response>;
  events(): Promise<Array<{ id: number; type: string; resource: string; to?: string; reason?: string }>>;
}

export interface WorldOptions {
  /** Which clouds the daemon watches; AWS alone unless given. */
  readonly clouds?: readonly ('aws' | 'azure')[];
  /** YAML of `services` of the Azure target, in flow style. */
  readonly azureServices?: string;
  /** YAML beside the target: `policy: …`. */
  readonly yaml?: string;
  /** YAML of `services`, in flow style. */
  readonly services?: string;
  readonly regions?: readonly string[];
  /** ARN of the role that the AWS target assumes. */
  readonly role?: string;
  /** Does not start the daemon yet. */
  readonly idle?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  /** How far the cloud's clock is ahead of ours, ms; a function where that changes. */
  readonly skewMs?: number | (() => number);
}

/** Fakes the clock, starts the cloud, fills it, starts the daemon and waits for its first sweeps. */
export async function startWorld(
  fill: (region: World['region'], sandbox: Sandbox, subscription: Subscription) => void,
  options: WorldOptions = {},
): Promise<World> {
  vi.useFakeTimers({ now: START, toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] });
  const stack = new AsyncDisposableStack();
  stack.defer(() => {
    vi.useRealTimers();
  });
  const directory = mkdtempSync(join(tmpdir(), 'keyvigil-e2e-'));
  stack.defer(() => rmSync(directory, { recursive: true, force: true }));
  const activity = stack.use(watchActivity());
  const sandbox = stack.use(await startSandbox({ seed: 7, now: () => Date.now() + skewOf(options) }));
  const region = sandbox.aws.account(ACCOUNT).region(REGION);
  const subscription = sandbox.azure.subscription();
  fill(region, sandbox, subscription);
  writeFileSync(join(directory, 'ca.pem'), sandbox.azure.ca);
  const logged: string[] = [];
  let app: App | undefined;
  let reloaded: WorldOptions = {};

  const world: World = {
    sandbox,
    region,
    subscription,
    directory,
    logged,
    get app() {
      if (!app) throw new Error('the daemon is not running');
      return app;
    },
    async start(changed = {}) {
      const read = () => configure({ ...options, ...changed, ...reloaded });
      reloaded = {};
      const log = pino({ base: null, level: 'debug' }, { write: (line: string) => void logged.push(line) });
      const { env, config, signature } = read();
      app = await startApp({ config, env, log, version: '0.0.0-test', signature, reread: async () => read() });
      await settle(activity, START_REST_MS);
      return app;
    },
    configured: () => configure(options),
    async reload(changed) {
      reloaded = { ...reloaded, ...changed };
      return await whileTimePasses(world.app.reload());
    },
    async stop() {
      const stopping = app?.[Symbol.asyncDispose]();
      app = undefined;
      if (stopping) await whileTimePasses(Promise.resolve(stopping));
    },
    async pass(ms) {
      let over = false;
      setTimeout(() => {
        over = true;
      }, ms);
      while (!over) await step();
      await settle(activity);
    },
    async until(what, limitMs, done) {
      const from = Date.now();
      await settle(activity);
      while (!done()) {
        if (Date.now() - from >= limitMs) throw new Error(`${what}: not within ${limitMs} ms`);
        await step();
        await settle(activity);
      }
      return Date.now() - from;
    },
    key: (name) => world.app.snapshot.keys.find((one) => one.name === name || one.resource === name),
    consumer: (name) => world.app.snapshot.consumers.find((one) => one.name === name || one.resource === name),
    async metrics() {
      const response = await world.get('/metrics');
      return response.text();
    },
    get: (path) => fetch(new URL(path, world.app.url)),
    async events() {
      const response = await world.get('/api/v1/events?limit=10000');
      const { events } = (await response.json()) as { events: Awaited<ReturnType<World['events']>> };
      return events;
    },
    async [Symbol.asyncDispose]() {
      await world.stop();
      await stack.disposeAsync();
    },
  };

  function configure(all: WorldOptions): LoadedConfig & { readonly env: Readonly<Record<string, string>> } {
    const { yaml, env: extra, clouds = ['aws'], ...rest } = all;
    const { accessKeyId, secretAccessKey } = sandbox.aws.account(ACCOUNT).credentials;
    const { clientId, clientSecret } = subscription.monitor;
    const env = {
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AZURE_TENANT_ID: subscription.tenant,
      AZURE_CLIENT_ID: clientId,
      AZURE_CLIENT_SECRET: clientSecret,
      HTTPS_PROXY: sandbox.azure.proxyUrl,
      NO_PROXY: '127.0.0.1,.invalid',
      ...extra,
    };
    const source = `
listen: 127.0.0.1:0
state: ${join(directory, 'state.db')}
targets:
${clouds.includes('aws') ? awsTarget(sandbox.url, rest) : ''}
${clouds.includes('azure') ? azureTarget(subscription, rest) : ''}
${clouds.includes('azure') ? `outbound: { proxy: env, caFile: ${join(directory, 'ca.pem')} }` : ''}
${yaml ?? ''}
`;
    const { config, issues, digest } = parseConfig(source, join(directory, 'keyvigil.yml'), {
      env,
      services: SERVICES,
    });
    if (!config) throw new ConfigError(issues);
    return { config, env, warnings: [], signature: digest };
  }

  async function whileTimePasses<T>(work: Promise<T>): Promise<T> {
    let done = false;
    const ended = work.finally(() => {
      done = true;
    });
    await settle(activity);
    while (!done) await step();
    await settle(activity);
    return await ended;
  }

  /** Lets everything that is under way come to rest, then goes on to the next timer. */
  async function step(): Promise<void> {
    await settle(activity);
    await vi.advanceTimersToNextTimerAsync();
  }

  if (!options.idle) {
    await world.start();
    await world.until('the first sweeps', 60_000, () => {
      const { sources } = world.app.snapshot;
      return (
        sources.length > 0 && sources.every((source) => source.up !== undefined) && sources.length === expected(options)
      );
    });
    await world.pass(2_000);
  }
  return world;
}

function skewOf({ skewMs = 0 }: WorldOptions): number {
  return typeof skewMs === 'number' ? skewMs : skewMs();
}

function awsTarget(endpoint: string, { regions, services, role }: WorldOptions): string {
  return `
  - name: prod
    provider: aws
    regions: [${(regions ?? [REGION]).join(', ')}]
    endpoint: ${endpoint}
${role === undefined ? '' : `    roleArn: ${role}\n`}    services: ${services ?? '{ secrets-manager: {}, kms: {} }'}`;
}

function azureTarget({ id }: Subscription, { azureServices }: WorldOptions): string {
  return `
  - name: media
    provider: azure
    subscription: ${id}
    services: ${azureServices ?? '{ key-vault: {}, media-services: {} }'}`;
}

/** How many sources the options make. */
function expected({ clouds = ['aws'], services, azureServices, regions = [REGION] }: WorldOptions): number {
  const named = (text: string) => SERVICES.filter((one) => isSource(one) && text.includes(`${one.name}:`)).length;
  const count = (text: string | undefined) => (text === undefined ? 2 : named(text));
  const aws = clouds.includes('aws') ? count(services) * regions.length : 0;
  return aws + (clouds.includes('azure') ? count(azureServices) : 0);
}

/** Value of one series, by a part of its labels; undefined when there is none. */
export function series(page: string, name: string, ...labels: readonly string[]): number | undefined {
  const lines = page
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) && labels.every((label) => line.includes(label)));
  if (lines.length > 1) throw new Error(`${lines.length} series of ${name} match ${labels.join(' ')}`);
  return lines[0] === undefined ? undefined : Number(lines[0].slice(lines[0].lastIndexOf(' ') + 1));
}
