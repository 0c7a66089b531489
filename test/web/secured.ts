/** A server with a `web.configFile` of its own, and clients with a password or a certificate. */
import { chmod, copyFile, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { type IncomingHttpHeaders, request } from 'node:http';
import { Agent, type AgentOptions, type RequestOptions, request as secureRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WebDeps } from '../../src/web/deps.ts';
import { createWeb, type WebLimits } from '../../src/web/server.ts';
import { type LiveWebFile, openWebFile } from '../../src/web/web-config.ts';
import { incidentSnapshot, world } from './world.ts';

export const FIXTURES = join(import.meta.dirname, '../fixtures/web');

/** bcrypt at cost 4 of `correct horse`, and at cost 10. */
export const HASH = '$2b$04$Xk/ylScIiSfoxlite5Il5OjSXvPbaDe7xg7X/L0uyiWrH/IVZ5p8O';
export const COSTLY_HASH = '$2b$10$tzR/pxDVnkX2S6.WUu7e4.UyzvJWKze5bdUAXhm7coIm8GsDOzBhW';
/** bcrypt at cost 4 of `second`. */
export const SECOND_HASH = '$2b$04$90h3QUT0YLMy3hWQCKv1dO0mu8/ZUX0LzF0euIb5L9ETuEdYbpanq';

export const TLS = 'tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n';

export interface Folder extends AsyncDisposable {
  readonly path: string;
  /** Puts a file in place as a whole, as those do who rotate certificates. */
  put(name: string, text: string): Promise<string>;
  /** Puts one fixture in the place of another. */
  swap(name: string, fixture: string): Promise<void>;
}

/** A directory of its own with the certificates in it, their keys readable by nobody else. */
export async function webFolder(): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), 'keyvigil-web-'));
  const place = async (name: string, write: (file: string) => Promise<void>) => {
    const file = join(path, name);
    await write(`${file}.new`);
    await chmod(`${file}.new`, 0o600);
    await rename(`${file}.new`, file);
    return file;
  };
  const copy = (name: string, fixture: string) => place(name, (file) => copyFile(join(FIXTURES, fixture), file));
  for (const name of await readdir(FIXTURES)) await copy(name, name);
  return {
    path,
    put: (name, text) => place(name, (file) => writeFile(file, text)),
    swap: async (name, fixture) => void (await copy(name, fixture)),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}

export interface Secured {
  readonly url: string;
  readonly folder: Folder;
  readonly live: LiveWebFile;
  readonly errors: readonly { readonly error: unknown; readonly where: string }[];
  readonly checked: readonly (string | undefined)[];
  /** What reloads said, `taken` where one was taken up. */
  readonly reloads: readonly string[];
}

/** Opens a server on any free port with this web config file. */
export async function secured(
  stack: AsyncDisposableStack,
  yaml: string,
  options: {
    readonly deps?: Partial<WebDeps>;
    readonly limits?: Partial<WebLimits>;
    readonly mustAuthenticate?: boolean;
  } = {},
): Promise<Secured> {
  const folder = stack.use(await webFolder());
  const file = await folder.put('web.yml', yaml);
  const reloads: string[] = [];
  const live = stack.use(
    await openWebFile(file, {
      mustAuthenticate: options.mustAuthenticate ?? false,
      everyMs: 10,
      onReload: (refused) => reloads.push(refused ? refused.message.replaceAll(`${folder.path}/`, '') : 'taken'),
    }),
  );
  const made = world(incidentSnapshot(), { security: live, ...options.deps });
  const web = stack.use(createWeb(made.deps, { drainMs: 100, ...options.limits }));
  const { url } = await web.listen('127.0.0.1', 0);
  return { ...made, url, folder, live, reloads };
}

export interface Got {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Subject of the server's certificate. */
  readonly server: string | undefined;
}

/** Sends a request on a connection of its own, or over `agent`. The test authority is trusted. */
export function get(url: string, options: RequestOptions & { readonly ca?: string } = {}): Promise<Got> {
  const { promise, resolve, reject } = Promise.withResolvers<Got>();
  const send = url.startsWith('https:') ? secureRequest : request;
  const outgoing = send(url, { agent: false, ...options }, (response) => {
    const socket = response.socket as { getPeerCertificate?: () => { subject?: { CN?: string } } };
    const server = socket.getPeerCertificate?.().subject?.CN;
    let body = '';
    response.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    response.on('error', reject);
    response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body, server }));
  });
  outgoing.on('error', reject);
  outgoing.end();
  return promise;
}

/** The header of a user and a password. */
export function basic(user: string, password: string): { readonly authorization: string } {
  return { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` };
}

/** An agent that keeps its connection. */
export function keptAgent(stack: AsyncDisposableStack, options: AgentOptions): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ...options });
  stack.defer(() => agent.destroy());
  return agent;
}

/** Asks again until the answer is one that `wanted` takes. The test's own time limit ends it. */
export async function until<T>(ask: () => Promise<T> | T, wanted: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (wanted(answer)) return answer;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
