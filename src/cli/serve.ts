import type { Config } from '../config/config.ts';
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
    readonly config: Config;
    readonly warnings: readonly string[];
    readonly version: string;
    readonly stop: AbortSignal;
  },
  io: Io,
): Promise<number> {
  const { config, version, stop } = options;
  const log = createLog(config.log, io);
  for (const warning of options.warnings) log.warn({ config: config.file }, warning);
  return runDaemon(
    { config, env: io.env, log, version, stop },
    () => new Promise<void>((resolve) => stop.addEventListener('abort', () => resolve(), { once: true })),
  );
}
