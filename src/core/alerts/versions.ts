/** What is told of a new version of a key, or of one that came back. Pure. */
import type { KeyEvent } from '../model.ts';
import { keyUses } from '../readers.ts';
import type { ConsumerView, KeyView } from '../snapshot.ts';
import { utc } from '../text.ts';
import { aboutSubject, type Firing } from './firing.ts';
import { affected, calledFirst, place } from './say.ts';
import type { Scene } from './scene.ts';

/** How long it is told. */
const TOLD_MS = 15 * 60_000;
/** An id as it stands in a sentence; the label has it whole. */
const ID_LENGTH = 64;

export function versionFiring(event: KeyEvent, key: KeyView, scene: Scene): Firing | undefined {
  const version = event.version ?? event.to;
  if (version === undefined) return undefined;
  const { at, type, from } = event;
  const back = type === 'rolled_back';
  const tell = () => {
    const { consumers } = scene.dependents(key.resource);
    // Of one that was replaced already nobody need hurry to it.
    const behind = key.version === version ? consumers.filter((consumer) => staysBehind(consumer, key, version)) : [];
    const names = affected({ consumers: behind, keys: [] });
    const created = createdAt(key, version);
    const id = version.slice(0, ID_LENGTH);
    return {
      summary: `${calledFirst(key)} ${back ? `went back to version ${id}` : `has a new version, ${id}`}.`,
      description: [
        from === undefined ? undefined : `Before: ${from.slice(0, ID_LENGTH)}.`,
        place(key),
        `Seen at ${utc(at)}${created === undefined ? '' : `; the version was made at ${utc(created)}`}.`,
        names === undefined
          ? undefined
          : `Still use another version: ${names}. Keep that one enabled until they have moved.`,
      ],
      reason: type,
      affected: names,
    };
  };
  const firing = aboutSubject(key, { alertname: 'KeyvigilNewKeyVersion', severity: 'info', startsAt: at, tell }, scene);
  return {
    ...firing,
    labels: { ...firing.labels, version },
    identity: [key.resource, version],
    endsAt: at + TOLD_MS,
  };
}

function staysBehind(consumer: ConsumerView, key: KeyView, version: string): boolean {
  return keyUses(consumer).some(
    (use) => use.key === key.resource && use.versionInUse !== undefined && use.versionInUse !== version,
  );
}

function createdAt({ version, versionCreatedAt, versions = [] }: KeyView, id: string): number | undefined {
  return versions.find((one) => one.id === id)?.createdAt ?? (version === id ? versionCreatedAt : undefined);
}
