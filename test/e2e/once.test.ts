import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { lookOnce } from '../../src/app.ts';
import { outcomeOf } from '../../src/cli/once.ts';
import { parseConfig } from '../../src/config/load.ts';
import { SERVICES } from '../../src/providers/index.ts';
import { startSandbox } from '../../src/sandbox/sandbox.ts';
import { ACCOUNT, REGION } from './world.ts';

/** A vault that goes by roles, and an account that uses its key. */
async function azure(granted: boolean) {
  const directory = mkdtempSync(join(tmpdir(), 'keyvigil-once-'));
  const sandbox = await startSandbox({ seed: 3 });
  const subscription = sandbox.azure.subscription();
  const vault = subscription.vault('contoso-media');
  vault.keys.create('cmk');
  const account = subscription.mediaAccount('contoso', { key: `${vault.url}/keys/cmk` });
  if (granted) vault.grant(account.principal);
  else vault.revoke(account.principal);
  const caFile = join(directory, 'ca.pem');
  writeFileSync(caFile, sandbox.azure.ca);
  const { clientId, clientSecret } = subscription.monitor;
  const env = {
    AZURE_TENANT_ID: subscription.tenant,
    AZURE_CLIENT_ID: clientId,
    AZURE_CLIENT_SECRET: clientSecret,
    HTTPS_PROXY: sandbox.azure.proxyUrl,
  };
  const source = `
targets: [{ name: media, provider: azure, subscription: ${subscription.id} }]
outbound: { proxy: env, caFile: ${caFile} }
`;
  const { config } = parseConfig(source, 'keyvigil.yml', { env, services: SERVICES });
  const look = { config: config!, env, log: pino({ level: 'silent' }), version: '0.0.0-test' };
  return {
    look: async () => (await lookOnce(look, new AbortController().signal, () => undefined)).snapshot,
    async [Symbol.asyncDispose]() {
      await sandbox[Symbol.asyncDispose]();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

describe('a single look at Azure', () => {
  it('finds what it takes a second source to tell: an account whose role is gone', async () => {
    await using cloud = await azure(false);
    const { keys, consumers, sources } = await cloud.look();
    expect(keys.map(({ health }) => health)).toEqual(['accessible', 'accessible']);
    expect(consumers).toMatchObject([{ health: 'impaired', reason: 'access_revoked' }]);
    expect(consumers[0]?.findings.map(({ id }) => id)).toContain('media-services.access');
    expect(outcomeOf({ keys, sources })).toBe('all_accessible');
  });

  it('finds nothing where all is well', async () => {
    await using cloud = await azure(true);
    const { consumers } = await cloud.look();
    expect(consumers).toMatchObject([{ health: 'ok', findings: [] }]);
  });
});

describe('a single look', () => {
  it('finds the keys that are watched only because a secret names them', async () => {
    await using sandbox = await startSandbox({ seed: 3 });
    const account = sandbox.aws.account(ACCOUNT);
    const { kms, secrets } = account.region(REGION);
    const named = kms.createKey();
    kms.createKey();
    secrets.create({ Name: 'prod/app', SecretString: 'x', KmsKeyId: named.arn });
    kms.disable(named.keyId);
    const { accessKeyId, secretAccessKey } = account.credentials;
    const env = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
    const services = '{ secrets-manager: {}, kms: { discover: referenced } }';
    const source = `targets: [{ name: prod, provider: aws, regions: [${REGION}], endpoint: "${sandbox.url}", services: ${services} }]`;
    const { config } = parseConfig(source, 'keyvigil.yml', { env, services: SERVICES });
    const log = pino({ level: 'silent' });
    const look = { config: config!, env, log, version: '0.0.0-test' };
    const { keys } = (await lookOnce(look, new AbortController().signal, () => undefined)).snapshot;
    expect(keys.map(({ kind, health, rootCauses }) => [kind, health, rootCauses])).toEqual([
      ['aws-kms-key', 'inaccessible', []],
      ['aws-secret', 'inaccessible', [named.arn]],
    ]);
  });
});
