/** What fires about a consumer: trouble of its own that no alert about a key tells already. Pure. */
import type { AlertName, AlertSeverity } from '../alert.ts';
import { degrades } from '../findings.ts';
import { onsetOf } from '../harm.ts';
import type { OpenFinding } from '../model.ts';
import { keyUses, unwatchedBehind } from '../readers.ts';
import type { ConsumerView, KeyView } from '../snapshot.ts';
import { REASON_WORDS } from '../words.ts';
import { aboutSubject, type Firing } from './firing.ts';
import { alertNameOf, severityOf } from './rules.ts';
import { affected, called, calledFirst, clause, listed, meanings, place, sentence, short, sinceWhen } from './say.ts';
import type { Scene } from './scene.ts';

/**
 * A consumer and its key are looked at by different sources. Whichever tells first: a loss of the key that shows up about
 * then, and is being confirmed, is given the time to be the one alert.
 */
const TOGETHER_MS = 15_000;

/** Media Services looks at its key every five minutes ("should detect this key after 5 minutes"); thrice that is too long. */
const NOTICED_WITHIN_MS = 15 * 60_000;

/** Each comes with a sentence. */
const UNWATCHED_LISTED = 5;

const SEVERITY_RANK: Readonly<Record<AlertSeverity, number>> = { info: 0, warning: 1, critical: 2 };

/** What fires about the dates of a key. */
export type DateAlert = { readonly alertname: AlertName; readonly severity: AlertSeverity };

/** @param dates what fires about the dates of a key already, by resource of the key */
export function consumerFirings(
  consumer: ConsumerView,
  dates: (resource: string) => DateAlert | undefined,
  scene: Scene,
): readonly Firing[] {
  const firings: Firing[] = [];
  const impaired = impairmentOf(consumer, scene);
  if (impaired) firings.push(impaired);
  for (const finding of consumer.findings) {
    if (!degrades(finding) || finding.impairs) continue;
    const firing = findingOf(consumer, finding, scene);
    if (!isToldByKey(consumer, firing, dates)) firings.push(firing);
  }
  return firings;
}

function impairmentOf(consumer: ConsumerView, scene: Scene): Firing | undefined {
  const { health, reason, since } = consumer;
  if (health !== 'impaired' || reason === undefined || reason === 'key_inaccessible') return undefined;
  if (losesKey(consumer, scene) || hasJustGotKeyBack(consumer, scene)) return undefined;
  const tell = () => {
    const finding = consumer.findings.find(({ impairs }) => impairs === reason);
    const keys = keyUses(consumer).map((use) => {
      const key = use.key === undefined ? undefined : scene.snapshot.byResource.get(use.key);
      return key ? `${called(key)} (${key.health})` : use.resource.slice(0, 200);
    });
    const names = listed(keys);
    return {
      summary: `${calledFirst(consumer)} is impaired: ${REASON_WORDS[reason].brief}.`,
      description: [
        REASON_WORDS[reason].text,
        finding && sentence(finding),
        place(consumer),
        sinceWhen(since),
        ...meanings([consumer]),
        onsetOf(consumer, undefined, (resource) => scene.snapshot.byResource.get(resource)).text,
        names === undefined ? undefined : `Keys that it uses: ${names}.`,
        unwatched(consumer, scene),
      ],
      reason,
      affected: affected({ consumers: [consumer], keys: [] }),
      undo: finding?.remedy,
      anchor: reason,
    };
  };
  return aboutSubject(
    consumer,
    { alertname: 'KeyvigilConsumerImpaired', severity: 'critical', startsAt: since, tell },
    scene,
  );
}

/** What it needs and nobody watches: no alert of a key can explain it. */
function unwatched(consumer: ConsumerView, { snapshot }: Scene): string | undefined {
  const names = [...unwatchedBehind(consumer, snapshot)].map(([name, { hint }]) => `${short(name)} (${hint})`);
  const text = listed(names.slice(0, UNWATCHED_LISTED), names.length);
  return text && `Not watched, so the cause may be there: ${text}.`;
}

/**
 * Whether a key whose loss explained the trouble was given back a moment ago: the alert about that has ended, and the service
 * takes its time to notice.
 */
function hasJustGotKeyBack(consumer: ConsumerView, { snapshot, clock }: Scene): boolean {
  const returned = ({ own }: KeyView) =>
    own?.status === 'accessible' && own.since > consumer.since && !clock.passed(own.since + NOTICED_WITHIN_MS);
  return keyUses(consumer).some((use) => {
    const key = use.key === undefined ? undefined : snapshot.byResource.get(use.key);
    if (!key) return false;
    const holders = key.dependsOn.flatMap((resource) => snapshot.byResource.get(resource) ?? []);
    return [key, ...holders].some(returned);
  });
}

/** Whether a key of it, or what holds that, seems to be lost too: then that will be the alert. */
function losesKey(consumer: ConsumerView, { snapshot }: Scene): boolean {
  const losing = ({ pending, blindSince }: KeyView) =>
    pending?.status === 'inaccessible' && blindSince === undefined && pending.since <= consumer.since + TOGETHER_MS;
  return keyUses(consumer).some((use) => {
    const key = use.key === undefined ? undefined : snapshot.byResource.get(use.key);
    if (!key) return false;
    return (
      losing(key) ||
      key.dependsOn.some((resource) => {
        const holder = snapshot.byResource.get(resource);
        return holder !== undefined && losing(holder);
      })
    );
  });
}

function findingOf(consumer: ConsumerView, finding: OpenFinding, scene: Scene): Firing {
  const alertname = alertNameOf(finding.id);
  const severity = severityOf(alertname, finding, true, scene.context.policy);
  const tell = () => ({
    summary: `${calledFirst(consumer)}: ${clause(finding)}.`,
    description: [sentence(finding), place(consumer), sinceWhen(finding.since)],
    reason: finding.id,
    affected: affected({ consumers: [consumer], keys: [] }),
    undo: finding.remedy,
  });
  return aboutSubject(consumer, { alertname, severity, startsAt: finding.since, finding: finding.id, tell }, scene);
}

/** A date of its key that alerts there, at least as far gone and as loud, names the consumer already. */
function isToldByKey(
  consumer: ConsumerView,
  { alertname, severity }: Firing,
  dates: (resource: string) => DateAlert | undefined,
): boolean {
  if (alertname !== 'KeyvigilKeyExpiring' && alertname !== 'KeyvigilKeyExpired') return false;
  return keyUses(consumer).some((use) => {
    const told = use.key === undefined ? undefined : dates(use.key);
    if (!told || SEVERITY_RANK[told.severity] < SEVERITY_RANK[severity]) return false;
    return told.alertname === alertname || told.alertname === 'KeyvigilKeyExpired';
  });
}
