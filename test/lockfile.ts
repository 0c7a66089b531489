/** package-lock.json, as tests and generated pages read it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** An entry of the lock file. */
export interface Locked {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly hasInstallScript?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** By path; '' is the project itself. */
export type LockedPackages = Readonly<Record<string, Locked>>;

/** A package that runs with keyvigil. */
export interface RuntimePackage extends Locked {
  readonly path: string;
  readonly name: string;
  readonly version: string;
  /** Whether keyvigil names it itself. */
  readonly direct: boolean;
}

export const ROOT = join(import.meta.dirname, '..');

export function lockedPackages(): LockedPackages {
  return JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).packages;
}

/** What is installed with keyvigil, by path. What only its developers need is not. */
export function runtimePackages(packages: LockedPackages): RuntimePackage[] {
  const direct = packages['']?.dependencies ?? {};
  return Object.entries(packages)
    .filter(([path, { dev }]) => path !== '' && dev !== true)
    .map(([path, locked]) => {
      const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
      const isDirect = path === `node_modules/${name}` && name in direct;
      return { ...locked, path, name, version: locked.version ?? '', direct: isDirect };
    })
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Licences that ask for no more than to be named. Whatever else a package has is looked at by a person first. */
export const ALLOWED_LICENSES: ReadonlySet<string> = new Set([
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'ISC',
  'MIT',
]);
