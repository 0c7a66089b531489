import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/interop/**', 'test/soak/**'],
    testTimeout: 20_000,
    // One core less is left idle by default, which is half of a small machine.
    maxWorkers: '100%',
    // Only these three are ever faked: the SDKs and SQLite live on the rest.
    fakeTimers: { toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] },
  },
});
