/**
 * Which state of an object a read sees: the newest, the one before its last change, or the one of a moment in the past (ms).
 * Clouds answer older states while a change spreads.
 */
export type View = 'latest' | 'previous' | { readonly asOf: number };

type Entry<T> = { readonly bornAt: number; readonly states: { readonly at: number; readonly value: T | undefined }[] };

/** How many states of one object are kept for reads of the past. */
const KEPT = 32;

/**
 * Objects by id, each with its recent past. Values are immutable: a change puts a new value, which is what makes reads of
 * the past cheap. Ids keep the order in which they first came.
 */
export class Table<T> {
  readonly #entries = new Map<string, Entry<T>>();

  /** The object as `view` sees it, or undefined when it does not exist there. */
  get(id: string, view: View = 'latest'): T | undefined {
    const entry = this.#entries.get(id);
    if (!entry) return undefined;
    const { states } = entry;
    if (view === 'latest') return states.at(-1)?.value;
    if (view === 'previous') return states.at(-2)?.value;
    if (view.asOf < entry.bornAt) return undefined;
    return (states.findLast((state) => state.at <= view.asOf) ?? states[0])?.value;
  }

  /** Stores `value` (undefined: the object is gone) as the state from `at` (ms) on. */
  put(id: string, value: T | undefined, at: number): void {
    const entry = this.#entries.get(id);
    if (!entry) {
      this.#entries.set(id, { bornAt: at, states: [{ at, value }] });
      return;
    }
    entry.states.push({ at, value });
    if (entry.states.length > KEPT) entry.states.shift();
  }

  /** Replaces the newest state without leaving a trace in the past; nothing happens when there is no such object. */
  amend(id: string, value: T): void {
    const states = this.#entries.get(id)?.states;
    const last = states?.at(-1);
    if (states && last) states[states.length - 1] = { at: last.at, value };
  }

  /** Every id that was ever stored, those of objects that are gone included. */
  ids(): IterableIterator<string> {
    return this.#entries.keys();
  }
}
