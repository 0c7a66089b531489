import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { lookOnce } from '../../src/app.ts';
import { parseConfig } from '../../src/config/load.ts';
import { SERVICES } from '../../src/providers/index.ts';
import { startSandbox } from '../../src/sandbox/sandbox.ts';
import { ACCOUNT, REGION } from './world.ts';

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
    const { keys } = await lookOnce(look, new AbortController().signal, () => undefined);
    expect(keys.map(({ kind, health, rootCauses }) => [kind, health, rootCauses])).toEqual([
      ['aws-kms-key', 'inaccessible', []],
      ['aws-secret', 'inaccessible', [named.arn]],
    ]);
  });
});
