/** `keyvigil once` as a process of its own, on moto: what it prints and how it ends. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { freePort, ROOT } from '../tools.ts';
import { ACCOUNT, type Cloud, REGION, startCloud } from './cloud.ts';
import { configFor, type DaemonOptions, ENV, target } from './daemon.ts';

let cloud: Cloud;
beforeAll(async () => {
  cloud = await startCloud();
});
afterEach(() => cloud.reset());
afterAll(() => cloud?.[Symbol.asyncDispose]());

async function once(options: DaemonOptions, output: 'json' | 'text' = 'json') {
  await using config = await configFor(cloud, options);
  const args = [join(ROOT, 'src/main.ts'), 'once', '--config.file', config.file, '--output', output];
  const child = spawn(process.execPath, args, { env: ENV, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const [code, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  return { code, stdout, stderr };
}

/** Nobody listens there. */
async function nowhere(): Promise<string> {
  return `http://127.0.0.1:${await freePort()}`;
}

test('ends with 0 when all is accessible, and prints the JSON of the contract and nothing else', async () => {
  const region = await cloud.region();
  const key = await region.createKey('alias/app');
  const resource = await region.createSecret('prod/app', key.arn);
  const { code, stdout, stderr } = await once({});
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const told = JSON.parse(stdout);
  const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  const place = { provider: 'aws', account: ACCOUNT, location: REGION, targets: ['prod'], tags: {} };
  const well = { health: 'accessible', since: TIME, rootCauses: [], findings: [], checkedAt: TIME };
  expect(told).toEqual({
    keys: [
      { resource: key.arn, kind: 'aws-kms-key', name: 'alias/app', ...place, ...well, consumers: 1 },
      {
        resource,
        kind: 'aws-secret',
        name: 'prod/app',
        ...place,
        ...well,
        version: expect.stringMatching(/^[0-9a-f-]{36}$/),
        versionCreatedAt: TIME,
        consumers: 0,
      },
    ],
    consumers: [],
    sources: ['kms', 'secrets-manager'].map((service) => ({
      target: 'prod',
      location: REGION,
      service,
      up: true,
      lastSuccessAt: TIME,
      objects: 1,
    })),
  });
  expect((await once({}, 'text')).stdout).toContain('prod/app');
});

test('ends with 3 when a key is inaccessible, also when something else is unknown', async () => {
  const region = await cloud.region();
  const key = await region.createKey('alias/app');
  await region.createSecret('prod/app', key.arn);
  await region.disable(key);
  const lost = await once({});
  expect(lost.code).toBe(3);
  const { keys } = JSON.parse(lost.stdout);
  expect(keys).toMatchObject([
    { resource: key.arn, health: 'inaccessible', reason: 'disabled' },
    { name: 'prod/app', health: 'inaccessible', reason: 'dependency', rootCauses: [key.arn] },
  ]);
  const targets = [target('prod', cloud.url), target('gone', await nowhere())].join('\n');
  expect((await once({ targets })).code).toBe(3);
});

test('ends with 4 when a source cannot be read, and with 1 when none can', async () => {
  await (await cloud.region()).createSecret('prod/app');
  const gone = target('gone', await nowhere());
  const partly = await once({ targets: [target('prod', cloud.url), gone].join('\n') });
  expect(partly.code).toBe(4);
  const { keys, sources } = JSON.parse(partly.stdout);
  expect(keys).toMatchObject([{ name: 'prod/app', health: 'accessible' }]);
  const ofGone = (sources as Array<{ target: string }>).filter((source) => source.target === 'gone');
  expect(ofGone).toMatchObject([
    { up: false, reason: 'network' },
    { up: false, reason: 'network' },
  ]);

  const nothing = await once({ targets: gone });
  expect(nothing.code).toBe(1);
  expect(JSON.parse(nothing.stdout)).toMatchObject({ keys: [], sources: [{ up: false }, { up: false }] });
});
