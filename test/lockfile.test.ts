import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ALLOWED_LICENSES, lockedPackages, ROOT, runtimePackages } from './lockfile.ts';

const packages = lockedPackages();
const runtime = runtimePackages(packages);
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

describe('the lock file', () => {
  it('locks every platform package, or npm ci fails on machines that npm install did not see', () => {
    const missing: string[] = [];
    for (const [path, { optionalDependencies = {} }] of Object.entries(packages)) {
      for (const name of Object.keys(optionalDependencies)) {
        if (!packages[`node_modules/${name}`] && !packages[`${path}/node_modules/${name}`]) missing.push(name);
      }
    }
    expect(missing).toEqual([]);
  });

  it('names no host of a registry', () => {
    expect(Object.values(packages).filter(({ resolved }) => resolved !== undefined)).toEqual([]);
  });

  it('is of this very manifest', () => {
    const { dependencies, devDependencies } = manifest;
    expect(packages['']).toMatchObject({ version: manifest.version, dependencies, devDependencies });
  });

  it('pins every direct dependency exactly', () => {
    const ranges = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });
    expect(ranges.filter(([, range]) => !/^\d+\.\d+\.\d+$/.test(String(range)))).toEqual([]);
  });

  it('has the hash of every package, but of tools for other machines than those it was made on', () => {
    const strong = (integrity = '') => /^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity);
    const without = Object.entries(packages).filter(([path, { integrity }]) => path !== '' && !strong(integrity));
    for (const [path, locked] of without) expect(locked, path).toMatchObject({ dev: true, optional: true });
    expect(runtime.filter(({ integrity }) => !strong(integrity))).toEqual([]);
  });
});

describe('a package that is installed', () => {
  it('runs no script then, but the one that brings Node along, which is allowed by name', () => {
    const scripted = Object.entries(packages).filter(([, { hasInstallScript }]) => hasInstallScript);
    expect(scripted.map(([path, { dev }]) => [path, dev])).toEqual([['node_modules/node', true]]);
    expect(manifest.allowScripts).toEqual({ node: true });
  });

  it('and keyvigil itself runs none either', () => {
    const atInstall = ['preinstall', 'install', 'postinstall', 'prepare', 'dependencies'];
    expect(atInstall.filter((name) => name in manifest.scripts)).toEqual([]);
  });
});

describe('what runs with keyvigil', () => {
  it('has a licence that asks for no more than to be named', () => {
    expect(runtime.length).toBeGreaterThan(50);
    expect(runtime.filter(({ license }) => !ALLOWED_LICENSES.has(license ?? '')).map(({ path }) => path)).toEqual([]);
  });

  it('has the licence and the version that the lock file says', () => {
    const installed = runtime.filter(({ path }) => existsSync(join(ROOT, path, 'package.json')));
    expect(installed.length).toBe(runtime.length);
    for (const { path, version, license } of installed) {
      const own = JSON.parse(readFileSync(join(ROOT, path, 'package.json'), 'utf8'));
      expect([path, own.version, own.license]).toEqual([path, version, license]);
    }
  });

  it('is nothing that only tests may use: the evaluator of policies is under the AGPL', () => {
    const agpl = Object.entries(packages).filter(([, { license = '' }]) => /GPL/.test(license));
    expect(agpl.map(([path]) => path)).toContain('node_modules/@cloud-copilot/iam-simulate');
    for (const [path, { dev }] of agpl) expect([path, dev]).toEqual([path, true]);
  });
});
