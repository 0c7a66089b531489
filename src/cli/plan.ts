/** `plan`: what would be watched, and what that costs in calls, quota, time and money, before anything runs. */

import { cronLogger } from '../app-assemble.ts';
import { type Counted, consumersOf, countObjects } from '../app-plan.ts';
import { type Configured, configuredSources } from '../app-sources.ts';
import type { Config } from '../config/config.ts';
import { policyOf } from '../config/load.ts';
import { sourceKey } from '../core/model.ts';
import { counted, span, visible } from '../core/text.ts';
import { REASON_WORDS } from '../core/words.ts';
import { type PlanInput, type PlannedSource, planSource } from '../engine/plan.ts';
import { rhythmOf } from '../engine/rhythm.ts';
import { intervalOf } from '../engine/schedule.ts';
import type { Holding } from '../providers/provider.ts';
import { objectsOf } from '../providers/steady.ts';
import type { Io } from './io.ts';
import { createLog } from './log.ts';
import { planJson } from './plan-json.ts';
import { planText } from './plan-text.ts';
import { createProgress } from './progress.ts';

/** One source of the plan. */
export interface Row {
  readonly source: Configured;
  readonly input: PlanInput;
  /** Where the number of objects comes from. */
  readonly counted: 'listed' | 'given' | 'unknown';
  /** Absent: nobody knows what there is. */
  readonly plan?: PlannedSource;
  /** The same if `policy.critical` named every object, where that is not known and makes a difference. */
  readonly allCritical?: PlannedSource;
  /** Whole sentences about what is not known. */
  readonly notes: readonly string[];
}

export interface Plan {
  readonly config: Config;
  readonly rows: readonly Row[];
  /** False: some source could not be planned, so that the sums are less than what will be. */
  readonly complete: boolean;
  readonly callsPerMonth: number;
  readonly usdPerMonth: number;
}

/**
 * Prints the plan to stdout.
 * @param options.objects as given: `SERVICE=N`, `KIND=N`; if there is any, nobody is asked
 * @returns 0; 1 where nothing could be listed; 2 where an `objects` makes no sense
 * @throws only the abort reason of `options.stop`
 */
export async function planCommand(
  options: {
    readonly config: Config;
    readonly output: 'text' | 'json';
    readonly objects: readonly string[];
    readonly version: string;
    readonly stop: AbortSignal;
  },
  io: Io,
): Promise<0 | 1 | 2> {
  const { config, output, version, stop } = options;
  const sources = configuredSources(config);
  const given = givenObjects(options.objects, sources);
  if (typeof given === 'string') {
    io.err(`keyvigil: ${given}\n`);
    return 2;
  }
  const log = createLog({ level: 'error', format: 'text' }, io);
  let listed: readonly Counted[] | undefined;
  if (options.objects.length === 0) {
    using progress = createProgress({ write: io.err, tty: io.tty, columns: io.columns, now: () => Date.now() });
    listed = await countObjects({ config, env: io.env, log, version }, stop, progress.update);
  }
  const plan = planOf(config, sources, listed ?? given, cronLogger(log));
  io.out(output === 'json' ? `${JSON.stringify(planJson(plan), null, 2)}\n` : planText(plan));
  return listed?.every(({ holding }) => holding === undefined) ? 1 : 0;
}

/**
 * The objects of each source as they are given, or what is wrong with that.
 * @param texts `SERVICE=N`, of which a service that yields several kinds takes the first one, or `KIND=N`
 */
function givenObjects(texts: readonly string[], sources: readonly Configured[]): readonly Counted[] | string {
  const counts = new Map<string, number>();
  const names = new Set(
    sources.flatMap(({ service: { name, kinds } }) => (kinds.length > 1 ? [name, ...kinds] : [name])),
  );
  for (const text of texts) {
    const [, name, count] = /^([a-z-]+)=(\d{1,8})$/.exec(text) ?? [];
    if (name === undefined) return `--objects ${visible(text)}: expected SERVICE=N, such as secrets-manager=1200`;
    if (!names.has(name)) {
      return `--objects ${name}: nothing of that name is configured; there is ${[...names].sort().join(', ')}`;
    }
    counts.set(name, Number(count));
  }
  return sources.map(({ id, service: { name, kinds } }) => {
    const objects: Record<string, number> = {};
    for (const [at, kind] of kinds.entries()) {
      const count = counts.get(kind) ?? (at === 0 ? counts.get(name) : undefined);
      if (count !== undefined) objects[kind] = count;
    }
    return Object.keys(objects).length === 0 ? { id } : { id, holding: { objects, critical: 0 } };
  });
}

/** Pure but for the clock that schedules are counted by. */
export function planOf(
  config: Config,
  sources: readonly Configured[],
  found: readonly Counted[],
  logger: ReturnType<typeof cronLogger>,
): Plan {
  const policy = policyOf(config);
  const of = new Map(found.map((one) => [sourceKey(one.id), one]));
  const consumers = consumersOf(found, sources);
  const rows = sources.map((source): Row => {
    const { id, service, target, expression, timezone } = source;
    const one: Counted = of.get(sourceKey(id)) ?? { id };
    const known = one.follows ? undefined : one.holding;
    const holding: Holding | undefined = known && { ...known, consumers: consumers.get(id.target) ?? 0 };
    const intervalMs = intervalOf(expression, timezone, logger);
    const { sweepsPerMonth, pauseMs } = rhythmOf(expression, timezone, logger);
    const input: PlanInput = {
      id,
      service,
      ...(holding ? { holding } : {}),
      retired: one.failure?.reason === 'provider_retired',
      pace: {
        intervalMs,
        describeEveryMs: policy.describeEveryMs,
        services: target.services,
      },
      sweepsPerMonth,
      pauseMs,
      budgetShare: config.budget,
    };
    const plan = planSource(input);
    const isGiven = holding !== undefined && holding.listing === undefined;
    const allCritical = isGiven && policy.critical.length > 0 ? ifAllCritical(input, plan) : undefined;
    return {
      source,
      input,
      counted: holding === undefined ? 'unknown' : isGiven ? 'given' : 'listed',
      ...(plan ? { plan } : {}),
      ...(allCritical ? { allCritical } : {}),
      notes: [...notesOf(one, service.name), ...(pauseMs > intervalMs ? [pauseText(pauseMs)] : [])],
    };
  });
  const sum = (figure: (plan: PlannedSource) => number) =>
    rows.reduce((total, { plan }) => total + (plan ? figure(plan) : 0), 0);
  return {
    config,
    rows,
    complete: rows.every(({ plan }) => plan !== undefined) && found.every(isWhole),
    callsPerMonth: sum((plan) => plan.callsPerMonth),
    usdPerMonth: sum((plan) => plan.usdPerMonth),
  };
}

function pauseText(pauseMs: number): string {
  return `Its schedule rests for up to ${span(pauseMs)}: a change meanwhile is seen after that, as the worst time above says.`;
}

function isWhole({ failure }: Counted): boolean {
  return failure === undefined || failure.reason === 'provider_retired';
}

function ifAllCritical(input: PlanInput, plan: PlannedSource | undefined): PlannedSource | undefined {
  const { holding } = input;
  const all = holding && planSource({ ...input, holding: { ...holding, critical: objectsOf(holding) } });
  return all?.callsPerMonth === plan?.callsPerMonth ? undefined : all;
}

function notesOf({ failure, holding, follows }: Counted, service: string): readonly string[] {
  const hint = `--objects ${service}=N plans without asking.`;
  if (failure?.reason === 'provider_retired') return ['The cloud has retired it: it is asked once a day.'];
  if (failure) {
    const { brief } = REASON_WORDS[failure.reason];
    const { operation, code } = failure.evidence;
    const said = visible(code === undefined ? operation : `${operation}: ${code}`);
    const what = holding ? 'It could not be listed whole' : 'It could not be listed';
    return [`${what}: ${brief} (${said}). ${holding ? 'What was seen is planned.' : hint}`];
  }
  if (follows) {
    const seen = holding ? objectsOf(holding) : 0;
    const so = seen === 0 ? '' : ` (${counted(seen, 'object')} without asking anything else)`;
    return [`It watches only what others name, which one listing does not tell${so}: ${hint}`];
  }
  return holding ? [] : [`How much there is was not given: ${hint}`];
}
