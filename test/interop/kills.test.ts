import { expect, it } from 'vitest';
import { killDaemons } from '../e2e/kills.ts';

/** Two hundred are part of `npm run soak`. */
it('forty daemons killed -9: every file whole, nothing acknowledged gone, ready again within two seconds of work', {
  timeout: 600_000,
}, async () => {
  const figures = await killDaemons(40, 40);
  expect(figures).toMatchObject({ kills: 40, intact: 40, lost: 0 });
  expect(figures.readyCpuSeconds).toBeLessThan(2);
});
