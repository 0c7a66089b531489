/**
 * Changes on their way into the store. While the store fails, what it lacks is kept and offered again, and readers are
 * served from memory.
 */
import { type Store, StoreError } from '../store/store.ts';
import { type Draft, emptyDraft, isEmpty, merge, partsOf, toChange } from './draft.ts';

export interface SavingOptions {
  /** Absent for a look that keeps nothing. */
  readonly store: Store | undefined;
  /** The store began or ceased to fail. */
  onStore(error: unknown | undefined): void;
  /** A value that the store refuses: the rest goes on without it. */
  onError(error: unknown, where: string): void;
  /** These resources are written, with their newest looks. */
  onWritten(resources: Iterable<string>): void;
}

/** What the store lacks, and whether it failed when it was last offered. */
export interface Unsaved {
  readonly draft: Draft;
  readonly up: boolean;
}

export interface Saving {
  readonly up: boolean;
  readonly unsaved: Unsaved;
  /** Takes over what another one could not save. */
  adopt(unsaved: Unsaved): void;
  /**
   * Commits the draft and what was left over.
   * @param insists tries a failing store again; all that it lacks is offered at once, too much to do so at every change
   */
  settle(draft: Draft, insists: boolean): Promise<void>;
}

export function createSaving(options: SavingOptions): Saving {
  const { store } = options;
  let unsaved = emptyDraft();
  let up = true;

  /** One transaction; where the store refuses a value in it, the parts one by one, so that one record stops no other. */
  async function save(into: Store): Promise<void> {
    try {
      return await into.commit(toChange(unsaved));
    } catch (error) {
      if (!isRefused(error)) throw error;
    }
    for (const { change, settle: done } of partsOf(unsaved)) {
      try {
        await into.commit(change);
      } catch (error) {
        if (!isRefused(error)) throw error;
        options.onError(error, 'a change that the store refuses');
      }
      done();
    }
  }

  return {
    get up() {
      return up;
    },
    get unsaved() {
      return { draft: unsaved, up };
    },
    adopt(before) {
      merge(unsaved, before.draft);
      up = before.up;
    },
    async settle(draft, insists) {
      merge(unsaved, draft);
      if (!store || isEmpty(unsaved) || !(up || insists)) return;
      try {
        const written = [...unsaved.upserts.keys(), ...unsaved.consumerUpserts.keys()];
        await save(store);
        options.onWritten(written);
        unsaved = emptyDraft();
        if (!up) options.onStore(undefined);
        up = true;
      } catch (error) {
        if (up) options.onStore(error);
        up = false;
      }
    },
  };
}

function isRefused(error: unknown): boolean {
  return error instanceof StoreError && error.reason === 'rejected';
}
