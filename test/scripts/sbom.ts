/**
 * Prints the bill of materials of keyvigil as CycloneDX: what npm makes of the lock file, without what only developers need.
 * `npm sbom --omit=dev` is not it: it also leaves out what developers and keyvigil both need.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { ROOT } from '../lockfile.ts';

interface Bill {
  readonly metadata: { readonly component: { name: string; readonly 'bom-ref': string } };
  components: ReadonlyArray<{
    readonly 'bom-ref': string;
    readonly properties?: ReadonlyArray<{ readonly name: string; readonly value: string }>;
  }>;
  dependencies: ReadonlyArray<{ readonly ref: string; readonly dependsOn: readonly string[] }>;
}

/** Takes out of a bill what npm marks as needed by developers alone, and names the project as its manifest does. */
export function runtimeBill(bill: Bill, name: string): Bill {
  const components = bill.components.filter(
    ({ properties = [] }) => !properties.some((one) => one.name === 'cdx:npm:package:development'),
  );
  const kept = new Set([bill.metadata.component['bom-ref'], ...components.map((one) => one['bom-ref'])]);
  const dependencies = bill.dependencies
    .filter(({ ref }) => kept.has(ref))
    .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((one) => kept.has(one)) }));
  // npm takes the name of the directory.
  const metadata = { ...bill.metadata, component: { ...bill.metadata.component, name } };
  return { ...bill, metadata, components, dependencies };
}

if (import.meta.main) {
  const arguments_ = ['sbom', '--package-lock-only', '--sbom-format=cyclonedx', '--sbom-type=application'];
  const stdio = ['ignore', 'pipe', 'inherit'] as const;
  const text = execFileSync('npm', arguments_, {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    stdio: [...stdio],
  });
  const { name } = JSON.parse(readFileSync(`${ROOT}/package.json`, 'utf8'));
  process.stdout.write(`${JSON.stringify(runtimeBill(JSON.parse(text), name), null, 2)}\n`);
}
