import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const ROOT = new URL('../../../', import.meta.url);
const RULES = new URL('src/providers/azure/media-services/', ROOT);

it('names in its documentation every rule that there is, and no other', () => {
  const sources = readdirSync(RULES).map((file) => readFileSync(new URL(file, RULES), 'utf8'));
  const rules = sources.flatMap((text) => [...text.matchAll(/id: '(media-services\.[a-z-]+)'/g)].map(([, id]) => id));
  const page = readFileSync(new URL('docs/azure-media-services.md', ROOT), 'utf8');
  const told = [...page.matchAll(/^\| `(media-services\.[a-z-]+)` \|/gm)].map(([, id]) => id);
  expect(told.toSorted()).toEqual([...new Set(rules)].sort());
});
