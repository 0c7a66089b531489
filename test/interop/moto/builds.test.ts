/** CodeBuild projects with every form of a reference, on moto, each test in a region of its own. See cloud.ts for its gaps. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Cloud, startCloud } from './cloud.ts';
import { type Daemon, eventually, startDaemon, target } from './daemon.ts';

let cloud: Cloud;
beforeAll(async () => {
  cloud = await startCloud();
});
afterAll(() => cloud?.[Symbol.asyncDispose]());

function daemonIn(region: string): Promise<Daemon> {
  const yaml = ', services: { secrets-manager: {}, kms: {}, codebuild: {} }';
  return startDaemon(cloud, { targets: target('prod', cloud.url, { regions: [region], yaml }) });
}

function variables(...values: readonly string[]) {
  const environmentVariables = values.map((value, at) => ({
    name: `V${at}`,
    value,
    type: 'SECRETS_MANAGER' as const,
  }));
  return { environment: { environmentVariables } };
}

/** Names of the projects by their health. */
async function byHealth(daemon: Daemon): Promise<Record<string, string[]>> {
  const healths: Record<string, string[]> = {};
  for (const { name, health } of await daemon.consumers()) healths[health] = [...(healths[health] ?? []), name].sort();
  return healths;
}

test.concurrent('every form of a reference leads to the secret, whose deletion impairs exactly those projects', async () => {
  const region = await cloud.region('eu-west-1');
  const arn = await region.createSecret('prod/db');
  const partial = arn.replace(/-\w{6}$/, '');
  const version = await region.putValue('prod/db');
  await region.createSecret('prod/other');
  const buildspec = 'version: 0.2\nenv:\n  secrets-manager:\n    A: prod/db:key\nphases: {}\n';
  const forms = {
    name: variables('prod/db'),
    'name-key': variables('prod/db:password'),
    'name-stage': variables('prod/db::AWSCURRENT'),
    'name-version': variables(`prod/db:::${version}`),
    partial: variables(partial),
    'partial-key': variables(`${partial}:password::`),
    full: variables(arn),
    'full-stage': variables(`${arn}:password:AWSPREVIOUS`),
    'full-version': variables(`${arn}:::${version}`),
    several: variables('prod/other', arn),
    registry: {
      environment: { registryCredential: { credential: 'prod/db', credentialProvider: 'SECRETS_MANAGER' as const } },
    },
    buildspec: { buildspec },
    'buildspec-json': { buildspec: JSON.stringify({ env: { 'secrets-manager': { A: arn } } }) },
  };
  for (const [name, project] of Object.entries(forms)) await region.createProject(name, project);
  await region.createProject('other', variables('prod/other'));
  await region.createProject('none');
  await using daemon = await daemonIn('eu-west-1');
  const users = Object.keys(forms).sort();
  await eventually(async () => expect(await byHealth(daemon)).toEqual({ ok: [...users, 'none', 'other'].sort() }));
  expect((await daemon.key('prod/db')).consumers).toBe(users.length);

  await region.deleteSecret('prod/db');
  await eventually(async () => expect(await byHealth(daemon)).toEqual({ impaired: users, ok: ['none', 'other'] }));
  for (const { health, reason, rootCauses } of await daemon.consumers()) {
    if (health === 'impaired')
      expect({ reason, rootCauses }).toEqual({ reason: 'key_inaccessible', rootCauses: [arn] });
  }
  await region.restoreSecret('prod/db');
  await eventually(async () => expect(await byHealth(daemon)).toEqual({ ok: [...users, 'none', 'other'].sort() }));
});

test.concurrent('a pinned version from which the secret moved on is drift', async () => {
  const region = await cloud.region('eu-central-1');
  await region.createSecret('prod/db');
  const version = await region.putValue('prod/db');
  const resource = await region.createProject('pinned', variables(`prod/db:::${version}`));
  await using daemon = await daemonIn('eu-central-1');
  const severity = async () => {
    const [project] = await daemon.consumers();
    return project?.findings.find(({ id }) => id === 'codebuild.pinned-version')?.severity;
  };
  await eventually(async () => expect(await severity()).toBe('info'));
  await region.putValue('prod/db');
  await eventually(async () => expect(await severity()).toBe('warning'));
  const outdated = (await daemon.metrics()).value('keyvigil_consumer_outdated_since_timestamp_seconds', { resource });
  expect(outdated).toBeGreaterThan(0);
});

test.concurrent('a project that is deleted ends, and 120 of them come on two pages', async () => {
  const region = await cloud.region('us-east-1');
  for (let at = 0; at < 120; at += 1) await region.createProject(`p${at}`);
  await using daemon = await daemonIn('us-east-1');
  await eventually(async () => expect(await daemon.consumers()).toHaveLength(120));
  await region.deleteProject('p7');
  await eventually(async () => expect((await daemon.consumers()).map(({ name }) => name)).not.toContain('p7'));
  expect(await daemon.consumers()).toHaveLength(119);
});

test.concurrent('plaintext of a project is in nothing that the daemon shows', async () => {
  const region = await cloud.region('us-west-2');
  const canary = 'CANARY-m0t0';
  await region.createProject('web', {
    buildspec: `version: 0.2\nenv:\n  variables: { A: ${canary} }\n  secrets-manager: { B: "prod/db:${canary}" }\n`,
    environment: {
      environmentVariables: [
        { name: 'PLAIN', value: canary, type: 'PLAINTEXT' },
        { name: 'CODEBUILD_KMS_KEY', value: canary, type: 'PLAINTEXT' },
        { name: 'PARAMETER', value: canary, type: 'PARAMETER_STORE' },
      ],
    },
  });
  await using daemon = await daemonIn('us-west-2');
  await eventually(async () => expect(await daemon.consumers()).toHaveLength(1));
  await daemon.sweeps(2);
  const texts = await daemon.texts();
  expect(texts).toContain('buildspec variable B');
  expect(texts).not.toContain(canary);
});
