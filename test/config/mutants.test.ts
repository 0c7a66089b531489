import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/load.ts';
import { SERVICES } from '../../src/providers/index.ts';
import { readMutants } from './mutants.ts';

/** 100,000 are read by `npm run soak`. */
it('two thousand configurations that went wrong: none crashes, each is valid or told by line and column, none takes a second', {
  timeout: 120_000,
}, async () => {
  expect((await readMutants(2_000)).mutants).toBe(2_000);
});

describe('a pattern of inaccessibleStatus', () => {
  const messages = (pattern: string) =>
    parseConfig(
      `targets: [{ name: a, provider: azure, subscription: 00000000-0000-0000-0000-000000000000, services: { media-services: { inaccessibleStatus: '${pattern}' } } }]`,
      'keyvigil.yml',
      { env: {}, services: SERVICES },
    ).issues.map(({ message }) => message);

  it.each([
    '(a+)+$',
    '(a|a)*b',
    '(?:a*)*c',
    '^(([a-z])+.)+[A-Z]',
    'a?a?a?a?aaaa',
    '.*.*.*x',
    '(.{1,9}){1,9}',
    '(a)\\1+',
  ])('that could stall whoever reads a status is refused: %s', (pattern) => {
    expect(messages(pattern)).toEqual([expect.stringMatching(/inaccessibleStatus: expected .* at most two/)]);
  });

  it.each([
    'inaccessible|denied',
    '^in.*able$',
    'key (is )?gone'.replace('(is )?', 'is '),
    'a\\+b',
    '[+*]{2}',
    'fail.*key|key.*fail',
  ])('that cannot is taken: %s', (pattern) => {
    expect(messages(pattern)).toEqual([]);
  });
});
