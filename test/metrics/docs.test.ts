import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { TABLE } from '../../src/metrics/table.ts';
import { PAGES, type Page, stalePages, writePages } from '../scripts/generate-docs.ts';

async function directory(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'keyvigil-docs-'));
  onTestFinished(() => rm(root, { recursive: true }));
  await mkdir(join(root, 'docs'));
  return root;
}

test('the checker finds a page that is missing, one that drifted, and nothing else', async () => {
  const root = await directory();
  const pages: Page[] = ['a', 'b', 'c'].map((name) => ({ file: `docs/${name}.md`, render: () => `# ${name}\n` }));
  expect(await stalePages(root, pages)).toEqual(['docs/a.md', 'docs/b.md', 'docs/c.md']);
  await writePages(root, pages);
  expect(await stalePages(root, pages)).toEqual([]);
  await writeFile(join(root, 'docs/b.md'), '# b \n');
  await rm(join(root, 'docs/c.md'));
  expect(await stalePages(root, pages)).toEqual(['docs/b.md', 'docs/c.md']);
});

test('a metric that is renamed in the docs only is found', async () => {
  const root = await directory();
  await writePages(root, PAGES);
  const file = join(root, 'docs/metrics.md');
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace('`keyvigil_key_accessible`', '`keyvigil_key_usable`'));
  expect(await stalePages(root, PAGES)).toEqual(['docs/metrics.md']);
});

test('every metric of the table has exactly one line', () => {
  const page = PAGES.find(({ file }) => file === 'docs/metrics.md')?.render() ?? '';
  const documented = [...page.matchAll(/^\| `(\w+)` \|/gm)].map((match) => match[1]);
  expect(documented.sort()).toEqual(TABLE.map(({ name }) => name).sort());
});

test('the docs of this checkout say what the code says', async () => {
  expect(await stalePages(join(import.meta.dirname, '../..'), PAGES)).toEqual([]);
});
