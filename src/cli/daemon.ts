import { type App, type DaemonOptions, startApp } from '../app.ts';
import type { Config } from '../config/config.ts';
import { withDeadline } from '../engine/deadline.ts';
import { StoreError } from '../store/store.ts';

/** A shutdown that takes longer is cut off, so that the process is gone within ten seconds of the signal. */
const SHUTDOWN_MS = 9_000;

/**
 * Starts the daemon, keeps it for as long as `whileUp` lasts, and stops it in order. What fails is logged here.
 * @param whileUp ends, or throws the reason of `stop`, when the daemon is to stop; anything else that it throws goes on
 * @returns 0 after an orderly stop, 1 when the daemon cannot start or stop
 */
export async function runDaemon(
  options: DaemonOptions & { readonly stop: AbortSignal },
  whileUp: (app: App) => Promise<void>,
): Promise<0 | 1> {
  const { log, stop } = options;
  let app: App;
  try {
    app = await startApp(options);
  } catch (error) {
    log.fatal({ err: error }, `keyvigil cannot start: ${startFailure(error, options.config)}`);
    return 1;
  }
  try {
    if (!stop.aborted) await whileUp(app);
  } catch (error) {
    if (!stop.aborted) throw error;
  }
  log.info('stopping');
  try {
    await withDeadline('shutdown', SHUTDOWN_MS, new AbortController().signal, async () => app[Symbol.asyncDispose]());
  } catch (error) {
    log.error({ err: error }, 'the shutdown did not end in order');
    return 1;
  }
  log.info('stopped');
  return 0;
}

/** Why a daemon did not start and what to do about it, in one sentence for whoever started it. Total. */
function startFailure(error: unknown, { listen, state }: Config): string {
  const address = `${listen.host.includes(':') ? `[${listen.host}]` : listen.host}:${listen.port}`;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') return `${address} is in use by another process; stop that, or listen elsewhere`;
  if (code === 'EACCES') return `this user may not listen on ${address}`;
  if (code === 'EADDRNOTAVAIL') return `this machine has no address ${listen.host}`;
  if (error instanceof StoreError && error.reason === 'locked') {
    return `the state file ${state} is in use by another process, most likely another keyvigil`;
  }
  return error instanceof Error ? error.message : String(error);
}
