/** What fires now: the alert table of the design, from a snapshot. Pure; instants are milliseconds since the epoch. */
import type { Alert } from '../alert.ts';
import { tagLabels } from '../labels.ts';
import { isConsumerKind, type KeyEvent } from '../model.ts';
import type { Snapshot } from '../snapshot.ts';
import { consumerFirings, type DateAlert } from './consumers.ts';
import { aboutPlace, alertOf, type Firing } from './firing.ts';
import { keyFirings } from './keys.ts';
import { listed, sinceWhen } from './say.ts';
import { type AlertContext, type Scene, sceneOf } from './scene.ts';
import { sourceFirings } from './sources.ts';
import { versionFiring } from './versions.ts';

export { asEnded } from './ended.ts';
export type { AlertContext } from './scene.ts';
export { isUnproven } from './unproven.ts';

/** A receiver that took nothing for so long is told to the others. */
const FAILING_MS = 5 * 60_000;

/** Everything that fires now, sorted by fingerprint. */
export function alertsFrom(snapshot: Snapshot, context: AlertContext): readonly Alert[] {
  const scene = sceneOf(snapshot, context, tagLabels(context.tagLabels));
  return firingsOf(scene)
    .map((firing) => alertOf(firing, scene))
    .sort((a, b) => (a.fingerprint < b.fingerprint ? -1 : 1));
}

/** What of it fires about objects and places with these labels (whole, before they are cut), sorted by fingerprint. */
export function alertsAbout(
  snapshot: Snapshot,
  context: AlertContext,
  wanted: (labels: Readonly<Record<string, string>>) => boolean,
): readonly Alert[] {
  const scene = sceneOf(snapshot, context, tagLabels(context.tagLabels));
  return firingsOf(scene)
    .filter(({ labels }) => wanted(labels))
    .map((firing) => alertOf(firing, scene))
    .sort((a, b) => (a.fingerprint < b.fingerprint ? -1 : 1));
}

/**
 * The alerts of new versions and rollbacks, in the order of the events: each is told once, and ends 15 minutes after it was
 * detected. Events that tell nobody anything have none: consumers' versions, other types, keys that are watched no more.
 */
export function alertsOfEvents(
  events: readonly KeyEvent[],
  snapshot: Snapshot,
  context: AlertContext,
): readonly Alert[] {
  // One scene for all: who depends on what is found once, however many versions come at once.
  const scene = sceneOf(snapshot, context, tagLabels(context.tagLabels));
  return events.flatMap((event) => {
    if (isConsumerKind(event.kind) || (event.type !== 'new_version' && event.type !== 'rolled_back')) return [];
    const key = snapshot.byResource.get(event.resource);
    const firing = key && versionFiring(event, key, scene);
    return firing ? alertOf(firing, scene) : [];
  });
}

/**
 * The next instant (ms, after `context.now`) at which `alertsFrom` may say something else without any change of state: a
 * deadline, `staleAfter`, 30 minutes of blindness. Undefined: never. Dates that findings tell of change the state.
 */
export function nextAlertChange(snapshot: Snapshot, context: AlertContext): number | undefined {
  const scene = sceneOf(snapshot, context, []);
  firingsOf(scene);
  return scene.clock.next;
}

function firingsOf(scene: Scene): readonly Firing[] {
  const { firings, states } = sourceFirings(scene);
  const all = [...firings, ...ownTrouble(scene)];
  const dates = new Map<string, DateAlert>();
  for (const key of scene.snapshot.troubled) {
    for (const firing of keyFirings(key, states, scene)) {
      all.push(firing);
      const { alertname } = firing;
      if (alertname === 'KeyvigilKeyExpiring' || alertname === 'KeyvigilKeyExpired') dates.set(key.resource, firing);
    }
  }
  for (const consumer of scene.snapshot.consumers) {
    all.push(...consumerFirings(consumer, (resource) => dates.get(resource), scene));
  }
  return all;
}

/** What keeps keyvigil itself from doing its work. */
function ownTrouble({ context, clock }: Scene): readonly Firing[] {
  const firings: Firing[] = [];
  for (const { receiver, since } of context.failingReceivers) {
    // Nobody could try while the daemon was down: what is left over from before may well be taken now.
    if (!clock.passed(Math.max(since, context.startedAt ?? since) + FAILING_MS)) continue;
    const tell = () => ({
      summary: `The receiver ${receiver} has taken nothing for 5 minutes although something waits for it.`,
      description: [
        sinceWhen(since),
        'What waits is kept, and delivered as soon as it takes it. Until then whoever listens there hears of nothing.',
      ],
      affected: listed([receiver]),
    });
    const parts = { alertname: 'KeyvigilNotificationFailing', severity: 'critical', startsAt: since, tell } as const;
    firings.push(aboutPlace({ name: receiver }, parts));
  }
  if (context.reloadFailedSince !== undefined) {
    const startsAt = context.reloadFailedSince;
    const tell = () => ({
      summary: 'keyvigil refused its new configuration and goes on with the old one.',
      description: [
        sinceWhen(startsAt),
        'That is its own file, or that of the web server (web.configFile). The log tells what is wrong; check-config tells it too.',
      ],
      undo: 'keyvigil check-config',
    });
    firings.push(aboutPlace({}, { alertname: 'KeyvigilConfigReloadFailed', severity: 'warning', startsAt, tell }));
  }
  return firings;
}
