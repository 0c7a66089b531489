/** What sweeps of Media Services cost. Pure. */
import type { Calls } from '../../provider.ts';

export const calls: Calls = {
  steady: ({ listing }) => ({
    'mediaservices.listBySubscription': listing?.['mediaservices.listBySubscription'] ?? 1,
  }),
  assumes: ['The listing of Media Services tells the encryption of each account, so that none is asked for it.'],
};
