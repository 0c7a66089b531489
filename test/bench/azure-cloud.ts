/**
 * The embedded Azure in a process of its own, so that its work is not counted as ours. Argv: for each subscription the numbers
 * of keys in its vaults, as JSON. A message changes keys; the answer, and what comes first, is what `BenchAzure` says.
 */
import { startSandbox } from '../../src/sandbox/sandbox.ts';

/** Changes the first keys of every vault of a subscription: so many in all, taken in turn. */
export interface Change {
  readonly subscription: number;
  readonly changed: number;
}

/** What came over the wire since the last message, by service and operation. */
export type Calls = Readonly<Record<string, number>>;

/** The first message. */
export interface BenchAzure {
  readonly arm: string;
  readonly proxy: string;
  readonly ca: string;
  readonly subscriptions: readonly {
    readonly id: string;
    readonly tenant: string;
    readonly clientId: string;
    readonly clientSecret: string;
    readonly vaults: readonly string[];
  }[];
}

const sizes = JSON.parse(process.argv[2] ?? '[]') as number[][];
const sandbox = await startSandbox({ seed: 3 });
const { azure } = sandbox;
let changes = 0;

const subscriptions = sizes.map((vaults, at) => {
  const subscription = azure.subscription(`00000000-0000-4000-8000-00000000000${at}`);
  const made = vaults.map((keys, number) => {
    const vault = subscription.vault(`bench-${at}-${number}`);
    for (let key = 0; key < keys; key += 1) {
      vault.keys.create(`media-key-${key}`, { tags: { team: 'video', service: 'playout' } });
    }
    return { vault, keys };
  });
  return { subscription, made };
});

function change({ subscription, changed }: Change): void {
  const made = subscriptions[subscription]?.made ?? [];
  changes += 1;
  let left = changed;
  for (let key = 0; left > 0; key += 1) {
    const with_ = made.filter(({ keys }) => key < keys);
    if (with_.length === 0) throw new Error(`there are not ${changed} keys`);
    for (const { vault } of with_.slice(0, left)) {
      vault.keys.update(`media-key-${key}`, undefined, { tags: { team: 'video', service: `change-${changes}` } });
    }
    left -= with_.length;
  }
}

process.on('message', (message: Change) => {
  const names = new Set(sandbox.requests.list().map(({ service, operation }) => `${service}:${operation}`));
  const calls: Calls = Object.fromEntries([...names].map((name) => [name, sandbox.requests.count(name)]));
  sandbox.requests.clear();
  change(message);
  process.send?.(calls);
});
process.on('disconnect', () => process.exit());
const ready: BenchAzure = {
  arm: azure.url,
  proxy: azure.proxyUrl,
  ca: azure.ca,
  subscriptions: subscriptions.map(({ subscription: { id, tenant, monitor }, made }) => ({
    id,
    tenant,
    clientId: monitor.clientId,
    clientSecret: monitor.clientSecret,
    vaults: made.map(({ vault }) => vault.url),
  })),
};
process.send?.(ready);
