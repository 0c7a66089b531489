import { expect, it } from 'vitest';
import { killDaemons } from '../e2e/kills.ts';

/** Two state files side by side: half of a life is waiting for the moment of its kill. */
const SEEDS = [20_261_122, 20_261_123];

it('two hundred daemons killed -9: every file whole, nothing acknowledged gone, ready again within two seconds of work', {
  timeout: 3_600_000,
}, async () => {
  for (const figures of await Promise.all(SEEDS.map((seed) => killDaemons(100, seed)))) {
    expect(figures).toMatchObject({ kills: 100, intact: 100, lost: 0 });
    expect(figures.readyCpuSeconds).toBeLessThan(2);
  }
});
