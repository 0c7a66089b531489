/** What policy simulation costs those who use it. Pure. */
import type { Pace } from '../../provider.ts';
import { perSweep } from '../../steady.ts';

/**
 * Calls of one sweep for so many consumers, nothing where simulation is off. An answer that is no longer good is asked for again
 * by the next look.
 */
export function simulationCalls(consumers: number, { intervalMs, services }: Pace): Readonly<Record<string, number>> {
  const every = services.iam?.every;
  if (typeof every !== 'number') return {};
  const asked = consumers * perSweep(every, intervalMs);
  return { GetRole: asked, SimulatePrincipalPolicy: asked, GetResourcePolicy: asked };
}

export const SIMULATION_ASSUMES = 'With `iam` on, every consumer uses one secret through one role of its own.';
