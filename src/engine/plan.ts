/** What watching costs, foretold: calls, their share of the quotas, the worst detection time, money. Pure. */
import type { SourceId } from '../core/model.ts';
import type { Holding, Pace, Service } from '../providers/provider.ts';
import { objectsOf } from '../providers/steady.ts';
import { detectionBoundMs, lookCapacity, RETIRED_EVERY_MS, roundsOf } from './detection.ts';
import { MONTH_MS } from './rhythm.ts';
import { LOOKS_AT_ONCE } from './sweep.ts';

/** How long one call is taken to last, ms: what a way of some hundred kilometres and a TLS connection that is open take. */
export const CALL_MS = 50;

/** One source, and what is known of what it holds. */
export interface PlanInput {
  readonly id: SourceId;
  readonly service: Service;
  /** Absent: nobody knows. */
  readonly holding?: Holding;
  /** The cloud has retired the service: there is nothing to watch, and it is asked once a day. */
  readonly retired?: boolean;
  readonly pace: Pace;
  /** The longest distance between two sweeps: longer than the usual one where the schedule rests at night, ms. */
  readonly pauseMs: number;
  readonly sweepsPerMonth: number;
  /** Share of each quota that may be used, 0 to 1. */
  readonly budgetShare: number;
}

export interface PlannedCalls {
  readonly operation: string;
  /** On average. */
  readonly perSweep: number;
  readonly perMonth: number;
  /** Average share of the published quota, 0 to 1. */
  readonly quotaShare: number;
  readonly usdPerMonth: number;
}

/** What would make a plan hold: either of these by itself; absent where it would not help. */
export interface Enough {
  /** Share of each quota. */
  readonly budget?: number;
  /** Distance between two sweeps. */
  readonly intervalMs?: number;
}

/**
 * Why a plan does not hold. `looks_over_budget`: there are more objects than looks fit into the budget of a sweep, so that some
 * are looked at every so many `rounds` only; `calls_over_budget`: an operation needs more than its budget, so that sweeps
 * outlive their slots; `slow_sweep`: they do though the budget suffices.
 */
export type PlanWarning =
  | ({ readonly is: 'looks_over_budget'; readonly capacity: number; readonly rounds: number } & Enough)
  | ({ readonly is: 'calls_over_budget'; readonly operation: string } & Enough)
  | { readonly is: 'slow_sweep'; readonly sweepMs: number };

export interface PlannedSource {
  readonly id: SourceId;
  readonly calls: readonly PlannedCalls[];
  readonly callsPerMonth: number;
  readonly usdPerMonth: number;
  /** From a change to its confirmation at worst, ms. */
  readonly detectionBoundMs: number;
  /** How long one sweep is likely to take, ms. */
  readonly sweepMs: number;
  readonly warnings: readonly PlanWarning[];
}

/** @returns undefined where nobody knows what the source holds */
export function planSource(input: PlanInput): PlannedSource | undefined {
  const { id, service, holding, pace, pauseMs, budgetShare } = input;
  if (input.retired) return retired(input);
  if (!holding) return undefined;
  const { intervalMs, describeEveryMs } = pace;
  const { apis, describeOperation, listing } = service;
  const quota = (operation: string) => apis[operation]?.quotaPerSecond ?? 0;
  const objects = objectsOf(holding);
  const capacity = lookCapacity(quota(describeOperation), budgetShare, intervalMs);
  const wanted = service.calls.steady(holding, pace);
  const within = (calls: Readonly<Record<string, number>>) =>
    Object.entries(calls).map(([operation, count]): readonly [string, number] => [
      operation,
      listing !== 'state' && operation === describeOperation ? Math.min(count, capacity) : count,
    ]);
  // What is described in turn was seen at the same time once, and goes on having its turn together.
  const looks = listing === 'lagging' ? objects : (wanted[describeOperation] ?? 0);
  const sweepMs = sweepTimeMs(within(wanted), input, Math.min(looks, capacity));
  // Sweeps that outlive their slots are fewer, and what is done once an hour is done by more of each.
  const made = sweepMs <= intervalMs ? wanted : service.calls.steady(holding, { ...pace, intervalMs: sweepMs });
  return {
    id,
    ...costOf(within(made), input, Math.min(input.sweepsPerMonth, MONTH_MS / Math.max(1, sweepMs))),
    detectionBoundMs: detectionBoundMs({ listing, objects, capacity, intervalMs, pauseMs, sweepMs, describeEveryMs }),
    sweepMs,
    warnings: warningsOf(input, wanted, { capacity, objects, sweepMs }),
  };
}

/** It goes on being asked whether it is still gone. */
function retired(input: PlanInput): PlannedSource {
  const empty = { objects: {}, critical: 0, consumers: 0 };
  const made = Object.entries(input.service.calls.steady(empty, input.pace));
  const sweeps = Math.min(input.sweepsPerMonth, MONTH_MS / RETIRED_EVERY_MS);
  const cost = costOf(made, input, sweeps);
  return { id: input.id, ...cost, detectionBoundMs: RETIRED_EVERY_MS, sweepMs: 0, warnings: [] };
}

function costOf(
  made: ReadonlyArray<readonly [operation: string, count: number]>,
  { service }: PlanInput,
  sweeps: number,
): Pick<PlannedSource, 'calls' | 'callsPerMonth' | 'usdPerMonth'> {
  const calls = made.map(([operation, perSweep]): PlannedCalls => {
    const api = service.apis[operation];
    if (!api) throw new TypeError(`${service.name} plans ${operation} without declaring it`);
    const perMonth = perSweep * sweeps;
    const quotaShare = perMonth / ((MONTH_MS / 1000) * api.quotaPerSecond);
    return { operation, perSweep, perMonth, quotaShare, usdPerMonth: (perMonth / 10_000) * api.usdPer10k };
  });
  return {
    calls,
    callsPerMonth: calls.reduce((sum, { perMonth }) => sum + perMonth, 0),
    usdPerMonth: calls.reduce((sum, { usdPerMonth }) => sum + usdPerMonth, 0),
  };
}

/** Pages come one after the other, looks many at once; neither faster than the budget lets them. */
function sweepTimeMs(
  made: ReadonlyArray<readonly [string, number]>,
  { service, budgetShare }: PlanInput,
  looksAtWorst: number,
): number {
  let workMs = 0;
  let budgetMs = 0;
  for (const [operation, count] of made) {
    const looks = service.listing !== 'state' && operation === service.describeOperation;
    if (service.calls.beside?.includes(operation)) continue;
    const calls = looks ? looksAtWorst : count;
    workMs += looks ? Math.ceil(calls / LOOKS_AT_ONCE) * CALL_MS : calls * CALL_MS;
    budgetMs = Math.max(budgetMs, (calls / ((service.apis[operation]?.quotaPerSecond ?? 0) * budgetShare)) * 1000);
  }
  return Math.max(workMs, budgetMs);
}

function warningsOf(
  { service, holding, pace, budgetShare }: PlanInput,
  wanted: Readonly<Record<string, number>>,
  is: { readonly capacity: number; readonly objects: number; readonly sweepMs: number },
): readonly PlanWarning[] {
  const { intervalMs } = pace;
  const { describeOperation, listing } = service;
  const warnings: PlanWarning[] = [];
  const looksAll = listing === 'ids';
  if (looksAll && is.objects > is.capacity) {
    const rounds = roundsOf(is.objects, is.capacity);
    const over = is.objects / is.capacity;
    const enough = { intervalMs: Math.ceil(intervalMs * over), ...budgetOf(budgetShare * over) };
    warnings.push({ is: 'looks_over_budget', capacity: is.capacity, rounds, ...enough });
  }
  for (const [operation, count] of Object.entries(wanted)) {
    if (looksAll && operation === describeOperation) continue;
    const perSecond = (service.apis[operation]?.quotaPerSecond ?? 0) * budgetShare;
    const over = count / (perSecond * (intervalMs / 1000));
    if (over <= 1) continue;
    // Not everything gets less by sweeping less: what is asked for once an hour is not.
    const longer = Math.ceil(intervalMs * over);
    const then = holding ? (service.calls.steady(holding, { ...pace, intervalMs: longer })[operation] ?? 0) : count;
    const helps = then <= perSecond * (longer / 1000) ? { intervalMs: longer } : {};
    warnings.push({ is: 'calls_over_budget', operation, ...helps, ...budgetOf(budgetShare * over) });
  }
  if (is.sweepMs > intervalMs) warnings.push({ is: 'slow_sweep', sweepMs: is.sweepMs });
  return warnings;
}

/** A budget as the configuration takes it, if there is one that is enough. */
function budgetOf(share: number): { readonly budget?: number } {
  const budget = Math.ceil(share * 100) / 100;
  return budget <= 1 ? { budget } : {};
}
