import { defineConfig } from 'vitest/config';

/**
 * Files with a process of their own: whole daemons on a simulated clock, and those of libraries that look once a process
 * where they run. All others share theirs, which halves what they cost; nothing in `src` is global, so none can tell.
 */
const ALONE = [
  'test/e2e/**/*.test.ts',
  'test/providers/azure/connection.test.ts',
  'test/providers/*/identity*.test.ts',
];
const ELSEWHERE = ['test/interop/**', 'test/soak/**'];

export default defineConfig({
  test: {
    testTimeout: 20_000,
    // One core less is left idle by default, which is half of a small machine.
    maxWorkers: '100%',
    // Only these three are ever faked: the SDKs and SQLite live on the rest.
    fakeTimers: { toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] },
    projects: [
      { extends: true, test: { name: 'alone', include: ALONE } },
      {
        extends: true,
        test: { name: 'together', include: ['test/**/*.test.ts'], exclude: [...ELSEWHERE, ...ALONE], isolate: false },
      },
    ],
  },
});
