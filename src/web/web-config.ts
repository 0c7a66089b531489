import { isDeepStrictEqual } from 'node:util';
import { ConfigError } from '../config/check.ts';
import { loadWebFile, signatureOf, type WebFile } from '../config/web-file.ts';

/** The file of the web server as it is now. Disposing it stops the looking. */
export interface LiveWebFile extends Disposable {
  readonly current: WebFile;
  /** Has `listener` called after every change, with what was before. */
  onChange(listener: (before: WebFile) => void): void;
}

export interface LiveWebFileOptions {
  /** Refuse what would let in people who cannot prove who they are. */
  readonly mustAuthenticate: boolean;
  /** How often the files are looked at, ms. */
  readonly everyMs?: number;
  /** A change was taken up; or it was refused, for the first time for this reason, and what was before stays. */
  onReload(refused?: Error): void;
}

/**
 * Reads the file, and again whenever it or a certificate that it names was written or replaced.
 * @param file absolute
 * @throws ConfigError when it cannot be used at the start
 */
export async function openWebFile(file: string, options: LiveWebFileOptions): Promise<LiveWebFile> {
  const { mustAuthenticate, everyMs = 1_000, onReload } = options;
  const loaded = await loadWebFile(file);
  if (mustAuthenticate && !loaded.web.authenticates) throw refusal(file, NOT_OPEN);
  let { web: current, files } = loaded;
  const listeners: ((before: WebFile) => void)[] = [];
  let seen: string | undefined;
  let said: string | undefined;
  let looking = false;

  async function look(): Promise<void> {
    // Before it is read: what is written meanwhile is seen next time.
    const signature = await signatureOf(files);
    if (signature === seen && said === undefined) return;
    try {
      const next = await loadWebFile(file);
      if (mustAuthenticate && !next.web.authenticates) throw refusal(file, NOT_OPEN);
      // The port speaks one of the two from the start.
      if ((next.web.tls === undefined) !== (current.tls === undefined)) throw refusal(file, NOT_BOTH);
      seen = arraysEqual(files, next.files) ? signature : undefined;
      files = next.files;
      const healed = said !== undefined;
      said = undefined;
      const before = current;
      if (isDeepStrictEqual(before, next.web) && !healed) return;
      current = next.web;
      for (const listener of listeners) listener(before);
      onReload();
    } catch (error) {
      seen = signature;
      const message = String(error);
      if (message === said) return;
      said = message;
      onReload(error instanceof Error ? error : new Error(message));
    }
  }

  const timer = setInterval(() => {
    if (looking) return;
    looking = true;
    void look().finally(() => {
      looking = false;
    });
  }, everyMs);
  timer.unref();

  return {
    get current() {
      return current;
    },
    onChange(listener) {
      listeners.push(listener);
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

const NOT_OPEN = 'this would open the server to everybody: it keeps asking for what it asked before';
const NOT_BOTH = 'tls_server_config: TLS begins and ends only when the daemon starts: restart it';

function refusal(file: string, message: string): ConfigError {
  return new ConfigError([{ file, line: 1, column: 1, message }]);
}

function arraysEqual(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((one, at) => one === b[at]);
}
