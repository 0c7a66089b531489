/**
 * What of the daemon stands between a change and a receiver (ledger, state file, outbox, dispatcher, webhook), alone in a
 * process: it ends what an earlier one left, sees the cloud as it `was`, then as it `is`, and dies at one point of telling
 * `target`. Without a point it tells everything and ends in order. Started by `alert-kills.ts`.
 */
import { createLedger } from '../../src/engine/apply.ts';
import { createOutboxBook } from '../../src/engine/outbox.ts';
import { startDispatcher } from '../../src/notify/dispatcher.ts';
import type { Receiver } from '../../src/notify/receiver.ts';
import { createWebhook } from '../../src/notify/webhook.ts';
import type { Service } from '../../src/providers/provider.ts';
import { openStore } from '../../src/store/sqlite.ts';
import type { Store } from '../../src/store/store.ts';
import { look, lost, OK, POLICY } from '../core/support/looks.ts';

/** Where it dies by its own hand. At the others the receiver's side kills it. */
const OWN_POINTS = ['uncommitted', 'committed', 'sending', 'answered', 'acknowledging', 'acknowledged'] as const;
const RECEIVERS_POINTS = ['open', 'answering'] as const;
export type KillPoint = (typeof OWN_POINTS)[number] | (typeof RECEIVERS_POINTS)[number];

export interface Life {
  readonly file: string;
  readonly url: string;
  /** How many keys there are. */
  readonly keys: number;
  /** Keys that are disabled: at first, and then. */
  readonly was: readonly number[];
  readonly is: readonly number[];
  readonly target: number;
  readonly point?: KillPoint;
  /** Turns of the event loop that `sending` and `acknowledging` let the work go on. */
  readonly turns: number;
}

const RECEIVER = 'hook';

/** No real one: schemas of a configuration take longer to load than all the rest of a life. */
const SERVICE: Service = {
  name: 'secrets-manager',
  provider: 'aws',
  title: 'AWS Secrets Manager',
  kinds: ['aws-secret'],
  listing: 'lagging',
  config: {} as Service['config'],
  permissions: [],
  apis: {},
  describeOperation: 'DescribeSecret',
  calls: { steady: () => ({}), assumes: [] },
  keys: {
    uniqueNames: true,
    versionsCanReturn: true,
    verdict: () => OK,
    judge: () => ({ findings: [] }),
    remedy: () => undefined,
  },
};

export function resourceOf(key: number): string {
  return `arn:aws:secretsmanager:eu-west-1:111122223333:secret:key-${String(key).padStart(4, '0')}`;
}

function die(): void {
  process.kill(process.pid, 'SIGKILL');
}

async function turn(times: number): Promise<void> {
  for (let at = 0; at < times; at += 1) await new Promise((resolve) => setImmediate(resolve));
}

async function live({ file, url, keys, was, is, target, point, turns }: Life): Promise<void> {
  const now = () => Date.now();
  const isTarget = (fingerprint: string) => fingerprint.includes(resourceOf(target));
  let at: KillPoint | undefined;
  let acknowledging = false;

  await using stack = new AsyncDisposableStack();
  const { store } = await openStore(file, { now: now() });
  stack.use(store);
  const deadly: Store = {
    load: () => store.load(),
    async commit(change) {
      const queues = change.notifications.upserts.some(({ queuedAt }) => queuedAt !== undefined);
      if (at === 'uncommitted' && queues) die();
      const done = store.commit(change);
      if (acknowledging) {
        await Promise.race([done, turn(turns)]);
        die();
      }
      await done;
      if (at === 'committed' && queues) die();
    },
    events: (query) => store.events(query),
    versions: (resource) => store.versions(resource),
    prune: (before) => store.prune(before),
    [Symbol.asyncDispose]: async () => undefined,
  };

  const webhook = stack.use(
    createWebhook(
      { name: RECEIVER, type: 'webhook', options: { url: { read: async () => url } } },
      { timeoutMs: 10_000, holdMs: 3_600_000, env: {}, version: '0.0.0-test', statusUrl: 'http://127.0.0.1:10539' },
    ),
  );
  const receiver: Receiver = {
    ...webhook,
    async send(batch, signal) {
      const sent = webhook.send(batch, signal);
      if (at === 'sending' && batch.some(({ alert }) => isTarget(alert.fingerprint))) {
        await turn(turns);
        die();
      }
      return sent;
    },
  };
  const outbox = createOutboxBook({
    receivers: [receiver.traits],
    context: () => ({ policy: POLICY, tagLabels: [], statusUrl: url, runbookUrl: url, startedAt: 0 }),
  });
  const fail = (error: unknown) => {
    throw error;
  };
  let wake: () => void = () => undefined;
  const ledger = createLedger({
    policy: { ...POLICY, confirmations: { inaccessible: 1, accessible: 1, blind: 1 } },
    store: deadly,
    serviceOf: () => SERVICE,
    configured: () => true,
    watched: () => true,
    now,
    outbox,
    onQueued: () => wake(),
    wanted: () => undefined,
    onEvents: () => undefined,
    onStore: (error) => error && fail(error),
    onError: fail,
  });
  await ledger.load(await store.load());
  const dispatcher = stack.use(
    startDispatcher({
      receivers: [receiver],
      outbox: {
        pending: outbox.pending,
        nextAt: outbox.nextAt,
        standing: outbox.standing,
        async settle(name, outcomes) {
          const hit = outcomes.some(({ fingerprint, outcome }) => outcome === 'accepted' && isTarget(fingerprint));
          if (at === 'answered' && hit) die();
          acknowledging = at === 'acknowledging' && hit;
          await ledger.delivered(name, outcomes);
          if (at === 'acknowledged' && hit) die();
        },
      },
      holdMs: 3_600_000,
      graceMs: 1_000,
      now,
      random: () => 0,
      observe: () => undefined,
      onError: fail,
    }),
  );
  wake = dispatcher.wake;

  async function sweep(disabled: readonly number[]): Promise<void> {
    const batch = Array.from({ length: keys }, (_, key) => {
      const resource = resourceOf(key);
      const overrides = { resource, name: `key-${key}` };
      const verdict = disabled.includes(key) ? lost() : OK;
      return { observation: { ...look(now(), verdict, overrides), resource } };
    });
    await ledger.observe(batch, SERVICE);
    while (outbox.nextAt(RECEIVER) !== undefined) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await sweep(was);
  at = point;
  await sweep(is);
}

if (import.meta.main) await live(JSON.parse(process.argv[2]!) as Life);
