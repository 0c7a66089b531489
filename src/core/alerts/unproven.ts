/** Alerts whose end nobody has seen: what silences or delays them says nothing of what they told. Pure. */
import type { Alert } from '../alert.ts';
import { type SourceRecord, sourceKey } from '../model.ts';
import { isRetired } from '../readers.ts';
import type { Snapshot } from '../snapshot.ts';
import { isBlindItself } from './keys.ts';
import type { AlertContext } from './scene.ts';
import { isAsked, isDown, seesNothing } from './sources.ts';

type Place = Pick<SourceRecord, 'target' | 'location' | 'service'>;

/**
 * Whether an alert that was told and does not fire any more goes on all the same: its source fails now as well, a louder
 * alert has taken its place, or a daemon that has just begun cannot judge yet. Without this they would be told as resolved,
 * and told again minutes later.
 */
export function isUnproven(
  { fingerprint, labels: { alertname }, startsAt }: Alert,
  snapshot: Snapshot,
  context: AlertContext,
): boolean {
  // What it is about, whole: labels are cut and made visible.
  const [, ...identity] = JSON.parse(fingerprint) as readonly string[];
  switch (alertname) {
    case 'KeyvigilKeyStatusUnknown': {
      const key = snapshot.byResource.get(identity[0] ?? '');
      if (!key || !isBlindItself(key) || (key.blindSince ?? 0) > startsAt) return false;
      return (key.witnesses ?? []).some((witness) => {
        const record = recordOf(witness, snapshot);
        return record !== undefined && !isRetired(record);
      });
    }
    case 'KeyvigilSourceDown': {
      const record = recordOf(placeOf(identity), snapshot);
      return record !== undefined && isDown(record) && record.downSince <= startsAt;
    }
    case 'KeyvigilCheckStale': {
      const record = recordOf(placeOf(identity), snapshot);
      return record !== undefined && isAsked(record) && (record.lastSuccessAt ?? 0) <= startsAt;
    }
    case 'KeyvigilKeySetShrank': {
      const at = recordOf(placeOf(identity), snapshot)?.shrank?.at;
      return at !== undefined && at <= startsAt;
    }
    case 'KeyvigilAccountBlind':
      return seesNothing(identity[0] ?? '', snapshot, context);
    case 'KeyvigilNotificationFailing':
      return context.failingReceivers.some(({ receiver }) => receiver === identity[0]);
    default:
      return false;
  }
}

function recordOf(place: Place, { sources }: Snapshot): SourceRecord | undefined {
  const wanted = sourceKey(place);
  return sources.find((record) => sourceKey(record) === wanted);
}

function placeOf([target = '', location = '', service = '']: readonly string[]): Place {
  return { target, location, service };
}
