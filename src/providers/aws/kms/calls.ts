/** What sweeps of KMS cost. Pure. */
import type { Calls } from '../../provider.ts';
import { objectsOf, pagesOf, perSweep } from '../../steady.ts';

/** The most that ListKeys and ListKeyRotations give at once. */
export const PAGE_SIZE = 1000;
/** The most that ListAliases gives at once. */
export const ALIASES_PER_PAGE = 100;
/** How long rotations and tags stay good, ms. */
export const DETAILS_EVERY_MS = 3_600_000;

export const calls: Calls = {
  steady(holding, { intervalMs, services }) {
    const keys = objectsOf(holding);
    const details = keys * perSweep(DETAILS_EVERY_MS, intervalMs);
    const all = services.kms?.discover === 'all';
    return {
      ...(all ? { ListKeys: holding.listing?.ListKeys ?? pagesOf(keys, PAGE_SIZE) } : {}),
      ListAliases: holding.listing?.ListAliases ?? pagesOf(keys, ALIASES_PER_PAGE),
      DescribeKey: keys,
      GetKeyRotationStatus: details,
      ListKeyRotations: details,
      ListResourceTags: details,
    };
  },
  beside: ['GetKeyRotationStatus', 'ListKeyRotations', 'ListResourceTags'],
  assumes: ['KMS keys have an alias each, and are symmetric: others have no rotation to ask for.'],
};
