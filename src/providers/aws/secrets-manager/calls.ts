/** What sweeps of Secrets Manager cost. Pure. */
import type { Calls } from '../../provider.ts';
import { objectsOf, pagesOf, perSweep } from '../../steady.ts';
import { readsPerLook } from './reading.ts';

/** The most that ListSecrets and ListSecretVersionIds give at once. */
export const PAGE_SIZE = 100;

export const calls: Calls = {
  steady(holding, { intervalMs, describeEveryMs, services }) {
    const secrets = objectsOf(holding);
    const inTurn = perSweep(describeEveryMs, intervalMs);
    const others = Math.max(0, secrets - holding.critical);
    const reads = holding.critical * readsPerLook(intervalMs) + others * inTurn * readsPerLook(intervalMs / inTurn);
    return {
      ListSecrets: holding.listing?.ListSecrets ?? pagesOf(secrets, PAGE_SIZE),
      DescribeSecret: holding.critical + others * inTurn,
      ...(services['secrets-manager']?.access === 'read' ? { GetSecretValue: reads } : {}),
    };
  },
  assumes: [
    'No secret gets a new version: each costs a DescribeSecret and a ListSecretVersionIds.',
    'With `access: read` every secret can be decrypted, and its key is one that KMS charges for.',
  ],
};
