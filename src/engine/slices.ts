import { setImmediate } from 'node:timers/promises';

/** Others that wait for the event loop wait no longer than this for much work at once, ms. */
const SLICE_MS = 8;

/** Goes through the steps of `work` and lets others have their turn in between. */
export async function inSlices(work: Iterable<unknown>): Promise<void> {
  let began = performance.now();
  for (const _ of work) {
    if (performance.now() - began < SLICE_MS) continue;
    await setImmediate();
    began = performance.now();
  }
}
