/** Which configuration runs, and how another one takes its place. */
import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import type { Refusals } from './app-refusals.ts';
import type { Run } from './app-run.ts';
import type { Config } from './config/config.ts';
import { ConfigError, type LoadedConfig } from './config/load.ts';
import type { Metrics } from './metrics/registry.ts';

/** What became of a reload. `refused`: the configuration before is still in force. */
export type Reloaded =
  | { readonly outcome: 'applied' | 'unchanged' }
  | { readonly outcome: 'refused'; readonly reason: string };

export interface ReloaderOptions {
  readonly first: Run;
  readonly options: {
    readonly log: Logger;
    readonly signature?: string;
    reread?(): Promise<LoadedConfig>;
  };
  /** Builds what runs by another configuration. */
  prepare(config: Config, revision: number): Promise<Run>;
  readonly metrics: Pick<Metrics, 'relabel'>;
  readonly refusals: Refusals;
}

/** Disposing of it ends what runs, after a reload that is under way. */
export interface Reloader extends AsyncDisposable {
  readonly current: Run;
  readonly config: Config;
  begin(): void;
  ready(): { readonly ready: boolean; readonly reason: string };
  /** Reloads that are asked for while one is under way share the next. Never throws. */
  reload(): Promise<Reloaded>;
}

/** What only a restart can change, and why. */
const FIXED: readonly { readonly name: string; of(config: Config): unknown }[] = [
  { name: 'listen', of: ({ listen }) => listen },
  { name: 'state', of: ({ state }) => state },
  { name: 'log.format', of: ({ log }) => log.format },
  { name: 'web', of: ({ web }) => web },
];

export function createReloader(parts: ReloaderOptions): Reloader {
  const { options, metrics, refusals } = parts;
  const { log } = options;
  let { first: current } = parts;
  let signature = options.signature;
  let ready = false;
  let ended = false;
  let running: Promise<Reloaded> | undefined;
  let next: Promise<Reloaded> | undefined;

  function refuse(reason: string): Reloaded {
    refusals.told('configuration', false);
    log.error(
      { config: current.config.file, reason },
      'the configuration was not taken; the one before is still in force',
    );
    // Its alert waits for nothing else to happen.
    void current.ledger.tick();
    return { outcome: 'refused', reason };
  }

  function taken(outcome: 'applied' | 'unchanged'): Reloaded {
    refusals.told('configuration', true);
    log.info({ config: current.config.file, outcome, sources: current.sources }, 'the configuration was read again');
    return { outcome };
  }

  async function apply(): Promise<Reloaded> {
    if (ended) return { outcome: 'refused', reason: 'keyvigil is stopping' };
    if (!options.reread) return { outcome: 'refused', reason: 'this configuration came from no file of its own' };
    let loaded: LoadedConfig;
    let following: Run;
    try {
      loaded = await options.reread();
      const { config } = loaded;
      const fixed = FIXED.filter(({ of }) => !isDeepStrictEqual(of(config), of(current.config))).map(
        ({ name }) => name,
      );
      if (fixed.length > 0) return refuse(`${fixed.join(', ')}: changed only by a restart`);
      if (loaded.signature === signature) return taken('unchanged');
      following = await parts.prepare(config, current.ledger.snapshot.revision);
    } catch (error) {
      return refuse(error instanceof ConfigError ? error.message : String(error));
    }
    for (const warning of loaded.warnings) log.warn({ config: loaded.config.file }, warning);
    const before = current;
    ready ||= before.ready().ready;
    await before[Symbol.asyncDispose]();
    await following.load(await before.ledger.handOver());
    current = following;
    signature = loaded.signature;
    log.level = loaded.config.log.level;
    metrics.relabel(loaded.config.labels);
    const told = taken('applied');
    if (ended) await current[Symbol.asyncDispose]();
    else current.begin();
    return told;
  }

  function reload(): Promise<Reloaded> {
    if (running) {
      next ??= running.then(() => {
        next = undefined;
        return reload();
      });
      return next;
    }
    running = apply().finally(() => {
      running = undefined;
    });
    return running;
  }

  return {
    get current() {
      return current;
    },
    get config() {
      return current.config;
    },
    begin: () => current.begin(),
    ready() {
      // Whoever was ready once has data for everything that it knew: a reload takes nobody out of service.
      if (ready) return { ready, reason: 'every source finished its first attempt' };
      const answer = current.ready();
      ready = answer.ready;
      return answer;
    },
    reload,
    async [Symbol.asyncDispose]() {
      if (ended) return;
      ended = true;
      await running;
      await next;
      await current[Symbol.asyncDispose]();
    },
  };
}
