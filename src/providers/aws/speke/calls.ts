/** What sweeps of SPEKE key providers cost. Pure. */
import type { Calls } from '../../provider.ts';
import { objectsOf, perSweep } from '../../steady.ts';

/** How long the settings of a stage stay good, ms. */
export const DETAILS_EVERY_MS = 3_600_000;

export const calls: Calls = {
  steady(holding, { intervalMs, services }) {
    const providers = objectsOf(holding);
    const stage = { GetStage: providers * perSweep(DETAILS_EVERY_MS, intervalMs) };
    return services.speke?.probe === false ? stage : { Resolve: providers, Probe: providers, ...stage };
  },
  beside: ['GetStage'],
  assumes: ['SPEKE key providers are reached without a proxy, and are an API Gateway of their own Region each.'],
};
