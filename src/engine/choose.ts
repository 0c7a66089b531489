/** What a sweep describes, by what the listing proves. Pure. */
import { stillSuspect, unsettled } from '../core/health.ts';
import type { KeyRecord, KeyStub } from '../core/model.ts';
import type { Listed, Listing } from '../providers/provider.ts';

export type LookReason = 'new' | 'changed' | 'suspect' | 'missing' | 'unsettled' | 'critical' | 'used' | 'in_turn';

/** A look to take: which object, why, and what its listing said. */
export interface Look {
  readonly stub: KeyStub;
  readonly why: LookReason;
  /** Absent for what the listing did not show. */
  readonly digest?: string;
}

export interface ChooseInput {
  readonly listing: Listing;
  readonly listed: readonly Listed[];
  /** Records that this source saw before and that a complete listing should have shown. Empty when it was not complete. */
  readonly expected: readonly KeyRecord[];
  known(resource: string): KeyRecord | undefined;
  critical(stub: KeyStub): boolean;
  dependents(resource: string): number;
  readonly describeEveryMs: number;
  /** How many looks fit into the API budget until the next sweep. */
  readonly capacity: number;
  readonly now: number;
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

/**
 * The looks of one sweep, most urgent first. A listing of ids describes everything, as far as `capacity` goes; the others
 * what is new, changed, suspect or missing, and lagging ones besides what is critical or was not seen for
 * `describeEveryMs`. Whatever a listing says was missing is looked at whatever the capacity.
 */
export function chooseLooks(input: ChooseInput): Look[] {
  const looks: Look[] = [];
  const seen = new Set<string>();
  for (const { stub, digest } of input.listed) {
    if (seen.has(stub.resource)) continue;
    seen.add(stub.resource);
    const why = reasonToLook(stub, digest, input);
    if (why) looks.push({ stub, why, digest });
  }
  for (const record of input.expected) {
    if (!seen.has(record.resource)) looks.push({ stub: record.stub, why: 'missing' });
  }
  const age = (look: Look) => input.known(look.stub.resource)?.checkedAt ?? 0;
  const rank = new Map(ORDER.map((why, at) => [why, at]));
  looks.sort((a, b) => (rank.get(a.why) ?? 0) - (rank.get(b.why) ?? 0) || age(a) - age(b));
  const urgent = looks.filter((look) => look.why === 'suspect' || look.why === 'missing').length;
  return looks.slice(0, Math.max(input.capacity, urgent));
}

function reasonToLook(stub: KeyStub, digest: string, input: ChooseInput): LookReason | undefined {
  const record = input.known(stub.resource);
  if (!record) return 'new';
  if (stillSuspect(record)) return 'suspect';
  if (input.listing !== 'ids' && record.digest !== digest) return 'changed';
  // No change in the listing will ever say that a blind key can be seen again.
  if (unsettled(record)) return 'unsettled';
  if (input.listing === 'state') return undefined;
  if (input.critical(stub)) return 'critical';
  if (input.listing === 'ids') return input.dependents(stub.resource) > 0 ? 'used' : 'in_turn';
  return input.now - record.checkedAt >= input.describeEveryMs ? 'in_turn' : undefined;
}
