import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchesAny } from '../../src/core/glob.ts';

describe('a glob', () => {
  it.each([
    ['prod/*', 'prod/db', true],
    ['prod/*', 'prod/', true],
    ['prod/*', 'prod/a/b/c', true],
    ['prod/*', 'preprod/db', false],
    ['*', '', true],
    ['', '', true],
    ['', 'a', false],
    ['?', '', false],
    ['?', '/', true],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['*/db', 'prod/eu/db', true],
    ['*a*b', 'xaxbxab', true],
    ['*a*b', 'xaxbxac', false],
    ['**', 'anything', true],
    ['Prod/*', 'prod/db', false],
    ['[a].(b)+', '[a].(b)+', true],
    ['[ab]', 'a', false],
    ['a*', 'a\nb', true],
  ])('%j matches %j: %j', (glob, text, expected) => {
    expect(matchesAny([glob], text)).toBe(expected);
  });

  it('means the same as the regular expression that it stands for', () => {
    const small = fc.string({ unit: fc.constantFrom('a', 'b', '/', '*', '?'), maxLength: 8 });
    fc.assert(
      fc.property(small, fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 10 }), (glob, text) => {
        const pattern = glob.replaceAll('*', '[^]*').replaceAll('?', '[^]').replaceAll('/', '\\/');
        expect(matchesAny([glob], text)).toBe(new RegExp(`^(?:${pattern})$`).test(text));
      }),
      { seed: 20260101, numRuns: 2_000 },
    );
  });

  it('ends on a pattern and a name that would stall a backtracking matcher', () => {
    expect(matchesAny([`${'a*'.repeat(500)}b`], 'a'.repeat(5_000))).toBe(false);
  });
});

it('any glob may match any name', () => {
  expect(matchesAny(['x', 'prod/*'], 'other', 'prod/db')).toBe(true);
  expect(matchesAny(['x', 'prod/*'], 'other', 'test/db')).toBe(false);
  expect(matchesAny([], 'prod/db')).toBe(false);
  expect(matchesAny(['*'])).toBe(false);
});
