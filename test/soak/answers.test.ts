import { expect, it } from 'vitest';
import { changeAnswers } from '../e2e/answers.ts';

it('answers of two clouds changed at random for two hundred rounds', async () => {
  expect((await changeAnswers(200, 2026)).rounds).toBe(200);
});
