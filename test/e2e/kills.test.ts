import { expect, it } from 'vitest';
import { killDaemons } from './kills.ts';

it('six daemons killed -9 at any moment of looking and writing: the file is whole, and nothing acknowledged is gone', {
  timeout: 180_000,
}, async () => {
  expect(await killDaemons(6)).toMatchObject({ kills: 6, intact: 6, lost: 0 });
});
