/** The loop of the daemon: every source on its schedule, suspects again within seconds, what time changes on a tick. */
import type { Logger } from 'node-cron';
import { sourceKey } from '../core/model.ts';
import type { Ledger, Suspect } from './apply.ts';
import { sleep } from './deadline.ts';
import { offsetOf, type Schedule, startSchedule } from './schedule.ts';
import type { Source } from './source.ts';

/** A suspect is looked at again after this long; together with the look itself that stays under ten seconds. */
const SUSPECT_DELAY_MS = 5_000;
const TICK_MS = 10_000;
/** A source that cannot even finish a first attempt does not keep the daemon from being ready for ever. */
const READY_AFTER_MS = 120_000;

export interface ScheduledSource {
  readonly source: Source;
  readonly expression: string;
  readonly timezone: string;
  readonly intervalMs: number;
  readonly pauseMs: number;
}

export interface Engine extends AsyncDisposable {
  /** Sweeps every source now, or looks at one key. Resolves when it is under way. */
  check(resource?: string): Promise<{ started: number }>;
  /** Looks at resources that an error named, in whatever source knows them. */
  named(resources: readonly string[]): void;
  ready(): { readonly ready: boolean; readonly reason: string };
}

export interface EngineOptions {
  readonly sources: readonly ScheduledSource[];
  readonly ledger: Ledger;
  readonly logger: Logger;
  /** Milliseconds that never jump. */
  monotonic(): number;
  /** A bug: everything expected is a value by now. */
  onError(error: unknown, where: string): void;
}

export function startEngine(options: EngineOptions): Engine {
  const { ledger } = options;
  const stop = new AbortController();
  const { signal } = stop;
  const background = new Set<Promise<void>>();
  const attempted = new Set<string>();
  const startedAt = options.monotonic();
  const runners = options.sources.map((scheduled) => start(scheduled));

  interface Runner {
    readonly source: Source;
    readonly schedule: Schedule;
    suspect(resources: readonly string[], delayMs: number): void;
  }

  /** Runs something beside the sweeps; disposing waits for it. An abort is its normal end. */
  function spawn(where: string, work: () => Promise<void>): void {
    const run = work()
      .catch((error: unknown) => {
        if (!signal.aborted) options.onError(error, where);
      })
      .finally(() => background.delete(run));
    background.add(run);
  }

  function start(scheduled: ScheduledSource): Runner {
    const { source } = scheduled;
    const where = sourceKey(source.id);
    const waiting = new Set<string>();
    let detailing = false;

    function suspect(resources: readonly string[], delayMs: number): void {
      const fresh = resources.filter((resource) => !waiting.has(resource));
      if (fresh.length === 0) return;
      for (const resource of fresh) waiting.add(resource);
      spawn(where, async () => {
        await sleep(delayMs, signal);
        for (const resource of fresh) waiting.delete(resource);
        follow(await source.lookAt(fresh, signal));
      });
    }

    function follow(suspects: readonly Suspect[]): void {
      suspect([...new Set(suspects.map((one) => one.resource))], SUSPECT_DELAY_MS);
    }

    async function run(runSignal: AbortSignal): Promise<void> {
      try {
        follow(await source.sweep(runSignal));
      } catch (error) {
        if (!runSignal.aborted) options.onError(error, where);
      }
      attempted.add(where);
      if (detailing || runSignal.aborted) return;
      detailing = true;
      spawn(where, () =>
        source.details(signal).finally(() => {
          detailing = false;
        }),
      );
    }

    const offsetMs = offsetOf(where, scheduled.intervalMs);
    const { expression, timezone, intervalMs, pauseMs } = scheduled;
    return {
      source,
      suspect,
      schedule: startSchedule({ expression, timezone, offsetMs, intervalMs, pauseMs, logger: options.logger }, run),
    };
  }

  function runnersOf(resource: string): Runner[] {
    const record = ledger.record(resource);
    if (!record) return [];
    const by = new Set(record.witnesses.map(sourceKey));
    return runners.filter((runner) => by.has(sourceKey(runner.source.id)));
  }

  spawn('tick', async () => {
    for (;;) {
      await sleep(TICK_MS, signal);
      // One rule that throws must not end all forgetting, judging and writing for good.
      await ledger.tick().catch((error: unknown) => options.onError(error, 'tick'));
    }
  });

  return {
    async check(resource) {
      if (resource === undefined) {
        for (const { schedule } of runners) void schedule.trigger();
        return { started: runners.length };
      }
      const found = runnersOf(resource);
      for (const runner of found) runner.suspect([resource], 0);
      return { started: found.length };
    },

    named(resources) {
      for (const resource of resources) {
        for (const runner of runnersOf(resource)) runner.suspect([resource], 0);
      }
    },

    ready() {
      const waiting = options.sources.filter(({ source }) => !attempted.has(sourceKey(source.id)));
      if (waiting.length === 0) return { ready: true, reason: 'every source finished its first attempt' };
      if (options.monotonic() - startedAt >= READY_AFTER_MS) {
        return { ready: true, reason: `started 2 minutes ago; still waiting for ${waiting.length} sources` };
      }
      const names = waiting.slice(0, 5).map(({ source }) => sourceKey(source.id));
      return { ready: false, reason: `waiting for the first attempt of ${names.join(', ')}` };
    },

    async [Symbol.asyncDispose]() {
      stop.abort(new Error('stopped'));
      await Promise.all(runners.map((runner) => runner.schedule[Symbol.asyncDispose]()));
      await Promise.all(background);
    },
  };
}
