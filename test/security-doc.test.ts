/** The threat model: every claim names a test, and that test is there. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { claimsIn, missing } from './claims.ts';
import { ROOT } from './lockfile.ts';

const DOCUMENT = readFileSync(join(ROOT, 'docs', 'security.md'), 'utf8');

describe('docs/security.md', () => {
  it('names tests that are there', () => {
    const claims = claimsIn(DOCUMENT);
    expect(claims.length).toBeGreaterThan(40);
    expect(claims.flatMap(missing)).toEqual([]);
  });

  it('has a test for every row of its claims', () => {
    const tables = DOCUMENT.split(/\n\n/).filter((block) => /^\| (claim|identity|output) \| held by \|\n/.test(block));
    expect(tables.length).toBeGreaterThan(7);
    const rows = tables.flatMap((table) => table.trim().split('\n').slice(2));
    expect(rows.filter((row) => claimsIn(row).length === 0)).toEqual([]);
  });

  it.each(['SECURITY.md', 'docs/security.md'])('%s leads to files that are there, and to no host', (file) => {
    const text = readFileSync(join(ROOT, file), 'utf8');
    const links = [...text.matchAll(/\]\(([^)#]+)/g)].map((match) => match[1] ?? '');
    expect(links.filter((to) => !existsSync(join(ROOT, file, '..', to)))).toEqual([]);
    expect(text).not.toMatch(/https?:\/\//);
  });
});

describe('a claim', () => {
  it.each([
    ['[test/none.test.ts](../test/none.test.ts)', 'test/none.test.ts'],
    ['[test/lockfile.test.ts](../test/lockfile.test.ts) "no such title"', 'test/lockfile.test.ts: no such title'],
    ['[test/a.test.ts](../test/lockfile.test.ts)', 'test/a.test.ts is linked to test/lockfile.test.ts'],
  ])('that cannot be held is found: %s', (text, expected) => {
    expect(claimsIn(text).flatMap(missing)).toEqual([expected]);
  });
});
