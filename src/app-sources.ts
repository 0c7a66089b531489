/** From the configuration to what is watched. */
import type { SecureContext } from 'node:tls';
import type { Config, TargetConfig } from './config/config.ts';
import { scheduleOf } from './config/load.ts';
import type { SourceId } from './core/model.ts';
import type { Coverage } from './core/not-watched.ts';
import type { LazyConnection } from './engine/source.ts';
import { PROVIDERS } from './providers/index.ts';
import { type Connection, isSource, type Provider, type Service } from './providers/provider.ts';

/** Deadline of one call to a cloud, body included, ms. */
export const CALL_TIMEOUT_MS = 10_000;

export interface Configured {
  readonly id: SourceId;
  readonly target: TargetConfig;
  readonly provider: Provider;
  readonly service: Service;
  readonly expression: string;
  readonly timezone: string;
}

/** Every source that the configuration asks for and that there is code for. */
export function configuredSources(config: Config): Configured[] {
  const sources: Configured[] = [];
  for (const target of config.targets) {
    const provider = PROVIDERS.find((one) => one.name === target.provider);
    if (!provider) continue;
    for (const service of provider.services) {
      if (!target.services[service.name] || !isSource(service)) continue;
      const { schedule: expression, timezone } = scheduleOf(config, target, service.name);
      for (const location of provider.locations(target)) {
        const id = { target: target.name, location, service: service.name };
        sources.push({ id, target, provider, service, expression, timezone });
      }
    }
  }
  return sources;
}

/** What is configured, for whoever must say why something is not watched. */
export function coverageOf(sources: readonly Configured[]): Coverage {
  return {
    watches: sources.map(({ id, target, provider, service }) => {
      const options = target.services[service.name] ?? {};
      const narrowings = Object.entries(service.narrows ?? {}).flatMap(([option, mode]) => {
        const globs = options[option];
        return Array.isArray(globs) ? { option, mode, globs: globs.map(String) } : [];
      });
      return { ...id, provider: provider.name, narrowings };
    }),
    locate: (provider, name) => PROVIDERS.find((one) => one.name === provider)?.locate(name),
  };
}

export function lazyConnection(
  target: TargetConfig,
  provider: Provider,
  options: { readonly config: Config; readonly env: Readonly<Record<string, string | undefined>> },
  trust: SecureContext | undefined,
): LazyConnection {
  // A proxy is used only where the configuration asks for it: half of the clouds' SDKs would, the other half would not.
  const direct = {
    ...options.env,
    HTTPS_PROXY: undefined,
    https_proxy: undefined,
    HTTP_PROXY: undefined,
    http_proxy: undefined,
  };
  const env = options.config.outbound.proxy === 'env' ? options.env : direct;
  let opening: Promise<Connection> | undefined;
  let current: Connection | undefined;
  return {
    get current() {
      return current;
    },
    get() {
      opening ??= provider
        .connect(target, { callTimeoutMs: CALL_TIMEOUT_MS, env, ...(trust && { trust }) })
        .then((connection) => {
          current = connection;
          return connection;
        })
        .catch((error: unknown) => {
          opening = undefined;
          throw error;
        });
      return opening;
    },
    async [Symbol.asyncDispose]() {
      await current?.[Symbol.asyncDispose]();
    },
  };
}
