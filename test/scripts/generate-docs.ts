/**
 * Writes the files of docs/ and config/ that follow from code. `--check` writes nothing and fails when one of them differs.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DASHBOARD_PAGES } from './dashboards/index.ts';
import { dependenciesPage } from './dependencies-page.ts';
import { metricsPage } from './metrics-page.ts';
import { prometheusRule } from './prometheus-rule.ts';
import { rulesPage } from './rules-page.ts';

/** A generated page: its path below the root of the project, and its whole text. */
export interface Page {
  readonly file: string;
  render(): string;
}

export const PAGES: readonly Page[] = [
  { file: 'docs/metrics.md', render: metricsPage },
  { file: 'docs/rules.md', render: rulesPage },
  { file: 'docs/dependencies.md', render: dependenciesPage },
  ...DASHBOARD_PAGES,
  { file: 'config/kubernetes/prometheus-operator/prometheusrule.yaml', render: prometheusRule },
];

/** Paths of the pages below `root` that are missing or differ from what code says. */
export async function stalePages(root: string, pages: readonly Page[]): Promise<string[]> {
  const stale: string[] = [];
  for (const { file, render } of pages) {
    const text = await readFile(join(root, file), 'utf8').catch(() => undefined);
    if (text !== render()) stale.push(file);
  }
  return stale;
}

/** Writes every page below `root`. */
export async function writePages(root: string, pages: readonly Page[]): Promise<void> {
  for (const { file, render } of pages) {
    await mkdir(dirname(join(root, file)), { recursive: true });
    await writeFile(join(root, file), render());
  }
}

if (import.meta.main) {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  if (process.argv.includes('--check')) {
    const stale = await stalePages(root, PAGES);
    for (const file of stale) console.error(`${file} differs from the code: run \`npm run docs\``);
    if (stale.length > 0) process.exitCode = 1;
  } else {
    await writePages(root, PAGES);
  }
}
