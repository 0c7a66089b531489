/** `forget`: the daemon drops a key that is gone, so that nobody is told of it any more. */
import { z } from 'zod';
import type { Explanation } from '../core/explain.ts';
import { isConsumerKind } from '../core/model.ts';
import { counted, visible } from '../core/text.ts';
import { KIND_WORDS } from '../core/words.ts';
import { ExplanationAnswer } from './answers.ts';
import { type AskOptions, askOf, daemonOf, refuse } from './ask.ts';
import { askDaemon } from './daemon-client.ts';
import type { Io } from './io.ts';

/** `POST /api/v1/forget`. */
const Forgotten = z.object({ forgotten: z.string() });

/**
 * Says what the daemon knows of the key, then has it dropped. Only what was named in full is: the end of a name may be meant
 * for another key. Whether it is gone is the daemon's to judge.
 * @returns 0 forgotten; 1 the daemon cannot be asked, or will not because the key is not gone; 2 usage, or nothing (or more
 * than one thing, or a consumer) of that name
 * @throws only the reason of `options.stop`
 */
export async function forgetCommand(options: AskOptions, io: Io): Promise<number> {
  const found = await daemonOf(options, io);
  if (!found) return 2;
  const { daemon } = found;
  const known = await askOf({ name: 'explain', read: (json) => ExplanationAnswer.parse(json) }, daemon, options);
  if (known.outcome === 'refused') {
    refuse(known.refusal, options, io);
    return 2;
  }
  if (known.outcome === 'unreachable') return unreachable(daemon.url, known.why, io);
  const about = known.answer;
  const wrong = notMeant(about, options.resource);
  if (wrong !== undefined) {
    refuse({ error: `resource: ${wrong}` }, options, io);
    return 2;
  }
  io.err(`keyvigil: ${sentence(about)}\n`);

  const post = { resource: about.resource };
  const done = await askDaemon(daemon, { path: 'api/v1/forget', post }, (json) => Forgotten.parse(json), options.stop);
  if (done.outcome === 'unreachable') return unreachable(daemon.url, done.why, io);
  if (done.outcome === 'refused') {
    refuse(done.refusal, options, io);
    return done.conflict ? 1 : 2;
  }
  const { forgotten } = done.answer;
  io.out(
    options.output === 'json' ? `${JSON.stringify({ forgotten }, null, 2)}\n` : `forgotten: ${visible(forgotten)}\n`,
  );
  return 0;
}

function unreachable(url: string, why: string, io: Io): 1 {
  io.err(`keyvigil: the daemon at ${visible(url)} cannot be asked: ${visible(why)}\n`);
  return 1;
}

/** Why this is not what can have been meant; undefined: it is. */
function notMeant({ kind, resource, name }: Explanation, asked: string): string | undefined {
  if (isConsumerKind(kind)) return 'is a consumer, whose record ends by itself once its service no longer lists it';
  if (asked === resource || asked === name) return undefined;
  return `"${asked}" may mean ${resource}; name it in full`;
}

/** What is dropped, and who still says so. */
function sentence({ kind, name, resource, account, location, health, reason, since, dependents }: Explanation): string {
  const what = `${KIND_WORDS[kind]} ${visible(name)} (${visible(resource)}) in ${visible(account)}/${visible(location)}`;
  const believed = `${health}${reason === undefined ? '' : ` (${reason})`}${since === undefined ? '' : ` since ${since}`}`;
  const { keys, consumers } = dependents;
  const needed = [consumers > 0 && counted(consumers, 'consumer'), keys > 0 && counted(keys, 'key')].filter(Boolean);
  const who = needed.length === 0 ? 'nothing depends on it' : `still needed by ${needed.join(' and ')}`;
  return `${what}: ${believed}; ${who}`;
}
