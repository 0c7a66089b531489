/**
 * What a sweep costs beside a bare loop over the SDK, how many API calls it makes, and how long it blocks the event loop.
 * The cloud is another process; all in one run, interleaved, medians.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { DescribeKeyCommand, KMSClient, ListKeysCommand } from '@aws-sdk/client-kms';
import { DescribeSecretCommand, paginateListSecrets, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { block, cpu, inParallel, type Measured, measured, row } from './measure.ts';
import type { BenchRow } from './row.ts';
import { connect, watch } from './watch.ts';

const ROUNDS = 5;
const SECRETS = 20_000;
const KEYS = 2_000;
const READS = 1_000;
const CHANGED = 20;
const REGION = 'eu-west-1';

export async function benchSweep(): Promise<BenchRow[]> {
  const cloud = fork(join(import.meta.dirname, 'cloud.ts'), [String(SECRETS), String(KEYS)], { execArgv: [] });
  const [{ url, credentials }] = (await once(cloud, 'message')) as [
    { url: string; credentials: { accessKeyId: string; secretAccessKey: string } },
  ];
  const { accessKeyId, secretAccessKey } = credentials;
  const target = {
    name: 'bench',
    provider: 'aws',
    regions: [REGION],
    endpoint: url,
    services: { 'secrets-manager': { include: ['*'], exclude: [], access: 'metadata' }, kms: { discover: 'all' } },
  };
  const env = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
  const connection = await connect(target, { env });

  const kms = watch('kms', REGION, connection);
  const secrets = watch('secrets-manager', REGION, connection);
  const bare = {
    region: REGION,
    endpoint: url,
    credentials,
    requestHandler: new NodeHttpHandler({ httpAgent: { keepAlive: true, maxSockets: 32 } }),
    cacheMiddleware: true,
    maxAttempts: 2,
  };
  const bareKms = new KMSClient(bare);
  const bareSecrets = new SecretsManagerClient(bare);
  const bareKeyLoop = async () => {
    const keys: string[] = [];
    let Marker: string | undefined;
    do {
      const page = await bareKms.send(new ListKeysCommand({ Limit: 1000, Marker }));
      for (const { KeyId } of page.Keys ?? []) if (KeyId) keys.push(KeyId);
      Marker = page.NextMarker;
    } while (Marker);
    await inParallel(keys.slice(0, KEYS), (KeyId) => bareKms.send(new DescribeKeyCommand({ KeyId })));
  };
  const barePages = async () => {
    let seen = 0;
    const pages = paginateListSecrets({ client: bareSecrets, pageSize: 100 }, { IncludePlannedDeletion: true });
    for await (const page of pages) seen += page.SecretList?.length ?? 0;
    if (seen !== SECRETS) throw new Error(`saw ${seen}`);
  };

  try {
    // First sight of everything, and the bare loops once to warm up.
    await kms.sweep();
    const first = await measured(() => secrets.sweep());
    await bareKeyLoop();
    await barePages();
    if (kms.ledger.snapshot.keys.length !== KEYS) throw new Error(`${kms.ledger.snapshot.keys.length} keys`);
    if (secrets.ledger.snapshot.keys.length !== SECRETS) throw new Error('secrets are missing');

    const ours: Measured[] = [];
    const theirs: Measured[] = [];
    const listing: Measured[] = [];
    const paging: Measured[] = [];
    const reading: Measured[] = [];
    const names = Array.from({ length: READS }, (_, at) => `bench/secret-${at}`);
    let kmsCalls = 0;
    let secretCalls = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const [kmsBefore, secretsBefore] = [kms.calls(), secrets.calls()];
      ours.push(await measured(() => kms.sweep()));
      theirs.push(await measured(bareKeyLoop));
      listing.push(await measured(() => secrets.sweep()));
      paging.push(await measured(barePages));
      reading.push(
        await measured(() =>
          inParallel(names, (SecretId) => bareSecrets.send(new DescribeSecretCommand({ SecretId }))),
        ),
      );
      kmsCalls = kms.calls() - kmsBefore;
      secretCalls = secrets.calls() - secretsBefore;
    }
    const changed = once(cloud, 'message');
    cloud.send(CHANGED);
    await changed;
    const beforeChange = secrets.calls();
    await secrets.sweep();
    const changedCalls = secrets.calls() - beforeChange;

    const perRead = cpu(reading) / READS;
    const perListed = cpu(listing) / SECRETS;
    const pages = Math.ceil(SECRETS / 100);
    return [
      row('G9', `describe sweep of ${KEYS} KMS keys: cpu against a bare SDK loop`, cpu(ours) / cpu(theirs), 'x', 1.1),
      row('G9', `list sweep of ${SECRETS} secrets: cpu against bare SDK paging`, cpu(listing) / cpu(paging), 'x', 1.25),
      row('G9', 'one secret in a list sweep: cpu against one DescribeSecret', perListed / perRead, 'x', 0.1),
      // The keys that AWS itself manages are listed too (that may fill one page more), and aliases are one page here.
      row(
        'G11',
        `KMS: calls beyond one per key, of ${KEYS} keys`,
        kmsCalls - KEYS,
        'calls',
        Math.ceil(KEYS / 1000) + 2,
      ),
      row('G11', `Secrets Manager: calls of a sweep of ${SECRETS}, nothing changed`, secretCalls, 'calls', pages),
      row('G11', `Secrets Manager: calls of a sweep, ${CHANGED} changed`, changedCalls, 'calls', pages + CHANGED),
      row('G10', 'describe sweep: longest block of the event loop', block(ours), 'ms', 50),
      row('G10', 'list sweep: longest block of the event loop', block(listing), 'ms', 50),
      row('', 'bare SDK loop over the keys: longest block of the event loop', block(theirs), 'ms'),
      row('', 'bare SDK paging: longest block of the event loop', block(paging), 'ms'),
      row('', `first sight of ${SECRETS} secrets: longest block of the event loop`, first.block, 'ms'),
      row('', `first sight of ${SECRETS} secrets: cpu per secret`, (first.cpu / SECRETS) * 1000, 'us'),
    ];
  } finally {
    await connection[Symbol.asyncDispose]();
    bareKms.destroy();
    bareSecrets.destroy();
    cloud.disconnect();
  }
}
