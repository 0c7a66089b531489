/** The whole daemon on an embedded cloud, with an incident that unfolds within a minute. */
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { App } from '../app.ts';
import type { Config } from '../config/config.ts';
import { ConfigError, loadConfig } from '../config/load.ts';
import type { KeyView, Snapshot } from '../core/snapshot.ts';
import { sleep } from '../engine/deadline.ts';
import { SERVICES } from '../providers/index.ts';
import { startSandbox } from '../sandbox/sandbox.ts';
import { runDaemon } from './daemon.ts';
import type { Io } from './io.ts';
import { createLog } from './log.ts';

const CONFIG = join(import.meta.dirname, '..', '..', 'config', 'demo.yaml');
const ACCOUNT = '111122223333';
const REGION = 'eu-west-1';
/** Longer than any step takes to be seen with sweeps every five seconds; then the story goes on without it. */
const PATIENCE_MS = 30_000;

/** One turn of the story. */
interface Turn {
  /** Seconds after the daemon is ready. */
  readonly at: number;
  readonly say: string;
  act(): void;
  /** Whether the daemon has seen it, and what it says then. */
  seen(snapshot: Snapshot): string | undefined;
}

/**
 * Runs until `stop` aborts.
 * @param atExit is given what must be done even if the process is ended at once; synchronous
 * @returns 0 when it was stopped, 1 when it cannot start or stop, 2 when `listen` cannot be used
 */
export async function demoCommand(
  options: {
    readonly listen: string;
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
  const account = sandbox.aws.account(ACCOUNT);
  const story = buildWorld(account.region(REGION));

  const env = {
    ...io.env,
    KEYVIGIL_DEMO_LISTEN: options.listen,
    KEYVIGIL_DEMO_STATE: join(directory, 'demo.db'),
    KEYVIGIL_DEMO_AWS: sandbox.url,
    AWS_ACCESS_KEY_ID: account.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: account.credentials.secretAccessKey,
    AWS_SESSION_TOKEN: undefined,
    AWS_PROFILE: undefined,
  };
  let config: Config;
  try {
    ({ config } = await loadConfig(CONFIG, { env, services: SERVICES }));
  } catch (error) {
    // The file is ours; all that a user can have got wrong is the address.
    if (!(error instanceof ConfigError)) throw error;
    io.err(`keyvigil: --${error.issues.map(({ message }) => message).join('; ')}\n`);
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
keyvigil demo: a made-up company in an embedded cloud, watched by the real daemon.

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

type Region = ReturnType<ReturnType<Awaited<ReturnType<typeof startSandbox>>['aws']['account']>['region']>;

function buildWorld({ kms, secrets }: Region): Turn[] {
  const team = (name: string) => [{ Key: 'team', Value: name }];
  const key = (alias: string, name: string) => {
    const made = kms.createKey({ Description: alias, Tags: [{ TagKey: 'team', TagValue: name }] });
    kms.alias(`alias/${alias}`, made.keyId);
    return made;
  };
  const payments = key('payments', 'payments');
  const video = key('video-origin', 'video');
  const archive = key('archive-2019', 'platform');
  // Dead long before anybody watched, and nothing uses it: shown, and nobody is woken.
  kms.disable(archive.keyId);
  for (const name of ['db', 'api-token', 'webhook-signing']) {
    secrets.create({
      Name: `prod/payments/${name}`,
      SecretString: 'made up',
      KmsKeyId: payments.arn,
      Tags: team('payments'),
    });
  }
  secrets.create({ Name: 'prod/video/origin', SecretString: 'made up', KmsKeyId: video.arn, Tags: team('video') });
  secrets.create({ Name: 'prod/video/srt-passphrase', SecretString: 'made up', Tags: team('video') });
  const token = secrets.create({ Name: 'staging/ci-token', SecretString: 'made up', Tags: team('platform') });
  for (let at = 1; at <= 12; at += 1) secrets.create({ Name: `staging/service-${at}`, SecretString: 'made up' });

  const named = (snapshot: Snapshot, name: string): KeyView | undefined =>
    snapshot.keys.find((one) => one.name === name);

  return [
    {
      at: 4,
      say: 'somebody rotates the secret prod/video/origin',
      act: () => void secrets.putValue('prod/video/origin', 'made up, too'),
      seen: (snapshot) => {
        const view = named(snapshot, 'prod/video/origin');
        return view?.versionChanges ? `new version ${view.version} of ${view.name}` : undefined;
      },
    },
    {
      at: 12,
      say: 'somebody disables the KMS key alias/payments, which nobody seemed to use',
      act: () => kms.disable(payments.keyId),
      seen: (snapshot) => {
        const incident = snapshot.incidents.find((one) => one.root === payments.arn);
        const undo = snapshot.byResource.get(payments.arn)?.undo;
        return (
          incident &&
          `${incident.keys.length} secrets are unusable, all because of alias/payments\n           undo: ${undo}`
        );
      },
    },
    {
      at: 30,
      say: 'somebody schedules the deletion of staging/ci-token',
      act: () => secrets.delete(token.arn, { RecoveryWindowInDays: 7 }),
      seen: (snapshot) => {
        const view = named(snapshot, 'staging/ci-token');
        return view?.health === 'inaccessible'
          ? `staging/ci-token is pending deletion\n           undo: ${view.undo}`
          : undefined;
      },
    },
    {
      at: 44,
      say: 'on-call runs both undo commands',
      act: () => {
        kms.enable(payments.keyId);
        secrets.restore(token.arn);
      },
      seen: (snapshot) => {
        const well = [
          'prod/payments/db',
          'prod/payments/api-token',
          'prod/payments/webhook-signing',
          'staging/ci-token',
        ];
        return well.every((name) => named(snapshot, name)?.health === 'accessible')
          ? 'everything is accessible again (but for alias/archive-2019, dead since before anybody watched)'
          : undefined;
      },
    },
  ];
}
