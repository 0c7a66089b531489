/** A real Prometheus at a daemon that asks for a password, and for a certificate, over TLS. Only who has both sees anything. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { startApp } from '../../src/app.ts';
import { parseConfig } from '../../src/config/load.ts';
import { SERVICES } from '../../src/providers/index.ts';
import { startSandbox } from '../../src/sandbox/sandbox.ts';
import { company } from '../e2e/company.ts';
import { type Folder, HASH, SECOND_HASH, webFolder } from '../web/secured.ts';
import { prometheus, spawnServer } from './tools.ts';

const LIMIT_MS = 30_000;
const PASSWORDS = 'basic_auth_users:\n  prometheus: ';
const TLS = 'tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n';
const MUTUAL = `${TLS}  client_ca_file: ca.pem\n  client_auth_type: RequireAndVerifyClientCert\n`;

/** The daemon on an embedded cloud of two keys with a secret each, behind this web file. */
async function startSecured(stack: AsyncDisposableStack, folder: Folder, web: string): Promise<string> {
  const sandbox = stack.use(await startSandbox({ seed: 7 }));
  const account = sandbox.aws.account('111122223333');
  company(2)(account.region('eu-west-1'));
  await folder.put('web.yml', web);
  const yaml = `
listen: 127.0.0.1:0
state: ${join(folder.path, 'state.db')}
targets: [{ name: prod, provider: aws, regions: [eu-west-1], endpoint: "${sandbox.url}", services: { secrets-manager: {}, kms: {} } }]
web: { configFile: web.yml }`;
  const env = {
    AWS_ACCESS_KEY_ID: account.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: account.credentials.secretAccessKey,
  };
  const { config, issues } = parseConfig(yaml, join(folder.path, 'keyvigil.yml'), { env, services: SERVICES });
  if (!config) throw new Error(issues.map(({ message }) => message).join('\n'));
  const log = pino({ level: 'silent' });
  const app = stack.use(await startApp({ config, env, log, version: '0.0.0-test' }));
  return new URL(app.url).host;
}

interface Scraper {
  readonly password?: string;
  /** `client`, `stranger`: whose certificate it shows. */
  readonly certificate?: string;
  /** Whose word it takes for the daemon's certificate. */
  readonly trusts?: string;
  readonly scheme?: string;
}

/** Prometheus with one job for each of these; gives what it answers to a query, by job. */
async function startPrometheus(
  stack: AsyncDisposableStack,
  folder: Folder,
  host: string,
  scrapers: Readonly<Record<string, Scraper>>,
) {
  const jobs = Object.entries(scrapers).map(
    ([job_name, { password, certificate, trusts = 'ca', scheme = 'https' }]) => ({
      job_name,
      scheme,
      scrape_interval: '1s',
      scrape_timeout: '1s',
      static_configs: [{ targets: [host] }],
      ...(password && { basic_auth: { username: 'prometheus', password } }),
      ...(scheme === 'https' && {
        tls_config: {
          ca_file: `${trusts}.pem`,
          ...(certificate && { cert_file: `${certificate}.pem`, key_file: `${certificate}.key` }),
        },
      }),
    }),
  );
  const config = join(folder.path, 'prometheus.yml');
  await writeFile(config, JSON.stringify({ scrape_configs: jobs }));
  const server = stack.use(
    await spawnServer({
      command: await prometheus(),
      args: (port) => [
        `--config.file=${config}`,
        `--storage.tsdb.path=${join(folder.path, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      ready: async (url) => (await fetch(`${url}/-/ready`)).ok,
    }),
  );
  return async (query: string): Promise<Readonly<Record<string, number>>> => {
    const answer = await fetch(`${server.url}/api/v1/query?query=${encodeURIComponent(query)}`);
    const { data } = (await answer.json()) as {
      data: { result: { metric: { job: string }; value: [number, string] }[] };
    };
    return Object.fromEntries(data.result.map(({ metric, value }) => [metric.job, Number(value[1])]));
  };
}

/** Asks until the answer is this; the last one otherwise. */
async function settles(ask: () => Promise<unknown>, wanted: unknown): Promise<void> {
  const deadline = Date.now() + LIMIT_MS;
  while (JSON.stringify(await ask()) !== JSON.stringify(wanted)) {
    if (Date.now() >= deadline) break;
    await sleep(100);
  }
  expect(await ask()).toEqual(wanted);
}

test('TLS and a password: who has it scrapes, also after both were changed while it ran', async () => {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await webFolder());
  const host = await startSecured(stack, folder, `${TLS}${PASSWORDS}"${HASH}"\n`);
  const ask = await startPrometheus(stack, folder, host, {
    distrustful: { password: 'correct horse', trusts: 'other-ca' },
    first: { password: 'correct horse' },
    nobody: {},
    plain: { password: 'correct horse', scheme: 'http' },
    second: { password: 'second' },
  });
  const sees = (first: number, second: number) => ({ distrustful: 0, first, nobody: 0, plain: 0, second });
  await settles(() => ask('up').then(sorted), sees(1, 0));
  await settles(() => ask('count by (job) (keyvigil_key_accessible == 1)'), { first: 4 });
  expect(await ask('keyvigil_source_up{service="kms"}')).toEqual({ first: 1 });

  await folder.swap('server.pem', 'rotated.pem');
  await folder.swap('server.key', 'rotated.key');
  await folder.put('web.yml', `${TLS}${PASSWORDS}"${SECOND_HASH}"\n`);
  await settles(() => ask('up').then(sorted), sees(0, 1));
});

test('mTLS and a password: neither is enough without the other', async () => {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await webFolder());
  const host = await startSecured(stack, folder, `${MUTUAL}${PASSWORDS}"${HASH}"\n`);
  const ask = await startPrometheus(stack, folder, host, {
    both: { password: 'correct horse', certificate: 'client' },
    certificate: { certificate: 'client' },
    password: { password: 'correct horse' },
    stranger: { password: 'correct horse', certificate: 'stranger' },
  });
  await settles(() => ask('up').then(sorted), { both: 1, certificate: 0, password: 0, stranger: 0 });
  await settles(() => ask('count by (job) (keyvigil_key_accessible == 1)'), { both: 4 });
});

function sorted(all: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1)));
}
