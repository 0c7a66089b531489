/** `impact`: what breaks if a key goes away; a gate for a pipeline that is about to delete one. */
import { policyOf } from '../config/load.ts';
import { find, isIdentity, notFound } from '../core/find.ts';
import { type Impact, impactOf, type Outcome } from '../core/impact.ts';
import { ImpactAnswer } from './answers.ts';
import { type AskOptions, ask, LISTED, type Question } from './ask.ts';
import { impactText } from './explain-text.ts';
import type { Io } from './io.ts';

/** What cannot be known is no leave to delete anything. */
export const IMPACT_EXIT: Readonly<Record<Outcome, number>> = { nothing: 0, something: 3, unknown: 4 };

const QUESTION: Question<Impact> = {
  name: 'impact',
  read: (json) => ImpactAnswer.parse(json),
  answer(resource, relations, config) {
    const { snapshot } = relations;
    const found = find(resource, relations);
    if (found.outcome === 'consumer')
      return { error: 'resource: is a consumer, not a key; explain tells which keys it needs' };
    if (found.outcome !== 'key' && found.outcome !== 'named') return notFound(resource, found, snapshot);
    return impactOf(found.outcome === 'key' ? found.key.resource : found.resource, relations, {
      now: snapshot.at,
      live: true,
      staleAfterMs: policyOf(config).staleAfterMs,
      tagLabels: config.labels,
      limit: LISTED,
    });
  },
};

/**
 * Asks the daemon, else looks, and prints what breaks.
 * @returns 0 nothing, 3 something, 4 nothing that is known of, but not everything is; 1 nothing could be read, 2 usage, or a
 * name that nothing has; an identity that is not watched is 4 as well
 * @throws only the reason of `options.stop`
 */
export async function impactCommand(options: AskOptions, io: Io): Promise<number> {
  const asked = await ask(QUESTION, options, io);
  if (asked.outcome === 'nothing_read') return 1;
  if (asked.outcome === 'usage') return 2;
  if (asked.outcome === 'not_found') return asked.unknown && isIdentity(options.resource) ? IMPACT_EXIT.unknown : 2;
  const { answer } = asked;
  const style = { color: io.color, columns: io.columns, now: Date.now() };
  io.out(options.output === 'json' ? `${JSON.stringify(answer, null, 2)}\n` : impactText(answer, style));
  return IMPACT_EXIT[answer.outcome];
}
