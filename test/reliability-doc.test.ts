/** The table of reliability: every row names a test that is there, and how to repeat it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { claimsIn, missing } from './claims.ts';
import { ROOT } from './lockfile.ts';

const DOCUMENT = readFileSync(join(ROOT, 'docs', 'reliability.md'), 'utf8');
const ROWS = DOCUMENT.split('\n').filter((line) => /^\| \d+ \|/.test(line));

it('has a row for each of the 27 tests, in order', () => {
  expect(ROWS.map((row) => Number(row.split('|')[1]))).toEqual(Array.from({ length: 27 }, (_, at) => at + 1));
});

it('names tests that are there', () => {
  expect(ROWS.flatMap(claimsIn).flatMap(missing)).toEqual([]);
  const without = ROWS.filter((row) => claimsIn(row).length === 0 && !row.includes('does not apply'));
  expect(without).toEqual([]);
});

it('names commands that there are', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: object };
  const named = [...DOCUMENT.matchAll(/`npm (?:run )?([a-z:]+)/g)].map(([, name]) => name);
  expect(named.length).toBeGreaterThan(5);
  expect(named.filter((name) => name !== undefined && !(name in scripts))).toEqual([]);
});
