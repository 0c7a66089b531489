import { type SourceId, sourceKey } from '../core/model.ts';
import { grouped, visible } from '../core/text.ts';

export interface ProgressOptions {
  /** Where it is written: stderr. */
  readonly write: (text: string) => void;
  /** False: a line now and then instead of a bar that is drawn over. */
  readonly tty: boolean;
  readonly columns?: number | undefined;
  /** ms, of any epoch. */
  readonly now: () => number;
}

/** How far a look at everything is. Disposing it takes the bar off the screen. */
export interface Progress extends Disposable {
  /** `done` of `total` keys of one source were looked at. Bound: it may be handed on as it is. */
  readonly update: (source: SourceId, done: number, total: number) => void;
}

const DRAW_EVERY_MS = 200;
const TELL_EVERY_MS = 10_000;
const BAR = 10;
const DEFAULT_COLUMNS = 80;

/** A bar on a terminal; elsewhere a line every 10 s, so that a log stays readable. */
export function createProgress(options: ProgressOptions): Progress {
  const { write, tty, now } = options;
  const startedAt = now();
  const sources = new Map<string, { readonly done: number; readonly total: number }>();
  let latest: SourceId | undefined;
  let drawn = false;

  const line = () => {
    let done = 0;
    let total = 0;
    for (const source of sources.values()) {
      done += source.done;
      total += source.total;
    }
    return progressLine({ done, total, source: latest, elapsedMs: now() - startedAt });
  };
  const timer = setInterval(
    () => {
      if (latest === undefined) return;
      if (!tty) return write(`${line()}\n`);
      // One cell stays free: a full last column makes some terminals wrap.
      write(`\r\u001b[2K${line().slice(0, (options.columns ?? DEFAULT_COLUMNS) - 1)}`);
      drawn = true;
    },
    tty ? DRAW_EVERY_MS : TELL_EVERY_MS,
  );
  // A forgotten bar must not keep the process alive.
  timer.unref();

  return {
    update(source, done, total) {
      sources.set(sourceKey(source), { done, total });
      latest = source;
    },
    [Symbol.dispose]() {
      clearInterval(timer);
      if (drawn) write('\r\u001b[2K');
      drawn = false;
    },
  };
}

/** `[#####.....] 1,240/2,000 keys  aws eu-west-1 kms  eta 1m03s` */
function progressLine(state: {
  readonly done: number;
  readonly total: number;
  readonly source: SourceId | undefined;
  readonly elapsedMs: number;
}): string {
  const { done, total, source, elapsedMs } = state;
  const share = total === 0 ? 0 : Math.min(1, done / total);
  const filled = Math.floor(share * BAR);
  const parts = [`[${'#'.repeat(filled)}${'.'.repeat(BAR - filled)}] ${grouped(done)}/${grouped(total)} keys`];
  if (source !== undefined) parts.push(visible(`${source.target} ${source.location} ${source.service}`));
  if (done > 0 && done < total) parts.push(`eta ${eta((elapsedMs / done) * (total - done))}`);
  return parts.join('  ');
}

function eta(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 60) return `${seconds}s`;
  return `${Math.floor(seconds / 60)}m${String(seconds % 60).padStart(2, '0')}s`;
}
