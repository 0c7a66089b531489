import { expect, it } from 'vitest';
import { readMutants } from '../config/mutants.ts';

it('a hundred thousand configurations that went wrong', async () => {
  expect((await readMutants(100_000, 20_261_123)).mutants).toBe(100_000);
});
