/** What was asked, for as long as it is good: bounded, one question under way at a time for each key. */
import type { Allowance } from './words.ts';

/** A remembered value, and when it was had (ms). */
export interface Remembered<T> {
  readonly value: T;
  readonly at: number;
}

export interface Memory<T> {
  /**
   * The value of `key`, asked for if it is not known or no longer good. Put off, and thus old or undefined, when the look has
   * nothing left to ask or enough others are asking.
   * @throws what `ask` throws, if this very call asked
   */
  recall(key: string, allowance: Allowance, ask: () => Promise<T>): Promise<Remembered<T> | undefined>;
}

export interface MemoryOptions<T> {
  /** How many values are kept; the one that was asked for the longest ago goes first. */
  readonly size: number;
  /** How many questions may be under way at once. */
  readonly atOnce: number;
  /** How long a value is good, ms. */
  freshMs(value: T): number;
  /** ms */
  now(): number;
}

export function createMemory<T>({ size, atOnce, freshMs, now }: MemoryOptions<T>): Memory<T> {
  const known = new Map<string, Remembered<T>>();
  const underway = new Map<string, Promise<void>>();

  async function run(key: string, ask: () => Promise<T>): Promise<void> {
    const value = await ask();
    // Anew at the end: a map keeps the order of insertion, and the first is the oldest.
    known.delete(key);
    known.set(key, { value, at: now() });
    const [oldest] = known.keys();
    if (known.size > size && oldest !== undefined) known.delete(oldest);
  }

  return {
    async recall(key, allowance, ask) {
      const remembered = known.get(key);
      const age = remembered && now() - remembered.at;
      // A clock that was set back must not keep an answer for ever.
      if (remembered && age !== undefined && age >= 0 && age < freshMs(remembered.value)) return remembered;
      const asked = underway.get(key);
      if (asked) {
        // Whoever asked is told of a failure.
        await asked.catch(() => {});
        return known.get(key);
      }
      if (allowance.left <= 0 || underway.size >= atOnce) return remembered;
      allowance.left -= 1;
      const asking = run(key, ask).finally(() => underway.delete(key));
      underway.set(key, asking);
      await asking;
      return known.get(key);
    },
  };
}
