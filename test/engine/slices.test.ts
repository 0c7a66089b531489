import { expect, test } from 'vitest';
import { inSlices } from '../../src/engine/slices.ts';

test('much work lets others have their turn in between, and is done to its end', async () => {
  let done = 0;
  let turns = 0;
  let stopped = false;
  const others = () => {
    turns += 1;
    if (!stopped) setImmediate(others);
  };
  setImmediate(others);
  function* work() {
    for (let step = 0; step < 5; step += 1) {
      const until = performance.now() + 10;
      while (performance.now() < until);
      done += 1;
      yield;
    }
  }
  await inSlices(work());
  stopped = true;
  expect([done, turns >= 5]).toEqual([5, true]);
});

test('little work is done before anybody else has a turn', async () => {
  let turns = 0;
  const other = setImmediate(() => {
    turns += 1;
  });
  await inSlices([1, 2, 3]);
  expect(turns).toBe(0);
  clearImmediate(other);
});
