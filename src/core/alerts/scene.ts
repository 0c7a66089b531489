/** What the rules of the alerts look at, and how they ask for the time. Pure. */
import type { HarmGroup } from '../harm.ts';
import type { TagLabel } from '../labels.ts';
import { lazily } from '../lazily.ts';
import type { SourceRecord } from '../model.ts';
import type { Policy } from '../policy.ts';
import type { ConsumerView, KeyView, Snapshot } from '../snapshot.ts';

/** What alerts are made of besides the snapshot. */
export interface AlertContext {
  readonly policy: Policy;
  /** Tag keys that become labels, as configured. */
  readonly tagLabels: readonly string[];
  /** Base of the status page. */
  readonly statusUrl: string;
  /** Base of the runbooks: `…/docs/runbooks`. */
  readonly runbookUrl: string;
  readonly now: number;
  /**
   * When this process began, or its clock was set since, ms. What has not been looked at since stands as it was then: a daemon
   * that was down for days, or whose clock says so, says nothing of what it has not seen. Absent: it has looked at everything.
   */
  readonly startedAt?: number;
  /** Receivers that took nothing although something waits, since when (ms). */
  readonly failingReceivers: readonly { readonly receiver: string; readonly since: number }[];
  /** Since when (ms) the configuration in force is not the one on disk; absent: the last reload was taken. */
  readonly reloadFailedSince?: number;
}

/** Answers what has passed, and remembers what has not: when its answers change next. */
export interface Clock {
  readonly now: number;
  passed(at: number): boolean;
  /** ms; undefined: nothing that was asked for is still to come. */
  readonly next: number | undefined;
}

export function createClock(now: number): Clock {
  let next: number | undefined;
  return {
    now,
    passed(at) {
      if (now >= at) return true;
      if (next === undefined || at < next) next = at;
      return false;
    },
    get next() {
      return next;
    },
  };
}

/** What depends on a key, directly or through others, sorted by resource. */
export interface Impact {
  readonly keys: readonly KeyView[];
  readonly consumers: readonly ConsumerView[];
}

/** What a root has taken down, and when that hurts, worst first. */
export interface Broken extends Impact {
  readonly harm: readonly HarmGroup[];
}

export interface Scene {
  readonly snapshot: Snapshot;
  readonly context: AlertContext;
  readonly clock: Clock;
  readonly tags: readonly TagLabel[];
  /** What the loss of a root has taken down. */
  broken(root: string): Broken;
  /** What needs the key, whether it works or not. */
  dependents(resource: string): Impact;
  /** Whether the instant has passed as far as the source can know. */
  passedFor(source: SourceRecord, at: number): boolean;
}

const NOTHING: Broken = { keys: [], consumers: [], harm: [] };

export function sceneOf(snapshot: Snapshot, context: AlertContext, tags: readonly TagLabel[]): Scene {
  const clock = createClock(context.now);
  const impaired = lazily(() => impairedOf(snapshot));
  const incidents = lazily(() => new Map(snapshot.incidents.map((one) => [one.root, one])));
  const users = lazily(() => usersOf(snapshot));
  const lost = lazily(() => new Map(snapshot.troubled.flatMap((key) => (isLost(key) ? [[key.resource, key]] : []))));
  return {
    snapshot,
    context,
    clock,
    tags,
    broken(root) {
      const incident = incidents().get(root);
      if (!incident) return NOTHING;
      return {
        keys: incident.keys.flatMap((resource) => lost().get(resource) ?? []),
        consumers: incident.consumers.flatMap((resource) => impaired().get(resource) ?? []),
        harm: incident.harm ?? [],
      };
    },
    dependents: (resource) => reach(resource, users()),
    passedFor({ lastAttemptAt }, at) {
      const { startedAt } = context;
      if (startedAt === undefined || lastAttemptAt === undefined || lastAttemptAt >= startedAt) return clock.passed(at);
      return lastAttemptAt >= at;
    },
  };
}

function isLost({ health }: KeyView): boolean {
  return health === 'inaccessible';
}

/** By resource: a root takes no other consumers down. */
function impairedOf({ consumers }: Snapshot): ReadonlyMap<string, ConsumerView> {
  const found = new Map<string, ConsumerView>();
  for (const consumer of consumers) if (consumer.health === 'impaired') found.set(consumer.resource, consumer);
  return found;
}

/** By resource: the keys and consumers that name it. */
interface Users {
  readonly keys: ReadonlyMap<string, readonly KeyView[]>;
  readonly consumers: ReadonlyMap<string, readonly ConsumerView[]>;
}

/** Who names whom; made once, and only if somebody asks: it takes a look at everything. */
function usersOf(snapshot: Snapshot): Users {
  const keys = new Map<string, KeyView[]>();
  const consumers = new Map<string, ConsumerView[]>();
  for (const key of snapshot.keys) for (const resource of key.dependsOn) add(keys, resource, key);
  for (const consumer of snapshot.consumers) {
    for (const { key } of consumer.uses) if (key !== undefined) add(consumers, key, consumer);
  }
  return { keys, consumers };
}

function add<T>(into: Map<string, T[]>, resource: string, user: T): void {
  const known = into.get(resource);
  if (known) known.push(user);
  else into.set(resource, [user]);
}

function reach(resource: string, users: Users): Impact {
  const keys = new Map<string, KeyView>();
  const consumers = new Map<string, ConsumerView>();
  const waiting = [resource];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const consumer of users.consumers.get(next) ?? []) consumers.set(consumer.resource, consumer);
    for (const key of users.keys.get(next) ?? []) {
      if (keys.has(key.resource) || key.resource === resource) continue;
      keys.set(key.resource, key);
      waiting.push(key.resource);
    }
  }
  return { keys: sorted(keys), consumers: sorted(consumers) };
}

function sorted<T>(found: ReadonlyMap<string, T>): readonly T[] {
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
}
