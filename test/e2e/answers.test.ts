import { expect, it } from 'vitest';
import { changeAnswers } from './answers.ts';

/** Two hundred rounds are part of `npm run soak`. */
it('answers with fields that are missing, of other types, unknown, huge or doubled: nothing throws, nothing dead is well', {
  timeout: 180_000,
}, async () => {
  // How many depends on which looks were postponed; that there were any must hold.
  expect((await changeAnswers(9)).answers).toBeGreaterThan(100);
});
