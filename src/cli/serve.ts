import type { App } from '../app.ts';
import type { LoadedConfig } from '../config/load.ts';
import { runDaemon } from './daemon.ts';
import type { Io } from './io.ts';
import { createLog } from './log.ts';

/**
 * The daemon, until `stop` aborts.
 * @param warnings said once at the start
 * @returns 0 after an orderly stop, 1 when it cannot start or stop
 */
export async function serveCommand(
  options: {
    readonly loaded: LoadedConfig;
    readonly version: string;
    readonly stop: AbortSignal;
    /** Reads the configuration again. @throws ConfigError */
    reread(): Promise<LoadedConfig>;
    /** Has `listener` called whenever somebody asks for a reload by a signal. */
    onReload(listener: () => void): void;
  },
  io: Io,
): Promise<number> {
  const { version, stop, reread } = options;
  const { config, warnings, signature } = options.loaded;
  const log = createLog(config.log, io);
  for (const warning of warnings) log.warn({ config: config.file }, warning);
  let app: App | undefined;
  // From the first moment on: unheard, this signal would end the process.
  options.onReload(() => void app?.reload());
  return runDaemon({ config, env: io.env, log, version, stop, signature, reread }, (started) => {
    app = started;
    return new Promise<void>((resolve) => stop.addEventListener('abort', () => resolve(), { once: true }));
  });
}
