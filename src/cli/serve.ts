import { startApp } from '../app.ts';
import type { Config } from '../config/config.ts';
import { withDeadline } from '../engine/deadline.ts';
import type { Io } from './io.ts';
import { createLog } from './log.ts';

/** A shutdown that takes longer is cut off (design, "Running it"). */
const SHUTDOWN_MS = 10_000;

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
  const log = createLog(options.config.log, io);
  for (const warning of options.warnings) log.warn({ config: options.config.file }, warning);
  let app: Awaited<ReturnType<typeof startApp>>;
  try {
    app = await startApp({ config: options.config, env: io.env, log, version: options.version });
  } catch (error) {
    log.fatal({ err: error }, 'keyvigil cannot start');
    return 1;
  }
  if (!options.stop.aborted) {
    await new Promise<void>((resolve) => options.stop.addEventListener('abort', () => resolve(), { once: true }));
  }
  log.info('stopping');
  try {
    await withDeadline('shutdown', SHUTDOWN_MS, new AbortController().signal, () =>
      Promise.resolve(app[Symbol.asyncDispose]()),
    );
  } catch (error) {
    log.error({ err: error }, 'the shutdown did not end in order');
    return 1;
  }
  log.info('stopped');
  return 0;
}
