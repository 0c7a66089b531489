/** What goes out to people: receivers and the dead man's switch. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SecureContext } from 'node:tls';
import type { Logger } from 'pino';
import type { Config } from './config/config.ts';
import type { Ledger } from './engine/apply.ts';
import type { OutboxBook } from './engine/outbox.ts';
import { startHeartbeat, vitalsOf } from './notify/heartbeat.ts';
import { createPoster } from './notify/http.ts';
import { createReceiver, receiverOptions } from './notify/index.ts';
import type { Receiver } from './notify/receiver.ts';

interface Options {
  readonly config: Config;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Logger;
  readonly version: string;
}

const RUNBOOKS = join(import.meta.dirname, '..', 'docs', 'runbooks');

/**
 * The runbook of an alert that comes with this version; undefined: there is none.
 * @param alertname letters only, at most 64
 * @throws what the file system says of a page that is there and cannot be read
 */
export async function readRunbook(alertname: string): Promise<string | undefined> {
  try {
    return await readFile(join(RUNBOOKS, `${alertname}.md`), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * The receivers of the configuration; nothing is asked yet. `statusUrl` is where people reach the status page, without a
 * slash at its end.
 * @param listening the address that is really listened on (the port may be any, the scheme is up to the web's own file);
 * undefined before that is known
 */
export function makeReceivers(
  { config, env, version }: Options,
  stack: AsyncDisposableStack,
  listening: () => string | undefined,
  trust: SecureContext | undefined,
): { readonly receivers: readonly Receiver[]; readonly statusUrl: () => string } {
  const options = receiverOptions(config, { env, version, ...(trust && { trust }) });
  const statusUrl = () => (config.web.externalUrl ?? listening() ?? options.statusUrl).replace(/\/$/, '');
  const live = {
    ...options,
    get statusUrl() {
      return statusUrl();
    },
  };
  return { receivers: config.receivers.map((receiver) => stack.use(createReceiver(receiver, live))), statusUrl };
}

/** The dead man's switch, if one is configured. */
export function startBeating(
  { config, env, log, version }: Options,
  stack: AsyncDisposableStack,
  ledger: Ledger,
  outbox: OutboxBook,
  trust: SecureContext | undefined,
): void {
  const { heartbeat } = config;
  if (!heartbeat) return;
  const poster = stack.use(createPoster(receiverOptions(config, { env, version, ...(trust && { trust }) })));
  const since = (receiver: string) => outbox.standing(receiver).failingSince;
  stack.use(
    startHeartbeat({
      url: heartbeat.url,
      everyMs: heartbeat.every,
      poster,
      now: () => Date.now(),
      vitals: () =>
        vitalsOf(
          ledger.snapshot.sources,
          config.receivers.flatMap(({ name }) => since(name) ?? []),
        ),
      onChange: (state) => {
        if (state === 'beating') log.info('the heartbeat goes out');
        else log.warn({ reason: state }, 'no heartbeat goes out');
      },
    }),
  );
}
