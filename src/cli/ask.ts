/** What `explain` and `impact` have in common: they ask the daemon, else look for themselves. */
import { type Look, lookOnce } from '../app.ts';
import type { Config } from '../config/config.ts';
import type { NotFound } from '../core/find.ts';
import { type Relations, relationsOf } from '../core/relations.ts';
import { visible } from '../core/text.ts';
import { askDaemon, type DaemonAnswer, type DaemonOptions, DEFAULT_URL, optionsError, urlOf } from './daemon-client.ts';
import type { Io } from './io.ts';
import { createLog } from './log.ts';
import { createProgress } from './progress.ts';

/** Objects that a tree lists at most. */
export const LISTED = 1_000;

export interface AskOptions extends Omit<DaemonOptions, 'url'> {
  readonly resource: string;
  /** Absent: what the configuration says, or else the default address. */
  readonly url?: string | undefined;
  /** Asks no daemon. */
  readonly live?: boolean | undefined;
  readonly output: 'text' | 'json';
  readonly version: string;
  readonly stop: AbortSignal;
  /** Whether there is a configuration that should be read for where the daemon is. */
  readonly configured: boolean;
  /** The configuration; undefined: it cannot be used, and that was said. */
  load(): Promise<{ readonly config: Config; readonly warnings: readonly string[] } | undefined>;
}

/** How one of the two gets its answer. */
export interface Question<T> {
  /** Of the API: `explain`. */
  readonly name: string;
  /** @throws if it is no answer */
  read(json: unknown): T;
  /** From a look of its own. */
  answer(resource: string, relations: Relations, config: Config): T | NotFound;
}

export type Asked<T> =
  | { readonly outcome: 'answered'; readonly answer: T }
  /** Nothing is told; that was said. `unknown`: nothing that is watched has the name; else it is the wrong one to ask for. */
  | { readonly outcome: 'not_found'; readonly unknown: boolean }
  | { readonly outcome: 'nothing_read' }
  | { readonly outcome: 'usage' };

type Loaded = Awaited<ReturnType<AskOptions['load']>>;

/**
 * Where the daemon is: as the command line says, else as the configuration does, else at the usual place.
 * @returns undefined where what is given cannot be used; that was said
 */
export async function daemonOf(
  options: AskOptions,
  io: Io,
): Promise<{ readonly daemon: DaemonOptions; readonly loaded: Loaded } | undefined> {
  let loaded: Loaded;
  if (options.url === undefined && options.configured) {
    loaded = await options.load();
    if (!loaded) return undefined;
  }
  const url = options.url ?? (loaded && (await urlOf(loaded.config))) ?? DEFAULT_URL;
  const wrong = optionsError({ ...options, url });
  if (wrong === undefined) return { daemon: { ...options, url }, loaded };
  io.err(`keyvigil: ${wrong}\n`);
  return undefined;
}

/** Asks a daemon one of the questions. @throws only the reason of `options.stop` */
export function askOf<T>(
  { name, read }: Pick<Question<T>, 'name' | 'read'>,
  daemon: DaemonOptions,
  { resource, stop }: AskOptions,
): Promise<DaemonAnswer<T>> {
  const path = `api/v1/${name}?resource=${encodeURIComponent(resource.toWellFormed())}`;
  return askDaemon(daemon, { path }, read, stop);
}

/** @throws only the reason of `options.stop` */
export async function ask<T extends object>(question: Question<T>, options: AskOptions, io: Io): Promise<Asked<T>> {
  let loaded: Loaded;
  if (!options.live) {
    const found = await daemonOf(options, io);
    if (!found) return { outcome: 'usage' };
    loaded = found.loaded;
    const told = await askOf(question, found.daemon, options);
    if (told.outcome === 'answered') return told;
    if (told.outcome === 'refused') return refuse(told.refusal, options, io);
    const url = visible(found.daemon.url);
    io.err(`keyvigil: the daemon at ${url} cannot be asked: ${visible(told.why)}; looking for itself\n`);
  }
  loaded ??= await options.load();
  if (!loaded) return { outcome: 'usage' };
  return lookFor(question, loaded, options, io);
}

async function lookFor<T extends object>(
  question: Question<T>,
  { config, warnings }: { readonly config: Config; readonly warnings: readonly string[] },
  options: AskOptions,
  io: Io,
): Promise<Asked<T>> {
  for (const warning of warnings) io.err(`keyvigil: warning: ${warning}\n`);
  const log = createLog({ level: 'error', format: 'text' }, io);
  let look: Look;
  {
    using progress = createProgress({ write: io.err, tty: io.tty, columns: io.columns, now: () => Date.now() });
    look = await lookOnce({ config, env: io.env, log, version: options.version }, options.stop, progress.update);
  }
  if (look.snapshot.sources.every(({ up }) => up !== true)) {
    io.err('keyvigil: no source could be read, so nothing can be told; once tells why\n');
    return { outcome: 'nothing_read' };
  }
  const answer = question.answer(options.resource, relationsOf(look.snapshot, look.records), config);
  return 'error' in answer ? refuse(answer, options, io) : { outcome: 'answered', answer };
}

/** Says that nothing, or more than one thing, is meant, and what may be. */
export function refuse(
  refusal: NotFound,
  { output }: Pick<AskOptions, 'output'>,
  io: Io,
): Extract<Asked<never>, { outcome: 'not_found' }> {
  if (output === 'json') io.out(`${JSON.stringify(refusal, null, 2)}\n`);
  io.err(`keyvigil: ${visible(refusal.error.replace(/^resource: /, ''))}\n`);
  const { candidates = [], near = [] } = refusal;
  for (const { kind, resource } of candidates) io.err(`  ${visible(resource)}  (${visible(kind)})\n`);
  if (near.length > 0) io.err('Near it:\n');
  for (const { name, resource } of near) io.err(`  ${visible(name)}  ${visible(resource)}\n`);
  return { outcome: 'not_found', unknown: refusal.near !== undefined };
}
