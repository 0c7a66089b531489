/**
 * What a sweep of Key Vault costs beside a bare loop over the SDK that reads the same pages or keys over the same proxy and
 * TLS, and how many requests it makes, as the cloud counts them. The cloud is another process; all in one run, interleaved,
 * medians.
 */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent } from 'node:https';
import { join } from 'node:path';
import { createDefaultHttpClient, type PipelinePolicy } from '@azure/core-rest-pipeline';
import { ClientSecretCredential } from '@azure/identity';
import { KeyClient } from '@azure/keyvault-keys';
import { trustOf } from '../../src/app-trust.ts';
import type { BenchAzure, Calls, Change } from './azure-cloud.ts';
import { AT_ONCE, block, cpu, inParallel, type Measured, measured, row } from './measure.ts';
import type { BenchRow } from './row.ts';
import { connect, type Watch, watch } from './watch.ts';

const ROUNDS = 5;
/** Rounds before those: a daemon runs for days, so what is measured is code that the compiler is done with. */
const WARM = 3;
/** Keys by vault: a vault without any, some of one page, with and without a rest on the last page. */
const LISTED = [3_000, 2_500, 2_000, 1_511, 951, 25, 12, 1, 0];
const READ = [1_200, 799, 1];
const CHANGED = 20;
const PAGE = 25;
/** As many as our listing asks at a time. */
const VAULTS_AT_ONCE = 4;
/** Vaults, of which the first page links to an empty one as Azure's does, and managed HSMs. */
const ARM_PAGES = 3;
const AUTHORITY = 'https://login.microsoftonline.com';

type Place = BenchAzure['subscriptions'][number];

/** The SDK by itself: a client for each vault, and one pool of sockets through the proxy. */
interface Bare extends Disposable {
  /** Pages through every vault. @returns what to read: the names of all keys, with their vault's client */
  pages(): Promise<{ client: KeyClient; name: string }[]>;
  /** Pages through every vault, then reads every key. */
  reads(): Promise<void>;
}

function bareSdk({ proxy, ca }: BenchAzure, place: Place): Bare {
  const agent = new Agent({ keepAlive: true, maxSockets: 32, ca, proxyEnv: { HTTPS_PROXY: proxy } });
  const wire = createDefaultHttpClient();
  const policy: PipelinePolicy = {
    name: 'agent',
    sendRequest(request, next) {
      request.agent = agent;
      return next(request);
    },
  };
  const credential = new ClientSecretCredential(place.tenant, place.clientId, place.clientSecret, {
    authorityHost: AUTHORITY,
    disableInstanceDiscovery: true,
    httpClient: { sendRequest: (request) => policy.sendRequest(request, (asked) => wire.sendRequest(asked)) },
  });
  const clients = place.vaults.map(
    (url) => new KeyClient(url, credential, { additionalPolicies: [{ policy, position: 'perRetry' }] }),
  );
  async function pages() {
    const found: { client: KeyClient; name: string }[] = [];
    await inParallel(
      clients,
      async (client) => {
        for await (const page of client.listPropertiesOfKeys().byPage()) {
          for (const { name } of page) found.push({ client, name });
        }
      },
      VAULTS_AT_ONCE,
    );
    return found;
  }
  return {
    pages,
    reads: async () => inParallel(await pages(), ({ client, name }) => client.getKey(name)),
    [Symbol.dispose]: () => agent.destroy(),
  };
}

/** Changes keys, and tells what was asked since the last time. */
async function told(cloud: ChildProcess, change: Change): Promise<Calls> {
  const answer = once(cloud, 'message');
  cloud.send(change);
  const [calls] = (await answer) as [Calls];
  return calls;
}

function total(calls: Calls): number {
  return Object.values(calls).reduce((sum, count) => sum + count, 0);
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}

/** An empty vault has one page too. */
function pagesOf(vaults: readonly number[]): number {
  return sum(vaults.map((keys) => Math.max(1, Math.ceil(keys / PAGE))));
}

function expectKeys(found: number, vaults: readonly number[]): void {
  if (found !== sum(vaults)) throw new Error(`${found} keys instead of ${sum(vaults)}`);
}

export async function benchAzure(): Promise<BenchRow[]> {
  const argv = [JSON.stringify([LISTED, READ])];
  const cloud = fork(join(import.meta.dirname, 'azure-cloud.ts'), argv, { execArgv: [] });
  const [azure] = (await once(cloud, 'message')) as [BenchAzure];
  const [listPlace, readPlace] = azure.subscriptions;
  if (!listPlace || !readPlace) throw new Error('no subscriptions');
  await using opened = new AsyncDisposableStack();
  opened.defer(() => cloud.disconnect());

  async function watchOf({ id, tenant, clientId, clientSecret }: Place): Promise<Watch> {
    const credential = { clientId, clientSecret: { read: async () => clientSecret } };
    const services = { 'key-vault': {} };
    const target = { provider: 'azure', subscription: id, tenant, credential, cloud: 'public', services };
    const connection = await connect(target, { env: { HTTPS_PROXY: azure.proxy }, trust: trustOf(azure.ca) });
    return watch('key-vault', 'global', opened.use(connection));
  }
  const lists = await watchOf(listPlace);
  const reads = await watchOf(readPlace);
  const bareLists = opened.use(bareSdk(azure, listPlace));
  const bareReads = opened.use(bareSdk(azure, readPlace));

  // First sight of everything, and the bare loops once to warm up.
  const first = await measured(() => lists.sweep());
  await reads.sweep();
  expectKeys((await bareLists.pages()).length, LISTED);
  await bareReads.reads();
  expectKeys(lists.ledger.snapshot.keys.length - LISTED.length, LISTED);
  expectKeys(reads.ledger.snapshot.keys.length - READ.length, READ);

  const listing: Measured[] = [];
  const paging: Measured[] = [];
  const describing: Measured[] = [];
  const reading: Measured[] = [];
  const onlyReading: Measured[] = [];
  const listCalls: number[] = [];
  const changedCalls: number[] = [];
  const describeCalls: number[] = [];
  const quietly = (changed = 0, subscription = 0) => told(cloud, { subscription, changed });
  for (let round = 0; round < WARM + ROUNDS; round += 1) {
    await quietly();
    listing.push(await measured(() => lists.sweep()));
    listCalls.push(total(await quietly()));
    paging.push(await measured(() => bareLists.pages()));

    await quietly(sum(READ), 1);
    describing.push(await measured(() => reads.sweep()));
    describeCalls.push(total(await quietly()));
    reading.push(await measured(() => bareReads.reads()));
    const keys = await bareReads.pages();
    onlyReading.push(await measured(() => inParallel(keys, ({ client, name }) => client.getKey(name))));

    await quietly(CHANGED);
    await lists.sweep();
    changedCalls.push(total(await quietly()));
  }

  for (const all of [listing, paging, describing, reading, onlyReading]) all.splice(0, WARM);
  const [listed, read] = [sum(LISTED), sum(READ)];
  const pages = pagesOf(LISTED) + ARM_PAGES;
  const most = (counts: readonly number[]) => Math.max(...counts);
  if (Math.min(...listCalls) < pages) throw new Error('a sweep left pages out');
  const vaults = `${LISTED.length} vaults`;
  return [
    row(
      'G9',
      `list sweep of ${listed} keys, ${vaults}: cpu against bare SDK paging`,
      cpu(listing) / cpu(paging),
      'x',
      1.25,
    ),
    row(
      'G9',
      `describe sweep of ${read} changed keys: cpu against a bare SDK loop`,
      cpu(describing) / cpu(reading),
      'x',
      1.1,
    ),
    row(
      'G9',
      'one key in a list sweep: cpu against one GetKey',
      cpu(listing) / listed / (cpu(onlyReading) / read),
      'x',
      0.1,
    ),
    row('G11', `calls of a list sweep, nothing changed (most of ${WARM + ROUNDS})`, most(listCalls), 'calls', pages),
    row(
      'G11',
      `calls of a list sweep, ${CHANGED} changed (most of ${WARM + ROUNDS})`,
      most(changedCalls),
      'calls',
      pages + CHANGED,
    ),
    row(
      'G11',
      `calls of a sweep of ${READ.length} vaults, all ${read} keys changed (most of ${WARM + ROUNDS})`,
      most(describeCalls),
      'calls',
      pagesOf(READ) + ARM_PAGES + read,
    ),
    row('G10', 'list sweep: longest block of the event loop', block(listing), 'ms', 50),
    row('G10', 'describe sweep: longest block of the event loop', block(describing), 'ms', 50),
    row('', 'bare SDK paging: longest block of the event loop', block(paging), 'ms'),
    row('', 'bare SDK loop over the keys: longest block of the event loop', block(reading), 'ms'),
    row(
      '',
      `bare SDK paging, ${VAULTS_AT_ONCE} vaults at once: cpu per page`,
      (cpu(paging) / pagesOf(LISTED)) * 1000,
      'us',
    ),
    row('', `bare SDK, ${AT_ONCE} at once: cpu per GetKey`, (cpu(onlyReading) / read) * 1000, 'us'),
    row('', `first sight of ${listed} keys: longest block of the event loop`, first.block, 'ms'),
    row('', `first sight of ${listed} keys: cpu per key`, (first.cpu / listed) * 1000, 'us'),
  ];
}
