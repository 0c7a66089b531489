/** What is published: exactly what it takes to run, and a bill of all that it is made of. */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { importsOf } from './architecture.ts';
import { lockedPackages, ROOT, runtimePackages } from './lockfile.ts';

const run = promisify(execFile);
const NPM_MS = 60_000;

async function npm(...args: readonly string[]): Promise<string> {
  const { stdout } = await run('npm', [...args], { cwd: ROOT, maxBuffer: 64 * 1024 * 1024 });
  return stdout;
}

interface Packed {
  readonly files: ReadonlyArray<{ readonly path: string; readonly size: number }>;
}

/** All that may be in the package. */
const ALLOWED: readonly RegExp[] = [
  /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|SECURITY\.md)$/,
  /^bin\/keyvigil\.js$/,
  /^dist\/([a-z-]+\/)*[a-z-]+\.js$/,
  /^config\/(demo|keyvigil\.example)\.yaml$/,
  /^config\/(alertmanager|grafana|kubernetes|prometheus|systemd|iam)\/([a-z-]+\/)*[a-z-]+\.(ya?ml|json|service)$/,
  /^docs\/([a-z]+\/)?[A-Za-z0-9-]+\.md$/,
  /^docs\/[a-z-]+\.png$/,
];

function isAllowed(path: string): boolean {
  return ALLOWED.some((one) => one.test(path)) && !/(^|\/)(tests?|fixtures|stack)(\/|$)/.test(path);
}

describe('the package', () => {
  it(
    'holds what it takes to run, and nothing else',
    async () => {
      const [packed] = JSON.parse(await npm('pack', '--dry-run', '--json', '--ignore-scripts')) as Packed[];
      const paths = packed?.files.map(({ path }) => path) ?? [];
      expect(paths.filter((path) => !isAllowed(path))).toEqual([]);
      const needed = ['bin/keyvigil.js', 'config/demo.yaml', 'LICENSE', 'SECURITY.md', 'docs/security.md'];
      const runbooks = readdirSync(join(ROOT, 'docs', 'runbooks')).map((name) => `docs/runbooks/${name}`);
      expect(paths).toEqual(expect.arrayContaining([...needed, ...runbooks]));
    },
    NPM_MS,
  );

  it.each([
    'test/package.test.ts',
    'src/main.ts',
    'dist/main.ts',
    'dist/test/x.js',
    'dist/main.js.map',
    'config/stack/moto.mjs',
    'config/prometheus/tests/keys.yml',
    '.env',
    'config/keyvigil.db',
    'keyvigil-0.1.0.tgz',
    'docs/.DS_Store',
    'node_modules/zod/index.js',
  ])('would be refused with %s', (path) => {
    expect(isAllowed(path)).toBe(false);
  });

  it('holds of the embedded clouds what the demo runs, and nothing else', () => {
    const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map((path) => join('src', path));
    const reached = new Set<string>();
    // Threads are started by the path of their file.
    const waiting = ['src/main.ts', 'src/store/thread.ts', 'src/web/bcrypt-thread.ts'];
    for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
      if (reached.has(path)) continue;
      reached.add(path);
      for (const specifier of importsOf(readFileSync(join(ROOT, path), 'utf8'))) {
        if (specifier.startsWith('.')) waiting.push(normalize(join(dirname(path), specifier)));
      }
    }
    const embedded = sources.filter((path) => path.startsWith('src/sandbox/'));
    expect(embedded.length).toBeGreaterThan(20);
    expect(embedded.filter((path) => !reached.has(path))).toEqual([]);
  });

  it('imports nothing but Node and what is installed with it', () => {
    const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const foreign = new Set<string>();
    for (const path of readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })) {
      if (!path.endsWith('.ts')) continue;
      for (const specifier of importsOf(readFileSync(join(ROOT, 'src', path), 'utf8'))) {
        const name = specifier.startsWith('@') ? specifier.split('/').slice(0, 2).join('/') : specifier.split('/')[0];
        if (/^(\.|node:)/.test(specifier) || (name ?? '') in dependencies) continue;
        foreign.add(specifier);
      }
    }
    expect([...foreign]).toEqual([]);
  });
});

describe('the bill of materials', () => {
  interface Component {
    readonly purl: string;
    readonly licenses: ReadonlyArray<{ readonly license?: { readonly id?: string }; readonly expression?: string }>;
    readonly hashes: ReadonlyArray<{ readonly alg: string; readonly content: string }>;
  }

  it(
    'names every package that runs with keyvigil, with its hash and licence, and none that does not',
    async () => {
      const bill = JSON.parse(await npm('run', '--silent', 'sbom')) as {
        readonly bomFormat: string;
        readonly metadata: { readonly component: { readonly name: string; readonly purl: string } };
        readonly dependencies: ReadonlyArray<{ readonly ref: string; readonly dependsOn: readonly string[] }>;
        readonly components: readonly Component[];
      };
      expect(bill.bomFormat).toBe('CycloneDX');
      expect(bill.metadata.component.name).toBe('keyvigil');
      expect(bill.metadata.component.purl).toMatch(/^pkg:npm\/keyvigil@\d/);
      const billed = bill.components.map(({ purl, licenses, hashes }) => [
        decodeURIComponent(purl),
        licenses[0]?.license?.id ?? licenses[0]?.expression,
        ...hashes.map(({ alg, content }) => `${alg} ${content}`),
      ]);
      const locked = runtimePackages(lockedPackages()).map(({ name, version, license, integrity = '' }) => [
        `pkg:npm/${name}@${version}`,
        license,
        `SHA-512 ${Buffer.from(integrity.replace('sha512-', ''), 'base64').toString('hex')}`,
      ]);
      const text = (rows: unknown[][]) => [...new Set(rows.map((row) => row.join(' ')))].sort();
      expect(text(billed)).toEqual(text(locked));
      // Who needs whom: nothing points to what is not there.
      const known = new Set(bill.dependencies.map(({ ref }) => ref));
      expect(bill.dependencies.flatMap(({ dependsOn }) => dependsOn).filter((ref) => !known.has(ref))).toEqual([]);
      expect(JSON.stringify(bill)).not.toContain('iam-simulate');
    },
    NPM_MS,
  );
});

it('the documents that the package points to are there', () => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const links = [...readme.matchAll(/\]\((?!https?:)([^)#\s]+)/g)].map((match) => match[1] ?? '');
  expect(links.length).toBeGreaterThan(3);
  expect(links.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});
