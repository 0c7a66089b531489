import { defineConfig } from 'vitest/config';

/** Runs of weeks on a simulated clock, and of minutes on the real one: not part of `npm test`. */
export default defineConfig({
  test: {
    include: ['test/soak/**/*.test.ts'],
    testTimeout: 3_600_000,
    fileParallelism: false,
    execArgv: ['--expose-gc'],
    fakeTimers: { toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] },
  },
});
