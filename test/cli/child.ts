/** keyvigil as a process of its own: what it prints, how it ends, and polling with a deadline. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Credentials } from '../../src/sandbox/aws/cloud.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const MAIN = join(ROOT, 'src', 'main.ts');
/** Halves what a start costs; what is in it follows from the sources alone. */
const COMPILE_CACHE = join(ROOT, 'node_modules', '.cache', 'keyvigil-compile');
/** Generous: machines that run tests do other things too. */
const PATIENCE_MS = 15_000;
const POLL_MS = 20;

/** How a process ended: its code, or the name of the signal. */
type Ending = number | NodeJS.Signals;

export interface Child extends AsyncDisposable {
  /** What it wrote so far. */
  readonly out: string;
  readonly err: string;
  readonly ending: Ending | undefined;
  readonly ended: Promise<Ending>;
  readonly pid: number;
  signal(name: NodeJS.Signals): void;
  /** Closes our end of what it writes to, as `head` does. */
  hangUp(stream: 'stdout' | 'stderr'): void;
  /** The first answer that is not undefined. Throws after `limitMs`, or when the process has ended, with what it wrote. */
  until<T>(what: string, probe: () => T | undefined | Promise<T | undefined>, limitMs?: number): Promise<T>;
}

/** Where a process runs: a directory of its own, with nothing of the machine's clouds in its environment. */
export interface Place extends Disposable {
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
  /** Writes a file into it and gives its path. */
  file(name: string, text: string): string;
}

export function createPlace(credentials?: Credentials): Place {
  const directory = mkdtempSync(join(tmpdir(), 'keyvigil-cli-'));
  return {
    directory,
    env: {
      PATH: process.env.PATH ?? '',
      HOME: directory,
      TMPDIR: directory,
      NODE_COMPILE_CACHE: COMPILE_CACHE,
      AWS_EC2_METADATA_DISABLED: 'true',
      ...(credentials && {
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      }),
    },
    file(name, text) {
      const path = join(directory, name);
      writeFileSync(path, text, { mode: 0o600 });
      return path;
    },
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/**
 * Starts `keyvigil …args`; disposing kills it.
 * @param through a command that becomes the one that it is given, as `nsenter` does
 */
export function startCli(
  args: readonly string[],
  place: Place,
  env: Readonly<Record<string, string>> = {},
  through: readonly string[] = [],
): Child {
  const [command = process.execPath, ...rest] = [...through, process.execPath, MAIN, ...args];
  const child = spawn(command, rest, {
    cwd: place.directory,
    env: { ...place.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  let ending: Ending | undefined;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const ended = new Promise<Ending>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      ending = code ?? signal ?? -1;
      resolve(ending);
    });
  });
  return {
    get out() {
      return out;
    },
    get err() {
      return err;
    },
    get ending() {
      return ending;
    },
    ended,
    pid: child.pid ?? -1,
    signal: (name) => void child.kill(name),
    hangUp: (stream) => void child[stream].destroy(),
    async until(what, probe, limitMs = PATIENCE_MS) {
      const from = performance.now();
      for (;;) {
        const answer = await probe();
        if (answer !== undefined) return answer;
        const late = performance.now() - from > limitMs;
        if (late || ending !== undefined) {
          const why = late ? `not within ${limitMs} ms` : `ended with ${ending} before`;
          throw new Error(`${what}: ${why}\n--- out\n${out}\n--- err\n${err}`);
        }
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    },
    async [Symbol.asyncDispose]() {
      if (ending === undefined) child.kill('SIGKILL');
      await ended;
    },
  };
}

/** The lines of a JSON log. */
export function logLines(child: Pick<Child, 'err'>): ReadonlyArray<Readonly<Record<string, unknown>>> {
  // The last piece is a line that is still being written, or nothing.
  return child.err
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** Where a daemon with a JSON log listens, once it does. */
export function listening(child: Child, limitMs?: number): Promise<string> {
  const probe = () => {
    const up = logLines(child).find(({ msg }) => msg === 'keyvigil is up');
    return up && String(up.url);
  };
  return child.until('the daemon to be up', probe, limitMs);
}

/** A request whose body never comes: an orderly stop of that server waits for it for a while. */
export async function holdUp(url: string): Promise<Disposable> {
  const { hostname, port } = new URL(url);
  const client = connect(Number(port), hostname);
  const greeted = new Promise((resolve) => client.once('data', resolve));
  client.on('error', () => undefined);
  client.write(
    'POST /api/v1/check HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n' +
      'Content-Length: 9\r\nExpect: 100-continue\r\n\r\n',
  );
  await greeted;
  return { [Symbol.dispose]: () => void client.destroy() };
}

/** Runs `keyvigil …args` to its end. */
export async function runCli(
  args: readonly string[],
  place: Place,
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly code: Ending; readonly out: string; readonly err: string }> {
  await using child = startCli(args, place, env);
  const code = await child.ended;
  return { code, out: child.out, err: child.err };
}
