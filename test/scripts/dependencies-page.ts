import { lockedPackages, runtimePackages } from '../lockfile.ts';

const INTRODUCTION = `# Runtime dependencies

Generated from \`package-lock.json\` by \`npm run docs\`; edits here are lost. These packages run with keyvigil; those that only its
developers need are not installed with it. \`npm run sbom\` prints the same as CycloneDX, with hashes. [security.md](security.md) says how
they are chosen and checked.
`;

/** docs/dependencies.md as the lock file has it. */
export function dependenciesPage(): string {
  const runtime = runtimePackages(lockedPackages());
  const licenses = Map.groupBy(runtime, ({ license = 'none' }) => license);
  const counts = [...licenses]
    .sort((a, b) => b[1].length - a[1].length)
    .map(([name, { length }]) => `${length} ${name}`);
  const rows = runtime.map(({ name, version, license, direct }) => {
    return `| \`${name}\` | ${version} | ${license ?? 'none'} | ${direct ? 'direct' : ''} |`;
  });
  const sum = `${runtime.length} packages: ${counts.join(', ')}.\n`;
  return [INTRODUCTION, sum, '| package | version | licence | |', '|---|---|---|---|', ...rows, ''].join('\n');
}
