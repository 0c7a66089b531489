/** What sweeps of MediaConnect cost. Pure. */
import type { Calls } from '../../provider.ts';
import { objectsOf, pagesOf } from '../../steady.ts';
import { SIMULATION_ASSUMES, simulationCalls } from '../iam/calls.ts';

/** What is asked of ListFlows at once. */
export const FLOWS_PER_PAGE = 100;

export const calls: Calls = {
  steady(holding, pace) {
    const flows = objectsOf(holding);
    const { listing } = holding;
    return {
      ListFlows: listing?.ListFlows ?? pagesOf(flows, FLOWS_PER_PAGE),
      DescribeFlow: flows,
      ...(listing?.ListEntitlements === undefined ? {} : { ListEntitlements: listing.ListEntitlements }),
      ...simulationCalls(flows, pace),
    };
  },
  assumes: ['No MediaConnect flow is entitled by another account, where flows were not listed.', SIMULATION_ASSUMES],
};
