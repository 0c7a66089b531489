/** What is published, installed and run as a user does: from the packed tarball, with the locked runtime dependencies alone. */
import { execFile, spawn } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { lockedPackages, runtimePackages } from '../lockfile.ts';
import { ROOT } from './tools.ts';

const exec = promisify(execFile);
let directory: string;
let installed: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'keyvigil-package-'));
  installed = join(directory, 'keyvigil');
  await mkdir(installed);
  const { stdout } = await exec('npm', ['pack', '--json', '--pack-destination', directory], {
    cwd: ROOT,
    maxBuffer: 2 ** 26,
  });
  // The build that comes before it writes to the same place.
  const [{ filename }] = JSON.parse(stdout.slice(stdout.indexOf('[\n')));
  await exec('tar', ['-xzf', join(directory, filename), '--strip-components=1', '-C', installed]);
  await copyFile(join(ROOT, 'package-lock.json'), join(installed, 'package-lock.json'));
  await exec('npm', ['ci', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: installed });
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const keyvigil = (...args: readonly string[]) =>
  exec(process.execPath, [join(installed, 'bin', 'keyvigil.js'), ...args], { cwd: directory });

it('is installed with what the lock file says runs with it, and with nothing else', async () => {
  const found: string[] = [];
  for (const name of await readdir(join(installed, 'node_modules'))) {
    if (name.startsWith('.')) continue;
    const scoped = name.startsWith('@') ? await readdir(join(installed, 'node_modules', name)) : [undefined];
    found.push(...scoped.map((part) => (part === undefined ? name : `${name}/${part}`)));
  }
  const top = runtimePackages(lockedPackages()).filter(({ path, name }) => path === `node_modules/${name}`);
  expect(found.sort()).toEqual(top.map(({ name }) => name).sort());
});

it('says how it is used, from its main file and from its command', async () => {
  const main = await exec(process.execPath, [join(installed, 'dist', 'main.js'), '--help']);
  expect(main.stdout).toContain('keyvigil serve --config.file keyvigil.yml');
  const { version } = lockedPackages()[''] ?? {};
  expect((await keyvigil('version')).stdout).toBe(`keyvigil ${version}\n`);
  expect(JSON.parse((await keyvigil('schema')).stdout)).toHaveProperty('properties.targets');
});

it('checks its own example', async () => {
  const example = join(installed, 'config', 'demo.yaml');
  const env = {
    PATH: process.env.PATH,
    KEYVIGIL_DEMO_LISTEN: '127.0.0.1:0',
    KEYVIGIL_DEMO_STATE: join(directory, 'x.db'),
  };
  const more = {
    KEYVIGIL_DEMO_AWS: 'http://127.0.0.1:1',
    KEYVIGIL_DEMO_SUBSCRIPTION: '00000000-0000-0000-0000-000000000001',
  };
  const main = join(installed, 'bin', 'keyvigil.js');
  const ca = { KEYVIGIL_DEMO_CA: join(installed, 'LICENSE') };
  const checked = await exec(process.execPath, [main, 'check-config', '--config.file', example], {
    env: { ...env, ...more, ...ca },
  });
  expect(checked.stdout).toContain('secrets-manager');
});

it('runs the demo on the clouds that it brings along, serves its runbooks, and ends when it is told to', async () => {
  const demo = spawn(process.execPath, [join(installed, 'bin', 'keyvigil.js'), 'demo', '--listen', '127.0.0.1:0'], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => demo.once('close', resolve));
  try {
    const url = await new Promise<string>((resolve, reject) => {
      let text = '';
      const read = (chunk: Buffer) => {
        text += chunk;
        const found = /http:\/\/127\.0\.0\.1:\d+/.exec(text);
        if (found) resolve(found[0]);
      };
      demo.stdout.on('data', read);
      demo.stderr.on('data', read);
      ended.then(() => reject(new Error(`it ended: ${text}`)));
    });
    const runbook = await fetch(`${url}/runbooks/KeyvigilKeyInaccessible.md`);
    expect([runbook.status, (await runbook.text()).includes('KeyvigilKeyInaccessible')]).toEqual([200, true]);
    expect((await fetch(`${url}/metrics`)).status).toBe(200);
  } finally {
    demo.kill('SIGTERM');
  }
  expect(await ended).toBe(0);
});
