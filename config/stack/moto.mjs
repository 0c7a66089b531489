#!/usr/bin/env node
/**
 * What happens on moto in the compose stack. `seed` makes keys and secrets, once however often it runs; `incident` disables
 * the key behind three of them and enables it again after MOTO_INCIDENT_SECONDS (60). KEYVIGIL_MOTO_URL is where moto is.
 */
import process, { argv, env, stderr, stdout } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateAliasCommand,
  CreateKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  KMSClient,
  ListAliasesCommand,
} from '@aws-sdk/client-kms';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';

const ALIAS = 'alias/payments';
const SECRETS = ['prod/payments/db', 'prod/payments/api-token', 'prod/payments/webhook-signing'];
const OTHERS = ['prod/video/origin', 'staging/ci-token'];

const options = { endpoint: env.KEYVIGIL_MOTO_URL ?? 'http://127.0.0.1:5000', region: 'eu-west-1' };
const kms = new KMSClient(options);
const secrets = new SecretsManagerClient(options);

function say(text) {
  stdout.write(`moto: ${text}\n`);
}

async function keyOfAlias() {
  const { Aliases = [] } = await kms.send(new ListAliasesCommand({ Limit: 100 }));
  return Aliases.find(({ AliasName }) => AliasName === ALIAS)?.TargetKeyId;
}

async function secret(name, key) {
  const team = name.split('/')[1] === 'payments' ? 'payments' : 'video';
  try {
    await secrets.send(
      new CreateSecretCommand({
        Name: name,
        SecretString: 'made up',
        Tags: [{ Key: 'team', Value: team }],
        ...(key && { KmsKeyId: key }),
      }),
    );
    say(`made the secret ${name}`);
  } catch (error) {
    if (error.name !== 'ResourceExistsException') throw error;
  }
}

async function seed() {
  let key = await keyOfAlias();
  if (key === undefined) {
    const tags = [{ TagKey: 'team', TagValue: 'payments' }];
    const made = await kms.send(new CreateKeyCommand({ Description: 'payments', Tags: tags }));
    key = made.KeyMetadata.KeyId;
    await kms.send(new CreateAliasCommand({ AliasName: ALIAS, TargetKeyId: key }));
    say(`made the key ${ALIAS}`);
  }
  for (const name of SECRETS) await secret(name, key);
  for (const name of OTHERS) await secret(name);
}

async function incident() {
  const KeyId = await keyOfAlias();
  if (KeyId === undefined) throw new Error(`there is no ${ALIAS}: seed first`);
  await kms.send(new DisableKeyCommand({ KeyId }));
  say(`somebody disabled the key ${ALIAS}: ${SECRETS.length} secrets are unusable`);
  await sleep(Number(env.MOTO_INCIDENT_SECONDS ?? 60) * 1000);
  await kms.send(new EnableKeyCommand({ KeyId }));
  say(`and enabled it again`);
}

const run = { seed, incident }[argv[2]];
if (run === undefined) {
  stderr.write('usage: moto.mjs seed | incident\n');
  process.exitCode = 2;
} else await run();
