/** How long a change can stay unseen at worst: what the daemon exports and `plan` foretells. Pure. */
import type { Listing } from '../providers/provider.ts';
import { looksInTurn } from './choose.ts';

/** ListSecrets may lag five minutes: ListSecrets reference, aws.md 1.1. */
const LISTING_LAG_MS = 5 * 60_000;
/** A suspect is looked at again and confirmed within this time after its first look, ms. */
const CONFIRM_MS = 15_000;
/** A tenth of the budget is left for suspects and details. */
const FOR_LOOKS = 0.9;
/** How often a service is asked for that the cloud has retired, ms. */
export const RETIRED_EVERY_MS = 24 * 3_600_000;

/**
 * Looks that fit into the budget of one interval.
 * @param quotaPerSecond the published one; @param share of it that may be used, 0 to 1
 */
export function lookCapacity(quotaPerSecond: number, share: number, intervalMs: number): number {
  return Math.max(1, Math.floor((quotaPerSecond * share * intervalMs * FOR_LOOKS) / 1000));
}

export interface Watch {
  readonly listing: Listing;
  readonly objects: number;
  /** Looks that fit into one interval. */
  readonly capacity: number;
  /** The distance between two slots; a sweep that outlives its slot is followed by the next one at once. */
  readonly intervalMs: number;
  /** The longest distance between two slots: longer where the schedule rests at night. */
  readonly pauseMs: number;
  /** How long one sweep takes. */
  readonly sweepMs: number;
  readonly describeEveryMs: number;
}

/** From a change until it is confirmed, ms, at worst, while the cloud answers. */
export function detectionBoundMs(watch: Watch): number {
  const { listing, intervalMs, pauseMs, sweepMs, describeEveryMs } = watch;
  const everyMs = Math.max(intervalMs, sweepMs);
  // One pause at most: none ends before everything that was waiting has had its turn.
  const rest = sweepMs + CONFIRM_MS + Math.max(0, pauseMs - everyMs);
  if (listing === 'state') return everyMs + rest;
  if (listing === 'lagging') return everyMs + rest + Math.min(LISTING_LAG_MS, describeEveryMs);
  return roundsOf(watch.objects, watch.capacity) * everyMs + rest;
}

/**
 * After how many sweeps every object was looked at. Over capacity, what matters least has only its share of the looks, and
 * waits in the order of its age among what is left over by the others.
 */
export function roundsOf(objects: number, capacity: number): number {
  if (objects <= capacity) return 1;
  const inTurn = looksInTurn(capacity);
  return Math.ceil((objects - (capacity - inTurn)) / inTurn);
}
