/** A deadline that passed: says which one. */
export class DeadlineExceeded extends Error {
  /** @param ms the deadline, milliseconds */
  constructor(what: string, ms: number) {
    super(`${what} did not end within ${ms} ms`);
    this.name = 'DeadlineExceeded';
  }
}

/**
 * Runs `work` and settles within `ms` milliseconds, whatever `work` does with the signal: a body that stalls for ever does
 * not keep the caller. `setTimeout` rather than `AbortSignal.timeout`, which test runners cannot fake.
 * @throws DeadlineExceeded when the time is up; the reason of `signal` when that aborts first; else what `work` throws.
 */
export async function withDeadline<T>(
  what: string,
  ms: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const control = new AbortController();
  const cut = Promise.withResolvers<never>();
  const abort = (reason: unknown) => {
    control.abort(reason);
    cut.reject(reason);
  };
  const forward = () => abort(signal.reason);
  const timer = setTimeout(() => abort(new DeadlineExceeded(what, ms)), ms);
  signal.addEventListener('abort', forward, { once: true });
  try {
    return await Promise.race([work(control.signal), cut.promise]);
  } catch (error) {
    // An SDK answers an abort with its own error, which does not say why: the reason does.
    throw control.signal.aborted ? control.signal.reason : error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', forward);
    cut.promise.catch(() => undefined);
  }
}

/** Waits `ms` milliseconds. @throws the reason of `signal` as soon as that aborts. */
export async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const done = Promise.withResolvers<void>();
  const abort = () => done.reject(signal.reason);
  const timer = setTimeout(done.resolve, ms);
  signal.addEventListener('abort', abort, { once: true });
  try {
    await done.promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
  }
}
