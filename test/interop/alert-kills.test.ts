/** As in `test/e2e`, as often as it takes to be sure: minutes, where that suite has seconds. */
import { describe, it } from 'vitest';
import { killSenders } from '../e2e/alert-kills.ts';

describe('200 kills between the commit of what must be told and that of its acknowledgement', () => {
  it('lose nothing, and repeat each thing once at most, under the same key and in the same words', {
    timeout: 400_000,
  }, async () => {
    await killSenders(200);
  });
});
