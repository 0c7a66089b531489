/** What must be told to whom: what fires now against what was told. Pure; instants are milliseconds since the epoch. */
import type { Alert, NotificationRecord, ReceiverTraits } from './alert.ts';

/** What changes in the book of one receiver. */
export interface Due {
  /** New or changed records, to be queued. */
  readonly upserts: readonly NotificationRecord[];
  /** Fingerprints of records to forget. */
  readonly deletes: readonly string[];
}

export interface DueOptions {
  /** Tell what still fires again after so long, ms; absent: never. */
  readonly reminderMs?: number;
}

/** What must be told to one receiver. */
export function due(
  _alerts: readonly Alert[],
  _sent: ReadonlyMap<string, NotificationRecord>,
  _receiver: ReceiverTraits,
  _now: number,
  _options: DueOptions,
): Due {
  return { upserts: [], deletes: [] };
}
