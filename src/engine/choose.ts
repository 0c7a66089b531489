/** What a sweep describes, by what the listing proves. Pure. */
import type { Stub } from '../core/model.ts';
import type { Listed, Listing } from '../providers/provider.ts';
import { isSuspect, isUnsettled, type Tracked } from './tracked.ts';

export type LookReason = 'new' | 'changed' | 'suspect' | 'missing' | 'unsettled' | 'critical' | 'used' | 'in_turn';

/** A look to take: which object, why, and what its listing said. */
export interface Look {
  readonly stub: Stub;
  readonly why: LookReason;
  /** Absent for what the listing did not show. */
  readonly digest?: string;
}

export interface ChooseInput {
  readonly listing: Listing;
  known(resource: string): Tracked | undefined;
  critical(stub: Stub): boolean;
  dependents(resource: string): number;
  readonly describeEveryMs: number;
  /** How many looks fit into the API budget until the next sweep. */
  readonly capacity: number;
  readonly now: number;
}

/** What a page told by itself, so that no look is needed. */
export interface Page {
  /** The resources of which it says as much as a look would, and that nothing changed. */
  readonly unchanged: readonly string[];
  /** What would have been looked at, had the page not told all of it. */
  readonly told: ReadonlyArray<Listed & Required<Pick<Listed, 'told'>>>;
}

/** Chooses page by page, so that a listing of 100,000 objects never blocks the event loop at its end. */
export interface Choice {
  /** Every resource that was listed so far. */
  readonly listed: ReadonlySet<string>;
  /** Takes one page. */
  page(items: readonly Listed[]): Page;
  /**
   * The looks of the sweep, most urgent first.
   * @param missing records that this source saw before and that a complete listing should have shown
   */
  looks(missing: readonly Tracked[]): Look[];
}

/** First what says that something happened, then what matters most; the rest takes turns, longest unseen first. */
const ORDER: readonly LookReason[] = [
  'suspect',
  'missing',
  'changed',
  'new',
  'critical',
  'unsettled',
  'used',
  'in_turn',
];

/** Share of the looks for what was not seen for longest: however much matters more, the rest must have its turn. */
const IN_TURN = 0.1;

/** How many of `room` looks are for what was not seen for longest. */
export function looksInTurn(room: number): number {
  return Math.max(1, Math.floor(room * IN_TURN));
}

/**
 * A listing of ids describes everything, as far as `capacity` goes; the others what is new, changed, suspect or missing,
 * and lagging ones besides what is critical or was not seen for `describeEveryMs`. What is suspect or missing is looked at
 * whatever the capacity.
 */
export function startChoice(input: ChooseInput): Choice {
  const chosen: Look[] = [];
  const listed = new Set<string>();
  return {
    listed,
    page(items) {
      const unchanged: string[] = [];
      const told: Array<Page['told'][number]> = [];
      for (const { stub, digest, told: facts } of items) {
        if (listed.has(stub.resource)) continue;
        listed.add(stub.resource);
        const why = reasonToLook(stub, digest, input);
        if (why && facts) told.push({ stub, digest, told: facts });
        else if (why) chosen.push({ stub, why, digest });
        else if (input.listing === 'state') unchanged.push(stub.resource);
      }
      return { unchanged, told };
    },
    looks(missing) {
      const looks = [...chosen];
      for (const { stub } of missing) looks.push({ stub, why: 'missing' });
      const ranked = looks.map((look) => ({
        look,
        rank: ORDER.indexOf(look.why),
        seenAt: input.known(look.stub.resource)?.checkedAt ?? 0,
      }));
      ranked.sort((a, b) => a.rank - b.rank || a.seenAt - b.seenAt);
      const urgent = looks.filter((look) => look.why === 'suspect' || look.why === 'missing').length;
      const room = Math.max(input.capacity, urgent);
      if (ranked.length <= room) return ranked.map(({ look }) => look);
      const first = Math.max(urgent, room - looksInTurn(room));
      const inTurn = ranked.slice(first).sort((a, b) => a.seenAt - b.seenAt);
      return [...ranked.slice(0, first), ...inTurn.slice(0, room - first)].map(({ look }) => look);
    },
  };
}

function reasonToLook(stub: Stub, digest: string, input: ChooseInput): LookReason | undefined {
  const record = input.known(stub.resource);
  if (!record) return 'new';
  if (isSuspect(record)) return 'suspect';
  if (input.listing !== 'ids' && record.digest !== digest) return 'changed';
  // No change in the listing will ever say that a blind key can be seen again.
  if (isUnsettled(record)) return 'unsettled';
  if (input.listing === 'state') return undefined;
  if (input.critical(stub)) return 'critical';
  if (input.listing === 'ids') return input.dependents(stub.resource) > 0 ? 'used' : 'in_turn';
  return input.now - record.checkedAt >= input.describeEveryMs ? 'in_turn' : undefined;
}
