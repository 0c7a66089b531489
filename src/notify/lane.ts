/** The way of one receiver: takes what is queued, sends it, says what became of it, and waits. */
import type { DeliveryFailure, NotificationRecord } from '../core/alert.ts';
import { DeadlineExceeded, sleep, withDeadline } from '../engine/deadline.ts';
import { chunks, fitting, notificationsOf } from './batch.ts';
import type { DispatcherOptions, Outcome, ReceiverStatus } from './dispatcher.ts';
import type { Delivery, Notification, Receiver } from './receiver.ts';

/** Receivers hold deadlines of their own; this one is for a receiver that does not, ms. */
const SEND_MS = 120_000;

/** Backoff: full jitter below `BASE_MS` × 2ⁿ, up to `CAP_MS` (https://aws.amazon.com/builders-library, "Timeouts, retries"). */
const BASE_MS = 1_000;
const CAP_MS = 5 * 60_000;

/** No wait is shorter, whatever the dice say. */
const LEAST_MS = 100;

/** A `Retry-After` beyond that is a mistake: an alert would be of no use any more. Nothing waits longer. */
const RETRY_AFTER_MS = 60 * 60_000;

/** Refusals that are about the receiver's configuration, never about an alert. */
const OF_RECEIVER: readonly DeliveryFailure[] = ['unauthorized', 'redirected'];

/** Failures for which one alert may be to blame: a receiver can stumble over what it should refuse. */
const STUMBLES: readonly DeliveryFailure[] = ['server_error', 'bad_response'];

/** So many attempts in a row must stumble before the one alert is looked for, … */
const STUBBORN = 4;

/** … and so many single ones, with none accepted, show that it is the receiver after all. */
const PROBES = 3;

export interface Lane {
  /** Delivers until `stop`. Never rejects. */
  run(): Promise<void>;
  wake(): void;
  status(): ReceiverStatus;
}

export interface LaneSignals {
  /** No new request from now on. */
  readonly stop: AbortSignal;
  /** Requests that are under way end now; nobody knows what became of them, so they stay queued. */
  readonly cut: AbortSignal;
}

type LaneOptions = Pick<DispatcherOptions, 'outbox' | 'holdMs' | 'now' | 'random' | 'observe' | 'onError'>;
type Failure = Exclude<Delivery, { outcome: 'accepted' }>;

/** A record that was not taken although it was alone in its request. */
interface Suspect {
  readonly record: NotificationRecord;
  readonly why: Failure;
}

/** What became of one record. */
interface Fate extends Pick<Outcome, 'outcome' | 'notBefore'> {
  readonly record: NotificationRecord;
  /** Absent: accepted. */
  readonly why?: Failure;
}

/** @param random 0 to 1; @param attempt the first is 1; gives ms */
function backoff(attempt: number, random: number): number {
  const most = Math.min(CAP_MS, BASE_MS * 2 ** (attempt - 1));
  return Math.max(LEAST_MS, Math.ceil(random * most));
}

export function createLane(receiver: Receiver, options: LaneOptions, { stop, cut }: LaneSignals): Lane {
  const { outbox } = options;
  const { name } = receiver.traits;
  /** In a row, until something is accepted. */
  let failures = 0;
  let acceptances = 0;
  let lastAcceptedAt: number | undefined;
  let failure: Failure | undefined;
  /** What was refused by itself, and how many acceptances there had been by then. */
  const refusals = new Map<string, { readonly queuedAt: number; readonly acceptances: number }>();
  let wake: () => void = () => undefined;
  let clock = 0;

  /** Wall time that waits advance and nothing turns back: a clock that is set back must hold up no alert. */
  function time(): number {
    clock = Math.max(clock, options.now());
    return clock;
  }

  async function pause(ms: number): Promise<void> {
    const until = time() + ms;
    await sleep(ms, stop);
    clock = Math.max(clock, until);
  }

  /** Waits until something is queued or may be tried again. */
  async function idle(): Promise<void> {
    const next = outbox.nextAt(name);
    if (next === undefined) refusals.clear();
    const left = next === undefined ? undefined : next - time();
    if (next !== undefined && next - time() > RETRY_AFTER_MS) {
      // Nobody asked for that: the clock was set back since.
      clock = next;
      return;
    }
    const over = Promise.withResolvers<boolean>();
    const end = () => over.reject(stop.reason);
    // What is due but was not offered is the outbox's mistake; asking at once again would not mend it.
    const timer = left === undefined ? undefined : setTimeout(over.resolve, left > 0 ? left : BASE_MS, true);
    wake = () => over.resolve(false);
    stop.addEventListener('abort', end, { once: true });
    try {
      const elapsed = await over.promise;
      if (elapsed && next !== undefined) clock = Math.max(clock, next);
    } finally {
      clearTimeout(timer);
      stop.removeEventListener('abort', end);
    }
  }

  /** One request; two, where a pair does not fit into one. @throws only when it is cut off */
  async function send(records: readonly NotificationRecord[]): Promise<Delivery> {
    const now = options.now();
    const all = records.flatMap((record) => notificationsOf(record, now, options.holdMs));
    for (const batch of chunks(all, receiver.maxBatch)) {
      const delivery = await request(batch);
      if (delivery.outcome !== 'accepted') return delivery;
    }
    return { outcome: 'accepted' };
  }

  async function request(batch: readonly Notification[]): Promise<Delivery> {
    try {
      return await withDeadline(`receiver ${name}`, SEND_MS, cut, (signal) => receiver.send(batch, signal));
    } catch (error) {
      cut.throwIfAborted();
      if (error instanceof DeadlineExceeded) return { outcome: 'retry', reason: 'timeout' };
      options.onError(error, `receiver ${name}`);
      // One alert that it stumbles over must not keep the others: found like one that is refused.
      return { outcome: 'refused', reason: 'bad_response' };
    }
  }

  /** Commits what became of some records, all of them alike, and tells of it. */
  async function settle(fates: readonly Fate[]): Promise<void> {
    const [first] = fates;
    if (!first) return;
    const { outcome, why } = first;
    failure = why;
    if (outcome === 'accepted') {
      acceptances += 1;
      lastAcceptedAt = options.now();
    }
    const reason = why === undefined ? {} : { reason: why.reason };
    const outcomes = fates.map(({ record: { fingerprint, queuedAt = 0 }, notBefore }) => {
      return { fingerprint, queuedAt, outcome, ...reason, ...(notBefore === undefined ? {} : { notBefore }) };
    });
    await outbox.settle(name, outcomes, options.now());
    // Not before: what was accepted and could not be committed is sent again, and not for ever at the first pace.
    if (outcome === 'accepted') failures = 0;
    for (const { fingerprint } of outcomes) if (outcome !== 'retry') refusals.delete(fingerprint);
    options.observe({ receiver: name, count: fates.length, outcome, ...reason, ...detailOf(why) });
  }

  /**
   * Sends what one request has room for. A request that is refused is cut in halves, down to the records that are at fault.
   * Gives how long nothing may be sent, ms.
   */
  async function deliver(batch: readonly NotificationRecord[]): Promise<number> {
    const before = acceptances;
    const attempt = failures + 1;
    const singled: Suspect[] = [];
    const parts = [batch];
    for (let part = parts.shift(); part && !stop.aborted; part = parts.shift()) {
      const delivery = await send(part);
      if (delivery.outcome === 'accepted') {
        await settle(part.map((record) => ({ record, outcome: 'accepted' })));
        continue;
      }
      const stumbled = singled.filter(({ why }) => why.outcome === 'retry').length;
      const isDown = delivery.outcome === 'retry' && acceptances === before && stumbled + 1 >= PROBES;
      if (isDown || !mayBeOneAlert(delivery, attempt)) {
        return hold([...singled.map(({ record }) => record), ...part, ...parts.flat()], delivery);
      }
      if (part.length === 1) {
        singled.push(...part.map((record) => ({ record, why: delivery })));
      } else {
        const half = Math.ceil(part.length / 2);
        parts.unshift(part.slice(0, half), part.slice(half));
      }
    }
    const stumble = singled.find(({ why }) => why.outcome === 'retry');
    if (stumble && acceptances === before) {
      return hold(
        singled.map(({ record }) => record),
        stumble.why,
      );
    }
    const judged = singled.map((suspect) => judge(suspect, before));
    for (const alike of Map.groupBy(judged, ({ outcome, why }) => JSON.stringify([outcome, why])).values()) {
      await settle(alike);
    }
    return 0;
  }

  /** The receiver takes nothing for now. Gives how long it is left alone, ms. */
  async function hold(records: readonly NotificationRecord[], why: Failure): Promise<number> {
    failures += 1;
    const told = why.outcome === 'retry' ? (why.retryAfterMs ?? 0) : 0;
    const wait = Math.max(backoff(failures, options.random()), told > 0 ? Math.min(told, RETRY_AFTER_MS) : 0);
    const notBefore = time() + wait;
    await settle(records.map((record) => ({ record, outcome: 'retry', why, notBefore })));
    return wait;
  }

  /**
   * A record that is refused is at fault if the receiver took another since: it is a dead letter. If it took nothing, its
   * address or its credentials may as well be wrong, and every alert would be lost one by one: this one is tried again. So
   * is one that the receiver stumbles over: it never said that it will not have it.
   */
  function judge({ record, why }: Suspect, before: number): Fate {
    const { fingerprint, queuedAt = 0, attempts } = record;
    const known = refusals.get(fingerprint);
    const since = known?.queuedAt === queuedAt ? known.acceptances : before;
    if (why.outcome === 'refused') {
      if (acceptances > since) return { record, outcome: 'dead', why };
      refusals.set(fingerprint, { queuedAt, acceptances: since });
    }
    return { record, outcome: 'retry', why, notBefore: time() + backoff(attempts + 1, options.random()) };
  }

  async function step(): Promise<void> {
    const batch = fitting(outbox.pending(name, receiver.maxBatch, time()), receiver.maxBatch);
    if (batch.length === 0) return idle();
    const wait = await deliver(batch);
    if (wait > 0) await pause(wait);
  }

  return {
    async run() {
      while (!stop.aborted) {
        try {
          await step();
        } catch (error) {
          if (error === stop.reason || error === cut.reason) return;
          options.onError(error, `the outbox of receiver ${name}`);
          failures += 1;
          await pause(backoff(failures, options.random())).catch(() => undefined);
        }
      }
    },
    wake: () => wake(),
    status: () => ({
      ...outbox.standing(name),
      receiver: name,
      type: receiver.type,
      ...(lastAcceptedAt === undefined ? {} : { lastAcceptedAt }),
      ...(failure === undefined ? {} : { failure: failure.reason, ...detailOf(failure) }),
    }),
  };
}

function mayBeOneAlert(why: Failure, attempt: number): boolean {
  if (why.outcome === 'refused') return !OF_RECEIVER.includes(why.reason);
  return attempt >= STUBBORN && why.retryAfterMs === undefined && STUMBLES.includes(why.reason);
}

function detailOf(why: Failure | undefined): { readonly detail?: string } {
  return why?.detail === undefined ? {} : { detail: why.detail };
}
