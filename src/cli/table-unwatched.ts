/** The part of the terminal's table that tells which keys are used and not watched, and what to configure. */
import type { NotWatched, NotWatchedReason } from '../core/not-watched.ts';
import { notWatchedOf } from '../core/readers.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { counted, visible } from '../core/text.ts';

/** Names that are told; JSON has them all. */
const SHOWN = 20;

/** Nobody need do anything about these, or another line says it already. */
const UNTOLD: readonly NotWatchedReason[] = ['cloud_managed', 'not_read'];

interface Missing extends NotWatched {
  readonly name: string;
  users: number;
}

/** One line for each name that consumers use or keys depend on and that is not watched, and one for what to configure. */
export function unwatchedLines(snapshot: Pick<Snapshot, 'keys' | 'consumers' | 'notWatched'>): readonly string[] {
  const missing = new Map<string, Missing>();
  const note = (name: string, why: NotWatched) => {
    const known = missing.get(name);
    if (known) known.users += 1;
    else if (!UNTOLD.includes(why.reason)) missing.set(name, { ...why, name, users: 1 });
  };
  for (const consumer of snapshot.consumers) {
    for (const use of consumer.uses) {
      const why = notWatchedOf(consumer, use, snapshot);
      if (why) note(use.resource, why);
    }
  }
  for (const { provider, unwatched = [] } of snapshot.keys) {
    for (const name of unwatched) note(name, snapshot.notWatched(provider, name));
  }
  const all = [...missing.values()].sort((a, b) => b.users - a.users || (a.name < b.name ? -1 : 1));
  const lines = all
    .slice(0, SHOWN)
    .map(({ name, hint, users }) => `?  not watched, used by ${users}: ${visible(name)}: ${visible(hint)}`);
  if (all.length > SHOWN) lines.push(`?  not watched: ${counted(all.length - SHOWN, 'more name')}`);
  return [...lines, ...remedies(all)];
}

/** What to configure: each once, however many names it would bring in. */
function remedies(missing: readonly Missing[]): readonly string[] {
  const texts = new Set(
    missing.flatMap(({ configure }) =>
      configure
        ? `   to watch it, ${visible(configure.where)}: ${visible(configure.yaml.replaceAll('\n', ' and '))}`
        : [],
    ),
  );
  return [...texts].slice(0, SHOWN);
}
