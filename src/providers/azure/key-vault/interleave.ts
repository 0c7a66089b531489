/**
 * What several sources yield, as it comes, with at most `atOnce` of them under way.
 * @throws what a source throws; the others are closed
 */
export async function* interleave<T>(
  sources: Iterable<AsyncGenerator<T, void>>,
  atOnce: number,
): AsyncGenerator<T, void> {
  const waiting = sources[Symbol.iterator]();
  const running = new Map<
    AsyncGenerator<T, void>,
    Promise<{ source: AsyncGenerator<T, void>; result: IteratorResult<T, void> }>
  >();

  function advance(source: AsyncGenerator<T, void>): void {
    const next = source.next().then((result) => ({ source, result }));
    // Whoever stops listening in between must not leave a rejection that nobody handles.
    next.catch(() => undefined);
    running.set(source, next);
  }
  function start(): void {
    const next = waiting.next();
    if (!next.done) advance(next.value);
  }

  try {
    for (let i = 0; i < atOnce; i++) start();
    while (running.size > 0) {
      const { source, result } = await Promise.race(running.values());
      if (result.done) {
        running.delete(source);
        start();
      } else {
        advance(source);
        yield result.value;
      }
    }
  } finally {
    await Promise.allSettled([...running.keys()].map((source) => source.return()));
  }
}
