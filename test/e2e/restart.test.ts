import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { series, startWorld, type World } from './world.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

function company({ kms, secrets }: World['region']): void {
  const { keyId, arn } = kms.createKey();
  kms.alias('alias/app', keyId);
  secrets.create({ Name: 'prod/app', SecretString: 'x', KmsKeyId: arn });
  secrets.create({ Name: 'prod/other', SecretString: 'x' });
}

describe('a restart', () => {
  it('announces nothing again and serves what was believed before the first sweep', async () => {
    await using world = await startWorld(company);
    world.region.kms.disable('alias/app');
    await world.until('the loss', 80_000, () => world.key('prod/app')?.health === 'inaccessible');
    const before = await world.events();
    const { since } = world.key('alias/app')!;
    for (let times = 0; times < 5; times += 1) {
      await world.stop();
      await world.start();
      expect(series(await world.metrics(), 'keyvigil_key_accessible', ':prod/app-')).toBe(0);
      await world.pass(20_000);
    }
    expect(await world.events()).toEqual(before);
    expect(world.key('alias/app')?.since).toBe(since);
  });

  it('after three days misses nothing that happened in between, each once', async () => {
    await using world = await startWorld(company);
    const first = world.key('prod/other')?.version;
    await world.stop();
    const version = world.region.secrets.putValue('prod/other', 'y');
    world.region.kms.disable('alias/app');
    vi.setSystemTime(Date.now() + 3 * DAY);
    await world.start();
    await world.until('what happened', 30_000, () => world.key('prod/app')?.health === 'inaccessible');
    await world.pass(5 * MINUTE);
    const events = (await world.events()).filter(({ type }) => type !== 'first_seen');
    expect(events.map(({ type }) => type).sort()).toEqual(['new_version', 'transition']);
    expect(world.key('prod/other')?.version).toBe(version);
    expect(first).not.toBe(version);
  });

  it('without a network still shows the loss that was known', async () => {
    await using world = await startWorld(company);
    world.region.kms.disable('alias/app');
    await world.until('the loss', 80_000, () => world.key('prod/app')?.health === 'inaccessible');
    await world.stop();
    await world.sandbox[Symbol.asyncDispose]();
    await world.start();
    await world.pass(3 * MINUTE);
    const page = await world.metrics();
    expect(series(page, 'keyvigil_key_accessible', ':prod/app-')).toBe(0);
    expect(series(page, 'keyvigil_key_accessible', ':prod/other-')).toBe(1);
    expect(series(page, 'keyvigil_source_up', 'service="kms"')).toBe(0);
    expect((await world.get('/-/ready')).status).toBe(200);
  });
});

describe('a canary', () => {
  it('in a secret value and in the config is found in no log, metric, page, API answer or state file', async () => {
    const canary = 'CANARY-5up3r-s3cr3t-v4lu3';
    const configCanary = 'http://127.0.0.1:1/CANARY-in-config';
    const yaml = `receivers: [{ name: chat, slack: { url: "${configCanary}" } }]\nlog: { level: debug }`;
    const services = '{ secrets-manager: { access: read }, kms: {} }';
    await using world = await startWorld(
      ({ secrets, kms }) => {
        const { arn } = kms.createKey();
        secrets.create({ Name: 'prod/app', SecretString: canary, KmsKeyId: arn });
      },
      { yaml, services },
    );
    world.region.secrets.putValue('prod/app', `${canary}-2`);
    await world.pass(90 * MINUTE);
    expect(world.sandbox.requests.list().some(({ operation }) => operation === 'GetSecretValue')).toBe(true);
    const { resource } = world.key('prod/app')!;
    const pages = [
      '/',
      `/keys/${encodeURIComponent(resource)}`,
      '/metrics',
      '/api/v1/keys',
      '/api/v1/events',
      '/api/v1/sources',
    ];
    const answers = await Promise.all(pages.map(async (path) => (await world.get(path)).text()));
    await world.stop();
    const files = readdirSync(world.directory).map((name) => readFileSync(join(world.directory, name), 'latin1'));
    expect(files.length).toBeGreaterThan(0);
    for (const text of [...answers, ...files, ...world.logged]) {
      expect(text).not.toContain('CANARY');
      expect(text).not.toContain(Buffer.from(canary).toString('base64').slice(0, 20));
    }
  });
});
