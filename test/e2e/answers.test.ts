import { expect, it } from 'vitest';
import { changeAnswers } from './answers.ts';

/** Two hundred rounds are part of `npm run soak`. How many answers are asked for in a round is up to the looks that wait. */
it('answers with fields that are missing, of other types, unknown, huge or doubled: nothing throws, nothing dead is well', {
  timeout: 180_000,
}, async () => {
  expect((await changeAnswers(14)).answers).toBeGreaterThan(300);
});
