import { expect, it } from 'vitest';
import { killDaemons } from '../e2e/kills.ts';

it('two hundred daemons killed -9: every file whole, nothing acknowledged gone, ready again within two seconds of work', async () => {
  const figures = await killDaemons(200);
  expect(figures).toMatchObject({ kills: 200, intact: 200, lost: 0 });
  expect(figures.readyCpuSeconds).toBeLessThan(2);
});
