/**
 * What we ship to run keyvigil with, judged by those who know: the compose schema, Kubernetes' own schemas, systemd, promtool,
 * npm, and moto for the profile that runs on it.
 */
import { execFile, spawn, spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { type Dashboard, expressions } from '../stack/dashboards.ts';
import { interopPython, promtool, ROOT, startMoto } from './tools.ts';

const run = promisify(execFile);
const TOOLS = join(ROOT, 'node_modules/.cache/keyvigil-interop');
const ANALYZE = 'systemd-analyze';
const MAX_OUTPUT = 16 * 1024 * 1024;

async function temporary(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'keyvigil-stack-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  return directory;
}

/** An npm package below node_modules/.cache. Nothing of it runs at its installation, and the lock file knows nothing of it. */
async function npmPackage(name: string, version: string): Promise<string> {
  const directory = join(TOOLS, `${name}-${version}`);
  await mkdir(directory, { recursive: true });
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-save', '--no-package-lock'];
  await run('npm', ['install', '--prefix', directory, ...flags, `${name}@${version}`], { maxBuffer: MAX_OUTPUT });
  return join(directory, 'node_modules');
}

type Validate = ((value: unknown) => boolean) & {
  readonly errors?: ReadonlyArray<{ readonly instancePath: string; readonly message?: string }> | null;
};
type Ajv = new (options: object) => { compile(schema: object): Validate; addFormat(name: string, format: true): void };

/** What the compose schema, as dclint carries it, has against a compose file: where, and what. */
async function composeErrors(): Promise<(text: string) => string[]> {
  const modules = await npmPackage('dclint', '3.1.0');
  const schema = JSON.parse(await readFile(join(modules, 'dclint/schemas/compose.schema.json'), 'utf8')) as {
    $schema?: string;
  };
  // Named by an address that nothing resolves; what the schema uses is the same in every draft since.
  delete schema.$schema;
  const { default: Ajv2020 } = createRequire(join(modules, 'dclint/package.json'))('ajv/dist/2020') as { default: Ajv };
  const ajv = new Ajv2020({ allErrors: true, strict: false });
  for (const format of ['ports', 'expose', 'duration', 'subnet_ip_address']) ajv.addFormat(format, true);
  const validate = ajv.compile(schema);
  return (text) => {
    if (validate(parse(text, { merge: true }))) return [];
    return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
  };
}

test('the compose files are what the compose schema takes, and a mistake is not', async () => {
  const errors = await composeErrors();
  const stack = await readFile(join(ROOT, 'docker-compose.yml'), 'utf8');
  expect(errors(stack)).toEqual([]);
  expect(errors(await readFile(join(ROOT, 'config/stack/own.yml'), 'utf8'))).toEqual([]);
  expect(errors(stack.replace('service_healthy', 'service_healthful')).join()).toContain('/depends_on');
  expect(errors(stack.replace('read_only: true', 'readonly: true')).join()).toContain('additional properties');
});

test("the manifests are what Kubernetes' own schemas take, and a mistake is not", async () => {
  const python = await interopPython();
  const target = join(TOOLS, 'kubernetes-validate-1.37.0');
  const env = { ...process.env, PYTHONPATH: target, PYTHONDONTWRITEBYTECODE: '1' };
  const imports = spawnSync(python, ['-c', 'import kubernetes_validate'], { env });
  if (imports.status !== 0) {
    const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--target', target];
    await run(python, [...install, 'kubernetes-validate==1.37.0'], { maxBuffer: MAX_OUTPUT });
  }
  const main = 'import sys; from kubernetes_validate.__main__ import main; sys.exit(main())';
  const validate = (...files: readonly string[]) => {
    const { status, stdout, stderr } = spawnSync(python, ['-c', main, '--strict', ...files], { encoding: 'utf8', env });
    return { status, said: stdout + stderr };
  };
  const base = join(ROOT, 'config/kubernetes/base');
  const files = (await readdir(base)).filter((file) => file !== 'kustomization.yaml').map((file) => join(base, file));
  const good = validate(...files);
  expect(good.status, good.said).toBe(0);
  expect(good.said.match(/passed for resource/g)?.length).toBe(files.length);

  const text = await readFile(join(base, 'statefulset.yaml'), 'utf8');
  const mistaken = join(await temporary(), 'statefulset.yaml');
  for (const [from, to] of [
    ['readOnlyRootFilesystem', 'readOnlyRootFileSystem'],
    ['replicas: 1', 'replicas: one'],
  ] as const) {
    await writeFile(mistaken, text.replace(from, to));
    expect(validate(mistaken).status, to).not.toBe(0);
  }
});

test('systemd takes the unit, and finds little that it could still do', async () => {
  if (spawnSync(ANALYZE, ['--version']).status !== 0) {
    throw new Error('the interop suite needs systemd-analyze on the PATH (Debian: apt-get install systemd)');
  }
  const directory = await temporary();
  const program = join(directory, 'keyvigil');
  await writeFile(program, '#!/bin/sh\n');
  await chmod(program, 0o755);
  const unit = join(directory, 'keyvigil.service');
  const text = (await readFile(join(ROOT, 'config/systemd/keyvigil.service'), 'utf8')).replace(
    '/usr/local/bin/keyvigil',
    program,
  );
  await writeFile(unit, text);
  const analyze = (...args: readonly string[]) => spawnSync(ANALYZE, [...args, unit], { encoding: 'utf8' });
  expect(analyze('verify', '--man=no')).toMatchObject({ status: 0, stderr: '' });
  // Tenths; its scale ends at 100, where a service without any of this is at 96.
  expect(analyze('security', '--offline=true', '--threshold=15').status).toBe(0);

  await writeFile(unit, text.replace('ProtectSystem=', 'ProtectSytem='));
  expect(analyze('verify', '--man=no').stderr).toContain('ProtectSytem');
  await writeFile(unit, text.replace(/^(Protect|Private|SystemCall|Restrict|Capability).*$/gm, ''));
  expect(analyze('security', '--offline=true', '--threshold=15').status).not.toBe(0);
});

test('promtool can read every expression of the dashboards', async () => {
  const directory = join(ROOT, 'config/grafana/dashboards');
  const dashboards = await Promise.all(
    (await readdir(directory)).map(
      async (file) => JSON.parse(await readFile(join(directory, file), 'utf8')) as Dashboard,
    ),
  );
  const rules = dashboards
    .flatMap(expressions)
    .map((expr, at) => ({ record: `dashboard:query:${at}`, expr: expr.replaceAll('$__rate_interval', '5m') }));
  const file = join(await temporary(), 'rules.yml');
  // JSON is YAML.
  await writeFile(file, JSON.stringify({ groups: [{ name: 'dashboards', rules }] }));
  const checked = spawnSync(await promtool(), ['check', 'rules', file], { encoding: 'utf8' });
  expect(checked.status, checked.stderr).toBe(0);
  expect(checked.stdout).toContain(`${rules.length} rules found`);
});

test('what npm packs is what runs and what is read, and nothing else', async () => {
  const { stdout } = await run('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: ROOT,
    maxBuffer: MAX_OUTPUT,
  });
  const packed = JSON.parse(stdout) as unknown;
  const [first] = Array.isArray(packed) ? packed : Object.values(packed as object);
  const files = (first as { readonly files: ReadonlyArray<{ readonly path: string }> }).files.map(({ path }) => path);
  const allowed = /^(bin|dist|config|docs)\/|^(README\.md|LICENSE|CHANGELOG\.md|SECURITY\.md|package\.json)$/;
  expect(files.filter((file) => !allowed.test(file))).toEqual([]);
  expect(files.filter((file) => /\.(db|pem|key|env|test\.[jt]s|ts)$|\.env/.test(file))).toEqual([]);
  // What only the compose file mounts is not part of an installation.
  expect(files.filter((file) => file.startsWith('config/stack/'))).toEqual([]);
  expect(files).toEqual(
    expect.arrayContaining([
      'bin/keyvigil.js',
      'config/demo.yaml',
      'config/grafana/dashboards/keyvigil-overview.json',
      'config/kubernetes/base/statefulset.yaml',
      'config/prometheus/rules/keyvigil.yml',
      'config/systemd/keyvigil.service',
      'docs/metrics.md',
    ]),
  );
});

test('the profile aws-moto: the seed can be sown twice, and keyvigil sees its incident and the end of it', async () => {
  await using moto = await startMoto();
  const directory = await temporary();
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: directory,
    AWS_ACCESS_KEY_ID: 'moto',
    AWS_SECRET_ACCESS_KEY: 'moto',
    AWS_EC2_METADATA_DISABLED: 'true',
    KEYVIGIL_MOTO_URL: moto.url,
    KEYVIGIL_LISTEN: '127.0.0.1:0',
    KEYVIGIL_STATE: join(directory, 'keyvigil.db'),
    KEYVIGIL_ALERTMANAGER_URL: 'http://127.0.0.1:9',
    KEYVIGIL_EXTERNAL_URL: 'http://localhost:10540',
  };
  const story = join(ROOT, 'config/stack/moto.mjs');
  expect((await run(process.execPath, [story, 'seed'], { env })).stdout.match(/made the secret/g)?.length).toBe(5);
  expect((await run(process.execPath, [story, 'seed'], { env })).stdout).toBe('');

  const once = () => {
    const args = ['src/main.ts', 'once', '--output', 'json', '--config.file', 'config/stack/moto.yaml'];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, env, encoding: 'utf8' });
    expect(stdout, stderr).not.toBe('');
    const { keys } = JSON.parse(stdout) as {
      readonly keys: ReadonlyArray<{ readonly name: string; readonly health: string }>;
    };
    return { status, lost: keys.filter(({ health }) => health === 'inaccessible').map(({ name }) => name) };
  };
  expect(once()).toEqual({ status: 0, lost: [] });
  const incident = spawn(process.execPath, [story, 'incident'], { env: { ...env, MOTO_INCIDENT_SECONDS: '600' } });
  onTestFinished(() => void incident.kill());
  await new Promise((resolve) => incident.stdout.once('data', resolve));
  const during = once();
  expect(during.status).toBe(3);
  expect(during.lost.toSorted()).toEqual([
    'alias/payments',
    'prod/payments/api-token',
    'prod/payments/db',
    'prod/payments/webhook-signing',
  ]);
  await run(process.execPath, [story, 'incident'], { env: { ...env, MOTO_INCIDENT_SECONDS: '0' } });
  expect(once()).toEqual({ status: 0, lost: [] });
});
