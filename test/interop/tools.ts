import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdir, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

/** The checkout. */
export const ROOT = path.resolve(import.meta.dirname, '../..');

const CACHE = path.join(ROOT, 'node_modules/.cache/keyvigil-interop');
/** The versions that the suite was written against; a Python that already has all packages is used as it is. */
const PACKAGES = [
  'boto3==1.43.11',
  'moto[server]==5.2.1',
  'azure-identity==1.27.0',
  'azure-keyvault-keys==4.11.3',
  'azure-mgmt-keyvault==14.1.0',
  'azure-mgmt-media==10.2.1',
  'requests==2.34.2',
];
/** One of every package, and what they bring along that the scripts use too. */
const MODULES = [
  'boto3',
  'cryptography',
  'moto.server',
  'azure.identity',
  'azure.keyvault.keys',
  'azure.mgmt.keyvault',
  'azure.mgmt.media',
  'requests',
  'certifi',
];
const PYTHONS = ['python3', 'python'];
const INSTALL_MS = 5 * 60_000;
const READY_MS = 60_000;

const run = promisify(execFile);

async function succeeds(command: string, args: readonly string[]): Promise<boolean> {
  return await run(command, [...args]).then(
    () => true,
    () => false,
  );
}

async function first(commands: readonly string[], args: readonly string[]): Promise<string | undefined> {
  for (const command of commands) if (await succeeds(command, args)) return command;
  return undefined;
}

let python: Promise<string> | undefined;

/**
 * A Python with boto3, moto and Azure's SDKs: the one on the PATH when it has all of them, else one of a virtual environment
 * that is made below node_modules/.cache on first use. Throws when there is no Python at all: what cannot run must not look
 * as if it had passed.
 */
export function interopPython(): Promise<string> {
  python ??= findPython();
  return python;
}

async function findPython(): Promise<string> {
  const imports = ['-c', `import ${MODULES.join(', ')}`];
  const ready = await first(PYTHONS, imports);
  if (ready !== undefined) return ready;
  const environment = path.join(CACHE, 'venv');
  const own = path.join(environment, 'bin', 'python');
  if (await succeeds(own, imports)) return own;
  const base = await first(PYTHONS, ['-c', 'import venv, ensurepip']);
  if (base === undefined) {
    throw new Error(
      'the interop suite needs Python 3 with venv and pip on the PATH (Debian: apt-get install python3-venv)',
    );
  }
  await mkdir(CACHE, { recursive: true });
  await using _lock = await lock(path.join(CACHE, 'venv.lock'));
  if (await succeeds(own, imports)) return own;
  await run(base, ['-m', 'venv', '--clear', environment]);
  await run(own, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...PACKAGES], {
    timeout: INSTALL_MS,
    maxBuffer: 16 * 1024 * 1024,
  });
  await run(own, imports);
  return own;
}

/** Two runs at once must not build the same environment; a lock that outlived its run is taken over. */
async function lock(directory: string): Promise<AsyncDisposable> {
  while (
    !(await mkdir(directory).then(
      () => true,
      () => false,
    ))
  ) {
    const made = await stat(directory).catch(() => undefined);
    if (made && Date.now() - made.mtimeMs > INSTALL_MS) await rm(directory, { recursive: true, force: true });
    await sleep(500);
  }
  return { [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }) };
}

/** What a finished process left. */
export type Finished = { readonly code: number; readonly stdout: string; readonly stderr: string };

/**
 * Runs a script of test/interop/python and waits for its end. `input` is the first line of its stdin, as JSON. With `answer`,
 * the script may ask on the way: for each line of its stdout that is `?` and JSON, one line of JSON follows on its stdin.
 */
export async function runPython(
  script: string,
  input: unknown,
  answer?: (question: Readonly<Record<string, unknown>>) => unknown,
): Promise<Finished> {
  const command = await interopPython();
  const child = spawn(command, [path.join(import.meta.dirname, 'python', script)], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, AWS_EC2_METADATA_DISABLED: 'true', PYTHONDONTWRITEBYTECODE: '1' },
  });
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  // A script that died leaves nobody to read what is still being written.
  child.stdin.on('error', () => {});
  const write = (value: unknown) => child.stdin.write(`${JSON.stringify(value)}\n`);
  write(input);
  let failure: { readonly error: unknown } | undefined;
  if (answer === undefined) child.stdin.end();
  else {
    createInterface(child.stdout).on('line', (line) => {
      if (!line.startsWith('?')) return;
      try {
        write(answer(JSON.parse(line.slice(1))) ?? null);
      } catch (error) {
        failure = { error };
        child.kill();
      }
    });
  }
  const code = await exitOf(child);
  if (failure) throw failure.error;
  return { code, stdout: stdout(), stderr: stderr() };
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString();
}

function exitOf(child: ChildProcess): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  child.once('error', reject);
  child.once('close', (code) => resolve(code ?? -1));
  return promise;
}

/** A port that was free a moment ago, on the loopback address. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return address.port;
}

/** A server that runs until it is disposed. */
export type SpawnedServer = {
  readonly url: string;
  readonly port: number;
  /** Everything it wrote so far. */
  readonly output: () => string;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
};

/** How a server is started. `ready` is polled until it says true; a refused connection counts as not yet. */
export type ServerCommand = {
  readonly command: string;
  readonly args: (port: number) => readonly string[];
  readonly ready: (url: string) => Promise<boolean>;
  readonly env?: Readonly<Record<string, string>>;
};

/** Starts a server on a free port and waits until it answers. Throws with its output when it ends or does not answer in a minute. */
export async function spawnServer({ command, args, ready, env }: ServerCommand): Promise<SpawnedServer> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(command, [...args(port)], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  const output = () => stdout() + stderr();
  let ended = false;
  const exit = exitOf(child).finally(() => {
    ended = true;
  });
  exit.catch(() => {});
  const stop = async () => {
    if (!ended) child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
    await exit.catch(() => {});
    clearTimeout(timer);
  };
  const deadline = Date.now() + READY_MS;
  while (!(await ready(url).catch(() => false))) {
    if (!ended && Date.now() < deadline) {
      await sleep(50);
      continue;
    }
    await stop();
    throw new Error(`${command} did not become ready:\n${output()}`);
  }
  return { url, port, output, [Symbol.asyncDispose]: stop };
}

/** Starts moto, the AWS emulator that is not ours. */
export async function startMoto(): Promise<SpawnedServer> {
  return await spawnServer({
    command: await interopPython(),
    args: (port) => ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)],
    ready: async (url) => (await fetch(`${url}/moto-api/data.json`)).ok,
  });
}

/** promtool of Prometheus, from $PROMTOOL or the PATH. Throws when it is missing. */
export async function promtool(): Promise<string> {
  return await binary('PROMTOOL', ['promtool'], 'promtool (part of Prometheus)');
}

/** amtool of Alertmanager, from $AMTOOL or the PATH. Throws when it is missing. */
export async function amtool(): Promise<string> {
  return await binary('AMTOOL', ['amtool'], 'amtool (part of Alertmanager)');
}

/** Alertmanager itself, from $ALERTMANAGER or the PATH, under Debian's name too. Throws when it is missing. */
export async function alertmanager(): Promise<string> {
  return await binary('ALERTMANAGER', ['alertmanager', 'prometheus-alertmanager'], 'alertmanager');
}

/** Prometheus itself, from $PROMETHEUS or the PATH. Throws when it is missing. */
export async function prometheus(): Promise<string> {
  return await binary('PROMETHEUS', ['prometheus'], 'prometheus');
}

async function binary(variable: string, names: readonly string[], what: string): Promise<string> {
  const given = process.env[variable];
  const found = await first(given === undefined ? names : [given], ['--version']);
  if (found !== undefined) return found;
  throw new Error(`the interop suite needs ${what} on the PATH or in $${variable}`);
}
