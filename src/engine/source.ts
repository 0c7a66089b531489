/** One source at work: connects, sweeps, looks at suspects again, fetches details, and notes how it does. No timers. */
import { setImmediate as yieldTurn } from 'node:timers/promises';
import type { Evidence, Failure, KeyFacts, ProviderName, SourceId, SourceRecord, Stub } from '../core/model.ts';
import { assertSound } from '../core/sound.ts';
import type { Connection, Service, ServiceSession } from '../providers/provider.ts';
import type { Ledger, Suspect } from './apply.ts';
import { type CallerOptions, type CountingContext, callContext, connectFailure, failureOf } from './call.ts';
import { detectionBoundMs, lookCapacity, RETIRED_EVERY_MS } from './detection.ts';
import { type SweepEnv, type SweepOutcome, sweep, takeLooks } from './sweep.ts';
import { isConsumerRecord } from './tracked.ts';

const DETAILS_AT_ONCE = 4;
/** Records that are gone through at a stretch, a few milliseconds' worth. */
const SLICE = 2_000;

/** A connection that is made when it is first needed and made again after it failed. */
export interface LazyConnection extends AsyncDisposable {
  get(): Promise<Connection>;
  /** Names errors even of a connection that could not be made. */
  readonly current: Connection | undefined;
}

export interface SourceOptions {
  readonly id: SourceId;
  readonly provider: ProviderName;
  readonly service: Service;
  readonly connection: LazyConnection;
  readonly ledger: Ledger;
  readonly caller: CallerOptions;
  /** Share of each quota, 0 to 1. */
  readonly budgetShare: number;
  readonly intervalMs: number;
  /** The longest that its schedule ever rests. */
  readonly pauseMs: number;
  readonly describeEveryMs: number;
  critical(stub: Stub): boolean;
  now(): number;
  /** Resources that an error named. */
  named(resources: readonly string[]): void;
  /** A sweep ended; `evidence` is of the call that made it fail. */
  onChange(record: SourceRecord, before: SourceRecord | undefined, evidence: Evidence | undefined): void;
  /** Details of a key could not be had. Proves nothing of it, but somebody must be able to see it. */
  onDetailsFailed(resource: string, failure: Failure): void;
  progress?(done: number, total: number): void;
}

export interface Source {
  readonly id: SourceId;
  /** Whether it tells of consumers: who uses keys, rather than of keys. */
  readonly ofConsumers: boolean;
  /** Whether the last listing held only what others name: what they name since then takes another sweep to be found. */
  readonly follows: boolean;
  /** One sweep. Resolves with the suspects that it leaves. @throws only the abort reason. */
  sweep(signal: AbortSignal): Promise<readonly Suspect[]>;
  /** Looks at these keys now. @throws only the abort reason. */
  lookAt(resources: readonly string[], signal: AbortSignal): Promise<readonly Suspect[]>;
  /** Fetches what details are due. Its failures prove nothing. @throws only the abort reason. */
  details(signal: AbortSignal): Promise<void>;
}

type Opened = { readonly session: ServiceSession; readonly connection: Connection; readonly account: string };

export function createSource(options: SourceOptions): Source {
  const { id, service, ledger } = options;
  let opened: Opened | undefined;
  let follows = false;
  const retryDetailsAt = new Map<string, number>();
  /** On the monotonic clock. */
  let retiredUntil = 0;

  async function open(signal: AbortSignal): Promise<Opened> {
    if (opened) return opened;
    const connection = await options.connection.get();
    const context = callContext(id, { account: id.target, connection }, options.caller, signal);
    const { account } = await connection.identify(context);
    opened = { session: connection.open(id.service, id.location), connection, account };
    return opened;
  }

  function environment(at: Opened, context: CountingContext, signal: AbortSignal, found: Suspect[]): SweepEnv {
    return {
      source: id,
      service,
      session: at.session,
      connection: at.connection,
      context,
      known: ledger,
      describeEveryMs: options.describeEveryMs,
      capacity: capacity(),
      critical: options.critical,
      now: options.now,
      monotonic: options.caller.monotonic,
      signal,
      emit: async (batch) => {
        found.push(...(await ledger.observe(batch, service)));
      },
      affirm: (resources) => ledger.affirm(resources, id, options.now()),
      named: options.named,
      ...(options.progress ? { progress: options.progress } : {}),
    };
  }

  function capacity(): number {
    const quota = service.apis[service.describeOperation]?.quotaPerSecond ?? 0;
    return lookCapacity(quota, options.budgetShare, options.intervalMs);
  }

  function boundMs(objects: number, sweepMs: number): number {
    const { intervalMs, pauseMs, describeEveryMs } = options;
    const { listing } = service;
    return detectionBoundMs({ listing, objects, capacity: capacity(), intervalMs, pauseMs, sweepMs, describeEveryMs });
  }

  async function note(outcome: SweepOutcome, startedAt: number, context: CountingContext | undefined): Promise<void> {
    const now = options.now();
    const before = ledger.sourceRecord(id);
    const durationMs = options.caller.monotonic() - startedAt;
    const common = {
      ...id,
      provider: options.provider,
      ...(opened ? { account: opened.account } : before?.account === undefined ? {} : { account: before.account }),
      lastAttemptAt: now,
      sweepDurationMs: durationMs,
      failures: before?.failures ?? {},
      transitions: before?.transitions ?? {},
      budgetUsedRatio: context ? usedRatio(context) : 0,
    };
    let record: SourceRecord;
    let dropped: readonly string[] = [];
    if (outcome.up === 'retired') {
      const again = before?.reason === 'provider_retired';
      const reason = 'provider_retired' as const;
      record = { ...common, up: true, reason, lastSuccessAt: now, objects: 0, detectionBoundMs: RETIRED_EVERY_MS };
      // One such answer may be a mishap of the cloud; from the second on there is nothing there, and nobody asks for a day.
      if (again) {
        retiredUntil = options.caller.monotonic() + RETIRED_EVERY_MS;
        dropped = ledger.seenBy(id).map(({ resource }) => resource);
      }
    } else if (outcome.up) {
      const detectionBoundMs = boundMs(outcome.objects, durationMs);
      const shrank = shrunk(before, outcome.objects, now);
      const upSince = before?.up === false ? now : before?.upSince;
      const seen = { objects: outcome.objects, ...(shrank && { shrank }), ...(upSince !== undefined && { upSince }) };
      record = { ...common, up: true, lastSuccessAt: now, ...seen, detectionBoundMs };
      dropped = outcome.unwatched;
    } else {
      const { reason } = outcome;
      record = {
        ...common,
        ...(before?.lastSuccessAt === undefined ? {} : { lastSuccessAt: before.lastSuccessAt }),
        ...(before?.objects === undefined ? {} : { objects: before.objects }),
        ...(before?.shrank === undefined ? {} : { shrank: before.shrank }),
        detectionBoundMs: before?.detectionBoundMs ?? boundMs(0, durationMs),
        up: false,
        reason,
        downSince: before?.up === false && before.downSince !== undefined ? before.downSince : now,
        failures: { ...common.failures, [reason]: (common.failures[reason] ?? 0) + 1 },
      };
    }
    await ledger.source(record, dropped);
    options.onChange(record, before, outcome.up === false ? outcome.evidence : undefined);
  }

  function usedRatio(context: CountingContext): number {
    let most = 0;
    for (const [operation, count] of context.counts) {
      const quota = service.apis[operation]?.quotaPerSecond;
      if (quota) most = Math.max(most, count / (quota * options.budgetShare * (options.intervalMs / 1000)));
    }
    return Math.min(1, most);
  }

  return {
    id,
    ofConsumers: service.consumers !== undefined,
    get follows() {
      return follows;
    },

    async sweep(signal) {
      const startedAt = options.caller.monotonic();
      if (startedAt < retiredUntil) return [];
      let at: Opened;
      try {
        at = await open(signal);
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        await note({ up: false, ...connectFailure(error, options.connection.current) }, startedAt, undefined);
        return [];
      }
      const context = callContext(
        id,
        { account: at.account, service, connection: at.connection },
        options.caller,
        signal,
      );
      const suspects: Suspect[] = [];
      const outcome = await sweep(environment(at, context, signal, suspects));
      if (outcome.up === true) follows = outcome.exclusive;
      // Sessions can be revoked long before they expire; until then they are remembered.
      if (outcome.up === false && outcome.reason === 'credentials') at.connection.renew?.();
      await note(outcome, startedAt, context);
      return outcome.up ? suspects : suspects.filter((suspect) => suspect.why !== 'inconclusive');
    },

    async lookAt(resources, signal) {
      if (!opened) return [];
      const looks = [];
      for (const resource of resources) {
        const record = ledger.record(resource);
        if (record) looks.push({ stub: record.stub, why: 'suspect' as const });
      }
      const { account, connection } = opened;
      const context = callContext(id, { account, service, connection }, options.caller, signal);
      const suspects: Suspect[] = [];
      // What fails on the way says nothing of the key, and whether it is the source only a sweep can tell.
      await takeLooks(environment(opened, context, signal, suspects), looks, 'drop');
      return suspects;
    },

    async details(signal) {
      if (!opened?.session.enrich || !service.keys?.detailKey) return;
      const { session, account, connection } = opened;
      const context = callContext(id, { account, service, connection }, options.caller, signal);
      const due: string[] = [];
      for (const [at, { resource }] of ledger.seenBy(id).entries()) {
        const facts = keyFacts(resource);
        if (facts && isDue(facts)) due.push(resource);
        // Many keys, little to do for each: others get their turn in between.
        if (at % SLICE === SLICE - 1) await yieldTurn();
      }
      let next = 0;
      async function worker(): Promise<void> {
        for (let resource = due[next++]; resource !== undefined; resource = due[next++]) {
          const facts = keyFacts(resource);
          if (!facts || !isDue(facts) || (retryDetailsAt.get(resource) ?? 0) > options.now()) continue;
          retryDetailsAt.delete(resource);
          try {
            const enriched = await session.enrich?.(facts, options.now(), context);
            if (enriched) assertSound(enriched);
            if (enriched) await ledger.detail(resource, facts, enriched, service);
          } catch (error) {
            signal.throwIfAborted();
            options.onDetailsFailed(resource, failureOf(error, connection));
            // What is known goes on holding. A refusal would only be repeated for every key.
            retryDetailsAt.set(resource, options.now() + options.describeEveryMs);
          }
        }
      }
      await Promise.all(Array.from({ length: Math.min(DETAILS_AT_ONCE, due.length) }, worker));
    },
  };

  function keyFacts(resource: string): KeyFacts | undefined {
    const record = ledger.record(resource);
    return record && !isConsumerRecord(record) ? record.facts : undefined;
  }

  function isDue(facts: KeyFacts): boolean {
    if (facts.detailKey !== service.keys?.detailKey?.(facts)) return true;
    const every = service.keys?.detailEveryMs;
    return every !== undefined && options.now() - (facts.detailedAt ?? 0) >= every;
  }
}

/** A fifth of the objects, and at least this many: fewer come and go every day. */
const SHRANK_AT_LEAST = 5;
/** For how long a listing that became short is worth an alert, ms: by then it is how things are. */
const SHRANK_FOR_MS = 24 * 3_600_000;

/** Whether a good listing suddenly lacks many objects, or still does since it first did. */
function shrunk(before: SourceRecord | undefined, objects: number, now: number): SourceRecord['shrank'] {
  const known = before?.shrank;
  if (known) {
    const back = known.from - objects < Math.max(SHRANK_AT_LEAST, known.from / 5);
    return back || now - known.at >= SHRANK_FOR_MS ? undefined : { ...known, to: objects };
  }
  const from = before?.objects;
  if (from === undefined || from - objects < Math.max(SHRANK_AT_LEAST, from / 5)) return undefined;
  return { from, to: objects, at: now };
}
