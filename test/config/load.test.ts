import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { SecretSource } from '../../src/config/config.ts';
import { loadConfig, parseConfig, policyOf, redacted, scheduleOf } from '../../src/config/load.ts';
import { SERVICES } from '../../src/providers/index.ts';
import { configOf, ENV, goodDirectory, TARGETS } from './files.ts';

const OPTIONS = { env: ENV, services: SERVICES };
const DAY = 86_400_000;

describe('a configuration', () => {
  it('needs nothing but targets: everything else has the defaults of the design', () => {
    expect(JSON.parse(JSON.stringify(configOf(TARGETS)))).toEqual({
      file: '/etc/keyvigil/keyvigil.yml',
      listen: { host: '127.0.0.1', port: 10539 },
      state: '/etc/keyvigil/keyvigil.db',
      schedule: '0 * * * * *',
      timezone: 'UTC',
      targets: [
        {
          name: 'a',
          provider: 'aws',
          regions: ['eu-west-1'],
          services: {
            'secrets-manager': { include: ['*'], exclude: [], access: 'metadata' },
            kms: { discover: 'all' },
            mediaconnect: { include: ['*'], exclude: [] },
            speke: { probe: true },
            codebuild: { include: ['*'], exclude: [], builds: false },
          },
        },
      ],
      policy: {
        confirmations: { inaccessible: 2, accessible: 2, blind: 3 },
        describeEvery: 15 * 60_000,
        expiryWarning: 30 * DAY,
        staleAfter: 5 * 60_000,
        forgetAfter: 7 * DAY,
        alertHold: 3_600_000,
        critical: [],
        rules: {},
      },
      labels: [],
      receivers: [],
      budget: 0.2,
      outbound: {},
      retention: { events: 90 * DAY },
      log: { level: 'info', format: 'json' },
      web: { allowUnauthenticated: false },
    });
  });

  it('can set everything that the design has', async () => {
    await using directory = await goodDirectory();
    const { config } = await loadConfig(join(directory.path, 'full.yaml'), OPTIONS);
    expect(config).toMatchObject({
      listen: { host: '::1', port: 0 },
      state: join(directory.path, 'state/keyvigil.db'),
      labels: ['team', 'cost:center', 'service'],
      heartbeat: { every: 30_000 },
      outbound: { proxy: 'env', caFile: join(directory.path, 'minimal.yaml') },
      web: { configFile: join(directory.path, 'web.yml'), allowUnauthenticated: true },
    });
    expect(config.targets[0]).toMatchObject({ externalId: 'from-the-environment', profile: 'video' });
    expect(Object.keys(config.targets[0]?.services ?? {})).toEqual([
      'secrets-manager',
      'kms',
      'mediaconnect',
      'codebuild',
      'iam',
    ]);
    expect(config.targets[1]).toMatchObject({
      cloud: 'government',
      services: { 'key-vault': { vaults: ['https://contoso.vault.azure.net'] }, 'media-services': {} },
    });
    expect(config.receivers.map(({ name, type }) => [name, type])).toEqual([
      ['oncall', 'alertmanager'],
      ['chat', 'slack'],
      ['pager', 'pagerduty'],
      ['hook', 'webhook'],
    ]);
  });

  it('lets PagerDuty be of another service region', () => {
    const { receivers } = configOf(
      `${TARGETS}\nreceivers: [{ name: pager, pagerduty: { routingKey: k, url: "https://events.eu.pagerduty.com/v2/enqueue" } }]`,
    );
    expect(receivers[0]?.options.url).toBe('https://events.eu.pagerduty.com/v2/enqueue');
  });

  it('ships an example that is valid and warns of nothing', async () => {
    const { warnings } = await loadConfig(join(import.meta.dirname, '../../config/keyvigil.example.yaml'), OPTIONS);
    expect(warnings).toEqual([]);
  });

  it('gives a target without services all but the opt-in ones', () => {
    const { targets } = configOf(
      `${TARGETS.replace(/]\s*$/, '')}, { name: b, provider: azure, subscription: 00000000-0000-0000-0000-000000000000 }]`,
    );
    expect(targets.map(({ services }) => Object.keys(services))).toEqual([
      ['secrets-manager', 'kms', 'mediaconnect', 'speke', 'codebuild'],
      ['key-vault', 'media-services'],
    ]);
  });

  it('gives policy simulation to those alone who ask for it, and never by itself', () => {
    const [target] = configOf(
      'targets: [{ name: a, provider: aws, regions: [eu-west-1], services: { kms: {}, iam: {} } }]',
    ).targets;
    expect(target?.services.iam).toEqual({ every: 3_600_000 });
    const parsed = (services: string) =>
      parseConfig(
        `targets: [{ name: a, provider: aws, regions: [eu-west-1], services: ${services} }]`,
        '/k.yml',
        OPTIONS,
      ).issues.map(({ message }) => message);
    expect(parsed('{ iam: {} }')).toEqual([
      'targets[0].services: only "iam" watches nothing: name the services that it helps too',
    ]);
    expect(parsed('{ kms: {}, iam: { schedule: "@daily" } }')[0]).toContain('schedule');
    expect(parsed('{ kms: {}, iam: { every: 0s } }')[0]).toContain('between 1s and 3650d');
  });

  it('takes the schedule and the time zone that are set nearest to a service', async () => {
    await using directory = await goodDirectory();
    const { config } = await loadConfig(join(directory.path, 'full.yaml'), OPTIONS);
    const [aws, azure] = config.targets;
    expect(aws && scheduleOf(config, aws, 'kms')).toEqual({ schedule: '0 0 * * * *', timezone: 'UTC' });
    expect(aws && scheduleOf(config, aws, 'codebuild')).toEqual({
      schedule: '0 */5 * * * *',
      timezone: 'America/New_York',
    });
    expect(azure && scheduleOf(config, azure, 'key-vault')).toEqual({
      schedule: '*/30 * * * * *',
      timezone: 'Europe/Berlin',
    });
  });

  it('hands the core its policy in milliseconds', () => {
    expect(policyOf(configOf(`${TARGETS}policy: { staleAfter: 90s, critical: ["prod/*"] }`))).toEqual({
      confirmations: { inaccessible: 2, accessible: 2, blind: 3 },
      describeEveryMs: 15 * 60_000,
      expiryWarningMs: 30 * DAY,
      staleAfterMs: 90_000,
      forgetAfterMs: 7 * DAY,
      critical: ['prod/*'],
      rules: {},
    });
  });
});

describe('secrets', () => {
  function secretsOf(receivers: readonly { readonly options: Readonly<Record<string, unknown>> }[]) {
    const all = receivers.flatMap(({ options }) => Object.values(options));
    return all.filter((value) => !Array.isArray(value)) as SecretSource[];
  }

  it('are read from where they are, without the line end of a file', async () => {
    await using directory = await goodDirectory();
    const { config } = await loadConfig(join(directory.path, 'full.yaml'), OPTIONS);
    expect(await Promise.all(secretsOf(config.receivers).map((secret) => secret.read()))).toEqual([
      'https://hooks.slack.com/services/s3cret-canary',
      'from-a-file',
      'https://example.com/hook?token=s3cret-canary',
      's3cret-canary-env',
    ]);
  });

  it('are read anew from their file, and a file that is gone or empty is named', async () => {
    await using directory = await goodDirectory();
    const { config } = await loadConfig(join(directory.path, 'full.yaml'), OPTIONS);
    const pager = config.receivers[2]?.options.routingKey as SecretSource;
    const file = join(directory.path, 'secret');
    await writeFile(file, 'rotated\r\n');
    expect(await pager.read()).toBe('rotated');
    await writeFile(file, '\n');
    await expect(pager.read()).rejects.toThrow(`the secret file ${file} is empty`);
    await rm(file);
    await expect(pager.read()).rejects.toThrow(`cannot read the secret file ${file}`);
  });

  it('print as <secret> however they are printed', async () => {
    await using directory = await goodDirectory();
    const { config, warnings } = await loadConfig(join(directory.path, 'full.yaml'), OPTIONS);
    const secrets = secretsOf(config.receivers);
    for (const secret of secrets) {
      expect([String(secret), JSON.stringify(secret), inspect(secret, { depth: 9, showHidden: true })]).toEqual([
        '<secret>',
        '"<secret>"',
        '<secret>',
      ]);
    }
    const printed = JSON.stringify([redacted(config), warnings]);
    expect(printed).not.toContain('canary');
    expect(redacted(config)).toMatchObject({
      receivers: [{ options: { urls: ['http://<secret>@127.0.0.1:9093/'] } }, { options: { url: '<secret>' } }, {}, {}],
      heartbeat: { url: 'https://example.com/<secret>' },
      web: { externalUrl: 'https://keyvigil.example.com/' },
    });
  });

  it('are warned of where they stand in the configuration, but not where the environment gives them', async () => {
    await using directory = await goodDirectory();
    const { warnings } = await loadConfig(join(directory.path, 'full.yaml'), OPTIONS);
    expect(warnings).toEqual([
      `${join(directory.path, 'full.yaml')}:44:28: receivers[1].slack.url: a secret stands in this file: keep it in a file of its own (urlFile), or in the environment`,
    ]);
  });

  it('are warned of where other users can read their file', async () => {
    await using directory = await goodDirectory();
    await directory.write('open', 'secret', 0o640);
    const receivers = 'receivers: [{ name: a, slack: { urlFile: open } }]\n';
    const file = await directory.write('keyvigil.yml', `${TARGETS}${receivers}`);
    const { warnings } = await loadConfig(file, OPTIONS);
    expect(warnings).toEqual([
      `${file}:2:42: receivers[0].slack.urlFile: other users can read this secret: chmod 600 the file`,
    ]);
  });
});

describe('a file that cannot be read', () => {
  it('is refused in plain words', async () => {
    await using directory = await goodDirectory();
    const { path } = directory;
    const load = (file: string) => loadConfig(file, OPTIONS);
    const nowhere = join(path, 'nowhere.yml');
    await expect(load(nowhere)).rejects.toThrow(
      `${nowhere}:1:1: the configuration cannot be read: there is no such file`,
    );
    await mkdir(join(path, 'directory'));
    await expect(load(join(path, 'directory'))).rejects.toThrow('the configuration cannot be read: it is a directory');
    const binary = await directory.write('binary', new Uint8Array([0xff, 0xfe, 0x00, 0xc3]));
    await expect(load(binary)).rejects.toThrow(`${binary}:1:1: the file is not UTF-8 text`);
    const large = await directory.write('large', `# ${'é'.repeat(600_000)}`);
    await expect(load(large)).rejects.toThrow(`${large}:1:1: the file is larger than 1 MB`);
    const bom = await directory.write('bom', `\ufeff${await readFile(join(path, 'minimal.yaml'), 'utf8')}`);
    await expect(load(bom)).resolves.toMatchObject({ warnings: [] });
  });
});
