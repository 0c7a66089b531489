/** Asks a running daemon over its API. What goes wrong is a value: whoever asks may have another way. */
import { readFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { type RequestOptions, request as secureRequest } from 'node:https';
import type { Config } from '../config/config.ts';
import { isLoopback } from '../config/listen.ts';
import { loadWebFile } from '../config/web-file.ts';
import type { NotFound } from '../core/find.ts';
import { withDeadline } from '../engine/deadline.ts';
import { Refusal } from './answers.ts';

export const DEFAULT_URL = 'http://127.0.0.1:10539';

/** A daemon with 100,000 keys needs a moment for its tree. */
const TIMEOUT_MS = 20_000;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** How to reach a daemon, and who asks. Files hold one secret each, or PEM. */
export interface DaemonOptions {
  readonly url: string;
  readonly user?: string | undefined;
  readonly passwordFile?: string | undefined;
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
}

export type DaemonAnswer<T> =
  | { readonly outcome: 'answered'; readonly answer: T }
  /** It knows no such thing, or cannot tell which is meant; `conflict`: it knows it, and will not. */
  | { readonly outcome: 'refused'; readonly refusal: NotFound; readonly conflict: boolean }
  /** It does not answer, not us, or not what it should. `why`: half a sentence. */
  | { readonly outcome: 'unreachable'; readonly why: string };

/** What of the options cannot be: a sentence; undefined: nothing. */
export function optionsError({ url, user, passwordFile, certFile, keyFile }: DaemonOptions): string | undefined {
  const parsed = URL.parse(url);
  if (parsed?.protocol !== 'http:' && parsed?.protocol !== 'https:')
    return '--url: must begin with http:// or https://';
  if (parsed.username !== '' || parsed.password !== '') {
    return '--url: holds a password, which everybody on this machine can read; use --user and --password-file';
  }
  if ((user === undefined) !== (passwordFile === undefined)) return '--user and --password-file belong together';
  if ((certFile === undefined) !== (keyFile === undefined)) return '--cert-file and --key-file belong together';
  const isPlain = parsed.protocol === 'http:' && !isLoopback(bare(parsed.hostname));
  if (isPlain && user !== undefined) return '--url: would send the password over the network as it is; use https://';
  return undefined;
}

/** Where the daemon of a configuration listens, as this machine reaches it. Undefined: on any free port. */
export async function urlOf({ listen, web }: Config): Promise<string | undefined> {
  if (listen.port === 0) return undefined;
  const host = { '0.0.0.0': '127.0.0.1', '::': '::1' }[listen.host] ?? listen.host;
  const secure = web.configFile !== undefined && (await loadWebFile(web.configFile)).web.tls !== undefined;
  return `${secure ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${listen.port}`;
}

/** What it is asked. */
export interface DaemonRequest {
  /** Below its address, parameters included. */
  readonly path: string;
  /** What it is to do, sent as JSON; absent: it is only asked. */
  readonly post?: Readonly<Record<string, unknown>>;
}

/**
 * Asks a daemon.
 * @param read takes an answer, or throws if it is none
 * @throws only the reason of `stop`
 */
export async function askDaemon<T>(
  options: DaemonOptions,
  { path, post }: DaemonRequest,
  read: (json: unknown) => T,
  stop: AbortSignal,
): Promise<DaemonAnswer<T>> {
  let answer: Answer;
  try {
    const settings = await requestOptions(options);
    const target = new URL(path, options.url.endsWith('/') ? options.url : `${options.url}/`);
    answer = await withDeadline('the answer', TIMEOUT_MS, stop, (signal) =>
      send(target, { ...settings, signal }, post),
    );
  } catch (error) {
    if (stop.aborted) throw stop.reason;
    return { outcome: 'unreachable', why: error instanceof Error ? error.message : String(error) };
  }
  const { status, body } = answer;
  if (status === 401 || status === 403) {
    const hint =
      options.user === undefined
        ? 'it asks for a user: give --user and --password-file'
        : 'it does not know this user and password';
    return { outcome: 'unreachable', why: status === 401 ? hint : `it refuses us (403)${reasonIn(body)}` };
  }
  if (status !== 200 && status !== 400 && status !== 404 && status !== 409)
    return { outcome: 'unreachable', why: `it answers ${status}` };
  try {
    const json: unknown = JSON.parse(body);
    if (status === 200) return { outcome: 'answered', answer: read(json) };
    const refusal = Refusal.parse(json);
    // An older daemon knows the page no more than the resource.
    if (refusal.error.startsWith('resource: ')) return { outcome: 'refused', refusal, conflict: status === 409 };
    return { outcome: 'unreachable', why: `it does not know how to tell that (${status}); is it of another version?` };
  } catch {
    return { outcome: 'unreachable', why: 'its answer is not understood; is it of another version?' };
  }
}

/** What a refusal of keyvigil's own says: which name of it the request went to, or from where it came. */
function reasonIn(body: string): string {
  const text = /^\{"error":"((?:Host|Origin): [^"\\]{1,200})"\}$/.exec(body)?.[1];
  return text === undefined ? '' : `: ${text}`;
}

async function requestOptions(options: DaemonOptions): Promise<RequestOptions> {
  const { url, user, passwordFile, caFile, certFile, keyFile } = options;
  const password =
    passwordFile === undefined ? undefined : (await readFile(passwordFile, 'utf8')).replace(/\r?\n$/, '');
  const isOwn = isLoopback(bare(new URL(url).hostname));
  return {
    agent: false,
    headers: {
      accept: 'application/json',
      ...(user !== undefined && { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` }),
    },
    ...(caFile !== undefined && { ca: await readFile(caFile, 'utf8') }),
    ...(certFile !== undefined && { cert: await readFile(certFile, 'utf8') }),
    ...(keyFile !== undefined && { key: await readFile(keyFile, 'utf8') }),
    // The certificate of this very machine bears its public name. A password goes only to who can prove who it is.
    rejectUnauthorized: !(isOwn && user === undefined && caFile === undefined),
  };
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Redirects are not followed. */
function send(target: URL, options: RequestOptions, post: DaemonRequest['post']): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const open = target.protocol === 'https:' ? secureRequest : request;
  const headers = { ...options.headers, ...(post && { 'content-type': 'application/json' }) };
  const outgoing = open(target, { ...options, headers, method: post ? 'POST' : 'GET' }, (response) => {
    bodyOf(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
  });
  outgoing.on('error', reject).end(post && JSON.stringify(post));
  return promise;
}

async function bodyOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES) throw new Error(`its answer is larger than ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function bare(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '');
}
