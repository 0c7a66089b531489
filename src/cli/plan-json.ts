/** The plan for programs. Pure. */
import { PRICES_AS_OF } from '../providers/prices.ts';
import type { Plan, Row } from './plan.ts';
import { assumptionsOf } from './plan-text.ts';

/** Times are in seconds, money in US dollars, shares 0 to 1; what is not known is absent. */
export function planJson(plan: Plan): object {
  return {
    sources: plan.rows.map(rowJson),
    complete: plan.complete,
    callsPerMonth: Math.round(plan.callsPerMonth),
    usdPerMonth: rounded(plan.usdPerMonth),
    pricesAsOf: PRICES_AS_OF,
    assumptions: assumptionsOf(plan),
  };
}

function rowJson({ source, input, counted, plan, allCritical, notes }: Row): object {
  const { id, provider, expression, timezone } = source;
  const { holding, pace } = input;
  return {
    ...id,
    provider: provider.name,
    schedule: expression,
    timezone,
    intervalSeconds: pace.intervalMs / 1000,
    sweepsPerMonth: input.sweepsPerMonth,
    counted,
    ...(holding ? { objects: holding.objects, critical: holding.critical } : {}),
    ...(plan
      ? {
          detectionBoundSeconds: rounded(plan.detectionBoundMs / 1000),
          sweepSeconds: rounded(plan.sweepMs / 1000),
          calls: plan.calls.map(({ operation, perSweep, perMonth, quotaShare, usdPerMonth }) => ({
            operation,
            perSweep: rounded(perSweep),
            perMonth: Math.round(perMonth),
            quotaShare: rounded(quotaShare),
            usdPerMonth: rounded(usdPerMonth),
          })),
          callsPerMonth: Math.round(plan.callsPerMonth),
          usdPerMonth: rounded(plan.usdPerMonth),
          warnings: plan.warnings,
        }
      : {}),
    ...(allCritical ? { usdPerMonthIfAllCritical: rounded(allCritical.usdPerMonth) } : {}),
    notes,
  };
}

/** Six decimals are enough of a call, a share and a cent. */
function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}
