/** Since when the clock of this machine can be trusted to tell how much time has passed. */

const BEAT_MS = 5_000;
/** Less than this is a busy machine, or a time server at its usual work, ms: no alert waits for so short a time. */
const TOLERANCE_MS = 30_000;

export interface Steady extends Disposable {
  /**
   * Since when (ms, on the clock as it is now) this process has been running with a clock that nobody set; a machine that slept
   * counts as one whose clock was set. What happened before cannot be told from now by subtraction.
   */
  since(): number;
}

/** Watches the clock `now` (ms since the epoch) by timers, which do not care what it says, until it is disposed of. */
export function watchClock(now: () => number): Steady {
  let since = now();
  let seenAt = since;

  function look(): void {
    const at = now();
    if (at < seenAt - TOLERANCE_MS || at > seenAt + BEAT_MS + TOLERANCE_MS) since = at;
    seenAt = at;
  }

  const timer = setInterval(look, BEAT_MS);
  return {
    since() {
      look();
      return since;
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
