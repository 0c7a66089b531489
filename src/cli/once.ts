import { lookOnce } from '../app.ts';
import type { Config } from '../config/config.ts';
import { consumerJson, keyJson, sourceJson } from '../core/json.ts';
import type { Snapshot } from '../core/snapshot.ts';
import type { Io } from './io.ts';
import { createLog } from './log.ts';
import { createProgress } from './progress.ts';
import { renderTable } from './table.ts';

/** What a single look comes to, in the order in which it counts. */
export type OnceOutcome = 'nothing_read' | 'inaccessible' | 'unknown' | 'all_accessible';

export const ONCE_EXIT: Readonly<Record<OnceOutcome, number>> = {
  nothing_read: 1,
  inaccessible: 3,
  unknown: 4,
  all_accessible: 0,
};

/** Pure: the outcome of a look. */
export function outcomeOf({ keys, sources }: Pick<Snapshot, 'keys' | 'sources'>): OnceOutcome {
  if (sources.every((source) => source.up !== true)) return 'nothing_read';
  if (keys.some((key) => key.health === 'inaccessible')) return 'inaccessible';
  const dark = sources.some((source) => source.up !== true) || keys.some((key) => key.health === 'unknown');
  return dark ? 'unknown' : 'all_accessible';
}

/**
 * One look at everything that is configured, suspects twice, as a table or JSON on stdout.
 * @returns the exit code of the contract: 0, 1, 3 or 4
 */
export async function onceCommand(
  options: {
    readonly config: Config;
    readonly output: 'text' | 'json';
    readonly version: string;
    readonly stop: AbortSignal;
  },
  io: Io,
): Promise<number> {
  const { config, version, output } = options;
  const log = createLog({ level: 'error', format: 'text' }, io);
  let snapshot: Snapshot;
  {
    using progress = createProgress({ write: io.err, tty: io.tty, columns: io.columns, now: () => Date.now() });
    ({ snapshot } = await lookOnce({ config, env: io.env, log, version }, options.stop, progress.update));
  }
  if (output === 'json') {
    const { keys, consumers, sources } = snapshot;
    const json = {
      keys: keys.map(keyJson),
      consumers: consumers.map((view) => consumerJson(view, snapshot)),
      sources: sources.map(sourceJson),
    };
    io.out(`${JSON.stringify(json, null, 2)}\n`);
  } else {
    io.out(renderTable(snapshot, { color: io.color, columns: io.columns, now: snapshot.at }));
  }
  return ONCE_EXIT[outcomeOf(snapshot)];
}
