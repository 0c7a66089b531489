/** The whole daemon on two embedded clouds, with an incident in each that unfold within a minute. */
import { rmSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { App } from '../app.ts';
import type { Config } from '../config/config.ts';
import { ConfigError, loadConfig } from '../config/load.ts';
import { sleep } from '../engine/deadline.ts';
import { SERVICES } from '../providers/index.ts';
import { startSandbox } from '../sandbox/sandbox.ts';
import { runDaemon } from './daemon.ts';
import { type Turn, tellableStory } from './demo-story.ts';
import type { Io } from './io.ts';
import { createLog } from './log.ts';

const CONFIG = join(import.meta.dirname, '..', '..', 'config', 'demo.yaml');
/** Longer than any step takes to be seen with sweeps every five seconds; then the story goes on without it. */
const PATIENCE_MS = 30_000;

/**
 * Runs until `stop` aborts.
 * @param atExit is given what must be done even if the process is ended at once; synchronous
 * @returns 0 when it was stopped, 1 when it cannot start or stop, 2 when `listen` cannot be used
 */
export async function demoCommand(
  options: {
    readonly listen: string;
    /** What it runs on, instead of the built-in configuration; see that for the variables. */
    readonly configFile?: string;
    readonly version: string;
    readonly stop: AbortSignal;
    readonly atExit: (cleanUp: () => void) => void;
  },
  io: Io,
): Promise<number> {
  const { stop } = options;
  await using stack = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'keyvigil-demo-'));
  const cleanUp = () => rmSync(directory, { recursive: true, force: true });
  options.atExit(cleanUp);
  stack.defer(cleanUp);
  const sandbox = stack.use(await startSandbox());
  const { account, subscription, story } = tellableStory(sandbox);
  const caFile = join(directory, 'ca.pem');
  await writeFile(caFile, sandbox.azure.ca);

  const env = {
    ...io.env,
    KEYVIGIL_DEMO_LISTEN: options.listen,
    KEYVIGIL_DEMO_STATE: join(directory, 'demo.db'),
    KEYVIGIL_DEMO_AWS: sandbox.url,
    AWS_ACCESS_KEY_ID: account.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: account.credentials.secretAccessKey,
    AWS_SESSION_TOKEN: undefined,
    AWS_PROFILE: undefined,
    KEYVIGIL_DEMO_SUBSCRIPTION: subscription.id,
    KEYVIGIL_DEMO_CA: caFile,
    AZURE_TENANT_ID: subscription.tenant,
    AZURE_CLIENT_ID: subscription.monitor.clientId,
    AZURE_CLIENT_SECRET: subscription.monitor.clientSecret,
    AZURE_CLIENT_CERTIFICATE_PATH: undefined,
    AZURE_FEDERATED_TOKEN_FILE: undefined,
    AZURE_AUTHORITY_HOST: undefined,
    // The real names of Azure lead to the embedded one, and to nothing else.
    HTTPS_PROXY: sandbox.azure.proxyUrl,
    https_proxy: undefined,
    HTTP_PROXY: undefined,
    http_proxy: undefined,
    NO_PROXY: '127.0.0.1',
    no_proxy: undefined,
  };
  let config: Config;
  try {
    ({ config } = await loadConfig(options.configFile ?? CONFIG, { env, services: SERVICES }));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    // In a file of ours all that a user can have got wrong is the address.
    const ours = `keyvigil: --${error.issues.map(({ message }) => message).join('; ')}`;
    io.err(`${options.configFile === undefined ? ours : error.message}\n`);
    return 2;
  }
  const log = createLog(config.log, io);
  // Awaited here: the cloud must not go before the daemon does.
  return await runDaemon({ config, env, log, version: options.version, stop }, async (app) => {
    io.out(welcome(app.url));
    await tell(story, app, stop, io);
    io.out(`\nThat was the incident. The daemon goes on; Ctrl-C ends it.\n`);
    await sleep(2 ** 31 - 1, stop);
  });
}

function welcome(url: string): string {
  return `
keyvigil demo: a made-up company in two embedded clouds, watched by the real daemon.

  page      ${url}/
  metrics   ${url}/metrics
  API       ${url}/api/v1/keys?health=inaccessible

Ctrl-C ends it. What happens:

`;
}

async function tell(story: readonly Turn[], app: App, stop: AbortSignal, io: Io): Promise<void> {
  while (app.snapshot.keys.length === 0) await sleep(100, stop);
  const startedAt = performance.now();
  const seconds = () => (performance.now() - startedAt) / 1000;
  const stamp = () => `${seconds().toFixed(0).padStart(3)} s`;
  for (const turn of story) {
    await sleep(Math.max(0, (turn.at - seconds()) * 1000), stop);
    turn.act();
    const actedAt = performance.now();
    io.out(`${stamp()}  ${turn.say}\n`);
    let seen = turn.seen(app.snapshot);
    while (seen === undefined && performance.now() - actedAt < PATIENCE_MS) {
      await sleep(100, stop);
      seen = turn.seen(app.snapshot);
    }
    if (seen === undefined) io.out(`${stamp()}    keyvigil has not said anything of it yet; see ${app.url}/\n`);
    else io.out(`${stamp()}    keyvigil: ${seen}\n           ${app.url}/\n`);
  }
}
