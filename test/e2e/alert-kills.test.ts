import { describe, it } from 'vitest';
import { killSenders } from './alert-kills.ts';

describe('kills between the commit of what must be told and that of its acknowledgement', () => {
  it('lose nothing, and repeat each thing once at most, under the same key and in the same words', {
    timeout: 120_000,
  }, async () => {
    await killSenders(40);
  });
});
