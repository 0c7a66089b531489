/** A SPEKE key provider from the flow that names it to the alert, and in a single look. */
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { lookOnce } from '../../src/app.ts';
import { parseConfig } from '../../src/config/load.ts';
import { SERVICES } from '../../src/providers/index.ts';
import type { ApiHandle } from '../../src/sandbox/aws/apigateway/model.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { ACCOUNT, REGION, startWorld, type World } from './world.ts';

let world: World | undefined;

afterEach(async () => {
  await world?.[Symbol.asyncDispose]();
  world = undefined;
});

/** A flow that gets its keys for an entitlement from this URL. */
function flowOf(region: World['region'], url: string, name = 'main'): string {
  return region.mediaConnect.createFlow({
    name,
    source: { name: 'studio', protocol: 'rtp', whitelistCidr: '10.0.0.0/8' },
    entitlements: [
      {
        name: 'partner',
        subscribers: ['999988887777'],
        encryption: {
          keyType: 'speke',
          algorithm: 'aes256',
          roleArn: `arn:aws:iam::${ACCOUNT}:role/speke`,
          url,
          region: REGION,
          resourceId: 'channel-1',
          deviceId: 'device-1',
        },
      },
    ],
  });
}

/** The services of the target: the probe goes to the sandbox by the names that its name server knows. */
function services({ apis }: Sandbox): string {
  return `{ mediaconnect: {}, speke: { endpoint: "${apis.url}", nameservers: ["${apis.nameServer}"] } }`;
}

describe('a SPEKE provider in the daemon', () => {
  async function start() {
    let api: ApiHandle | undefined;
    world = await startWorld(
      (region) => {
        api = region.apiGateway.create();
        flowOf(region, `${api.url}/copyProtection`);
      },
      { idle: true },
    );
    if (!api) throw new Error('the cloud was not filled');
    const ca = join(world.directory, 'apis.pem');
    writeFileSync(ca, world.sandbox.apis.ca);
    await world.start({ services: services(world.sandbox), yaml: `outbound: { caFile: ${ca} }` });
    const url = `${api.url}/copyProtection`;
    await world.until('the provider is seen', 180_000, () => world?.key(url)?.health === 'accessible');
    return { world, url, api };
  }

  it('is watched because a flow names it, lost with its API, and back with it', async () => {
    const { world, url, api } = await start();
    expect(world.key(url)).toMatchObject({ kind: 'speke-provider', health: 'accessible', consumers: 1 });
    expect(world.consumer('main')?.uses.map(({ key }) => key)).toEqual([url]);

    const gone = world.region.apiGateway.delete(api.id);
    await world.until('the loss', 90_000, () => world.key(url)?.health === 'inaccessible');
    expect(world.key(url)).toMatchObject({ reason: 'unreachable', rootCauses: [] });
    expect(world.key(url)?.undo).toContain(`aws apigateway get-stage --rest-api-id ${api.id} --stage-name prod`);
    expect(world.consumer('main')).toMatchObject({ rootCauses: [url] });

    gone.remove();
    await world.until('the recovery', 90_000, () => world.key(url)?.health === 'accessible');
    expect((await world.events()).filter(({ resource }) => resource === url).map(({ type }) => type)).toEqual(
      expect.arrayContaining(['first_seen', 'transition']),
    );
  });

  it('stays as it is believed while name servers fail', async () => {
    const { world, url, api } = await start();
    world.sandbox.apis.answerNames('failing');
    world.region.apiGateway.delete(api.id);
    await world.pass(600_000);
    expect(world.key(url)).toMatchObject({ health: 'accessible', blindReason: 'dns' });
  });

  it('stays lost while its certificate is of an authority that nobody knows', async () => {
    const { world, url, api } = await start();
    world.region.apiGateway.certificate(api.id, 'expired');
    await world.until('the loss', 90_000, () => world.key(url)?.reason === 'unreachable');
    world.region.apiGateway.certificate(api.id, 'untrusted');
    await world.pass(600_000);
    expect(world.key(url)).toMatchObject({ health: 'inaccessible', reason: 'unreachable', blindReason: 'network' });
  });

  it('is no longer watched once no flow names it', async () => {
    const { world, url } = await start();
    for (const { resource } of world.app.snapshot.consumers) {
      world.region.mediaConnect.call('DeleteFlow', { flowArn: resource });
    }
    await world.until('the provider is forgotten', 400_000, () => world.key(url) === undefined);
  });
});

describe('a single look', () => {
  it('finds key providers that only flows name, and the flow that they take down', async () => {
    await using sandbox = await startSandbox({ seed: 3 });
    const directory = mkdtempSync(join(tmpdir(), 'keyvigil-once-'));
    try {
      const caFile = join(directory, 'ca.pem');
      writeFileSync(caFile, sandbox.azure.ca);
      appendFileSync(caFile, sandbox.apis.ca);
      const account = sandbox.aws.account(ACCOUNT);
      const region = account.region(REGION);
      const good = region.apiGateway.create();
      const expired = region.apiGateway.create();
      region.apiGateway.certificate(expired.id, 'expired');
      flowOf(region, good.url, 'good');
      flowOf(region, expired.url, 'bad');
      const { accessKeyId, secretAccessKey } = account.credentials;
      const env = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
      const source = `
targets: [{ name: prod, provider: aws, regions: [${REGION}], endpoint: "${sandbox.url}", services: ${services(sandbox)} }]
outbound: { caFile: ${caFile} }
`;
      const { config } = parseConfig(source, 'keyvigil.yml', { env, services: SERVICES });
      const look = { config: config!, env, log: pino({ level: 'silent' }), version: '0.0.0-test' };
      const { snapshot } = await lookOnce(look, new AbortController().signal, () => undefined);
      const { keys, consumers } = snapshot;
      expect(Object.fromEntries(keys.map(({ resource, health, reason }) => [resource, [health, reason]]))).toEqual({
        [good.url]: ['accessible', undefined],
        [expired.url]: ['inaccessible', 'unreachable'],
      });
      expect(Object.fromEntries(consumers.map(({ name, rootCauses }) => [name, rootCauses]))).toEqual({
        good: [],
        bad: [expired.url],
      });
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
