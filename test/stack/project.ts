import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Project } from './compose.ts';

export const ROOT = join(import.meta.dirname, '..', '..');

/** Text of a file of the project. */
export function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

export const PROJECT: Project = {
  version: (JSON.parse(read('package.json')) as { version: string }).version,
  exists: (path) => existsSync(join(ROOT, path)),
  read,
};
