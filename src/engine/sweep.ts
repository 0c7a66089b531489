/** One pass over a source: list, describe what must be described, say how it went. */
import {
  type ConsumerFacts,
  type Evidence,
  type Failure,
  isConsumerStub,
  type KeyFacts,
  type SourceId,
  type Stub,
} from '../core/model.ts';
import { SOURCE_LEVEL_REASONS, type UnknownReason } from '../core/reasons.ts';
import { assertSound } from '../core/sound.ts';
import type {
  CallFailed,
  Connection,
  DescribedConsumer,
  ListOutcome,
  Service,
  ServiceSession,
} from '../providers/provider.ts';
import { type CountingContext, failureOf } from './call.ts';
import { type Look, startChoice } from './choose.ts';
import { type AnyObservation, isOfConsumer, keyRulesOf, type Tracked } from './tracked.ts';

/** Looks under way at once in one sweep; the process-wide gate bounds all sweeps together. */
export const LOOKS_AT_ONCE = 16;
/** A loss waits at most this long in a sweep that goes on, ms. */
const FLUSH_MS = 250;
const FLUSH_SIZE = 200;
/** That many looks, every one failed on the way to the cloud: the rest would fail too. */
const GIVE_UP_AFTER = 10;
/** Fewer failures than this are about keys; from here on half of the looks mean that the source itself is down. */
const SOURCE_FAILED_AT_LEAST = 3;

/** A look that was taken, with what the listing said of the object. */
export interface Looked {
  readonly observation: AnyObservation;
  readonly digest?: string;
}

/** What a sweep needs to know of the state; all of it as it is at the moment of the call. */
export interface Known {
  record(resource: string): Tracked | undefined;
  /** Records that this source has seen. */
  seenBy(source: SourceId): readonly Tracked[];
  dependents(resource: string): number;
  referenced(): readonly string[];
  /** Versions of the key that consumers use. */
  versionsInUse(resource: string): readonly string[];
  /** Facts of every watched consumer. */
  consumerFacts(): Iterable<ConsumerFacts>;
  /** Facts of the watched key that a name means. */
  keyFacts(ref: string): KeyFacts | undefined;
}

export interface SweepEnv {
  readonly source: SourceId;
  readonly service: Service;
  readonly session: ServiceSession;
  readonly connection: Pick<Connection, 'classify'>;
  readonly context: CountingContext;
  readonly known: Known;
  readonly describeEveryMs: number;
  /** Looks that fit into the budget of one interval. */
  readonly capacity: number;
  critical(stub: Stub): boolean;
  now(): number;
  /** Milliseconds that never jump. */
  monotonic(): number;
  readonly signal: AbortSignal;
  /** Takes observations; the sweep goes on when it resolves. */
  emit(batch: readonly Looked[]): Promise<void>;
  /** Takes what the listing showed to be as it was. */
  affirm(resources: readonly string[]): Promise<void>;
  /** Resources that an error named: somebody must look at them before anything is confirmed. */
  named(resources: readonly string[]): void;
  /** For progress bars. */
  progress?(done: number, total: number): void;
}

export type SweepOutcome =
  | {
      readonly up: true;
      readonly objects: number;
      /**
       * Resources that this source does not watch, or no longer: the cloud's own keys, what the configuration leaves out,
       * what an exclusive listing does not name.
       */
      readonly unwatched: readonly string[];
      /** The listing held only what others name. */
      readonly exclusive: boolean;
    }
  | { readonly up: false; readonly reason: UnknownReason; readonly evidence: Evidence }
  /** The cloud has retired the service, or the account never had it: nothing to watch, and no trouble either. */
  | { readonly up: 'retired' };

/** @throws only the abort reason of `env.signal` */
export async function sweep(env: SweepEnv): Promise<SweepOutcome> {
  const choice = startChoice({
    listing: env.service.listing,
    known: env.known.record,
    critical: env.critical,
    dependents: env.known.dependents,
    describeEveryMs: env.describeEveryMs,
    capacity: env.capacity,
    now: env.now(),
  });
  let listing: ListOutcome;
  try {
    const { call } = env.context;
    const { referenced, versionsInUse, consumerFacts: consumers, keyFacts: key } = env.known;
    const pages = env.session.list({ call, referenced, versionsInUse, consumers, key });
    let page = await pages.next();
    while (!page.done) {
      for (const { stub, told: look } of page.value) {
        assertSound(stub);
        if (look) assertSound(look.consumer);
      }
      const { unchanged, told } = choice.page(page.value.filter((item) => env.session.watches(item.stub)));
      if (unchanged.length > 0) await env.affirm(unchanged);
      if (told.length > 0)
        await env.emit(told.map(({ stub, digest, told: look }) => lookedAt(env, stub, look, digest)));
      page = await pages.next();
    }
    listing = page.value;
  } catch (error) {
    if (env.signal.aborted) throw env.signal.reason;
    return downBy(failureOf(error, env.connection));
  }

  const missing: Tracked[] = [];
  const unwatched: string[] = [];
  for (const record of env.known.seenBy(env.source)) {
    if (choice.listed.has(record.resource)) continue;
    if (listing.exclusive || !env.session.watches(record.stub)) unwatched.push(record.resource);
    else if (listing.complete && (listing.covers?.(record.stub) ?? true)) missing.push(record);
  }
  // The listing was had, so what failed before and fails again is about those keys: it must not end the sweep of the rest.
  // A listing of several parts has told of each of them already, and a part that fails is not the source.
  const { covers } = listing;
  const tells = ({ stub }: Look) => !covers && (env.known.record(stub.resource)?.inconclusive ?? 0) === 0;
  const taken = await takeLooks(env, choice.looks(missing), listing.failed ? 'conclusive' : tells);
  if (!taken.up) return taken;
  // What could be read was looked at all the same; the source as a whole is down.
  if (listing.failed) return downBy(failureOf(listing.failed satisfies CallFailed, env.connection), choice.listed.size);
  const foreign = taken.foreign.filter((resource) => choice.listed.has(resource)).length;
  return {
    up: true,
    objects: choice.listed.size - foreign,
    unwatched: [...unwatched, ...taken.foreign],
    exclusive: listing.exclusive,
  };
}

/** @param listed objects that were listed all the same: where there are some, nothing is retired */
function downBy(failure: Failure, listed = 0): SweepOutcome {
  if (failure.reason === 'provider_retired' && listed === 0) return { up: 'retired' };
  return { up: false, reason: sourceReason(failure), evidence: failure.evidence };
}

type Taken =
  | { readonly up: true; readonly foreign: readonly string[] }
  | { readonly up: false; readonly reason: UnknownReason; readonly evidence: Evidence };

/**
 * Describes each of `looks` and emits the observations. When at least half of them (and at least three) fail on the way to
 * the cloud, the source is down and those failures are no observations of any key.
 * @param tells whether a look tells of the source as well as of its key; only those are counted. `drop`: nothing is judged,
 *   and what failed on the way is no look at all. `conclusive`: nor is whatever else proves nothing
 * @throws only the abort reason of `env.signal`
 */
export async function takeLooks(
  env: SweepEnv,
  looks: readonly Look[],
  tells: ((look: Look) => boolean) | 'drop' | 'conclusive',
): Promise<Taken> {
  let ready: Looked[] = [];
  const held: Array<Looked & { readonly failure: Failure }> = [];
  const foreign: string[] = [];
  let flushedAt = env.monotonic();
  let done = 0;
  let told = 0;
  let toldFailure = 0;
  let at = 0;

  async function flush(): Promise<void> {
    const batch = ready;
    ready = [];
    flushedAt = env.monotonic();
    if (batch.length > 0) await env.emit(batch);
  }

  async function worker(): Promise<void> {
    while (toldFailure < GIVE_UP_AFTER || toldFailure < told) {
      const look = looks[at++];
      if (!look) return;
      const counts = typeof tells === 'function' && tells(look);
      const result = await takeLook(env, look);
      done += 1;
      if (counts) told += 1;
      env.progress?.(done, looks.length);
      if (!result) {
        foreign.push(look.stub.resource);
        continue;
      }
      const { failure } = result;
      if (failure && tells === 'conclusive' && isInconclusive(result.observation)) continue;
      if (failure && isSourceLevel(failure.reason)) {
        held.push({ ...result, failure });
        if (counts) toldFailure += 1;
      } else ready.push(result);
      if (failure?.names) env.named(failure.names);
      if (ready.length >= FLUSH_SIZE || env.monotonic() - flushedAt >= FLUSH_MS) await flush();
    }
  }

  await Promise.all(Array.from({ length: Math.min(LOOKS_AT_ONCE, looks.length) }, worker));
  if (toldFailure >= SOURCE_FAILED_AT_LEAST && toldFailure * 2 >= told) {
    await flush();
    const failure = mostFrequent(held.map((one) => one.failure));
    return { up: false, reason: sourceReason(failure), evidence: failure.evidence };
  }
  if (typeof tells === 'function') ready.push(...held);
  await flush();
  return { up: true, foreign };
}

async function takeLook(env: SweepEnv, look: Look): Promise<(Looked & { failure?: Failure }) | undefined> {
  const { stub } = look;
  const known: KeyFacts | ConsumerFacts | undefined = env.known.record(stub.resource)?.facts;
  const digest = look.digest === undefined ? {} : { digest: look.digest };
  const from = { resource: stub.resource, source: env.source };
  try {
    const described = await env.session.describe(stub, known, { call: env.context.call, key: env.known.keyFacts });
    if ('foreign' in described) return undefined;
    const at = env.now();
    if ('failure' in described) {
      if (described.failure.told) assertSound(described.failure.told);
      return failed(env, stub, described.failure, at, digest);
    }
    if ('consumer' in described) {
      assertSound(described.consumer);
      return lookedAt(env, stub, described, look.digest);
    }
    const { evidence, names } = described;
    if (names) env.named(names);
    assertSound(described.facts);
    const facts = await withMissed(env, described.facts, known);
    const verdict = keyRulesOf(env.service).verdict({ facts });
    return { observation: { ...from, at, verdict, evidence, facts }, ...digest };
  } catch (error) {
    if (env.signal.aborted) throw env.signal.reason;
    return failed(env, stub, failureOf(error, env.connection), env.now(), digest);
  }
}

function lookedAt(
  { source, now }: SweepEnv,
  { resource }: Stub,
  { consumer, evidence }: DescribedConsumer,
  digest: string | undefined,
): Looked {
  const observation = { resource, source, at: now(), evidence, consumer };
  return digest === undefined ? { observation } : { observation, digest };
}

/** The facts of a new version with their details: only those tell what came and went before it, in order. */
async function withMissed(
  env: SweepEnv,
  facts: KeyFacts,
  known: KeyFacts | ConsumerFacts | undefined,
): Promise<KeyFacts> {
  const before = known && 'version' in known ? known.version : undefined;
  if (!env.session.enrich || !before || !facts.version || facts.version.id === before.id) return facts;
  try {
    const enriched = await env.session.enrich(facts, env.now(), env.context);
    assertSound(enriched);
    return enriched;
  } catch {
    env.signal.throwIfAborted();
    // The new version itself is certain; its details come in the background as ever.
    return facts;
  }
}

function failed(
  env: SweepEnv,
  stub: Stub,
  failure: Failure,
  at: number,
  digest: Pick<Looked, 'digest'>,
): Looked & { readonly failure: Failure } {
  const { evidence } = failure;
  const look = { resource: stub.resource, source: env.source, at, evidence, failure };
  if (isConsumerStub(stub)) return { observation: { ...look, stub }, failure, ...digest };
  const verdict = keyRulesOf(env.service).verdict({ failure });
  return { observation: { ...look, stub, verdict }, failure, ...digest };
}

function isInconclusive(observation: AnyObservation): boolean {
  if (isOfConsumer(observation))
    return observation.consumer === undefined && observation.failure.reason !== 'not_found';
  return observation.verdict.status === 'unknown';
}

function isSourceLevel(reason: Failure['reason']): boolean {
  return SOURCE_LEVEL_REASONS.some((known) => known === reason);
}

/** A listing has no object that could be gone: whatever is not a reason for a source to be down is a strange answer. */
export function sourceReason(failure: Failure): UnknownReason {
  if (failure.reason === 'denied') return 'denied';
  return SOURCE_LEVEL_REASONS.find((known) => known === failure.reason) ?? 'bad_response';
}

function mostFrequent(failures: readonly Failure[]): Failure {
  const counts = new Map<string, number>();
  for (const { reason } of failures) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const most = Math.max(...counts.values());
  const found = failures.find(({ reason }) => counts.get(reason) === most);
  if (!found) throw new TypeError('no failure to choose from');
  return found;
}
