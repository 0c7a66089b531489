/** `explain`: why a key or consumer is as it is, with everything that is known of it. */
import { policyOf } from '../config/load.ts';
import { type Explanation, explain } from '../core/explain.ts';
import { find, notFound } from '../core/find.ts';
import { generations } from '../core/readers.ts';
import { ExplanationAnswer } from './answers.ts';
import { type AskOptions, ask, LISTED, type Question } from './ask.ts';
import { explanationText } from './explain-text.ts';
import type { Io } from './io.ts';

const QUESTION: Question<Explanation> = {
  name: 'explain',
  read: (json) => ExplanationAnswer.parse(json),
  answer(resource, relations, config) {
    const { snapshot } = relations;
    const found = find(resource, relations);
    if (found.outcome !== 'key' && found.outcome !== 'consumer') return notFound(resource, found, snapshot);
    const context = {
      policy: policyOf(config),
      tagLabels: config.labels,
      statusUrl: '',
      runbookUrl: '',
      now: snapshot.at,
    };
    return explain(found.outcome === 'key' ? found.key : found.consumer, relations, {
      tagLabels: config.labels,
      limit: LISTED,
      versions: found.outcome === 'key' ? generations(found.key, []) : [],
      alerts: { context, notifications: [], events: [] },
    });
  },
};

/**
 * Asks the daemon, else looks, and prints what is known.
 * @returns 0 told, 1 nothing could be read, 2 usage, or nothing like that is watched
 * @throws only the reason of `options.stop`
 */
export async function explainCommand(options: AskOptions, io: Io): Promise<number> {
  const asked = await ask(QUESTION, options, io);
  if (asked.outcome === 'nothing_read') return 1;
  if (asked.outcome !== 'answered') return 2;
  const { answer } = asked;
  const style = { color: io.color, columns: io.columns, now: Date.now() };
  io.out(options.output === 'json' ? `${JSON.stringify(answer, null, 2)}\n` : explanationText(answer, style));
  return 0;
}
