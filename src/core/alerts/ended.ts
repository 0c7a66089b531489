/** How an alert is told that ended although nobody saw its key, consumer or source recover. Pure. */
import type { Alert } from '../alert.ts';
import type { Snapshot } from '../snapshot.ts';
import { cut, MAX } from './firing.ts';

const WORDS = {
  unwatched: {
    reason: 'no longer watched',
    summary: 'No longer watched',
    description:
      'keyvigil does not watch it any more: its target was removed, or the configuration leaves it out now. The alert ends for that, and not because all is well.',
  },
  removed: {
    reason: 'gone',
    summary: 'Gone',
    description: 'It is gone for good, and nothing depends on it any more: there is nothing left to recover.',
  },
} as const;

/**
 * The alert with what its end means, where that is not that all is well: what it was about is no longer watched, or gone.
 * @param removed resources whose event `removed` led to this end
 */
export function asEnded(alert: Alert, snapshot: Snapshot, removed: ReadonlySet<string>): Alert {
  // What it is about, whole: labels are cut and made visible.
  const [, ...identity] = JSON.parse(alert.fingerprint) as readonly string[];
  const [subject = ''] = identity;
  const { resource, target } = alert.labels;
  if (resource !== undefined) {
    if (removed.has(subject)) return endedFor('removed', alert);
    const isWatched =
      snapshot.byResource.has(subject) || snapshot.consumers.some((consumer) => consumer.resource === subject);
    return isWatched ? alert : endedFor('unwatched', alert);
  }
  if (target === undefined) return alert;
  const [, location, service] = identity;
  const isWatched = snapshot.sources.some(
    (source) =>
      source.target === subject &&
      (location === undefined || source.location === location) &&
      (service === undefined || source.service === service),
  );
  return isWatched ? alert : endedFor('unwatched', alert);
}

function endedFor(why: keyof typeof WORDS, alert: Alert): Alert {
  const { reason, summary, description } = WORDS[why];
  const before = alert.annotations.summary;
  const told = before === undefined ? summary : `${summary}: ${before}`;
  return { ...alert, annotations: { ...alert.annotations, reason, summary: cut(told, MAX.summary), description } };
}
