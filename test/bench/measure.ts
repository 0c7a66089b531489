/** What the benchmarks measure with. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { BenchRow } from './row.ts';

/** Calls under way at once, ours and those of the bare loops. */
export const AT_ONCE = 16;

/** What one piece of work took of this process. */
export interface Measured {
  /** User and system, ms. */
  readonly cpu: number;
  /** Longest block of the event loop, ms. */
  readonly block: number;
}

export async function measured(work: () => Promise<unknown>): Promise<Measured> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  delay.disable();
  return { cpu: (user + system) / 1000, block: delay.max / 1e6 };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Median cpu, ms. */
export function cpu(all: readonly Measured[]): number {
  return median(all.map((one) => one.cpu));
}

/** Median of the longest blocks, ms. */
export function block(all: readonly Measured[]): number {
  return median(all.map((one) => one.block));
}

/** Runs `work` for each item, `atOnce` of them at a time. */
export async function inParallel<T>(
  items: readonly T[],
  work: (item: T) => Promise<unknown>,
  atOnce = AT_ONCE,
): Promise<void> {
  let next = 0;
  const worker = async () => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

/** A line; with `bound`, the value may be at most that. */
export function row(goal: string, name: string, value: number, unit: string, bound?: number): BenchRow {
  return bound === undefined ? { goal, name, value, unit } : { goal, name, value, unit, bound, holds: value <= bound };
}
