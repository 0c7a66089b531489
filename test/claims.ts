/** Documents that name tests: what they claim, and what of that is not there. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './lockfile.ts';

interface Claim {
  readonly file: string;
  /** Quoted titles behind the link, up to the next one. */
  readonly titles: readonly string[];
}

/** Links to tests, each with the titles that follow it. */
export function claimsIn(text: string): Claim[] {
  return [...text.matchAll(/\[(test\/[^\]]+)\]\(\.\.\/(test\/[^)]+)\)((?:,? "[^"|]+")*)/g)].map(
    ([, label = '', file = '', quoted = '']) => ({
      file: label === file ? file : `${label} is linked to ${file}`,
      titles: [...quoted.matchAll(/"([^"]+)"/g)].map((match) => match[1] ?? ''),
    }),
  );
}

/** What of a claim is not there. */
export function missing({ file, titles }: Claim): string[] {
  if (!existsSync(join(ROOT, file))) return [file];
  const text = readFileSync(join(ROOT, file), 'utf8');
  return titles.filter((title) => !text.includes(`'${title}'`)).map((title) => `${file}: ${title}`);
}
